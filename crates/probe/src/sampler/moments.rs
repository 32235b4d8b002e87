//! What the clocks say between two ticks: the host slept, the recorder was stopped, the wall clock was set.

use model::EventKind;

use crate::Clock;

/// The clocks at one moment, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(clippy::struct_field_names)] // the unit
pub(super) struct Moment {
    /// Since 1970.
    pub(super) wall_s: f64,
    /// Since boot, suspend included.
    pub(super) boot_s: f64,
    /// Since boot, suspend not included.
    pub(super) awake_s: f64,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { wall_s: Clock::wall(), boot_s: Clock::boot(), awake_s: Clock::monotonic() }
    }

    pub(super) fn boot_ms(&self) -> u64 {
        (self.boot_s * 1e3).max(0.0) as u64
    }

    /// What happened to time since an earlier moment, when ticks were meant to be `interval_s` apart.
    pub(super) fn since(&self, earlier: &Self, interval_s: f64) -> [Option<EventKind>; 2] {
        /// Slewing moves a clock by 0.5 ms each second: a jump is more than an hour's worth of it, or it would not
        /// matter to anything that is recorded.
        const JUMP_S: f64 = 1.0;
        let passed = self.boot_s - earlier.boot_s;
        let asleep = passed - (self.awake_s - earlier.awake_s);
        let missed = if asleep > 0.5 {
            Some(asleep)
        } else {
            // Some ticks that were late are late, and no more; beyond that, the recorder was stopped.
            (passed > (3.0 * interval_s).max(interval_s + 5.0)).then_some(passed - interval_s)
        };
        let slept = missed.map(|s| EventKind::Slept { for_ms: (s * 1e3).max(0.0) as u64 });
        let set = (self.wall_s - earlier.wall_s) - passed;
        let set = (set.abs() > JUMP_S).then_some(EventKind::ClockSet { by_ms: (set * 1e3) as i64 });
        [slept, set]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: Moment = Moment { wall_s: 1.7e9, boot_s: 1000.0, awake_s: 900.0 };

    fn later(wall: f64, boot: f64, awake: f64) -> [Option<EventKind>; 2] {
        let now =
            Moment { wall_s: THEN.wall_s + wall, boot_s: THEN.boot_s + boot, awake_s: THEN.awake_s + awake };
        now.since(&THEN, 10.0)
    }

    #[test]
    fn a_tick_in_time_or_late_is_nothing_to_tell() {
        assert_eq!(later(10.0, 10.0, 10.0), [None, None]);
        assert_eq!(later(25.2, 25.0, 25.0), [None, None]);
    }

    #[test]
    fn suspend_stops_and_clocks_that_were_set_are_told_apart() {
        assert_eq!(later(610.0, 610.0, 10.0), [Some(EventKind::Slept { for_ms: 600_000 }), None]);
        assert_eq!(later(100.0, 100.0, 100.0), [Some(EventKind::Slept { for_ms: 90_000 }), None]);
        assert_eq!(later(-3590.0, 10.0, 10.0), [None, Some(EventKind::ClockSet { by_ms: -3_600_000 })]);
        assert_eq!(later(15.0, 10.0, 10.0), [None, Some(EventKind::ClockSet { by_ms: 5_000 })]);
    }
}
