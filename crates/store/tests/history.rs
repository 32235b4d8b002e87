//! What is recorded is what is read: ticks to the byte, series, events, in a store that is written meanwhile.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

#[path = "common/ticks.rs"]
mod ticks;

use std::path::Path;
use std::time::Duration;

use model::{BootId, Column, EventKind, ProcessNo, Tick};
use proptest::prelude::*;
use store::history::{GapKind, HistoryReader, HistoryWriter, Retention, Window};
use store::{About, ErrorKind};
use ticks::{BOOT, BOOTED_MS, any_ticks, host_tick, started, tick_of};

fn open(path: &Path) -> HistoryWriter {
    HistoryWriter::open(path, &About::default(), Retention::default()).unwrap()
}

fn read(path: &Path) -> Vec<Tick> {
    let reader = HistoryReader::open(path).unwrap();
    let ticks = reader.ticks(Window::ALL).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(reader.damage(), Vec::<String>::new());
    ticks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Through the journal, through blocks, and through the journal of a writer that was killed.
    #[test]
    fn any_ticks_come_back_to_the_byte(ticks in any_ticks(80), flush_every in 1_usize..50, close in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        // These clocks jump by years: nothing is to be reduced.
        let retention = Retention { age: Duration::MAX, full: Duration::MAX, ..Retention::default() };
        let forever = Retention { minutes: Duration::MAX, ten_minutes: Duration::MAX, ..retention };
        let open = |path: &Path| HistoryWriter::open(path, &About::default(), forever).unwrap();
        let mut writer = open(&path);
        for (number, tick) in ticks.iter().enumerate() {
            writer.tick(tick).unwrap();
            if number % flush_every == 7 {
                writer.flush().unwrap();
            }
        }
        prop_assert_eq!(&read(&path), &ticks);
        if close {
            writer.close().unwrap();
        } else {
            drop(writer);
        }
        prop_assert_eq!(&read(&path), &ticks);
        drop(open(&path));
        prop_assert_eq!(&read(&path), &ticks);
    }
}

#[test]
fn series_are_the_ticks_column_by_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let ticks: Vec<Tick> = (0..1_000).map(|number| host_tick(number, 4)).collect();
    let mut writer = open(&path);
    let reader = HistoryReader::open(&path).unwrap();
    for tick in &ticks {
        writer.tick(tick).unwrap();
    }
    for process in 0..=5 {
        for column in [Column::Cpu, Column::Resident, Column::Descriptors, Column::HostTasks, Column::Pss] {
            let expected: Vec<(i64, u64)> = ticks
                .iter()
                .flat_map(|tick| {
                    let own = tick.by_process().find(|(p, _)| p.0 == process).map_or(&[][..], |(_, own)| own);
                    own.iter().filter(|(c, _)| *c == column).map(|(_, value)| (tick.at_unix_ms, *value))
                })
                .collect();
            let series =
                &reader.series(ProcessNo(process), &[Column::Threads, column], Window::ALL).unwrap()[1];
            let found: Vec<_> = series.points.iter().map(|point| (point.at_unix_ms, point.value)).collect();
            assert_eq!(found, expected, "{process} {column:?}");
            assert!(series.points.iter().all(|point| (point.low, point.high) == (point.value, point.value)));
            // The last process was away for 50 ticks ten times, the last time at the end; what is read at each sixth tick has no gap by that.
            let gaps = if process == 4 && !expected.is_empty() { 9 } else { 0 };
            assert_eq!(series.gaps.len(), gaps, "{process} {column:?}");
            assert!(series.gaps.iter().all(|gap| gap.why == GapKind::Absent), "{process} {column:?}");
        }
    }
    let from = ticks[402].at_unix_ms;
    let window = Window::new(from, from + 600_000);
    let part = &reader.series(ProcessNo(1), &[Column::Cpu], window).unwrap()[0];
    assert_eq!(part.points.len(), 60);
    assert_eq!(part.points[0].at_unix_ms, from);
    let replayed: Vec<Tick> = reader.ticks(window).unwrap().map(Result::unwrap).collect();
    assert_eq!(replayed, ticks[402..462]);
    let reduced = &reader.reduced(ProcessNo(1), &[Column::Cpu], window, 6).unwrap()[0];
    let lows: Vec<u64> = reduced.pixels.iter().map(|pixel| pixel.unwrap().low).collect();
    assert_eq!(lows, [402, 412, 422, 432, 442, 452]);
    assert_eq!(reduced.pixels[5].unwrap().high, 461);
}

#[test]
fn a_second_recorder_is_refused_with_the_firsts_pid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let first = open(&path);
    let error = HistoryWriter::open(&path, &About::default(), Retention::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InUse(std::process::id()));
    assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
    drop(first);
    open(&path).close().unwrap();
}

