//! The present rate of growth, with its error.

use super::linear::{inflation, line, range};
use super::stories::Shape;

/// Over all of it when it is steady, since the knot when it began late, else over the last third; with its
/// standard error.
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
