//! Leaking programs in several languages, each named by kind, count and cadence from one look.

use super::findings::{Expected, Looked};
use crate::support::{Leaker, need, wait_until};

/// Threads besides the main one, whatever their names.
fn all_but_main(leaker: &Leaker) -> usize {
    leaker.tasks() - 1
}

/// Starts it, waits for so many births, and takes one look.
#[track_caller]
fn leaks(program: &str, args: &[&str], births: usize, expected: &Expected) {
    let leaker = Leaker::start(program, args);
    wait_until("births", 60.0, || all_but_main(&leaker) >= births);
    let looked = Looked::at(&leaker, all_but_main);
    looked.is_a_leak(expected);
}

/// One-thread pools, each 150 ms.
const POOLS: Expected<'_> =
    Expected { subject: "pool-*-thread-1", shape: "one_thread_pools", periods_s: &[0.15] };

fn nameless(subject: &str) -> Expected<'_> {
    Expected { subject, shape: "unknown", periods_s: &[0.15] }
}

#[test]
fn threads_that_are_never_joined() {
    leaks("leak", &["threads-unjoined", "150"], 16, &nameless("leak"));
}

#[test]
fn detached_threads_of_one_name() {
    leaks("leak", &["threads-detached", "150", "0", "sleeper"], 16, &nameless("sleeper"));
}

#[test]
fn one_thread_pools_by_name() {
    leaks("leak", &["threads-unjoined", "150", "0", "pool-#-thread-1"], 16, &POOLS);
}

#[test]
fn two_schedules_of_one_pattern() {
    let leaker = Leaker::start("leak", &["threads-mixed", "150", "400"]);
    wait_until("births", 60.0, || leaker.tasks_named("pool-") >= 50);
    let looked = Looked::at(&leaker, |l| l.tasks_named("pool-"));
    looked.is_a_leak(&Expected { periods_s: &[0.15, 0.4], ..POOLS });
}

#[test]
fn under_musl_dynamic_and_static() {
    need!("musl-gcc");
    leaks("leak-musl", &["threads-unjoined", "150", "0", "pool-#-thread-1"], 16, &POOLS);
    leaks("leak-musl-static", &["threads-detached", "150", "0", "pool-#-thread-1"], 16, &POOLS);
    leaks("leak-musl-static", &["threads-unjoined", "150"], 16, &nameless("leak-musl-stati"));
}

#[test]
fn in_cpp() {
    leaks("cpp-threads", &["150"], 16, &nameless("cpp-threads"));
}

#[test]
fn in_rust() {
    leaks("rust-threads", &["150", "named"], 16, &POOLS);
    leaks("rust-threads", &["150", "unnamed"], 16, &nameless("rust-threads"));
}

#[test]
fn in_python() {
    need!("/usr/bin/python3");
    leaks("python/threads.py", &["150"], 16, &nameless("threads.py"));
}
