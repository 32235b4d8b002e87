//! How long to wait for a birth, and when enough was seen.

use model::{Finding, SpawnStack};

/// Longer than this is only waited when it was asked for.
const LONGEST_UNASKED_S: f64 = 900.0;
/// Without a rhythm, and at least.
const SHORTEST_S: f64 = 10.0;
/// Threads that follow each other faster than this are seen several times.
const FAST_S: f64 = 5.0;
/// So often.
const SEVERAL: u64 = 3;

/// A plan for one group of threads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wait {
    /// Its name pattern.
    pattern: String,
    /// Seconds after which it ends, whatever was seen.
    pub(crate) at_most_s: f64,
    /// Seconds until the next birth is expected; `None` without a rhythm.
    pub(crate) expected_s: Option<f64>,
    /// Births that are enough.
    births: u64,
}

impl Wait {
    /// For the births that a finding is about. `now_unix_s`: when the finding was made; `asked_s`: --for.
    pub(crate) fn of(finding: &Finding, now_unix_s: f64, asked_s: Option<f64>) -> Self {
        let periods: Vec<f64> = finding.cadence.iter().map(|train| train.period_s).collect();
        let longest = periods.iter().copied().fold(0.0, f64::max);
        let shortest = periods.iter().copied().fold(f64::INFINITY, f64::min);
        let births = if shortest < FAST_S { SEVERAL } else { periods.len().max(1) as u64 };
        let expected_s = match (periods.as_slice(), finding.seen) {
            ([], _) => None,
            ([period], Some((_, last))) => Some((last + period - now_unix_s).rem_euclid(*period)),
            _ => Some(shortest),
        };
        // A beat may be late, and one may fail.
        let rhythm = match longest {
            0.0 => finding.rate_per_s.filter(|rate| *rate > 0.0).map_or(60.0, |rate| 4.0 / rate),
            longest => (births as f64 + 0.25) * longest + 2.0,
        };
        let unasked = expected_s.map_or(rhythm, |expected| {
            rhythm.min(expected + 0.25 * longest + 2.0).max(births as f64 * shortest.min(FAST_S))
        });
        Self {
            pattern: finding.subject.as_str().to_owned(),
            at_most_s: asked_s.unwrap_or(unasked.clamp(SHORTEST_S, LONGEST_UNASKED_S)),
            expected_s,
            births,
        }
    }

    /// Is the next birth further away than what is waited for?
    pub(crate) fn is_too_short(&self) -> bool {
        self.expected_s.is_some_and(|expected| expected > self.at_most_s)
    }

    /// Was enough seen?
    pub(crate) fn is_over(&self, spawns: &[SpawnStack]) -> bool {
        self.seen(spawns) >= self.births
    }

    /// Is a thread of this name one of the group?
    pub(crate) fn fits(&self, name: &str) -> bool {
        self.pattern == "(no name)" || detect::creators::fits(&self.pattern, name)
    }

    /// Births of the group among those that were seen.
    pub(crate) fn seen(&self, spawns: &[SpawnStack]) -> u64 {
        spawns
            .iter()
            .flat_map(|spawn| &spawn.births)
            .filter(|birth| !birth.failed && self.fits(birth.name.as_str()))
            .count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Cadence, JavaBirth};

    fn spawns(names: &[&str]) -> Vec<SpawnStack> {
        let births =
            names.iter().map(|name| JavaBirth { name: (*name).into(), ..JavaBirth::default() }).collect();
        vec![SpawnStack { births, ..SpawnStack::default() }]
    }

    fn finding(periods: &[f64], last: f64) -> Finding {
        let mut finding = crate::present::testing::finding("pool-*-thread-1");
        finding.cadence =
            periods.iter().map(|period_s| Cadence { period_s: *period_s, ..Cadence::default() }).collect();
        finding.seen = Some((0.0, last));
        finding
    }

    #[test]
    fn one_beat_of_a_slow_train_is_enough() {
        let wait = Wait::of(&finding(&[60.0], 1_000.0), 1_020.0, None);
        assert_eq!(wait.expected_s, Some(40.0));
        assert!((wait.at_most_s - 57.0).abs() < 1e-9, "{wait:?}");
        assert!(!wait.is_over(&spawns(&["http-4", "pool-x"])));
        assert!(wait.is_over(&spawns(&["pool-1351-thread-1"])));
        assert!(!wait.is_too_short());
    }

    #[test]
    fn fast_ones_are_seen_several_times() {
        let wait = Wait::of(&finding(&[1.0], 1_000.0), 1_000.5, None);
        assert!(!wait.is_over(&spawns(&["pool-1-thread-1", "pool-2-thread-1"])));
        assert!(wait.is_over(&spawns(&["pool-1-thread-1", "pool-2-thread-1", "pool-3-thread-1"])));
        assert_eq!(wait.at_most_s, SHORTEST_S);
    }

    #[test]
    fn an_hour_is_waited_for_only_when_asked() {
        let wait = Wait::of(&finding(&[3_600.0], 1_000.0), 1_600.0, None);
        assert_eq!(wait.expected_s, Some(3_000.0));
        assert!(wait.is_too_short());
        assert!(!Wait::of(&finding(&[3_600.0], 1_000.0), 1_600.0, Some(3_700.0)).is_too_short());
    }
}
