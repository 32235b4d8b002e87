//! The gates: what growth must show besides telling the best story, before it is called a leak. Each is
//! there because something healthy passes all the others.

use super::contest::Grows;
use super::drift::drift;
use super::floors::Floors;
use super::linear::{Fit, correlation, inflation, line, mean, range};
use super::rate::without_wave;
use super::stories::Shape;

/// Which gate the growth did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Another story tells it as well: steps, a plateau, waves.
    Story,
    /// Less than matters.
    Small,
    /// The trend does not stand out from the scatter.
    Unsure,
    /// It may as well wander: a random walk, a pool under a slow load.
    Wanders,
    /// Few jumps carry it all.
    Spread,
    /// It gave back much of it on the way.
    GivesBack,
    /// The last third does not rise.
    Stopped,
    /// The last third rises much less than the second.
    Slows,
}

/// How far the growing story may be behind the best other one (BIC): the gates below decide what this leaves
/// open. Waves on a line must lead; a warm-up with a line on it, which nearly any slowing rise can be told
/// as, must lead clearly.
const LEAD: f64 = -4.0;
const LEAD_OF_WAVES: f64 = 0.0;
const LEAD_AFTER_WARM_UP: f64 = 5.0;
/// The slope in multiples of its error.
const SURE: f64 = 4.0;
/// The drift of the floors, or of floors and means together, in multiples of its error.
const DRIFT: f64 = 2.9;
/// The same once waves, or the flat beginning, are taken out: what remains must fit as well as this.
const DRIFT_WITHOUT_WAVES: f64 = 4.0;
const FIT_OF_WAVES: f64 = 4.0;
const DRIFT_AFTER_START: f64 = 8.0;
const FIT_AFTER_START: f64 = 6.0;
/// A rise in jumps of all sizes drifts unsurely; that it hardly ever falls says as much.
const HARDLY_FALLS: f64 = 0.15;
const DRIFT_WITHOUT_FALLS: f64 = 2.5;
/// Into how many equal jumps the floor's rise is worth, at least (inverse participation).
const SPREAD: f64 = 3.0;
/// The deepest fall on the way, as a share of the growth.
const GIVES_BACK: f64 = 0.6;
/// The last third's rise, as a share of the whole.
const STOPPED: f64 = 0.12;
/// The last third's slope, as a share of the second's, and how sure that is.
const SLOWS: f64 = 0.5;
const SLOWS_SURELY: f64 = 3.0;
/// Deviations below this share of the range are the resolution of the floors.
const RESOLUTION: f64 = 2e-3;

/// Puts growth to the test, and says which gates it does not pass. `lead`: of its story over the best other one; `need`: the least that matters.
pub(super) fn test(floors: &Floors, grows: &Grows, lead: f64, need: f64) -> Vec<Gate> {
    let (at, values) = (&floors.at, &floors.value);
    let n = values.len();
    let trend = without_wave(values, grows);
    let residual: Vec<f64> = {
        let mean = mean(values);
        values.iter().zip(&grows.fitted).map(|(v, f)| v - mean - f).collect()
    };
    let growth = grows.growth;
    let mut failed = Vec::new();
    let mut fail = |gate, is: bool| {
        if is {
            failed.push(gate);
        }
    };
    let must_lead = match grows.shape {
        Shape::WaveLine(_) => LEAD_OF_WAVES,
        Shape::SaturatingLine(_) => LEAD_AFTER_WARM_UP,
        _ => LEAD,
    };
    fail(Gate::Story, lead < must_lead);
    fail(Gate::Small, growth < need);
    fail(Gate::Unsure, slope_in_errors(&trend, &residual, columns(grows.shape)) < SURE);
    fail(Gate::Wanders, !drifts(floors, grows, &trend, &residual));
    fail(Gate::Spread, equal_jumps(&straightened(&residual, growth)) < SPREAD);
    fail(Gate::GivesBack, deepest_fall(&trend) / (growth.abs() + 1e-9) > GIVES_BACK);

    let span = at[n - 1] - at[0];
    let third = n / 3;
    let last = middle_slope(&at[n - third - 1..], &trend[n - third - 1..]) * span;
    fail(Gate::Stopped, growth <= 0.0 || last / (growth + 1e-9) < STOPPED);
    let second = line(&at[third..2 * n / 3], &trend[third..2 * n / 3]);
    let third = line(&at[2 * n / 3..], &trend[2 * n / 3..]);
    // Where the level wanders, its slopes differ from third to third; a warm-up that bends must not hide so.
    let bends = matches!(grows.shape, Shape::SaturatingLine(_));
    let error = |fit: &Fit| fit.error * if bends { 1.0 } else { inflation(fit.correlation) };
    let sure = (second.slope - third.slope) / (error(&second).hypot(error(&third)) + 1e-12);
    fail(Gate::Slows, second.slope > 0.0 && third.slope < SLOWS * second.slope && sure > SLOWS_SURELY);
    failed
}

