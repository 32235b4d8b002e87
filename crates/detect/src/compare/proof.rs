//! Is it fixed? Answered in firings without survivors.
//!
//! Before, each firing of the cause left so many things behind. If it still did, `n` firings would all leave nothing
//! with probability (1 − share)^n; fixed is what makes that less than 1 in 20. Quiet time proves nothing: the cause
//! may not have fired.

use model::Finding;

use crate::eta::Rate;

/// The probability that a leak that is still there would not have shown itself.
const DOUBT: f64 = 0.05;

/// However sure a share is, one firing is an anecdote.
const LEAST_FIRINGS: u64 = 3;

/// What was known of the leak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Before {
    /// Share of the firings that left something behind, 0 to 1.
    pub survived: f64,
}

/// Who counted the firings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiringSource {
    /// Births that were seen.
    Births,
    /// Numbers in the names: those between that are not there any more.
    Numbers,
    /// A JVM's count of started threads, which rose in the leak's own rhythm.
    Starts,
    /// The schedule, which is still there and was due.
    Schedule,
}

/// What was seen after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct After {
    /// Firings of the cause; `None` when nothing tells.
    pub firings: Option<(u64, FiringSource)>,
    /// Things born after the fix that are older than what a firing needs, whether they are still there or not.
    pub aged: u64,
    /// Those of them that are still there.
    pub survivors: u64,
    /// When the next firing is due, in Unix seconds.
    pub next_unix_s: Option<f64>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Proof {
    /// So many firings left nothing behind, which a leak would hardly do.
    Fixed {
        /// Firings.
        firings: u64,
        /// Who counted them.
        source: FiringSource,
    },
    /// It goes on.
    NotFixed {
        /// Things left behind.
        survivors: u64,
        /// By so many firings, where they were counted.
        firings: Option<u64>,
    },
    /// Not decided.
    NotProven {
        /// Firings seen.
        firings: u64,
        /// Firings that would do.
        needed: u64,
        /// When the next is due, in Unix seconds.
        next_unix_s: Option<f64>,
    },
}

/// Share of the firings of a leak that left something behind, from its cadence: the missed beats left nothing.
#[must_use]
pub fn survivors_per_firing(finding: &Finding) -> f64 {
    if finding.none_ended {
        return 1.0;
    }
    let (events, missed) = finding
        .cadence
        .iter()
        .fold((0, 0), |(events, missed), train| (events + train.events, missed + train.missed));
    if events == 0 { 0.5 } else { events as f64 / (events + missed) as f64 }
}

/// Firings without a survivor that make it fixed.
fn needed(before: Before) -> u64 {
    let survived = before.survived.clamp(0.01, 1.0);
    if survived > 0.99 {
        return LEAST_FIRINGS;
    }
    ((DOUBT.ln() / (1.0 - survived).ln()).ceil() as u64).max(LEAST_FIRINGS)
}

/// One thread that stays may be a pool that is shared now: a cure, not a leak. Two are what a leak leaves.
const LEAST_SURVIVORS: u64 = 2;

/// Decides.
#[must_use]
pub fn prove(before: Before, after: After) -> Proof {
    let needed = needed(before);
    let seen = after.firings.map_or(0, |(count, _)| count);
    let open = Proof::NotProven { firings: seen, needed, next_unix_s: after.next_unix_s };
    let Some((firings, source)) = after.firings.filter(|(count, _)| *count >= needed) else {
        let counted = after.firings.map(|(count, _)| count);
        let goes_on = after.survivors >= LEAST_SURVIVORS;
        return if goes_on { Proof::NotFixed { survivors: after.survivors, firings: counted } } else { open };
    };
    let shared = source == FiringSource::Schedule && after.survivors < LEAST_SURVIVORS;
    // A few of very many firings may still be at work; as many as a leak would leave are not.
    let few = (after.survivors as f64) < 0.2 * before.survived * after.aged as f64;
    match after.survivors {
        0 => Proof::Fixed { firings, source },
        _ if shared => Proof::Fixed { firings, source },
        survivors if survivors >= LEAST_SURVIVORS && !few => {
            Proof::NotFixed { survivors, firings: Some(firings) }
        }
        _ => open,
    }
}

/// Load that differs by more is another load.
const SAME_LOAD: f64 = 2.0;

