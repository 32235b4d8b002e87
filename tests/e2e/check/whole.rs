//! Whole commands.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::served::{naming, only};
use crate::support::flatfoot::collect;
use crate::support::leaker::built;
use crate::support::{Flatfoot, Run, wait_until};

/// `check OPTIONS -- sh -c SCRIPT`, with an argument that nobody else has.
#[track_caller]
fn checked(options: &[&str], script: &str, mark: &str) -> Run {
    let run = Flatfoot::new().run(&[&["check"], options, &["--", "sh", "-c", script, mark]].concat());
    if !options.contains(&"--keep") {
        assert_eq!(naming(mark), [""; 0], "nobody is left");
    }
    run
}

fn json(options: &[&str], script: &str, mark: &str) -> (i32, Value) {
    let run = checked(&[options, &["--json"]].concat(), script, mark);
    (run.status, run.json())
}

/// A daemon as the book has it: forked twice, in a session of its own.
const DAEMON: &str = "(setsid sh -c 'sleep 1001 & exec sleep 1002' \"$0\" >/dev/null 2>&1 </dev/null &)";

#[test]
fn daemons_that_outlive_a_command_are_found_and_ended() {
    let (code, said) = json(&["--linger", "300ms"], DAEMON, "mark-daemon");
    assert_eq!(code, 23, "{said:#}");
    let leak = only(&said);
    assert_eq!((&leak["rule"], &leak["subject"]), (&json!("child"), &json!("sleep")), "{leak:#}");
    let mut commands: Vec<&str> = leak["survivors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["command"].as_str())
        .collect();
    commands.sort_unstable();
    assert_eq!(commands, ["sleep 1001", "sleep 1002"], "{leak:#}");
    for survivor in leak["survivors"].as_array().expect("survivors") {
        assert!(survivor["age_s"].as_f64().is_some_and(|age| (0.2..60.0).contains(&age)), "{survivor:#}");
        let gone = format!("/proc/{}", survivor["pid"]);
        assert!(!std::path::Path::new(&gone).exists(), "{gone} was ended");
    }
}

#[test]
fn who_ends_within_the_linger_is_no_leak() {
    let (code, said) = json(&["--linger", "20s"], "(setsid sleep 0.5 &)", "mark-soon");
    assert_eq!((code, &said["findings"]), (0, &json!([])), "{said:#}");
    assert!(said["took_s"].as_f64().is_some_and(|took| took < 15.0), "nobody waits for nothing: {said:#}");
}

#[test]
fn keep_leaves_them_alone() {
    let run = checked(
        &["--linger", "100ms", "--keep", "--json"],
        "(setsid sleep 1003 >/dev/null 2>&1 &)",
        "mark-keep",
    );
    let said = run.json();
    assert_eq!(run.status, 23, "{said:#}");
    let pid = only(&said)["survivors"][0]["pid"].as_i64().expect("a pid");
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists(), "{said:#}");
    kill_process(Pid::from_raw(pid as i32).expect("a pid"), Signal::KILL).expect("our own");
}

#[test]
fn its_own_failure_passes_through_with_and_without_a_leak() {
    let (code, said) = json(&[], "exit 9", "mark-nine");
    assert_eq!((code, &said["verdict"], &said["findings"]), (9, &json!("failed"), &json!([])), "{said:#}");
    let (code, said) = json(&["--linger", "100ms"], "(setsid sleep 1004 &) ; exit 9", "mark-both");
    assert_eq!((code, &said["verdict"]), (9, &json!("failed")), "{said:#}");
    only(&said);
    let (code, _) = json(&[], "kill -SEGV $$", "mark-segv");
    assert_eq!(code, 139);
}

#[test]
fn its_output_is_its_own() {
    let run = checked(&[], "echo out; echo err >&2", "mark-out");
    assert!(run.stdout.starts_with("out\nPASS "), "{run:#?}");
    assert_eq!(run.stderr, "err\n");
    let run = checked(&["--json"], "echo out", "mark-out");
    assert_eq!(run.stderr, "out\n", "stdout is the document's alone");
    run.json();
}

#[test]
fn signals_reach_the_command() {
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::USR1, "USR1")] {
        let script = format!("trap 'exit 9' {name}; echo ready; while :; do sleep 0.05; done");
        let flatfoot = Flatfoot::new();
        let mut child = flatfoot.command(&["check", "--", "sh", "-c", &script]).spawn().expect("flatfoot");
        let mut first = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().expect("stdout"), &mut first).expect("a line");
        kill_process(Pid::from_child(&child), signal).expect("a signal");
        let run = collect(&mut child);
        assert_eq!(run.status, 9, "{name}: {run:#?}");
    }
}

#[test]
fn nothing_is_left_when_flatfoot_is_killed() {
    let flatfoot = Flatfoot::new();
    let mut child = flatfoot
        .command(&["check", "--", "sh", "-c", "setsid sleep 1005 & sleep 1005"])
        .spawn()
        .expect("flatfoot");
    wait_until("it runs", 30.0, || naming("sleep 1005").len() == 3);
    kill_process(Pid::from_child(&child), Signal::KILL).expect("a signal");
    assert_eq!(collect(&mut child).status, -9);
    wait_until("everybody ended", 30.0, || naming("sleep 1005").is_empty());
}

#[test]
fn growth_until_its_end_is_found() {
    let leak = built().join("leak");
    let leak = leak.to_str().expect("a path");
    let flatfoot = Flatfoot::new();
    let run = flatfoot.run(&[
        "check",
        "--json",
        "--",
        "timeout",
        "8",
        leak,
        "threads-unjoined",
        "50",
        "0",
        "job-#-worker",
    ]);
    let said = run.json();
    // timeout's own way to say that time was up.
    assert_eq!(run.status, 124, "{said:#}");
    let leak = only(&said);
    assert_eq!((&leak["rule"], &leak["process"]["name"]), (&json!("thread"), &json!("leak")), "{leak:#}");
    assert_eq!(leak["subject"], "job-*-worker", "{leak:#}");
    let total = leak["total"].as_f64().expect("a number");
    assert!((60.0..=160.0).contains(&total), "some twenty a second: {leak:#}");
    assert_eq!(said["rules_not_judged"], json!(["memory"]), "{said:#}");
}

#[test]
fn what_is_short_is_not_judged_by_its_growth() {
    let (_, said) = json(&[], "true", "mark-short");
    assert_eq!(said["rules_not_judged"], json!(["thread", "descriptor", "memory"]), "{said:#}");
}
