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
    assert!(looks >= targets.len() * 2, "only {looks} looks");
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
    ];
    watch_silence(&targets, 15.0);
}

/// Without numbers nothing tells them from a leak until some have ended: three lives after the start most have.
#[test]
fn nameless_births_by_chance() {
    let targets = Leaker::start_all([
        ("healthy", &["poisson", "50", "1000", "conn"]),
        ("healthy", &["poisson", "60", "1500", "conn"]),
    ]);
    let ready = now();
    wait_until("three lives", 30.0, || now() > ready + 4.5);
    watch_silence(&targets, 10.0);
}

/// A pool may make a worker per task until it is full, with the rhythm of its tasks. That is never more than possible.
#[test]
fn a_pool_that_grows_to_its_size_in_its_own_time() {
    let mut pool = Leaker::launch("healthy", &["fixed-pool", "50", "10000"]);
    pool.wait_for_tasks(12, 30.0);
    let flatfoot = Flatfoot::new();
    let mut looks = 0;
    while pool.tasks() < 45 {
        let (status, said) = flatfoot.diagnose(&pool.arg());
        assert!(status == 0 || status == 3, "{said:#}");
        assert!(names(&said).iter().all(|name| name == "thread-leak/possible"), "{said:#}");
        looks += 1;
    }
    assert!(looks > 0);
    pool.wait_until_ready();
    wait_until("its patience is over", 60.0, || flatfoot.diagnose(&pool.arg()).0 == 0);
    watch_silence(&[pool], 3.0);
}

/// From the moment when the first one ended: before, nothing tells them from a leak. Just after it, they are as old as
/// the process, nearly, and have a rhythm; that is the hardest moment.
#[test]
fn workers_that_are_renewed() {
    // Too slow for a second look within seconds; its numbers say it.
    let mut slow = Leaker::start("healthy", &["renew", "28000", "3200"]);
    let mut targets = Leaker::start_all([
        ("healthy", &["renew", "6000", "200"]),
        ("healthy", &["renew", "6000", "200", "job"]),
        ("healthy", &["renew", "5000", "100", "pool-1-thread-#"]),
        ("healthy-musl-static", &["renew", "6500", "250"]),
        ("healthy", &["renew", "10000", "1000", "job"]),
    ]);
    for target in &mut targets {
        first_ended(target);
    }
    watch_silence(&targets, 15.0);
    first_ended(&mut slow);
    watch_silence(&[slow], 5.0);
}

/// Waits until the oldest worker is gone. The line `steady` comes a period before, from a thread named as the process.
#[track_caller]
fn first_ended(target: &mut Leaker) {
    target.line("steady", 60.0);
    let threads = target.threads();
    let own = threads.iter().find(|(tid, _)| *tid == target.pid()).map(|(_, name)| name.clone());
    let workers: Vec<u32> =
        threads.into_iter().filter(|(_, n)| Some(n) != own.as_ref()).map(|t| t.0).collect();
    assert!(!workers.is_empty());
    wait_until("the first worker ended", 30.0, || {
        let alive = target.tids();
        workers.iter().any(|tid| !alive.contains(tid))
    });
}

#[test]
fn pools_of_a_jvm() {
    need!("java");
    let targets = Leaker::start_all([
        ("run-java.sh", &["fixed-pool", "40"]),
        ("run-java.sh", &["elastic", "40"]),
        ("run-java.sh", &["warm-up", "8"]),
        ("run-java.sh", &["renew", "5000", "200"]),
    ]);
    // Their numbers begin at 0: while 1 is alive, none need have ended.
    let renewed = &targets[3];
    wait_until("the first workers came and went", 60.0, || {
        renewed.tasks_named("Thread-") > 0
            && !renewed.has_thread("Thread-0")
            && !renewed.has_thread("Thread-1")
    });
    watch_silence(&targets, 12.0);
}
