//! Values as people write them: times, sizes, amounts.

/// How long to watch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Watch {
    /// As long as the rhythm of what was found asks for.
    Auto,
    /// So many seconds.
    Seconds(f64),
}

impl Watch {
    pub(crate) fn seconds(self) -> Option<f64> {
        match self {
            Self::Auto => None,
            Self::Seconds(seconds) => Some(seconds),
        }
    }
}

pub(super) fn parse_watch(text: &str) -> Result<Watch, String> {
    if text.trim() == "auto" { Ok(Watch::Auto) } else { parse_time(text).map(Watch::Seconds) }
}

/// The same, and nothing.
pub(super) fn parse_time_or_zero(text: &str) -> Result<f64, String> {
    if matches!(text.trim(), "0" | "0s") { Ok(0.0) } else { parse_time(text) }
}

/// A finite number above 0.
pub(super) fn parse_amount(text: &str) -> Result<f64, String> {
    let value: f64 = text.trim().parse().map_err(|_| "a number, as 4915 or 2e9".to_owned())?;
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err("a number above 0".to_owned()) }
}

/// `500M`, `4G`, `1048576`: bytes, at least a mebibyte.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let value: u64 = text[..digits].parse().map_err(|_| format!("no number in {text:?}"))?;
    let factor: u64 = match text[digits..].trim_end_matches("iB").trim_end_matches('B') {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        other => return Err(format!("{other:?} is no unit of size: K, M, G or T")),
    };
    let bytes = value.checked_mul(factor).filter(|bytes| *bytes >= 1 << 20);
    bytes.ok_or_else(|| "a size of 1M or more".to_owned())
}

/// Up to ten years.
pub(super) fn parse_long_time(text: &str) -> Result<f64, String> {
    parse_time_up_to(text, 3_653.0)
}

/// `90`, `90s`, `6m`, `1h30m`, `500ms`: seconds.
pub(crate) fn parse_time(text: &str) -> Result<f64, String> {
    parse_time_up_to(text, 31.0)
}

fn parse_time_up_to(text: &str, days: f64) -> Result<f64, String> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return Err("a time such as 90s, 6m or 2h".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let value: f64 = rest[..digits].parse().map_err(|_| format!("no number before {rest:?}"))?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += value
            * match rest[..unit].trim() {
                "ms" => 0.001,
                "" | "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                other => return Err(format!("{other:?} is no unit of time: ms, s, m, h or d")),
            };
        rest = &rest[unit..];
    }
    if total > 0.0 && total <= days * 86_400.0 {
        Ok(total)
    } else {
        Err(format!("a time between 1ms and {days:.0}d"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(parse_time("90"), Ok(90.0));
        assert_eq!(parse_time("6m"), Ok(360.0));
        assert_eq!(parse_time("1h30m"), Ok(5_400.0));
        assert_eq!(parse_time("500ms"), Ok(0.5));
        assert_eq!(parse_long_time("400d"), Ok(400.0 * 86_400.0));
        assert_eq!((parse_size("4G"), parse_size("500 M").is_err()), (Ok(4 << 30), true));
        assert_eq!((parse_size("64MiB"), parse_size("1048576")), (Ok(64 << 20), Ok(1 << 20)));
        for wrong in ["", "G", "1", "-1G", "4P", "99999999999999999999G", "18446744073709551615K"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "m", "6 parsecs", "0", "-1s", "40d", "1e9h"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
