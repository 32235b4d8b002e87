//! What the recorder's store costs: an example of the store's crate, built for release, writes and reads stores of a known
//! mix and prints its figures; beside it RRD, for the same number of values.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::statistics::Spread;
use super::table::{Reach, Row, Unit};
use super::works::Rounds;

/// 50 % idle, 35 % moderate, 15 % busy: what most hosts are like.
const MIX: &str = "50,35,15";
const BUSY: &str = "0,0,100";

/// What RRD takes for a value, as published; used where rrdtool is not there.
const RRD_BYTES: f64 = 8.0;

#[derive(Deserialize)]
struct Written {
    samples: f64,
    bytes: f64,
    bytes_open: f64,
    cpu_s: f64,
    slowest_s: f64,
}

#[derive(Deserialize)]
struct Read {
    points: f64,
    bytes: f64,
    samples: f64,
    series_s: Vec<f64>,
    reduced_s: Vec<f64>,
}

/// Rows of the table.
pub(crate) fn rows(rounds: Rounds) -> Result<Vec<Row>> {
    let rounds = rounds.commands;
    let mut rows = Vec::new();
    let mixed = writes(MIX, "150", "24", rounds.min(7))?;
    let busy = writes(BUSY, "150", "24", rounds.min(7))?;
    let many = writes(MIX, "1000", "4", rounds.min(7))?;
    let command = |words: &str| format!("history_cost {words}");
    let per_sample = |all: &[Written]| Spread::of(all.iter().map(|one| one.bytes / one.samples).collect());
    let aside = |all: &[Written]| {
        all.last().map_or(String::new(), |one| {
            format!("{:.1} MB, {:.1} MB while open", one.bytes / 1e6, one.bytes_open / 1e6)
        })
    };
    rows.push(
        Row::new(
            "store, a day of a mixed host, per sample",
            Unit::Bytes,
            Reach::AtMost(0.45),
            per_sample(&mixed),
        )
        .aside(aside(&mixed))
        .command(command("write 50,35,15 150 24")),
    );
    rows.push(
        Row::new("store, all busy, per sample", Unit::Bytes, Reach::AtMost(1.4), per_sample(&busy))
            .aside(aside(&busy))
            .command(command("write 0,0,100 150 24")),
    );
    let (rrd, how) = rrd_bytes().map_or((RRD_BYTES, "as published"), |bytes| (bytes, "rrdtool create"));
    let ratios = Spread::of(mixed.iter().map(|one| rrd / (one.bytes / one.samples)).collect());
    rows.push(
        Row::new("store, smaller than RRD", Unit::Times, Reach::AtLeast(17.0), ratios)
            .aside(format!("RRD {rrd:.2} B per value, {how}"))
            .command(command("write 50,35,15 150 24")),
    );
    let speed = |all: &[Written]| Spread::of(all.iter().map(|one| one.cpu_s / one.samples).collect());
    let slowest = mixed.iter().chain(&many).map(|one| one.slowest_s).fold(0.0, f64::max);
    rows.push(
        Row::new("store, writing a sample", Unit::Nanoseconds, Reach::AtMost(35e-9), speed(&mixed))
            .aside(format!("slowest tick {:.1} ms", slowest * 1e3))
            .command(command("write 50,35,15 150 24")),
    );
    rows.push(
        Row::new("store, the same of 1,000 processes", Unit::Nanoseconds, Reach::AtMost(35e-9), speed(&many))
            .command(command("write 50,35,15 1000 4")),
    );
    let turns = rounds.max(5).to_string();
    let read: Read = run(&["series", "30", "30", &turns])?;
    let bytes = format!("{} points; {:.2} B per sample of the month", read.points, read.bytes / read.samples);
    let line = command("series 30 30 N");
    rows.push(
        Row::new(
            "store, 30 days of one busy series",
            Unit::Milliseconds,
            Reach::AtMost(0.010),
            Spread::of(read.series_s),
        )
        .aside(bytes)
        .command(line.clone()),
    );
    rows.push(
        Row::new(
            "store, the same for a chart of 1,000 pixels",
            Unit::Milliseconds,
            Reach::Nothing,
            Spread::of(read.reduced_s),
        )
        .command(line),
    );
    Ok(rows)
}

fn writes(mix: &str, processes: &str, hours: &str, rounds: usize) -> Result<Vec<Written>> {
    (0..rounds.max(1)).map(|_| run(&["write", mix, processes, hours])).collect()
}

fn run<T: for<'a> Deserialize<'a>>(words: &[&str]) -> Result<T> {
    let output = Command::new("cargo")
        .args([
            "run",
            "--release",
            "--quiet",
            "--locked",
            "-p",
            "flatfoot-store",
            "--example",
            "history_cost",
            "--",
        ])
        .args(words)
        .output()
        .context("cargo")?;
    if !output.status.success() {
        bail!("history_cost {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("figures of history_cost")
}

/// Bytes per value of a day of twelve columns at ten seconds in an RRD; `None` without rrdtool.
fn rrd_bytes() -> Option<f64> {
    let path = std::env::temp_dir().join(format!("flatfoot-bench-{}.rrd", std::process::id()));
    let mut create = Command::new("rrdtool");
    create.arg("create").arg(&path).args(["--step", "10"]);
    create.args((0..12).map(|column| format!("DS:c{column}:GAUGE:20:U:U")));
    let made = create.arg("RRA:LAST:0.5:1:8640").output().is_ok_and(|output| output.status.success());
    let bytes = std::fs::metadata(&path).ok().filter(|_| made).map(|meta| meta.len() as f64);
    let _ = std::fs::remove_file(&path);
    bytes.map(|bytes| bytes / (12.0 * 8_640.0))
}
