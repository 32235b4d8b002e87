//! What the end-to-end tests share: real programs to look at, and the real flatfoot to look with.
//!
//! A test starts a program of `tests/leakers` (its README has the exact truths), runs flatfoot on it as a user would,
//! and compares what was said with what `/proc` shows to plain counting. Nothing here waits for a fixed time: conditions
//! are awaited, with bounds that a busy machine meets.

// Each test crate uses its part of this.
#![allow(dead_code, unused_imports)]

pub(crate) mod flatfoot;
pub(crate) mod leaker;
pub(crate) mod month;
pub(crate) mod shell;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use flatfoot::{Flatfoot, Run};
pub(crate) use leaker::{Leaker, built};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the repository's root")
}

/// Seconds on a clock that only goes forward.
pub(crate) fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Asks again and again until `condition` gives something; panics with `what` after `timeout_s`.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, timeout_s: f64, mut condition: impl FnMut() -> Option<T>) -> T {
    let until = now() + timeout_s;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(now() < until, "waited {timeout_s} s in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until `condition` holds; panics with `what` after `timeout_s`.
#[track_caller]
pub(crate) fn wait_until(what: &str, timeout_s: f64, mut condition: impl FnMut() -> bool) {
    wait_for(what, timeout_s, || condition().then_some(()));
}

/// Is each of these programs (or files, when they begin with `/`) there? If not, says so aloud; under CI it fails.
pub(crate) fn have(tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |tool: &&&str| {
        if tool.starts_with('/') {
            return std::path::Path::new(tool).exists();
        }
        std::env::split_paths(&path).any(|folder| folder.join(tool).exists())
    };
    let missing: Vec<&&str> = tools.iter().filter(|tool| !there(tool)).collect();
    if missing.is_empty() {
        return true;
    }
    eprintln!("NOT TESTED: {missing:?} missing; run scripts/install-test-deps.sh");
    assert!(
        std::env::var_os("CI").is_none_or(|v| v != "true"),
        "under CI nothing may be missing: {missing:?}"
    );
    false
}

/// Ends the test, aloud, when a tool is missing.
macro_rules! need {
    ($($tool:expr),+) => {
        if !$crate::support::have(&[$($tool),+]) {
            return;
        }
    };
}
pub(crate) use need;
