//! What `make` needs and flatfoot does not ship. `cargo xtask bench` measures what the README promises, `cargo xtask
//! detect-score` how well the judge judges.

mod bench;
mod score;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Measure flatfoot against the kernel's floor and against its peers, and print the table
    Bench(bench::Options),
    /// Judge thousands of generated series, and print recall, false positives, delay and cost
    DetectScore(score::Options),
}

fn main() -> Result<ExitCode> {
    match Task::parse() {
        Task::Bench(options) => bench::run(&options),
        Task::DetectScore(options) => score::run(&options),
    }
}
