//! Charts: series of the store on one grid of columns, as `docs/api.md` has them.

use model::Limit;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use store::history::{Gap, GapKind, Point, Series};

/// A chart.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Chart {
    /// What it is called in the API: `memory`.
    pub(crate) name: &'static str,
    /// What it is called for people.
    pub(crate) title: String,
    /// `bytes`, `count`, `per_minute`, `ratio`.
    pub(crate) unit: &'static str,
    /// Do the series lie on each other?
    pub(crate) stacked: bool,
    /// The middles of the columns, in Unix seconds (of comparisons: seconds since each window's beginning).
    #[serde(serialize_with = "short_times")]
    pub(crate) times: Vec<f64>,
    /// From one column to the next.
    pub(crate) step_s: f64,
    /// A value for each column.
    pub(crate) series: Vec<Line>,
    /// What it runs into.
    pub(crate) limits: Vec<Limit>,
    /// How it grows; null where nothing was found to.
    pub(crate) growth: Option<Growth>,
    /// Moments worth a line.
    pub(crate) markers: Vec<Marker>,
    /// Where nothing is known.
    pub(crate) gaps: Vec<Hole>,
    /// Shows the same on a terminal.
    pub(crate) command: String,
}

/// A series of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Line {
    /// Of what.
    pub(crate) name: String,
    /// The least value of each column; left out where it is `last` throughout.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "short_list")]
    pub(crate) low: Option<Vec<Option<f64>>>,
    /// The greatest.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "short_list")]
    pub(crate) high: Option<Vec<Option<f64>>>,
    /// The last; null where nothing is known.
    #[serde(serialize_with = "short")]
    pub(crate) last: Vec<Option<f64>>,
}

/// A number without what it does not need: most are whole, and there are thousands.
struct Short(f64);

impl Serialize for Short {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let Self(value) = *self;
        if value.fract() == 0.0 && value.abs() < EXACT {
            return serializer.serialize_i64(value as i64);
        }
        // Rates: six digits are more than is seen.
        let digits = 10_f64.powi(5 - value.abs().log10().floor().clamp(-12.0, 5.0) as i32);
        serializer.serialize_f64((value * digits).round() / digits)
    }
}

fn short<S: Serializer>(values: &[Option<f64>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|value| value.map(Short)))
}

#[allow(clippy::ref_option)] // as serde asks
fn short_list<S: Serializer>(values: &Option<Vec<Option<f64>>>, serializer: S) -> Result<S::Ok, S::Error> {
    short(values.as_deref().unwrap_or_default(), serializer)
}

/// To the millisecond.
fn short_times<S: Serializer>(times: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(|time| (time * 1e3).round() / 1e3))
}

/// How a series of a chart grows.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Growth {
    /// The series.
    pub(crate) series: String,
    /// In its unit.
    pub(crate) rate_per_s: f64,
    /// 95 % interval of the rate.
    pub(crate) rate_interval: Option<(f64, f64)>,
}

/// A moment.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Marker {
    /// Unix seconds.
    pub(crate) at: f64,
    /// `restart`, `reboot`, `start`, `end`, `oom`, `finding`.
    pub(crate) kind: &'static str,
    /// In words.
    pub(crate) text: String,
}

/// A stretch of time of which nothing is known.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Hole {
    /// Unix seconds.
    pub(crate) from: f64,
    /// Unix seconds.
    pub(crate) to: f64,
    /// `not recorded`, `the host was restarted`.
    pub(crate) why: &'static str,
}

/// A time, and the columns it is cut into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Grid {
    pub(super) from_ms: i64,
    /// The first millisecond that is no longer in it.
    pub(super) to_ms: i64,
    pub(super) columns: usize,
}

/// What rests is read each minute at least: so long a silence is none.
const BRIDGED_MS: i64 = 150_000;

/// The usual interval: a recorder that got no processor for less has not lost more than others never read.
const LATE_MS: i64 = 10_000;

/// The values of one series on a grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Strip {
    pub(super) low: Vec<Option<f64>>,
    pub(super) high: Vec<Option<f64>>,
    pub(super) last: Vec<Option<f64>>,
}

impl Grid {
    /// No finer than `pace_ms`: a column without a reading would tell nothing.
    pub(super) fn new(from_ms: i64, to_ms: i64, pixels: usize, pace_ms: i64) -> Self {
        let to_ms = to_ms.max(from_ms.saturating_add(1));
        let span = to_ms.saturating_sub(from_ms);
        let most = span.div_euclid(pace_ms.max(1)).saturating_add(1);
        let columns = usize::try_from(most).unwrap_or(usize::MAX).clamp(1, pixels.max(1));
        Self { from_ms, to_ms, columns }
    }

