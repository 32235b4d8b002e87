//! Threads whose names are all the same, told apart by what else was read of them.
//!
//! First by the size of their stacks, which the code that starts a thread chooses: JVM, compiler and
//! application threads differ in it. Where all have one size, by rhythm: a regular train of births is the
//! work of one piece of code, whatever else was born meanwhile. A group is only split when a part is sizeable
//! and clearly distinct.

use std::collections::BTreeMap;

use model::{BirthKind, Bytes, Cadence, CadenceReport, Thread};

use super::stacks::Stacks;
use crate::cadence::{self, Window};

/// A part with fewer members is not told apart.
const SIZEABLE: usize = 5;
/// Stack sizes told apart; a hostile process may have any number.
const MOST_SIZES: usize = 8;
/// Births outside a train that are no larger share than this are its own late ones.
const STRAY: f64 = 0.02;

/// A part of a group.
pub(super) struct Part<'a> {
    /// Oldest first.
    pub(super) members: Vec<&'a Thread>,
    /// What tells it from the other parts; `None` when there are none.
    pub(super) by: Option<String>,
    /// What its births say, where that was asked already.
    pub(super) cadence: Option<CadenceReport>,
}

impl<'a> Part<'a> {
    /// All of a group.
    pub(super) fn whole(members: Vec<&'a Thread>) -> Self {
        Self { members, by: None, cadence: None }
    }

    fn by(members: Vec<&'a Thread>, by: impl Into<String>) -> Self {
        Self { members, by: Some(by.into()), cadence: None }
    }
}

/// Splits threads of one name. `members` oldest first; `unnamed`: the name is the process's. A name that was
/// given on purpose already says whose threads these are, so a rhythm alone does not split them.
pub(super) fn split<'a>(
    members: Vec<&'a Thread>,
    unnamed: bool,
    stacks: &Stacks<'_>,
    window: &Window,
    ticks_per_second: u64,
) -> Vec<Part<'a>> {
    if let Some(parts) = by_stack(&members, stacks) {
        return parts;
    }
    if !unnamed || members.len() < 2 * SIZEABLE {
        return vec![Part::whole(members)];
    }
    let births: Vec<f64> = members.iter().map(|t| t.start.seconds(ticks_per_second)).collect();
    let report = cadence::report(&births, window);
    by_rhythm(&members, &births, &report, window.resolution_s)
        .unwrap_or_else(|| vec![Part { cadence: Some(report), ..Part::whole(members) }])
}

fn by_stack<'a>(members: &[&'a Thread], stacks: &Stacks<'_>) -> Option<Vec<Part<'a>>> {
    let mut by_size: BTreeMap<Bytes, Vec<&Thread>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for &thread in members {
        match stacks.size_with_guard(thread) {
            Some(size) => by_size.entry(size).or_default().push(thread),
            None => unknown.push(thread),
        }
    }
    // One size and threads without a known stack: nothing tells them apart.
    if by_size.len() < 2 {
        return None;
    }
    let mut sizes: Vec<(Bytes, Vec<&Thread>)> = by_size.into_iter().collect();
    sizes.sort_by_key(|(size, threads)| (std::cmp::Reverse(threads.len()), *size));
    let sizeable = sizes.iter().take(MOST_SIZES).take_while(|(_, threads)| threads.len() >= SIZEABLE).count();
    if sizeable == 0 {
        return None;
    }
    let mut rest: Vec<&Thread> =
        sizes.split_off(sizeable).into_iter().flat_map(|(_, threads)| threads).collect();
    let mut parts: Vec<Part<'_>> = sizes
        .into_iter()
        .map(|(size, members)| Part::by(members, format!("stacks of {} KiB with their guard", size.0 / 1024)))
        .collect();
    for (threads, by) in [(&mut rest, "stacks of other sizes"), (&mut unknown, "stacks not found")] {
        if !threads.is_empty() {
            threads.sort_by_key(|t| (t.start, t.tid));
            parts.push(Part::by(std::mem::take(threads), by));
        }
    }
    Some(parts)
}

