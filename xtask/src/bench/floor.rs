//! In-process ratios: what flatfoot does with a file of /proc against reading it and dropping it, as nobody can do
//! less. The example `memory_cost` of probe measures both in one process, in turn.

use std::collections::HashMap;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::built::Built;
use super::statistics::Spread;
use super::table::{Reach, Row, Unit, milliseconds};

/// CPU seconds of each way in each round.
#[derive(Debug)]
pub(crate) struct Floors {
    ways: HashMap<String, Vec<f64>>,
    command: String,
}

impl Floors {
    /// Measures all ways on a process.
    pub(crate) fn of(built: &Built, pid: u32, rounds: usize) -> Result<Self> {
        let mut command = Command::new(&built.memory_cost);
        let output = command.arg(pid.to_string()).arg(rounds.to_string()).arg("each").output();
        let output = output.context("the example memory_cost")?;
        if !output.status.success() {
            bail!("memory_cost: {}", output.status);
        }
        let ways = parse(&String::from_utf8_lossy(&output.stdout)).context("what memory_cost printed")?;
        Ok(Self {
            ways,
            command: format!("cargo run --release -p flatfoot-probe --example memory_cost PID {rounds}"),
        })
    }

    /// A row: one way against another.
    pub(crate) fn row(&self, work: &str, way: &str, floor: &str, reach: Reach) -> Row {
        let of = |name: &str| self.ways.get(name).map_or(&[][..], Vec::as_slice);
        let (over, under) = (of(way), of(floor));
        let median = |values: &[f64]| Spread::of(values.to_vec()).map_or(0.0, |spread| spread.median);
        Row::new(work, Unit::Times, reach, Spread::of_ratios(over, under))
            .aside(format!("{} against {}", milliseconds(median(over)), milliseconds(median(under))))
            .command(&self.command)
    }
}

/// `maps, parsed<TAB>1.2345`: milliseconds.
fn parse(text: &str) -> Option<HashMap<String, Vec<f64>>> {
    let mut ways: HashMap<String, Vec<f64>> = HashMap::new();
    for line in text.lines() {
        let (way, time) = line.split_once('\t')?;
        ways.entry(way.to_owned()).or_default().push(time.parse::<f64>().ok()? / 1e3);
    }
    (!ways.is_empty()).then_some(ways)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_lines_are_read() {
        let ways = parse("maps, parsed\t2.0\nmaps, dropped\t1.0\nmaps, parsed\t4.0\n").unwrap();
        assert_eq!(ways["maps, parsed"], [0.002, 0.004]);
        assert!(parse("no process 12\n").is_none());
        assert!(parse("").is_none());
    }
}