    pub(super) fn step_ms(&self) -> f64 {
        self.to_ms.saturating_sub(self.from_ms).max(1) as f64 / self.columns as f64
    }

    /// When a reading begins to matter: what is read each minute is known in between.
    pub(super) fn read_from_ms(&self) -> i64 {
        self.from_ms.saturating_sub(BRIDGED_MS)
    }

    /// The middle of a column, in Unix seconds.
    fn middle_s(&self, column: usize) -> f64 {
        (self.from_ms as f64 + (column as f64 + 0.5) * self.step_ms()) / 1e3
    }

    fn column_of(&self, at_ms: i64) -> Option<usize> {
        if at_ms < self.from_ms || at_ms >= self.to_ms {
            return None;
        }
        let at = (at_ms - self.from_ms) as f64 / self.step_ms();
        Some((at as usize).min(self.columns - 1))
    }

    /// A series on the grid. What was read stands until the next reading, unless a gap lies between; after the last one
    /// until `known_until_ms`.
    pub(super) fn strip(&self, series: &Series, known_until_ms: i64) -> Strip {
        self.strip_by(&series.points, &series.gaps, known_until_ms)
    }

    fn strip_by(&self, points: &[Point], gaps: &[Gap], known_until_ms: i64) -> Strip {
        let mut strip = Strip::empty(self.columns);
        let before = points.partition_point(|point| point.at_unix_ms < self.from_ms);
        for point in points.get(before..).unwrap_or_default() {
            let Some(at) = self.column_of(point.at_unix_ms) else { continue };
            strip.take(at, point.low as f64, point.high as f64, point.value as f64);
        }
        let gaps: Vec<&Gap> = gaps.iter().filter(|gap| is_gap(gap)).collect();
        let mut standing = before
            .checked_sub(1)
            .and_then(|at| points.get(at))
            .filter(|point| {
                !gaps.iter().any(|gap| {
                    gap.from_unix_ms >= point.at_unix_ms
                        && gap.from_unix_ms < self.from_ms
                        && gap.until_unix_ms >= self.from_ms
                })
            })
            .map(|point| point.value as f64);
        for column in 0..self.columns {
            let begin_ms = self.from_ms.saturating_add((column as f64 * self.step_ms()) as i64);
            let is_known = begin_ms <= known_until_ms
                && !gaps.iter().any(|gap| gap.from_unix_ms <= begin_ms && begin_ms < gap.until_unix_ms);
            match strip.last.get(column).copied().flatten() {
                Some(value) => standing = Some(value),
                None if !is_known => standing = None,
                None => {
                    if let Some(value) = standing {
                        strip.take(column, value, value, value);
                    }
                }
            }
        }
        strip
    }

    /// Rates of a figure that only rises, per second and scaled. What was read seldom is the same rate over all the
    /// columns between.
    pub(super) fn rates(&self, series: &Series, scale: f64) -> Strip {
        let mut strip = Strip::empty(self.columns);
        let mut sums: Vec<(f64, f64)> = vec![(0.0, 0.0); self.columns];
        for (at, pair) in series.points.windows(2).enumerate() {
            let [a, b] = pair else { continue };
            let (from, until) = (a.at_unix_ms.max(self.from_ms), b.at_unix_ms.min(self.to_ms));
            let is_broken = series.gaps.iter().any(|gap| gap.before == at + 1 && is_gap(gap));
            // A counter that fell began anew.
            if b.value < a.value || is_broken || from >= until {
                continue;
            }
            let rate = (b.value - a.value) as f64 * scale * 1e3 / (b.at_unix_ms - a.at_unix_ms) as f64;
            let (Some(first), Some(last)) = (self.column_of(from), self.column_of(until - 1)) else {
                continue;
            };
            for column in first..=last {
                let begin = self.from_ms as f64 + column as f64 * self.step_ms();
                let shared = (until as f64).min(begin + self.step_ms()) - (from as f64).max(begin);
                let Some(sum) = sums.get_mut(column).filter(|_| shared > 0.0) else { continue };
                *sum = (sum.0 + rate * shared, sum.1 + shared);
                strip.take(column, rate, rate, sum.0 / sum.1);
            }
        }
        strip
    }

    /// The middles of all columns.
    pub(super) fn times(&self) -> Vec<f64> {
        (0..self.columns).map(|column| self.middle_s(column)).collect()
    }

