//! A cadence put into words: the Quartz and cron expressions that would fire like it, and the slip of the pen
//! that makes such an expression fire so often.

use model::{Cadence, ScheduleMatch};

use crate::cadence::human_period;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Births come after the firing, never before it; but the time of boot is only known to a fraction of a
/// second, so a phase this little before a full second belongs to it.
const EARLY_S: f64 = 0.25;

/// Threads that appear up to so many seconds after a full minute were likely fired at the full minute.
const LATE_S: u64 = 2;

/// The expressions that would fire like this cadence: Quartz's, and cron's where it can. Empty when the
/// period is not one that people write, or the phase does not stand still.
pub(super) fn expressions(cadence: &Cadence) -> Vec<ScheduleMatch> {
    let Some((period, phase)) = whole_seconds(cadence) else { return Vec::new() };
    let Some(fields) = Fields::of(period, phase) else { return Vec::new() };
    let meaning = describe(period);
    let entry = |expression: String, near_miss: Option<String>| ScheduleMatch {
        source: None,
        expression,
        what: None,
        in_process: false,
        meaning: meaning.clone(),
        near_miss,
    };
    let mut found =
        vec![entry(fields.quartz(), fields.slip().map(|(word, slip)| near_miss(word, &slip.quartz())))];
    if let Some(cron) = fields.cron() {
        let slip = fields.slip().and_then(|(word, slip)| Some(near_miss(word, &slip.cron()?)));
        found.push(entry(cron, slip));
    }
    found
}

/// `an hourly field would be "0 0 * * * ?"`.
pub(super) fn near_miss(word: &str, expression: &str) -> String {
    format!("{word} would be \"{expression}\"")
}

/// `fires each minute`, `fires every 15 minutes`.
pub(super) fn describe(period: u64) -> String {
    let (count, unit) = match period {
        DAY.. if period.is_multiple_of(DAY) => (period / DAY, "day"),
        HOUR.. if period.is_multiple_of(HOUR) => (period / HOUR, "hour"),
        MINUTE.. if period.is_multiple_of(MINUTE) => (period / MINUTE, "minute"),
        _ => (period, "second"),
    };
    if count == 1 { format!("fires each {unit}") } else { format!("fires every {count} {unit}s") }
}

/// Period and phase in whole seconds, the phase at the firing rather than at the births.
fn whole_seconds(cadence: &Cadence) -> Option<(u64, u64)> {
    let period = human_period(cadence.period_s, cadence.period_error_s)?;
    let phase = cadence.phase_s?;
    if period < 1.0 || !phase.is_finite() || phase < 0.0 {
        return None;
    }
    let period = period as u64;
    let mut phase = (phase + EARLY_S).floor() as u64 % period;
    if period >= MINUTE && phase % MINUTE <= LATE_S {
        phase -= phase % MINUTE;
    }
    Some((period, phase))
}

/// One field of an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    At(u64),
    /// From the first, in steps of the second.
    Step(u64, u64),
    Each,
}

/// The fields that can matter for a period up to a day.
#[derive(Clone, Copy)]
struct Fields {
    second: Field,
    minute: Field,
    hour: Field,
}

impl Fields {
    /// `None` for a period that no single field can say (90 s).
    fn of(period: u64, phase: u64) -> Option<Self> {
        let step = |unit: u64, whole: u64| -> Option<Field> {
            let (count, from) = (period / unit, phase / unit);
            let fits = period.is_multiple_of(unit) && whole.is_multiple_of(count);
            fits.then_some(if count == 1 { Field::Each } else { Field::Step(from % count, count) })
        };
        let second = Field::At(phase % 60);
        let minute = Field::At(phase / MINUTE % 60);
        Some(match period {
            1..MINUTE => Self { second: step(1, 60)?, minute: Field::Each, hour: Field::Each },
            MINUTE..HOUR => Self { second, minute: step(MINUTE, 60)?, hour: Field::Each },
            HOUR..DAY => Self { second, minute, hour: step(HOUR, 24)? },
            DAY => Self { second, minute, hour: Field::At(phase / HOUR % 24) },
            _ => return None,
        })
    }

