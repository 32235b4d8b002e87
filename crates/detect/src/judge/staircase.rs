//! Steps counted in a series of counts: when it rose and by how much, of what was never given back since.
//! A pool that comes and goes leaves hardly any; a leak of threads leaves one for each thread, and their times
//! have the leak's cadence.

use model::{BirthKind, Cadence};

use crate::cadence::{self, Window};

/// Steps kept; older ones are forgotten, the cadence of the newest is what matters.
pub(super) const MOST: usize = 192;

/// Steps kept while nothing much moves.
pub(super) const MOST_IDLE: usize = 4;

/// Times are kept in hundredths of a second since the series began: 497 days in 32 bits.
const TICK: f64 = 0.01;

/// So many steps in a row are judged by their gaps alone; a Poisson process has gaps as even as this once in
/// some ten thousand times.
const LEAST_REGULAR: usize = 7;
const EVEN: f64 = 0.17;

/// Gaps of fewer intervals than this look even whatever they are.
const LEAST_GAP: f64 = 5.0;

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
    /// When something was last given back.
    given_back: u32,
}

impl Staircase {
    /// Adds a count. `since`: seconds since the series began, half way from the point before, as the step
    /// may have been anywhere between.
    pub(super) fn push(&mut self, since: f64, value: f64, most: usize) {
        let value = value as f32;
        if self.steps.is_empty() && self.floor == 0.0 {
            self.floor = value;
        }
        while self.steps.last().is_some_and(|step| step.level > value) {
            self.steps.pop();
            self.given_back = (since / TICK) as u32;
        }
        let top = self.steps.last().map_or(self.floor, |step| step.level);
        if self.steps.is_empty() {
            self.floor = self.floor.min(value);
        }
        if value > top {
            if self.steps.len() >= most
                && let Some(first) = self.steps.first()
            {
                self.floor = first.level;
                self.steps.remove(0);
            }
            if self.steps.len() == self.steps.capacity() {
                // Never more than it may hold: a vector by itself would take twice of what it has.
                self.steps.reserve_exact(most.min(2 * self.steps.len().max(2)) - self.steps.len());
            }
            self.steps.push(Step { at: (since / TICK) as u32, level: value });
        }
    }

    /// Do the newest steps come as regularly as chance hardly lets them, with nothing given back meanwhile? Says
    /// so some beats before the cadence can be sure by itself: births of which some may have ended need more.
    pub(super) fn is_regular(&self, interval: f64) -> bool {
        let Some(newest) = self.steps.len().checked_sub(LEAST_REGULAR).map(|from| &self.steps[from..]) else {
            return false;
        };
        if newest.first().is_none_or(|first| first.at <= self.given_back) {
            return false;
        }
        let gaps: Vec<f64> =
            newest.windows(2).map(|pair| f64::from(pair[1].at - pair[0].at) * TICK).collect();
        let gap = crate::stats::mean(&gaps);
        gap >= LEAST_GAP * interval && crate::stats::standard_deviation(&gaps) <= EVEN * gap
    }

    /// How much the steps kept rose together.
    pub(super) fn risen(&self) -> f64 {
        f64::from(self.steps.last().map_or(0.0, |step| step.level - self.floor))
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
            stairs.push(at as f64, value, MOST);
        }
        assert_eq!((stairs.steps.len(), stairs.risen(), stairs.steps[0].at), (1, 1.0, 700));
    }

    #[test]
    fn steps_each_minute_are_a_train() {
        let mut stairs = Staircase::default();
        for look in 0..200 {
            let at = f64::from(look) * 5.0;
            stairs.push(at - 2.5, 40.0 + (at / 60.0).floor(), MOST);
        }
        let (trains, explained) = stairs.cadence(995.0, 5.0);
        assert!((trains[0].period_s - 60.0).abs() < 0.3 && explained > 0.9, "{trains:?}");
    }
}