#[test]
fn numbers_of_processes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut writer = open(&path);
    assert_eq!(writer.next_process(), ProcessNo(1));
    let mut tick = host_tick(0, 4);
    writer.tick(&tick).unwrap();
    tick = host_tick(1, 4);
    tick.events.push(model::Event {
        at_boot_ms: tick.at_boot_ms,
        process: ProcessNo(2),
        what: EventKind::ProcessEnded,
    });
    writer.tick(&tick).unwrap();
    for _ in 0..2 {
        drop(writer); // as a kill would
        writer = open(&path);
        assert_eq!(writer.next_process(), ProcessNo(5));
        let known: Vec<u32> = writer.known().map(|known| known.process.0).collect();
        assert_eq!(known, [1, 3, 4]);
    }
    let reader = HistoryReader::open(&path).unwrap();
    let found = reader.incarnations(Window::ALL).unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!(found[1].known.incarnation.name.as_str(), "worker-2");
    assert_eq!(found[1].last_unix_ms, tick.at_unix_ms);
    let after = Window::new(tick.at_unix_ms + 1, i64::MAX);
    assert_eq!(reader.incarnations(after).unwrap().len(), 0);
}

/// One boot, its clock set back by an hour; another boot, whose clock is behind the first one's.
#[test]
fn time_goes_forward_whatever_the_clocks_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut writer = open(&path);
    let other = BootId(2);
    let row = |n: u64| [(1, [(Column::Cpu, n)].into())].into();
    let mut written = Vec::new();
    for n in 0..40_u64 {
        let (boot, boot_ms) = if n < 20 { (BOOT, 10_000 * (n + 1)) } else { (other, 10_000 * (n - 19)) };
        let set_back = if n < 10 { 0 } else { -3_600_000 };
        let unix_ms = BOOTED_MS + 10_000 * n as i64 + set_back - if n < 20 { 0 } else { 150_000 };
        let events = if n % 20 == 0 { vec![started(boot, boot_ms)] } else { Vec::new() };
        let tick = tick_of((unix_ms, boot_ms), (1, 0), row(n), events);
        writer.tick(&tick).unwrap();
        written.push(tick);
    }
    assert_eq!(read(&path), written);
    for _ in 0..2 {
        let reader = HistoryReader::open(&path).unwrap();
        let series = &reader.series(ProcessNo(1), &[Column::Cpu], Window::ALL).unwrap()[0];
        assert_eq!(series.points.len(), 40);
        assert!(series.points.is_sorted_by(|a, b| a.at_unix_ms < b.at_unix_ms), "{:?}", series.points);
        let steps: Vec<i64> =
            series.points.windows(2).map(|pair| pair[1].at_unix_ms - pair[0].at_unix_ms).collect();
        assert!(steps.iter().enumerate().all(|(at, step)| at == 19 || *step == 10_000), "{steps:?}");
        assert_eq!(series.gaps.len(), 1);
        assert_eq!((series.gaps[0].before, series.gaps[0].why), (20, GapKind::Reboot));
        // The newest clock is believed.
        assert_eq!(series.points[39].at_unix_ms, written[39].at_unix_ms);
        writer.flush().unwrap();
    }
}

#[test]
fn a_tick_that_contradicts_itself_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut writer = open(&path);
    let good = host_tick(0, 3);
    for bad in [
        Tick { rows: good.rows.iter().rev().copied().collect(), ..good.clone() },
        Tick { values: good.values[1..].to_vec(), ..good.clone() },
        Tick { values: good.values.iter().rev().copied().collect(), ..good.clone() },
    ] {
        assert_eq!(writer.tick(&bad).unwrap_err().kind(), ErrorKind::Invalid);
    }
    writer.tick(&good).unwrap();
    assert_eq!(read(&path), [good]);
}

/// Ticks each second; a process that rests has a row in each fifth, and a silence that is longer is a gap.
#[test]
fn who_rests_has_no_gap_and_who_was_away_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut writer = open(&path);
    for second in 0..400_u64 {
        // Nothing was recorded for six seconds.
        if (100..106).contains(&second) {
            continue;
        }
        let at_boot_ms = 60_000 + second * 1_000;
        let rests = (20..90).contains(&second) && !second.is_multiple_of(5);
        let away = (200..220).contains(&second);
        let mut rows: ticks::Rows = [(0, [(Column::HostTasks, 500)].into())].into();
        if !rests && !away {
            rows.insert(1, [(Column::Threads, 7)].into());
        }
        let mut events = Vec::new();
        if second == 0 {
            let what = EventKind::RecorderStarted { version: "0".into(), boot: BOOT, interval_ms: 1_000 };
            events.push(model::Event { at_boot_ms, process: ProcessNo::HOST, what });
        }
        let at = (BOOTED_MS + at_boot_ms as i64, at_boot_ms);
        writer.tick(&tick_of(at, (1, 1), rows, events)).unwrap();
    }
    let gaps = || -> Vec<(i64, GapKind)> {
        let reader = HistoryReader::open(&path).unwrap();
        let series = &reader.series(ProcessNo(1), &[Column::Threads], Window::ALL).unwrap()[0];
        series.gaps.iter().map(|gap| ((gap.until_unix_ms - gap.from_unix_ms) / 1_000, gap.why)).collect()
    };
    let expected = [(7, GapKind::NotRecorded), (21, GapKind::Absent)];
    assert_eq!(gaps(), expected, "from the journal");
    writer.flush().unwrap();
    assert_eq!(gaps(), expected, "from a block");
}
