//! A pool that grew to its size: births crowded into a small part of the process's life.

use model::Cadence;

use super::Window;

/// Share of the births that makes "nearly all".
const NEARLY_ALL: f64 = 0.9;

/// Share of the process's life that counts as a small part.
const SMALL_PART: f64 = 0.1;

/// How unlikely evenly spread births must be to have all come as early as they did.
const UNLIKELY: f64 = 0.002;

/// A train that is this many beats late has stopped.
const BEATS_LATE: f64 = 4.0;

/// A regular train that has stopped was a pool's growth when it lasted no longer than this, in seconds.
const START_UP_S: f64 = 60.0;

/// Births are still coming when the silence since the last is at most this many mean gaps.
const GAPS_OF_SILENCE: f64 = 4.0;

/// Did (nearly) all of these births come in one burst that is over? `births` sorted, in seconds, not empty.
pub(super) fn is_burst(births: &[f64], window: &Window) -> bool {
    let (Some(&first), Some(&last)) = (births.first(), births.last()) else { return false };
    let age = (window.end_s - window.start_s.min(first)).max(0.0);
    let held = ((births.len() as f64 * NEARLY_ALL).ceil() as usize).clamp(1, births.len());
    let shortest = births
        .windows(held)
        .map(|part| (part[held - 1] - part[0], part[held - 1]))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let Some((length, burst_end)) = shortest else { return false };
    let mean_gap = (length / (held - 1).max(1) as f64).max(window.resolution_s);
    let over = window.end_s - burst_end > GAPS_OF_SILENCE * mean_gap;
    let crowded = length <= SMALL_PART * age;
    over && (crowded || came_early(births.len(), last - window.start_s.min(first), age))
}

/// Are the births so early in the process's life that evenly spread ones would hardly ever be?
fn came_early(count: usize, until: f64, age: f64) -> bool {
    age > 0.0 && (until / age).clamp(0.0, 1.0).powf(count as f64) < UNLIKELY
}

/// Is this regular train only the growth of a pool: short, and over? One that lasted, or that still runs, is
/// none, whatever part of the process's life it fills.
pub(super) fn is_start_up_train(births: &[f64], cadences: &[Cadence], window: &Window) -> bool {
    let (Some(first), Some(last)) = (births.first(), births.last()) else { return false };
    let slowest = cadences.iter().map(|train| train.period_s).fold(0.0, f64::max);
    let stopped = window.end_s - last > BEATS_LATE * slowest.max(window.resolution_s);
    let age = (window.end_s - window.start_s.min(*first)).max(0.0);
    let lasted = last - first;
    stopped && (lasted <= START_UP_S || lasted <= SMALL_PART * age)
}
