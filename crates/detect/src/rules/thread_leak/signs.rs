//! The signs for and against a leak that one group of threads shows.

use std::collections::HashSet;

use model::{BirthKind, ThreadGroup};

use super::super::Subject;

/// What was seen of one group.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools)] // four signs that don't depend on each other
pub(super) struct Signs {
    /// Age of the process, in seconds.
    pub(super) process_age_s: f64,
    /// Age of the oldest member, in seconds.
    pub(super) oldest_age_s: f64,
    /// Does the oldest reach back towards the process's start, or do the numbers say that none has ended?
    pub(super) reaches_back: bool,
    /// Are births still going on?
    pub(super) active: bool,
    /// Share of births that the rhythm explains.
    pub(super) explained: f64,
    /// Seconds between births, typically.
    pub(super) typical_gap_s: f64,
    /// What the numbers in the names say about threads that ended.
    pub(super) numbers: Numbers,
    /// Share of members that have used no CPU time to speak of.
    pub(super) idle_share: f64,
    /// Are the births spread evenly between the oldest and now?
    pub(super) spread_evenly: bool,
    /// What two looks say.
    pub(super) turnover: Turnover,
    /// Was it watched for as long again as, or for eight births?
    pub(super) watched_doubled: bool,
    /// Between the first look and the last: born, ended.
    pub(super) watched: Option<(usize, usize)>,
}

/// What the numbers in thread names say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// There are none, or too few were read whole.
    Unknown,
    /// From (nearly) the first to the last, each is alive.
    NoGap,
    /// The lowest are gone, those above are all alive: they end by age.
    OldestMissing,
    /// Some are gone.
    Gaps,
}

/// What two looks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turnover {
    /// There was only one.
    NotWatched,
    /// Threads were born, and (nearly) none ended.
    Growing,
    /// As threads were born, others ended.
    Steady,
    /// Nothing happened between the looks.
    Unchanged,
}

impl Signs {
    pub(super) fn read(subject: &Subject<'_>, group: &ThreadGroup) -> Self {
        let births = &group.births;
        let (first, last) = match (births.first(), births.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (subject.now_boot_s, subject.now_boot_s),
        };
        let process_age_s = subject.age_s();
        let oldest_age_s = (subject.now_boot_s - first).max(0.0);
        let mean_gap = (last - first) / (births.len().max(2) - 1) as f64;
        let main = group.cadence.cadences.first();
        let typical_gap_s = main.map_or(mean_gap, |c| c.period_s);
        let quiet_s = (subject.now_boot_s - last).max(0.0);
        let patience_s = match (group.cadence.kind, main) {
            (BirthKind::Regular, Some(c)) => 2.5 * c.period_s + 4.0 * c.jitter_s,
            _ => 5.0 * mean_gap,
        };
        let numbers = numbers(group, typical_gap_s, first - subject.start_boot_s());
        let (turnover, watched) = turnover(subject, group);
        Self {
            process_age_s,
            oldest_age_s,
            // The start-up of a large runtime is not held against a group: its numbers speak for it then.
            reaches_back: numbers == Numbers::NoGap
                || oldest_age_s >= needed_reach(typical_gap_s) * process_age_s,
            active: quiet_s <= patience_s + 0.5,
            explained: group.cadence.explained,
            typical_gap_s,
            numbers,
            idle_share: idle_share(subject, group),
            spread_evenly: spread_evenly(births, subject.now_boot_s),
            turnover,
            watched_doubled: subject.watched_s() >= oldest_age_s / 2.0
                || watched.is_some_and(|(born, _)| born >= 8),
            watched,
        }
    }

    /// Do births and numbers show that no member has ever ended?
    pub(super) fn none_ended(&self) -> bool {
        self.numbers == Numbers::NoGap && self.watched.is_none_or(|(_, ended)| ended == 0)
    }
}

/// Share of the process's life that the oldest must reach back. Where births follow fast, a second look sees threads end;
/// where they don't, the reach alone has to tell a leak from workers that live nearly as long as the process does.
fn needed_reach(gap_s: f64) -> f64 {
    if gap_s <= super::SECOND_LOOK_GAP_S { 0.75 } else { 0.9 }
}

/// `first_after_s`: seconds from the process's start to the oldest member's birth.
fn numbers(group: &ThreadGroup, gap_s: f64, first_after_s: f64) -> Numbers {
    let Some(span) = group.numbers else { return Numbers::Unknown };
    if span.distinct * 10 < group.count() as u64 * 9 {
        return Numbers::Unknown;
    }
    let width = span.high.saturating_sub(span.low) + 1;
    if span.distinct * 20 < width * 19 {
        return Numbers::Gaps;
    }
    // Lower numbers may belong to other pools that share the counter. They were this group's own, and have ended,
    // only if there was time to give birth to them before the oldest that is alive.
    let missing_s = span.low.saturating_sub(1) as f64 * gap_s;
    if span.low > 1 && missing_s <= first_after_s * 1.2 { Numbers::OldestMissing } else { Numbers::NoGap }
}

