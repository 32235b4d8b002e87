//! What being looked at does to the target: a process that maps, touches and unmaps memory in a loop, left alone and
//! looked at by turns. Its mmap and munmap need the lock that reading smaps and pagemap takes.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Deserialize;

use super::built::Built;
use super::cost::Run;
use super::statistics::Spread;
use super::table::{Reach, Row, Unit};
use super::target::Target;

/// What the target says of a round.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Round {
    rounds: u64,
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
}

/// The rows of one target.
pub(crate) fn rows(built: &Built, mappings: u32, rounds: usize, seconds: f64) -> Result<Vec<Row>> {
    let mut target = Target::mmap_latency(built, mappings)?;
    let flatfoot = built.flatfoot.to_string_lossy().into_owned();
    let look = |detail| {
        Run::new(&format!("flatfoot map --detail {detail} PID"), Some(target.pid)).program(&flatfoot)
    };
    let looks = [look("touched"), look("full")];
    let mut idle = Vec::new();
    let mut looked_at = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (look, found) in looks.iter().zip(&mut looked_at) {
            // Each beside an idle round of its own.
            idle.push(round(&mut target, seconds)?);
            found.push(under(&mut target, look, seconds)?);
        }
    }
    let all = |rounds: &[Round], of: fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<f64>>();
    let every_second = |first: usize| idle.iter().skip(first).step_by(2).copied().collect::<Vec<Round>>();
    let median = |values: Vec<f64>| Spread::of(values).map_or(0.0, |spread| spread.median);
    let aside = |alone: &[Round], seen: &[Round]| {
        format!(
            "p50 {:.1} → {:.1} µs, p99 {:.1} → {:.1} µs, longest {:.0} → {:.0} µs",
            median(all(alone, |r| r.p50_us)),
            median(all(seen, |r| r.p50_us)),
            median(all(alone, |r| r.p99_us)),
            median(all(seen, |r| r.p99_us)),
            median(all(alone, |r| r.max_us)),
            median(all(seen, |r| r.max_us)),
        )
    };
    let (alone, seen) = (every_second(0), &looked_at[0]);
    let ratio = Spread::of_ratios(&all(seen, |r| r.p99_us), &all(&alone, |r| r.p99_us));
    let touched =
        Row::new("the target's mmap meanwhile, p99: maps + SCAN", Unit::Times, Reach::AtMost(1.2), ratio)
            .aside(aside(&alone, seen))
            .command(format!("mmap-latency {mappings} -; {} in a loop", looks[0]));
    let (alone, seen) = (every_second(1), &looked_at[1]);
    let p99 = Spread::of(all(seen, |r| r.p99_us / 1e6));
    let full = Row::new(
        "the target's mmap meanwhile, p99: paced smaps",
        Unit::Milliseconds,
        Reach::AtMost(2e-4),
        p99,
    )
    .aside(aside(&alone, seen))
    .command(format!("mmap-latency {mappings} -; {} in a loop", looks[1]));
    Ok(vec![touched, full])
}

fn round(target: &mut Target, seconds: f64) -> Result<Round> {
    target.ask(&seconds.to_string())?;
    let line = target.line()?;
    let round: Round = serde_json::from_str(&line).with_context(|| format!("mmap-latency said {line:?}"))?;
    ensure!(round.rounds > 100, "mmap-latency came to {} rounds only", round.rounds);
    Ok(round)
}

/// A round while a command runs over and over on another processor.
fn under(target: &mut Target, look: &Run, seconds: f64) -> Result<Round> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            keep_off_the_first_processor();
            let mut looks = 0_u32;
            while !over.load(Ordering::Relaxed) {
                look.measure()?;
                looks += 1;
            }
            ensure!(looks > 0, "{look}: not one look in {seconds} s");
            Ok(())
        });
        let round = round(target, seconds);
        over.store(true, Ordering::Relaxed);
        reader.join().map_err(|_| anyhow::anyhow!("the reading thread failed"))??;
        round
    })
}

/// The target stays on the first processor: a reader beside it would take its time, not its lock.
fn keep_off_the_first_processor() {
    let count = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut others = CpuSet::new();
    (1..count).for_each(|processor| others.set(processor));
    if others.count() > 0 {
        let _ = sched_setaffinity(None, &others);
    }
}
