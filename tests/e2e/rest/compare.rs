//! Before and after, on real programs: what changed between two saves, and whether a leak is fixed.

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, built, wait_until};

const PATTERN: &str = "pool-*-thread-1";

/// A leaker of a thread each 250 ms, once it is a finding.
fn leaking() -> Leaker {
    let leaker = Leaker::start("leak", &["threads-detached", "250", "0", "pool-#-thread-1"]);
    wait_until("births", 60.0, || leaker.tasks_named("pool-") >= 12);
    leaker
}

/// The case that diagnose keeps of it, and the finding's id.
#[track_caller]
fn case_of(flatfoot: &Flatfoot, leaker: &Leaker) -> (String, String) {
    let (code, said) = flatfoot.diagnose(&leaker.arg());
    assert_eq!(code, 1, "{said:#}");
    let case = said["saved"]["path"].as_str().expect("a case").to_owned();
    (case, said["findings"][0]["id"].as_str().expect("an id").to_owned())
}

#[test]
fn a_leak_that_goes_on_is_not_fixed() {
    let (flatfoot, leaker) = (Flatfoot::new(), leaking());
    let (_, id) = case_of(&flatfoot, &leaker);
    // Found again by what it is: nobody names it.
    let (code, said) = flatfoot.json(&["compare", "--finding", &id[..4], &leaker.arg()]);
    assert_eq!(code, 1, "{said:#}");
    assert_eq!(said["answer"], "not_fixed", "{said:#}");
    assert_eq!(said["finding"], id.as_str());
    assert_eq!(said["pids"], serde_json::json!([leaker.pid()]));
    assert!(said["survivors"].as_u64() >= Some(2), "{said:#}");
    assert!(
        said["remarks"][0].as_str().is_some_and(|remark| remark.contains("not been restarted")),
        "{said:#}"
    );
}

#[test]
fn threads_that_end_are_a_cure_and_silence_is_none() {
    let (flatfoot, leaker) = (Flatfoot::new(), leaking());
    let (case, _) = case_of(&flatfoot, &leaker);
    drop(leaker);
    let cured = Leaker::start("healthy", &["renew", "120", "250", "pool-#-thread-1"]);
    let (code, said) = flatfoot.json(&["compare", "--finding", &case, &cured.arg()]);
    assert_eq!(code, 0, "{said:#}");
    assert_eq!(said["answer"], "fixed", "{said:#}");
    assert_eq!(said["survivors"], 0, "{said:#}");
    assert!(said["firings"].as_u64() >= Some(3), "{said:#}");
    let idle = Leaker::start("healthy", &["fixed-pool", "3", "100", "worker-#"]);
    let run = flatfoot.run(&["compare", "--finding", &case, &idle.arg(), "--for", "2s"]);
    assert_eq!(run.status, 3, "quiet time proves nothing: {run:#?}");
    assert!(
        run.stdout.starts_with("NOT PROVEN    0 firings seen, 3 without a survivor would prove it"),
        "{run:#?}"
    );
}

#[test]
fn a_finding_that_is_not_there_says_where_it_was_looked_for() {
    let flatfoot = Flatfoot::new();
    let run = flatfoot.run(&["compare", "--finding", "ffff"]);
    assert_eq!(run.status, 5, "{run:#?}");
    assert!(run.stderr.contains("no case of finding ffff in "), "{run:#?}");
    assert!(run.stderr.contains("hint:"), "{run:#?}");
    assert_eq!(flatfoot.run(&["compare", "one.flatfoot"]).status, 2);
}

/// The row of a figure in a comparison's only process.
#[track_caller]
fn figure<'a>(said: &'a Value, what: &str) -> &'a Value {
    let processes = said["processes"].as_array().expect("processes");
    assert_eq!(processes.len(), 1, "{said:#}");
    let rows = processes[0]["figures"].as_array().expect("figures");
    rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("no {what}: {said:#}"))
}

#[test]
fn two_saves_side_by_side() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (before, after) = (path("before.flatfoot"), path("after.flatfoot"));
    let quiet = Leaker::start("leak", &["fds", "60000", "files"]);
    assert_eq!(flatfoot.run(&["save", &quiet.arg(), "-o", &before]).status, 0);
    drop(quiet);
    let leaker = leaking();
    assert_eq!(flatfoot.run(&["save", &leaker.arg(), "-o", &after]).status, 0);

    let (code, said) = flatfoot.json(&["compare", &before, &after]);
    assert_eq!(code, 1, "a leak appeared: {said:#}");
    let row = figure(&said, PATTERN);
    assert_eq!((&row["before"], &row["change"]), (&Value::from(0.0), &Value::from("started")), "{row:#}");
    let rate = row["rate_after_per_s"].as_f64().expect("a rate");
    assert!((rate - 4.0).abs() < 0.4, "{row:#}");
    let period = row["period_after_s"].as_f64().expect("a period");
    assert!((period - 0.25).abs() < 0.01, "{row:#}");
    assert_eq!(said["findings"][0]["change"], "appeared", "{said:#}");

    let (code, said) = flatfoot.json(&["compare", &after, &before]);
    assert_eq!(code, 0, "it ended: {said:#}");
    assert_eq!(figure(&said, PATTERN)["change"], "stopped");
    assert_eq!(said["findings"][0]["change"], "ended", "{said:#}");

    let (code, said) = flatfoot.json(&["compare", &after, &after]);
    assert_eq!((code, &said["findings"][0]["change"]), (0, &Value::from("in both")), "{said:#}");
    assert_eq!(figure(&said, PATTERN)["change"], "same");
}

#[test]
fn the_same_leak_on_another_host_has_the_same_signature() {
    // Another program, and so another finding: what it leaks, and its rhythm, are the same.
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let copy = folder.path().join("production");
    std::fs::copy(built().join("leak"), &copy).expect("a copy");
    let mut there = std::process::Command::new(&copy);
    there.args(["threads-detached", "250", "0", "pool-#-thread-1"]);
    let [here, there] = [leaking(), Leaker::of(there)];
    wait_until("births", 60.0, || there.tasks_named("pool-") >= 12);
    let (stage, production) = (path("stage.flatfoot"), path("production.flatfoot"));
    assert_eq!(flatfoot.run(&["save", &here.arg(), "-o", &stage]).status, 0);
    assert_eq!(flatfoot.run(&["save", &there.arg(), "-o", &production]).status, 0);
    let (_, said) = flatfoot.json(&["compare", &stage, &production]);
    let appeared = &said["findings"][0];
    assert_eq!(appeared["change"], "appeared", "{said:#}");
    assert_eq!(appeared["signature"], serde_json::json!(["kind", "pattern", "cadence"]), "{said:#}");
    assert_eq!(appeared["same_as"], said["findings"][1]["id"], "{said:#}");
}
