//! Steps counted in a series of counts: when it rose and by how much, of what was never given back since.
//! A pool that comes and goes leaves hardly any; a leak of threads leaves one for each thread, and their times
//! have the leak's cadence.

use model::{BirthKind, Cadence};

use crate::cadence::{self, Window};

/// Steps kept; older ones are forgotten, the cadence of the newest is what matters.
const MOST: usize = 192;

/// Times are kept in hundredths of a second since the series began: 497 days in 32 bits.
const TICK: f64 = 0.01;

/// A step: when, and up to where.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    at: u32,
    level: f32,
}

/// The steps that were never given back.
#[derive(Clone, Debug, Default)]
pub(super) struct Staircase {
    steps: Vec<Step>,
    /// The level under the first step kept.
    floor: f32,
}

impl Staircase {
    /// Adds a count. `since`: seconds since the series began, half way from the point before, as the step
    /// may have been anywhere between.
    pub(super) fn push(&mut self, since: f64, value: f64) {
        let value = value as f32;
        if self.steps.is_empty() && self.floor == 0.0 {
            self.floor = value;
        }
        while self.steps.last().is_some_and(|step| step.level > value) {
            self.steps.pop();
        }
        let top = self.steps.last().map_or(self.floor, |step| step.level);
        if self.steps.is_empty() {
            self.floor = self.floor.min(value);
        }
        if value > top {
            if self.steps.len() == MOST
                && let Some(first) = self.steps.first()
            {
                self.floor = first.level;
                self.steps.remove(0);
            }
            self.steps.push(Step { at: (since / TICK) as u32, level: value });
        }
    }

    /// Steps kept.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// How much the steps kept rose together.
    pub(super) fn risen(&self) -> f64 {
        f64::from(self.steps.last().map_or(0.0, |step| step.level - self.floor))
    }

    /// When the oldest step kept was, in seconds since the series began.
    pub(super) fn since(&self) -> Option<f64> {
        self.steps.first().map(|step| f64::from(step.at) * TICK)
    }

    /// The rhythm of the steps until now: regular trains, strongest first, and the share of the rise that
    /// they explain.
    pub(super) fn cadence(&self, now: f64, interval: f64) -> (Vec<Cadence>, f64) {
        let mut births = Vec::with_capacity(self.steps.len());
        let mut before = self.floor;
        for step in &self.steps {
            let size = (step.level - before).round().clamp(1.0, 64.0) as usize;
            births.extend(std::iter::repeat_n(f64::from(step.at) * TICK, size));
            before = step.level;
        }
        let window = Window {
            start_s: 0.0,
            end_s: now,
            resolution_s: interval,
            booted_unix_s: 0.0,
            utc_offset_s: 0,
        };
        let report = cadence::report(&births, &window);
        if report.kind == BirthKind::Regular {
            (report.cadences, report.explained)
        } else {
            (Vec::new(), 0.0)
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.steps.capacity() * size_of::<Step>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_is_a_step() {
        let mut stairs = Staircase::default();
        for (at, value) in [5.0, 6.0, 9.0, 6.0, 7.0, 7.0, 4.0, 5.0].into_iter().enumerate() {
            stairs.push(at as f64, value);
        }
        assert_eq!((stairs.len(), stairs.risen(), stairs.since()), (1, 1.0, Some(7.0)));
    }

    #[test]
    fn steps_each_minute_are_a_train() {
        let mut stairs = Staircase::default();
        for look in 0..200 {
            let at = f64::from(look) * 5.0;
            stairs.push(at - 2.5, 40.0 + (at / 60.0).floor());
        }
        let (trains, explained) = stairs.cadence(995.0, 5.0);
        assert!((trains[0].period_s - 60.0).abs() < 0.3 && explained > 0.9, "{trains:?}");
    }
}
