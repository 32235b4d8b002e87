//! From figures to places on a chart, and the round figures that are written beside its axes.

use model::{Bytes, show};

use crate::present::time;

/// A figure's range, and where it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    /// Where `from` lies.
    low: f64,
    /// Where `to` lies.
    high: f64,
}

impl Scale {
    /// A range that is drawn from one place to another. One of no extent gets some.
    pub(super) fn new(from: f64, to: f64, low: f64, high: f64) -> Self {
        let (from, to) = if from.is_finite() && to.is_finite() { (from, to) } else { (0.0, 1.0) };
        let to = if to - from > f64::EPSILON * from.abs().max(1.0) { to } else { from + 1.0 };
        Self { from, to, low, high }
    }

    /// Where a figure lies; beyond the range at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        let share = if share.is_finite() { share } else { 0.0 };
        self.low + share * (self.high - self.low)
    }
}

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    Bytes,
}

impl Unit {
    /// A figure in text.
    pub(super) fn show(self, value: u64) -> String {
        match self {
            Self::Count => show::count(value),
            Self::Bytes => show::bytes(Bytes(value)),
        }
    }

    /// A figure beside an axis.
    pub(super) fn tick(self, value: f64) -> String {
        let value = value.max(0.0).round() as u64;
        match self {
            Self::Count => show::count(value),
            Self::Bytes if value == 0 => "0".to_owned(),
            Self::Bytes => show::bytes_short(Bytes(value)),
        }
    }

    /// Round figures from 0 up to the first that is not below `to`; at most seven.
    pub(super) fn ticks(self, to: f64) -> Vec<f64> {
        let to = if to.is_finite() { to.max(1.0) } else { 1.0 };
        let step = match self {
            Self::Count => decimal(to / 4.0),
            // Round in each unit that they may be written in: 512M, 1.0G, 1.5G.
            Self::Bytes => (to / 4.0).max(1.0).log2().ceil().exp2(),
        };
        let mut ticks = vec![0.0];
        while ticks.last().is_some_and(|last| *last < to) && ticks.len() < 8 {
            ticks.push(ticks.len() as f64 * step);
        }
        ticks
    }
}

/// The smallest of 1, 2, 5, 10, 20 … that is not below.
fn decimal(at_least: f64) -> f64 {
    let power = 10_f64.powf(at_least.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|n| n * power)
        .into_iter()
        .find(|step| *step >= at_least - 1e-9)
        .unwrap_or(power)
}

/// Steps of clocks and calendars, in seconds.
const TIMES: [f64; 20] = [
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    604_800.0,
    2_592_000.0,
    31_536_000.0,
];

/// Round moments of a range in Unix seconds, at most five; `offset_s`: local time's offset from UTC.
pub(super) fn moments(from: f64, to: f64, offset_s: f64) -> Vec<(f64, String)> {
    let span = to - from;
    if !(span.is_finite() && span > 0.0) {
        return Vec::new();
    }
    let step = TIMES.into_iter().find(|step| span / step <= 4.5).unwrap_or(span / 4.0);
    let mut at = ((from + offset_s) / step).ceil() * step - offset_s;
    let mut out = Vec::new();
    while at <= to && out.len() < 6 {
        out.push((at, moment(at, span)));
        at += step;
    }
    out
}

/// A moment, as exactly as a span of time needs it: `03-01 12:00`, `12:00`, `12:00:05`.
pub(super) fn moment(unix_s: f64, span_s: f64) -> String {
    let whole = time::local(unix_s);
    let part = if span_s < 900.0 {
        whole.get(11..)
    } else if span_s < 86_400.0 {
        whole.get(11..16)
    } else if span_s < 40.0 * 86_400.0 {
        whole.get(5..16)
    } else {
        whole.get(..10)
    };
    part.unwrap_or(&whole).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_lie_within_the_chart() {
        let scale = Scale::new(0.0, 100.0, 200.0, 10.0);
        assert_eq!([0.0, 50.0, 100.0, 1e9, -1.0].map(|v| scale.at(v)), [200.0, 105.0, 10.0, 10.0, 200.0]);
        let nothing = Scale::new(5.0, 5.0, 0.0, 10.0);
        assert_eq!((nothing.at(5.0), nothing.at(f64::NAN)), (0.0, 0.0));
        assert_eq!(Scale::new(f64::NAN, f64::INFINITY, 0.0, 1.0).at(0.5), 0.5);
    }

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(Unit::Count.ticks(1_740.0), [0.0, 500.0, 1_000.0, 1_500.0, 2_000.0]);
        assert_eq!(Unit::Count.ticks(0.0), [0.0, 1.0]);
        assert_eq!(Unit::Count.ticks(7.0), [0.0, 2.0, 4.0, 6.0, 8.0]);
        let shown =
            |to: f64| Unit::Bytes.ticks(to).into_iter().map(|t| Unit::Bytes.tick(t)).collect::<Vec<_>>();
        assert_eq!(shown(4.1 * 1_073_741_824.0), ["0", "2.0G", "4.0G", "6.0G"]);
        assert_eq!(shown(300.0 * 1_048_576.0), ["0", "128M", "256M", "384M"]);
        assert_eq!(shown(2.3 * 1_073_741_824.0), ["0", "1.0G", "2.0G", "3.0G"]);
        assert_eq!(shown(1.2 * 1_073_741_824.0), ["0", "512M", "1.0G", "1.5G"]);
        for to in [f64::NAN, f64::INFINITY, 1e300, u64::MAX as f64] {
            assert!((2..=8).contains(&Unit::Bytes.ticks(to).len()));
            assert!((2..=8).contains(&Unit::Count.ticks(to).len()));
        }
    }

    #[test]
    fn moments_are_round_in_local_time() {
        let at: Vec<f64> = moments(1_000_005.0, 1_000_100.0, 0.0).into_iter().map(|(at, _)| at).collect();
        assert_eq!(at, [1_000_020.0, 1_000_050.0, 1_000_080.0]);
        // Half an hour off, as in India.
        let at: Vec<f64> = moments(0.0, 4.0 * 3_600.0, 19_800.0).into_iter().map(|(at, _)| at).collect();
        assert_eq!(at, [1_800.0, 5_400.0, 9_000.0, 12_600.0]);
        assert!(moments(5.0, 5.0, 0.0).is_empty() && moments(0.0, f64::NAN, 0.0).is_empty());
        assert!(moments(0.0, 1e15, 0.0).len() <= 6);
    }
}
