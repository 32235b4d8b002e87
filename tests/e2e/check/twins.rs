//! Healthy servers that look like leaking ones for a while.

use serde_json::json;

use crate::served::{REQUESTS, Served};

#[track_caller]
fn passes(served: &Served, options: &[&str], mode: &[&str]) {
    let (code, said) = served.json(options, mode);
    assert_eq!(code, 0, "{said:#}");
    assert_eq!((&said["verdict"], &said["findings"]), (&json!("pass"), &json!([])), "{said:#}");
    assert_eq!(said["rounds_done"], said["rounds_asked"], "{said:#}");
    assert_eq!(said["rules_not_judged"], json!([]), "all of it was judged: {said:#}");
}

#[test]
fn nothing_leaks() {
    let served = Served::new();
    passes(&served, &[], &["none"]);
    let run = served.check(&["--linger", "0s"], &["none"]);
    assert!(run.stdout.contains("PASS no leak of threads, descriptors, children and memory\n"), "{run:#?}");
}

#[test]
fn a_pool_that_fills_while_it_warms_up_or_in_the_first_rounds() {
    passes(&Served::new(), &[], &["pool", "8"]);
    passes(&Served::new(), &["--warmup", "0"], &["pool", "30"]);
}

#[test]
fn a_pool_that_shrinks_within_the_linger() {
    let served = Served::new();
    // Each round leaves twelve threads for three seconds: looked at too early, they would be twelve more each time.
    passes(&served, &["--linger", "10s"], &["elastic", "3000"]);
}

#[test]
fn a_cache_that_fills_in_the_first_rounds() {
    passes(&Served::new(), &["--warmup", "0"], &["cache", "65536", "30"]);
}

#[test]
fn parallel_work() {
    let served = Served::new();
    let work = served.asking(REQUESTS * 10, 8);
    passes(&served, &["--work", &work], &["none"]);
}
