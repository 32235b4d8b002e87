//! Quartz's and Spring's cron expressions: six fields, or seven with a year, seconds first (Quartz's CronExpression).
//!
//! ```text
//! 0 * * * * ?          each minute
//! 0 0/15 9-17 ? * MON-FRI
//! ```
//!
//! Days of the week count from 1 (Sunday) in Quartz and from 0 in Spring; names mean the same in both. `L`, `W` and `#` are
//! not covered: such a schedule fires at most once a day, and is no cadence that is seen in threads.

use super::calendar::Calendar;
use super::cron;
use super::express;

/// Reads an expression; `None` for what is not covered, and for years other than `*`.
pub(super) fn parse(text: &str) -> Option<Calendar> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [seconds, minute, hour, day, month, weekday] = match fields.as_slice() {
        [all @ .., "*"] if all.len() == 6 => all.try_into().ok()?,
        all => all.try_into().ok()?,
    };
    let any = |field: &str| if field == "?" { "*".to_owned() } else { field.to_owned() };
    let rest = format!("{minute} {hour} {} {month} {}", any(day), numbered_from_one(&any(weekday))?);
    let calendar = cron::parse(&rest)?;
    Some(Calendar { seconds: cron::seconds(seconds)?, either_day: false, ..calendar })
}

/// Quartz's days of the week as cron's: 1-7 become 0-6.
fn numbered_from_one(field: &str) -> Option<String> {
    let is_number = |c: char| c.is_ascii_digit();
    if !field.contains(is_number) || field.starts_with('*') {
        return Some(field.to_owned());
    }
    let shifted = field.split(',').map(|item| {
        let (span, step) = item.split_once('/').map_or((item, None), |(span, step)| (span, Some(step)));
        let down = |word: &str| match word.parse::<u32>() {
            Ok(n @ 1..=7) => Some((n - 1).to_string()),
            Ok(_) => None,
            Err(_) => Some(word.to_owned()),
        };
        let span = match span.split_once('-') {
            Some((from, to)) => format!("{}-{}", down(from)?, down(to)?),
            None => down(span)?,
        };
        Some(step.map_or(span.clone(), |step| format!("{span}/{step}")))
    });
    Some(shifted.collect::<Option<Vec<_>>>()?.join(","))
}

/// What an expression that fires each minute, or each second, was probably meant to be.
pub(super) fn near_miss(text: &str) -> Option<String> {
    let mut fields: Vec<&str> = text.split_ascii_whitespace().collect();
    if !(6..=7).contains(&fields.len()) {
        return None;
    }
    // The fastest field with a star or a step becomes a number: `*/15` where `15` was meant.
    let words = ["a field for each minute", "an hourly field", "a daily field"];
    let at = (0..3).find(|at| fields[*at].starts_with('*') || fields[*at].contains('/'))?;
    fields[at] = fields[at].rsplit_once('/').map_or("0", |(_, step)| step);
    Some(express::near_miss(words[at], &fields.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::calendar::range;

    #[test]
    fn the_founding_case() {
        let calendar = parse("0 * * * * ?").unwrap();
        assert_eq!((calendar.seconds, calendar.minutes), (1, range(0, 59)));
        assert_eq!(near_miss("0 * * * * ?").unwrap(), "an hourly field would be \"0 0 * * * ?\"");
        assert_eq!(near_miss("0 0 * * * ?").unwrap(), "a daily field would be \"0 0 0 * * ?\"");
        assert_eq!(near_miss("* * * * * ?").unwrap(), "a field for each minute would be \"0 * * * * ?\"");
        assert_eq!(near_miss("0 0/15 * * * ?").unwrap(), "an hourly field would be \"0 15 * * * ?\"");
        assert_eq!(near_miss("0 0 3 * * ?"), None);
    }

    #[test]
    fn days_of_the_week_count_from_sunday_as_one() {
        assert_eq!(parse("0 0 9 ? * 2-6").map(|c| c.weekdays), Some(range(1, 5)));
        assert_eq!(parse("0 0 9 ? * MON-FRI").map(|c| c.weekdays), Some(range(1, 5)));
        assert_eq!(parse("0/2 * * * * ? *").map(|c| c.seconds.count_ones()), Some(30));
    }

    #[test]
    fn what_is_not_covered_is_refused() {
        for text in [
            "",
            "* * * * *",
            "0 0 0 L * ?",
            "0 0 0 ? * 6#3",
            "0 0 0 ? * 0",
            "0 0 0 * * ? 2027",
            "61 * * * * ?",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
