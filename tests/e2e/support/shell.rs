//! The commands with which a sceptic checks a finding, run as printed.

use std::process::Command;

use serde_json::Value;

/// Runs a command through sh; `flatfoot` in it is the one under test.
fn sh(command: &str) -> std::process::Output {
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_flatfoot")).parent().expect("its folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(own.to_owned()).chain(std::env::split_paths(&others)));
    Command::new("sh").arg("-c").arg(command).env("PATH", path.expect("a path")).output().expect("sh")
}

/// Runs a command through sh and gives the number that it prints last.
#[track_caller]
pub(crate) fn number(command: &str) -> f64 {
    let output = sh(command);
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.split_whitespace().next_back().unwrap_or_default();
    last.parse().unwrap_or_else(|_| {
        panic!("{command} prints no number: {text:?} {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Runs a command through sh, and gives what it printed; panics when it failed.
#[track_caller]
pub(crate) fn text(command: &str) -> String {
    let output = sh(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Checks every piece of evidence of a finding; gives how many were compared by number.
///
/// The target must stand still. `loose`: of commands about the whole host, whose number moves on meanwhile, how far off
/// (as a share) it may be.
#[track_caller]
pub(crate) fn check_evidence(finding: &Value, loose: f64) -> usize {
    let mut compared = 0;
    for item in finding["evidence"].as_array().expect("evidence") {
        let Some(command) = item["reproduce"].as_str() else { continue };
        let Some(claimed) = item["value"].as_f64() else {
            assert!(!text(command).trim().is_empty(), "{command} prints nothing");
            continue;
        };
        let printed = number(command);
        let of_the_host = command.contains("/proc/meminfo");
        let allowed = if of_the_host { claimed * loose } else { 0.0 };
        assert!(
            (printed - claimed).abs() <= allowed,
            "{command}: claimed {claimed}, prints {printed}\n{item:#}"
        );
        compared += 1;
    }
    compared
}
