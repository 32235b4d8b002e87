//! Does it drift, or does it wander? A random walk ends far from where it began, and a straight line fits it
//! with a small error, because its errors add up. So the drift is measured under a model that lets the level
//! wander as far as its own steps say: a level that makes a random step from block to block, seen with noise
//! (the local level of structural time series, Harvey 1989). Its differences have a mean (the drift) and a
//! tridiagonal covariance with one unknown share; several shares are weighed by their restricted likelihood,
//! as a few blocks never tell the share for sure and the most likely one alone would promise too much.

/// Shares of the variance that are the level's own steps, from none to all.
const SHARES: [f64; 9] = [0.0, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1.0];

/// That the level does not wander at all is so many times as likely beforehand as any one degree of it: half as
/// likely as that it does.
const STILL: f64 = 4.0;

/// Drift per block in multiples of its error, the shares weighed by their likelihood; 0 for fewer than four
/// values. `resolution`: the smallest deviation that counts, so that exact values don't promise all.
#[must_use]
pub fn drift(values: &[f64], resolution: f64) -> f64 {
    weighed(values, resolution)
        .map_or(0.0, |found| found.iter().map(|one| one.weight * one.mean / one.variance.sqrt()).sum())
}

/// Drift per block and its standard error, both over all shares: what they disagree in is part of the error.
/// `None` for fewer than four values.
pub(super) fn drift_and_error(values: &[f64], resolution: f64) -> Option<(f64, f64)> {
    let mut found = weighed(values, resolution)?;
    found[0].weight *= STILL;
    let all: f64 = found.iter().map(|one| one.weight).sum();
    for one in &mut found {
        one.weight /= all;
    }
    let mean: f64 = found.iter().map(|one| one.weight * one.mean).sum();
    let variance: f64 = found.iter().map(|one| one.weight * (one.variance + (one.mean - mean).powi(2))).sum();
    Some((mean, variance.sqrt()))
}

/// By how much less a story costs (minus twice the log-likelihood) when what it leaves may wander, too, than
/// when it must be scatter. `drifts`: the story is free to rise further.
pub(super) fn wandering(rest: &[f64], resolution: f64, drifts: bool) -> f64 {
    let Some(found) = weighed(rest, resolution) else { return 0.0 };
    let cost = |one: &Found| if drifts { one.drifting } else { one.still };
    let least = found.iter().map(cost).fold(f64::INFINITY, f64::min);
    cost(&found[0]) - least
}

/// What one share of the level's steps makes of the values.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// Restricted log-likelihood.
    likelihood: f64,
    /// Its part of all shares' likelihood.
    weight: f64,
    /// Drift per block, and the variance of that.
    mean: f64,
    variance: f64,
    /// Minus twice the log-likelihood, without and with a drift.
    still: f64,
    drifting: f64,
}

fn weighed(values: &[f64], resolution: f64) -> Option<[Found; SHARES.len()]> {
    let mut found = [Found::default(); SHARES.len()];
    for (share, found) in SHARES.into_iter().zip(&mut found) {
        *found = with_share(values, resolution, share)?;
    }
    let best = found.iter().map(|one| one.likelihood).fold(f64::NEG_INFINITY, f64::max);
    let all: f64 = found.iter().map(|one| (one.likelihood - best).exp()).sum();
    for one in &mut found {
        one.weight = (one.likelihood - best).exp() / all;
    }
    Some(found)
}

/// Likelihood and drift for one share of the level's steps.
fn with_share(values: &[f64], resolution: f64, share: f64) -> Option<Found> {
    let m = values.len().checked_sub(1).filter(|m| *m >= 3)?;
    // Of differences: variance share + 2 (1 − share), covariance of neighbours −(1 − share). V = L D Lᵀ, and
    // x'V⁻¹y is a sum over the solved L.
    let (diagonal, beside) = (share + 2.0 * (1.0 - share), share - 1.0);
    let (mut log_det, mut ones, mut shared, mut squares) = (0.0, 0.0, 0.0, 0.0);
    let (mut pivot, mut one, mut step) = (diagonal, 0.0, 0.0);
    let mut factor = 0.0;
    for (k, pair) in values.windows(2).enumerate() {
        if k > 0 {
            factor = beside / pivot;
            pivot = diagonal - beside * factor;
        }
        one = 1.0 - factor * one;
        step = pair[1] - pair[0] - factor * step;
        log_det += pivot.ln();
        ones += one * one / pivot;
        shared += one * step / pivot;
        squares += step * step / pivot;
    }
    let mean = shared / ones;
    let left = (m - 1) as f64;
    let rest = (squares - mean * shared).max(0.0) / left + resolution * resolution;
    let likelihood = -0.5 * (left * rest.ln() + log_det + ones.ln());
    let deviance =
        |squares: f64| m as f64 * (squares.max(0.0) / m as f64 + resolution * resolution).ln() + log_det;
    let (still, drifting) = (deviance(squares), deviance(squares - mean * shared));
    Some(Found { likelihood, weight: 0.0, mean, variance: rest / ones, still, drifting })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wandering only, it is the t statistic of the differences' mean.
    #[test]
    fn all_steps_its_own_is_the_plain_t() {
        let values = [0.0, 2.0, 3.0, 7.0, 8.0];
        let found = with_share(&values, 0.0, 1.0).unwrap();
        let multiple = found.mean / found.variance.sqrt();
        // Differences 2, 1, 4, 1: mean 2, variance 2, error √(2/4).
        assert!((multiple - 2.0 / 0.5_f64.sqrt()).abs() < 1e-12, "{multiple}");
        assert_eq!(drift(&values[..3], 0.0), 0.0);
    }

    #[test]
    fn a_line_drifts_and_a_seesaw_does_not() {
        let noise = [0.3, -0.2, 0.1, 0.4, -0.5, 0.2, -0.1, 0.0, 0.3, -0.4, 0.1, -0.2];
        let line: Vec<f64> = noise.iter().enumerate().map(|(k, e)| k as f64 + e).collect();
        assert!(drift(&line, 1e-9) > 10.0, "{}", drift(&line, 1e-9));
        assert!(drift(&noise, 1e-9).abs() < 2.0, "{}", drift(&noise, 1e-9));
    }
}
