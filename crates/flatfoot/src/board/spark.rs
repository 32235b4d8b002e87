//! Sparklines: what a figure was since the list was begun, in a bounded number of values. When they are full, every other
//! is left out and they come half as often.

use schemars::JsonSchema;
use serde::Serialize;

/// Values of a sparkline.
const MOST: usize = 120;
/// Values come at least this often: of what is older the first are forgotten.
const SLOWEST_MS: u64 = 60_000;

/// A few values, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Spark {
    /// `bytes` or `count`.
    pub(crate) unit: &'static str,
    /// Seconds from one to the next.
    pub(crate) step_s: f64,
    /// The values.
    pub(crate) values: Vec<f64>,
}

/// When values are taken: the same moments for all processes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    step_ms: u64,
    last_ms: Option<u64>,
    taken: usize,
}

impl Pace {
    pub(super) fn is_due(&mut self, now_ms: u64) -> bool {
        let Some(last_ms) = self.last_ms else {
            self.last_ms = Some(now_ms);
            return true;
        };
        let passed = now_ms.saturating_sub(last_ms);
        if self.step_ms == 0 {
            self.step_ms = passed;
        }
        // A tick that comes a little early counts.
        let is_due = passed > 0 && passed >= self.step_ms.saturating_sub(self.step_ms / 8);
        if is_due {
            self.last_ms = Some(now_ms);
        }
        is_due
    }

    /// Would one more be too many, and may they come more seldom?
    pub(super) fn is_full(&self) -> bool {
        self.taken >= MOST && self.step_ms < SLOWEST_MS
    }

    pub(super) fn halve(&mut self) {
        self.taken = self.taken.div_ceil(2);
        self.step_ms = self.step_ms.saturating_mul(2);
    }

    pub(super) fn drawn(&mut self) {
        self.taken = (self.taken + 1).min(MOST);
    }
}

/// The values of one figure of one process. In kilobytes or pieces, so that four bytes hold any.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    values: std::collections::VecDeque<u32>,
}

impl Ring {
    pub(super) fn push(&mut self, value: u64) {
        if self.values.len() >= MOST {
            self.values.pop_front();
        }
        self.values.push_back(u32::try_from(value).unwrap_or(u32::MAX));
    }

    /// The newest stays.
    pub(super) fn halve(&mut self) {
        let mut keep = self.values.len().is_multiple_of(2);
        self.values.retain(|_| {
            keep = !keep;
            keep
        });
    }

    pub(super) fn last(&self, unit: &'static str, pace: Pace, most: usize) -> Spark {
        let factor = if unit == "bytes" { 1_024.0 } else { 1.0 };
        let values = self.values.iter().skip(self.values.len().saturating_sub(most));
        Spark {
            unit,
            step_s: pace.step_ms as f64 / 1e3,
            values: values.map(|value| f64::from(*value) * factor).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stay_bounded_and_reach_back_to_the_beginning() {
        let (mut pace, mut ring) = (Pace::default(), Ring::default());
        for second in 0..1_000_u64 {
            if !pace.is_due(second * 1_000 + second % 2 * 90) {
                continue;
            }
            if pace.is_full() {
                pace.halve();
                ring.halve();
            }
            ring.push(second);
            pace.drawn();
        }
        let spark = ring.last("count", pace, MOST);
        assert!(spark.values.len() > MOST / 2 && spark.values.len() <= MOST, "{spark:?}");
        assert!(spark.values[0] < 30.0 && spark.values[spark.values.len() - 1] > 980.0, "{spark:?}");
        assert!(spark.values.windows(2).all(|pair| pair[0] < pair[1]), "{spark:?}");
    }
}
