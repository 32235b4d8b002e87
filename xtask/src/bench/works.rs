//! The works that are measured, with the figures that were promised for each.

use std::path::Path;

use anyhow::Result;

use super::built::Built;
use super::cost::{self, Cost, Run};
use super::floor::Floors;
use super::statistics::Spread;
use super::table::{Reach, Row, Unit, milliseconds};
use super::target::Sleepers;

/// How often each command runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    /// Of commands.
    pub(crate) commands: usize,
    /// Of the in-process floors.
    pub(crate) floors: usize,
}

/// A peer, and how many times flatfoot's CPU time it must take at least.
struct Peer {
    run: Run,
    reach: Reach,
}

impl Peer {
    fn new(line: &str, pid: Option<u32>, least: f64) -> Self {
        Self { run: Run::new(line, pid), reach: Reach::AtLeast(least) }
    }
}

/// flatfoot, with the arguments of a line.
fn flatfoot(built: &Built, arguments: &str, pid: Option<u32>) -> Run {
    Run::new(&format!("flatfoot {arguments}"), pid).program(&built.flatfoot.to_string_lossy())
}

/// What reads the same files and drops them, as a program of its own.
fn floor(built: &Built, arguments: &str, pid: Option<u32>) -> Run {
    let program = built.leakers.join("proc-floor");
    Run::new(&format!("proc-floor {arguments}"), pid).program(&program.to_string_lossy())
}

/// A row for each peer: how many times flatfoot's CPU it takes. With a floor also how many times the floor's CPU: more
/// than that nobody reaches who reads these files.
fn against(work: &str, own: &Run, peers: &[Peer], floor: Option<&Run>, rounds: usize) -> Vec<Row> {
    let runs: Vec<&Run> =
        std::iter::once(own).chain(peers.iter().map(|peer| &peer.run)).chain(floor).collect();
    let costs = match cost::in_turn(&runs, rounds) {
        Ok(costs) => costs,
        Err(why) => return vec![Row::missing(work, &why)],
    };
    let cpu: Vec<Vec<f64>> = costs.iter().map(|costs| cost::cpu(costs)).collect();
    let median = |index: usize| Spread::of(cpu[index].clone()).map_or(0.0, |spread| spread.median);
    let row = |(index, peer): (usize, &Peer)| {
        let ratio = Spread::of_ratios(&cpu[index + 1], &cpu[0]);
        Row::new(work, Unit::Times, peer.reach, ratio)
            .aside(format!("{} against {}", milliseconds(median(index + 1)), milliseconds(median(0))))
            .command(format!("{} / {own}", peer.run))
    };
    let mut rows: Vec<Row> = peers.iter().enumerate().map(row).collect();
    if let Some(floor) = floor {
        let last = runs.len() - 1;
        let at_best = |(index, peer): (usize, &Peer)| {
            let ratio = Spread::of_ratios(&cpu[index + 1], &cpu[last]);
            Row::new(format!("{work}: at best"), Unit::Times, Reach::Nothing, ratio)
                .aside(format!("{} against {}", milliseconds(median(index + 1)), milliseconds(median(last))))
                .command(format!("{} / {floor}", peer.run))
        };
        rows.extend(peers.iter().enumerate().map(at_best));
    }
    rows
}

/// Mappings listed, what is touched, and details, of one target; `smem_filter` finds it by its command line.
pub(crate) fn memory(built: &Built, name: &str, pid: u32, smem_filter: &str, rounds: Rounds) -> Vec<Row> {
    let mut rows = Vec::new();
    let own = |arguments: &str| flatfoot(built, arguments, Some(pid));
    let listed = format!("mappings listed, {name}");
    let touched = format!("touched bytes by class, {name}");
    let full = format!("with PSS and dirty, {name}");
    match Floors::of(built, pid, rounds.floors) {
        Ok(floors) => {
            let (maps, smaps) = ("maps, read and dropped", "smaps, read and dropped");
            rows.extend([
                floors.row(&listed, "maps, parsed and classified", maps, Reach::AtMost(1.15)),
                floors.row(
                    &touched,
                    "maps + PAGEMAP_SCAN, classified",
                    "smaps, read and dropped, no pause",
                    Reach::AtMost(0.55),
                ),
                floors.row(&full, "smaps, parsed and classified", smaps, Reach::AtMost(1.10)),
                floors.row(
                    &format!("{full}: its pauses alone"),
                    smaps,
                    "smaps, read and dropped, no pause",
                    Reach::Nothing,
                ),
            ]);
        }
        Err(why) => rows.push(Row::missing(format!("floors, {name}"), &why)),
    }
    let peers = [Peer::new("pmap PID", Some(pid), 2.0), Peer::new("pmap -x PID", Some(pid), 10.0)];
    let least = floor(built, "maps PID", Some(pid));
    let sizes = own("map --mappings --detail sizes PID");
    rows.extend(against(&listed, &sizes, &peers, Some(&least), rounds.commands));
    let peers = [
        Peer::new("pmap -x PID", Some(pid), 4.0),
        Peer::new(&format!("smem -m -P {smem_filter}"), None, 15.0),
    ];
    let least = floor(built, "touched PID", Some(pid));
    let own_touched = own("map --detail touched PID");
    rows.extend(against(&touched, &own_touched, &peers, Some(&least), rounds.commands));
    let peers = [Peer::new("pmap -x PID", Some(pid), 2.0)];
    rows.extend(against(&full, &own("map --detail full PID"), &peers, None, rounds.commands));
    rows
}

