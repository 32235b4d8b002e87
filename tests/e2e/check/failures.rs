//! Servers that die, work that fails, what cannot be started, and what is asked for in a wrong way.

use serde_json::json;

use crate::served::Served;
use crate::support::Flatfoot;

#[test]
fn a_server_that_dies_is_a_failure_with_its_status_and_last_lines() {
    let served = Served::new();
    let (code, said) = served.json(&[], &["die", "7", "30"]);
    assert_eq!(code, 7, "{said:#}");
    assert_eq!(said["verdict"], "failed", "{said:#}");
    let failure = &said["failure"];
    assert_eq!(failure["what"], "the server ended while it was checked: it ended with status 7");
    let lines = failure["last_lines"].as_array().expect("lines");
    assert_eq!(lines.last(), Some(&json!("FATAL: out of luck")), "{failure:#}");
}

#[test]
fn a_server_that_ends_well_too_early_is_a_failure_too() {
    let served = Served::new();
    let (code, said) = served.json(&[], &["die", "0", "3"]);
    assert_eq!(code, 125, "{said:#}");
    assert_eq!(said["rounds_done"], 0, "it died while it warmed up: {said:#}");
}

#[test]
fn a_server_that_never_gets_ready() {
    let served = Served::new();
    let run = served.check(&["--ready-timeout", "2s"], &["deaf"]);
    assert_eq!(run.status, 125, "{run:#?}");
    assert!(run.stderr.contains("error: the server was not ready within 2.0 s"), "{run:#?}");
    assert!(run.stderr.contains("hint: --ready"), "{run:#?}");
    let run = served.check(&["--ready-timeout", "1s", "--ready", "false"], &["none"]);
    assert_eq!(run.status, 125, "{run:#?}");
    let run = served.check(&["--ready-timeout", "1s", "--ready-log", "never said"], &["none"]);
    assert_eq!(run.status, 125, "{run:#?}");
    assert!(run.stderr.contains("ready pid="), "its last lines are shown: {run:#?}");
    // A command that hangs is ended with the wait.
    let hang = format!("sleep 1000; : {}", served.socket());
    let run = served.check(&["--ready-timeout", "1s", "--ready", &hang], &["none"]);
    assert_eq!(run.status, 125, "{run:#?}");
}

#[test]
fn each_way_to_be_ready() {
    let served = Served::new();
    let there = format!("test -S {}", served.socket());
    for (options, how) in [
        (vec!["--ready", there.as_str()], "--ready succeeded"),
        (vec!["--ready-log", "mode=none"], "it printed the line"),
        (vec![], "it listens"),
    ] {
        let run =
            served.check(&[options.as_slice(), &["--rounds", "1", "--warmup", "0"]].concat(), &["none"]);
        assert_eq!(run.status, 0, "{run:#?}");
        assert!(run.stderr.contains(how), "{how}: {run:#?}");
    }
}

#[test]
fn what_cannot_be_started() {
    let flatfoot = Flatfoot::new();
    for options in [vec!["check"], vec!["check", "--work", "true"]] {
        for (program, code) in
            [("/no/such/program", 127), ("no-such-program", 127), ("/etc/passwd", 126), ("/", 126)]
        {
            let run = flatfoot.run(&[options.as_slice(), &["--", program]].concat());
            assert_eq!(run.status, code, "{program}: {run:#?}");
            assert!(run.stderr.starts_with(&format!("error: {program} could not be started")), "{run:#?}");
        }
    }
}

#[test]
fn work_that_fails_passes_its_status_through() {
    let served = Served::new();
    let (code, said) = served.json(&["--work", "exit 3"], &["none"]);
    assert_eq!(code, 3, "{said:#}");
    assert_eq!(said["failure"]["what"], "the work failed in warm-up run 1: it ended with status 3");
    assert_eq!(said["failure"]["exit_code"], 3);
    let (code, _) = served_again(&served, "kill -9 $$");
    assert_eq!(code, 137);
    let (code, _) = served_again(&served, "no-such-work");
    assert_eq!(code, 127);
}

fn served_again(served: &Served, work: &str) -> (i32, serde_json::Value) {
    served.json(&["--work", work], &["none"])
}

#[test]
fn a_leak_and_a_failure_are_both_said_and_the_failure_wins() {
    let served = Served::new();
    let runs = served.file("runs").display().to_string();
    // Two of warm-up and three rounds succeed.
    let work = format!("{}; echo >>{runs}; test $(wc -l <{runs}) -le 5", served.asking(12, 1));
    let run = served.check(&["--work", &work], &["thread"]);
    assert_eq!(run.status, 1, "{run:#?}");
    assert!(run.stdout.contains("FAIL the work failed in round 4: it ended with status 1\n"), "{run:#?}");
    assert!(run.stdout.contains("FAIL thread leak: 12 more pool-*-thread-1 after each round\n"), "{run:#?}");
}

#[test]
fn the_work_knows_the_server() {
    let served = Served::new();
    let work = format!("tr '\\0' ' ' </proc/$FLATFOOT_PID/cmdline | grep -q {}", served.socket());
    let (code, said) = served.json(&["--work", &work, "--rounds", "1"], &["none"]);
    assert_eq!(code, 0, "{said:#}");
}

#[test]
fn wrong_usage_is_no_code_of_a_command() {
    let flatfoot = Flatfoot::new();
    for args in [
        vec!["check"],
        vec!["check", "--no-such-flag", "--", "true"],
        vec!["check", "--rounds", "0", "--work", "true", "--", "true"],
        vec!["check", "--rounds", "3", "--", "true"],
        vec!["check", "--ready-port", "80", "--", "true"],
        vec!["check", "--pid", "1", "--", "true"],
        vec!["check", "--for", "3s", "--", "true"],
        vec!["check", "--pid", "4194304"],
        vec!["check", "--allow", "/no/such/file", "--", "true"],
        vec!["check", "--junit", "/no/such/folder/x.xml", "--", "true"],
    ] {
        let run = flatfoot.run(&args);
        assert_eq!((run.status, run.stdout.as_str()), (125, ""), "{args:?}: {run:#?}");
        assert!(run.stderr.starts_with("error:"), "{args:?}: {run:#?}");
        assert!(run.stderr.contains("hint:") || run.stderr.contains("--help"), "{args:?}: {run:#?}");
    }
    let help = flatfoot.run(&["check", "--help"]);
    assert_eq!(help.status, 0);
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("Exit codes:"), "{}", help.stdout);
}
