//! Every command that a finding offers as a check is run, and its number compared with the one claimed.

use serde_json::Value;

use super::findings::findings;
use crate::support::{Flatfoot, Leaker, need, shell, wait_until};

/// The host's commit charge moves on while others work on this machine.
const HOST_MOVES: f64 = 0.7;

/// Looks, freezes it at once, and gives what was said of as many threads as stand still then; again when a birth came
/// between.
#[track_caller]
fn frozen<T>(leaker: &Leaker, look: impl Fn(&Flatfoot) -> T, says: impl Fn(&T, usize) -> bool) -> T {
    let flatfoot = Flatfoot::new();
    for _ in 0..12 {
        let said = look(&flatfoot);
        leaker.freeze();
        if says(&said, leaking(leaker)) {
            return said;
        }
        leaker.thaw();
    }
    panic!("a birth came between each look and the check, or the count is wrong");
}

/// Its only finding, with the process frozen as it was seen.
#[track_caller]
fn frozen_finding(leaker: &Leaker) -> Value {
    let look = |flatfoot: &Flatfoot| flatfoot.diagnose(&leaker.arg()).1;
    let said = frozen(leaker, look, |said, alive| said["findings"][0]["count"] == alive);
    assert_eq!(findings(&said).len(), 1, "{said:#}");
    said["findings"][0].clone()
}

/// Those of its threads that leak, counted by nobody but /proc.
fn leaking(leaker: &Leaker) -> usize {
    match leaker.tasks_named("pool-") {
        0 => leaker.tasks() - 1,
        pools => pools,
    }
}

/// Runs the checks of a leaker; at least so many of them must be comparable by number.
#[track_caller]
fn checks_hold(leaker: &Leaker, at_least: usize) {
    wait_until("births", 60.0, || leaking(leaker) >= 12);
    let finding = frozen_finding(leaker);
    let compared = shell::check_evidence(&finding, HOST_MOVES);
    assert!(compared >= at_least, "{compared} checks: {finding:#}");
    leaker.thaw();
}

#[test]
fn of_numbered_threads() {
    checks_hold(&Leaker::start("leak", &["threads-unjoined", "250", "0", "pool-#-thread-1"]), 2);
}

#[test]
fn of_threads_named_as_their_process() {
    checks_hold(&Leaker::start("leak", &["threads-unjoined", "250"]), 1);
    checks_hold(&Leaker::start("rust-threads", &["250", "unnamed"]), 1);
}

#[test]
fn of_a_musl_program() {
    need!("musl-gcc");
    checks_hold(&Leaker::start("leak-musl", &["threads-detached", "250", "0", "pool-#-thread-1"]), 2);
}

#[test]
fn of_names_with_what_a_shell_would_take_for_its_own() {
    let name = "a$(id) `x`.*#'";
    let leaker = Leaker::start("leak", &["threads-detached", "250", "0", name]);
    checks_hold(&leaker, 1);
}

#[test]
fn of_python_threads() {
    need!("/usr/bin/python3");
    checks_hold(&Leaker::start("python/threads.py", &["250"]), 1);
}

#[test]
fn of_java_pools() {
    need!("java");
    // Not from Quartz: with a grid of a quarter of a second the test ends sooner.
    let leaker = Leaker::start("run-java.sh", &["many-pools", "200", "400"]);
    wait_until("births", 60.0, || leaker.tasks_named("pool-") >= 12);
    let mut failures = Vec::new();
    // The JVM starts and ends threads of its own, and with them mappings: look again then.
    for _ in 0..6 {
        let finding = frozen_finding(&leaker);
        let Err(why) = std::panic::catch_unwind(|| shell::check_evidence(&finding, HOST_MOVES)) else {
            return;
        };
        failures.push(why.downcast_ref::<String>().cloned());
        leaker.thaw();
    }
    panic!("no look stood its checks: {failures:#?}");
}

/// What people read, not the JSON: `check: COMMAND   → NUMBER`.
#[test]
fn as_printed() {
    let leaker = Leaker::start("leak", &["threads-unjoined", "250", "0", "pool-#-thread-1"]);
    wait_until("births", 60.0, || leaker.tasks_named("pool-") >= 12);
    let arg = leaker.arg();
    let look = |flatfoot: &Flatfoot| flatfoot.run(&["diagnose", &arg]);
    let run = frozen(&leaker, look, |run, alive| {
        run.stdout.contains(&format!("  {alive} threads of pool-*-thread-1"))
    });
    assert_eq!(run.status, 1, "{run:#?}");
    let mut compared = 0;
    for check in run.stdout.lines().filter_map(|line| Some(line.split_once("check: ")?.1)) {
        let Some((command, claimed)) = check.rsplit_once("   → ") else {
            assert!(!shell::text(check).trim().is_empty(), "{check}");
            continue;
        };
        let claimed: f64 = claimed.trim().parse().unwrap_or_else(|_| panic!("{check}"));
        let printed = shell::number(command);
        if command.contains("/proc/meminfo") {
            assert!((printed / claimed - 1.0).abs() < HOST_MOVES, "{check}: {printed}");
        } else {
            assert_eq!(printed, claimed, "{check}");
            compared += 1;
        }
    }
    assert!(compared >= 2, "{}", run.stdout);
}
