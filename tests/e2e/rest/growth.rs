//! What grows over `--for`, each kind named. The leakers are stopped shortly before the last look, so that the
//! commands of the evidence print the very numbers claimed, and not what has grown since.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::facts::wall;
use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, now, shell, wait_until};

/// How long is watched, and how long before the end the leakers are stopped: long enough for a last look, short
/// enough that the growth still counts as going on.
const WATCH_S: f64 = 14.0;
const STOP_S: f64 = 1.3;

/// The findings of leakers that were watched together, with the time at which they were stopped.
struct Watched {
    code: i32,
    document: Value,
    stopped_at: f64,
}

#[track_caller]
fn watch(leakers: &[&Leaker]) -> Watched {
    let flatfoot = Flatfoot::new();
    let pids: Vec<String> = leakers.iter().map(|l| l.arg()).collect();
    let watch = format!("{WATCH_S}s");
    let mut args = vec!["diagnose", "--json", "--for", &watch];
    args.extend(pids.iter().map(String::as_str));
    let mut child = flatfoot.command(&args).spawn().expect("flatfoot starts");
    // The case file is begun just before the first look.
    wait_until("flatfoot begins to look", 60.0, || !is_empty(&flatfoot.cases()));
    let stop_at = now() + WATCH_S - STOP_S;
    while now() < stop_at {
        std::thread::sleep(Duration::from_secs_f64((stop_at - now()).max(0.001)));
    }
    for leaker in leakers {
        leaker.freeze();
    }
    let stopped_at = wall();
    let run = collect(&mut child);
    Watched { code: run.status, document: run.json(), stopped_at }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

impl Watched {
    /// The one finding about a process: its kind, that it is only possible, its rate, and its evidence.
    #[track_caller]
    fn finding(&self, leaker: &Leaker, kind: &str, rate: f64) -> &Value {
        assert_eq!(self.code, 3, "only possible: {:#}", self.document);
        let all = self.document["findings"].as_array().expect("findings");
        let own: Vec<&Value> = all.iter().filter(|f| f["process"]["pid"] == leaker.pid()).collect();
        assert_eq!(own.len(), 1, "{}: {own:#?}", leaker.ready);
        let finding = own[0];
        assert_eq!(finding["kind"], kind, "{}", leaker.ready);
        assert_eq!(finding["confidence"], "possible", "{}", leaker.ready);
        assert!(finding["confidence_why"].as_str().is_some_and(|why| !why.is_empty()));
        let told = finding["rate_per_s"].as_f64().expect("a rate");
        assert!((told / rate - 1.0).abs() < 0.1, "{}: {told}/s instead of {rate}/s", leaker.ready);
        let interval = &finding["rate_interval"];
        let (low, high) =
            (interval[0].as_f64().unwrap_or(f64::NAN), interval[1].as_f64().unwrap_or(f64::NAN));
        assert!(0.0 < low && low <= told && told <= high, "{}: {told} in {interval}", leaker.ready);
        finding
    }

    /// Runs the commands of its evidence; gives how many gave exactly the number claimed.
    #[track_caller]
    fn check(&self, finding: &Value) -> usize {
        let last_look = finding["seen"][1].as_f64().expect("the end of the observation");
        if last_look > self.stopped_at {
            return shell::check_evidence(finding, 0.0);
        }
        // A machine so busy that no look fell into the last second: what grew since is bounded by the rate.
        let grown =
            finding["rate_interval"][1].as_f64().expect("a rate") * (self.stopped_at - last_look + 1.0);
        let mut compared = 0;
        for item in finding["evidence"].as_array().expect("evidence") {
            if let (Some(command), Some(claimed)) = (item["reproduce"].as_str(), item["value"].as_f64()) {
                let printed = shell::number(command);
                assert!(
                    claimed <= printed && printed <= claimed + grown,
                    "{command}: {claimed}, prints {printed}"
                );
                compared += 1;
            }
        }
        compared
    }
}

#[test]
fn descriptors_of_each_kind_are_a_descriptor_leak() {
    let kinds = [
        ("files", "file", 1.0),
        ("sockets", "socket", 1.0),
        ("pipes", "pipe", 2.0),
        ("eventfds", "eventfd", 1.0),
        ("epolls", "epoll", 1.0),
        ("memfds", "memfd", 1.0),
    ];
    let leakers: Vec<Leaker> =
        kinds.iter().map(|(kind, ..)| Leaker::start("leak", &["fds", "100", kind])).collect();
    let watched = watch(&leakers.iter().collect::<Vec<_>>());
    for (leaker, (_, subject, each)) in leakers.iter().zip(kinds) {
        let finding = watched.finding(leaker, "descriptor-leak", each * 10.0);
        assert_eq!(finding["subject"], subject);
        assert!(watched.check(finding) >= 1, "{finding:#}");
        let limit = finding["limits"].as_array().and_then(|l| l.first()).expect("a limit");
        assert_eq!(limit["name"], "RLIMIT_NOFILE", "the one it runs into: {finding:#}");
        let (value, current) =
            (limit["value"].as_f64().unwrap_or(0.0), limit["current"].as_f64().unwrap_or(0.0));
        let eta = limit["eta_s"].as_f64().expect("an ETA");
        let right = (value - current) / (each * 10.0);
        assert!((eta / right - 1.0).abs() < 0.15, "{eta} instead of {right}");
    }
}

#[test]
fn children_that_live_on_or_are_not_waited_for_are_a_child_process_leak() {
    let living = Leaker::start("leak", &["children", "150"]);
    let zombies = Leaker::start("leak", &["children", "150", "0", "zombies"]);
    let watched = watch(&[&living, &zombies]);
    let finding = watched.finding(&living, "child-process-leak", 1.0 / 0.15);
    assert_eq!(finding["subject"], "children that live on");
    assert!(watched.check(finding) >= 1);
    let finding = watched.finding(&zombies, "child-process-leak", 1.0 / 0.15);
    assert_eq!(finding["subject"], "children that ended and are not waited for");
    assert!(watched.check(finding) >= 2, "their number, and how many are dead");
}

#[test]
fn reserved_and_never_touched_is_a_reservation_leak() {
    let merged = Leaker::start("leak", &["mmap-untouched", "100", "8M"]);
    let apart = Leaker::start("leak", &["mmap-untouched", "100", "4M", "0", "apart"]);
    let exited = Leaker::start("leak", &["threads-exited", "100"]);
    let watched = watch(&[&merged, &apart, &exited]);
    let mib = 1024.0 * 1024.0;
    for (leaker, rate) in [(&merged, 80.0 * mib), (&apart, 40.0 * mib), (&exited, 80.0 * mib)] {
        let finding = watched.finding(leaker, "reservation-leak", rate);
        assert!(watched.check(finding) >= 1, "{finding:#}");
        let (reserved, touched) = (finding["reserved_bytes"].as_u64(), finding["touched_bytes"].as_u64());
        assert!(touched < reserved.map(|b| b / 20), "hardly touched: {finding:#}");
    }
    let stacks = |leaker: &Leaker| {
        let finding = watched.finding(
            leaker,
            "reservation-leak",
            if leaker.pid() == apart.pid() { 40.0 } else { 80.0 } * mib,
        );
        finding["evidence"].to_string().contains("with a guard below each, as stacks of threads")
    };
    assert!(stacks(&exited), "threads that ended and were never joined leave their stacks");
    assert!(!stacks(&merged));
    // Two mappings for each: the number of mappings runs out first.
    for leaker in [&apart, &exited] {
        let finding = watched.finding(
            leaker,
            "reservation-leak",
            if leaker.pid() == apart.pid() { 40.0 } else { 80.0 } * mib,
        );
        let limit = &finding["limits"][0];
        assert_eq!(limit["name"], "max_map_count", "{finding:#}");
        let left = limit["value"].as_f64().unwrap_or(0.0) - limit["current"].as_f64().unwrap_or(0.0);
        let eta = limit["eta_s"].as_f64().expect("an ETA");
        assert!((eta / (left / 20.0) - 1.0).abs() < 0.15, "{eta} s for {left} mappings, 20 a second");
    }
}

#[test]
fn memory_that_nobody_keeps_is_heap_or_memory_growth() {
    let small = Leaker::start("leak", &["malloc-leak", "50", "64K"]);
    let large = Leaker::start("leak", &["malloc-leak", "100", "512K"]);
    // Freed, yet kept by the allocator: reading alone cannot tell it from a leak, and must not claim more.
    let retained = Leaker::start("leak", &["malloc-retention", "50", "128K"]);
    let watched = watch(&[&small, &large, &retained]);
    let mib = 1024.0 * 1024.0;
    let finding = watched.finding(&small, "native-heap-leak", 1.25 * mib);
    assert_eq!(finding["subject"], "main heap");
    assert!(watched.check(finding) >= 1);
    // A block of 128K or more is a mapping of its own, 4 KiB larger.
    watched.finding(&large, "memory-growth", 10.0 * (0.5 * mib + 4096.0));
    let all = watched.document["findings"].as_array().expect("findings");
    let own: Vec<&Value> = all.iter().filter(|f| f["process"]["pid"] == retained.pid()).collect();
    assert!(own.iter().all(|f| f["confidence"] == "possible"), "{own:#?}");
}
