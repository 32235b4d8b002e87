//! Looking at a process of another user, without the right to: threads are still judged, and what is refused is
//! named together with what would help.

use std::process::{Command, Stdio};

use rustix::process::getuid;

use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, Run, need};

/// Runs flatfoot as nobody. `None`, aloud, when the tests themselves run without the right to.
fn as_nobody(flatfoot: &Flatfoot, args: &[&str]) -> Option<Run> {
    if !getuid().is_root() {
        eprintln!("NOT TESTED: only root can run flatfoot as another user");
        return None;
    }
    // The build's folder may be closed to others: a copy that everybody may run.
    let folder = tempfile::Builder::new().prefix("flatfoot-e2e-").tempdir_in("/tmp").expect("a folder");
    let copy = folder.path().join("flatfoot");
    std::fs::copy(env!("CARGO_BIN_EXE_flatfoot"), &copy).expect("a copy");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("its mode");
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"])
        .arg(&copy)
        .args(args)
        .env("XDG_STATE_HOME", flatfoot.cases().join("closed"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let run = collect(&mut command.spawn().expect("setpriv"));
    Some(run)
}

#[test]
fn threads_are_judged_without_any_right() {
    need!("setpriv");
    let program = Leaker::start("leak", &["threads-unjoined", "100", "0", "pool-#-thread-1"]);
    program.wait_for_tasks(40, 60.0);
    let flatfoot = Flatfoot::new();
    let Some(run) = as_nobody(&flatfoot, &["diagnose", &program.arg(), "--json"]) else { return };
    let diagnosis = run.json();
    let findings = diagnosis["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{diagnosis:#}");
    assert_eq!(findings[0]["kind"], "thread-leak");
    assert_eq!(findings[0]["subject"], "pool-*-thread-1");
    assert!(findings[0]["count"].as_u64() >= Some(39));
    assert!(
        findings[0]["touched_bytes"].is_null() && findings[0]["reserved_bytes"].is_null(),
        "unknown is not 0"
    );
    let period = findings[0]["cadence"][0]["period_s"].as_f64().expect("a period");
    assert!((period / 0.1 - 1.0).abs() < 0.02, "{period}");
    let said = diagnosis["not_judged"].to_string();
    assert!(said.contains("mappings of leak") && said.contains("denied"), "{said}");
    assert!(said.contains("sudo") && said.contains("CAP_SYS_PTRACE"), "says what would help: {said}");
    assert!(matches!(run.status, 1 | 3));
}

#[test]
fn the_map_is_refused_with_what_would_help() {
    need!("setpriv");
    let program = Leaker::start("shape", &["many-threads", "5"]);
    let flatfoot = Flatfoot::new();
    let Some(run) = as_nobody(&flatfoot, &["map", &program.arg()]) else { return };
    assert_eq!((run.status, run.stdout.as_str()), (5, ""));
    assert!(
        run.stderr.contains("denied") && run.stderr.contains("hint:") && run.stderr.contains("sudo"),
        "{run:#?}"
    );
    let Some(run) = as_nobody(&flatfoot, &["threads", &program.arg()]) else { return };
    assert_eq!(run.status, 0, "names and births need no right: {run:#?}");
    assert!(run.stdout.contains("denied") && run.stdout.contains('?'), "{run:#?}");
}

#[test]
fn a_host_that_belongs_to_others_is_said_to() {
    need!("setpriv");
    let program = Leaker::start("shape", &["many-threads", "5"]);
    let flatfoot = Flatfoot::new();
    let Some(run) = as_nobody(&flatfoot, &["diagnose", "--json"]) else { return };
    let diagnosis = run.json();
    let looked = &diagnosis["looked_at"];
    // At least ours and the tests' own are root's.
    let as_nobody_denied = looked["denied"].as_u64().expect("how many");
    assert!(as_nobody_denied >= 2, "{looked}");
    assert!(looked["denied"].as_u64() <= looked["processes"].as_u64());
    let Some(run) = as_nobody(&flatfoot, &["doctor", "--json"]) else { return };
    let doctor = run.json();
    let checks = doctor["checks"].as_array().expect("checks");
    let others = checks.iter().find(|c| c["name"] == "processes of others").expect("a line about others");
    assert_eq!(others["state"], "limited", "{others}");
    assert!(others["hint"].to_string().contains("CAP_SYS_PTRACE"), "{others}");
    // Root is denied less: in a container perhaps the one process that has more capabilities than it.
    let (_, diagnosis) = flatfoot.json(&["diagnose"]);
    assert!(diagnosis["looked_at"]["denied"].as_u64() < Some(as_nobody_denied), "{}", diagnosis["looked_at"]);
    drop(program);
}

#[test]
fn a_state_folder_that_cannot_be_written_ends_no_diagnosis() {
    need!("setpriv");
    let program = Leaker::start("leak", &["threads-unjoined", "50", "0", "pool-#-thread-1"]);
    program.wait_for_tasks(40, 60.0);
    let flatfoot = Flatfoot::new();
    let Some(run) = as_nobody(&flatfoot, &["diagnose", &program.arg(), "--json"]) else { return };
    let diagnosis = run.json();
    assert!(diagnosis["saved"].is_null());
    assert_eq!(diagnosis["findings"].as_array().map(Vec::len), Some(1), "{diagnosis:#}");
    let Some(run) = as_nobody(&flatfoot, &["save", &program.arg()]) else { return };
    assert_eq!(run.status, 5, "save must say that it could not: {run:#?}");
    assert!(run.stderr.contains("hint:"), "{run:#?}");
}
