//! Very large targets: sixty thousand mappings, two thousand threads. What they cost is reported, not asserted:
//! the benchmarks do that.

use std::process::Command;

use crate::facts::{assert_classes_sum_to_the_process, of_class, word};
use crate::support::{Flatfoot, Leaker, have, need, now};

const MAPPINGS: u64 = 60_000;

/// Wall time and peak memory of a command, on stderr.
fn report(what: &str, flatfoot: &Flatfoot, args: &[&str]) {
    if !have(&["/usr/bin/time"]) {
        return;
    }
    let command = flatfoot.command(args);
    let mut timed = Command::new("/usr/bin/time");
    timed
        .args(["-f", "%e s wall, %U s user, %S s system, peak RSS %M KiB"])
        .arg(command.get_program())
        .args(args);
    timed.args(["-q"]).env("XDG_STATE_HOME", flatfoot.cases());
    if let Ok(output) = timed.output() {
        let said = String::from_utf8_lossy(&output.stderr);
        eprintln!("{what}: {}", said.lines().last().unwrap_or_default());
    }
}

#[test]
fn a_process_of_60_000_mappings() {
    let program = Leaker::start("shape", &["many-maps", &MAPPINGS.to_string()]);
    let flatfoot = Flatfoot::new();
    let (code, map) = flatfoot.json(&["map", &program.arg(), "--detail", "touched"]);
    assert_eq!(code, 0);
    assert_classes_sum_to_the_process(&map, program.pid());
    let touched: u64 = word(&program.ready, "touched").parse().expect("bytes");
    let reserved: u64 = word(&program.ready, "reserved").parse().expect("bytes");
    let anonymous = |field| of_class(&map, "direct, other anon", field);
    // libc has a page or two of the same kind.
    assert!(anonymous("reserved_bytes") - reserved < 1 << 20, "{map:#}");
    assert!(anonymous("touched_bytes") - touched < 1 << 20, "{map:#}");
    assert!(anonymous("maps") >= MAPPINGS);

    let began = now();
    let text = flatfoot.run(&["map", &program.arg(), "--mappings", "--detail", "sizes"]);
    assert_eq!((text.status, text.stderr.as_str()), (0, ""));
    let lines = text.lines().len() as u64;
    assert!(lines > MAPPINGS, "{lines} lines");
    eprintln!("map --mappings of {lines} lines: {:.2} s", now() - began);

    // Equal sizes become one row.
    let sizes = flatfoot.run(&["map", &program.arg(), "--sizes", "--detail", "sizes"]);
    assert!(sizes.lines().len() < 60 && sizes.stdout.contains("\n60,00"), "{}", sizes.stdout);

    let (code, diagnosis) = flatfoot.diagnose(&program.arg());
    assert_eq!((code, &diagnosis["findings"]), (0, &serde_json::json!([])), "many, but they don't grow");
    let nearest = &diagnosis["nearest_limit"]["limit"];
    assert_eq!(nearest["name"], "max_map_count", "{nearest:#}");
    report("map --detail full of 60,000 mappings", &flatfoot, &["map", &program.arg()]);
    report("map --detail sizes of 60,000 mappings", &flatfoot, &["map", &program.arg(), "--detail", "sizes"]);
}

#[test]
fn a_jvm_of_2_000_threads() {
    need!("java");
    let program = Leaker::start("run-java.sh", &["many-pools", "2000"]);
    let flatfoot = Flatfoot::new();
    let (code, diagnosis) = flatfoot.diagnose(&program.arg());
    assert_eq!(
        (code, &diagnosis["findings"]),
        (0, &serde_json::json!([])),
        "a pool that grew at once is no leak"
    );
    let (_, threads) = flatfoot.json(&["threads", &program.arg()]);
    let groups = threads["groups"].as_array().expect("groups");
    let pools: Vec<_> = groups.iter().filter(|g| g["pattern"] == "pool-*-thread-1").collect();
    assert_eq!(pools.len(), 1, "{groups:#?}");
    assert_eq!(pools[0]["count"], 2000);
    assert_eq!(program.tasks_named("pool-"), 2000);
    let (_, map) = flatfoot.json(&["map", &program.arg(), "--detail", "touched"]);
    assert_classes_sum_to_the_process(&map, program.pid());
    let tasks = program.tasks() as u64;
    assert!(
        of_class(&map, "thread stack", "maps").abs_diff(tasks) <= 2,
        "a stack for each of {tasks} threads"
    );
    report("diagnose of a JVM of 2,000 threads", &flatfoot, &["diagnose", &program.arg(), "--no-save"]);
    report("threads of a JVM of 2,000 threads", &flatfoot, &["threads", &program.arg()]);
}
