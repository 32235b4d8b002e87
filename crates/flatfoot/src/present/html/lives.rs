//! The lives of a process's threads: those that live, and those that were seen to end.

use std::collections::{BTreeSet, HashSet};

use model::{Finding, HostReading, Pid, Thread, ThreadGroup};

use crate::analyse::{EndedThread, Tracked};

/// A thread's life in Unix seconds; without an end while it lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Life {
    pub(super) birth: f64,
    pub(super) end: Option<f64>,
}

/// The lives of the threads of a process: those that live now, and those that were seen to end.
pub(super) struct Births {
    /// Of all threads, oldest first.
    pub(super) all: Vec<Life>,
    /// Of those that the finding is about.
    pub(super) leaked: Vec<Life>,
    /// Ends that are not among them: too many, or counted only.
    pub(super) left_out: u64,
    /// Ends are known since then; `None` when nobody watched.
    pub(super) ends_since: Option<f64>,
    pub(super) started: f64,
    pub(super) now: f64,
    pub(super) offset_s: f64,
}

impl Births {
    /// As read; `None` where threads were not.
    pub(super) fn of(
        finding: &Finding,
        tracked: &Tracked,
        host: &HostReading,
        shown: impl Fn(&str) -> String,
    ) -> Option<Self> {
        let threads = tracked.reading.threads.value()?;
        let unix = |boot_s: f64| host.unix_from_boot(boot_s);
        let start = |ticks: model::Ticks| unix(ticks.seconds(host.ticks_per_second));
        let ended = tracked.ended();
        let dead =
            |thread: &EndedThread| Life { birth: start(thread.start), end: Some(unix(thread.at_boot_s)) };
        let living = |birth: f64| Life { birth, end: None };
        let mut all: Vec<Life> = threads.iter().map(|thread| living(start(thread.start))).collect();
        all.extend(ended.threads().iter().map(dead));
        let group =
            tracked.groups.iter().find(|group| shown(group.pattern.as_str()) == finding.subject.as_str())?;
        let mut leaked: Vec<Life> = group.births.iter().map(|at| living(unix(*at))).collect();
        leaked.extend(of_group(group, threads, ended.threads()).map(dead));
        for lives in [&mut all, &mut leaked] {
            lives.sort_by(|a, b| a.birth.total_cmp(&b.birth));
        }
        let started = start(tracked.reading.stat.start);
        (!leaked.is_empty()).then_some(Self {
            all,
            leaked,
            left_out: ended.count() - ended.threads().len() as u64,
            ends_since: ended.since_boot_s().map(unix),
            started,
            now: unix(tracked.now_boot_s),
            offset_s: f64::from(host.utc_offset_s),
        })
    }

    /// How many are ended, of all and of the finding's own.
    pub(super) fn ended(lives: &[Life]) -> usize {
        lives.iter().filter(|life| life.end.is_some()).count()
    }
}

/// The ended threads that have a group's names: folded with them they fall into one.
fn of_group<'a>(
    group: &ThreadGroup,
    threads: &'a [Thread],
    ended: &'a [EndedThread],
) -> impl Iterator<Item = &'a EndedThread> {
    let members: HashSet<Pid> = group.members.iter().copied().collect();
    let living = threads.iter().filter(|thread| members.contains(&thread.tid));
    let mut names: Vec<&str> = living.map(|thread| thread.name.as_str()).collect();
    let count = names.len();
    names.extend(ended.iter().map(|thread| thread.name.as_str()));
    let own: BTreeSet<usize> = detect::names::fold(&names)
        .into_iter()
        .filter(|folded| folded.members.iter().any(|at| *at < count))
        .flat_map(|folded| folded.members)
        .filter_map(|at| at.checked_sub(count))
        .collect();
    own.into_iter().filter_map(|at| ended.get(at))
}

/// How many live after each birth and each end.
pub(super) fn level(lives: &[Life]) -> Vec<(f64, u64)> {
    let births = lives.iter().map(|life| (life.birth, 1_i64));
    let mut changes: Vec<(f64, i64)> =
        births.chain(lives.iter().filter_map(|life| Some((life.end?, -1)))).collect();
    // At one moment births come first, so that no figure is below what it was between them.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut count = 0_u64;
    changes
        .into_iter()
        .map(|(at, change)| {
            count = count.saturating_add_signed(change);
            (at, count)
        })
        .collect()
}

/// How many of a level's threads live at a moment.
pub(super) fn at(level: &[(f64, u64)], moment: f64) -> u64 {
    let until = level.partition_point(|(at, _)| *at <= moment);
    until.checked_sub(1).and_then(|last| level.get(last)).map_or(0, |(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_threads_join_the_group_of_their_names() {
        let thread = |tid: u32, name: &str| Thread { tid: Pid(tid), name: name.into(), ..Thread::default() };
        let dead = |name: &str| EndedThread { start: model::Ticks(1), name: name.into(), at_boot_s: 2.0 };
        let threads = [thread(1, "pool-1-thread-1"), thread(2, "pool-7-thread-1"), thread(3, "http-1")];
        let group = ThreadGroup { members: vec![Pid(1), Pid(2)], ..ThreadGroup::default() };
        let ended = [dead("http-2"), dead("pool-3-thread-1"), dead("other")];
        let own: Vec<&str> = of_group(&group, &threads, &ended).map(|t| t.name.as_str()).collect();
        assert_eq!(own, ["pool-3-thread-1"]);
    }
}
