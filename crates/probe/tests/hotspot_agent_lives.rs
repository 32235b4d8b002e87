//! The agent when something goes wrong: flatfoot is killed, another one comes, nobody polls, the ring is hostile. The JVM goes on.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are tests; what is skipped is said

mod agent_jvm;

use std::path::Path;
use std::process::{Command, Stdio};

use agent_jvm::{Jvm, assert_unharmed, attach, creator, java, until};
use model::Pid;
use probe::Clock;
use probe::hotspot::agent::Agent;
use probe::hotspot::attach::Patience;

const CHILD: &str = "FLATFOOT_TEST_WATCHES";

/// Not a test: what `jvm_outlives_a_killed_flatfoot` starts, to be killed.
#[test]
fn child_that_watches() {
    let Ok(pid) = std::env::var(CHILD) else { return };
    let mut attachment = attach(Pid(pid.parse().unwrap()));
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    agent.set_lease(1.0);
    agent.watch().unwrap();
    println!("\nwatching");
    Clock::sleep(600.0);
}

fn outlives_a_killed_flatfoot(version: u32) {
    let Some(java) = java(version) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child_that_watches", "--nocapture"]).env(CHILD, jvm.pid().to_string());
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let said = std::io::BufRead::lines(output).map(Result::unwrap).find(|line| line == "watching");
    assert!(said.is_some(), "the child failed");
    child.kill().unwrap();
    child.wait().unwrap();
    let maps = jvm.maps();
    let ring = maps.lines().find(|line| line.ends_with("/ring (deleted)")).expect("hooked");
    let left = ring[ring.find('/').unwrap()..].trim_end_matches("/ring (deleted)").to_owned();
    assert!(Path::new(&left).is_dir(), "{left}");
    // The lease is a second; a thread start after that removes the hook.
    let mut output = String::new();
    until("the hook is gone", || {
        output += &jvm.command("short", 1);
        (!jvm.maps().contains("/ring")).then_some(())
    });
    output += &jvm.command("short", 5);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    assert!(!Path::new(&left).exists(), "{left} was left");
    agent.watch().unwrap();
    output += &jvm.command("thread", 1);
    assert_eq!(agent.poll()[0].count, 1);
    assert_eq!(agent.stop().unwrap().starts, 1);
    let libraries =
        jvm.maps().lines().filter(|line| line.contains("/agent-") && line.contains(" r-xp ")).count();
    assert_eq!(libraries, 1, "the library that was mapped is used again");
    assert_unharmed(&output, &jvm.errors());
}

#[test]
fn jvm_17_outlives_a_killed_flatfoot() {
    outlives_a_killed_flatfoot(17);
}

#[test]
fn jvm_25_outlives_a_killed_flatfoot() {
    outlives_a_killed_flatfoot(25);
}

/// A second flatfoot finds the hook of one that was killed, before its lease is over.
#[test]
fn jvm_second_load_takes_over() {
    let Some(java) = java(17) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut attachment = jvm.attach();
    let mut first = Agent::load(&mut attachment, Patience::default()).unwrap();
    first.watch().unwrap();
    jvm.command("thread", 1);
    // As if it were killed: nothing of it runs any more.
    std::mem::forget(first);
    drop(attachment);
    let mut attachment = jvm.attach();
    let mut second = Agent::load(&mut attachment, Patience::default()).unwrap();
    assert!(!jvm.maps().contains("/ring"), "the old ring is gone");
    second.watch().unwrap();
    let output = jvm.command("pool", 1);
    let spawns = second.poll();
    assert_eq!((spawns.len(), second.figures().starts), (1, 1));
    assert_eq!(creator(&spawns[0]).class.as_str(), "Starters$FreshPool");
    drop(second);
    assert!(!jvm.maps().contains("/ring"), "dropping stops");
    assert_unharmed(&output, &jvm.errors());
}

/// Polling renews the lease; without it the hook ends, is said to have ended, and can begin anew.
#[test]
fn jvm_lease_is_renewed_by_polling() {
    let Some(java) = java(17) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    agent.set_lease(2.0);
    agent.watch().unwrap();
    let began = Clock::monotonic();
    while Clock::monotonic() - began < 3.0 {
        agent.poll();
        Clock::sleep(0.1);
    }
    let mut output = jvm.command("pool", 1);
    assert_eq!((agent.poll().len(), agent.figures().expired), (1, false));
    Clock::sleep(2.2);
    output += &jvm.command("pool", 1);
    assert_eq!((agent.poll().len(), agent.figures().expired), (1, true), "what was recorded stays");
    assert!(!jvm.maps().contains("/ring"));
    agent.watch().unwrap();
    output += &jvm.command("pool", 2);
    assert_eq!((agent.poll()[0].count, agent.figures().expired), (2, false));
    agent.stop().unwrap();
    assert_unharmed(&output, &jvm.errors());
}

/// Whatever somebody writes into the ring: the target goes on, and so does flatfoot.
#[test]
fn jvm_and_flatfoot_survive_a_hostile_ring() {
    let Some(java) = java(17) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let mut output = String::new();
    let mut random = 1_u64;
    for round in 0..20 {
        agent.watch().unwrap();
        output += &jvm.command("pool", 1);
        let own = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
        let mut rings = own.filter(|fd| {
            std::fs::read_link(fd).is_ok_and(|path| path.to_string_lossy().ends_with("/ring (deleted)"))
        });
        let ring = std::fs::File::options().write(true).open(rings.next().unwrap()).unwrap();
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as u8
        })
        .take(1 << 20)
        .collect();
        // All of it, or all behind the magic word, or the records alone.
        let from = [0, 8, 20_480][round % 3];
        std::os::unix::fs::FileExt::write_all_at(&ring, &noise[from..], from as u64).unwrap();
        output += &jvm.command("pool", 1);
        agent.poll();
        agent.unwatch().unwrap();
    }
    output += &jvm.command("short", 5);
    assert!(!jvm.maps().contains("/ring"));
    assert_unharmed(&output, &jvm.errors());
}
