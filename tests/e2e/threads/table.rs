//! `flatfoot threads`: patterns, shapes and counts, as table and as JSON.

use serde_json::Value;

use super::findings::has_periods;
use crate::support::{Flatfoot, Leaker, need, shell, wait_until};

#[track_caller]
fn threads(leaker: &Leaker) -> Value {
    let (status, said) = Flatfoot::new().json(&["threads", &leaker.arg(), "--all"]);
    assert_eq!(status, 0, "{said:#}");
    assert_eq!(said["schema"], "flatfoot.threads/1");
    assert_eq!(said["process"]["pid"], leaker.pid());
    let rows: u64 =
        said["groups"].as_array().expect("groups").iter().filter_map(|g| g["count"].as_u64()).sum();
    assert_eq!(said["threads"], rows, "every thread is in one group: {said:#}");
    said
}

#[track_caller]
fn row<'a>(said: &'a Value, pattern: &str) -> &'a Value {
    let groups = said["groups"].as_array().expect("groups");
    groups.iter().find(|g| g["pattern"] == pattern).unwrap_or_else(|| panic!("no {pattern}: {said:#}"))
}

#[test]
fn one_thread_pools() {
    let leaker = Leaker::start("leak", &["threads-detached", "150", "0", "pool-#-thread-1"]);
    wait_until("births", 60.0, || leaker.tasks_named("pool-") >= 20);
    let before = leaker.tasks_named("pool-") as u64;
    let said = threads(&leaker);
    let after = leaker.tasks_named("pool-") as u64;
    let pools = row(&said, "pool-*-thread-1");
    assert!(
        (before..=after).contains(&pools["count"].as_u64().expect("a count")),
        "{before}, {after}: {pools:#}"
    );
    assert_eq!(pools["pool_shape"], "one_thread_pools");
    assert_eq!(pools["births"], "regular");
    has_periods(pools, &[0.15]);
    assert!((pools["births_per_s"].as_f64().expect("a rate") * 0.15 - 1.0).abs() < 0.05, "{pools:#}");
    assert_eq!(pools["stack_bytes_each"], 8 << 20, "glibc's default, its guard apart");
    assert_eq!(row(&said, "leak")["count"], 1, "the main thread");
}

#[test]
fn one_pool_is_not_taken_for_many() {
    let one = Leaker::start("healthy", &["fixed-pool", "40", "500", "pool-1-thread-#"]);
    let said = threads(&one);
    let pool = row(&said, "pool-1-thread-*");
    assert_eq!((&pool["count"], &pool["pool_shape"]), (&40.into(), &"one_pool".into()), "{pool:#}");
    assert!(pool["births_per_s"].is_null(), "it grew at the start: {pool:#}");

    let breathes = Leaker::start("healthy", &["elastic", "40"]);
    wait_until("workers", 30.0, || breathes.tasks() >= 15);
    let said = threads(&breathes);
    let of_many =
        said["groups"].as_array().expect("groups").iter().any(|g| g["pool_shape"] == "one_thread_pools");
    assert!(!of_many, "an elastic pool: {said:#}");
}

/// Twelve hundred numbers: from pool-10 on the kernel cuts the end off each name.
#[test]
fn names_that_the_kernel_cut() {
    let leaker = Leaker::start("leak", &["threads-detached", "1", "1200", "pool-#-thread-1"]);
    leaker.wait_for_tasks(1201, 60.0);
    let said = threads(&leaker);
    let pools = row(&said, "pool-*-thread-1");
    assert_eq!(pools["count"], 1200, "{:#}", said["groups"]);
    assert_eq!(pools["pool_shape"], "one_thread_pools");
    let inferred = pools["inferred"].as_str().expect("how the pattern was completed");
    assert!(inferred.contains("1191 names"), "{inferred}: pool-10-thread-1 is longer than 15 bytes");
}

#[test]
fn as_people_read_it() {
    let leaker = Leaker::start("leak", &["threads-detached", "100", "12", "pool-#-thread-1"]);
    leaker.wait_for_tasks(13, 30.0);
    let run = Flatfoot::new().run(&["threads", &leaker.arg()]);
    assert_eq!(run.status, 0, "{run:#?}");
    let lines = run.lines();
    assert!(lines[0].starts_with("PATTERN"), "{lines:#?}");
    let words: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(&words[..2], ["pool-*-thread-1", "12"], "{lines:#?}");
    assert!(lines[1].ends_with("one-thread pools"), "{lines:#?}");
    assert!(run.stdout.contains("(1 more with one thread each: --all)"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "no colours in a pipe");

    let list = Flatfoot::new().run(&["threads", &leaker.arg(), "--list"]);
    let listed = list.lines().len() - 1;
    assert_eq!(listed, 13, "a line for each thread: {}", list.stdout);
    let by_ps = shell::number(&format!("ps -L -o tid= -p {} | wc -l", leaker.pid()));
    assert_eq!(by_ps, 13.0);
}

#[test]
fn pools_of_a_jvm_by_their_names() {
    need!("java");
    let leaker = Leaker::start("run-java.sh", &["many-pools", "300"]);
    wait_until("pools", 60.0, || leaker.tasks_named("pool-") == 300);
    let said = threads(&leaker);
    let pools = row(&said, "pool-*-thread-1");
    assert_eq!(
        (&pools["count"], &pools["pool_shape"]),
        (&300.into(), &"one_thread_pools".into()),
        "{pools:#}"
    );
    assert_eq!(pools["stack_bytes_each"], 2_032 << 10, "-Xss2048k less its guard");
}
