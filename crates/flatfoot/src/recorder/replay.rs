//! What is judged from the store is what was judged live, to the byte.

use std::fmt::Write as _;

use model::{
    BootId, Column, Event, EventKind, Incarnation, Pid, ProcessKey, ProcessNo, Tick, TickRow, Ticks,
};
use store::history::{HistoryReader, HistoryWriter, Retention, Window};

use super::{Watch, about};

/// Ticks each ten seconds, as the recorder takes them.
const TICKS: u64 = 6 * 60 * 13;

/// A tick of three processes: a thread more each minute, memory in saw teeth that rise, and one at rest.
fn tick(at: u64) -> Tick {
    let boot = BootId(7);
    let mut tick = Tick {
        at_boot_ms: 1_000_000 + at * 10_000,
        at_unix_ms: 1_772_323_200_000 + at as i64 * 10_000 + (at % 3) as i64,
        took_us: 900 + at % 7,
        ..Tick::default()
    };
    if at == 0 {
        let what = EventKind::RecorderStarted { version: "test".into(), boot, interval_ms: 10_000 };
        tick.events.push(Event { at_boot_ms: tick.at_boot_ms, process: ProcessNo::HOST, what });
        for no in 1..=3 {
            let key = ProcessKey { boot, pid: Pid(100 + no), start: Ticks(u64::from(no)) };
            let seen = Incarnation { key, name: format!("p{no}").into(), ..Incarnation::default() };
            let what = EventKind::ProcessSeen(Box::new(seen));
            tick.events.push(Event { at_boot_ms: tick.at_boot_ms, process: ProcessNo(no), what });
        }
    }
    let tooth = (at * 7_919) % 40;
    let rows: [&[(Column, u64)]; 3] = [
        &[(Column::Threads, 20 + at / 6), (Column::Resident, (80 << 20) + (at / 6) * 90_000)],
        &[(Column::Threads, 12), (Column::Resident, (200 << 20) + at * 60_000 + (tooth << 20))],
        &[(Column::Threads, 3), (Column::Resident, 9 << 20)],
    ];
    for (no, values) in (1..).zip(rows) {
        tick.rows.push(TickRow { process: ProcessNo(no), values: values.len() as u32 });
        tick.values.extend_from_slice(values);
    }
    tick
}

/// Everything that is said of the ticks, as text.
fn said(ticks: impl Iterator<Item = Tick>) -> String {
    let mut watch = Watch::new(10.0);
    let mut out = String::new();
    for tick in ticks {
        for change in watch.take(&tick) {
            writeln!(out, "{change:?} {:?}", watch.suspects()).unwrap();
        }
    }
    out
}

#[test]
fn a_replay_says_what_was_said_live() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.flatfoot");
    let mut writer = HistoryWriter::open(&path, &about("flatfoot record"), Retention::default()).unwrap();
    for at in 0..TICKS {
        writer.tick(&tick(at)).unwrap();
    }
    let live = said((0..TICKS).map(tick));
    assert!(live.lines().count() >= 2 && live.contains("state: Leak"), "{live}");
    // Beside its writer, and once that is closed.
    let replay = || {
        let reader = HistoryReader::open(&path).unwrap();
        let ticks: Vec<Tick> = reader.ticks(Window::ALL).unwrap().map(Result::unwrap).collect();
        assert_eq!(ticks.len() as u64, TICKS);
        said(ticks.into_iter())
    };
    assert_eq!(replay(), live);
    writer.close().unwrap();
    assert_eq!(replay(), live);
}
