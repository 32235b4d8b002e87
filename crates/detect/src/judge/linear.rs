//! Straight lines over the few values that the judge reduces a series to.

/// An ordinary least-squares line.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// Rise per unit of x.
    pub(super) slope: f64,
    /// Its standard error for independent residuals.
    pub(super) error: f64,
    /// Sum of squared residuals.
    pub(super) squares: f64,
    /// Lag-1 autocorrelation of the residuals, corrected for the bias of a few, 0 to 0.95.
    pub(super) correlation: f64,
}

/// Fits y over x; a slope of 0 with an endless error for fewer than three points.
pub(super) fn line(x: &[f64], y: &[f64]) -> Fit {
    let n = x.len().min(y.len());
    let nothing = Fit { slope: 0.0, error: f64::INFINITY, squares: 0.0, correlation: 0.0 };
    if n < 3 {
        return nothing;
    }
    let (xm, ym) = (mean(&x[..n]), mean(&y[..n]));
    let (mut xx, mut xy) = (0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        xx += (a - xm) * (a - xm);
        xy += (a - xm) * (b - ym);
    }
    if xx <= 0.0 {
        return nothing;
    }
    let slope = xy / xx;
    let (mut squares, mut lagged, mut previous) = (0.0, 0.0, None);
    for (a, b) in x.iter().zip(y) {
        let r = b - ym - slope * (a - xm);
        squares += r * r;
        lagged += previous.map_or(0.0, |p: f64| p * r);
        previous = Some(r);
    }
    let error = (squares / (n.saturating_sub(2)).max(1) as f64 / xx).sqrt();
    Fit { slope, error, squares, correlation: correlation(squares, lagged, n) }
}

/// Lag-1 autocorrelation from its sums, corrected for the bias of few residuals.
pub(super) fn correlation(squares: f64, lagged: f64, n: usize) -> f64 {
    let rho = if squares > 0.0 { lagged / squares } else { 0.0 };
    (rho + (2.0 + 4.0 * rho) / n as f64).clamp(0.0, 0.95)
}

/// By how much autocorrelated residuals widen an error.
pub(super) fn inflation(correlation: f64) -> f64 {
    ((1.0 + correlation) / (1.0 - correlation)).sqrt()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Largest less smallest.
pub(super) fn range(values: &[f64]) -> f64 {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| {
        (low.min(v), high.max(v))
    });
    if high >= low { high - low } else { 0.0 }
}
