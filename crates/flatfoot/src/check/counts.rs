//! When is what can be counted exactly — threads, descriptors, children — a leak?
//!
//! When there is more of it after (nearly) each round, and it stays: caches and pools that fill in the first rounds are
//! none, nor is what breathes. With `n` rounds, each of these must hold:
//!
//! 1. It grew in all but `n / 5` of them: none may fail of four, one of five.
//! 2. It grew in the last one: what has stopped is full, as far as anybody can tell.
//! 3. It does not slow down: the later half brought at least half of what the earlier half did.
//! 4. Where births are known: of what is there at the end, some was born in (nearly) each round. A pool that renews its
//!    threads has only young ones.

/// What a series of counts says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No more than at the baseline.
    Flat,
    /// More, but not as a leak would be: it stopped, slows down, or comes and goes.
    Settles,
    /// More; the rounds are too few to say.
    TooFew,
    /// A leak.
    Leaks,
}

/// Judges counts at the baseline and after each round. `survivors`: how many of those that are there at the end were born
/// in each round, where that is known.
pub(super) fn judge(values: &[u64], survivors: Option<&[u64]>, least_rounds: usize) -> Verdict {
    let rises = rises(values);
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return Verdict::Flat };
    if rises.is_empty() || last <= first {
        return Verdict::Flat;
    }
    let allowed = rises.len() / 5;
    let without = |counts: &mut dyn Iterator<Item = bool>| counts.filter(|grew| !grew).count() <= allowed;
    let grew = without(&mut rises.iter().map(|rise| *rise > 0));
    let survived = survivors.is_none_or(|born| without(&mut born.iter().map(|born| *born > 0)));
    let goes_on = rises.last().is_some_and(|rise| *rise > 0);
    let half = rises.len() / 2;
    let early: i128 = rises.iter().take(half).map(|rise| i128::from(*rise)).sum();
    let late: i128 = rises.iter().rev().take(half).map(|rise| i128::from(*rise)).sum();
    if !grew || !survived || !goes_on || late * 2 < early {
        Verdict::Settles
    } else if rises.len() < least_rounds {
        Verdict::TooFew
    } else {
        Verdict::Leaks
    }
}

/// Growth of each round.
pub(super) fn rises(values: &[u64]) -> Vec<i64> {
    values.windows(2).map(|pair| pair[1].cast_signed().saturating_sub(pair[0].cast_signed())).collect()
}

/// `12 more pool-*-thread-1 after each round`, `10 to 14 more … after each round, 60 in all`, `12 more … after 4 of 5
/// rounds`.
pub(super) fn words(rises: &[i64], subject: &str, marks: bool) -> String {
    let up: Vec<i64> = rises.iter().copied().filter(|rise| *rise > 0).collect();
    let (Some(low), Some(high)) = (up.iter().min(), up.iter().max()) else { return String::new() };
    if marks && rises.len() == 1 {
        return format!("{high} more {subject} than at the first mark");
    }
    let total: i128 = rises.iter().map(|rise| i128::from(*rise)).sum();
    let when = if up.len() == rises.len() {
        "after each round".to_owned()
    } else {
        format!("after {} of {} rounds", up.len(), rises.len())
    };
    if low == high {
        format!("{low} more {subject} {when}")
    } else {
        format!("{low} to {high} more {subject} {when}, {total} in all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(values: &[u64]) -> Verdict {
        judge(values, None, 3)
    }

    #[test]
    fn leaks() {
        assert_eq!(judged(&[1, 13, 25, 37, 49, 61]), Verdict::Leaks);
        assert_eq!(judged(&[1, 13, 25, 37]), Verdict::Leaks);
        assert_eq!(judged(&[1, 3, 4, 6, 7, 9]), Verdict::Leaks, "not each request");
        assert_eq!(judged(&[1, 13, 13, 25, 37, 49]), Verdict::Leaks, "one of five may fail");
        assert_eq!(judge(&[1, 2], None, 1), Verdict::Leaks, "between two marks");
    }

    #[test]
    fn what_fills_or_breathes_is_none() {
        assert_eq!(judged(&[8, 8, 8, 8, 8, 8]), Verdict::Flat);
        assert_eq!(judged(&[8, 20, 4, 20, 8, 8]), Verdict::Flat);
        assert_eq!(judged(&[1, 5, 8, 8, 8, 8]), Verdict::Settles, "a pool that fills");
        assert_eq!(judged(&[1, 13, 25, 37, 49, 49]), Verdict::Settles, "full at last");
        assert_eq!(judged(&[0, 100, 150, 160, 162, 163]), Verdict::Settles, "slows down");
        assert_eq!(judged(&[0, 5, 3, 6, 4, 7]), Verdict::Settles, "comes and goes");
        assert_eq!(judged(&[0, 10, 14, 15]), Verdict::Settles);
        let young = [0, 0, 0, 0, 14];
        assert_eq!(judge(&[4, 6, 8, 10, 12, 14], Some(&young), 3), Verdict::Settles, "renewed each time");
    }

    #[test]
    fn few_rounds_say_little() {
        assert_eq!(judged(&[1]), Verdict::Flat);
        assert_eq!(judged(&[1, 13]), Verdict::TooFew);
        assert_eq!(judged(&[1, 13, 25]), Verdict::TooFew);
        assert_eq!(judged(&[1, 1, 1]), Verdict::Flat);
    }

    #[test]
    fn sentences() {
        assert_eq!(words(&[12, 12, 12], "x-*", false), "12 more x-* after each round");
        assert_eq!(words(&[10, 14], "x", false), "10 to 14 more x after each round, 24 in all");
        assert_eq!(words(&[12, 0, 12, 12, 12], "x", false), "12 more x after 4 of 5 rounds");
        assert_eq!(words(&[3], "x", true), "3 more x than at the first mark");
    }

    proptest! {
        #[test]
        fn any_counts_are_judged(values in proptest::collection::vec(any::<u64>(), 0..12)) {
            let _ = judge(&values, None, 3);
            let _ = words(&rises(&values), "x", false);
        }

        #[test]
        fn an_even_leak_is_always_found(from in 0_u64..1_000_000, step in 1_u64..10_000, rounds in 3_usize..40) {
            let values: Vec<u64> = (0..=rounds as u64).map(|k| from + k * step).collect();
            prop_assert_eq!(judged(&values), Verdict::Leaks);
        }

        #[test]
        fn what_ends_where_it_began_never_leaks(mut values in proptest::collection::vec(0_u64..100, 1..12)) {
            values.push(values[0]);
            prop_assert_eq!(judged(&values), Verdict::Flat);
        }
    }
}
