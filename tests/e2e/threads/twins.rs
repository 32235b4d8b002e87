//! The healthy twins: programs that look like a leaker for a while, looked at again and again. None may be accused.

use std::collections::BTreeMap;

use super::findings::names;
use crate::support::{Flatfoot, Leaker, need, now, wait_until};

/// Looks at each in turn for so long; no look may find anything, and each must end with exit code 0.
#[track_caller]
pub(crate) fn watch_silence(targets: &[Leaker], seconds: f64) {
    let flatfoot = Flatfoot::new();
    let until = now() + seconds;
    let mut looks = 0;
    let mut alarms: BTreeMap<String, usize> = BTreeMap::new();
    while now() < until {
        let round = now() + 1.0;
        for target in targets {
            let (status, said) = flatfoot.diagnose(&target.arg());
            looks += 1;
            let found = names(&said);
            if status != 0 || !found.is_empty() {
                eprintln!("{}: exit {status}, {}", target.ready, brief(&said));
                *alarms.entry(format!("{}: {found:?}, exit {status}", target.ready)).or_default() += 1;
            }
        }
        wait_until("the next round", 5.0, || now() >= round);
    }
    assert!(looks >= targets.len() * 3, "only {looks} looks");
    assert!(alarms.is_empty(), "false alarms in {looks} looks: {alarms:#?}");
}

/// What a false alarm said, in a line.
fn brief(said: &serde_json::Value) -> String {
    let Some(f) = said["findings"].get(0) else { return said["not_judged"].to_string() };
    format!("{} × {}, {}, {}", f["count"], f["subject"], f["confidence_why"], f["evidence"][1]["claim"])
}

/// Everything that is bounded by its size, by chance, or by what it serves.
#[test]
fn pools_servers_children_and_caches() {
    let targets = [
        Leaker::start("healthy", &["fixed-pool", "40"]),
        Leaker::start("healthy", &["fixed-pool", "64", "500", "pool-1-thread-#"]),
        Leaker::start("healthy", &["fixed-pool", "30", "900", "worker"]),
        Leaker::start("healthy", &["elastic", "40"]),
        Leaker::start("healthy", &["elastic", "24", "worker"]),
        Leaker::start("healthy-musl", &["elastic", "40", "w-#"]),
        Leaker::start("healthy", &["server", "100"]),
        Leaker::start("healthy", &["respawn", "2000", "100"]),
        Leaker::start("healthy", &["cache", "20", "64K", "32M"]),
        Leaker::start("healthy", &["poisson", "100", "2000"]),
        Leaker::start("healthy", &["poisson", "50", "1000", "conn"]),
    ];
    watch_silence(&targets, 15.0);
}

/// From the moment when the first one ended: before, nothing tells them from a leak. Just after it, they are as old as
/// the process, nearly, and have a rhythm; that is the hardest moment.
#[test]
fn workers_that_are_renewed() {
    let mut targets = [
        Leaker::start("healthy", &["renew", "6000", "200"]),
        Leaker::start("healthy", &["renew", "6000", "200", "job"]),
        Leaker::start("healthy", &["renew", "5000", "100", "pool-1-thread-#"]),
        Leaker::start("healthy-musl-static", &["renew", "6500", "250"]),
        Leaker::start("healthy", &["renew", "10000", "1000", "job"]),
    ];
    for target in &mut targets {
        first_ended(target);
    }
    watch_silence(&targets, 15.0);
}

/// Too slow for a second look within seconds; their numbers say it.
#[test]
fn renewed_workers_of_a_slow_rhythm() {
    let mut target = Leaker::start("healthy", &["renew", "30000", "3500"]);
    first_ended(&mut target);
    watch_silence(&[target], 6.0);
}

/// Waits until the oldest worker is gone: the line `steady` comes when it is due to end.
#[track_caller]
fn first_ended(target: &mut Leaker) {
    target.line("steady", 60.0);
    let workers = target.tids();
    wait_until("the first worker ended", 30.0, || {
        let alive = target.tids();
        workers.iter().any(|tid| !alive.contains(tid))
    });
}

#[test]
fn pools_of_a_jvm() {
    need!("java");
    let targets = [
        Leaker::start("run-java.sh", &["fixed-pool", "40"]),
        Leaker::start("run-java.sh", &["elastic", "40"]),
        Leaker::start("run-java.sh", &["warm-up", "8"]),
        Leaker::start("run-java.sh", &["renew", "5000", "200"]),
    ];
    let renewed = &targets[3];
    // All at once there may be workers of five seconds; the first one's end is their steady state.
    let first = renewed.tids();
    wait_until("the first worker", 30.0, || renewed.tids().iter().any(|tid| !first.contains(tid)));
    let oldest = *renewed.tids().iter().find(|tid| !first.contains(tid)).expect("a worker");
    wait_until("the first worker ended", 30.0, || !renewed.tids().contains(&oldest));
    watch_silence(&targets, 12.0);
}
