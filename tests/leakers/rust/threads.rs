//! rust-threads PERIOD_MS [named|unnamed] [COUNT]: threads whose handle is dropped.
//!
//! Named ones are `pool-N-thread-1`; std cuts the name to the kernel's 15 bytes.
//! Unnamed ones keep the process's name. Either has std's 2 MiB stack.

use std::io::Write;
use std::time::{Duration, Instant};
use std::{env, process, thread};

unsafe extern "C" {
    fn prctl(option: i32, ...) -> i32;
    fn alarm(seconds: u32) -> u32;
}
const PR_SET_PDEATHSIG: i32 = 1;
const SIGKILL: usize = 9;

/// Dies with its starter, and in any case after ten minutes.
fn tether() {
    let lifetime = env::var("LEAKER_LIFETIME_S").ok().and_then(|s| s.parse().ok()).unwrap_or(600);
    // SAFETY: neither call takes a pointer, and both are declared as in libc.
    unsafe {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(lifetime);
    }
}

fn handle_request(n: u64, named: bool) {
    let mut builder = thread::Builder::new();
    if named {
        builder = builder.name(format!("pool-{n}-thread-1"));
    }
    // The leak: the handle is dropped, and nothing ever unparks the thread.
    drop(builder.spawn(|| {
        loop {
            thread::park();
        }
    }));
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let Some(period_ms) = arguments.get(1).and_then(|ms| ms.parse().ok()) else {
        eprintln!("usage: rust-threads PERIOD_MS [named|unnamed] [COUNT]");
        process::exit(2);
    };
    let named = arguments.get(2).is_none_or(|kind| kind == "named");
    let count: u64 = arguments.get(3).and_then(|n| n.parse().ok()).unwrap_or(u64::MAX);
    tether();
    println!("ready pid={} mode=rust-threads period_ms={period_ms} named={named}", process::id());
    std::io::stdout().flush().expect("stdout");

    let mut next = Instant::now();
    for n in 1..=count {
        next += Duration::from_millis(period_ms);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        handle_request(n, named);
    }
    loop {
        thread::park();
    }
}
