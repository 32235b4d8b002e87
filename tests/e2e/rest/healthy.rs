//! Healthy programs that look like leakers for a while: nothing is said of them, and the command ends with 0.

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, need, wait_until};

#[track_caller]
fn assert_silent(flatfoot: &Flatfoot, targets: &[&Leaker], for_s: &str) -> Value {
    let pids: Vec<String> = targets.iter().map(|t| t.arg()).collect();
    let mut args = vec!["diagnose", "--for", for_s];
    args.extend(pids.iter().map(String::as_str));
    let (code, document) = flatfoot.json(&args);
    let names: Vec<&str> = targets.iter().map(|t| t.ready.as_str()).collect();
    assert_eq!(document["findings"], serde_json::json!([]), "{names:#?}");
    assert_eq!(code, 0, "{names:#?}");
    document
}

#[test]
fn a_cache_a_server_and_pools_that_breathe_are_no_leaks() {
    let mut cache = Leaker::start("healthy", &["cache", "5", "64K", "16M"]);
    let server = Leaker::start("healthy", &["server", "50"]);
    let respawn = Leaker::start("healthy", &["respawn", "700", "100"]);
    let elastic = Leaker::start("healthy", &["elastic", "12"]);
    let mut renew = Leaker::start("healthy", &["renew", "2000", "100"]);
    cache.line("full", 60.0);
    renew.line("steady", 60.0);
    wait_until("the first children were replaced", 30.0, || children(&respawn) >= 5);
    let flatfoot = Flatfoot::new();
    let document = assert_silent(&flatfoot, &[&cache, &server, &respawn, &elastic, &renew], "12s");
    let watched = document["looked_at"]["watched_s"].as_f64().expect("how long");
    assert!(watched > 10.0 && document["looked_at"]["looks"].as_u64() > Some(10), "{document:#}");
    // Nothing was found, so nothing was kept.
    assert!(document["saved"].is_null());
    assert_eq!(
        std::fs::read_dir(flatfoot.cases()).map_or(0, Iterator::count),
        0,
        "no remains of a case file"
    );
}

#[test]
fn a_cache_that_fills_while_it_is_watched_is_no_leak() {
    // Full after a third of the time: what settles is no growth.
    let cache = Leaker::start("healthy", &["cache", "20", "64K", "12M"]);
    assert_silent(&Flatfoot::new(), &[&cache], "12s");
}

#[test]
fn a_jvm_that_warms_up_is_no_leak() {
    need!("java");
    let mut jvm = Leaker::start("run-java.sh", &["warm-up", "5"]);
    let flatfoot = Flatfoot::new();
    assert_silent(&flatfoot, &[&jvm], "15s");
    jvm.line("warm", 60.0);
    assert_silent(&flatfoot, &[&jvm], "8s");
}

fn children(of: &Leaker) -> usize {
    let children =
        std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", of.pid())).unwrap_or_default();
    children.split_ascii_whitespace().count()
}
