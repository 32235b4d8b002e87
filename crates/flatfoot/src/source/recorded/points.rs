//! Recorded figures as the points that the rules judge.

use std::collections::BTreeMap;

use detect::rules::{JvmPoint, Point};
use model::{Amounts, Bytes, Column, Measure, MemoryClass};
use store::history::Series;

use crate::source::HostPoint;

/// Points that are judged, at most: the floors that matter are taken of blocks of them.
const MOST: usize = 1_024;

/// Points that are read of each figure, at most: enough of them for each that is judged.
pub(super) const READ: usize = 8 * MOST;

/// Growth that makes a process of a host worth judging, over the whole window.
const LEAST_COUNT: u64 = 3;
const LEAST_BYTES: u64 = 1 << 20;

/// What is read for a judgement: of a whole host the few figures by which processes are chosen.
pub(super) fn columns(everybody: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::Threads,
        Column::Descriptors,
        Column::Children,
        Column::Zombies,
        Column::Mappings,
        Column::Virtual,
        Column::Resident,
        Column::PageTables,
        Column::HeapLive,
        Column::HeapLimit,
        Column::Collections,
        Column::MajorCollections,
    ];
    if !everybody {
        let measures = [Measure::Mappings, Measure::Reserved, Measure::Committed, Measure::Touched];
        columns.extend(
            MemoryClass::ALL
                .iter()
                .flat_map(|class| measures.iter().map(|measure| Column::Class(*class, *measure))),
        );
    }
    columns
}

/// Has any figure a floor at the end that lies above the one at the beginning? What has not cannot be a leak.
pub(super) fn may_grow(series: &[Series]) -> bool {
    series.iter().any(|series| {
        let (points, Some(column)) = (&series.points, series.column) else { return false };
        let quarter = points.len() / 4;
        if quarter == 0 || column.is_cumulative() {
            return false;
        }
        let least = |points: &[store::history::Point]| points.iter().map(|p| p.low).min().unwrap_or(0);
        let (first, last) = (least(&points[..quarter]), least(&points[points.len() - quarter..]));
        let step = match column {
            Column::Threads | Column::Descriptors | Column::Children | Column::Zombies | Column::Mappings => {
                LEAST_COUNT
            }
            _ => LEAST_BYTES,
        };
        last >= first.saturating_add(step)
    })
}

/// Points of what does not grow, at most: enough to tell that it doesn't.
const SKETCHED: usize = 12;

/// A few points of many, from the first to the last.
pub(super) fn sketch(points: Vec<Point>) -> Vec<Point> {
    let stride = points.len().div_ceil(SKETCHED).max(1);
    // Counted from the end, as that is what is shown.
    let last = points.len().saturating_sub(1);
    let keep = |at: usize| (last - at).is_multiple_of(stride);
    points.into_iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, point)| point).collect()
}

/// The series as points on the axis of seconds since boot: one for each moment that the most often read figure has, thinned
/// to what a judgement needs; figures that are read more seldom are in the first point after they were read.
pub(super) fn points(series: &[Series], booted_unix_s: f64) -> Vec<Point> {
    let Some(axis) = series.iter().max_by_key(|series| series.points.len()) else { return Vec::new() };
    let stride = axis.points.len().div_ceil(MOST).max(1);
    // Of each stretch the moment with the lowest value: a floor is what a judgement is made from.
    let moments: Vec<i64> = axis
        .points
        .chunks(stride)
        .filter_map(|chunk| chunk.iter().min_by_key(|point| (point.low, -point.at_unix_ms)))
        .map(|point| point.at_unix_ms)
        .collect();
    let mut cursors: Vec<(Column, &[store::history::Point])> =
        series.iter().filter_map(|s| Some((s.column?, s.points.as_slice()))).collect();
    let mut out = Vec::with_capacity(moments.len());
    for at in moments {
        let mut figures: BTreeMap<Column, u64> = BTreeMap::new();
        for (column, rest) in &mut cursors {
            let taken = rest.partition_point(|point| point.at_unix_ms <= at);
            let (now, later) = rest.split_at(taken);
            *rest = later;
            let value = if column.is_cumulative() {
                now.last().map(|p| p.value)
            } else {
                now.iter().map(|p| p.low).min()
            };
            if let Some(value) = value {
                figures.insert(*column, value);
            }
        }
        out.push(point(&figures, at as f64 / 1e3 - booted_unix_s));
    }
    out
}

