//! A month as a recorder would have written it: a JVM that leaks a thread each ten minutes, on a host with others.

use std::path::Path;
use std::time::Duration;

use model::{
    BootId, Column, Event, EventKind, Identity, Incarnation, Measure, MemoryClass, Pid, ProcessKey,
    ProcessNo, Text, Tick, TickRow, Ticks,
};
use store::About;
use store::history::{HistoryWriter, Retention};

const BOOT: BootId = BootId(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
/// When the host was started: 2025-10-09, at a full minute.
const BOOTED_MS: u64 = 1_759_999_980_000;
/// A tick every five minutes.
const STEP_S: u64 = 300;
/// The JVM's pid; it is the first process of the store.
pub(crate) const PID: u32 = 3_248;
/// Threads of its own that it has from the start.
const OWN: u64 = 20;
/// What a stack reserves.
const STACK: u64 = 2_040 * 1_024;

/// Writes so many days; gives how many threads were leaked, and how many others ended.
pub(crate) fn write(path: &Path, days: u64, others: u32) -> (u64, u64) {
    let forever = Duration::MAX;
    let retention = Retention {
        age: forever,
        full: forever,
        minutes: forever,
        ten_minutes: forever,
        ..Retention::default()
    };
    let mut writer = HistoryWriter::open(path, &About::default(), retention).expect("a store");
    let (mut leaked, mut ended) = (0, 0);
    for number in 0..days * 86_400 / STEP_S {
        let now_s = 600 + number * STEP_S;
        let mut tick = Tick {
            at_unix_ms: (BOOTED_MS + now_s * 1_000).cast_signed(),
            at_boot_ms: now_s * 1_000,
            ..Tick::default()
        };
        if number == 0 {
            let what =
                EventKind::RecorderStarted { version: "1".into(), boot: BOOT, interval_ms: STEP_S * 1_000 };
            tick.events.push(Event { at_boot_ms: now_s * 1_000, process: ProcessNo(0), what });
            tick.events.extend((1..=others + 1).map(|no| seen(no, now_s)));
        }
        if number > 0 && number % 2 == 0 {
            leaked += 1;
            let start = Ticks((now_s - 60) * 100);
            // As much of it as the kernel keeps.
            let name: String = format!("pool-{leaked}-thread-1").chars().take(15).collect();
            let name = Text::from(name);
            let what = EventKind::ThreadBorn { tid: Pid(10_000 + leaked as u32), start, name };
            tick.events.push(Event { at_boot_ms: start.0 * 10, process: ProcessNo(1), what });
        }
        if number > 0 && number % 100 == 0 {
            ended += 1;
            let what = EventKind::ThreadEnded {
                tid: Pid(9_000),
                start: Ticks((now_s - 90) * 100),
                name: format!("helper-{ended}").into(),
            };
            tick.events.push(Event { at_boot_ms: now_s * 1_000 - 5_000, process: ProcessNo(1), what });
        }
        put(&mut tick, 0, &host(leaked));
        put(&mut tick, 1, &jvm(number, leaked));
        for other in 0..others {
            let resident = (50 + (number * 7 + u64::from(other)) % 13) << 20;
            put(
                &mut tick,
                other + 2,
                &[(Column::Cpu, number * 3), (Column::Threads, 4), (Column::Resident, resident)],
            );
        }
        writer.tick(&tick).expect("a tick");
    }
    writer.close().expect("it is written");
    (leaked, ended)
}

fn seen(no: u32, now_s: u64) -> Event {
    let pid = if no == 1 { PID } else { 100 + no };
    let incarnation = Incarnation {
        key: ProcessKey { boot: BOOT, pid: Pid(pid), start: Ticks(50_000) },
        name: if no == 1 { "java".into() } else { format!("other-{no}").into() },
        started_unix_s: BOOTED_MS as f64 / 1e3 + 500.0,
        identity: Identity { command: "java -jar app.jar".into(), ..Identity::default() },
        ..Incarnation::default()
    };
    Event {
        at_boot_ms: now_s * 1_000,
        process: ProcessNo(no),
        what: EventKind::ProcessSeen(Box::new(incarnation)),
    }
}

fn put(tick: &mut Tick, process: u32, values: &[(Column, u64)]) {
    let mut values = values.to_vec();
    values.sort_unstable();
    tick.rows.push(TickRow { process: ProcessNo(process), values: values.len() as u32 });
    tick.values.extend(values);
}

fn host(leaked: u64) -> [(Column, u64); 4] {
    [
        (Column::HostCommitted, (2 << 30) + leaked * STACK),
        (Column::HostCommitLimit, 16 << 30),
        (Column::HostTotal, 8 << 30),
        (Column::HostAvailable, 5 << 30),
    ]
}

fn jvm(number: u64, leaked: u64) -> Vec<(Column, u64)> {
    let stacks = (OWN + leaked) * STACK;
    let mut values = vec![
        (Column::Cpu, number * 50),
        (Column::Threads, OWN + leaked),
        (Column::Virtual, (3 << 30) + stacks),
        // A sawtooth, as a heap is.
        (Column::Resident, (300 + number % 90) << 20),
        (Column::Data, (1 << 30) + stacks),
        (Column::Descriptors, 60 + number % 5),
    ];
    // Classes are read of suspects, and less often than the rest.
    if number.is_multiple_of(3) {
        for (class, committed, touched) in
            [(MemoryClass::ThreadStack, stacks, stacks / 20), (MemoryClass::JavaHeap, 512 << 20, 300 << 20)]
        {
            values.extend([
                (Column::Class(class, Measure::Mappings), 2 * (OWN + leaked)),
                (Column::Class(class, Measure::Reserved), committed),
                (Column::Class(class, Measure::Committed), committed),
                (Column::Class(class, Measure::Touched), touched),
            ]);
        }
    }
    values
}