/// A thread that waits for work that never comes uses less than 20 ms in its life.
fn idle_share(subject: &Subject<'_>, group: &ThreadGroup) -> f64 {
    let Some(threads) = subject.reading.threads.value() else { return 0.0 };
    let members: HashSet<_> = group.members.iter().collect();
    let idle = threads
        .iter()
        .filter(|t| members.contains(&t.tid) && t.state != 'R' && t.utime.0 + t.stime.0 <= 2)
        .count();
    idle as f64 / group.count().max(1) as f64
}

/// Kolmogorov–Smirnov against the even spread, at the 1 % level.
fn spread_evenly(births: &[f64], now: f64) -> bool {
    let (Some(first), n) = (births.first(), births.len()) else { return false };
    let span = now - first;
    if span <= 0.0 || n < 2 {
        return false;
    }
    // The first birth defines the span, so it carries no information about the spread.
    let rest = n - 1;
    let worst = births[1..]
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let expected = (b - first) / span;
            let below = i as f64 / rest as f64;
            let above = (i + 1) as f64 / rest as f64;
            (expected - below).abs().max((expected - above).abs())
        })
        .fold(0.0, f64::max);
    worst <= 1.63 / (rest as f64).sqrt()
}

fn turnover(subject: &Subject<'_>, group: &ThreadGroup) -> (Turnover, Option<(usize, usize)>) {
    let (Some((first_at, first)), Some(now)) = (subject.first_threads, subject.reading.threads.value())
    else {
        return (Turnover::NotWatched, None);
    };
    let known: HashSet<_> = first.iter().map(|t| (t.tid, t.start)).collect();
    let alive: HashSet<_> = now.iter().map(|t| (t.tid, t.start)).collect();
    let members: HashSet<_> = group.members.iter().collect();
    let born = now.iter().filter(|t| members.contains(&t.tid) && !known.contains(&(t.tid, t.start))).count();
    // A thread that ended has no group any more; it counts against the group whose members' name it had.
    let names: HashSet<_> =
        now.iter().filter(|t| members.contains(&t.tid)).map(|t| skeleton(t.name.as_str())).collect();
    let ended = first
        .iter()
        .filter(|t| !alive.contains(&(t.tid, t.start)) && names.contains(&skeleton(t.name.as_str())))
        .count();
    let turnover = match (born, ended) {
        (0, 0) => Turnover::Unchanged,
        (born, ended) if ended * 3 >= born => Turnover::Steady,
        (born, ended) if ended * 10 <= born && subject.now_boot_s > first_at => Turnover::Growing,
        _ => Turnover::Unchanged,
    };
    (turnover, Some((born, ended)))
}

/// A name without its digits, cut where the longest number would cut it.
fn skeleton(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit()).take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_spread_is_told_from_a_burst_and_from_a_young_crowd() {
        let even: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(spread_evenly(&even, 100.0));
        let burst: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
        assert!(!spread_evenly(&burst, 100.0));
        let young: Vec<f64> = (0..100).map(|i| 100.0 - 100.0 * (-f64::from(i) / 20.0).exp()).collect();
        assert!(!spread_evenly(&young, 100.0));
    }

    #[test]
    fn numbers_tell_what_ended() {
        let group = |low, high, distinct, count| ThreadGroup {
            members: vec![model::Pid(1); count],
            numbers: Some(model::NumberSpan { low, high, distinct, in_birth_order: true }),
            ..ThreadGroup::default()
        };
        let told = |group: ThreadGroup, first_after_s| numbers(&group, 1.0, first_after_s);
        assert_eq!(told(group(1, 20, 20, 20), 9.0), Numbers::NoGap);
        assert_eq!(told(group(61, 120, 60, 60), 60.5), Numbers::OldestMissing);
        assert_eq!(
            told(group(201, 1_750, 1_550, 1_550), 9.0),
            Numbers::NoGap,
            "200 others had the lower numbers"
        );
        assert_eq!(told(group(1, 200, 60, 60), 0.0), Numbers::Gaps);
        assert_eq!(told(group(1, 3, 3, 60), 0.0), Numbers::Unknown);
        assert_eq!(told(ThreadGroup::default(), 0.0), Numbers::Unknown);
    }
}
