//! Moments as people type them: `24h` (ago), `09:00`, `2026-03-01`, `2026-03-01 09:00`, RFC 3339, `now`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A time from one moment to another, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

const EXAMPLES: &str = "a time ago (90s, 24h, 7d), 09:00, 2026-03-01, \"2026-03-01 09:00\" or now";

/// Reads a moment, in Unix seconds; `now` tells what it counts from, and which time zone.
pub(crate) fn parse(text: &str, now: &Zoned) -> Result<f64, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(unix(&now.timestamp()));
    }
    if let Ok(ago) = crate::cli::parse_time(text) {
        return Ok(unix(&now.timestamp()) - ago);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(unix(&timestamp));
    }
    let local = |at: DateTime| {
        at.to_zoned(now.time_zone().clone())
            .map(|at| unix(&at.timestamp()))
            .map_err(|error| error.to_string())
    };
    if let Ok(at) = text.replacen(' ', "T", 1).parse::<DateTime>() {
        return local(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return local(day.to_datetime(Time::midnight()));
    }
    if let Some(time) = clock(text) {
        // The last time that the clock showed it.
        let today = local(now.date().to_datetime(time))?;
        let yesterday = now.date().yesterday().map_err(|error| error.to_string())?;
        return if today <= unix(&now.timestamp()) { Ok(today) } else { local(yesterday.to_datetime(time)) };
    }
    Err(format!("{text:?} is no moment: {EXAMPLES}"))
}

/// Reads `24h..1h`, `09:00..12:00`, `2026-03-01..now`; a moment alone lasts until now.
pub(crate) fn parse_span(text: &str, now: &Zoned) -> Result<Span, String> {
    let (from, to) = text.split_once("..").unwrap_or((text, "now"));
    let from = parse(from, now)?;
    let to = if to.trim().is_empty() { parse("now", now)? } else { parse(to, now)? };
    if from >= to {
        return Err(format!("{text:?} ends before it begins"));
    }
    Ok(Span { from, to })
}

/// The time zone and the time of this machine, for a clock that says so many Unix seconds.
pub(crate) fn now(unix_s: f64) -> Zoned {
    let at = Timestamp::from_millisecond((unix_s * 1e3).round() as i64).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::system())
}

fn unix(at: &Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1e3
}

/// `9:00`, `09:00`, `09:00:30`.
fn clock(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let mut next =
        |most: i8| parts.next().map(|part| part.parse::<i8>().ok().filter(|n| (0..=most).contains(n)));
    let (hour, minute) = (next(23)??, next(59)??);
    let second = match next(59) {
        Some(second) => second?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02 10:00 in Berlin.
    fn monday() -> Zoned {
        "2026-03-02T10:00:00+01:00[Europe/Berlin]".parse().unwrap_or_else(|_| {
            let fixed = TimeZone::fixed(jiff::tz::offset(1));
            "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap().to_zoned(fixed)
        })
    }

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now = monday();
        let at = |text: &str| parse(text, &now).map(crate::present::time::rfc3339);
        let ok = |text: &str| Ok::<_, String>(text.to_owned());
        assert_eq!(at("now"), ok("2026-03-02T09:00:00Z"));
        assert_eq!(at("24h"), ok("2026-03-01T09:00:00Z"));
        assert_eq!(at("9:30"), ok("2026-03-02T08:30:00Z"));
        assert_eq!(at("11:00"), ok("2026-03-01T10:00:00Z"), "the last eleven o'clock");
        assert_eq!(at("2026-03-01"), ok("2026-02-28T23:00:00Z"));
        assert_eq!(at("2026-03-01 09:00"), ok("2026-03-01T08:00:00Z"));
        assert_eq!(at("2026-03-01T09:00:00Z"), ok("2026-03-01T09:00:00Z"));
        for wrong in ["", "yesterday", "25:00", "9:60", "1:2:3:4", "2026-13-01", "-1h"] {
            assert!(parse(wrong, &now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_span_goes_forward() {
        let now = monday();
        let span = parse_span("24h..1h", &now).unwrap();
        assert_eq!((span.to - span.from).round(), 23.0 * 3_600.0);
        assert_eq!(parse_span("24h", &now).unwrap().to, parse("now", &now).unwrap());
        assert!(parse_span("1h..24h", &now).is_err());
        assert!(parse_span("..", &now).is_err());
    }
}
