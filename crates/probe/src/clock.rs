//! The one place where flatfoot asks for the time, so that everything else can be replayed with the times
//! that a case file holds.

use rustix::thread::{NanosleepRelativeResult, nanosleep};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The clocks, in seconds. Nothing but `probe` may read one.
#[derive(Clone, Copy, Debug)]
pub struct Clock;

impl Clock {
    /// Seconds since the Unix epoch; jumps when the clock is set.
    #[must_use]
    pub fn wall() -> f64 {
        seconds(clock_gettime(ClockId::Realtime))
    }

    /// Seconds since boot, suspend included (CLOCK_BOOTTIME): the scale of birth times in /proc/PID/stat, in
    /// the same time namespace. /proc/uptime is not used: lxcfs puts a container's own there.
    #[must_use]
    pub fn boot() -> f64 {
        seconds(clock_gettime(ClockId::Boottime))
    }

    /// Seconds that only ever grow, suspend not included: for measuring how long something took.
    #[must_use]
    pub fn monotonic() -> f64 {
        seconds(clock_gettime(ClockId::Monotonic))
    }

    /// CPU seconds that this process has used, all threads.
    #[must_use]
    pub fn cpu() -> f64 {
        seconds(clock_gettime(ClockId::ProcessCPUTime))
    }

    /// CPU seconds that the thread that asks has used.
    #[must_use]
    pub fn cpu_of_thread() -> f64 {
        seconds(clock_gettime(ClockId::ThreadCPUTime))
    }

    /// Waits, signals notwithstanding; a time that is not positive (or not a number) is no wait at all.
    pub fn sleep(time_s: f64) {
        // A day at most per call: a wrong computation must not sleep for ever.
        const LONGEST_S: f64 = 86_400.0;
        if time_s.is_nan() || time_s <= 0.0 {
            return;
        }
        let time_s = time_s.min(LONGEST_S);
        let mut left = Timespec {
            tv_sec: time_s.trunc() as i64,
            tv_nsec: ((time_s.fract() * 1e9) as i64).min(999_999_999) as _,
        };
        while let NanosleepRelativeResult::Interrupted(rest) = nanosleep(&left) {
            left = rest;
        }
    }
}

fn seconds(time: Timespec) -> f64 {
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_on_a_short_sleep() {
        let (boot, monotonic, wall) = (Clock::boot(), Clock::monotonic(), Clock::wall());
        Clock::sleep(0.02);
        assert!(Clock::boot() - boot >= 0.02);
        assert!(Clock::monotonic() - monotonic >= 0.02);
        assert!(wall > 1.6e9, "Unix seconds, not milliseconds or seconds since boot");
        assert!(Clock::cpu() >= 0.0);
    }

    #[test]
    fn nonsense_is_no_wait() {
        for time in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            Clock::sleep(time);
        }
    }
}
