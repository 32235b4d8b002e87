//! Two rates of the same thing, each with its interval.

use crate::eta::Rate;
use crate::stats::theil_sen;

/// What became of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The intervals overlap: no difference that was seen.
    Same,
    /// Grew before, and does not now.
    Stopped,
    /// Grows now, and did not before.
    Started,
    /// Grows more slowly.
    Slower,
    /// Grows faster.
    Faster,
    /// One of the two is not known.
    Unknown,
}

impl Change {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Stopped => "stopped",
            Self::Started => "started",
            Self::Slower => "slower",
            Self::Faster => "faster",
            Self::Unknown => "unknown",
        }
    }
}

/// Compares two rates. `least` is the smallest rate that matters (per second): what lies below it is no growth,
/// however sure it is.
#[must_use]
pub fn compare(before: Option<Rate>, after: Option<Rate>, least: f64) -> Change {
    let (Some(before), Some(after)) = (before, after) else { return Change::Unknown };
    let grows = |rate: Rate| rate.low > 0.0 && rate.per_s >= least;
    let disjoint = before.high < after.low || after.high < before.low;
    match (grows(before), grows(after)) {
        (true, false) if disjoint => Change::Stopped,
        (false, true) if disjoint => Change::Started,
        (true, true) if after.high < before.low => Change::Slower,
        (true, true) if before.high < after.low => Change::Faster,
        _ => Change::Same,
    }
}

/// Blocks that a series is reduced to: their floors are what a collector or an idle pool cannot give back.
const BLOCKS: usize = 48;

/// Fewer points give no interval; of three it is as wide as their slopes are apart. A process that rests has few.
const LEAST_POINTS: usize = 3;

/// The rate of a series of (seconds, value), oldest first, with its 95 % interval: Theil and Sen's slope over the floors of its blocks.
/// Unlike a growth's rate it may be 0 or below.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<Rate> {
    if points.len() < LEAST_POINTS {
        return None;
    }
    let blocks = points.len().min(BLOCKS);
    let floors: Vec<(f64, f64)> = (0..blocks)
        .map(|k| &points[k * points.len() / blocks..(k + 1) * points.len() / blocks])
        .filter_map(|block| block.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)))
        .collect();
    let slope = theil_sen(&floors)?;
    Some(Rate { per_s: slope.slope, low: slope.low, high: slope.high })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_s: f64, margin: f64) -> Rate {
        Rate { per_s, low: per_s - margin, high: per_s + margin }
    }

    fn compared(before: Rate, after: Rate, least: f64) -> Change {
        compare(Some(before), Some(after), least)
    }

    #[test]
    fn rates_differ_when_their_intervals_do() {
        assert_eq!(compared(rate(1.0, 0.1), rate(1.05, 0.1), 0.0), Change::Same);
        assert_eq!(compared(rate(1.0, 0.1), rate(2.0, 0.1), 0.0), Change::Faster);
        assert_eq!(compared(rate(1.0, 0.1), rate(0.2, 0.1), 0.0), Change::Slower);
        assert_eq!(compared(rate(1.0, 0.1), rate(0.0, 0.01), 0.0), Change::Stopped);
        assert_eq!(compared(rate(0.0, 0.01), rate(1.0, 0.1), 0.0), Change::Started);
        assert_eq!(compared(rate(0.0, 0.01), rate(-1.0, 0.01), 0.0), Change::Same, "to shrink is no leak");
        assert_eq!(compared(rate(1.0, 0.1), rate(0.0, 5.0), 0.0), Change::Same, "too unsure to say stopped");
        assert_eq!(compared(rate(1.0, 0.1), rate(0.2, 0.1), 0.5), Change::Stopped, "0.2 does not matter");
        assert_eq!(compare(None, Some(rate(1.0, 0.1)), 0.0), Change::Unknown);
    }

    #[test]
    fn a_saw_on_a_rise_has_the_rises_rate() {
        let points: Vec<(f64, f64)> =
            (0..480).map(|k| (f64::from(k), 3.0 * f64::from(k) + f64::from(k % 10) * 50.0)).collect();
        let rate = slope(&points).unwrap();
        assert!((rate.per_s - 3.0).abs() < 0.05 && rate.low <= 3.0 && rate.high >= 3.0, "{rate:?}");
        assert_eq!(slope(&points[..2]), None);
        let flat: Vec<(f64, f64)> = (0..64).map(|k| (f64::from(k), 7.0)).collect();
        assert_eq!(slope(&flat), Some(Rate { per_s: 0.0, low: 0.0, high: 0.0 }));
    }
}
