//! flatfoot demo: a harmless child that leaks a thread each half second, diagnosed as any process would be.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use model::{Bytes, Pid, show};
use probe::Clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::diagnose::{How, diagnose};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::diagnosis::headline;
use crate::present::{self, Term};
use crate::source::LiveSource;
use crate::target::Chosen;

/// Threads that the child has leaked when it is looked at.
const THREADS: u64 = 10;
/// What each reserves, as glibc's default.
const STACK_BYTES: usize = 8 << 20;
/// The child ends after this, whatever happens to its parent.
const LONGEST_LIFE_S: f64 = 60.0;

/// The child: stopped, and waited for, however the demo ends.
struct Leaker(Child);

impl Drop for Leaker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command.
pub(crate) fn run(args: cli::Demo, term: Term) -> Result<Code> {
    interrupt::listen();
    let period_s = args.period_ms as f64 / 1e3;
    let mut leaker = start(args.period_ms)?;
    let pid = Pid(leaker.0.id());
    if !term.quiet && !term.json {
        eprintln!("Starting a harmless child that leaks a thread each {period_s} s …");
    }
    wait_until_ready(&mut leaker)?;
    // A look just after a birth would be as good; half a period later nobody can tell one birth more or less.
    if !interrupt::sleep(period_s * (THREADS as f64 - 0.5)) {
        return Ok(Code::Clean);
    }
    let chosen = Chosen { source: Box::new(LiveSource::open()?), pids: vec![pid] };
    let outcome = diagnose(chosen, How::default())?;
    let counted = count_tasks(pid)?;
    drop(leaker);
    if term.json {
        present::print_json(&outcome.diagnosis)?;
    } else {
        present::print(&shown(&outcome.diagnosis, pid, counted, term))?;
    }
    if outcome.diagnosis.findings.is_empty() {
        let hint = "flatfoot doctor shows what can be read here; please report this with its output";
        return Err(Failure::new(Code::Failed, "the child leaked and was not found", hint).into());
    }
    Ok(Code::Clean)
}

fn start(period_ms: u64) -> Result<Leaker> {
    let own = std::env::current_exe().context("finding flatfoot's own program")?;
    let child = Command::new(own)
        .args(["demo-child", &period_ms.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the child")?;
    Ok(Leaker(child))
}

fn wait_until_ready(leaker: &mut Leaker) -> Result<()> {
    let out = leaker.0.stdout.take().context("the child's output")?;
    let mut line = String::new();
    BufReader::new(out.take(64)).read_line(&mut line).context("waiting for the child")?;
    anyhow::ensure!(line.starts_with("ready"), "the child did not start");
    Ok(())
}

fn count_tasks(pid: Pid) -> Result<u64> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).context("counting the child's threads")?;
    Ok(tasks.count() as u64)
}

fn shown(diagnosis: &crate::analyse::Diagnosis, pid: Pid, counted: u64, term: Term) -> String {
    let mut out = String::new();
    for finding in diagnosis.findings.iter().take(1) {
        let reserved = show::bytes(Bytes(finding.reserved_bytes.unwrap_or(0)));
        let touched = finding.touched_bytes.map_or_else(|| "?".to_owned(), |b| show::bytes(Bytes(b)));
        let _ = writeln!(
            out,
            "{}  {}[{pid}]   {}      {}",
            term.red(&finding.kind.title()),
            finding.process.name,
            headline(finding),
            finding.confidence.label()
        );
        let _ = writeln!(
            out,
            "  they reserve {reserved} and touch {touched}: resident memory would never show this"
        );
        let agrees = if counted == finding.count + 1 { "✓" } else { "(one was born meanwhile)" };
        let _ = writeln!(
            out,
            "{}        ls /proc/{pid}/task | wc -l   → {counted} ({} + main)  {agrees}",
            term.bold("CHECK"),
            counted.saturating_sub(1)
        );
    }
    out.push_str("Child stopped; nothing else was touched.       Now try: flatfoot diagnose\n");
    out
}

/// The child's own life: leaks threads as a scheduler would that makes a one-thread pool at each firing.
pub(crate) fn child(period_ms: u64) -> Result<Code> {
    let period_s = period_ms as f64 / 1e3;
    rustix::thread::set_name(c"flatfoot-demo").context("naming the child")?;
    let began = Clock::monotonic();
    present::print("ready\n")?;
    let mut due = began;
    for number in 1u64.. {
        let name = format!("pool-{number}-thread-1");
        std::thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(|| {
            loop {
                std::thread::park();
            }
        })?;
        due += period_s;
        if parent_ended_within(due - Clock::monotonic())? || Clock::monotonic() - began > LONGEST_LIFE_S {
            break;
        }
    }
    Ok(Code::Clean)
}

/// Waits; true when the parent ended meanwhile, however it ended: its end of our stdin is closed then.
fn parent_ended_within(seconds: f64) -> Result<bool> {
    let until = Clock::monotonic() + seconds;
    loop {
        let left = until - Clock::monotonic();
        if left <= 0.0 {
            return Ok(false);
        }
        let stdin = std::io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        let wait = Timespec { tv_sec: left as i64, tv_nsec: (left.fract() * 1e9) as i64 };
        match poll(&mut fds, Some(&wait)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error).context("waiting on stdin"),
        }
    }
}