    /// The rarer schedule that was probably meant: the fastest field with a star or a step becomes a number.
    fn slip(self) -> Option<(&'static str, Self)> {
        let number = |field: Field| match field {
            Field::Each => Some(0),
            // `*/15` where `15` was meant.
            Field::Step(from, step) => Some(from + step),
            Field::At(_) => None,
        };
        if let Some(second) = number(self.second) {
            return Some(("a field for each minute", Self { second: Field::At(second % 60), ..self }));
        }
        if let Some(minute) = number(self.minute) {
            return Some(("an hourly field", Self { minute: Field::At(minute % 60), ..self }));
        }
        number(self.hour).map(|hour| ("a daily field", Self { hour: Field::At(hour % 24), ..self }))
    }

    fn quartz(self) -> String {
        let field = |field: Field| match field {
            Field::At(n) => n.to_string(),
            Field::Step(from, step) => format!("{from}/{step}"),
            Field::Each => "*".to_owned(),
        };
        format!("{} {} {} * * ?", field(self.second), field(self.minute), field(self.hour))
    }

    /// `None` where cron cannot: it knows full minutes only.
    fn cron(self) -> Option<String> {
        let field = |field: Field, last: u64| match field {
            Field::At(n) => n.to_string(),
            Field::Step(0, step) => format!("*/{step}"),
            Field::Step(from, step) => format!("{from}-{last}/{step}"),
            Field::Each => "*".to_owned(),
        };
        (self.second == Field::At(0))
            .then(|| format!("{} {} * * *", field(self.minute, 59), field(self.hour, 23)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quartz(period_s: f64, phase_s: f64) -> Option<(String, String, Option<String>)> {
        let cadence = Cadence { period_s, phase_s: Some(phase_s), ..Cadence::default() };
        expressions(&cadence).into_iter().next().map(|m| (m.expression, m.meaning, m.near_miss))
    }

    fn cron(period_s: f64, phase_s: f64) -> Option<(String, Option<String>)> {
        let cadence = Cadence { period_s, phase_s: Some(phase_s), ..Cadence::default() };
        expressions(&cadence).into_iter().nth(1).map(|m| (m.expression, m.near_miss))
    }

    #[test]
    fn the_founding_case() {
        let (expression, meaning, slip) = quartz(60.0, 0.03).unwrap();
        assert_eq!(expression, "0 * * * * ?");
        assert_eq!(meaning, "fires each minute");
        assert_eq!(slip.unwrap(), "an hourly field would be \"0 0 * * * ?\"");
        let (expression, slip) = cron(60.0, 0.03).unwrap();
        assert_eq!(expression, "* * * * *");
        assert_eq!(slip.unwrap(), "an hourly field would be \"0 * * * *\"");
    }

    #[test]
    fn each_unit_has_its_expression_and_its_slip() {
        for (period, phase, expression, slip) in [
            (1.0, 0.9, "* * * * * ?", Some("a field for each minute would be \"0 * * * * ?\"")),
            (5.0, 0.01, "0/5 * * * * ?", Some("a field for each minute would be \"5 * * * * ?\"")),
            (60.0, 37.4, "37 * * * * ?", Some("an hourly field would be \"37 0 * * * ?\"")),
            (60.0, 59.9, "0 * * * * ?", Some("an hourly field would be \"0 0 * * * ?\"")),
            (900.0, 421.0, "0 7/15 * * * ?", Some("an hourly field would be \"0 22 * * * ?\"")),
            (3_600.0, 1_020.5, "0 17 * * * ?", Some("a daily field would be \"0 17 0 * * ?\"")),
            (21_600.0, 10_800.0, "0 0 3/6 * * ?", Some("a daily field would be \"0 0 9 * * ?\"")),
            (86_400.0, 32_400.0, "0 0 9 * * ?", None),
        ] {
            let (got, _, near) = quartz(period, phase).unwrap();
            assert_eq!((got.as_str(), near.as_deref()), (expression, slip), "{period}");
        }
        assert_eq!(cron(900.0, 0.5).unwrap().0, "*/15 * * * *");
        assert_eq!(cron(900.0, 421.0).unwrap().0, "7-59/15 * * * *");
        assert_eq!(cron(60.0, 37.0), None);
    }

    #[test]
    fn what_nobody_writes_has_none() {
        assert_eq!(quartz(0.5, 0.1), None);
        assert_eq!(quartz(61.0, 0.1), None);
        assert_eq!(quartz(90.0, 0.1), None);
        assert_eq!(quartz(60.0, f64::NAN), None);
    }
}
