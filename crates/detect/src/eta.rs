//! When a growing thing reaches its limit, and how fast births come.

use model::{BirthKind, Cadence, CadenceReport};

use crate::cadence::Window;
use crate::stats::{Z95, poisson_interval};

/// Births per second, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The estimate.
    pub per_s: f64,
    /// Lower end, at least 0.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Seconds until the limit is reached: earliest, latest (`None`: perhaps never).
pub type EtaInterval = (f64, Option<f64>);

/// Seconds until `current` reaches `limit` (same unit) at `rate` per second, and the same for the ends of the
/// rate's interval. The first is `None` when nothing grows; both are 0 when the limit is reached already.
///
/// The interval exists as soon as the rate's upper end is above 0, even if the rate itself is not: "not before".
#[must_use]
pub fn reach(
    current: f64,
    limit: f64,
    rate: f64,
    rate_interval: Option<(f64, f64)>,
) -> (Option<f64>, Option<EtaInterval>) {
    let left = (limit - current).max(0.0);
    let after = |rate: f64| {
        let seconds = left / rate;
        (rate > 0.0 && seconds.is_finite()).then_some(seconds)
    };
    if limit.is_nan() || current.is_nan() {
        return (None, None);
    }
    let interval = rate_interval.and_then(|(low, high)| Some((after(high)?, after(low))));
    (after(rate), interval)
}

/// A regular train counts as running while it is less than this many beats late.
const BEATS_LATE: f64 = 4.0;

/// Births per second now. `births`: seconds since boot, oldest first; `report`: what [`crate::cadence::report`]
/// said of them.
///
/// Regular births: the sum over the trains of births per beat over period, less the share of beats that
/// left no survivor; its interval from the periods' errors and, for the missed beats, from the binomial
/// share. Births outside the trains are added at their Poisson rate. Irregular ones: the count over the time from the first birth to the
/// look, with the Poisson interval ([`poisson_interval`]). `None` for a burst, which has no rate, for fewer
/// than two births, and for regular trains that have stopped (the last birth is four beats old or more).
#[must_use]
pub fn rate_from_births(births: &[f64], window: &Window, report: &CadenceReport) -> Option<Rate> {
    let (&first, &last) = (births.first()?, births.last()?);
    let observed = window.end_s - first;
    if births.len() < 2 || !(observed > 0.0 && observed.is_finite()) {
        return None;
    }
    match report.kind {
        BirthKind::Burst => None,
        // The first birth only opens the time that is looked at.
        BirthKind::Irregular | BirthKind::TooFew => Some(poisson_rate(births.len() as u64 - 1, observed)),
        BirthKind::Regular => {
            let longest = report.cadences.iter().map(|train| train.period_s).fold(0.0, f64::max);
            if window.end_s - last > BEATS_LATE * longest.max(window.resolution_s) {
                return None;
            }
            let outside = (births.len() as f64 * (1.0 - report.explained)).round().max(0.0);
            let mut sum = Rate { per_s: 0.0, low: 0.0, high: 0.0 };
            for train in &report.cadences {
                sum = add(sum, train_rate(train)?);
            }
            if outside > 0.0 {
                sum = add(sum, poisson_rate(outside as u64, observed));
            }
            Some(sum)
        }
    }
}

fn poisson_rate(count: u64, seconds: f64) -> Rate {
    let (low, high) = poisson_interval(count);
    Rate { per_s: count as f64 / seconds, low: low / seconds, high: high / seconds }
}

/// One train's births per second.
fn train_rate(train: &Cadence) -> Option<Rate> {
    let beats = (train.events + train.missed) as f64;
    if !(train.period_s > 0.0 && beats > 0.0) {
        return None;
    }
    let kept = train.events as f64 / beats;
    let per_s = train.per_event.max(0.0) * kept / train.period_s;
    let relative_period = train.period_error_s / train.period_s;
    let relative_kept = ((1.0 - kept) / (kept * beats)).sqrt();
    let margin = (Z95 * relative_period.hypot(relative_kept)).min(1.0);
    Some(Rate { per_s, low: per_s * (1.0 - margin), high: per_s * (1.0 + margin) })
}

