//! What a train that was found measures: period with its error, jitter, missed beats, births per beat.

use model::Cadence;

use crate::stats::{Line, mean, median, standard_deviation};

use super::Window;
use super::comb::missed_between;
use super::events::Events;
use super::phase;
use super::search::Train;

/// Residuals of neighbouring beats that agree this much (lag-1 autocorrelation) belong to a train whose
/// deviations add up: a fixed delay after the end of each run, not a fixed rate.
const RENEWAL_CORRELATION: f64 = 0.5;

/// Beats needed before that correlation means anything.
const LEAST_FOR_CORRELATION: usize = 9;

/// Share of the beats that must have the typical number of births for that number to be the train's own;
/// a beat with more then also holds births of another train.
const LEAST_TYPICAL: f64 = 0.75;

/// Measures a train, and takes its births out of `events`. Returns the births that were taken too.
pub(super) fn measure_and_take(train: &Train, events: &mut Events, window: &Window) -> (Cadence, u64) {
    let hits = &train.run.hits;
    let first_beat = hits.first().map_or(0, |hit| hit.beat);
    let times: Vec<f64> = hits.iter().map(|hit| events.times[hit.event]).collect();
    let beats: Vec<f64> = hits.iter().map(|hit| (hit.beat - first_beat) as f64).collect();
    let timing = Timing::of(&beats, &times, window.resolution_s, train.comb.period);
    let missed: i64 = hits.windows(2).map(missed_between).sum();
    let taken = take(train, events);
    let cadence = Cadence {
        period_s: timing.period,
        period_error_s: timing.period_error,
        jitter_s: timing.jitter,
        phase_s: phase::standing(&times, &timing, window),
        events: hits.len() as u64,
        missed: missed.max(0) as u64,
        per_event: taken as f64 / hits.len().max(1) as f64,
    };
    (cadence, taken)
}

/// Period and jitter in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timing {
    pub(super) period: f64,
    pub(super) period_error: f64,
    pub(super) jitter: f64,
}

impl Timing {
    fn of(beats: &[f64], times: &[f64], resolution_s: f64, comb_period: f64) -> Self {
        // A time that is cut to whole ticks is off by up to one: uniform, so 1/√12 of it.
        let tick_deviation = resolution_s / 12.0_f64.sqrt();
        let span = beats.last().copied().unwrap_or(0.0).max(1.0);
        let Some(line) = Line::fit(beats, times) else {
            return Self { period: comb_period, period_error: tick_deviation, jitter: 0.0 };
        };
        let residuals: Vec<f64> = beats.iter().zip(times).map(|(beat, time)| time - line.at(*beat)).collect();

        let (period, error, deviation, ticks_in_deviation) = if is_renewal(&residuals) {
            // The mean of the intervals uses only the ends: what lies between adds nothing when the
            // deviations add up, and least squares would promise too small an error.
            let intervals: Vec<f64> = beats
                .windows(2)
                .zip(times.windows(2))
                .map(|(beat, time)| (time[1] - time[0]) / (beat[1] - beat[0]).max(1.0))
                .collect();
            let deviation = standard_deviation(&intervals);
            let period = (times[times.len() - 1] - times[0]) / span;
            (period, deviation / (intervals.len() as f64).sqrt(), deviation, 2.0_f64.sqrt())
        } else {
            (line.slope, line.slope_error, standard_deviation(&residuals), 1.0)
        };
        let tick_share = tick_deviation * ticks_in_deviation;
        Self {
            period,
            period_error: error.max(tick_deviation / span),
            jitter: (deviation.powi(2) - tick_share.powi(2)).max(0.0).sqrt(),
        }
    }
}

fn is_renewal(residuals: &[f64]) -> bool {
    if residuals.len() < LEAST_FOR_CORRELATION {
        return false;
    }
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let shared: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    squares > 0.0 && shared / squares > RENEWAL_CORRELATION
}

/// Takes the train's births out of the events and returns how many they were.
fn take(train: &Train, events: &mut Events) -> u64 {
    let weights: Vec<f64> = train.run.hits.iter().map(|hit| f64::from(events.weights[hit.event])).collect();
    let typical = median(&weights).unwrap_or(1.0).max(1.0);
    let alike: Vec<f64> = weights.iter().map(|&weight| f64::from(u8::from(weight == typical))).collect();
    let limit = if mean(&alike) >= LEAST_TYPICAL { typical as u32 } else { u32::MAX };
    let mut taken = 0;
    for hit in &train.run.hits {
        let weight = &mut events.weights[hit.event];
        let part = (*weight).min(limit);
        taken += u64::from(part);
        *weight -= part;
    }
    let mut left = events.weights.iter().map(|&weight| weight > 0);
    events.times.retain(|_| left.next().unwrap_or(false));
    events.weights.retain(|&weight| weight > 0);
    taken
}
