//! When a schedule was due, and when it will be.

use model::ScheduleWhen;

use crate::schedule::{Calendar, parse_calendar, parse_cron, parse_quartz};

const DAY_S: f64 = 86_400.0;

/// More are not counted one by one.
const MOST: usize = 100_000;

fn calendar(when: &ScheduleWhen) -> Option<Calendar> {
    match when {
        ScheduleWhen::Cron(text) => parse_cron(text.as_str()),
        ScheduleWhen::Quartz(text) => parse_quartz(text.as_str()),
        ScheduleWhen::Calendar(text) => parse_calendar(text.as_str()),
        ScheduleWhen::EverySeconds(_) => None,
    }
}

/// Firings from `from` on, in Unix seconds.
fn firings(when: &ScheduleWhen, from_unix_s: f64, utc_offset_s: i32) -> Option<impl Iterator<Item = f64>> {
    let calendar = calendar(when)?;
    let offset = if calendar.is_utc() { 0.0 } else { f64::from(utc_offset_s) };
    let local = from_unix_s + offset;
    if !(0.0..1e11).contains(&local) {
        return None;
    }
    let first_day = (local / DAY_S).floor() as i64;
    Some(
        calendar
            .firings(first_day)
            .map(move |second| second as f64 - offset)
            .skip_while(move |at| *at < from_unix_s),
    )
}

/// How often a schedule was due in a time (Unix seconds, end excluded); `None` for one that cannot be told, as its
/// runs count from each other.
#[must_use]
pub fn due(when: &ScheduleWhen, window: (f64, f64), utc_offset_s: i32) -> Option<u64> {
    let firings = firings(when, window.0, utc_offset_s)?;
    Some(firings.take_while(|at| *at < window.1).take(MOST).count() as u64)
}

/// When it is due next after a moment, in Unix seconds.
#[must_use]
pub fn next_due(when: &ScheduleWhen, after_unix_s: f64, utc_offset_s: i32) -> Option<f64> {
    firings(when, after_unix_s, utc_offset_s)?.find(|at| *at > after_unix_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-01 00:00 UTC, a Sunday.
    const MIDNIGHT: f64 = 1_772_323_200.0;

    #[test]
    fn firings_are_counted_in_local_time() {
        let hourly = ScheduleWhen::Cron("0 * * * *".into());
        assert_eq!(due(&hourly, (MIDNIGHT, MIDNIGHT + 7_200.0), 0), Some(2));
        assert_eq!(due(&hourly, (MIDNIGHT + 1.0, MIDNIGHT + 7_200.0), 0), Some(1));
        let at_four = ScheduleWhen::Cron("0 4 * * *".into());
        assert_eq!(next_due(&at_four, MIDNIGHT, 3_600), Some(MIDNIGHT + 3.0 * 3_600.0));
        assert_eq!(next_due(&at_four, MIDNIGHT + 4.0 * 3_600.0, 0), Some(MIDNIGHT + 28.0 * 3_600.0));
        let each_minute = ScheduleWhen::Quartz("0 * * * * ?".into());
        assert_eq!(due(&each_minute, (MIDNIGHT, MIDNIGHT + 600.0), 0), Some(10));
        let calendar = ScheduleWhen::Calendar("*-*-* 04:00:00 UTC".into());
        assert_eq!(next_due(&calendar, MIDNIGHT, 3_600), Some(MIDNIGHT + 4.0 * 3_600.0));
        assert_eq!(due(&ScheduleWhen::EverySeconds(60), (MIDNIGHT, MIDNIGHT + 600.0), 0), None);
        assert_eq!(due(&hourly, (f64::NAN, 1.0), 0), None);
        assert_eq!(due(&ScheduleWhen::Cron("nonsense".into()), (0.0, 1.0), 0), None);
    }
}
