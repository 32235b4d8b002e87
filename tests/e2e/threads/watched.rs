//! `--for`: what holds while the observation doubles is confirmed; what renews itself stays silent.

use super::findings::{findings, names, of_pid};
use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker};

#[test]
fn twelve_seconds_confirm_a_leak_and_clear_its_twins() {
    let leaker = Leaker::start("leak", &["threads-unjoined", "500", "0", "pool-#-thread-1"]);
    let mut renewed = Leaker::start("healthy", &["renew", "4000", "200"]);
    let mut nameless = Leaker::start("healthy", &["renew", "4000", "200", "job"]);
    let breathes = Leaker::start("healthy", &["elastic", "40"]);
    renewed.line("steady", 60.0);
    nameless.line("steady", 60.0);
    leaker.wait_for_tasks(9, 60.0);

    let flatfoot = Flatfoot::new();
    let watch = |leaker: &Leaker| {
        let args = ["diagnose", &leaker.arg(), "--for", "12s", "--json"];
        flatfoot.command(&args).spawn().expect("flatfoot starts")
    };
    let mut runs: Vec<_> = [&leaker, &renewed, &nameless, &breathes].into_iter().map(watch).collect();
    let mut runs = runs.iter_mut().map(collect);

    let leak = runs.next().expect("the leaker's run");
    assert_eq!(leak.status, 1, "{leak:#?}");
    let said = leak.json();
    let found = of_pid(&said, leaker.pid());
    assert_eq!(found.len(), 1, "{said:#}");
    assert_eq!(found[0]["confidence"], "confirmed", "{said:#}");
    assert!(found[0]["confidence_why"].is_null(), "{said:#}");
    let ended_none = |e: &serde_json::Value| e["claim"].as_str().is_some_and(|c| c.contains("and 0 ended"));
    assert!(found[0]["evidence"].as_array().expect("evidence").iter().any(ended_none), "{said:#}");
    let watched_s = said["looked_at"]["watched_s"].as_f64().expect("seconds");
    assert!((10.0..30.0).contains(&watched_s), "{watched_s}");
    assert!(said["looked_at"]["looks"].as_u64() > Some(4), "{said:#}");

    for run in runs {
        let said = run.json();
        assert_eq!((run.status, findings(&said).len()), (0, 0), "{:?} {said:#}", names(&said));
    }
}