/// Sum of two independent rates: the distances of the ends add in quadrature.
fn add(a: Rate, b: Rate) -> Rate {
    let per_s = a.per_s + b.per_s;
    Rate {
        per_s,
        low: (per_s - (a.per_s - a.low).hypot(b.per_s - b.low)).max(0.0),
        high: per_s + (a.high - a.per_s).hypot(b.high - b.per_s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(end_s: f64) -> Window {
        Window { start_s: 0.0, end_s, resolution_s: 0.01, booted_unix_s: 0.0, utc_offset_s: 0 }
    }

    #[test]
    fn a_limit_is_reached_when_what_is_left_is_used_up() {
        assert_eq!(
            reach(1_762.0, 4_915.0, 0.5, Some((0.25, 1.0))),
            (Some(6_306.0), Some((3_153.0, Some(12_612.0))))
        );
        assert_eq!(reach(5.0, 5.0, 1.0, None), (Some(0.0), None), "reached already");
        assert_eq!(reach(9.0, 5.0, 1.0, None), (Some(0.0), None), "exceeded already");
        assert_eq!(reach(0.0, 5.0, 0.0, Some((-1.0, 1.0))), (None, Some((5.0, None))), "perhaps never");
        assert_eq!(reach(0.0, 5.0, -1.0, Some((-2.0, -0.5))), (None, None), "it shrinks");
        assert_eq!(reach(0.0, f64::INFINITY, 1.0, None), (None, None), "no limit");
        assert_eq!(reach(f64::NAN, 5.0, 1.0, None), (None, None));
    }

    #[test]
    fn regular_births_come_at_the_sum_of_their_trains() {
        let births: Vec<f64> = (0..100).map(|k| f64::from(k) * 60.0).collect();
        let report = CadenceReport {
            cadences: vec![
                Cadence {
                    period_s: 60.0,
                    period_error_s: 0.06,
                    events: 80,
                    missed: 20,
                    per_event: 3.0,
                    ..Cadence::default()
                },
                Cadence { period_s: 900.0, events: 7, per_event: 1.0, ..Cadence::default() },
            ],
            explained: 1.0,
            kind: BirthKind::Regular,
        };
        let rate = rate_from_births(&births, &window(6_000.0), &report).unwrap();
        assert!((rate.per_s - (3.0 * 0.8 / 60.0 + 1.0 / 900.0)).abs() < 1e-12, "{rate:?}");
        // 80 of 100 beats: ±9.8 % of them, next to which the period's 0.1 % is nothing.
        assert!((rate.high - rate.per_s - 0.098 * 0.04).abs() < 1e-4, "{rate:?}");
        assert_eq!(rate_from_births(&births, &window(20_000.0), &report), None, "stopped");
    }

    #[test]
    fn irregular_births_have_a_poisson_interval() {
        let births: Vec<f64> = (0..=10).map(f64::from).collect();
        let report = CadenceReport { kind: BirthKind::Irregular, ..CadenceReport::default() };
        let rate = rate_from_births(&births, &window(20.0), &report).unwrap();
        assert!((rate.per_s - 0.5).abs() < 1e-12);
        assert!(
            (rate.low - 4.7954 / 20.0).abs() < 1e-3 && (rate.high - 18.39 / 20.0).abs() < 1e-3,
            "{rate:?}"
        );
        let burst = CadenceReport { kind: BirthKind::Burst, ..report };
        assert_eq!(rate_from_births(&births, &window(20.0), &burst), None);
        assert_eq!(rate_from_births(&[], &window(20.0), &burst), None);
        assert_eq!(rate_from_births(&[5.0], &window(20.0), &CadenceReport::default()), None);
    }
}
