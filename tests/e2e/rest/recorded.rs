//! What was recorded, looked at later: every view on a store, when the process that leaked is long gone.

use std::path::Path;

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, now, wait_until};

/// Records for so long what a leaker of a thread each 250 ms does, and ends it. Its pid, and how many threads it had at
/// the end.
#[track_caller]
fn recorded(flatfoot: &Flatfoot, store: &Path, seconds: u32) -> (String, u64) {
    let leaker = Leaker::start("leak", &["threads-detached", "250", "0", "pool-#-thread-1"]);
    wait_until("births", 60.0, || leaker.tasks_named("pool-") >= 8);
    let time = format!("{seconds}s");
    let store = store.display().to_string();
    let run = flatfoot.run(&["record", "--store", &store, "--interval", "500ms", "--for", &time]);
    assert_eq!(run.status, 0, "{run:#?}");
    let threads = leaker.tasks() as u64;
    (leaker.arg(), threads)
}

#[test]
fn every_view_opens_what_was_recorded() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot");
    let (pid, threads) = recorded(&flatfoot, &store, 10);
    let store = store.display().to_string();

    // Once by the store alone, once as a time of it.
    let (code, said) = flatfoot.json(&["diagnose", &store, &pid]);
    assert_eq!(code, 1, "{said:#}");
    let finding = &said["findings"][0];
    assert_eq!((&finding["kind"], &finding["subject"]), (&"thread-leak".into(), &"pool-*-thread-1".into()));
    let count = finding["count"].as_u64().expect("a count");
    assert!(count < threads && count + 6 >= threads, "{count} of {threads}: {finding:#}");
    let period = finding["cadence"][0]["period_s"].as_f64().expect("a period");
    assert!((period - 0.25).abs() < 0.005, "{finding:#}");
    assert_eq!(said["impact"]["level"], "read");
    let (_, since) = flatfoot.json(&["diagnose", &pid, "--store", &store, "--since", "1h"]);
    assert_eq!(since["findings"][0]["id"], finding["id"], "{since:#}");

    let (code, said) = flatfoot.json(&["threads", &pid, "--store", &store, "--since", "1h"]);
    assert_eq!((code, &said["groups"][0]["count"]), (0, &Value::from(count)), "{said:#}");
    let (code, said) = flatfoot.json(&["top", "--store", &store, "--since", "1h", "-n", "0"]);
    assert_eq!(code, 0);
    // What grows comes first; others on this host may leak as well.
    let rows = said["processes"].as_array().expect("processes");
    let place = rows.iter().position(|row| row["pid"].as_u64() == pid.parse().ok()).expect("the leaker");
    assert!(rows[..=place].iter().all(|row| !row["growing"].is_null()), "{said:#}");
    let rate = rows[place]["threads_per_minute"].as_f64().expect("a rate");
    assert!((rate / 240.0 - 1.0).abs() < 0.05, "{rate}");
    // The recorder looked closer at what it suspected.
    let (code, said) = flatfoot.json(&["map", &pid, "--store", &store, "--at", "now"]);
    assert_eq!(code, 0, "{said:#}");
    let stacks =
        said["classes"].as_array().and_then(|rows| rows.iter().find(|row| row["class"] == "thread stack"));
    assert!(stacks.is_some_and(|row| row["maps"].as_u64() >= Some(8)), "{said:#}");

    let run = flatfoot.run(&["diagnose", &pid, "--store", &store, "--since", "2000-01-01..2000-01-02"]);
    assert_eq!(run.status, 5, "{run:#?}");
    assert!(run.stderr.contains("nothing was recorded then"), "{run:#?}");
    let run = flatfoot.run(&["diagnose", &pid, "--store", &store, "--since", "yesterday"]);
    assert!(run.status == 2 && run.stderr.contains("hint:"), "{run:#?}");
}

#[test]
fn a_part_becomes_a_case_file_that_tells_the_same() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot");
    let (pid, _) = recorded(&flatfoot, &store, 6);
    let store = store.display().to_string();
    let case = folder.path().join("part.flatfoot").display().to_string();
    let redacted = folder.path().join("redacted.flatfoot").display().to_string();
    let save = ["save", &pid, "--store", &store, "--since", "1h", "-o"];
    assert_eq!(flatfoot.run(&[&save[..], &[&case]].concat()).status, 0);
    assert_eq!(flatfoot.run(&[&save[..], &[&redacted, "--redact"]].concat()).status, 0);
    let (code, whole) = flatfoot.json(&["diagnose", &store, &pid]);
    let of = |path: &str| flatfoot.json(&["diagnose", path, &pid]);
    let (same, part) = of(&case);
    assert_eq!(code, same);
    assert_eq!(part["findings"], whole["findings"], "{part:#}");
    let (_, hidden) = of(&redacted);
    assert_eq!(hidden["findings"][0]["subject"], whole["findings"][0]["subject"]);
    assert_ne!(hidden["host"]["name"], whole["host"]["name"], "{hidden:#}");
    let bytes = std::fs::read(&redacted).expect("the case");
    let name = whole["host"]["name"].as_str().expect("a host's name");
    assert!(!hidden.to_string().contains(&format!("\"{name}\"")), "{hidden:#}");
    // What is compressed holds any two letters somewhere.
    let is_there = bytes.windows(name.len()).any(|part| part == name.as_bytes());
    assert!(name.len() < 5 || !is_there, "the host's name is in the file");
}

#[test]
fn two_times_of_a_store_are_compared() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot").display().to_string();
    let record = |seconds: &str| {
        let run = flatfoot.run(&["record", "--store", &store, "--interval", "250ms", "--for", seconds]);
        assert_eq!(run.status, 0, "{run:#?}");
    };
    let leaker = Leaker::start("leak", &["threads-detached", "250", "0", "pool-#-thread-1"]);
    record("7s");
    // It stops, as after a repair; and is recorded on.
    leaker.freeze();
    let mended = now();
    record("8s");
    let ago = format!("{:.1}s", now() - mended);
    let (before, after) = (format!("1h..{ago}"), format!("{ago}..now"));
    let (code, said) =
        flatfoot.json(&["compare", &before, &after, "--store", &store, "--only", &leaker.arg()]);
    for side in ["before", "after"] {
        assert!(
            said[side]["from"].as_str() < said[side]["to"].as_str(),
            "a time, and not a moment: {said:#}"
        );
    }
    let rows = said["processes"][0]["figures"].as_array().expect("figures");
    let row = rows.iter().find(|row| row["what"] == "threads").expect("threads");
    assert_eq!(row["change"], "stopped", "{code} {row:#}");
    let rate = row["rate_before_per_s"].as_f64().expect("a rate");
    assert!((rate - 4.0).abs() < 0.4, "{row:#}");
    assert_eq!(row["rate_after_per_s"], 0.0, "{row:#}");
}
