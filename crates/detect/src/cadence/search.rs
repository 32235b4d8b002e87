//! Finds the strongest train among events: candidates are tried on a bounded sample, the best one is then
//! followed through all events.

use crate::stats::Line;

use super::candidates;
use super::comb::{Comb, Hit, LEAST_CONTRAST, Run};
use super::events::Events;

/// Events that candidates are tried on, at most: the cost of a search does not depend on how long the leak
/// has run.
const SAMPLE: usize = 256;

/// Tolerances tried, as shares of the period: from a timer's jitter to a job whose own duration varies.
const TOLERANCES: [f64; 5] = [0.01, 0.04, 0.1, 0.2, 0.3];

/// Gains tried: a fixed rate, whose deviations don't add up, and a fixed delay, whose deviations do.
const GAINS: [f64; 2] = [0.1, 0.8];

/// No tolerance is narrower than this many ticks: the times themselves are not better known.
const LEAST_TOLERANCE_TICKS: f64 = 0.75;

/// Nor wider than this share of the period: neighbouring beats' windows must stay apart.
const WIDEST_TOLERANCE: f64 = 0.36;

/// Periods below this many ticks cannot be seen by single events.
pub(super) const SHORTEST_TICKS: f64 = 4.0;

/// Log-likelihood ratio that a train must reach; tests/cadence.rs counts what passes by chance.
const LEAST_SCORE: f64 = 10.0;

/// Share of the events that a train must hold: a few events in step among many that are not prove nothing.
const LEAST_SHARE: f64 = 0.25;

/// Events a comb is laid through in turn, spread over the sample: any of them may be a stray.
const SEEDS: usize = 5;

/// A train found: its comb and the events it holds.
#[derive(Clone, Debug)]
pub(super) struct Train {
    /// The comb that fits it best.
    pub(super) comb: Comb,
    /// Its beats that were met.
    pub(super) run: Run,
}

/// The strongest train of at least `least_events`, if there is one.
pub(super) fn strongest(events: &Events, resolution_s: f64, least_events: usize) -> Option<Train> {
    let count = events.len();
    if count < least_events.max(3) {
        return None;
    }
    // The newest events first: what runs now matters most. When those are a mere crowd, older ones may show
    // the train that the crowd joined.
    let newest = count.saturating_sub(SAMPLE);
    let middle = newest / 2;
    let mut starts = vec![newest, middle, 0];
    starts.dedup();
    starts.into_iter().find_map(|start| {
        let sample = events.part(start..(start + SAMPLE).min(count));
        let train = strongest_in_sample(&sample, resolution_s, least_events)?;
        let seed = start + train.run.hits[train.run.hits.len() / 2].event;
        let ground = Ground::new(&events.times, resolution_s);
        let all = if count <= SAMPLE { train } else { ground.follow(train.comb, seed)? };
        Some(ground.widen(accept(all, events, least_events)?, seed))
    })
}

fn strongest_in_sample(sample: &Events, resolution_s: f64, least_events: usize) -> Option<Train> {
    let ground = Ground::new(&sample.times, resolution_s);
    let mut best: Option<Train> = None;
    for period in candidates::periods(&sample.times, SHORTEST_TICKS * resolution_s) {
        let Some(first) = ground.best_comb(period) else { continue };
        let train = ground.refine(first);
        if best.as_ref().is_none_or(|best| train.run.score > best.run.score) {
            best = Some(train);
        }
    }
    accept(best?, sample, least_events)
}

fn accept(train: Train, events: &Events, least_events: usize) -> Option<Train> {
    let held = train.run.hits.len();
    let enough = held >= least_events && held as f64 >= LEAST_SHARE * events.len() as f64;
    (enough && train.run.score >= LEAST_SCORE).then_some(train)
}

/// The events that combs are laid over.
struct Ground<'a> {
    times: &'a [f64],
    mirrored: Vec<f64>,
    resolution_s: f64,
}

impl<'a> Ground<'a> {
    fn new(times: &'a [f64], resolution_s: f64) -> Self {
        Self { times, mirrored: times.iter().rev().map(|time| -time).collect(), resolution_s }
    }

