//! What a visit inside a JVM costs, a line for each step: `inside_cost PID [SECONDS_OF_WATCHING]`. For `cargo xtask bench`.
//!
//! ```text
//! first attach<TAB>1.27        milliseconds of wall time
//! hook<TAB>0.0062              for one thread start, in the target
//! ```

#![allow(clippy::print_stdout)] // a program for a terminal

use model::{Pid, ProcessKey};
use probe::hotspot::agent::{Agent, Refusal};
use probe::hotspot::attach::{Attachment, Patience};
use probe::hotspot::perfdata::Counters;
use probe::{Clock, Parts, PidDir, Prober, ProcRoot};

/// Readings of the counters.
const READINGS: u32 = 20_000;

fn main() {
    let mut words = std::env::args().skip(1);
    let Some(pid) = words.next().and_then(|word| word.parse().ok()) else {
        println!("usage: inside_cost PID [SECONDS_OF_WATCHING]");
        return;
    };
    let seconds = words.next().and_then(|word| word.parse().ok()).unwrap_or(2.0);
    let Some((root, key)) = find(Pid(pid)) else {
        println!("no process {pid}");
        return;
    };
    counters(&root, &key);
    if let Err(refusal) = visit(&root, &key, seconds) {
        println!("error: {refusal}\nhint: {}", refusal.hint());
    }
}

fn find(pid: Pid) -> Option<(ProcRoot, ProcessKey)> {
    let mut prober = Prober::new(ProcRoot::open("/proc").ok()?);
    let key = prober.process(pid, &Parts::default())?.key;
    Some((ProcRoot::open("/proc").ok()?, key))
}

fn line(what: &str, seconds: f64) {
    println!("{what}\t{:.6}", seconds * 1e3);
}

fn timed<T>(what: &str, step: impl FnOnce() -> T) -> T {
    let began = Clock::monotonic();
    let result = step();
    line(what, Clock::monotonic() - began);
    result
}

fn counters(root: &ProcRoot, key: &ProcessKey) {
    let Ok(dir) = PidDir::open(root, key.pid) else { return };
    let Ok(mut counters) = Counters::open(&dir, None) else { return };
    let began = Clock::cpu();
    for _ in 0..READINGS {
        let _ = counters.read();
    }
    let of_forty = (Clock::cpu() - began) / f64::from(READINGS) / counters.count().max(1) as f64 * 40.0;
    line("40 counters", of_forty);
}

fn visit(root: &ProcRoot, key: &ProcessKey, seconds: f64) -> Result<(), Refusal> {
    let patience = Patience::default();
    let mut attachment = timed("first attach", || Attachment::open(root, key, &patience))?;
    // The first command loads some of the JVM's own code.
    attachment.jcmd("VM.version", &patience)?;
    for _ in 0..9 {
        timed("later command", || attachment.jcmd("VM.version", &patience))?;
    }
    let mut agent = timed("load", || Agent::load(&mut attachment, patience))?;
    let owners = timed("owners", || agent.owners())?;
    println!("threads\t{}", owners.iter().map(|owner| owner.count).sum::<u64>());
    timed("sites", || agent.sites())?;
    timed("watch", || agent.watch())?;
    let until = Clock::monotonic() + seconds;
    while Clock::monotonic() < until {
        Clock::sleep(0.2_f64.min(seconds));
        agent.poll();
    }
    let figures = agent.stop()?;
    line("stop", figures.stop_s);
    println!("starts\t{}", figures.starts);
    line("hook", figures.hook_ns_per_start / 1e9);
    println!("bytes in the target\t{}", figures.bytes);
    Ok(())
}
