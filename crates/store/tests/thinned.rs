//! What is told of series without telling each point: the last value, and one point for each stretch of time.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

#[path = "common/ticks.rs"]
mod ticks;

use std::collections::BTreeSet;
use std::time::Duration;

use model::{Column, ProcessNo};
use proptest::prelude::*;
use store::About;
use store::history::{HistoryReader, HistoryWriter, Retention, Series, Window};
use ticks::{any_ticks, host_tick};

const COLUMNS: [Column; 4] = [Column::Cpu, Column::Threads, Column::Resident, Column::Pss];

/// Each point of `thin` stands for the points of `whole` up to its moment.
fn compare(thin: &Series, whole: &Series) {
    let mut rest = whole.points.as_slice();
    for point in &thin.points {
        let (own, later) = rest.split_at(rest.partition_point(|one| one.at_unix_ms <= point.at_unix_ms));
        rest = later;
        let last = own.last().unwrap();
        assert_eq!((point.at_unix_ms, point.value), (last.at_unix_ms, last.value));
        assert_eq!(point.low, own.iter().map(|one| one.low).min().unwrap());
        assert_eq!(point.high, own.iter().map(|one| one.high).max().unwrap());
    }
    assert!(rest.is_empty(), "the end is missing: {rest:?}");
    assert!(thin.gaps.iter().all(|gap| whole.gaps.iter().any(|known| {
        (known.from_unix_ms, known.until_unix_ms, known.why) == (gap.from_unix_ms, gap.until_unix_ms, gap.why)
    })));
}

fn check(reader: &HistoryReader, process: ProcessNo, window: Window, most: usize) {
    let whole = reader.series(process, &COLUMNS, window).unwrap();
    let thin = reader.thinned(process, &COLUMNS, window, most).unwrap();
    let last = reader.last(process, &COLUMNS, window).unwrap();
    for at in 0..COLUMNS.len() {
        compare(&thin[at], &whole[at]);
        assert_eq!(last[at], whole[at].points.last().map(|point| (point.at_unix_ms, point.value)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn of_any_ticks_nothing_is_lost(
        ticks in any_ticks(60),
        flush_every in 1_usize..50,
        most in 1_usize..40,
        part in (0_i64..400_000, 0_i64..400_000),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let forever = Duration::MAX;
        let retention = Retention { age: forever, full: forever, minutes: forever, ten_minutes: forever, ..Retention::default() };
        let mut writer = HistoryWriter::open(&path, &About::default(), retention).unwrap();
        for (number, tick) in ticks.iter().enumerate() {
            writer.tick(tick).unwrap();
            if number % flush_every == 7 {
                writer.flush().unwrap();
            }
        }
        let reader = HistoryReader::open(&path).unwrap();
        let begin = reader.coverage().unwrap().first().map_or(0, |first| first.first_unix_ms);
        let window = Window::new(begin.saturating_add(part.0), begin.saturating_add(part.0).saturating_add(part.1));
        for process in 0..3 {
            // Two points at one moment cannot be told apart here.
            let whole = reader.series(ProcessNo(process), &COLUMNS, Window::ALL).unwrap();
            let is_clear = |series: &Series| {
                let moments: BTreeSet<i64> = series.points.iter().map(|point| point.at_unix_ms).collect();
                moments.len() == series.points.len() && series.points.is_sorted_by_key(|point| point.at_unix_ms)
            };
            if whole.iter().all(is_clear) {
                check(&reader, ProcessNo(process), Window::ALL, most);
                check(&reader, ProcessNo(process), window, most);
            }
        }
    }
}

/// Days merged and reduced, an hour in blocks, the rest in the journal.
#[test]
fn of_days_as_of_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let retention = Retention { full: hours(30), ..Retention::default() };
    let mut writer = HistoryWriter::open(&path, &About::default(), retention).unwrap();
    for number in 0..8_640 * 4 + 77 {
        writer.tick(&host_tick(number, 4)).unwrap();
    }
    let reader = HistoryReader::open(&path).unwrap();
    assert_eq!(reader.coverage().unwrap().iter().map(|one| one.step_ms).collect::<Vec<_>>(), [60_000, 0]);
    for process in 0..=5 {
        for most in [1, 100, 1_000, 1_000_000] {
            check(&reader, ProcessNo(process), Window::ALL, most);
        }
    }
    let thin = reader.thinned(ProcessNo(1), &COLUMNS, Window::ALL, 1_000).unwrap();
    assert!((900..=1_100).contains(&thin[0].points.len()), "{}", thin[0].points.len());
    assert!(thin[3].points.is_empty(), "was never recorded");
    let begin = reader.coverage().unwrap()[0].first_unix_ms;
    for hour in [0, 7, 71, 95] {
        let window = Window::new(begin + hour * 3_600_000, begin + hour * 3_600_000 + 1_234_567);
        check(&reader, ProcessNo(4), window, 10);
        check(&reader, ProcessNo(3), window, 10);
    }
}
