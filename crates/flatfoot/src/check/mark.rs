//! Marks: what a process and everybody below it hold at one moment.

use std::collections::BTreeMap;

use model::{Pid, ProcessReading, Reading, Ticks};
use probe::{Clock, DescriptorDepth, Parts, Prober, SpaceDepth, ThreadDepth};

use super::memory::{self, Subject};
use super::tree::{self, Member};
use crate::analyse::point;

/// Of more processes only their number is judged.
pub(super) const MOST: usize = 64;

/// A process from its birth to its end, pids that are used again notwithstanding.
pub(super) type Key = (Pid, Ticks);

/// Who is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// The server.
    pub(super) root: Pid,
    /// Whose descendants are looked at: the server's guard, or the process itself.
    pub(super) below: Pid,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What is counted: threads, descriptors, children.
    Counts,
    /// Memory, too.
    All,
}

/// A process at a mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Without its mappings, of which the figures are kept.
    pub(super) reading: ProcessReading,
    pub(super) memory: BTreeMap<Subject, f64>,
    /// Why there are no figures.
    pub(super) no_memory: Option<String>,
    /// Collections of the old part of a Java heap, and the bytes that were alive after the last.
    pub(super) heap: Option<(u64, f64)>,
}

/// A mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark {
    pub(super) at_boot_s: f64,
    /// The server and those below, the first [`MOST`].
    pub(super) processes: BTreeMap<Key, Seen>,
    /// Everybody below the server.
    pub(super) below: Vec<Member>,
}

impl Mark {
    /// Looks at everybody; `None` when the server is gone.
    pub(super) fn take(prober: &mut Prober, scope: Scope, depth: Depth) -> Option<Self> {
        let mut members = tree::descendants(prober, scope.below);
        members.retain(|member| member.pid != scope.root);
        let mut processes = BTreeMap::new();
        let living = members.iter().filter(|member| member.state != 'Z').map(|member| member.pid);
        for pid in std::iter::once(scope.root).chain(living).take(MOST) {
            let Some(reading) = prober.process(pid, &parts(depth)) else { continue };
            if pid == scope.root && matches!(reading.stat.state, 'Z' | 'X') && reading.stat.threads <= 1 {
                return None;
            }
            processes.insert((pid, reading.key.start), seen(reading, depth));
        }
        processes.keys().any(|(pid, _)| *pid == scope.root).then_some(Self {
            at_boot_s: Clock::boot(),
            processes,
            below: members,
        })
    }

    /// Is nothing more than at a mark before? Then waiting can change nothing.
    pub(super) fn is_no_more_than(&self, before: &Self) -> bool {
        let threads = |seen: &Seen| seen.reading.stat.threads;
        let descriptors = |seen: &Seen| seen.reading.descriptors.value().map_or(0, |all| all.total);
        self.below.len() <= before.below.len()
            && self.processes.iter().all(|(key, seen)| {
                before
                    .processes
                    .get(key)
                    .is_some_and(|old| threads(seen) <= threads(old) && descriptors(seen) <= descriptors(old))
            })
    }
}

fn parts(depth: Depth) -> Parts {
    let counts = Parts {
        threads: ThreadDepth::Basic,
        descriptors: DescriptorDepth::Kinds,
        times: true,
        ..Parts::default()
    };
    match depth {
        Depth::Counts => counts,
        Depth::All => Parts {
            threads: ThreadDepth::WithStacks,
            space: SpaceDepth::Touched,
            statm: true,
            status: true,
            cmdline: true,
            jvm: true,
            ..counts
        },
    }
}

fn seen(mut reading: ProcessReading, depth: Depth) -> Seen {
    if depth == Depth::Counts {
        return Seen { reading, ..Seen::default() };
    }
    let map = reading.space.value().map(|_| probe::classify::classify(&reading));
    let jvm = point(&reading, 0.0, None).jvm;
    let no_memory = reading.space.absence();
    reading.space = Reading::Skipped;
    Seen {
        memory: map.as_ref().map(memory::figures).unwrap_or_default(),
        no_memory,
        heap: jvm.and_then(|jvm| Some((jvm.major, jvm.live?))),
        reading,
    }
}
