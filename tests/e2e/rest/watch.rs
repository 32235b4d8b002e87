//! `flatfoot watch`: what happens to one process, as it happens.

use serde_json::Value;

use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, Run, wait_until};

#[track_caller]
fn objects(run: &Run) -> Vec<Value> {
    run.lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

fn of<'a>(objects: &'a [Value], event: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["event"] == event).collect()
}

#[test]
fn births_are_summed_up_and_the_leak_is_named() {
    let leaker = Leaker::start("leak", &["threads-unjoined", "50", "60", "pool-#-thread-1"]);
    let flatfoot = Flatfoot::new();
    let before = leaker.tasks();
    let run = flatfoot.run(&["watch", &leaker.arg(), "--interval", "200ms", "--for", "6s", "--json"]);
    assert_eq!(run.status, 1, "{run:#?}");
    let objects = objects(&run);
    let findings = of(&objects, "finding");
    assert_eq!(findings[0]["finding"]["subject"], "pool-*-thread-1");
    let told: u64 = of(&objects, "threads").iter().map(|one| one["born"].as_u64().unwrap()).sum();
    let end = objects.last().unwrap();
    assert_eq!((&end["event"], end["born"].as_u64()), (&"stopped".into(), Some(told)));
    // From the first tick on; some came between counting and that.
    assert!(told <= (61 - before) as u64 && told >= 20, "{told} of {}", 61 - before);
    assert!(of(&objects, "threads").len() <= 3, "no line for each thread");
}

#[test]
fn its_end_ends_the_watch() {
    let program = Leaker::start("shape", &["exits", "1500", "10"]);
    let flatfoot = Flatfoot::new();
    let run = flatfoot.run(&["watch", &program.arg(), "--interval", "100ms"]);
    assert_eq!(run.status, 4, "{run:#?}");
    assert!(run.stderr.contains("has ended") && run.stderr.contains("NOT JUDGED"), "{run:#?}");
    assert_eq!(run.stdout, "", "nothing happened but its end");
    let again = flatfoot.run(&["watch", &program.arg()]);
    assert_eq!(again.status, 4, "{again:#?}");
    assert!(again.stderr.contains("hint:"), "{again:#?}");
}

#[test]
fn a_healthy_program_ends_with_0_also_by_ctrl_c() {
    let mut program = Leaker::start("healthy", &["renew", "500", "100"]);
    program.line("steady", 30.0);
    let flatfoot = Flatfoot::new();
    let mut child = flatfoot.command(&["watch", &program.arg(), "--interval", "200ms"]).spawn().unwrap();
    let began = crate::support::now();
    // Threads that take each other's place are looked for each ten seconds.
    wait_until("some seconds of it", 30.0, || crate::support::now() - began > 12.0);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let run = collect(&mut child);
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(run.stdout.contains(" born, "), "{run:#?}");
    assert!(run.stderr.contains("was watched, for"), "{run:#?}");
}

#[test]
fn whom_it_cannot_watch_it_says() {
    let flatfoot = Flatfoot::new();
    assert_eq!(flatfoot.run(&["watch"]).status, 2);
    let unknown = flatfoot.run(&["watch", "no-such-program"]);
    assert_eq!(unknown.status, 4, "{unknown:#?}");
    let own = Leaker::start("healthy", &["fixed-pool", "1"]);
    let saved = flatfoot.run(&["save", &own.arg(), "-o", "/dev/shm/flatfoot-watch-test.flatfoot"]);
    assert_eq!(saved.status, 0, "{saved:#?}");
    let case = flatfoot.run(&["watch", "/dev/shm/flatfoot-watch-test.flatfoot"]);
    std::fs::remove_file("/dev/shm/flatfoot-watch-test.flatfoot").unwrap();
    assert_eq!(case.status, 2, "{case:#?}");
    assert!(case.stderr.contains("case file"), "{case:#?}");
}
