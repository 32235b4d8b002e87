//! A share with its 95 % interval (Wilson 1927): right for shares near 0 and 1, where the plain one is not.

/// Successes among trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) hits: u64,
    pub(super) of: u64,
}

impl Share {
    pub(super) fn add(&mut self, hit: bool) {
        self.of += 1;
        self.hits += u64::from(hit);
    }

    pub(super) fn percent(self) -> f64 {
        100.0 * self.hits as f64 / self.of.max(1) as f64
    }

    /// Low and high end, in percent.
    pub(super) fn interval(self) -> (f64, f64) {
        let (n, z) = (self.of.max(1) as f64, detect::stats::Z95);
        let p = self.hits as f64 / n;
        let scale = 100.0 / (1.0 + z * z / n);
        let middle = p + z * z / (2.0 * n);
        let margin = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        ((middle - margin).max(0.0) * scale, (middle + margin).min(1.0 + z * z / n) * scale)
    }

    /// `96.0 (95.1–96.8)`.
    pub(super) fn shown(self) -> String {
        let (low, high) = self.interval();
        format!("{:.1} ({low:.1}–{high:.1})", self.percent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe (1998), table I: 15 of 148 and 0 of 20.
    #[test]
    fn agrees_with_the_published_ones() {
        let (low, high) = Share { hits: 15, of: 148 }.interval();
        assert!((low - 6.24).abs() < 0.01 && (high - 16.05).abs() < 0.01, "{low} {high}");
        let (low, high) = Share { hits: 0, of: 20 }.interval();
        assert!(low.abs() < 1e-9 && (high - 16.11).abs() < 0.01, "{low} {high}");
    }
}
