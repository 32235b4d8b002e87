//! The judge's bench: thousands of generated series, leaks and what is healthy, and how often the judge is right.
//!
//! Tuned on seeds 1000 to 1099 only, judged on 10000 to 10199; the unseen shapes were not looked at while tuning.

mod fixed;
mod parts;
mod random;
mod shapes;
mod streams;
mod threads;
mod watched;
mod wilson;

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

/// Measures and prints.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(fixed::markdown(&fixed::measure(options)).as_bytes()).context("stdout")?;
    out.write_all(watched::markdown(&watched::measure(options)).as_bytes()).context("stdout")?;
    if options.wants("threads", "threads") {
        for (period, interval) in [(60.0, 5.0), (60.0, 10.0), (300.0, 10.0)] {
            let (d, named) = threads::delays(options.seeds.clone(), period, interval, 4.0 * 3_600.0);
            let q = |q: f64| d.get((d.len() as f64 * q) as usize).map_or(String::new(), |d| watched::time(*d));
            writeln!(out, "thread every {period} s at {interval} s: named {} after {} / {} / {}", named.shown(), q(0.5), q(0.9), q(0.99))?;
        }
        let c = threads::cadences(options.seeds.start..options.seeds.start + 5 * (options.seeds.end - options.seeds.start));
        writeln!(out, "five {} mixed {} false {}", c.five.shown(), c.mixed.shown(), c.falsely.shown())?;
    }
    Ok(ExitCode::SUCCESS)
}
