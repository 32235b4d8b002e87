//! Recording a thousand processes at one second: the sampler against the kernel's own part of that work, and the
//! recorder against those who record the same.
//!
//! Recorders run for months, so what counts is what a tick more costs. Each runs for a short and for a long time, all of
//! them side by side (CPU time is accounted to each by itself); the difference, by its ticks, is without their start.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::built::Built;
use super::cost::{Cost, Run};
use super::statistics::Spread;
use super::table::{Reach, Row, Unit, milliseconds};
use super::target::Sleepers;

/// Ticks of the short run.
const SHORT: usize = 10;
/// How often a pair of runs is made.
const PAIRS: usize = 3;

/// All rows; `ticks` is how many a long run has more than a short one.
pub(crate) fn rows(built: &Built, ticks: usize) -> Vec<Row> {
    let work = "recording 1,000 processes each second";
    let _sleepers = match Sleepers::start(built, 1_000) {
        Ok(sleepers) => sleepers,
        Err(why) => return vec![Row::missing(work, &why)],
    };
    let mut rows = vec![sampler(built, ticks).unwrap_or_else(|why| Row::missing("sampling", &why))];
    rows.extend(recorders(built, ticks, work).unwrap_or_else(|why| vec![Row::missing(work, &why)]));
    rows
}

/// In one process, in turn: CPU time of all rounds against that of the floor.
fn sampler(built: &Built, rounds: usize) -> Result<Row> {
    let program = built.example("sampler_cost");
    let output =
        Command::new(&program).arg(rounds.to_string()).output().context("the example sampler_cost")?;
    if !output.status.success() {
        bail!("sampler_cost: {}", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let of = |way: &str| -> Vec<f64> {
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        lines.filter(|(name, _)| *name == way).filter_map(|(_, ms)| ms.parse().ok()).collect()
    };
    let (floor, ours) = (of("floor"), of("sampler"));
    let sum = |values: &[f64]| values.iter().sum::<f64>() / 1e3 / values.len().max(1) as f64;
    if floor.is_empty() || ours.len() != floor.len() {
        bail!("sampler_cost printed {} and {} rounds", floor.len(), ours.len());
    }
    // The mean, not the median: what is read each half minute is part of the cost.
    let ratio = sum(&ours) / sum(&floor);
    Ok(Row::new(
        "sampling 1,000 processes, against their stat read on kept descriptors and dropped",
        Unit::Times,
        Reach::AtMost(1.25),
        Spread::of(vec![ratio]),
    )
    .aside(format!("{} against {} a tick", milliseconds(sum(&ours)), milliseconds(sum(&floor))))
    .command(format!("cargo run --release -p flatfoot-probe --example sampler_cost {rounds}")))
}

/// Somebody who records each second, for so many ticks.
struct Recorder {
    name: &'static str,
    /// `TICKS` stands for the number.
    line: &'static str,
    least: f64,
}

const OTHERS: [Recorder; 3] = [
    Recorder { name: "top", line: "top -b -d 1 -n TICKS", least: 3.0 },
    Recorder { name: "atop", line: "atop -w FOLDER/atop.raw 1 TICKS", least: 10.0 },
    Recorder {
        name: "below",
        line: "timeout TICKS below --config FOLDER/below.conf record --collect-interval-s 1 --disable-exitstats",
        least: 10.0,
    },
];

fn recorders(built: &Built, ticks: usize, work: &str) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_string_lossy().into_owned();
    let below = format!("log_dir = \"{path}/below-log\"\nstore_dir = \"{path}/below-store\"\n");
    std::fs::write(folder.path().join("below.conf"), below)?;
    let own = "flatfoot record --quiet --interval 1s --store FOLDER/h.flatfoot --for TICKSs";
    let (present, missing): (Vec<&Recorder>, Vec<&Recorder>) =
        OTHERS.iter().partition(|other| is_installed(other.name));
    let run = |line: &str, ticks: usize| {
        let line = line.replace("FOLDER", &path).replace("TICKS", &ticks.to_string());
        // timeout(1) ends with 124.
        Run::new(&line, None).expecting(&[0, 124])
    };
    let runs = |ticks: usize| -> Vec<Run> {
        let own = run(own, ticks).program(&built.release.to_string_lossy());
        std::iter::once(own).chain(present.iter().map(|other| run(other.line, ticks))).collect()
    };
    let mut a_tick: Vec<Vec<f64>> = vec![Vec::new(); present.len() + 1];
    let mut peaks = Vec::new();
    for _ in 0..PAIRS {
        for name in ["h.flatfoot", "atop.raw"] {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
        let short = side_by_side(&runs(SHORT))?;
        let _ = std::fs::remove_file(folder.path().join("atop.raw"));
        let long = side_by_side(&runs(SHORT + ticks))?;
        for ((costs, short), long) in a_tick.iter_mut().zip(&short).zip(&long) {
            costs.push((long.cpu_s - short.cpu_s).max(1e-6) / ticks as f64);
        }
        peaks.extend(long.first().map(|cost| cost.peak));
    }
    let median = |index: usize| {
        a_tick.get(index).and_then(|costs| Spread::of(costs.clone())).map_or(0.0, |spread| spread.median)
    };
    let ours = a_tick.first().cloned().unwrap_or_default();
    let mut rows: Vec<Row> = present
        .iter()
        .enumerate()
        .map(|(index, other)| {
            let ratio = Spread::of_ratios(a_tick.get(index + 1).map_or(&[][..], Vec::as_slice), &ours);
            Row::new(format!("{work}, {}", other.name), Unit::Times, Reach::AtLeast(other.least), ratio)
                .aside(format!(
                    "{} against {} a tick",
                    milliseconds(median(index + 1)),
                    milliseconds(median(0))
                ))
                .command(other.line)
        })
        .collect();
    rows.extend(missing.iter().map(|other| {
        let why = anyhow::anyhow!(
            "{} is not installed (atop is a package of Debian; below is built from its sources)",
            other.name
        );
        Row::missing(format!("{work}, {}", other.name), &why).without_reach()
    }));
    rows.push(
        Row::new(format!("{work}: memory"), Unit::Megabytes, Reach::AtMost(40e6), Spread::of(peaks))
            .command(own),
    );
    Ok(rows)
}

fn side_by_side(runs: &[Run]) -> Result<Vec<Cost>> {
    std::thread::scope(|scope| {
        let started: Vec<_> = runs.iter().map(|run| scope.spawn(|| run.measure())).collect();
        started.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a run panicked"))).collect()
    })
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
