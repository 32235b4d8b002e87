//! systemd's calendar events (systemd.time(7), CALENDAR EVENTS).

use super::calendar::{Calendar, Set, range};

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Reads `Mon..Fri *-*-* 09:00:00`, `*:0/15`, `hourly`. `None` for what this does not cover: years other
/// than `*`, days counted from a month's end (`~`), fractions of a second, time zones other than UTC; and
/// for anything malformed.
pub(super) fn parse(text: &str) -> Option<Calendar> {
    let text = text.trim().to_ascii_lowercase();
    let text = match text.as_str() {
        "minutely" => "*-*-* *:*:00",
        "hourly" => "*-*-* *:00:00",
        "daily" => "*-*-* 00:00:00",
        "weekly" => "mon *-*-* 00:00:00",
        "monthly" => "*-*-01 00:00:00",
        "quarterly" => "*-01,04,07,10-01 00:00:00",
        "semiannually" => "*-01,07-01 00:00:00",
        "yearly" | "annually" => "*-01-01 00:00:00",
        other => other,
    };
    // Midnight of each day, unless words say otherwise.
    let mut calendar = Calendar { seconds: 1, minutes: 1, hours: 1, ..Calendar::ALWAYS };
    let mut words = text.split_ascii_whitespace().peekable();
    words.peek()?;
    if let Some(weekdays) = words.peek().and_then(|word| weekdays(word)) {
        calendar.weekdays = weekdays;
        words.next();
    }
    if let Some(date) = words.next_if(|word| word.contains('-')) {
        (calendar.months, calendar.days) = parse_date(date)?;
    }
    if let Some(time) = words.next_if(|word| word.contains(':')) {
        (calendar.hours, calendar.minutes, calendar.seconds) = parse_time(time)?;
    }
    if words.next_if(|word| *word == "utc").is_some() {
        calendar.utc = true;
    }
    (words.next().is_none() && calendar.is_possible()).then_some(calendar)
}

/// `mon,wed`, `mon..fri`, `mon-fri` (the older form), names from three letters on.
fn weekdays(word: &str) -> Option<Set> {
    let day = |name: &str| -> Option<u32> {
        let at =
            WEEKDAYS.iter().position(|full| *full == name || (name.len() == 3 && full.starts_with(name)));
        at.map(|at| at as u32)
    };
    let mut set = 0;
    for item in word.trim_end_matches(',').split(',') {
        match item.split_once("..").or_else(|| item.split_once('-')) {
            // A range may run over the week's end: sat..mon.
            Some((from, to)) => {
                let (from, to) = (day(from)?, day(to)?);
                let length = (to + 7 - from) % 7;
                set |= (0..=length).fold(0, |set, k| set | 1 << ((from + k) % 7));
            }
            None => set |= 1 << day(item)?,
        }
    }
    Some(set)
}

/// `*-*-01`, `*-01,07-01` or `01-15`: months and days of the month.
fn parse_date(word: &str) -> Option<(Set, Set)> {
    let parts: Vec<&str> = word.split('-').collect();
    let (["*", month, day] | [month, day]) = parts[..] else { return None };
    Some((component(month, 1, 12)?, component(day, 1, 31)?))
}

/// `*:0/15` or `09:00:00`: hours, minutes, seconds.
fn parse_time(word: &str) -> Option<(Set, Set, Set)> {
    let parts: Vec<&str> = word.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    Some((component(hour, 0, 23)?, component(minute, 0, 59)?, component(second, 0, 59)?))
}

/// `*`, `5`, `1..5`, `0/15`, `8..18/2`, and lists of these.
fn component(text: &str, low: u32, high: u32) -> Option<Set> {
    let mut set = 0;
    for item in text.split(',') {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => (span, Some(number(step)?)),
            None => (item, None),
        };
        let (from, to) = match span.split_once("..") {
            _ if span == "*" => (low, high),
            Some((from, to)) => (number(from)?, number(to)?),
            None => {
                let from = number(span)?;
                (from, if step.is_some() { high } else { from })
            }
        };
        let step = step.unwrap_or(1);
        if step == 0 || from < low || to > high || from > to {
            return None;
        }
        set |= (from..=to).step_by(step as usize).fold(0, |set, n| set | 1 << n);
    }
    Some(set & range(low, high))
}

fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_as_systemd_writes_them() {
        let calendar = parse("Mon..Fri *-*-* 09:00:00").unwrap();
        assert_eq!((calendar.weekdays, calendar.hours, calendar.minutes), (range(1, 5), 1 << 9, 1));
        assert_eq!(parse("*:0/15").map(|c| c.minutes), Some(1 | 1 << 15 | 1 << 30 | 1 << 45));
        assert_eq!(parse("*:0/15").map(|c| c.hours), Some(range(0, 23)));
        assert_eq!(parse("hourly"), parse("*-*-* *:00:00"));
        assert_eq!(parse("*-*-* 6,18:00"), parse("*-*-* 06,18:00:00"));
        assert_eq!(parse("Sun"), parse("sunday *-*-* 00:00:00"));
        assert_eq!(parse("sat..mon *-*-*").map(|c| c.weekdays), Some(1 | 1 << 1 | 1 << 6));
        assert_eq!(parse("*-*-* 12:00 UTC").map(|c| c.utc), Some(true));
        assert_eq!(parse("*:*:0/10").map(|c| c.seconds.count_ones()), Some(6));
    }

    #[test]
    fn what_is_not_covered_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2030-*-* 00:00",
            "*-02~01",
            "*:*:00.5",
            "*-*-* 09:00 Europe/Berlin",
            "25:00",
            "*:60",
            "1:2:3:4",
            "*-*-*-*",
            "mon..noday",
            "*:0/0",
            "99999999999:00",
            ":",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
