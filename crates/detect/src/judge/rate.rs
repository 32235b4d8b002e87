//! The present rate of growth, with its error.

use super::linear::{inflation, line, range};
use super::stories::Shape;

/// Few powers are tried, and the truth lies between them: so far off may the slope at the end be.
const BETWEEN_POWERS: f64 = 0.1;

/// Over all of it when it is steady, since the knot when it began late, else over the last third; with its
/// standard error.
pub(super) fn rate(at: &[f64], trend: &[f64], shape: Shape, growth: f64) -> (f64, f64) {
    let n = trend.len();
    if let Shape::Power(power) = shape {
        // It rises ever faster: what it does now is the curve's slope at its end.
        let now = growth * power / (at[n - 1] - at[0]);
        return (now, BETWEEN_POWERS * now.abs());
    }
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
