//! What becomes of what is old: merged, reduced, dropped; never a wrong least or greatest value, and never too large.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

#[path = "common/ticks.rs"]
mod ticks;

use std::path::Path;
use std::time::Duration;

use model::{Column, EventKind, ProcessNo, Tick};
use store::About;
use store::history::{HistoryReader, HistoryWriter, Point, Retention, Window};
use ticks::{BOOTED_MS, host_tick, tick_of};

const HOUR: u64 = 360;
const DAY: u64 = 24 * HOUR;

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

fn open(path: &Path, retention: Retention) -> HistoryWriter {
    HistoryWriter::open(path, &About::default(), retention).unwrap()
}

/// A value that jumps about, from the number of its tick.
fn jumpy(number: u64) -> u64 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) << 12
}

fn jumpy_tick(number: u64) -> Tick {
    let at_boot_ms = 60_000 + number * 10_000;
    let columns = [(Column::Cpu, number * 3), (Column::Resident, jumpy(number))].into();
    let mut rows: std::collections::BTreeMap<_, _> = [(1, columns)].into();
    rows.extend((2..5).map(|process| (process, [(Column::Threads, 5)].into())));
    let mut events = if number == 0 { vec![ticks::started(ticks::BOOT, at_boot_ms)] } else { Vec::new() };
    if number == 0 {
        events.push(ticks::seen(1, at_boot_ms));
    }
    let (tid, start, name) = (model::Pid(number as u32), model::Ticks(number), "t".into());
    if number.is_multiple_of(100) {
        let what = EventKind::ThreadBorn { tid, start, name };
        events.push(model::Event { at_boot_ms, process: ProcessNo(1), what });
    }
    tick_of((BOOTED_MS + at_boot_ms as i64, at_boot_ms), (7, 0), rows, events)
}

/// The ticks that the points of a series stand for must have exactly their extremes.
fn check(points: &[Point], value: impl Fn(u64) -> u64) -> u64 {
    let number = |point: &Point| (point.at_unix_ms - BOOTED_MS - 60_000) as u64 / 10_000;
    let mut widest = 0;
    for pair in points.windows(2) {
        let (first, last) = (number(&pair[0]) + 1, number(&pair[1]));
        let truth = || (first..=last).map(&value);
        assert_eq!(pair[1].value, value(last), "the last value");
        assert_eq!(pair[1].low, truth().min().unwrap(), "the least of ticks {first} to {last}");
        assert_eq!(pair[1].high, truth().max().unwrap(), "the greatest of ticks {first} to {last}");
        widest = widest.max(last + 1 - first);
    }
    widest
}

#[test]
fn reduced_ticks_keep_the_least_the_greatest_and_the_last_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let retention = Retention {
        age: hours(24 * 12),
        full: hours(24),
        minutes: hours(48),
        ten_minutes: hours(96),
        ..Retention::default()
    };
    let mut writer = open(&path, retention);
    let end = 15 * DAY;
    for number in 0..end {
        writer.tick(&jumpy_tick(number)).unwrap();
    }
    assert!(writer.damage().is_empty(), "{:?}", writer.damage());
    let reader = HistoryReader::open(&path).unwrap();
    let columns = [Column::Resident, Column::Cpu];
    let series = reader.series(ProcessNo(1), &columns, Window::ALL).unwrap();
    assert_eq!(check(&series[0].points, jumpy), HOUR, "the oldest stand for an hour each");
    assert_eq!(check(&series[1].points, |number| number * 3), HOUR);
    assert!(series[0].gaps.is_empty(), "{:?}", series[0].gaps);
    let covered = reader.coverage().unwrap();
    let steps: Vec<u64> = covered.iter().map(|covered| covered.step_ms / 1_000).collect();
    assert_eq!(steps, [3_600, 600, 60, 0]);
    let days = (covered[3].last_unix_ms - covered[0].first_unix_ms) / 86_400_000;
    assert!((11..=14).contains(&days), "of 12 days {days} are left");
    // The last day is as it was.
    let from = covered[3].last_unix_ms - 86_400_000 + 20_000;
    let last: Vec<Tick> = reader.ticks(Window::new(from, i64::MAX)).unwrap().map(Result::unwrap).collect();
    assert_eq!(last.len() as u64, DAY - 1);
    assert!(last.iter().rev().zip((0..end).rev()).all(|(tick, number)| *tick == jumpy_tick(number)));
    // Births of threads are counted where they are no longer told one by one.
    let (mut told, mut counted) = (0, 0);
    for happened in reader.events(Window::ALL).unwrap() {
        match happened.event.what {
            EventKind::ThreadBorn { .. } => told += 1,
            EventKind::ThreadsMissed { born, ended: 0 } => counted += born,
            _ => {}
        }
    }
    let ticks: u64 = covered.iter().map(|covered| covered.ticks).sum();
    assert!(told > 150 && counted > 500 && (told + counted).abs_diff(ticks / 100) <= 1, "{told} + {counted}");
    assert!(reader.damage().is_empty(), "{:?}", reader.damage());
    // A chart of all of it.
    let reduced = &reader.reduced(ProcessNo(1), &[Column::Resident], Window::ALL, 100).unwrap()[0];
    let greatest = reduced.pixels.iter().flatten().map(|pixel| pixel.high).max();
    assert_eq!(greatest, series[0].points.iter().map(|point| point.high).max());
    assert!(reduced.pixels.iter().all(Option::is_some));
}

