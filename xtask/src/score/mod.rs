//! The judge's bench: thousands of generated series, leaks and what is healthy, and how often the judge is right.
//!
//! Tuned on seeds 1000 to 1099 only, judged on 10000 to 10199; how often the unseen shapes were looked at is said in
//! docs/detection.md.

mod cost;
mod fixed;
mod parts;
mod random;
mod shapes;
mod streams;
mod threads;
mod watched;
mod wilson;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

/// cargo xtask detect-score
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Seeds of the series, the last excluded
    #[arg(long, value_name = "A..B", default_value = "10000..10200", value_parser = parse_seeds)]
    seeds: std::ops::Range<u64>,
    /// Lengths of the series: 2m, 10m, 1h, 24h
    #[arg(long, value_name = "LENGTH", value_delimiter = ',')]
    lengths: Vec<String>,
    /// Shapes with these words in their names only
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    only: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Say how each series was judged, and why
    #[arg(long)]
    each: bool,
}

fn parse_seeds(text: &str) -> Result<std::ops::Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("two numbers with .. between them")?;
    let number = |text: &str| text.trim().parse().map_err(|e| format!("{text:?}: {e}"));
    Ok(number(from)?..number(to)?)
}

impl Options {
    /// Is this shape, or its whole kind, asked for?
    fn wants(&self, shape: &str, kind: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| word == shape || word == kind)
    }
}

/// All that was measured.
#[derive(Debug, serde::Serialize)]
struct Score {
    fixed: fixed::Table,
    watched: Vec<watched::Days>,
    threads: Vec<threads::Delays>,
    cadences: Option<threads::Cadences>,
    cost: Option<cost::Cost>,
}

impl Score {
    fn measure(options: &Options) -> Self {
        let seeds = &options.seeds;
        let births = options.wants("births", "births");
        let many = seeds.start..seeds.start + 5 * (seeds.end.saturating_sub(seeds.start));
        Self {
            fixed: fixed::measure(options),
            watched: watched::measure(options),
            threads: if options.wants("threads", "threads") { threads::measure(seeds) } else { Vec::new() },
            cadences: births.then(|| threads::cadences(many)),
            cost: options.wants("cost", "cost").then(|| cost::measure(200)),
        }
    }

    fn markdown(&self) -> String {
        let mut out = fixed::markdown(&self.fixed);
        out.push_str(&watched::markdown(&self.watched));
        out.push_str(&threads::markdown(&self.threads, self.cadences.as_ref()));
        if let Some(cost) = &self.cost {
            let _ = write!(
                out,
                "\n| cost | |\n|---|---|\n| a verdict on 69 samples | {:.1} µs |\n| on 360 samples | {:.1} µs |\n\
                 | a point watched, its looks included | {:.0} ns |\n| a series at rest | {} bytes |\n\
                 | a series that moves, at most | {} bytes |\n",
                cost.verdict_us, cost.verdict_of_360_us, cost.point_ns, cost.idle_bytes, cost.full_bytes
            );
        }
        out
    }
}

/// Measures and prints.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let score = Score::measure(options);
    let text = if options.json { serde_json::to_string_pretty(&score)? + "\n" } else { score.markdown() };
    std::io::stdout().lock().write_all(text.as_bytes()).context("stdout")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(seeds: std::ops::Range<u64>, lengths: &[&str], only: &[&str]) -> Options {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Options { seeds, lengths: words(lengths), only: words(only), json: false, each: false }
    }

    /// A few seeds of what the full run judges by two hundred, with slack for that: a broken judge fails.
    #[test]
    fn the_judge_is_as_good_as_it_was() {
        let table = fixed::measure(&options(10_000..10_012, &["10m", "1h"], &[]));
        let share = |kind: usize| table.all(kind);
        assert!(share(0).percent() >= 94.0, "leaks: {}", share(0).shown());
        assert!(share(1).percent() <= 1.2, "healthy: {}", share(1).shown());
        assert!(share(2).percent() >= 88.0, "unseen leaks: {}", share(2).shown());
        assert!(share(3).percent() <= 4.0, "unseen healthy: {}", share(3).shown());
    }

    #[test]
    fn days_that_are_watched_stay_quiet() {
        let days = watched::measure(&options(10_000..10_002, &["none"], &["watched"]));
        let named = |leak: bool| {
            let days = days.iter().filter(|day| day.leak == leak);
            days.fold((0, 0), |sum, day| (sum.0 + day.named.hits, sum.1 + day.named.of))
        };
        let ((found, of), (falsely, _)) = (named(true), named(false));
        assert!(found + 2 >= of, "{found} of {of} leaks");
        assert!(falsely <= 2, "{falsely} false alarms");
    }

    #[test]
    fn a_thread_a_minute_is_named_in_time() {
        let delays = threads::measure(&(10_000..10_010));
        assert!(delays[0].seconds.len() == 10 && delays[0].seconds.iter().all(|s| *s <= 480.0), "{delays:?}");
        let cadences = threads::cadences(10_000..10_060);
        assert!(cadences.mixed.percent() >= 95.0 && cadences.falsely.percent() <= 4.0, "{cadences:?}");
    }
}
