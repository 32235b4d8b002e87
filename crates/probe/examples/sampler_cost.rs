//! What sampling a host costs beside the least that it could: `sampler_cost ROUNDS [SECONDS]`.
//!
//! The floor reads stat of every process (those of the kernel left out) through descriptors that stay open, and drops
//! what it read. Both are done in turn in each round, rounds are SECONDS (1) apart, and one process in a hundred is a
//! suspect, which is read deeper. A line for each: `floor<TAB>5.41`, `sampler<TAB>6.68`, milliseconds of CPU time of this
//! process alone. The first tick, which takes everybody in, is left out.

#![allow(clippy::print_stdout)] // what it is for

use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use model::{ProcessNo, Tick};
use probe::{Clock, ProcRoot, Sampler, SamplerOptions};

fn main() {
    let mut args = std::env::args().skip(1);
    let rounds: usize = args.next().and_then(|n| n.parse().ok()).unwrap_or(100);
    let root = ProcRoot::open("/proc").expect("/proc");
    let options = SamplerOptions { interval_s: 1.0, ..SamplerOptions::default() };
    let mut sampler = Sampler::new(root, options).expect("a sampler");
    let mut tick = Tick::default();
    sampler.tick(&mut tick).expect("a tick");
    // One in a hundred is a suspect, all of them spread over the host.
    let suspects: Vec<ProcessNo> = tick.rows.iter().skip(1).step_by(100).map(|row| row.process).collect();
    sampler.suspects(&suspects);
    let files = kept();
    // Ticks are one second apart, whatever the rounds take: the budget of the deeper tier is a share of time.
    let interval = args.next().and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let mut out = std::io::stdout().lock();
    let mut space = vec![0_u8; 4096];
    for round in 0..rounds {
        let due = Clock::monotonic() + interval;
        let mut floor = || {
            let began = Clock::cpu();
            let mut read = 0;
            for file in &files {
                read += file.read_at(&mut space, 0).unwrap_or(0);
            }
            assert!(read > 0);
            (Clock::cpu() - began) * 1e3
        };
        let mut ours = || {
            let began = Clock::cpu();
            sampler.tick(&mut tick).expect("a tick");
            (Clock::cpu() - began) * 1e3
        };
        let (f, o) = if round % 2 == 0 {
            let f = floor();
            (f, ours())
        } else {
            let o = ours();
            (floor(), o)
        };
        writeln!(out, "floor\t{f:.4}\nsampler\t{o:.4}").expect("stdout");
        Clock::sleep(due - Clock::monotonic());
    }
}

/// stat of every process that is not the kernel's, opened.
fn kept() -> Vec<std::fs::File> {
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    pids.filter_map(|entry| {
        let path = entry.path();
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        // Only those of the kernel have no program.
        let is_program = !std::fs::read(path.join("maps")).map_or(true, |maps| maps.is_empty());
        is_program.then(|| std::fs::File::open(path.join("stat")).ok()).flatten()
    })
    .collect()
}
