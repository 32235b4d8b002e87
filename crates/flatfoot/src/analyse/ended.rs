//! Threads that were seen to end: those that one look has and the next has not, or that a recorder wrote down.

use std::collections::HashSet;

use model::{Pid, Reading, Text, Thread, Ticks};

/// So many are kept of a process, the newest: a pool that renews itself ends thousands an hour.
const MOST: usize = 8_192;

/// A thread that is no more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EndedThread {
    /// Its birth.
    pub(crate) start: Ticks,
    /// As the kernel had it.
    pub(crate) name: Text,
    /// When it was first missed, in seconds since boot.
    pub(crate) at_boot_s: f64,
}

/// The threads of a process that ended while somebody watched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    /// Watched since, in seconds since boot: what ended before was not seen. `None`: nobody watched.
    since_boot_s: Option<f64>,
    /// In the order in which they were missed.
    threads: Vec<EndedThread>,
    /// Others, of which only the number is known: older ones, and those that a recorder had to leave out.
    left_out: u64,
}

impl Ended {
    /// What a recorder wrote down, in the order of the ends, and how many it only counted.
    pub(crate) fn recorded(since_boot_s: f64, threads: Vec<EndedThread>, left_out: u64) -> Self {
        let mut ended = Self { since_boot_s: Some(since_boot_s), threads, left_out };
        ended.bound();
        ended
    }

    /// Since when, in seconds since boot.
    pub(crate) fn since_boot_s(&self) -> Option<f64> {
        self.since_boot_s
    }

    /// Those that are kept.
    pub(crate) fn threads(&self) -> &[EndedThread] {
        &self.threads
    }

    /// How many ended in all.
    pub(crate) fn count(&self) -> u64 {
        self.left_out + self.threads.len() as u64
    }

    /// Adds who is in an older list and not in a newer one.
    pub(super) fn between(
        &mut self,
        older: &Reading<Vec<Thread>>,
        older_boot_s: f64,
        newer: &Reading<Vec<Thread>>,
        newer_boot_s: f64,
    ) {
        let (Some(older), Some(newer)) = (older.value(), newer.value()) else { return };
        self.since_boot_s.get_or_insert(older_boot_s);
        // Mostly nobody ended, and both are in the kernel's order: then one walk tells, and nothing is allocated.
        let mut rest = newer.iter();
        if older.iter().all(|old| rest.any(|new| identity(new) == identity(old))) {
            return;
        }
        let alive: HashSet<(Pid, Ticks)> = newer.iter().map(identity).collect();
        let gone = older.iter().filter(|old| !alive.contains(&identity(old)));
        self.threads.extend(gone.map(|old| EndedThread {
            start: old.start,
            name: old.name.clone(),
            at_boot_s: newer_boot_s,
        }));
        self.bound();
    }

    fn bound(&mut self) {
        let over = self.threads.len().saturating_sub(MOST);
        self.threads.drain(..over);
        self.left_out += over as u64;
    }
}

/// A thread's id is given again to another, and then the birth differs.
fn identity(thread: &Thread) -> (Pid, Ticks) {
    (thread.tid, thread.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(ids: &[(u32, u64)]) -> Reading<Vec<Thread>> {
        let thread = |(tid, start): &(u32, u64)| Thread {
            tid: Pid(*tid),
            start: Ticks(*start),
            name: format!("t-{tid}").into(),
            ..Thread::default()
        };
        Reading::Value(ids.iter().map(thread).collect())
    }

    #[test]
    fn who_is_missing_ended() {
        let mut ended = Ended::default();
        ended.between(&Reading::Skipped, 1.0, &threads(&[(1, 1)]), 2.0);
        assert_eq!((ended.since_boot_s(), ended.count()), (None, 0), "one list tells nothing");
        ended.between(&threads(&[(1, 1), (2, 5)]), 2.0, &threads(&[(1, 1), (2, 5), (3, 9)]), 3.0);
        assert_eq!((ended.since_boot_s(), ended.count()), (Some(2.0), 0));
        // Thread 2 ended, and another got its id; the order is no matter.
        ended.between(&threads(&[(1, 1), (2, 5), (3, 9)]), 3.0, &threads(&[(3, 9), (2, 400), (1, 1)]), 4.0);
        let gone = EndedThread { start: Ticks(5), name: "t-2".into(), at_boot_s: 4.0 };
        assert_eq!(ended.threads(), [gone]);
        ended.between(&threads(&[(1, 1)]), 4.0, &Reading::Skipped, 5.0);
        assert_eq!((ended.since_boot_s(), ended.count()), (Some(2.0), 1), "what was not read is not gone");
    }

    #[test]
    fn the_newest_are_kept_and_the_others_counted() {
        let all: Vec<(u32, u64)> = (0..20_000).map(|n| (n, 1)).collect();
        let mut ended = Ended::default();
        ended.between(&threads(&all), 0.0, &threads(&[]), 1.0);
        assert_eq!((ended.threads().len(), ended.count()), (MOST, 20_000));
        assert_eq!(ended.threads().last().map(|t| t.name.as_str()), Some("t-19999"));
    }
}
