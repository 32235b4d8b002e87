//! Schedules that fit a cadence: those found on the host, and the expression that would fire like it.
//!
//! A found schedule fits when it fires at the cadence's period *and* phase; with thousands of crontabs in
//! the world that fire each hour, the period alone would accuse the innocent.

mod calendar;
mod cron;
mod express;
mod oncalendar;
mod quartz;

use model::{Cadence, ScheduleEntry, ScheduleMatch, ScheduleWhen};

use crate::cadence::human_period;
pub use calendar::Calendar;

/// Reads cron's five fields or nickname (`*/15 9-17 * * mon-fri`, `@hourly`); `None` when it names no
/// calendar time.
#[must_use]
pub fn parse_cron(text: &str) -> Option<Calendar> {
    cron::parse(text)
}

/// Reads systemd's OnCalendar words (`Mon..Fri *-*-* 09:00:00`, `*:0/15`, `hourly`); `None` for what is not
/// covered (years, `~`, fractions, named time zones).
#[must_use]
pub fn parse_calendar(text: &str) -> Option<Calendar> {
    oncalendar::parse(text)
}

/// Reads Quartz's or Spring's six or seven fields (`0 0 * * * ?`); `None` when they name no calendar time.
#[must_use]
pub fn parse_quartz(text: &str) -> Option<Calendar> {
    quartz::parse(text)
}

/// Schedules that fire like this cadence: first those found on the host, in their order, then (without a
/// source) the Quartz and cron expressions that would, each with its meaning and its near miss.
///
/// `utc_offset_s`: local time minus UTC, as in the window that gave the cadence its phase.
#[must_use]
pub fn matches(cadence: &Cadence, entries: &[ScheduleEntry], utc_offset_s: i32) -> Vec<ScheduleMatch> {
    let mut found: Vec<ScheduleMatch> =
        entries.iter().filter_map(|entry| fit(cadence, entry, utc_offset_s)).collect();
    found.extend(express::expressions(cadence));
    found
}

fn fit(cadence: &Cadence, entry: &ScheduleEntry, utc_offset_s: i32) -> Option<ScheduleMatch> {
    let (expression, meaning, near_miss) = match &entry.when {
        ScheduleWhen::Cron(text) => {
            let period = fits_calendar(cadence, cron::parse(text.as_str())?, CRON_LATE_S, utc_offset_s)?;
            (text.as_str().trim().to_owned(), express::describe(period), cron_near_miss(text.as_str()))
        }
        ScheduleWhen::Quartz(text) => {
            let period = fits_calendar(cadence, quartz::parse(text.as_str())?, QUARTZ_LATE_S, utc_offset_s)?;
            let text = text.as_str().trim().to_owned();
            let near_miss = quartz::near_miss(&text);
            (text, express::describe(period), near_miss)
        }
        ScheduleWhen::Calendar(text) => {
            let calendar = oncalendar::parse(text.as_str())?;
            let period = fits_calendar(cadence, calendar, TIMER_LATE_S, utc_offset_s)?;
            (text.as_str().trim().to_owned(), express::describe(period), None)
        }
        ScheduleWhen::EverySeconds(seconds) => {
            fits_interval(cadence, *seconds as f64).then_some(())?;
            let meaning = format!("{} after its last run", express::describe(*seconds));
            (format!("every {seconds} s"), meaning, None)
        }
    };
    Some(ScheduleMatch {
        source: Some(entry.source.clone()),
        expression,
        what: Some(entry.what.clone()),
        in_process: false,
        meaning,
        near_miss,
    })
}

/// Seconds after its time that a cron job's threads may appear: cron wakes once a minute and starts a program.
const CRON_LATE_S: f64 = 10.0;

/// The same for a scheduler in the process itself, which may be busy.
const QUARTZ_LATE_S: f64 = 5.0;

/// The same for a systemd timer, whose AccuracySec is a minute unless it is set.
const TIMER_LATE_S: f64 = 70.0;

/// Seconds before its time: only as far as the time of boot is not exactly known.
const EARLY_S: f64 = 0.5;

/// Firings looked at: two days of a schedule that fires each minute.
const FIRINGS: usize = 3_000;

/// 2024-01-01, a Monday, in days since 1970: any day serves, since neither phase nor period depends on it.
const SOME_DAY: i64 = 19_723;

/// The schedule's period in seconds, when it fires with the cadence's period and phase.
fn fits_calendar(cadence: &Cadence, calendar: Calendar, late_s: f64, utc_offset_s: i32) -> Option<u64> {
    let human = human_period(cadence.period_s, cadence.period_error_s)?;
    let phase = cadence.phase_s.filter(|phase| phase.is_finite())?;
    let period = human as i64;
    if human < 1.0 || human.fract() != 0.0 {
        return None;
    }
    let shift = if calendar.utc { i64::from(utc_offset_s) } else { 0 };
    let firings: Vec<i64> = calendar.firings(SOME_DAY).take(FIRINGS).map(|at| at + shift).collect();
    let gaps: Vec<i64> = firings.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let regular = gaps.iter().filter(|&&gap| gap == period).count();
    if gaps.is_empty() || regular * 2 < gaps.len() {
        return None;
    }
    if !could_have_fired(cadence, &firings, period) {
        return None;
    }
    // A beat may be late by a share of the period at most, or everything would fit a fast schedule.
    let late = late_s.min(human / 10.0) + cadence.jitter_s.min(human / 20.0);
    let early = EARLY_S.min(human / 20.0);
    let in_phase = firings.iter().all(|&firing| {
        let after = (phase - firing.rem_euclid(period) as f64 + early).rem_euclid(human);
        after <= early + late
    });
    in_phase.then_some(period as u64)
}

/// Does the schedule fire often enough for this train? Births at beats that it leaves out (nights, weekends)
/// exonerate it. The cadence doesn't say when in the week it ran, so any time counts.
fn could_have_fired(cadence: &Cadence, firings: &[i64], period: i64) -> bool {
    let beats = cadence.events.saturating_add(cadence.missed).max(1);
    let span = (period as f64 * (beats - 1) as f64) as i64;
    let total = firings[firings.len() - 1] - firings[0];
    if span > total {
        // Longer than what was looked at: compare the shares of beats.
        let fires = (firings.len() - 1) as f64 * period as f64 / total.max(1) as f64;
        return cadence.events as f64 <= 1.2 * fires * beats as f64;
    }
    let mut most = 0;
    let mut from = 0;
    for (to, &last) in firings.iter().enumerate() {
        while last - firings[from] > span {
            from += 1;
        }
        most = most.max(to + 1 - from);
    }
    cadence.events <= most as u64
}

/// An interval timer counts from its own start, so there is no phase to compare: the period must agree well.
fn fits_interval(cadence: &Cadence, seconds: f64) -> bool {
    let off = (cadence.period_s - seconds).abs();
    seconds > 0.0 && off <= (3.0 * cadence.period_error_s).clamp(0.001 * seconds, 0.01 * seconds)
}

/// What a crontab line that fires each minute was probably meant to be: hourly, or once in its hour.
fn cron_near_miss(text: &str) -> Option<String> {
    let mut fields: Vec<&str> = text.split_ascii_whitespace().collect();
    if fields.len() != 5 || !fields[0].starts_with('*') {
        return None;
    }
    let word = if fields[1].starts_with('*') { "an hourly field" } else { "a daily field" };
    // `*/15` where `15` was meant.
    fields[0] = fields[0].strip_prefix("*/").unwrap_or("0");
    Some(express::near_miss(word, &fields.join(" ")))
}

#[cfg(test)]
mod tests;