    /// The best run of this period over all tolerances, gains and seeds.
    fn best_comb(&self, period: f64) -> Option<Train> {
        let mut best: Option<Train> = None;
        let mut hits = Vec::with_capacity(self.times.len());
        let mut narrower = 0.0;
        for share in TOLERANCES {
            let tolerance = (share * period).max(LEAST_TOLERANCE_TICKS * self.resolution_s);
            if tolerance > WIDEST_TOLERANCE * period || tolerance == narrower {
                continue;
            }
            narrower = tolerance;
            for gain in GAINS {
                let comb = Comb { period, tolerance, gain };
                for seed in seeds(self.times.len()) {
                    // A seed that the run before already holds would lead to the same run.
                    if hits.binary_search_by_key(&seed, |hit: &Hit| hit.event).is_ok() {
                        continue;
                    }
                    comb.lay(self.times, &self.mirrored, seed, &mut hits);
                    let floor = best.as_ref().map_or(0.0, |best: &Train| best.run.score);
                    let run = comb.judge(&hits, self.times.len(), self.resolution_s, floor);
                    best = run.map(|run| Train { comb, run }).or(best);
                }
                hits.clear();
            }
        }
        best
    }

    /// Lays the comb again with the period that its own events give, while that makes it better.
    fn refine(&self, mut train: Train) -> Train {
        for _ in 0..2 {
            let Some(period) = fitted_period(&train.run.hits, self.times) else { break };
            if (period / train.comb.period - 1.0).abs() > 0.1 {
                break;
            }
            match self.best_comb(period) {
                Some(better) if better.run.score > train.run.score => train = better,
                _ => break,
            }
        }
        train
    }

    /// Follows a comb from a seed through all events, correcting its period once by what it meets.
    fn follow(&self, comb: Comb, seed: usize) -> Option<Train> {
        let mut best: Option<Train> = None;
        let mut comb = comb;
        let mut hits = Vec::with_capacity(self.times.len());
        for _ in 0..2 {
            comb.lay(self.times, &self.mirrored, seed, &mut hits);
            let Some(run) = comb.judge(&hits, self.times.len(), self.resolution_s, 0.0) else { break };
            let period = fitted_period(&run.hits, self.times).unwrap_or(comb.period);
            if best.as_ref().is_none_or(|best| run.score > best.run.score) {
                best = Some(Train { comb, run });
            }
            comb.period = period;
        }
        best
    }

    /// Widens the tolerance while that adds events which crowd around the beats: the score prefers a narrow
    /// comb even where that leaves a late beat out, and what is left out would look like a stray.
    fn widen(&self, mut train: Train, seed: usize) -> Train {
        let mut hits = Vec::with_capacity(self.times.len());
        for share in TOLERANCES {
            let comb = Comb { tolerance: share * train.comb.period, ..train.comb };
            if comb.tolerance <= train.comb.tolerance {
                continue;
            }
            comb.lay(self.times, &self.mirrored, seed, &mut hits);
            let Some(run) = comb.judge(&hits, self.times.len(), self.resolution_s, 0.0) else { continue };
            let added = run.hits.len().saturating_sub(train.run.hits.len()) as f64;
            let (first, last) = (run.hits[0], run.hits[run.hits.len() - 1]);
            let beats = (last.beat - first.beat + 1) as f64;
            let ring = 2.0 * (comb.tolerance - train.comb.tolerance) * beats;
            let outside = (comb.period - 2.0 * comb.tolerance) * beats;
            // Half an event more, so that an empty outside does not make any ring dense.
            let strays = (last.event - first.event + 1 - run.hits.len()) as f64 + 0.5;
            if added / ring >= LEAST_CONTRAST * strays / outside {
                train = Train { comb, run };
            }
        }
        train
    }
}

/// Event indices spread over all of them, the oldest and the newest included.
fn seeds(count: usize) -> impl Iterator<Item = usize> {
    let wanted = SEEDS.min(count);
    (0..wanted).map(move |k| if wanted < 2 { 0 } else { k * (count - 1) / (wanted - 1) })
}

/// The period that the events met give: the slope of time over beat.
fn fitted_period(hits: &[Hit], times: &[f64]) -> Option<f64> {
    let first = hits.first()?.beat;
    let beats: Vec<f64> = hits.iter().map(|hit| (hit.beat - first) as f64).collect();
    let at: Vec<f64> = hits.iter().map(|hit| times[hit.event]).collect();
    Line::fit(&beats, &at).map(|line| line.slope).filter(|&slope| slope > 0.0)
}
