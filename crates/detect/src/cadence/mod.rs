//! Rhythm of births, read from the birth times of the living: no waiting is needed.
//!
//! The way: births → [`events`] (what one beat starts is one event) → [`candidates`] for the period → a
//! [`comb`] laid over the events for each, scored against chance → the [`search`] keeps the best, [`fit`]
//! measures it and takes its births out, and the rest is searched again, as a process may have several
//! schedules. Births too dense for single events are judged by their flow ([`density`]). What holds no train
//! is a [`burst`] or irregular.
//!
//! Only survivors are seen. A beat without one is counted as missed; a pool that renews its workers looks
//! regular here, and the rules ask how far back the ages reach before they call it a leak.

mod burst;
mod candidates;
mod comb;
mod density;
mod events;
mod fit;
mod phase;
mod search;

use model::{BirthKind, Cadence, CadenceReport};

use events::Events;
pub(crate) use phase::human_period;

/// When births could be seen, and how a birth time becomes a time of day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The process's start, in seconds since boot: no birth is older.
    pub start_s: f64,
    /// The look, in seconds since boot.
    pub end_s: f64,
    /// Resolution of the birth times, in seconds: 0.01 (one clock tick).
    pub resolution_s: f64,
    /// Unix time of boot, in seconds.
    pub booted_unix_s: f64,
    /// Local time minus UTC, in seconds: schedules are written in local time.
    pub utc_offset_s: i32,
}

/// Fewer births than this are not judged.
const LEAST_BIRTHS: usize = 5;

/// A second train may be as short as this: the first has shown that schedules are at work.
const LEAST_IN_NEXT: usize = 4;

/// Trains looked for.
const MOST_TRAINS: usize = 3;

/// What the births of a group's living members say. `births`: seconds since boot, oldest first.
///
/// The work is bounded: candidates come from at most 256 events at a time, and following a train through all
/// births is one pass. Times that are not finite, or beyond any uptime, are left out; unsorted ones are sorted.
#[must_use]
pub fn report(births: &[f64], window: &Window) -> CadenceReport {
    let births = cleaned(births);
    let window = Window { resolution_s: usable_resolution(window.resolution_s), ..*window };
    if births.len() < LEAST_BIRTHS {
        return CadenceReport::default();
    }
    let trains = trains(&births, &window);
    if trains.cadences.is_empty() {
        let kind =
            if burst::is_burst(&births, &window) { BirthKind::Burst } else { irregular(&births, &window) };
        return CadenceReport { cadences: Vec::new(), explained: 0.0, kind };
    }
    if burst::is_start_up_train(&births, &trains.cadences, &window) {
        return CadenceReport { cadences: Vec::new(), explained: 0.0, kind: BirthKind::Burst };
    }
    let explained = trains.taken as f64 / births.len() as f64;
    CadenceReport { cadences: trains.cadences, explained: explained.min(1.0), kind: BirthKind::Regular }
}

/// No host is up for three hundred years. Within this, beats of any usable period can be counted in an i64
/// (a time namespace may shift births below zero).
const MOST_S: f64 = 1e10;

fn cleaned(births: &[f64]) -> Vec<f64> {
    let mut births: Vec<f64> = births.iter().copied().filter(|birth| birth.abs() <= MOST_S).collect();
    births.sort_by(f64::total_cmp);
    births
}

fn usable_resolution(resolution_s: f64) -> f64 {
    if (1e-6..=1e3).contains(&resolution_s) { resolution_s } else { 0.01 }
}

/// Births at four moments or fewer are no sample of anything, however many they were.
fn irregular(births: &[f64], window: &Window) -> BirthKind {
    let moments = Events::gather(births, window.resolution_s).len();
    if moments < LEAST_BIRTHS { BirthKind::TooFew } else { BirthKind::Irregular }
}

/// Trains found, and how many births they hold together.
#[derive(Default)]
struct Trains {
    cadences: Vec<Cadence>,
    taken: u64,
}

/// Looks for trains twice, where births fall into beats of several: once with each birth by itself, once
/// beat by beat; the way that explains more is kept.
fn trains(births: &[f64], window: &Window) -> Trains {
    let single = Events::gather(births, 0.0);
    let beats = events::beat_gap(births, window.resolution_s)
        .map(|gap| Events::gather(births, gap))
        .filter(|beats| beats.len() < single.len());
    let mut best = pursue(single, window);
    if let Some(beats) = beats {
        let by_beats = pursue(beats, window);
        // Single births of a beat form trains too, one for each; fewer trains for the same births say more.
        let as_much = by_beats.taken as f64 >= 0.98 * best.taken as f64;
        let simpler = by_beats.cadences.len() <= best.cadences.len() && !by_beats.cadences.is_empty();
        if by_beats.taken > best.taken || (as_much && simpler) {
            best = by_beats;
        }
    }
    if best.cadences.is_empty()
        && let Some(flow) = dense_flow(births, window)
    {
        best = Trains { taken: births.len() as u64, cadences: vec![flow] };
    }
    best
}

/// Takes out the strongest train, again and again.
fn pursue(mut events: Events, window: &Window) -> Trains {
    let mut trains = Trains::default();
    for round in 0..MOST_TRAINS {
        let least = if round == 0 { LEAST_BIRTHS } else { LEAST_IN_NEXT };
        let Some(train) = search::strongest(&events, window.resolution_s, least) else { break };
        let (cadence, taken) = fit::measure_and_take(&train, &mut events, window);
        trains.cadences.push(cadence);
        trains.taken += taken;
    }
    trains
}

/// Only where single beats cannot be seen, so that this never speaks for what the comb has refused.
fn dense_flow(births: &[f64], window: &Window) -> Option<Cadence> {
    let span = births.last()? - births.first()?;
    let dense = span < search::SHORTEST_TICKS * window.resolution_s * births.len() as f64;
    dense.then(|| density::steady_flow(births, window.resolution_s)).flatten()
}

#[cfg(test)]
mod tests;
