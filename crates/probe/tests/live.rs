//! Readings of real processes: this one, children that end, dead ones, ones with hostile names, and ones that belong
//! to somebody else.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use model::{Need, Pid, ProcessReading, Reading, StackHint};
use probe::{Clock, DescriptorDepth, Parts, Prober, ProcRoot, SpaceDepth, ThreadDepth};

fn prober() -> Prober {
    Prober::new(ProcRoot::open("/proc").unwrap())
}

fn read(pid: u32, parts: &Parts) -> Option<ProcessReading> {
    prober().process(Pid(pid), parts)
}

/// A child that is killed and waited for when the test is over.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sleeper() -> Guard {
    Guard(Command::new("sleep").arg("1000").spawn().unwrap())
}

/// Waits until a condition holds, for ten seconds at most.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Clock::monotonic();
    while !holds() {
        assert!(Clock::monotonic() - began < 10.0, "{what}");
        Clock::sleep(0.002);
    }
}

#[test]
fn this_process_with_everything() {
    let (stop, stopped) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("probe-me) R 1".into());
    let thread = thread.spawn(move || stopped.recv()).unwrap();
    // The name is set by the thread itself, once it runs.
    let named = |reading: &ProcessReading| {
        reading
            .threads
            .value()
            .and_then(|all| all.iter().find(|one| one.name.as_str() == "probe-me) R 1"))
            .cloned()
    };
    let mut found = None;
    until("the thread has its name", || {
        found = read(std::process::id(), &Parts::everything());
        found.as_ref().is_some_and(|reading| named(reading).is_some())
    });
    let reading = found.unwrap();
    let thread_reading = named(&reading).unwrap();
    let born = thread_reading.start.seconds(rustix::param::clock_ticks_per_second());
    assert!((Clock::boot() - born).abs() < 60.0, "born {born}, now {}", Clock::boot());
    if cfg!(target_env = "gnu") {
        assert!(matches!(thread_reading.stack, Some(StackHint::RobustList(_))), "{:?}", thread_reading.stack);
    }
    stop.send(()).unwrap();
    thread.join().unwrap().unwrap();
    assert_eq!(reading.key.pid, Pid(std::process::id()));
    let exe = reading.exe.value().unwrap().as_str();
    assert_eq!(exe, std::env::current_exe().unwrap().to_str().unwrap());
    let own: Vec<_> = std::env::args().collect();
    let cmdline: Vec<_> =
        reading.cmdline.value().unwrap().iter().map(|text| text.as_str().to_owned()).collect();
    assert_eq!(cmdline, own);
    let (statm, status) = (reading.statm.value().unwrap(), reading.status.value().unwrap());
    // Another thread's first allocation may come between the two, which takes 128 MiB of address space at once.
    assert!(statm.size.0 > 0 && statm.size.0.abs_diff(reading.stat.virtual_size.0) < 256 << 20);
    assert_eq!(status.uid, rustix::process::geteuid().as_raw());
    assert_eq!(status.ns_pids.last(), Some(&std::process::id()));
    assert!(status.rss_anon.is_some() && status.resident_peak.is_some());
    let rlimits = reading.rlimits.value().unwrap();
    assert!(rlimits.open_files.is_some());
    let root = rustix::process::getuid().is_root();
    assert_eq!(rlimits.user_tasks.is_some(), rlimits.processes.is_some() && !root, "root has no such limit");
    assert!(rlimits.user_tasks.is_none_or(|tasks| tasks >= 2));
    let descriptors = reading.descriptors.value().unwrap();
    assert_eq!(descriptors.total, descriptors.kinds.iter().map(|kind| kind.count).sum::<u64>());
    assert!(!reading.cgroups.value().unwrap().path.is_empty());
    assert!(!reading.space.value().unwrap().mappings.is_empty());
    assert!(reading.rollup.value().unwrap().rss.0 > 0);
}

