//! Medians: a machine that others use disturbs some rounds much and most rounds little.

/// What a measurement was, and how far it scattered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// Half of the rounds were at or below this.
    pub(crate) median: f64,
    /// A quarter of them at or below this.
    pub(crate) low: f64,
    /// Three quarters at or below this.
    pub(crate) high: f64,
}

impl Spread {
    /// Of some rounds; `None` without any (or with one that is no number).
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| value.is_nan()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        Some(Self {
            median: quantile(&values, 0.5),
            low: quantile(&values, 0.25),
            high: quantile(&values, 0.75),
        })
    }

    /// Of the ratios of two measurements that took turns: what disturbed a round disturbed both.
    pub(crate) fn of_ratios(over: &[f64], under: &[f64]) -> Option<Self> {
        Self::of(over.iter().zip(under).map(|(over, under)| over / under).collect())
    }
}

/// Between two neighbours by the share of the way; the values are in order and there is one at least.
fn quantile(values: &[f64], share: f64) -> f64 {
    let place = share * (values.len() - 1) as f64;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Some(Spread { median: 3.0, low: 2.0, high: 4.0 }));
        assert_eq!(Spread::of(vec![1.0, 2.0]).map(|spread| spread.median), Some(1.5));
        assert_eq!(Spread::of(vec![7.0]), Some(Spread { median: 7.0, low: 7.0, high: 7.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
        assert_eq!(Spread::of(vec![f64::NAN]), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // A round in which everything took ten times as long says the same as the others.
        let spread = Spread::of_ratios(&[4.0, 40.0, 4.0], &[2.0, 20.0, 2.0]);
        assert_eq!(spread, Some(Spread { median: 2.0, low: 2.0, high: 2.0 }));
    }
}
