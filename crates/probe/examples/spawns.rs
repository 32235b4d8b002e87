//! Who starts threads in a JVM, by flight recording: `cargo run --example spawns -- PID SECONDS`. With what it took.

#![allow(clippy::print_stdout)] // an example

use std::error::Error;

use model::Pid;
use probe::hotspot::attach::{Attachment, Patience};
use probe::hotspot::jfr::Recording;
use probe::{Clock, Parts, Prober, ProcRoot};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: spawns PID SECONDS");
    let pid = Pid(next()?.parse()?);
    let seconds: f64 = next()?.parse()?;
    let key =
        Prober::new(ProcRoot::open("/proc")?).process(pid, &Parts::default()).ok_or("no such process")?.key;
    let root = ProcRoot::open("/proc")?;
    let rss_kib = || -> Result<String, Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let keep = |line: &&str| line.starts_with("VmRSS") || line.starts_with("Threads");
        Ok(status.lines().filter(keep).map(|line| line.replace('\t', " ")).collect::<Vec<_>>().join(", "))
    };
    let patience = Patience::default();
    let mut times = Vec::new();
    let mut began = Clock::monotonic();
    let mut lap = |what: &str| {
        let now = Clock::monotonic();
        times.push(format!("{what} {:.1} ms", (now - began) * 1e3));
        began = now;
    };
    let before = rss_kib()?;
    let mut attachment = Attachment::open(&root, &key, &patience)?;
    lap("attach");
    let mut recording = Recording::start(&root, &mut attachment, &patience)?;
    lap("start");
    let after = rss_kib()?;
    Clock::sleep(seconds);
    lap("(wait)");
    let spawns = recording.spawns()?;
    lap("dump and read");
    recording.stop()?;
    lap("stop");
    for spawn in spawns {
        println!("{} births, the last of {:?}", spawn.count, spawn.births.last().map(|b| b.name.as_str()));
        for frame in spawn.frames {
            println!("    {}.{}:{}", frame.class, frame.method, frame.line.unwrap_or(0));
        }
    }
    println!("{}\nbefore: {before}; then: {after}; stopped: {}", times.join(", "), rss_kib()?);
    Ok(())
}
