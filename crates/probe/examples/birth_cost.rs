//! What a thread start costs a JVM without us, while the agent watches, and while JFR records its stack, in turns:
//! `birth_cost JAVA CLASS_PATH [ROUNDS] [FRAMES …]`, with `tests/java/Births.java` compiled. Microseconds of CPU time for one
//! start: of the thread that starts them, and of the whole process (whose account is coarse).
//!
//! ```text
//! frames  starter  more: agent, by its own account, JFR  process  more: agent, JFR
//! ```

#![allow(clippy::print_stdout)] // a program for a terminal

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use model::{Pid, ProcessKey};
use probe::hotspot::agent::Agent;
use probe::hotspot::attach::{Attachment, Patience};
use probe::hotspot::jfr::Recording;
use probe::{Parts, Prober, ProcRoot};

/// Starts in a turn: fewer than the agent keeps births of one stack.
const STARTS: u32 = 1000;
/// Turns of one kind in a row, for the kernel's coarse account of processes.
const TURNS: u32 = 5;

type Failed = Box<dyn std::error::Error>;

fn main() {
    let mut words = std::env::args().skip(1);
    let (Some(java), Some(classes)) = (words.next(), words.next()) else {
        println!("usage: birth_cost JAVA CLASS_PATH [ROUNDS] [FRAMES …]");
        return;
    };
    let rounds = words.next().and_then(|word| word.parse().ok()).unwrap_or(3);
    let mut depths: Vec<u32> = words.filter_map(|word| word.parse().ok()).collect();
    if depths.is_empty() {
        depths = vec![8, 46];
    }
    for frames in depths {
        if let Err(error) = measure(&java, &classes, rounds, frames) {
            println!("error: {error}");
        }
    }
}

/// A JVM that starts threads when it is told to.
struct Births(Child);

impl Drop for Births {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Births {
    fn start(java: &str, classes: &str) -> Result<Self, Failed> {
        let mut command = Command::new(java);
        command.args(["-cp", classes, "Births"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut births = Self(command.stderr(Stdio::null()).spawn()?);
        births.line()?;
        Ok(births)
    }

    fn line(&mut self) -> Result<String, Failed> {
        let mut line = String::new();
        // One line at a time is written, and no more than it is waited for.
        BufReader::new(self.0.stdout.as_mut().ok_or("no output")?).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Microseconds for one start: of the starter, of the process.
    fn turn(&mut self, frames: u32) -> Result<(f64, f64), Failed> {
        let before = self.cpu_us()?;
        let mut starter = 0.0;
        for _ in 0..TURNS {
            writeln!(self.0.stdin.as_mut().ok_or("no input")?, "{STARTS} {frames}")?;
            starter += self.line()?.parse::<f64>()? / 1e3 / f64::from(TURNS);
        }
        Ok((starter, (self.cpu_us()? - before) / f64::from(STARTS * TURNS)))
    }

    fn cpu_us(&self) -> Result<f64, Failed> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let rest = stat.rsplit_once(") ").ok_or("no stat")?.1;
        let ticks: f64 = rest.split(' ').skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
        Ok(ticks * 1e4)
    }
}

fn measure(java: &str, classes: &str, rounds: u32, frames: u32) -> Result<(), Failed> {
    let mut births = Births::start(java, classes)?;
    let root = ProcRoot::open("/proc").map_err(|_| "/proc")?;
    let mut prober = Prober::new(ProcRoot::open("/proc").map_err(|_| "/proc")?);
    let key: ProcessKey = prober.process(Pid(births.0.id()), &Parts::default()).ok_or("gone")?.key;
    let mut attachment = Attachment::open(&root, &key, &Patience::default())?;
    // Compiled first.
    for _ in 0..4 {
        births.turn(frames)?;
    }
    let mut costs: [Vec<(f64, f64)>; 3] = Default::default();
    let mut hook = Vec::new();
    for _ in 0..rounds {
        costs[0].push(births.turn(frames)?);
        let mut agent = Agent::load(&mut attachment, Patience::default())?;
        agent.watch()?;
        costs[1].push(births.turn(frames)?);
        hook.push((agent.stop()?.hook_ns_per_start / 1e3, 0.0));
        let recording = Recording::start(&root, &mut attachment, &Patience::default())?;
        costs[2].push(births.turn(frames)?);
        recording.stop()?;
    }
    let [(none, of_all), (agent, with_agent), (jfr, with_jfr)] = costs.map(|costs| median(&costs));
    println!(
        "{frames}\t{none:.2}\t{:.2}\t{:.2}\t{:.2}\t{of_all:.2}\t{:.2}\t{:.2}",
        agent - none,
        median(&hook).0,
        jfr - none,
        with_agent - of_all,
        with_jfr - of_all
    );
    Ok(())
}

fn median(values: &[(f64, f64)]) -> (f64, f64) {
    let middle = |pick: fn(&(f64, f64)) -> f64| {
        let mut sorted: Vec<f64> = values.iter().map(pick).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    };
    (middle(|value| value.0), middle(|value| value.1))
}