fn point(figures: &BTreeMap<Column, u64>, at_boot_s: f64) -> Point {
    let get = |column: Column| figures.get(&column).copied();
    let jvm = get(Column::Collections).map(|collections| JvmPoint {
        collections,
        major: get(Column::MajorCollections).unwrap_or(0),
        live: get(Column::HeapLive).map(|bytes| bytes as f64),
        live_limit: get(Column::HeapLimit).map(|bytes| bytes as f64),
    });
    let classes = MemoryClass::ALL
        .iter()
        .filter_map(|class| {
            let of = |measure: Measure| get(Column::Class(*class, measure));
            let reserved = of(Measure::Reserved)?;
            let amounts = Amounts {
                maps: of(Measure::Mappings).unwrap_or(0),
                reserved: Bytes(reserved),
                committed: Bytes(of(Measure::Committed).unwrap_or(0)),
                touched: of(Measure::Touched).map(Bytes),
                ..Amounts::default()
            };
            Some((*class, amounts))
        })
        .collect();
    Point {
        at_boot_s,
        threads: get(Column::Threads),
        descriptors: get(Column::Descriptors),
        descriptor_kinds: Vec::new(),
        children: get(Column::Children).map(|alive| (alive, get(Column::Zombies).unwrap_or(0))),
        mappings: get(Column::Mappings),
        classes,
        virtual_size: get(Column::Virtual).map(Bytes),
        resident: get(Column::Resident).map(Bytes),
        page_tables: get(Column::PageTables).map(Bytes),
        anonymous_sizes: Vec::new(),
        jvm,
    }
}

/// The host's committed memory, its limit and what is in use: a point for each that the first of them has.
pub(super) fn host(series: &[Series]) -> Vec<HostPoint> {
    let [committed, limit, total, available] = series else { return Vec::new() };
    // Of a stretch the worst: the most that was promised, the least that was left.
    let until = |series: &Series, at: i64| {
        let count = series.points.partition_point(|point| point.at_unix_ms <= at);
        count.checked_sub(1).and_then(|last| series.points.get(last)).copied()
    };
    committed
        .points
        .iter()
        .map(|point| {
            let at = point.at_unix_ms;
            let total = until(total, at).map(|point| point.value);
            let left = until(available, at).map(|point| point.low);
            HostPoint {
                at_unix_s: at as f64 / 1e3,
                committed: Some(point.high),
                limit: until(limit, at).map(|point| point.value),
                used: total.zip(left).map(|(total, left)| total.saturating_sub(left)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use model::ProcessNo;

    use super::*;

    fn series(column: Column, values: impl Iterator<Item = (i64, u64)>) -> Series {
        let points = values
            .map(|(at_unix_ms, value)| store::history::Point { at_unix_ms, value, low: value, high: value })
            .collect();
        Series { process: ProcessNo(1), column: Some(column), points, gaps: Vec::new() }
    }

    #[test]
    fn a_month_becomes_a_thousand_floors() {
        let saw = (0..100_000_i64).map(|k| (k * 10_000, 1_000 + (k % 50) as u64));
        let slow = (0..1_000_i64).map(|k| (k * 1_000_000, 7));
        let points = points(&[series(Column::Threads, saw), series(Column::Descriptors, slow)], -5.0);
        assert!(points.len() <= MOST && points.len() > MOST / 2, "{}", points.len());
        assert!(points.iter().all(|p| p.threads.is_some_and(|n| n < 1_050)));
        let low = points.iter().filter(|p| p.threads == Some(1_000)).count();
        assert!(low > points.len() * 9 / 10, "floors, not samples: {low}");
        assert!(
            points.iter().filter(|p| p.descriptors == Some(7)).count() > 900,
            "what is read seldom is not lost"
        );
        assert!(points.is_sorted_by(|a, b| a.at_boot_s < b.at_boot_s));
    }

    #[test]
    fn of_a_stretch_of_the_host_the_worst_is_kept() {
        let mut committed = series(Column::HostCommitted, [(1_000, 50), (2_000, 60)].into_iter());
        committed.points[1].high = 90;
        let mut left = series(Column::HostAvailable, [(900, 30)].into_iter());
        left.points[0].low = 10;
        let total = series(Column::HostTotal, [(1_500, 100)].into_iter());
        let limit = series(Column::HostCommitLimit, std::iter::empty());
        let points = host(&[committed, limit, total, left]);
        let first = HostPoint { at_unix_s: 1.0, committed: Some(50), ..HostPoint::default() };
        let second = HostPoint { at_unix_s: 2.0, committed: Some(90), limit: None, used: Some(90) };
        assert_eq!(points, [first, second]);
        assert_eq!(host(&[]), []);
    }

    #[test]
    fn what_does_not_grow_keeps_a_few_points() {
        let of = |count: u32| -> Vec<f64> {
            let points = (0..count).map(|at| Point { at_boot_s: f64::from(at), ..Point::default() });
            sketch(points.collect()).iter().map(|point| point.at_boot_s).collect()
        };
        assert_eq!(of(0), [0.0; 0]);
        assert_eq!(of(3), [0.0, 1.0, 2.0]);
        let many = of(1_000);
        assert!(
            many.len() <= SKETCHED && many.len() > SKETCHED / 2 && many.last() == Some(&999.0),
            "{many:?}"
        );
    }

    #[test]
    fn only_what_left_its_floor_is_judged() {
        let flat = series(Column::Threads, (0..100).map(|k| (k, 10 + (k % 7) as u64)));
        let rises = series(Column::Threads, (0..100).map(|k| (k, 10 + k as u64 / 10)));
        let works = series(Column::Cpu, (0..100).map(|k| (k, k as u64 * 1_000_000)));
        assert!(!may_grow(&[flat.clone(), works]));
        assert!(may_grow(&[flat, rises]));
        assert!(!may_grow(&[]));
    }
}