    /// A chart without series.
    pub(super) fn chart(&self, name: &'static str, title: &str, unit: &'static str) -> Chart {
        Chart {
            name,
            title: title.to_owned(),
            unit,
            times: self.times(),
            step_s: self.step_ms() / 1e3,
            ..Chart::default()
        }
    }
}

fn is_gap(gap: &Gap) -> bool {
    let lasts_ms = gap.until_unix_ms.saturating_sub(gap.from_unix_ms);
    match gap.why {
        GapKind::Absent => lasts_ms > BRIDGED_MS,
        GapKind::NotRecorded => lasts_ms > LATE_MS,
        GapKind::Reboot | GapKind::Damaged => true,
    }
}

impl Strip {
    pub(super) fn empty(columns: usize) -> Self {
        Self { low: vec![None; columns], high: vec![None; columns], last: vec![None; columns] }
    }

    fn put(&mut self, at: usize, low: f64, high: f64, last: f64) {
        for (list, value) in [(&mut self.low, low), (&mut self.high, high), (&mut self.last, last)] {
            if let Some(slot) = list.get_mut(at) {
                *slot = Some(value);
            }
        }
    }

    fn take(&mut self, at: usize, low: f64, high: f64, last: f64) {
        let least = self.low.get(at).copied().flatten().map_or(low, |known| known.min(low));
        let most = self.high.get(at).copied().flatten().map_or(high, |known| known.max(high));
        self.put(at, least, most, last);
    }

    /// Nothing in it?
    pub(super) fn is_empty(&self) -> bool {
        self.last.iter().all(Option::is_none)
    }

    /// Column by column of two: `last` of both, `low` and `high` by what each may be at its least and most.
    pub(super) fn with(
        &self,
        other: &Self,
        low: fn(f64, (f64, f64)) -> f64,
        high: fn(f64, (f64, f64)) -> f64,
        last: fn(f64, f64) -> f64,
    ) -> Self {
        let mut both = Self::empty(self.last.len());
        for at in 0..self.last.len() {
            let of = |list: &[Option<f64>]| list.get(at).copied().flatten();
            let own = (of(&self.low), of(&self.high), of(&self.last));
            let its = (of(&other.low), of(&other.high), of(&other.last));
            if let ((Some(l), Some(h), Some(v)), (Some(ol), Some(oh), Some(ov))) = (own, its) {
                both.put(at, low(l, (ol, oh)), high(h, (ol, oh)), last(v, ov));
            }
        }
        both
    }

    /// What of one is left without another, never below nothing.
    pub(super) fn less(&self, other: &Self) -> Self {
        self.with(
            other,
            |l, (_, oh)| (l - oh).max(0.0),
            |h, (ol, _)| (h - ol).max(0.0),
            |v, ov| (v - ov).max(0.0),
        )
    }

    /// Adds another, where that is known.
    pub(super) fn add(&mut self, other: &Self) {
        for (list, others) in
            [(&mut self.low, &other.low), (&mut self.high, &other.high), (&mut self.last, &other.last)]
        {
            for (slot, value) in list.iter_mut().zip(others) {
                if let Some(value) = value {
                    *slot = Some(slot.unwrap_or(0.0) + value);
                }
            }
        }
    }

    /// As a line of a chart.
    pub(super) fn line(self, name: impl Into<String>) -> Line {
        let flat = self.low == self.last && self.high == self.last;
        let (low, high) = if flat { (None, None) } else { (Some(self.low), Some(self.high)) };
        Line { name: name.into(), low, high, last: self.last }
    }

    /// Without what lies between: for stacks, whose layers are drawn by one value.
    pub(super) fn last_only(self, name: impl Into<String>) -> Line {
        Line { name: name.into(), low: None, high: None, last: self.last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(i64, u64)], gaps: &[(usize, i64, i64, GapKind)]) -> Series {
        let point = |&(at_unix_ms, value): &(i64, u64)| Point { at_unix_ms, value, low: value, high: value };
        let gap = |&(before, from_unix_ms, until_unix_ms, why): &(usize, i64, i64, GapKind)| Gap {
            before,
            from_unix_ms,
            until_unix_ms,
            why,
        };
        Series {
            points: points.iter().map(point).collect(),
            gaps: gaps.iter().map(gap).collect(),
            ..Series::default()
        }
    }

    fn last(strip: &Strip) -> Vec<f64> {
        strip.last.iter().map(|value| value.unwrap_or(-1.0)).collect()
    }