#[test]
fn this_host() {
    let host = prober().host(false);
    assert!(host.memory.value().unwrap().total.0 > 1 << 20);
    assert!((host.unix_from_boot(host.uptime_s) - Clock::wall()).abs() < 1.0);
    assert!(host.boot.0 != 0 && host.cpus >= 1 && host.ticks_per_second > 0);
    assert!(*host.tasks.value().unwrap() >= 1 && host.max_map_count.value().is_some());
    assert!(!host.kernel.is_empty());
}

#[test]
fn every_process_can_be_read_or_says_why_not() {
    let mut prober = prober();
    let own = Pid(std::process::id());
    let pids = prober.pids().unwrap();
    assert!(pids.contains(&own) && pids.is_sorted());
    for pid in pids {
        match prober.read(pid, &Parts { space: SpaceDepth::No, rollup: false, ..Parts::everything() }) {
            Reading::Value(reading) => {
                let malformed =
                    [reading.status.absence(), reading.cgroups.absence(), reading.threads.absence()];
                let wrong = malformed.iter().flatten().find(|why| why.starts_with("unreadable"));
                assert_eq!(wrong, None, "{pid}");
            }
            Reading::Gone | Reading::Denied(_) => {}
            other => panic!("{pid}: {:?}", other.absence()),
        }
    }
}

#[test]
fn a_child_that_ended_and_one_that_nobody_waited_for() {
    let parts = Parts { space: SpaceDepth::Maps, rollup: true, ..Parts::everything() };
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id();
    until("the child is dead", || read(pid, &Parts::default()).is_some_and(|r| r.stat.state == 'Z'));
    let reading = read(pid, &parts).unwrap();
    assert_eq!((reading.exe, reading.space), (Reading::Unsupported, Reading::Unsupported));
    assert_eq!((reading.rollup, reading.cmdline), (Reading::Unsupported, Reading::Value(Vec::new())));
    assert_eq!(reading.status.value().unwrap().rss_anon, None);
    let own = read(std::process::id(), &Parts { children: true, ..Parts::default() }).unwrap();
    let children = own.children.into_value().unwrap();
    let zombie = children.iter().find(|one| one.pid.0 == pid).unwrap();
    assert_eq!((zombie.state, zombie.start), ('Z', reading.stat.start));
    child.wait().unwrap();
    assert_eq!(prober().read(Pid(pid), &parts), Reading::Gone);
    let own = read(std::process::id(), &Parts { children: true, ..Parts::default() }).unwrap();
    assert!(!own.children.into_value().unwrap().iter().any(|one| one.pid.0 == pid));
}

