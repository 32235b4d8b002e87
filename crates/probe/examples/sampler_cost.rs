//! What sampling a host costs beside the least that it could: `sampler_cost ROUNDS [SUSPECTS]`.
//!
//! The floor reads stat of every process (those of the kernel left out) through descriptors that stay open, and drops
//! what it read. Both are done in turn, each round a tick of one second's share; CPU time of this process alone, in
//! microseconds. Prints one JSON line, with the resident memory at the end and the tick's allocations left to the tests.

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
    let (mut floor_us, mut ours_us, mut ratios) = (0.0, 0.0, Vec::new());
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
            (Clock::cpu() - began) * 1e6
        };
        let mut ours = || {
            let began = Clock::cpu();
            sampler.tick(&mut tick).expect("a tick");
            (Clock::cpu() - began) * 1e6
        };
        let (f, o) = if round % 2 == 0 {
            let f = floor();
            (f, ours())
        } else {
            let o = ours();
            (floor(), o)
        };
        floor_us += f;
        ours_us += o;
        ratios.push(o / f);
        Clock::sleep(due - Clock::monotonic());
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let resident = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident =
        resident.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("").trim().to_owned();
    let n = rounds as f64;
    writeln!(
        std::io::stdout(),
        "{{\"processes\":{},\"floor_us\":{:.0},\"sampler_us\":{:.0},\"ratio\":{:.3},\"median_ratio\":{:.3},\"suspects\":{},\"resident\":\"{resident}\"}}",
        files.len(),
        floor_us / n,
        ours_us / n,
        ours_us / floor_us,
        ratios.get(rounds / 2).copied().unwrap_or(f64::NAN),
        suspects.len(),
    )
    .expect("stdout");
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
