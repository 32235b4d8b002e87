//! CPU time of reading an address space, as ratios to what nobody can avoid: reading the file and dropping it.
//!
//! `memory_cost PID [ROUNDS [each]]`: all ways in turn, round after round, and the median of each, so that a noisy
//! machine disturbs all alike. Each way runs twice and counts the second time: what ran before it is the same for
//! all. With `each`, a line for each round and way (its name, a tab, CPU milliseconds) instead: `cargo xtask bench`
//! takes the ratios of each round from it.
#![allow(clippy::print_stdout)]

use std::ffi::CStr;

use model::{Pid, ProcessReading, Reading};
use probe::budget::{Bursts, Pace};
use probe::{Clock, PidDir, ProcRoot, SpaceDepth, classify, proc};

/// A way to read, and its name.
type Way<'a> = (&'a str, Box<dyn Fn() + 'a>);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse::<u32>().ok());
    let Some(pid) = number(0) else { return println!("usage: memory_cost PID [ROUNDS [each]]") };
    let rounds = number(1).unwrap_or(15);
    let Some(dir) = ProcRoot::open("/proc").ok().and_then(|root| PidDir::open(&root, Pid(pid)).ok()) else {
        return println!("no process {pid}");
    };
    let pace = Pace::here();
    let space = |depth: SpaceDepth| proc::space::read(&dir, depth, &[], &pace);
    let ways: Vec<Way<'_>> = vec![
        ("maps, read and dropped", Box::new(|| drop_file(&dir, c"maps", None))),
        ("maps, parsed", Box::new(|| drop(space(SpaceDepth::Maps)))),
        ("maps, parsed and classified", Box::new(|| classified(space(SpaceDepth::Maps)))),
        ("smaps, read and dropped, no pause", Box::new(|| drop_file(&dir, c"smaps", None))),
        ("maps + PAGEMAP_SCAN, classified", Box::new(|| classified(space(SpaceDepth::Touched)))),
        ("smaps, read and dropped", Box::new(|| drop_file(&dir, c"smaps", Some(&pace)))),
        ("smaps, parsed and classified", Box::new(|| classified(space(SpaceDepth::Details)))),
        ("smaps_rollup", Box::new(|| drop(proc::rollup::read(&dir)))),
    ];
    let mut cpu = vec![Vec::new(); ways.len()];
    let mut wall = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (at, (_, way)) in ways.iter().enumerate() {
            way();
            let (cpu_start, wall_start) = (Clock::cpu(), Clock::monotonic());
            way();
            cpu[at].push(Clock::cpu() - cpu_start);
            wall[at].push(Clock::monotonic() - wall_start);
        }
    }
    if words.get(2).is_some_and(|word| word == "each") {
        for (name, times) in ways.iter().map(|(name, _)| name).zip(&cpu) {
            for time in times {
                println!("{name}\t{:.4}", time * 1e3);
            }
        }
        return;
    }
    let (maps, smaps) = (median(&cpu[0]), median(&cpu[5]));
    println!("{:34} {:>9} {:>9} {:>8} {:>8}", "", "CPU ms", "wall ms", "/ maps", "/ smaps");
    for (at, (name, _)) in ways.iter().enumerate() {
        let (cpu, wall) = (median(&cpu[at]), median(&wall[at]));
        println!("{name:34} {:>9.3} {:>9.2} {:>8.3} {:>8.3}", cpu * 1e3, wall * 1e3, cpu / maps, cpu / smaps);
    }
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

fn drop_file(dir: &PidDir, name: &CStr, pace: Option<&Pace>) {
    let Ok(file) = dir.open_file(name) else { return };
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut bursts = Bursts::new(pace);
    while matches!(bursts.read(|| rustix::io::read(&file, &mut buffer[..])), Ok(1..)) {}
}

fn classified(space: Reading<model::AddressSpace>) {
    let process = ProcessReading { space, ..ProcessReading::default() };
    drop(std::hint::black_box(classify::classify(&process)));
}
