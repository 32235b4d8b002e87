//! The sampler when ticks come each second: who does nothing rests, and no birth and no end is missed by that.

#![allow(clippy::unwrap_used)] // none may fail

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use model::{Column, EventKind, Pid, ProcessNo, Tick};
use probe::{ProcRoot, Sampler, SamplerOptions};

/// Readings in which nothing changes until a process rests, and a few more: `comm` and sizes of one that has just begun
/// may still change.
const UNTIL_REST: usize = 12;
const TURN: usize = 5;

fn sampler() -> Sampler {
    let options = SamplerOptions { interval_s: 1.0, ..SamplerOptions::default() };
    Sampler::new(ProcRoot::open("/proc").unwrap(), options).unwrap()
}

fn ticked(sampler: &mut Sampler) -> Tick {
    let mut tick = Tick::default();
    sampler.tick(&mut tick).unwrap();
    tick
}

fn number(ticks: &[Tick], pid: u32) -> Option<ProcessNo> {
    ticks.iter().flat_map(|tick| &tick.events).find_map(|event| match &event.what {
        EventKind::ProcessSeen(who) if who.key.pid == Pid(pid) => Some(event.process),
        _ => None,
    })
}

fn value(tick: &Tick, process: ProcessNo, column: Column) -> Option<u64> {
    let (_, values) = tick.by_process().find(|(no, _)| *no == process)?;
    values.iter().find(|(c, _)| *c == column).map(|(_, value)| *value)
}

fn ended(tick: &Tick, process: ProcessNo) -> bool {
    tick.events.iter().any(|event| event.process == process && event.what == EventKind::ProcessEnded)
}

fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn sleeper() -> Child {
    let child = Command::new("sleep").arg("1000").spawn().unwrap();
    while state_of(child.id()) != Some('S')
        || std::fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap() != "sleep\n"
    {
        std::thread::yield_now();
    }
    child
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn who_does_nothing_is_read_each_fifth_tick_until_it_does_something() {
    let sleepers: Vec<Child> = (0..50).map(|_| sleeper()).collect();
    let mut sampler = sampler();
    let first = ticked(&mut sampler);
    let numbers: Vec<ProcessNo> =
        sleepers.iter().map(|child| number(std::slice::from_ref(&first), child.id()).unwrap()).collect();
    for _ in 0..UNTIL_REST {
        ticked(&mut sampler);
    }
    let ticks: Vec<Tick> = (0..2 * TURN).map(|_| ticked(&mut sampler)).collect();
    for no in &numbers {
        let read: Vec<usize> =
            (0..ticks.len()).filter(|at| value(&ticks[*at], *no, Column::Threads).is_some()).collect();
        assert_eq!(read, [read[0], read[0] + TURN], "{no:?}");
    }
    // Spread over the ticks: numbers follow each other.
    for tick in &ticks {
        let read = numbers.iter().filter(|no| value(tick, **no, Column::Cpu).is_some()).count();
        assert!((5..=15).contains(&read), "{read} of 50");
    }
    // A suspect is read in each tick from now on.
    sampler.suspects(&numbers[7..8]);
    for _ in 0..TURN {
        let tick = ticked(&mut sampler);
        assert!(value(&tick, numbers[7], Column::Threads).is_some());
        assert!(value(&tick, numbers[7], Column::Descriptors).is_some());
        let others = numbers.iter().filter(|no| value(&tick, **no, Column::Descriptors).is_some()).count();
        assert!(others < 15, "{others} of 50");
    }
    sleepers.into_iter().for_each(end);
}

#[test]
fn a_change_wakes_and_quiet_lets_rest_again() {
    let mut shell = Command::new("sh").stdin(Stdio::piped()).spawn().unwrap();
    let mut sampler = sampler();
    let mut ticks = vec![ticked(&mut sampler)];
    let no = number(&ticks, shell.id()).unwrap();
    ticks.extend((0..UNTIL_REST).map(|_| ticked(&mut sampler)));
    let is_read = |sampler: &mut Sampler| value(&ticked(sampler), no, Column::Threads).is_some();
    // To the tick in which it was read: the next four it rests.
    while !is_read(&mut sampler) {}
    for _ in 1..TURN {
        assert!(!is_read(&mut sampler));
    }
    writeln!(shell.stdin.as_mut().unwrap(), "exec sleep 1000").unwrap();
    while std::fs::read_to_string(format!("/proc/{}/comm", shell.id())).unwrap() != "sleep\n" {
        std::thread::yield_now();
    }
    while state_of(shell.id()) != Some('S') {
        std::thread::yield_now();
    }
    let read: Vec<bool> = (0..2 * TURN).map(|_| is_read(&mut sampler)).collect();
    assert_eq!(read[..4], [true; 4], "at its turn, and until nothing has changed three times");
    assert!(!read[4..].iter().all(|read| *read), "{read:?}");
    end(shell);
}

#[test]
fn ends_and_children_of_who_rests_are_told_at_once() {
    // A shell that waits for nobody: its children die and stay.
    let script = "for i in 1 2 3; do sleep 1000 & done; exec sleep 1000";
    let parent = Command::new("sh").args(["-c", script]).spawn().unwrap();
    let children = || -> Vec<u32> {
        let list = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", parent.id())).unwrap();
        list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    };
    while children().len() < 3
        || std::fs::read_to_string(format!("/proc/{}/comm", parent.id())).unwrap() != "sleep\n"
    {
        std::thread::yield_now();
    }
    let pids = children();
    let mut sampler = sampler();
    let mut ticks = vec![ticked(&mut sampler)];
    ticks.extend((0..UNTIL_REST).map(|_| ticked(&mut sampler)));
    let no = number(&ticks, parent.id()).unwrap();
    let of: Vec<ProcessNo> = pids.iter().map(|pid| number(&ticks, *pid).unwrap()).collect();
    while value(&ticked(&mut sampler), no, Column::Threads).is_some() {}
    kill(pids[0], "-KILL");
    while state_of(pids[0]) != Some('Z') {
        std::thread::yield_now();
    }
    let tick = ticked(&mut sampler);
    assert_eq!(value(&tick, no, Column::Children), Some(2));
    assert_eq!(value(&tick, no, Column::Zombies), Some(1));
    end(parent);
    while state_of(pids[0]).is_some() {
        std::thread::yield_now();
    }
    let tick = ticked(&mut sampler);
    assert!(ended(&tick, no), "the parent");
    assert!(ended(&tick, of[0]), "the zombie, which its new parent waited for");
    kill(pids[1], "-KILL");
    while state_of(pids[1]).is_some_and(|state| state != 'Z') {
        std::thread::yield_now();
    }
    // As a zombie it is still there, until somebody waits for it.
    let tick = ticked(&mut sampler);
    assert!(ended(&tick, of[1]) || state_of(pids[1]).is_some() || ended(&ticked(&mut sampler), of[1]));
    kill(pids[2], "-KILL");
}

#[test]
fn who_is_new_is_taken_in_with_the_next_tick_and_keeps_its_birth() {
    let mut sampler = sampler();
    // A list of everybody takes in at once: not in one of these ticks.
    let mut ticks: Vec<Tick> = (0..3).map(|_| ticked(&mut sampler)).collect();
    let gone = sleeper();
    let gone_pid = gone.id();
    let stays = sleeper();
    let noticed = ticked(&mut sampler);
    end(gone);
    let taken = ticked(&mut sampler);
    assert_eq!(number(std::slice::from_ref(&noticed), stays.id()), None);
    let no = number(std::slice::from_ref(&taken), stays.id()).unwrap();
    let event = taken.events.iter().find(|event| event.process == no).unwrap();
    assert!(event.at_boot_ms <= noticed.at_boot_ms, "born before it was noticed");
    assert!(event.at_boot_ms >= ticks[2].at_boot_ms);
    assert_eq!(value(&taken, no, Column::Threads), Some(1));
    ticks.extend([noticed, taken]);
    ticks.extend((0..12).map(|_| ticked(&mut sampler)));
    assert_eq!(number(&ticks, gone_pid), None, "gone at once");
    end(stays);
}
