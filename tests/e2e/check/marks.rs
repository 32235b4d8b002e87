//! Processes that run already.

use std::io::Write as _;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::served::{Served, only};
use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, shell};

/// A server of our own; not flatfoot's to end.
fn running(served: &Served, mode: &[&str]) -> Leaker {
    let socket = served.socket();
    let leaker = Leaker::start("server", &[&[socket.as_str()], mode].concat());
    served.wait_until_it_listens();
    leaker
}

#[test]
fn rounds_against_a_process_that_runs_already() {
    let served = Served::new();
    let server = running(&served, &["thread"]);
    let work = served.asking(12, 1);
    let run = served.flatfoot.run(&[
        "check",
        "--pid",
        &server.arg(),
        "--work",
        &work,
        "--rounds",
        "3",
        "--linger",
        "500ms",
        "--json",
    ]);
    let said = run.json();
    assert_eq!(run.status, 23, "{said:#}");
    assert_eq!(only(&said)["per_round"], json!([12.0, 12.0, 12.0]));
    assert_eq!(server.state(), Some('S'), "it is never ended");
    assert_eq!(server.tasks_named("pool-"), 60);
}

#[test]
fn what_is_more_between_two_marks() {
    for by_signal in [false, true] {
        let served = Served::new();
        let server = running(&served, &["thread"]);
        let mut command = served.flatfoot.command(&["check", "--pid", &server.arg(), "--linger", "500ms"]);
        let mut child =
            command.stdin(if by_signal { Stdio::null() } else { Stdio::piped() }).spawn().expect("flatfoot");
        let mut stderr = child.stderr.take().expect("stderr");
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains("mark taken") {
            let mut byte = [0];
            std::io::Read::read_exact(&mut stderr, &mut byte).expect("a line");
            said.push(byte[0]);
        }
        shell::text(&served.asking(5, 1));
        if by_signal {
            kill_process(Pid::from_child(&child), Signal::USR1).expect("a signal");
        } else {
            child.stdin.as_mut().expect("stdin").write_all(b"\n").expect("Enter");
        }
        let run = collect(&mut child);
        assert_eq!(run.status, 23, "{run:#?}");
        assert!(
            run.stdout.starts_with("FAIL thread leak: 5 more pool-*-thread-1 than at the first mark\n"),
            "{run:#?}"
        );
        assert_eq!(server.state(), Some('S'), "it is never ended");
    }
}

#[test]
fn a_time_between_the_marks() {
    let served = Served::new();
    let server = running(&served, &["none"]);
    let flatfoot = Flatfoot::new();
    let run = flatfoot.run(&["check", "--pid", &server.arg(), "--for", "500ms", "--linger", "500ms"]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(run.stdout.starts_with("PASS no leak of threads, descriptors and children\n"), "{run:#?}");
    drop(server);
}

#[test]
fn one_that_ends_meanwhile() {
    let served = Served::new();
    let server = running(&served, &["die", "0", "1"]);
    let work = format!("{}; sleep 0.5", served.asking(1, 1));
    let run = served.flatfoot.run(&["check", "--pid", &server.arg(), "--work", &work]);
    assert!(matches!(run.status, 1 | 125), "{run:#?}");
    assert!(run.stdout.starts_with("FAIL "), "{run:#?}");
}