    #[test]
    fn each_column_has_its_least_greatest_and_last() {
        let grid = Grid::new(1_000, 5_000, 4, 1);
        let strip = grid.strip(&series(&[(1_000, 5), (1_400, 9), (1_999, 7), (3_000, 4)], &[]), 9_000);
        assert_eq!(last(&strip), [7.0, 7.0, 4.0, 4.0]);
        assert_eq!((strip.low[0], strip.high[0]), (Some(5.0), Some(9.0)));
        assert_eq!(strip.high[1], Some(7.0), "what stands is what was last, not the peak");
        assert_eq!(grid.times(), [1.5, 2.5, 3.5, 4.5]);
    }

    #[test]
    fn nothing_is_drawn_across_a_gap_nor_after_the_end() {
        let grid = Grid::new(0, 80_000, 8, 1);
        let over = |why, until_ms| {
            let gap = (1, 0, until_ms, why);
            last(&grid.strip(&series(&[(0, 1), (until_ms, 2)], &[gap]), 55_000))
        };
        let broken = [1.0, -1.0, -1.0, -1.0, 2.0, 2.0, -1.0, -1.0];
        assert_eq!(over(GapKind::NotRecorded, 40_000), broken);
        assert_eq!(over(GapKind::Reboot, 40_000), broken);
        let stands = [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, -1.0, -1.0];
        assert_eq!(over(GapKind::Absent, 40_000), stands, "read seldom is no gap");
        let close = Grid::new(0, 16_000, 8, 1);
        let late = (1, 0, 8_000, GapKind::NotRecorded);
        let strip = close.strip(&series(&[(0, 1), (8_000, 2)], &[late]), 10_000);
        assert_eq!(last(&strip), stands, "a late tick is no gap");
    }

    #[test]
    fn what_was_read_before_the_window_stands_in_it() {
        let grid = Grid::new(10_000, 12_000, 2, 1);
        assert_eq!(last(&grid.strip(&series(&[(9_000, 3)], &[]), 20_000)), [3.0, 3.0]);
        let gap = (1, -9_000, 11_500, GapKind::NotRecorded);
        let strip = grid.strip(&series(&[(-9_000, 3), (11_500, 4)], &[gap]), 20_000);
        assert_eq!(last(&strip), [-1.0, 4.0]);
    }

    #[test]
    fn columns_are_no_finer_than_what_was_recorded() {
        assert_eq!(Grid::new(0, 60_000, 600, 2_000).columns, 31);
        assert_eq!(Grid::new(0, 3_600_000, 600, 2_000).columns, 600);
        assert_eq!(Grid::new(5, 5, 600, 0).columns, 2);
        assert_eq!(Grid::new(i64::MIN, i64::MAX, 600, 1).columns, 600, "nonsense is no fault");
    }

    #[test]
    fn what_only_rises_is_shown_by_its_rate() {
        let grid = Grid::new(0, 4_000, 4, 1);
        let strip =
            grid.rates(&series(&[(0, 0), (1_000, 100), (2_000, 100), (3_500, 250), (3_900, 10)], &[]), 0.01);
        assert_eq!(strip.high, [Some(1.0), Some(0.0), Some(1.0), Some(1.0)]);
        assert_eq!(strip.last[0], Some(1.0));
        assert!(strip.last[2].is_some_and(|rate| rate > 0.0), "{strip:?}");
    }

    #[test]
    fn numbers_are_written_as_short_as_they_are() {
        let numbers =
            vec![Some(4.0), None, Some(0.0), Some(1.0 / 3.0), Some(123_456_789.25), Some(-2.0), Some(1.5e-7)];
        let line = Line { last: numbers, ..Line::default() };
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(text, r#"{"name":"","last":[4,null,0,0.333333,123456789.0,-2,1.5e-7]}"#);
    }

    #[test]
    fn a_difference_keeps_its_bounds() {
        let one = Strip { low: vec![Some(5.0)], high: vec![Some(9.0)], last: vec![Some(7.0)] };
        let two = Strip { low: vec![Some(1.0)], high: vec![Some(8.0)], last: vec![Some(2.0)] };
        let left = one.less(&two);
        assert_eq!((left.low[0], left.high[0], left.last[0]), (Some(0.0), Some(8.0), Some(5.0)));
        assert_eq!(two.clone().line("x").low, Some(vec![Some(1.0)]));
        let flat = Strip { low: vec![None], high: vec![None], last: vec![None] };
        assert_eq!(flat.line("x").low, None);
    }
}
