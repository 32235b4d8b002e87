//! Small statistics that several judgements share: order statistics, a robust slope, the Poisson interval.
//! Written here rather than taken from a crate because each is a few lines and none needs more than these.

/// Two-sided 95 % point of the normal distribution.
pub const Z95: f64 = 1.959_964;

/// The middle value; the mean of the two middle ones for an even number. `None` without values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which a share `q` (0 to 1) of the values lies, linearly interpolated between neighbours.
/// `None` without values. Not-a-number sorts last and so never panics.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let share = position - below as f64;
    // A plain weighted mean would turn two equal infinities into NaN.
    if sorted[below] == sorted[above] {
        return Some(sorted[below]);
    }
    Some(sorted[below] + share * (sorted[above] - sorted[below]))
}

/// Arithmetic mean; 0 without values.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Standard deviation with n − 1; 0 for fewer than two values.
#[must_use]
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let center = mean(values);
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// A straight line through points, by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Value at x = 0.
    pub intercept: f64,
    /// Rise per unit of x.
    pub slope: f64,
    /// Standard error of the slope, for independent residuals; 0 for two points.
    pub slope_error: f64,
}

impl Line {
    /// Fits y over x. `None` for fewer than two points, or when all x are equal.
    #[must_use]
    pub fn fit(x: &[f64], y: &[f64]) -> Option<Self> {
        let n = x.len().min(y.len());
        if n < 2 {
            return None;
        }
        let (x, y) = (&x[..n], &y[..n]);
        let (x_mean, y_mean) = (mean(x), mean(y));
        let spread: f64 = x.iter().map(|value| (value - x_mean).powi(2)).sum();
        let shared: f64 = x.iter().zip(y).map(|(a, b)| (a - x_mean) * (b - y_mean)).sum();
        if !(spread > 0.0 && spread.is_finite() && shared.is_finite()) {
            return None;
        }
        let slope = shared / spread;
        let intercept = y_mean - slope * x_mean;
        let squares: f64 = x.iter().zip(y).map(|(a, b)| (b - intercept - slope * a).powi(2)).sum();
        let slope_error = if n > 2 { (squares / (n - 2) as f64 / spread).sqrt() } else { 0.0 };
        Some(Self { intercept, slope, slope_error })
    }

    /// The line's value at x.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

/// A slope with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The estimate.
    pub slope: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Points above this number are thinned before the pairs of [`theil_sen`] are formed (n² / 2 of them).
const MOST_POINTS: usize = 256;

/// Theil–Sen: the median of the slopes between all pairs of points, with Sen's (1968) interval from the
/// variance of Kendall's S. Up to 29 % of the points may be outliers. `None` for fewer than two distinct x.
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Slope> {
    let stride = points.len().div_ceil(MOST_POINTS).max(1);
    let points: Vec<_> = points.iter().step_by(stride).copied().collect();
    let mut slopes: Vec<f64> = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            let slope = (b.1 - a.1) / (b.0 - a.0);
            if b.0 != a.0 && slope.is_finite() {
                slopes.push(slope);
            }
        }
    }
    slopes.sort_by(f64::total_cmp);
    let pairs = slopes.len();
    let slope = median(&slopes)?;
    let n = points.len() as f64;
    let s_deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let margin = Z95 * s_deviation;
    let low = (0.5 * (pairs as f64 - margin)).floor().max(0.0) as usize;
    let high = (0.5 * (pairs as f64 + margin)).ceil().max(0.0) as usize;
    Some(Slope { slope, low: slopes[low.min(pairs - 1)], high: slopes[high.min(pairs - 1)] })
}

/// From this count on, Wilson and Hilferty's cube is within 0.2 % of the exact interval's ends.
const CUBE_FROM: u64 = 20;

/// 95 % interval of the mean of a Poisson count, given that `count` was seen (Garwood 1936): the means for
/// which so many, or so few, would be seen once in forty times.
///
/// Its ends are χ²(0.025, 2n)/2 and χ²(0.975, 2n + 2)/2. Small counts are solved exactly, by bisection; from
/// 20 on the χ² quantiles come from Wilson and Hilferty's cube (1931).
#[must_use]
pub fn poisson_interval(count: u64) -> (f64, f64) {
    if count < CUBE_FROM {
        let low = if count == 0 { 0.0 } else { poisson_mean(count - 1, 0.975) };
        return (low, poisson_mean(count, 0.025));
    }
    let half_chi_square = |n: f64, z: f64| n * (1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt())).powi(3);
    let n = count as f64;
    (half_chi_square(n, -Z95), half_chi_square(n + 1.0, Z95))
}

/// The mean for which at most `count` events are seen with this probability.
fn poisson_mean(count: u64, probability: f64) -> f64 {
    let at_most = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = term;
        for k in 1..=count {
            term *= mean / k as f64;
            sum += term;
        }
        sum
    };
    // The probability falls as the mean grows; no end of an interval for fewer than 20 lies above 40.
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(middle) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics_of_few_and_odd_values() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(quantile(&[0.0, 10.0], 0.25), Some(2.5));
        assert_eq!(median(&[f64::INFINITY; 4]), Some(f64::INFINITY));
        assert_eq!(standard_deviation(&[1.0]), 0.0);
        assert_eq!(standard_deviation(&[1.0, 3.0]), 2.0_f64.sqrt());
    }

    #[test]
    fn line_through_known_points() {
        let line = Line::fit(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0]).unwrap();
        assert_eq!((line.intercept, line.slope, line.slope_error), (1.0, 2.0, 0.0));
        assert_eq!(Line::fit(&[1.0, 1.0], &[0.0, 9.0]), None);
        // Residuals −1, 2, −1 about y = 1: variance 6 over spread 2, one degree of freedom.
        let noisy = Line::fit(&[0.0, 1.0, 2.0], &[0.0, 3.0, 0.0]).unwrap();
        assert!((noisy.slope_error - 3.0_f64.sqrt()).abs() < 1e-12, "{noisy:?}");
    }

    #[test]
    fn robust_slope_ignores_an_outlier() {
        let mut points: Vec<_> = (0..20).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        points[7].1 = 1e6;
        let slope = theil_sen(&points).unwrap();
        assert!((slope.slope - 2.0).abs() < 1e-9, "{slope:?}");
        assert!(slope.low <= 2.0 && slope.high >= 2.0);
        assert_eq!(theil_sen(&[(1.0, 1.0), (1.0, 2.0)]), None);
    }

    /// Garwood's exact limits, from any table of Poisson confidence limits.
    #[test]
    fn poisson_interval_agrees_with_the_tables() {
        for (count, low, high) in [
            (0, 0.0, 3.6889),
            (1, 0.0253, 5.5716),
            (4, 1.0899, 10.2416),
            (10, 4.7954, 18.3904),
            (20, 12.2165, 30.8884),
            (100, 81.3640, 121.6272),
        ] {
            let (l, h) = poisson_interval(count);
            assert!((h - high).abs() <= 0.002 * high, "{count}: {h} for {high}");
            assert!((l - low).abs() <= 0.002 * low, "{count}: {l} for {low}");
        }
    }
}