/// Columns of the story, for the degrees of freedom.
fn columns(shape: Shape) -> usize {
    match shape {
        Shape::WaveLine(_) => 4,
        Shape::SaturatingLine(_) | Shape::Wave(_) => 3,
        _ => 2,
    }
}

fn slope_in_errors(trend: &[f64], residual: &[f64], columns: usize) -> f64 {
    let n = trend.len();
    let unit = |k: usize| k as f64 / (n - 1) as f64 - 0.5;
    let spread: f64 = (0..n).map(|k| unit(k).powi(2)).sum();
    let slope: f64 = trend.iter().enumerate().map(|(k, v)| unit(k) * v).sum::<f64>() / spread;
    let squares: f64 = residual.iter().map(|r| r * r).sum();
    let lagged: f64 = residual.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let error = (squares / n.saturating_sub(columns).max(1) as f64 / spread).sqrt()
        * inflation(correlation(squares, lagged, n));
    slope / (error + 1e-9)
}

/// Is this more than wandering?
fn drifts(floors: &Floors, grows: &Grows, trend: &[f64], residual: &[f64]) -> bool {
    let of = |values: &[f64], whole: &[f64]| drift(values, RESOLUTION * range(whole) + 1e-9);
    let by_floors = of(&floors.value, &floors.value);
    if by_floors >= DRIFT || 0.5 * (by_floors + of(&floors.mean, &floors.mean)) >= DRIFT {
        return true;
    }
    let squares: f64 = residual.iter().map(|r| r * r).sum();
    let fit = grows.growth / (2.0 * (squares / residual.len() as f64).sqrt() + 1e-9);
    let by_shape = match grows.shape {
        Shape::WaveLine(_) => fit >= FIT_OF_WAVES && of(trend, &floors.value) >= DRIFT_WITHOUT_WAVES,
        Shape::FlatLine(_) => {
            let straight = straightened(residual, grows.growth);
            fit >= FIT_AFTER_START && of(&straight, &floors.value) >= DRIFT_AFTER_START
        }
        _ => false,
    };
    let falls: f64 = trend.windows(2).map(|pair| (pair[0] - pair[1]).max(0.0)).sum();
    let rises: f64 = trend.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).sum();
    by_shape
        || falls < HARDLY_FALLS * rises && of(&trend[trend.len() / 3..], &floors.value) >= DRIFT_WITHOUT_FALLS
}

/// What is left of the values when the story's shape is made a straight line.
fn straightened(residual: &[f64], growth: f64) -> Vec<f64> {
    let last = (residual.len() - 1) as f64;
    residual.iter().enumerate().map(|(k, r)| r + growth * k as f64 / last).collect()
}

/// Into how many equal jumps the rise of what is never fallen below is worth.
fn equal_jumps(values: &[f64]) -> f64 {
    let mut floor = values.to_vec();
    for k in (0..floor.len().saturating_sub(1)).rev() {
        floor[k] = floor[k].min(floor[k + 1]);
    }
    let rises = floor.windows(2).map(|pair| pair[1] - pair[0]);
    let (total, squares) = rises.fold((0.0, 0.0), |(sum, squares), r| (sum + r, squares + r * r));
    total * total / (squares + 1e-12)
}

/// The deepest fall below what was reached before, of four blocks' means.
fn deepest_fall(trend: &[f64]) -> f64 {
    let width = if trend.len() >= 16 { 4 } else { 2 };
    let (mut highest, mut deepest) = (f64::NEG_INFINITY, 0.0_f64);
    for part in trend.windows(width) {
        let level = mean(part);
        highest = highest.max(level);
        deepest = deepest.max(highest - level);
    }
    deepest
}

/// Theil–Sen.
fn middle_slope(at: &[f64], values: &[f64]) -> f64 {
    let mut slopes = Vec::with_capacity(at.len() * at.len() / 2);
    for i in 0..at.len() {
        for j in i + 1..at.len() {
            slopes.push((values[j] - values[i]) / (at[j] - at[i]));
        }
    }
    if slopes.is_empty() {
        return 0.0;
    }
    let middle = slopes.len() / 2;
    *slopes.select_nth_unstable_by(middle, f64::total_cmp).1
}
