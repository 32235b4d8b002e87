//! A process and everybody below it.

use std::collections::BTreeSet;

use model::{Pid, ProcessKey, ProcessReading, Text, Ticks};
use probe::sys::process::Held;
use probe::{Parts, Prober};
use rustix::process::Signal;

use super::document::Survivor;

/// More are not followed: a bomb of forks must not keep flatfoot busy.
const MOST: usize = 4_096;

/// A process of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) pid: Pid,
    pub(crate) start: Ticks,
    pub(crate) name: Text,
    /// Z: ended, and not waited for.
    pub(crate) state: char,
}

impl Member {
    pub(crate) fn key(&self) -> (Pid, Ticks) {
        (self.pid, self.start)
    }
}

/// Everybody below a process, parents before their children. Empty when it ended.
pub(crate) fn descendants(prober: &mut Prober, of: Pid) -> Vec<Member> {
    let parts = Parts { children: true, ..Parts::default() };
    prober.begin_look();
    let mut found: Vec<Member> = Vec::new();
    let mut seen = BTreeSet::from([of]);
    let mut next = 0;
    let mut at = of;
    loop {
        let reading = prober.process(at, &parts);
        for child in reading.iter().filter_map(|reading| reading.children.value()).flatten() {
            // A pid that comes again is another process by now, or a circle that cannot be.
            if found.len() < MOST && seen.insert(child.pid) {
                found.push(Member {
                    pid: child.pid,
                    start: child.start,
                    name: child.name.clone(),
                    state: child.state,
                });
            }
        }
        match found.get(next) {
            Some(member) => at = member.pid,
            None => return found,
        }
        next += 1;
    }
}

/// A process that is left, for people: `reading` has its command line.
pub(crate) fn survivor(member: &Member, reading: Option<&ProcessReading>, now_boot_s: f64) -> Survivor {
    let words = reading.and_then(|reading| reading.cmdline.value()).into_iter().flatten();
    let words: Vec<&str> = words.map(Text::as_str).collect();
    let born_s = member.start.seconds(rustix::param::clock_ticks_per_second());
    Survivor {
        pid: member.pid,
        name: member.name.clone(),
        command: if words.is_empty() { member.name.clone() } else { Text::from(words.join(" ")) },
        state: member.state,
        age_s: (now_boot_s - born_s).max(0.0),
    }
}

/// Sends a signal to a process, if it still is that process.
pub(crate) fn signal(prober: &mut Prober, member: &Member, signal: Signal) {
    let Ok(held) = Held::new(member.pid) else { return };
    let is_it = |key: ProcessKey| key.start == member.start;
    if prober.process(member.pid, &Parts::default()).is_some_and(|reading| is_it(reading.key)) {
        // Whoever ended meanwhile needs none.
        let _ = held.signal(signal);
    }
}

/// Ends everybody below flatfoot itself: there is nobody, unless a guard was killed.
pub(crate) fn end_orphans(prober: &mut Prober) {
    const TRIES: usize = 100;
    let own = Pid(std::process::id());
    for _ in 0..TRIES {
        let left = descendants(prober, own);
        if left.iter().all(|member| member.state == 'Z') {
            return;
        }
        for member in &left {
            signal(prober, member, Signal::KILL);
        }
        probe::Clock::sleep(0.02);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    #[test]
    fn everybody_below_and_nobody_else() {
        let mut prober = super::super::prober().unwrap();
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 100 & echo ready; read line; kill $!"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let mut found = Vec::new();
        // It is the shell's name until it has become sleep.
        while found.iter().all(|one: &Member| one.name.as_str() != "sleep") {
            found = descendants(&mut prober, Pid(shell.id()));
        }
        assert_eq!(found.len(), 1);
        // Somebody else who has that pid is left alone.
        signal(&mut prober, &Member { start: Ticks(1), ..found[0].clone() }, Signal::KILL);
        assert_eq!(descendants(&mut prober, Pid(shell.id())).len(), 1);
        signal(&mut prober, &found[0], Signal::KILL);
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!(descendants(&mut prober, Pid(shell.id())), []);
    }
}
