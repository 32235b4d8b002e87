//! The result: a Markdown table, a row for each thing that was promised.

use std::fmt::Write as _;

use super::statistics::Spread;

/// How a row's figure reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// 3.21×
    Times,
    /// 12.3 ms, of seconds.
    Milliseconds,
    /// 61 s, of seconds.
    Seconds,
    /// 6.7 MB, of bytes.
    Megabytes,
    /// 0.42 B, of bytes.
    Bytes,
    /// 27 ns, of seconds.
    Nanoseconds,
}

/// What is to be reached; compared with the median.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reach {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
    /// Nothing was promised: the figure explains another one.
    Nothing,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    work: String,
    unit: Unit,
    reach: Reach,
    /// What was measured, or why not.
    measured: Result<Spread, String>,
    /// Absolute figures beside a ratio.
    aside: String,
    command: String,
}

impl Row {
    /// A row that was measured.
    pub(crate) fn new(work: impl Into<String>, unit: Unit, reach: Reach, measured: Option<Spread>) -> Self {
        Self {
            work: work.into(),
            unit,
            reach,
            measured: measured.ok_or_else(|| "no figures".to_owned()),
            aside: String::new(),
            command: String::new(),
        }
    }

    /// A row that could not be.
    pub(crate) fn missing(work: impl Into<String>, why: &anyhow::Error) -> Self {
        let measured = Err(format!("{why:#}"));
        Self {
            work: work.into(),
            unit: Unit::Times,
            reach: Reach::Nothing,
            measured,
            aside: String::new(),
            command: String::new(),
        }
    }

    /// The same figure, of which nothing was promised.
    #[must_use]
    pub(crate) fn without_reach(mut self) -> Self {
        self.reach = Reach::Nothing;
        self
    }

    /// What lies behind a ratio: `4.1 ms, 52.0 ms`.
    #[must_use]
    pub(crate) fn aside(mut self, text: impl Into<String>) -> Self {
        self.aside = text.into();
        self
    }

    /// What was run.
    #[must_use]
    pub(crate) fn command(mut self, text: impl Into<String>) -> Self {
        self.command = text.into();
        self
    }

    /// Was it measured?
    pub(crate) fn is_measured(&self) -> bool {
        self.measured.is_ok()
    }

    /// Did it reach what was promised? `None` when nothing was, or nothing could be measured.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let median = self.measured.as_ref().ok()?.median;
        match self.reach {
            Reach::AtMost(most) => Some(median <= most),
            Reach::AtLeast(least) => Some(median >= least),
            Reach::Nothing => None,
        }
    }

    fn cells(&self) -> [String; 5] {
        let measured = match &self.measured {
            Ok(spread) => {
                let [median, low, high] =
                    [spread.median, spread.low, spread.high].map(|value| show(value, self.unit));
                let unit = unit(self.unit);
                let scatter = if low == high { String::new() } else { format!(" ({low}–{high})") };
                let aside = if self.aside.is_empty() { String::new() } else { format!("; {}", self.aside) };
                format!("**{median}{unit}**{scatter}{aside}")
            }
            Err(why) => format!("not measured: {why}"),
        };
        let reach = match self.reach {
            Reach::AtMost(most) => format!("≤ {}{}", plain(most, self.unit), unit(self.unit)),
            Reach::AtLeast(least) => format!("≥ {}{}", plain(least, self.unit), unit(self.unit)),
            Reach::Nothing => String::new(),
        };
        let verdict = match (self.is_met(), self.is_measured()) {
            (Some(true), _) => "met",
            (Some(false), _) => "NOT met",
            (None, false) => "NOT measured",
            (None, true) => "",
        };
        [self.work.clone(), measured, reach, verdict.to_owned(), self.command.clone()]
            .map(|cell| cell.replace('|', "\\|"))
    }
}

/// The table, its columns as wide as their cells.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let head = ["work", "measured: median (quartiles)", "reach", "verdict", "command"].map(str::to_owned);
    let mut lines = vec![head];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(out, "| {}{} ", cell, " ".repeat(width - cell.chars().count()));
        }
        out.push_str("|\n");
        if index == 0 {
            let rules = widths.map(|width| "-".repeat(width + 2));
            let _ = writeln!(out, "|{}|", rules.join("|"));
        }
    }
    out
}

fn scaled(value: f64, unit: Unit) -> f64 {
    match unit {
        Unit::Times | Unit::Seconds | Unit::Bytes => value,
        Unit::Nanoseconds => value * 1e9,
        Unit::Milliseconds => value * 1e3,
        Unit::Megabytes => value / 1e6,
    }
}

/// Three digits that count.
fn show(value: f64, unit: Unit) -> String {
    let value = scaled(value, unit);
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else if value >= 0.1 {
        2
    } else {
        3
    };
    format!("{value:.decimals$}")
}

fn plain(value: f64, unit: Unit) -> String {
    // 0.2 ms is 0.0002 s: as it was written, not as it is stored.
    let value = scaled(value, unit);
    format!("{}", (value * 1e6).round() / 1e6)
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Times => "×",
        Unit::Milliseconds => " ms",
        Unit::Seconds => " s",
        Unit::Megabytes => " MB",
        Unit::Bytes => " B",
        Unit::Nanoseconds => " ns",
    }
}

/// Milliseconds of seconds, for an aside.
pub(crate) fn milliseconds(seconds: f64) -> String {
    format!("{} ms", show(seconds, Unit::Milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64) -> Spread {
        Spread { median, low: median * 0.9, high: median * 1.1 }
    }

    #[test]
    fn a_row_says_whether_the_reach_was_met() {
        let met = |reach, median| Row::new("w", Unit::Times, reach, Some(spread(median))).is_met();
        assert_eq!(met(Reach::AtMost(1.15), 1.15), Some(true));
        assert_eq!(met(Reach::AtMost(1.15), 1.16), Some(false));
        assert_eq!(met(Reach::AtLeast(2.0), 1.99), Some(false));
        assert_eq!(met(Reach::AtLeast(2.0), 2.0), Some(true));
        assert_eq!(met(Reach::Nothing, 2.0), None);
        let missing = Row::missing("w", &anyhow::anyhow!("smem is not there"));
        assert!(!missing.is_measured() && missing.is_met().is_none());
        assert!(markdown(&[missing]).contains("not measured: smem is not there"));
    }

    #[test]
    fn the_table_is_markdown() {
        let rows = [
            Row::new("mappings", Unit::Times, Reach::AtLeast(10.0), Some(spread(12.0)))
                .command("pmap -x PID"),
            Row::new("wall", Unit::Milliseconds, Reach::AtMost(0.000_2), Some(spread(0.000_5))).aside("a|b"),
        ];
        let text = markdown(&rows);
        assert_eq!(text.lines().count(), 4);
        assert!(
            text.contains("**12.0×** (10.8–13.2)") && text.contains("≥ 10×") && text.contains(" met "),
            "{text}"
        );
        assert!(text.contains("≤ 0.2 ms") && text.contains("NOT met") && text.contains("a\\|b"), "{text}");
    }
}
