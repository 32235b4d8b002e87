//! The gates: what growth must show besides telling the best story, before it is called a leak. Each is
//! there because something healthy passes all the others.

use super::contest::Grows;
use super::linear::{inflation, line, range};
use super::stories::Shape;

/// Which gate the growth did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Another story tells it as well.
    Story,
    /// Less than matters.
    Small,
    /// The trend does not stand out from the scatter.
    Unsure,
    /// Few jumps carry it all.
    Spread,
    /// It gave back much of it on the way.
    GivesBack,
    /// The last third does not rise.
    Stopped,
    /// The last third rises much less than the second.
    Slows,
}

/// By how much the growing story must beat the others (BIC).
const LEAD: f64 = 2.0;
/// The slope in multiples of its error.
const SURE: f64 = 8.0;
/// Into how many equal jumps the floor's rise is worth, at least (inverse participation).
const SPREAD: f64 = 4.0;
/// The deepest fall on the way, as a share of the growth.
const GIVES_BACK: f64 = 0.6;
/// The last third's rise, as a share of the whole.
const STOPPED: f64 = 0.15;
/// The last third's slope, as a share of the second's, and how sure that is.
const SLOWS: f64 = 0.7;
const SLOWS_SURELY: f64 = 2.5;

/// What was measured of the growth.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// The gates not passed.
    pub(super) failed: Vec<Gate>,
    /// The floors with waves taken out.
    pub(super) trend: Vec<f64>,
}

/// Puts growth to the test. `at`: the blocks' times; `values`: their floors; `need`: the least that matters.
pub(super) fn test(at: &[f64], values: &[f64], grows: &Grows, lead: f64, need: f64) -> Measured {
    let n = values.len();
    let mean = super::linear::mean(values);
    let trend: Vec<f64> = match &grows.wave {
        Some(wave) => values.iter().zip(wave).map(|(v, w)| v - w).collect(),
        None => values.to_vec(),
    };
    let growth = grows.growth;
    let span = at[n - 1] - at[0];
    let mut failed = Vec::new();
    let mut fail = |gate, is| {
        if is {
            failed.push(gate);
        }
    };
    fail(Gate::Story, lead < LEAD);
    fail(Gate::Small, growth < need);

    let unit: Vec<f64> = (0..n).map(|k| k as f64 / (n - 1) as f64 - 0.5).collect();
    let spread: f64 = unit.iter().map(|u| u * u).sum();
    let slope: f64 = unit.iter().zip(&trend).map(|(u, v)| u * v).sum::<f64>() / spread;
    let residual: Vec<f64> = values.iter().zip(&grows.fitted).map(|(v, f)| v - mean - f).collect();
    let squares: f64 = residual.iter().map(|r| r * r).sum();
    let lagged: f64 = residual.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let columns = columns(grows.shape);
    let error = (squares / n.saturating_sub(columns).max(1) as f64 / spread).sqrt()
        * inflation(super::linear::correlation(squares, lagged, n));
    fail(Gate::Unsure, slope / (error + 1e-9) < SURE);

    let mut floor = trend.clone();
    for k in (0..n - 1).rev() {
        floor[k] = floor[k].min(floor[k + 1]);
    }
    let rises: Vec<f64> = floor.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let total: f64 = rises.iter().sum();
    let squared: f64 = rises.iter().map(|r| r * r).sum();
    fail(Gate::Spread, total * total / (squared + 1e-12) < SPREAD);

    let width = if n >= 16 { 4 } else { 2 };
    let (mut highest, mut deepest) = (f64::NEG_INFINITY, 0.0_f64);
    for part in trend.windows(width) {
        let level = super::linear::mean(part);
        highest = highest.max(level);
        deepest = deepest.max(highest - level);
    }
    fail(Gate::GivesBack, deepest / (growth.abs() + 1e-9) > GIVES_BACK);

    let third = n / 3;
    let last = theil_sen(&at[n - third - 1..], &trend[n - third - 1..]) * span;
    fail(Gate::Stopped, growth <= 0.0 || last / (growth + 1e-9) < STOPPED);
    let second = line(&at[third..2 * n / 3], &trend[third..2 * n / 3]);
    let third = line(&at[2 * n / 3..], &trend[2 * n / 3..]);
    let sure = (second.slope - third.slope) / (second.error.hypot(third.error) + 1e-12);
    fail(Gate::Slows, second.slope > 0.0 && third.slope < SLOWS * second.slope && sure > SLOWS_SURELY);
    Measured { failed, trend }
}

fn columns(shape: Shape) -> usize {
    match shape {
        Shape::WaveLine(_) => 4,
        Shape::SaturatingLine(_) | Shape::Wave(_) => 3,
        _ => 2,
    }
}

fn theil_sen(at: &[f64], values: &[f64]) -> f64 {
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

/// The present rate: over all of it when it is steady, since the knot when it began late, else over the last
/// third; with its standard error.
pub(super) fn rate(at: &[f64], trend: &[f64], shape: Shape) -> (f64, f64) {
    let n = trend.len();
    let from = match shape {
        Shape::Line | Shape::WaveLine(_) => 0,
        Shape::FlatLine(knot) => (knot + 1).min(n.saturating_sub(8)),
        _ => n - (n / 3).max(8).min(n),
    };
    let fit = line(&at[from..], &trend[from..]);
    let length = at[n - 1] - at[from];
    let mut rises: Vec<f64> = trend.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).collect();
    let largest = rises.iter().copied().fold(0.0, f64::max);
    let middle = rises.len() / 2;
    let typical = *rises.select_nth_unstable_by(middle, f64::total_cmp).1;
    let by_jumps = (largest - typical).max(0.0) / 3.0_f64.sqrt() / length;
    let by_resolution = 2e-3 * range(trend) / length;
    let error = (fit.error * inflation(fit.correlation)).hypot(by_jumps).hypot(by_resolution);
    (fit.slope, error)
}
