//! cron's five fields and nicknames (crontab(5) of Vixie cron and cronie).

use super::calendar::{Calendar, Set, range};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Reads `*/15 9-17 * * mon-fri` or `@hourly`. `None` for what is no calendar time (`@reboot`), for random
/// ranges (`0~59`) and for anything malformed.
pub(super) fn parse(text: &str) -> Option<Calendar> {
    let text = text.trim().to_ascii_lowercase();
    let fields = match text.as_str() {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        other => other,
    };
    let mut fields = fields.split_ascii_whitespace();
    let mut next = || fields.next();
    let (minute, hour, day, month, weekday) = (next()?, next()?, next()?, next()?, next()?);
    if next().is_some() {
        return None;
    }
    let weekdays = field(weekday, 0, 7, &WEEKDAYS, 0)?;
    Some(Calendar {
        seconds: 1,
        minutes: field(minute, 0, 59, &[], 0)?,
        hours: field(hour, 0, 23, &[], 0)?,
        days: field(day, 1, 31, &[], 0)?,
        months: field(month, 1, 12, &MONTHS, 1)?,
        // 7 is Sunday too.
        weekdays: (weekdays | weekdays >> 7 & 1) & range(0, 6),
        either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        utc: false,
    })
}

/// Reads a field of seconds, which cron doesn't have and its relatives write like minutes.
pub(super) fn seconds(text: &str) -> Option<Set> {
    field(text, 0, 59, &[], 0)
}

/// Reads one field: `*`, `5`, `1-5`, `*/2`, `1-30/5`, `mon`, and lists of these.
fn field(text: &str, low: u32, high: u32, names: &[&str], first_name: u32) -> Option<Set> {
    let mut set = 0;
    for item in text.split(',') {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => (span, Some(number(step)?)),
            None => (item, None),
        };
        let named = |word: &str| match names.iter().position(|name| *name == word) {
            Some(at) => Some(at as u32 + first_name),
            None => number(word),
        };
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (low, high),
            Some((from, to)) => (named(from)?, named(to)?),
            // `5/10` counts from 5 to the end of the field.
            None => {
                let from = named(span)?;
                (from, if step.is_some() { high } else { from })
            }
        };
        let step = step.unwrap_or(1);
        if step == 0 || from < low || to > high || from > to {
            return None;
        }
        set |= (from..=to).step_by(step as usize).fold(0, |set, n| set | 1 << n);
    }
    Some(set)
}

/// Digits only: `str::parse` would take a sign as well.
fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_names_lists_ranges_and_steps() {
        let calendar = parse("*/15 9-17 1,15 jan-MAR mon-fri").unwrap();
        assert_eq!(calendar.minutes, 1 | 1 << 15 | 1 << 30 | 1 << 45);
        assert_eq!(calendar.hours, range(9, 17));
        assert_eq!(calendar.days, 1 << 1 | 1 << 15);
        assert_eq!(calendar.months, range(1, 3));
        assert_eq!(calendar.weekdays, range(1, 5));
        assert!(calendar.either_day);
        assert_eq!(
            parse("5/20 * * * 7").map(|c| (c.minutes, c.weekdays)),
            Some((1 << 5 | 1 << 25 | 1 << 45, 1))
        );
        assert_eq!(parse("@hourly"), parse("0 * * * *"));
        assert_eq!(parse(" 0 0 * * 5-7 ").map(|c| c.weekdays), Some(1 | 1 << 5 | 1 << 6));
    }

    #[test]
    fn what_is_no_calendar_time_is_refused() {
        for text in [
            "",
            "@reboot",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "0~59 * * * *",
            "-1 * * * *",
            "+1 * * * *",
            "1, * * * *",
            "99999999999999999999 * * * *",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
