//! `flatfoot demo`: finds its own child's leak, and leaves nothing behind however it ends.

use std::path::Path;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, wait_for, wait_until};

/// The pid of the only child.
fn child_of(pid: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Gone, or a zombie that only init has still to reap.
fn ended(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    !stat.contains("flatfoot-demo") || stat.contains(") Z ")
}

#[test]
fn finds_the_leak_of_its_child_and_stops_it() {
    let flatfoot = Flatfoot::new();
    let run = flatfoot.run(&["demo"]);
    assert_eq!(run.status, 0, "{run:#?}");
    let head = run.lines()[0];
    assert!(head.starts_with("THREAD LEAK  flatfoot-demo["), "{head}");
    assert!(head.contains("10 × pool-*-thread-1, one every 0.5"), "{head}");
    let check = run.lines().into_iter().find(|l| l.starts_with("CHECK")).expect("a check");
    assert!(check.contains("→ 11 (10 + main)  ✓"), "{check}");
    assert!(run.stdout.contains("they reserve 80.0 MiB and touch "), "{}", run.stdout);
    assert!(run.stderr.contains("leaks a thread each 0.5 s"), "{}", run.stderr);
    let pid = head.split(['[', ']']).nth(1).expect("a pid");
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "its child is still there");
    assert!(!flatfoot.cases().exists(), "a demonstration is no case");
}

#[test]
fn says_it_in_json() {
    let (status, said) = Flatfoot::new().json(&["demo", "--period-ms", "100"]);
    assert_eq!(status, 0);
    assert_eq!(said["schema"], "flatfoot.diagnosis/1");
    let found = &said["findings"][0];
    assert_eq!((&found["kind"], &found["subject"]), (&"thread-leak".into(), &"pool-*-thread-1".into()));
    super::findings::has_periods(found, &[0.1]);
}

/// Starts a demonstration that takes its time, and waits until its child leaks.
fn started(flatfoot: &Flatfoot) -> (Child, u32) {
    let demo = flatfoot.command(&["demo", "--period-ms", "2000"]).spawn().expect("flatfoot starts");
    let child = wait_for("the child", 20.0, || child_of(demo.id()));
    wait_until("the child's first thread", 20.0, || {
        std::fs::read_dir(format!("/proc/{child}/task")).is_ok_and(|tasks| tasks.count() >= 2)
    });
    (demo, child)
}

#[test]
fn an_interrupt_leaves_no_child() {
    let flatfoot = Flatfoot::new();
    for signal in [Signal::INT, Signal::TERM] {
        let (mut demo, child) = started(&flatfoot);
        kill_process(Pid::from_child(&demo), signal).expect("a signal");
        let run = collect(&mut demo);
        assert!(run.status >= 0, "{signal:?} was not handled: {run:#?}");
        wait_until("the child ended", 5.0, || ended(child));
        assert!(!run.stderr.contains("panicked"), "{run:#?}");
    }
}

#[test]
fn even_a_killed_one_leaves_no_child() {
    let (mut demo, child) = started(&Flatfoot::new());
    demo.kill().expect("SIGKILL");
    assert_eq!(collect(&mut demo).status, -9);
    wait_until("the child ended by itself", 10.0, || ended(child));
}