/// The same for growth that has no firings (memory, descriptors): fixed when its rate is surely a tenth of what it was
/// or less, under a load like before's. `load`: work per second before and after, such as CPU time.
#[must_use]
pub fn prove_growth(before: Rate, after: Option<Rate>, load: Option<(f64, f64)>) -> Option<bool> {
    let after = after?;
    if after.low > 0.0 && after.per_s > 0.1 * before.per_s {
        return Some(false);
    }
    let like_before = load.is_some_and(|(was, is)| was > 0.0 && is >= was / SAME_LOAD);
    (after.high < 0.1 * before.per_s && like_before).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Before = Before { survived: 1.0 };

    fn after(firings: u64, survivors: u64) -> After {
        After {
            firings: Some((firings, FiringSource::Births)),
            aged: firings,
            survivors,
            next_unix_s: Some(9.0),
        }
    }

    #[test]
    fn fixed_is_counted_in_firings() {
        assert_eq!(prove(EACH, after(12, 0)), Proof::Fixed { firings: 12, source: FiringSource::Births });
        assert_eq!(prove(EACH, after(3, 0)), Proof::Fixed { firings: 3, source: FiringSource::Births });
        let open = |firings, needed| Proof::NotProven { firings, needed, next_unix_s: Some(9.0) };
        assert_eq!(prove(EACH, after(2, 0)), open(2, 3));
        assert_eq!(prove(EACH, after(0, 0)), open(0, 3), "quiet time is no proof");
        let unknown = After { firings: None, aged: 0, survivors: 0, next_unix_s: None };
        assert_eq!(prove(EACH, unknown), Proof::NotProven { firings: 0, needed: 3, next_unix_s: None });
        assert_eq!(prove(EACH, after(12, 12)), Proof::NotFixed { survivors: 12, firings: Some(12) });
        let uncounted = |survivors| prove(EACH, After { firings: None, ..after(0, survivors) });
        assert_eq!(uncounted(2), Proof::NotFixed { survivors: 2, firings: None });
        assert!(matches!(uncounted(1), Proof::NotProven { .. }), "a shared pool has a thread, too");
    }

    #[test]
    fn a_pool_that_is_shared_now_is_fixed_when_the_schedule_was_due() {
        let due = |firings, survivors| {
            let firings = Some((firings, FiringSource::Schedule));
            prove(EACH, After { firings, aged: survivors, survivors, next_unix_s: None })
        };
        assert_eq!(due(12, 1), Proof::Fixed { firings: 12, source: FiringSource::Schedule });
        assert!(matches!(due(12, 11), Proof::NotFixed { .. }));
        assert!(matches!(due(1, 1), Proof::NotProven { .. }));
    }

    #[test]
    fn a_leak_of_every_tenth_firing_needs_many_without() {
        let tenth = Before { survived: 0.1 };
        assert!(matches!(prove(tenth, after(20, 0)), Proof::NotProven { needed: 29, .. }));
        assert!(matches!(prove(tenth, after(29, 0)), Proof::Fixed { .. }));
    }

    #[test]
    fn one_that_is_still_at_work_is_no_leak_and_no_proof() {
        assert!(matches!(prove(EACH, after(100, 1)), Proof::NotProven { .. }));
        assert!(matches!(prove(EACH, after(100, 40)), Proof::NotFixed { .. }));
        let young = After { aged: 4, ..after(24, 4) };
        assert!(matches!(prove(EACH, young), Proof::NotFixed { .. }), "all that could be are still there");
        assert!(matches!(prove(EACH, after(1, 1)), Proof::NotProven { .. }));
        assert!(matches!(prove(EACH, after(2, 2)), Proof::NotFixed { .. }));
    }

    #[test]
    fn growth_is_fixed_under_a_load_like_before() {
        let rate = |per_s: f64, margin: f64| Rate { per_s, low: per_s - margin, high: per_s + margin };
        let before = rate(100.0, 5.0);
        assert_eq!(prove_growth(before, Some(rate(0.0, 1.0)), Some((1.0, 0.9))), Some(true));
        assert_eq!(prove_growth(before, Some(rate(0.0, 1.0)), Some((1.0, 0.1))), None, "nobody used it");
        assert_eq!(prove_growth(before, Some(rate(0.0, 1.0)), None), None);
        assert_eq!(prove_growth(before, Some(rate(60.0, 1.0)), Some((1.0, 1.0))), Some(false));
        assert_eq!(prove_growth(before, Some(rate(0.0, 50.0)), Some((1.0, 1.0))), None, "too unsure");
        assert_eq!(prove_growth(before, None, None), None);
    }
}