/// The threads of the JVM.
pub(crate) fn threads(built: &Built, pid: u32, rounds: Rounds) -> Vec<Row> {
    let peers = [
        Peer::new("ps -Lf -p PID", Some(pid), 9.0),
        Peer::new("top -H -b -n1 -p PID", Some(pid), 4.0),
        Peer::new("jcmd PID Thread.print", Some(pid), 12.0),
    ];
    let own = flatfoot(built, "threads --list PID", Some(pid));
    let least = floor(built, "threads PID", Some(pid));
    against("2,000 threads: births, names, states", &own, &peers, Some(&least), rounds.commands)
}

/// The whole diagnosis of the JVM.
pub(crate) fn diagnose(built: &Built, pid: u32, rounds: Rounds) -> Vec<Row> {
    let state = std::env::temp_dir().join(format!("flatfoot-bench-{}", std::process::id()));
    // A finding is expected, and an exit code of 1 or 3 with it.
    let saving = flatfoot(built, "diagnose PID", Some(pid)).expecting(&[0, 1, 3]);
    let saving = saving.with("XDG_STATE_HOME", &state.to_string_lossy());
    let plain = flatfoot(built, "diagnose PID --no-save", Some(pid)).expecting(&[0, 1, 3]);
    let costs = cost::in_turn(&[&saving, &plain], rounds.commands);
    let _ = std::fs::remove_dir_all(&state);
    let work = "diagnose of 2,000 threads";
    let costs = match costs {
        Ok(costs) => costs,
        Err(why) => return vec![Row::missing(work, &why)],
    };
    let mut rows = Vec::new();
    for (run, costs) in [&saving, &plain].into_iter().zip(&costs) {
        let all = |of: fn(&Cost) -> f64| Spread::of(costs.iter().map(of).collect());
        let cpu = all(|cost| cost.cpu_s).map_or(0.0, |spread| spread.median);
        rows.push(
            Row::new(
                format!("{work}: wall"),
                Unit::Milliseconds,
                Reach::AtMost(0.15),
                all(|cost| cost.wall_s),
            )
            .aside(format!("CPU {}", milliseconds(cpu)))
            .command(run.to_string()),
        );
        rows.push(
            Row::new(
                format!("{work}: peak memory"),
                Unit::Megabytes,
                Reach::AtMost(20e6),
                all(|cost| cost.peak),
            )
            .command(run.to_string()),
        );
    }
    rows
}

/// A look at a host of a thousand processes.
pub(crate) fn host(built: &Built, rounds: Rounds) -> Vec<Row> {
    let work = "one look at 1,000 processes";
    let _sleepers = match Sleepers::start(built, 1_000) {
        Ok(sleepers) => sleepers,
        Err(why) => return vec![Row::missing(work, &why)],
    };
    let peers = || [Peer::new("top -b -n1", None, 3.0), Peer::new("ps aux", None, 5.0)];
    let mut rows = against(
        work,
        &flatfoot(built, "top --once", None),
        &peers(),
        Some(&floor(built, "processes", None)),
        rounds.commands,
    );
    // Every process with its command line, limits and descriptors, of which top shows nothing.
    let all = flatfoot(built, "top --once -n 0", None);
    let all = against(&format!("{work}, all shown"), &all, &peers(), None, rounds.commands);
    rows.extend(all.into_iter().map(Row::without_reach));
    rows
}

/// Size of the binary, and time to build it.
pub(crate) fn binary(built: &Built, cold: bool) -> Vec<Row> {
    let row = |work: &str, binary: &Path, command: &str| match std::fs::metadata(binary) {
        Ok(file) => Row::new(work, Unit::Megabytes, Reach::AtMost(8e6), Spread::of(vec![file.len() as f64]))
            .command(command),
        Err(why) => Row::missing(work, &why.into()),
    };
    let mut rows = vec![
        row("release binary", &built.release, "stat -c %s target/release/flatfoot"),
        row("release binary, static", &built.flatfoot, "make static; stat -c %s target/static/flatfoot"),
    ];
    if cold {
        rows.push(cold_build(built).unwrap_or_else(|why| Row::missing("cold build", &why)));
    }
    rows
}

fn cold_build(built: &Built) -> Result<Row> {
    let took = Spread::of(vec![built.cold()?]);
    Ok(Row::new("cold build, every dependency", Unit::Seconds, Reach::AtMost(240.0), took)
        .command("cargo build --release --locked -p flatfoot --target-dir target/cold"))
}
