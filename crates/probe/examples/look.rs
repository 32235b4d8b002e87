//! Reads every process (or the one whose pid is given) over and over and says what it costs: the raw calls first,
//! as the floor, then the readings.
//!
//! `cargo run --release -p flatfoot-probe --example look [PID]`

#![allow(clippy::print_stdout)] // a tool for measuring

use std::ffi::CString;

use probe::sys::dents::Listing;
use probe::sys::file;
use probe::{Clock, Parts, Prober, ProcRoot, ThreadDepth};

const ROUNDS: u32 = 15;

/// The median of CPU milliseconds per round.
fn measure(what: &str, mut work: impl FnMut() -> usize) {
    let mut times = Vec::new();
    let mut count = 0;
    for _ in 0..ROUNDS {
        let began = Clock::cpu();
        count = work();
        times.push((Clock::cpu() - began) * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    let least = times[0];
    println!("{what:44} {count:6} {median:9.2} ms median {least:9.2} ms least");
}

fn floor(dir: &impl std::os::fd::AsFd, names: &[CString]) -> usize {
    let mut space = [0_u8; 2048];
    names.iter().filter(|name| file::read_record(dir, name, &mut space).is_ok()).count()
}

fn names(numbers: &[u32], tails: &[&str]) -> Vec<CString> {
    let paths = numbers.iter().flat_map(|number| tails.iter().map(move |tail| format!("{number}/{tail}")));
    paths.filter_map(|path| CString::new(path).ok()).collect()
}

fn main() -> std::io::Result<()> {
    let root = ProcRoot::open("/proc")?;
    let (mut listing, mut numbers) = (Listing::default(), Vec::new());
    listing.numbers(&root, &mut numbers)?;
    let mut prober = Prober::new(ProcRoot::open("/proc")?);
    if let Some(pid) = std::env::args().nth(1).and_then(|pid| pid.parse().ok()) {
        let pid = model::Pid(pid);
        let tasks = std::fs::File::open(format!("/proc/{pid}/task"))?;
        listing.numbers(&tasks, &mut numbers)?;
        let names = names(&numbers, &["stat"]);
        let threads = |reading: Option<model::ProcessReading>| {
            reading.and_then(|reading| reading.threads.into_value()).map_or(0, |threads| threads.len())
        };
        measure("floor: openat, read, close of task/TID/stat", || floor(&tasks, &names));
        let basic = Parts { threads: ThreadDepth::Basic, ..Parts::default() };
        measure("threads", || threads(prober.process(pid, &basic)));
        let stacks = Parts { threads: ThreadDepth::WithStacks, ..Parts::default() };
        measure("threads with stacks", || threads(prober.process(pid, &stacks)));
        measure("everything", || threads(prober.process(pid, &Parts::everything())));
        return Ok(());
    }
    let names = names(&numbers, &["stat", "statm"]);
    measure("floor: openat, read, close of stat and statm", || floor(&root, &names));
    for (what, parts) in [
        ("Parts::overview()", Parts::overview()),
        ("Parts::threads()", Parts::threads()),
        ("with cgroups", Parts { cgroups: true, ..Parts::overview() }),
        ("with rlimits", Parts { rlimits: true, ..Parts::overview() }),
        ("with children", Parts { children: true, ..Parts::overview() }),
    ] {
        measure(what, || {
            prober.begin_look();
            let pids = prober.pids().unwrap_or_default();
            pids.into_iter().filter(|pid| prober.process(*pid, &parts).is_some()).count()
        });
    }
    measure("host", || usize::from(prober.host(false).memory.value().is_some()));
    Ok(())
}
