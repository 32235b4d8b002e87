//! What a visit inside a JVM costs it, and how much less than with the JDK's own tools the same answer takes.

use std::collections::HashMap;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::built::Built;
use super::cost::{self, Run};
use super::statistics::Spread;
use super::table::{Reach, Row, Unit, milliseconds};
use super::target::Target;
use super::works::Rounds;

/// Threads of the JVM that owners are asked of.
const THREADS: u32 = 3_000;
/// A thread each so many milliseconds, for the hook.
const BIRTH_MS: u32 = 4;

/// All rows.
pub(crate) fn rows(built: &Built, rounds: Rounds) -> Vec<Row> {
    let mut rows = Vec::new();
    for part in
        [steps(built, rounds), hook(built, rounds), births(built, rounds), against_the_jdk(built, rounds)]
    {
        match part {
            Ok(found) => rows.extend(found),
            Err(why) => rows.push(Row::missing("inside the JVM", &why)),
        }
    }
    rows
}

/// Attach, load, owners, stop: of a JVM of its own in each round, as the first attach happens once.
fn steps(built: &Built, rounds: Rounds) -> Result<Vec<Row>> {
    let mut all: HashMap<String, Vec<f64>> = HashMap::new();
    for _ in 0..rounds.commands.min(7) {
        let target = Target::java(built, THREADS)?;
        for (step, values) in measure(built, target.pid, "0.2")? {
            all.entry(step).or_default().extend(values);
        }
    }
    let row = |work: &str, step: &str, most_ms: f64| {
        let seconds = all.get(step).map(|values| values.iter().map(|ms| ms / 1e3).collect());
        Row::new(work, Unit::Milliseconds, Reach::AtMost(most_ms / 1e3), seconds.and_then(Spread::of))
            .command("cargo run --release -p flatfoot-probe --example inside_cost PID")
    };
    Ok(vec![
        row("first attach, JVM of 3,000 threads", "first attach", 25.0),
        row("each later command", "later command", 2.0),
        row("agent: load", "load", 15.0),
        row("agent: owners of 3,000 threads", "owners", 300.0),
        row("agent: stop", "stop", 15.0),
        row("40 hsperfdata counters", "40 counters", 0.001),
    ])
}

/// What a thread start costs more while the agent watches.
fn hook(built: &Built, rounds: Rounds) -> Result<Vec<Row>> {
    let mut seconds = Vec::new();
    let mut bytes = Vec::new();
    for _ in 0..rounds.commands.min(7) {
        let target = Target::java_mode(built, &["new-thread", &BIRTH_MS.to_string(), "1500"])?;
        let found = measure(built, target.pid, "3")?;
        seconds.extend(found.get("hook").into_iter().flatten().map(|ms| ms / 1e3));
        bytes.extend(found.get("bytes in the target").into_iter().flatten());
    }
    let command = "cargo run --release -p flatfoot-probe --example inside_cost PID 3";
    Ok(vec![
        Row::new(
            "agent: each thread start, wall time",
            Unit::Milliseconds,
            Reach::AtMost(15e-6),
            Spread::of(seconds),
        )
        .command(command),
        Row::new("agent: memory in the target", Unit::Megabytes, Reach::AtMost(0.5e6), Spread::of(bytes))
            .command(command),
    ])
}

/// CPU time of a thread start from a deep stack, on each JDK that is there, beside Java's own flight recorder.
fn births(built: &Built, rounds: Rounds) -> Result<Vec<Row>> {
    const FRAMES: &str = "46";
    let classes = built.leakers.with_file_name("births");
    let source = built.root.join("crates/probe/tests/java/Births.java");
    let javac = Command::new("javac").args(["--release", "11", "-d"]).arg(&classes).arg(source).status();
    if !javac.context("javac")?.success() {
        bail!("Births.java cannot be compiled");
    }
    let mut rows = Vec::new();
    for release in [11, 17, 21, 25] {
        let java = built.root.join(format!("target/tools/jdk-{release}/bin/java"));
        if !java.exists() {
            continue;
        }
        let (mut agent, mut jfr) = (Vec::new(), Vec::new());
        for _ in 0..rounds.commands.min(3) {
            let mut command = Command::new(built.example("birth_cost"));
            let output = command.arg(&java).arg(&classes).args(["3", FRAMES]).output();
            let text =
                String::from_utf8_lossy(&output.context("the example birth_cost")?.stdout).into_owned();
            let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [_, _, of_agent, _, of_jfr, ..] = numbers[..] else { bail!("birth_cost: {text}") };
            agent.push(of_agent / 1e6);
            jfr.push(of_jfr / 1e6);
        }
        let median = Spread::of(jfr).map_or(0.0, |spread| spread.median);
        rows.push(
            Row::new(
                format!("agent: CPU of a thread start, {FRAMES} frames, JDK {release}"),
                Unit::Milliseconds,
                Reach::AtMost(15e-6),
                Spread::of(agent),
            )
            .aside(format!("JFR {}", milliseconds(median)))
            .command("cargo run --release -p flatfoot-probe --example birth_cost"),
        );
    }
    Ok(rows)
}

/// Whole commands for the same answer.
fn against_the_jdk(built: &Built, rounds: Rounds) -> Result<Vec<Row>> {
    let target = Target::java(built, 20)?;
    let pid = Some(target.pid);
    let attach = built.example("attach");
    let counters = built.example("counters");
    let pairs = [
        ("jcmd PID VM.version", Run::new("attach PID VM.version", pid).program(&attach)),
        ("jstat -gc PID", Run::new("counters PID 1", pid).program(&counters)),
    ];
    let mut rows = Vec::new();
    for (peer, own) in pairs {
        let peer = Run::new(peer, pid);
        let costs = cost::in_turn(&[&own, &peer], rounds.commands)?;
        let wall = |costs: &[cost::Cost]| costs.iter().map(|cost| cost.wall_s).collect::<Vec<f64>>();
        let median = |values: &[f64]| Spread::of(values.to_vec()).map_or(0.0, |spread| spread.median);
        for (what, ours, theirs) in
            [("wall", wall(&costs[0]), wall(&costs[1])), ("CPU", cost::cpu(&costs[0]), cost::cpu(&costs[1]))]
        {
            rows.push(
                Row::new(
                    format!("the same answer, {peer}, {what}"),
                    Unit::Times,
                    Reach::AtLeast(50.0),
                    Spread::of_ratios(&theirs, &ours),
                )
                .aside(format!("{} against {}", milliseconds(median(&theirs)), milliseconds(median(&ours))))
                .command(format!("{peer} / cargo run --release -p flatfoot-probe --example {own}")),
            );
        }
    }
    Ok(rows)
}

/// Milliseconds (or counts) of each step.
fn measure(built: &Built, pid: u32, seconds: &str) -> Result<HashMap<String, Vec<f64>>> {
    let output = Command::new(built.example("inside_cost")).arg(pid.to_string()).arg(seconds).output();
    let text = String::from_utf8_lossy(&output.context("the example inside_cost")?.stdout).into_owned();
    let mut found: HashMap<String, Vec<f64>> = HashMap::new();
    for line in text.lines() {
        let Some((step, value)) = line.split_once('\t') else { bail!("inside_cost: {line}") };
        found.entry(step.to_owned()).or_default().push(value.parse().context("a number")?);
    }
    Ok(found)
}
