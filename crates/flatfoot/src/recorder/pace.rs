//! When the next tick is due, and how far apart ticks are: no further than was asked for, unless they cost too much.
//!
//! A tick that comes late is recorded as late, and the next one is due an interval after it: several in a row would
//! only show the same moment again.

/// The most of one processor that recording may take.
const SHARE: f64 = 0.03;
/// It comes back to the interval that was asked for when it would cost less than this share of that.
const BACK: f64 = 0.6;
/// No interval is longer.
const LONGEST_S: f64 = 120.0;
/// Ticks until a change of cost is believed.
const MEMORY: f64 = 8.0;

/// The rhythm of ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    asked_s: f64,
    interval_s: f64,
    due: f64,
    cost_s: f64,
    ticks: u32,
}

impl Pace {
    /// The first tick is due at once.
    pub(crate) fn new(interval_s: f64, now: f64) -> Self {
        Self { asked_s: interval_s, interval_s, due: now, cost_s: 0.0, ticks: 0 }
    }

    /// When the next tick is due.
    pub(crate) fn due(&self) -> f64 {
        self.due
    }

    /// How much later than it was due a tick begins now.
    pub(crate) fn late_s(&self, now: f64) -> f64 {
        (now - self.due).max(0.0)
    }

    /// A tick is over: the next is due one interval after the last was, or, when that is past, after now.
    pub(crate) fn next(&mut self, now: f64) {
        self.due += self.interval_s;
        if self.due <= now {
            self.due = now + self.interval_s;
        }
    }

    /// A tick out of turn: the last one, or one that somebody asked for.
    pub(crate) fn now(&mut self, now: f64) {
        self.due = now;
    }

    /// A tick has cost so many seconds of a processor; the new interval, when it changes.
    pub(crate) fn spent(&mut self, cost_s: f64) -> Option<f64> {
        self.ticks = self.ticks.saturating_add(1);
        // The first one takes everybody in.
        if self.ticks <= 2 {
            return None;
        }
        self.cost_s = if self.ticks == 3 { cost_s } else { self.cost_s + (cost_s - self.cost_s) / MEMORY };
        let fits = |share: f64| (self.cost_s / share).min(LONGEST_S);
        let wanted = if self.cost_s > SHARE * self.interval_s && self.ticks > 8 {
            fits(SHARE).max(self.asked_s)
        } else if self.interval_s > self.asked_s && self.cost_s < BACK * SHARE * self.asked_s {
            self.asked_s
        } else {
            return None;
        };
        // Steps of a tenth are not worth a word.
        if (wanted / self.interval_s - 1.0).abs() < 0.1 {
            return None;
        }
        self.interval_s = wanted;
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_ticks_are_not_made_up_for() {
        let mut pace = Pace::new(10.0, 100.0);
        assert_eq!(pace.late_s(100.5), 0.5);
        pace.next(100.7);
        assert_eq!(pace.due(), 110.0, "on the grid, however late the last one was");
        assert_eq!(pace.late_s(140.0), 30.0);
        pace.next(141.0);
        assert_eq!(pace.due(), 151.0, "one, and not three");
    }

    #[test]
    fn what_costs_too_much_comes_less_often_and_comes_back() {
        let mut pace = Pace::new(1.0, 0.0);
        assert!((0..100).all(|_| pace.spent(0.01).is_none()), "a percent is its share");
        let stretched: Vec<f64> = (0..100).filter_map(|_| pace.spent(0.3)).collect();
        let last = *stretched.last().unwrap();
        assert!((8.0..=11.0).contains(&last), "{stretched:?}");
        assert!(stretched.is_sorted());
        let back: Vec<f64> = (0..100).filter_map(|_| pace.spent(0.01)).collect();
        assert_eq!(back, [1.0]);
        let most = (0..500).filter_map(|_| pace.spent(1e6)).last();
        assert_eq!(most, Some(LONGEST_S));
    }

    #[test]
    fn the_first_tick_is_dear_and_says_nothing() {
        let mut pace = Pace::new(1.0, 0.0);
        assert_eq!(pace.spent(5.0), None);
        assert!((0..50).all(|_| pace.spent(0.01).is_none()));
    }
}
