//! Ticks to store: any that the types allow, and some like a host's.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)] // each test file uses a part of it

use std::collections::{BTreeMap, BTreeSet};

use model::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

pub const BOOT: BootId = BootId(0x1234_5678_9abc_def0_1234_5678_9abc_def0);

pub fn column() -> impl Strategy<Value = Column> {
    prop_oneof![3 => 0_u8..6, 1 => any::<u8>()]
        .prop_map(|code| Column::from_code(code).unwrap_or(Column::Cpu))
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(7_u64), 4 => (0_u64..50).prop_map(|n| n << 12), 2 => 0_u64..300, 1 => any::<u64>()]
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof!["[a-z/]{0,12}".prop_map(Text::from), any::<String>().prop_map(Text::from)]
}

pub fn incarnation() -> impl Strategy<Value = Incarnation> {
    let identity = (proptest::option::of(text()), proptest::option::of(text()), text())
        .prop_map(|(unit, container, command)| Identity { unit, container, command });
    let numbers = (any::<u128>(), any::<u32>(), any::<u64>(), any::<u32>(), any::<u32>());
    (text(), identity, numbers, 0.0_f64..1e12, vec(column(), 0..3)).prop_map(
        |(name, identity, (boot, pid, start, uid, parent), started_unix_s, denied)| Incarnation {
            key: ProcessKey { boot: BootId(boot), pid: Pid(pid), start: Ticks(start) },
            name,
            started_unix_s,
            identity,
            uid,
            parent: Pid(parent),
            denied,
        },
    )
}

pub fn event() -> impl Strategy<Value = Event> {
    let thread = || (any::<u32>(), any::<u64>(), text());
    let what = prop_oneof![
        incarnation().prop_map(|i| EventKind::ProcessSeen(Box::new(i))),
        Just(EventKind::ProcessEnded),
        incarnation().prop_map(|i| EventKind::ProcessRenamed(Box::new(i))),
        thread().prop_map(|(tid, start, name)| EventKind::ThreadBorn {
            tid: Pid(tid),
            start: Ticks(start),
            name
        }),
        thread().prop_map(|(tid, start, name)| EventKind::ThreadEnded {
            tid: Pid(tid),
            start: Ticks(start),
            name
        }),
        any::<(u64, u64)>().prop_map(|(born, ended)| EventKind::ThreadsMissed { born, ended }),
        (text(), any::<bool>(), any::<u64>()).prop_map(|(version, other, interval_ms)| {
            EventKind::RecorderStarted { version, boot: if other { BootId(9) } else { BOOT }, interval_ms }
        }),
        Just(EventKind::RecorderStopped),
        any::<i64>().prop_map(|by_ms| EventKind::ClockSet { by_ms }),
        any::<u64>().prop_map(|for_ms| EventKind::Slept { for_ms }),
        text().prop_map(|text| EventKind::Mark { text }),
    ];
    (any::<u64>(), 0_u32..9, what).prop_map(|(at_boot_ms, process, what)| Event {
        at_boot_ms,
        process: ProcessNo(process),
        what,
    })
}

pub type Rows = BTreeMap<u32, BTreeMap<Column, u64>>;

pub fn tick_of(at: (i64, u64), cost: (u64, u64), rows: Rows, events: Vec<Event>) -> Tick {
    let mut tick = Tick { at_unix_ms: at.0, at_boot_ms: at.1, ..Tick::default() };
    (tick.took_us, tick.late_us) = cost;
    tick.events = events;
    for (process, values) in rows {
        tick.rows.push(TickRow { process: ProcessNo(process), values: values.len() as u32 });
        tick.values.extend(values);
    }
    tick
}

/// Any ticks at all, of clocks that jump both ways.
pub fn any_ticks(most: usize) -> impl Strategy<Value = Vec<Tick>> {
    let rows = || {
        btree_map(prop_oneof![9 => 0_u32..6, 1 => 0_u32..u32::MAX], btree_map(column(), value(), 0..5), 0..5)
    };
    let time = || prop_oneof![8 => 0_u64..20_000, 1 => any::<u64>()];
    let tick = (any::<bool>(), time(), any::<i64>(), any::<(u64, u64)>(), rows(), vec(event(), 0..2));
    vec((tick, any::<u8>()), 0..most).prop_map(|all| {
        let mut ticks: Vec<Tick> = Vec::new();
        let mut boot_ms = 5_u64;
        for ((jump, step, unix, cost, rows, events), again) in all {
            boot_ms = if step < 20_000 { boot_ms.wrapping_add(step) } else { step };
            let unix_ms = if jump { unix } else { 1_700_000_000_000 + (boot_ms >> 8) as i64 };
            // Mostly the same processes with the same columns.
            let rows = match ticks.last() {
                Some(before) if again > 60 => before
                    .by_process()
                    .map(|(p, v)| {
                        (p.0, v.iter().map(|(c, v)| (*c, v.wrapping_add(u64::from(again % 3)))).collect())
                    })
                    .collect(),
                _ => rows,
            };
            ticks.push(tick_of((unix_ms, boot_ms), cost, rows, events));
        }
        ticks
    })
}

/// When the host of these tests was started.
pub const BOOTED_MS: i64 = 1_760_000_000_000;

/// A host with processes that grow, stay, come and go; a tick every ten seconds.
pub fn host_tick(number: u64, processes: u32) -> Tick {
    let at_boot_ms = 60_000 + number * 10_000 + number % 3;
    let mut rows = Rows::new();
    rows.insert(0, [(Column::HostFree, 1 << 30), (Column::HostTasks, 500 + number % 7)].into());
    for process in 1..=processes {
        // The last one is only there in every other stretch of 50 ticks.
        if process == processes && (number / 50) % 2 == 1 {
            continue;
        }
        let p = u64::from(process);
        let mut columns: BTreeMap<Column, u64> = [
            (Column::Cpu, number * p),
            (Column::Threads, 10 + p),
            (Column::Resident, (number * p % 1_000) << 12),
        ]
        .into();
        if number.is_multiple_of(6) {
            columns.insert(Column::Descriptors, 3 + number / 60);
        }
        rows.insert(process, columns);
    }
    let mut events = Vec::new();
    if number == 0 {
        events.push(started(BOOT, at_boot_ms));
        events.extend((1..=processes).map(|process| seen(process, at_boot_ms)));
    }
    tick_of((BOOTED_MS + at_boot_ms as i64, at_boot_ms), (900 + number % 5, number % 11), rows, events)
}

pub fn started(boot: BootId, at_boot_ms: u64) -> Event {
    let what = EventKind::RecorderStarted { version: "0.1.0".into(), boot, interval_ms: 10_000 };
    Event { at_boot_ms, process: ProcessNo::HOST, what }
}

pub fn seen(process: u32, at_boot_ms: u64) -> Event {
    let incarnation = Incarnation {
        key: ProcessKey { boot: BOOT, pid: Pid(1_000 + process), start: Ticks(6_000) },
        name: Text::from(format!("worker-{process}")),
        started_unix_s: BOOTED_MS as f64 / 1e3,
        identity: Identity {
            command: format!("/usr/bin/worker --secret=hunter2 {process}").into(),
            ..Identity::default()
        },
        ..Incarnation::default()
    };
    Event { at_boot_ms, process: ProcessNo(process), what: EventKind::ProcessSeen(Box::new(incarnation)) }
}

/// Numbers of the processes in some ticks.
pub fn processes(ticks: &[Tick]) -> BTreeSet<ProcessNo> {
    ticks.iter().flat_map(|tick| tick.rows.iter().map(|row| row.process)).collect()
}