#[test]
fn children_look_the_same_either_way() {
    let children: Vec<_> = (0..5).map(|_| sleeper()).collect();
    let expected: Vec<_> = children.iter().map(|child| Pid(child.0.id())).collect();
    let parts = Parts { children: true, ..Parts::default() };
    let mut prober = prober();
    // Asked often enough, the pass over all processes answers.
    for _ in 0..40 {
        let own = prober.process(Pid(std::process::id()), &parts).unwrap().children.into_value().unwrap();
        let found: Vec<_> = own.iter().map(|child| child.pid).filter(|pid| expected.contains(pid)).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_program_whose_name_lies() {
    let dir = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"a) R 1\n\x1b[2\xff");
    let program = dir.path().join(name);
    std::fs::copy("/bin/sleep", &program).unwrap();
    let child = Guard(Command::new(&program).arg("1000").spawn().unwrap());
    let mut reading = None;
    until("the program runs", || {
        reading = read(child.0.id(), &Parts::threads());
        // The kernel sets the new name some time before the new arguments.
        reading.as_ref().is_some_and(|reading| {
            let has_arguments = reading.cmdline.value().is_some_and(|all| !all.is_empty());
            has_arguments && reading.stat.name.as_str().starts_with("a)")
        })
    });
    let reading = reading.unwrap();
    assert_eq!(reading.stat.name.as_str(), "a) R 1\n\u{1b}[2\\xff");
    assert_eq!(reading.stat.parent, Pid(std::process::id()));
    assert_eq!(reading.stat.threads, 1);
    assert_eq!(reading.status.value().unwrap().threads, 1);
    assert_eq!(reading.threads.value().unwrap()[0].name, reading.stat.name);
    assert!(reading.cmdline.value().unwrap()[0].as_str().ends_with("a) R 1\n\u{1b}[2\\xff"));
}

#[test]
fn descriptors_are_counted_the_same_with_and_without_kinds() {
    // A child's, because the descriptors of this process change from test to test.
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec 5</dev/null 6</; echo; exec sleep 1000"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = Guard(command.spawn().unwrap());
    let mut line = [0; 1];
    child.0.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    let pid = child.0.id();
    until("sleep runs", || read(pid, &Parts::default()).is_some_and(|r| r.stat.name.as_str() == "sleep"));
    let count = |depth| {
        let parts = Parts { descriptors: depth, ..Parts::default() };
        read(pid, &parts).unwrap().descriptors.into_value().unwrap()
    };
    let (total, kinds) = (count(DescriptorDepth::Total), count(DescriptorDepth::Kinds));
    assert_eq!(total.total, kinds.total);
    assert_eq!(total.kinds, []);
    let of =
        |name: &str| kinds.kinds.iter().find(|kind| kind.kind.as_str() == name).map_or(0, |kind| kind.count);
    assert!(of("pipe") >= 1 && of("device") >= 2, "{kinds:?}");
}

#[test]
fn a_process_of_somebody_else_says_which_right_is_missing() {
    let child = sleeper();
    let is_root = rustix::process::geteuid().is_root();
    // Root becomes nobody in one thread; anybody else looks at init.
    let pid = if is_root { child.0.id() } else { 1 };
    let reading = std::thread::spawn(move || {
        if is_root {
            let nobody = rustix::process::Uid::from_raw(65_534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        read(pid, &Parts::everything()).unwrap()
    })
    .join()
    .unwrap();
    let denied = Need::PtraceAccess;
    assert_eq!(reading.exe, Reading::Denied(denied));
    assert_eq!(reading.space, Reading::Denied(denied));
    assert_eq!(reading.rollup, Reading::Denied(denied));
    assert!(reading.statm.value().is_some() && reading.status.value().is_some());
    assert!(reading.rlimits.value().is_some() && reading.cmdline.value().is_some());
    let threads = reading.threads.value().unwrap();
    assert!(!threads.is_empty() && threads.iter().all(|thread| thread.stack.is_none()));
    match reading.descriptors {
        // Linux 6.2 gives the number to everybody.
        Reading::Value(descriptors) => assert!(descriptors.total > 0 && descriptors.kinds.is_empty()),
        other => assert_eq!(other, Reading::Denied(denied)),
    }
}

#[test]
fn processes_that_come_and_go_never_break_a_look() {
    let (stop, stopped) = mpsc::channel::<()>();
    let churn = std::thread::spawn(move || {
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            Command::new("sh").args(["-c", "true | true"]).status().unwrap();
        }
    });
    let mut prober = prober();
    let parts = Parts { threads: ThreadDepth::WithStacks, children: true, ..Parts::threads() };
    let began = Clock::monotonic();
    while Clock::monotonic() - began < 0.5 {
        for pid in prober.pids().unwrap() {
            let Some(reading) = prober.process(pid, &parts) else { continue };
            assert_eq!(reading.key.pid, pid);
            if let Reading::Malformed(why) = &reading.statm {
                panic!("{pid}: {why}");
            }
            if let Reading::Value(statm) = &reading.statm {
                assert!(statm.size.0 > 0 || reading.stat.virtual_size.0 == 0, "{pid}");
            }
        }
    }
    stop.send(()).unwrap();
    churn.join().unwrap();
}
