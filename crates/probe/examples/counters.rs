//! Reads a JVM's counters over and over, and says what one reading costs.
//!
//! `cargo run --release -p flatfoot-probe --example counters PID`

#![allow(clippy::print_stdout)] // a tool for measuring

use model::Pid;
use probe::hotspot::perfdata::Counters;
use probe::{Clock, PidDir, ProcRoot};

const ROUNDS: u32 = 200_000;

fn main() {
    let Some(pid) = std::env::args().nth(1).and_then(|word| word.parse().ok()) else {
        println!("usage: counters PID [READINGS]");
        return;
    };
    let rounds = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let dir = ProcRoot::open("/proc").ok().and_then(|root| PidDir::open(&root, Pid(pid)).ok());
    let Some(dir) = dir else { return println!("no process {pid}") };
    let began = Clock::monotonic();
    match Counters::open(&dir, None) {
        Ok(mut counters) => {
            let first_ms = (Clock::monotonic() - began) * 1e3;
            println!("{:#?}\nfirst: {first_ms:.3} ms", counters.last());
            let began = Clock::cpu();
            let read = (0..rounds).filter(|_| counters.read().is_ok()).count();
            let each_us = (Clock::cpu() - began) * 1e6 / f64::from(rounds);
            println!("{} counters, {read} times: {each_us:.3} µs each time", counters.count());
        }
        Err(absence) => println!("{absence:?}"),
    }
}