#[test]
fn hours_become_days_and_stay_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut writer = open(&path, Retention::default());
    let end = 3 * DAY;
    for number in 0..end {
        writer.tick(&host_tick(number, 5)).unwrap();
    }
    drop(writer);
    let blocks = |path: &Path| -> (i64, i64) {
        let db = rusqlite::Connection::open(path).unwrap();
        db.query_row(
            "SELECT (SELECT count(*) FROM block), (SELECT count(DISTINCT id >> 32) FROM chunk)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap()
    };
    let (rows, with_chunks) = blocks(&path);
    assert!(rows < 30 && with_chunks == rows, "{rows} blocks, chunks of {with_chunks}");
    let reader = HistoryReader::open(&path).unwrap();
    let mut read = reader.ticks(Window::ALL).unwrap();
    let mut tick = Tick::default();
    for number in 0..end {
        assert!(read.read(&mut tick).unwrap());
        assert_eq!(tick, host_tick(number, 5));
    }
    assert!(!read.read(&mut tick).unwrap());
    assert!(reader.damage().is_empty(), "{:?}", reader.damage());
}

#[test]
fn the_file_stays_below_its_size_and_shrinks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let noisy = |number: u64| {
        let at_boot_ms = 60_000 + number * 10_000;
        let columns = |process: u64| {
            let mix = |n: u64| (n ^ (n >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let value = |salt: u64| mix(mix(mix(number ^ (process << 32) ^ (salt << 48)))) >> 24;
            [(Column::Cpu, value(1)), (Column::Resident, value(2)), (Column::Data, value(3))].into()
        };
        let rows = (1..30).map(|process| (process, columns(u64::from(process)))).collect();
        tick_of((BOOTED_MS + at_boot_ms as i64, at_boot_ms), (7, 0), rows, Vec::new())
    };
    let size = || path.metadata().unwrap().len();
    let mut writer = open(&path, Retention::default());
    for number in 0..DAY {
        writer.tick(&noisy(number)).unwrap();
    }
    writer.close().unwrap();
    let before = size();
    let bytes = before / 2;
    let mut writer = open(&path, Retention { bytes, ..Retention::default() });
    for number in DAY..3 * DAY {
        writer.tick(&noisy(number)).unwrap();
    }
    assert!(writer.damage().is_empty(), "{:?}", writer.damage());
    writer.close().unwrap();
    assert!(size() < bytes + (bytes / 4), "{} bytes where {bytes} are allowed", size());
    let reader = HistoryReader::open(&path).unwrap();
    let covered = reader.coverage().unwrap();
    assert_eq!(covered.last().unwrap().last_unix_ms, noisy(3 * DAY - 1).at_unix_ms);
    assert!(reader.damage().is_empty(), "{:?}", reader.damage());
    let last: Vec<Tick> = reader
        .ticks(Window::new(noisy(3 * DAY - 50).at_unix_ms, i64::MAX))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(last.len(), 50);
}

/// A clock that is set ten years ahead, for an hour, costs nothing.
#[test]
fn a_wrong_clock_makes_nothing_old() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut writer = open(&path, Retention { age: hours(48), ..Retention::default() });
    for number in 0..6 * HOUR {
        let mut tick = jumpy_tick(number);
        if (2 * HOUR..3 * HOUR).contains(&number) {
            tick.at_unix_ms += 10 * 365 * 86_400_000;
        }
        writer.tick(&tick).unwrap();
    }
    let reader = HistoryReader::open(&path).unwrap();
    let covered = reader.coverage().unwrap();
    assert_eq!((covered.len(), covered[0].ticks), (1, 6 * HOUR), "{covered:?}");
}
