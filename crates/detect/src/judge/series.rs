//! A series as it is given to the judge: times and values that may be uneven, late, or wrong.

use std::borrow::Cow;

/// What a series counts; decides how much growth matters when nobody says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Bytes: growth matters from 1 % of the level and 1 MiB.
    #[default]
    Bytes,
    /// Whole things (threads, descriptors): growth matters from three of them.
    Count,
}

/// Least growth that counts for bytes, besides the share of the level.
const LEAST_BYTES: f64 = 1_048_576.0;

/// Share of the level that growth of bytes must reach.
const LEAST_SHARE: f64 = 0.01;

/// Least growth that counts for things.
const LEAST_COUNT: f64 = 3.0;

impl Unit {
    /// The smallest growth that matters at this level.
    #[must_use]
    pub fn least_growth(self, level: f64) -> f64 {
        match self {
            Self::Bytes => (LEAST_SHARE * level.abs()).max(LEAST_BYTES),
            Self::Count => LEAST_COUNT,
        }
    }
}

/// A series to be judged.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    /// (seconds, value), oldest first. Points that are not finite, or not later than the one before, are
    /// left out.
    pub points: Cow<'a, [(f64, f64)]>,
    /// What it counts.
    pub unit: Unit,
}

/// Values beyond this lose their units in an f64, and their squares would not be finite.
const LARGEST: f64 = 1e18;

impl<'a> Series<'a> {
    /// A series of points as they were read; `points` is only copied when something must be left out.
    #[must_use]
    pub fn new(points: &'a [(f64, f64)], unit: Unit) -> Self {
        let mut latest = f64::NEG_INFINITY;
        let clean = points.iter().all(|&point| accept(&mut latest, point));
        if clean {
            return Self { points: Cow::Borrowed(points), unit };
        }
        let mut latest = f64::NEG_INFINITY;
        let kept = points.iter().copied().filter(|&point| accept(&mut latest, point)).collect();
        Self { points: Cow::Owned(kept), unit }
    }

    /// Seconds from the first to the last point.
    #[must_use]
    pub fn span(&self) -> f64 {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => last.0 - first.0,
            _ => 0.0,
        }
    }
}

/// Is this point usable, and later than `latest`, which it then becomes?
pub(super) fn accept(latest: &mut f64, point: (f64, f64)) -> bool {
    let usable = point.0.abs() <= LARGEST && point.1.abs() <= LARGEST && point.0 > *latest;
    if usable {
        *latest = point.0;
    }
    usable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_left_out() {
        let points =
            [(0.0, 1.0), (0.0, 2.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (2.0, 3.0), (1.5, 9.0)];
        assert_eq!(*Series::new(&points, Unit::Bytes).points, [(0.0, 1.0), (2.0, 3.0)]);
        assert!(matches!(Series::new(&points[..1], Unit::Bytes).points, Cow::Borrowed(_)));
    }
}
