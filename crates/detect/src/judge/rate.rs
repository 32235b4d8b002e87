//! The present rate of growth, with its error.
//!
//! Least squares promise too much: a leak comes in jumps of all sizes, with the load, over a level that wanders,
//! and its errors add up from block to block. So the error is that of the drift ([`super::drift()`]): as wide as
//! the increments between blocks are uneven, as narrow as scatter about a straight line allows. What the
//! choice of a knot or a power leaves open comes on top: neighbours of the chosen one are weighed by how well
//! they fit, with as many values as are left once the residuals' correlation is counted.

use super::contest::Grows;
use super::drift::drift_and_error;
use super::floors::Floors;
use super::linear::{correlation, line, mean, range};
use super::stories::Shape;

/// Deviations below this share of the range are the resolution of the floors.
const RESOLUTION: f64 = 2e-3;

/// The shortest end that a rate is measured over.
const LEAST_END: usize = 8;

/// Powers weighed: 1 to 4 in quarters.
const POWERS: std::ops::RangeInclusive<u32> = 4..=16;

/// A deviation of which no more is known than its bounds is spread evenly between them.
fn evenly(bound: f64) -> f64 {
    bound.abs() / 3.0_f64.sqrt()
}

/// The rate now and its standard error: by the story that grows, and by its rival as far as that is as likely.
pub(super) fn rate(floors: &Floors, grows: &Grows, rival: Option<&(Grows, f64)>) -> (f64, f64) {
    let n = floors.value.len();
    let width = (floors.at[n - 1] - floors.at[0]) / (n - 1) as f64;
    let (mut rate, mut error) = by_story(&floors.value, grows);
    if let Some((rival, likely)) = rival {
        let (other, other_error) = by_story(&floors.value, rival);
        let apart = likely * (1.0 - likely) * (rate - other).powi(2);
        error = ((1.0 - likely) * error.powi(2) + likely * other_error.powi(2) + apart).sqrt();
        rate += likely * (other - rate);
    }
    (rate / width, error / width)
}

/// Per block: over all of it when it is steady, since the knot when it began late, at its end when it rises ever
/// faster, else over the last third.
fn by_story(values: &[f64], grows: &Grows) -> (f64, f64) {
    let n = values.len();
    let trend = &without_wave(values, grows);
    match grows.shape {
        Shape::Power(_) => at_the_end(trend, grows),
        Shape::FlatLine(knot) => since_the_knot(trend, grows, knot),
        Shape::WaveLine(_) => {
            // Waves that do not close within the window may belong to the growth: then the mean over all of
            // it is the rate.
            let (slope, error) = over(trend);
            let whole = (values[n - 1] - values[0]) / (n - 1) as f64;
            (slope, error.hypot(evenly(whole - slope)))
        }
        Shape::SaturatingLine(_) => {
            let (slope, error) = over(&trend[n - (n / 3).max(LEAST_END).min(n)..]);
            let told = grows.fitted[n - 1] - grows.fitted[n - 2];
            (slope, error.hypot(evenly(slope - told)))
        }
        _ => over(trend),
    }
}

/// The values with waves taken out.
pub(super) fn without_wave(values: &[f64], grows: &Grows) -> Vec<f64> {
    match &grows.wave {
        Some(wave) => values.iter().zip(wave).map(|(v, w)| v - w).collect(),
        None => values.to_vec(),
    }
}

/// Drift per block. The few differences that the error is estimated from widen it as Student's t does.
fn over(values: &[f64]) -> (f64, f64) {
    let resolution = RESOLUTION * range(values);
    let (slope, error) = drift_and_error(values, resolution).unwrap_or((0.0, f64::INFINITY));
    let left = values.len().saturating_sub(2).max(1) as f64;
    (slope, error * (1.0 + 1.3 / left))
}

/// Rises ever faster: the slope at the end of all powers, weighed.
fn at_the_end(trend: &[f64], grows: &Grows) -> (f64, f64) {
    let n = trend.len();
    let fits = POWERS.map(|quarters| {
        let power = f64::from(quarters) / 4.0;
        let shape: Vec<f64> = (0..n).map(|k| ((k as f64 + 0.5) / n as f64).powf(power)).collect();
        let fit = line(&shape, trend);
        (fit.squares, fit.slope * power / n as f64)
    });
    let (rate, between) = weigh(fits, trend, grows);
    // The floor of a rising block is somewhere between its beginning and its middle.
    let Shape::Power(power) = grows.shape else { return (rate, between) };
    let by_place = evenly(rate * (power - 1.0) * 0.5 / n as f64);
    (rate, between.hypot(by_place).hypot(rate * relative(trend, grows)))
}

/// Began late: the slope since all knots, weighed.
fn since_the_knot(trend: &[f64], grows: &Grows, knot: usize) -> (f64, f64) {
    let n = trend.len();
    let fits = (0..=n.saturating_sub(LEAST_END)).map(|knot| {
        let hinge: Vec<f64> = (0..n).map(|k| k.saturating_sub(knot) as f64).collect();
        let fit = line(&hinge, trend);
        (fit.squares, fit.slope)
    });
    let (rate, between) = weigh(fits, trend, grows);
    let (_, error) = over(&trend[(knot + 1).min(n.saturating_sub(LEAST_END))..]);
    (rate, between.hypot(error))
}

/// The error of the drift as a share of it, once the story's shape is made a straight line.
fn relative(trend: &[f64], grows: &Grows) -> f64 {
    let (slope, error) = over(&straightened(trend, grows));
    if slope > 0.0 { error / slope } else { 1.0 }
}

fn residuals(trend: &[f64], grows: &Grows) -> Vec<f64> {
    let middle = mean(trend);
    trend.iter().zip(&grows.fitted).map(|(v, f)| v - middle - f).collect()
}

fn straightened(trend: &[f64], grows: &Grows) -> Vec<f64> {
    let each = grows.growth / (trend.len() - 1) as f64;
    residuals(trend, grows).iter().enumerate().map(|(k, r)| r + each * k as f64).collect()
}

/// Mean and deviation of the fits' slopes, each by its likelihood.
fn weigh(fits: impl Iterator<Item = (f64, f64)>, trend: &[f64], grows: &Grows) -> (f64, f64) {
    let n = trend.len() as f64;
    let left = residuals(trend, grows);
    let squares: f64 = left.iter().map(|r| r * r).sum();
    let lagged: f64 = left.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let rho = correlation(squares, lagged, left.len());
    let worth = n * (1.0 - rho) / (1.0 + rho);
    let least = n * (RESOLUTION * range(trend)).powi(2) + f64::MIN_POSITIVE;
    let fits: Vec<(f64, f64)> =
        fits.map(|(squares, slope)| (-0.5 * worth * (squares + least).ln(), slope)).collect();
    let best = fits.iter().map(|fit| fit.0).fold(f64::NEG_INFINITY, f64::max);
    let weights = fits.iter().map(|fit| ((fit.0 - best).exp(), fit.1));
    let (all, sum, square) = weights.fold((0.0, 0.0, 0.0), |(all, sum, square), (weight, slope)| {
        (all + weight, sum + weight * slope, square + weight * slope * slope)
    });
    let middle = sum / all;
    (middle, (square / all - middle * middle).max(0.0).sqrt())
}
