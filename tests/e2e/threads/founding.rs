//! The founding case: a scheduler arms a deadline at each firing, in a one-thread pool that is never shut down.
//!
//! One look must name the leak, and each repair of it must be silent.

use super::findings::{Expected, Looked};
use super::twins::watch_silence;
use crate::support::{Leaker, need};

const EACH_SECOND: &str = "* * * * * ?";
const EACH_2_SECONDS: &str = "*/2 * * * * ?";
/// Some births are enough; a JVM that is still warming up fires its first ones late.
const BIRTHS: usize = 12;

fn pools(leaker: &Leaker) -> usize {
    leaker.tasks_named("pool-")
}

/// Waits for the births, then takes one look.
#[track_caller]
fn one_look_names(leaker: &Leaker, period_s: f64) {
    let enough = || pools(leaker) >= BIRTHS;
    crate::support::wait_until("births", 60.0 + BIRTHS as f64 * period_s, enough);
    let looked = Looked::at(leaker, pools);
    let expected = Expected { subject: "pool-*-thread-1", shape: "one_thread_pools", periods_s: &[period_s] };
    let found = looked.is_a_leak(&expected);
    assert_eq!(found["process"]["name"], "java");
    // -Xss2048k: 2,032 KiB and the guard, which is not theirs to use.
    let each = found["reserved_bytes"].as_f64().expect("stacks") / found["count"].as_f64().expect("a count");
    assert!((each / 1024.0 - 2_032.0).abs() <= 16.0, "{} KiB for a stack of -Xss2048k", each / 1024.0);
    assert!(found["touched_bytes"].as_u64() < found["reserved_bytes"].as_u64(), "{found:#}");
    let limits = found["limits"].as_array().expect("limits");
    assert!(limits.iter().any(|l| l["eta_s"].as_f64().is_some_and(|s| s > 0.0)), "no limit with a time");
}

#[test]
fn a_jruby_job_that_fires_each_second() {
    need!("java", "jruby", "/usr/share/java/quartz2.jar");
    let leakers = Leaker::start_all([
        ("run-jruby.sh", &["leak", EACH_SECOND]), // armed by Java code
        ("run-jruby.sh", &["leak_ruby", EACH_SECOND]),
    ]);
    for leaker in &leakers {
        one_look_names(leaker, 1.0);
    }
}

#[test]
fn a_java_job_that_fires_each_second_or_each_other() {
    need!("java", "/usr/share/java/quartz2.jar");
    let [each, other] = Leaker::start_all([
        ("run-java.sh", &["leak", EACH_SECOND]),
        ("run-java.sh", &["leak", EACH_2_SECONDS]),
    ]);
    one_look_names(&each, 1.0);
    one_look_names(&other, 2.0);
}

#[test]
fn the_repairs_in_java_are_silent() {
    need!("java", "/usr/share/java/quartz2.jar");
    watch_silence(&repairs("run-java.sh"), 15.0);
}

#[test]
fn the_repairs_in_jruby_are_silent() {
    need!("java", "jruby", "/usr/share/java/quartz2.jar");
    watch_silence(&repairs("run-jruby.sh"), 12.0);
}

/// No pool; a fixed one; one that is shut down each time.
fn repairs(runner: &str) -> [Leaker; 4] {
    Leaker::start_all([
        (runner, &["blank"]),
        (runner, &["task", EACH_SECOND]),
        (runner, &["fixed", EACH_SECOND]),
        (runner, &["shutdown", EACH_SECOND]),
    ])
}