fn by_rhythm<'a>(
    members: &[&'a Thread],
    births: &[f64],
    report: &CadenceReport,
    resolution_s: f64,
) -> Option<Vec<Part<'a>>> {
    if report.kind != BirthKind::Regular {
        return None;
    }
    let cadence = report.cadences.first()?;
    let on_beat = on_beat(births, cadence, resolution_s)?;
    let (train, others): (Vec<_>, Vec<_>) = members.iter().zip(on_beat).partition(|(_, on)| *on);
    let threads = |part: Vec<(&&'a Thread, bool)>| part.into_iter().map(|(t, _)| *t).collect::<Vec<_>>();
    let (train, others) = (threads(train), threads(others));
    let stray = (members.len() as f64 * STRAY) as usize;
    if train.len() < SIZEABLE || others.len() < SIZEABLE.max(stray + 1) {
        return None;
    }
    let period = shown_period(cadence.period_s);
    Some(vec![
        Part::by(train, format!("births every {period} s")),
        Part::by(others, format!("births outside the train of every {period} s")),
    ])
}

/// Which births fall on the beats of a train: at most as many at each beat as the train has there, the
/// nearest ones. `None` when the beats are so wide that other births would fall on them by chance.
fn on_beat(births: &[f64], cadence: &Cadence, resolution_s: f64) -> Option<Vec<bool>> {
    let period = cadence.period_s;
    let (first, last) = (*births.first()?, *births.last()?);
    if !(period > 0.0 && period.is_finite() && cadence.events >= SIZEABLE as u64) {
        return None;
    }
    let drift = cadence.period_error_s * (last - first) / period;
    let reach = (3.0 * cadence.jitter_s + 2.0 * resolution_s + 2.0 * drift).min(period / 8.0);

    // The phase at which most different beats have a birth. Beats are counted, not births: a pool that grew
    // in an instant has many births at one beat.
    let mut phases: Vec<(f64, usize)> =
        births.iter().enumerate().map(|(i, birth)| ((birth - first).rem_euclid(period), i)).collect();
    phases.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = phases.len();
    let at = |i: usize| if i < count { phases[i].0 } else { phases[i - count].0 + period };
    let beat = |i: usize| ((births[phases[i % count].1] - first) / period).round() as i64;
    let mut beats: BTreeMap<i64, usize> = BTreeMap::new();
    let (mut best, mut center, mut end) = (0, 0.0, 0);
    for start in 0..count {
        while end < start + count && at(end) - at(start) <= 2.0 * reach {
            *beats.entry(beat(end)).or_default() += 1;
            end += 1;
        }
        if beats.len() > best {
            (best, center) = (beats.len(), f64::midpoint(at(start), at(end - 1)));
        }
        if let Some(n) = beats.get_mut(&beat(start)) {
            *n -= 1;
            if *n == 0 {
                beats.remove(&beat(start));
            }
        }
    }

    let mut near: Vec<(i64, f64, usize)> = births
        .iter()
        .enumerate()
        .map(|(i, birth)| {
            let beats = (birth - first - center) / period;
            (beats.round() as i64, (beats - beats.round()).abs() * period, i)
        })
        .filter(|(_, off, _)| *off <= reach)
        .collect();
    near.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    // Usual, not mean: a pool that grew at one beat must not count as the train's.
    let mut sizes: Vec<usize> = near.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).collect();
    sizes.sort_unstable();
    let each = sizes.get(sizes.len() / 2).copied().unwrap_or(1);
    let mut on = vec![false; count];
    let mut taken = 0;
    for beat in near.chunk_by(|a, b| a.0 == b.0) {
        for &(_, _, i) in beat.iter().take(each) {
            on[i] = true;
            taken += 1;
        }
    }
    // Births that are not of the train fall on its beats with this chance each.
    let by_chance = (count - taken) as f64 * 2.0 * reach / period;
    let distinct = by_chance <= 0.2 * taken as f64;
    let agrees = taken as f64 >= 0.8 * cadence.events as f64;
    (distinct && agrees).then_some(on)
}

/// `60.0`, `0.70`: three figures are what one look can tell.
fn shown_period(seconds: f64) -> String {
    let decimals = if seconds >= 10.0 { 1 } else { 2 };
    format!("{seconds:.decimals$}")
}
