//! Nothing is left behind, however it ends.

use rustix::process::{Pid, Signal, kill_process};

use crate::served::Served;
use crate::support::flatfoot::collect;
use crate::support::wait_until;

/// Sends flatfoot a signal while the work runs; how it ended.
#[track_caller]
fn interrupted(signal: Signal) -> i32 {
    let served = Served::new();
    let marker = served.file("working");
    let work = format!("touch {}; sleep 1000; : {}", marker.display(), served.socket());
    let mut child = served.command(&["--work", &work], &["daemon"]).spawn().expect("flatfoot");
    wait_until("work", 30.0, || marker.exists());
    assert!(served.there().len() >= 3, "the server, its daemon and the work: {:?}", served.there());
    kill_process(Pid::from_child(&child), signal).expect("a signal");
    let run = collect(&mut child);
    wait_until("everybody ended", 30.0, || served.there().is_empty());
    run.status
}

#[test]
fn after_ctrl_c() {
    assert_eq!(interrupted(Signal::INT), 130);
}

#[test]
fn after_sigterm() {
    assert_eq!(interrupted(Signal::TERM), 130);
}

#[test]
fn after_flatfoot_itself_was_killed() {
    assert_eq!(interrupted(Signal::KILL), -9);
}

#[test]
fn of_a_server_that_does_not_want_to_end() {
    let served = Served::new();
    let (code, said) = served.json(&["--grace", "300ms", "--rounds", "1"], &["stubborn"]);
    assert_eq!(code, 0, "{said:#}");
}

#[test]
fn of_a_server_that_made_a_daemon() {
    let served = Served::new();
    let (code, said) = served.json(&["--rounds", "3"], &["daemon"]);
    assert_eq!(code, 0, "one daemon is no leak: {said:#}");
    assert!(
        said["watched"].as_str().is_some_and(|watched| watched.contains("and a process below it")),
        "{said:#}"
    );
}

#[test]
fn of_work_that_leaves_something() {
    let served = Served::new();
    let work = format!(
        "{}; sh -c 'exec 1>&- 2>&-; setsid sleep 1000; : {}' & ",
        served.asking(12, 1),
        served.socket()
    );
    let (code, said) = served.json(&["--work", &work], &["none"]);
    assert_eq!(code, 0, "it is not the server's: {said:#}");
    assert!(said["notes"].to_string().contains("the work left"), "{said:#}");
}

/// The guard is what ends everybody; without it flatfoot does.
#[test]
fn after_the_guard_was_killed() {
    let served = Served::new();
    let marker = served.file("working");
    let work = format!("touch {}; sleep 1000; : {}", marker.display(), served.socket());
    let mut child = served.command(&["--work", &work], &["daemon"]).spawn().expect("flatfoot");
    wait_until("work", 30.0, || marker.exists());
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let children = std::fs::read_to_string(children).expect("children");
    let guard = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    kill_process(guard.expect("the server's guard"), Signal::KILL).expect("a signal");
    let run = collect(&mut child);
    assert_eq!(run.status, 125, "{run:#?}");
    assert!(run.stderr.contains("the guard of process"), "{run:#?}");
    served.nobody_is_left();
}
