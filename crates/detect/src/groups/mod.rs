//! The threads of one process as groups: by name pattern, and where names tell nothing apart, by stack size
//! or by rhythm.
//!
//! A leak shows as one group that grows. So a group must neither hold a healthy pool beside the leak (JDK 8
//! calls all threads `java`, CPython `python3`) nor be torn apart by the 15 bytes that the kernel keeps of a
//! name ([`crate::names`]).

mod split;
mod stacks;

use model::{CadenceReport, NumberSpan, Pid, Text, Thread, ThreadGroup, ThreadStack};

use crate::cadence::{self, Window};
use crate::names::{self, NameGroup};

/// What the grouping is made from.
#[derive(Clone, Copy, Debug)]
pub struct GroupInput<'a> {
    /// The process: its main thread has the same id.
    pub pid: Pid,
    /// Every thread that was read.
    pub threads: &'a [Thread],
    /// The stacks that were found.
    pub stacks: &'a [ThreadStack],
    /// The process's `comm`: a thread of this name was given none of its own.
    pub process_name: &'a Text,
    /// Ticks per second of birth times.
    pub ticks_per_second: u64,
    /// Unix time of boot, in seconds.
    pub booted_unix_s: f64,
    /// Local time minus UTC, in seconds.
    pub utc_offset_s: i32,
    /// The process's start, in seconds since boot.
    pub process_start_s: f64,
    /// The look, in seconds since boot.
    pub now_boot_s: f64,
}

impl GroupInput<'_> {
    fn window(&self) -> Window {
        Window {
            start_s: self.process_start_s,
            end_s: self.now_boot_s,
            resolution_s: 1.0 / self.ticks_per_second.max(1) as f64,
            booted_unix_s: self.booted_unix_s,
            utc_offset_s: self.utc_offset_s,
        }
    }
}

/// Groups the threads of one process: most members first, then by pattern. Each thread is in exactly one
/// group. The main thread, which is no one's worker, is a group of its own. The order of the input does not
/// matter.
#[must_use]
pub fn group(input: &GroupInput<'_>) -> Vec<ThreadGroup> {
    let mut by_age: Vec<&Thread> = input.threads.iter().collect();
    by_age.sort_by(|a, b| (a.start, a.tid, &a.name).cmp(&(b.start, b.tid, &b.name)));
    let main = by_age.iter().position(|t| t.tid == input.pid).map(|at| by_age.remove(at));
    let stacks = stacks::Stacks::new(input.stacks);
    let window = input.window();

    let names: Vec<&str> = by_age.iter().map(|t| t.name.as_str()).collect();
    let mut groups = Vec::new();
    for named in names::fold(&names) {
        // Indexes ascend, so members are oldest first.
        let members: Vec<&Thread> = named.members.iter().map(|&m| by_age[m]).collect();
        let unnamed = named.pattern == input.process_name.as_str();
        let parts = if named.equal {
            split::split(members, unnamed, &stacks, &window, input.ticks_per_second)
        } else {
            vec![split::Part::whole(members)]
        };
        let numbers = span(&named, &by_age);
        for part in parts {
            groups.push(ThreadGroup {
                pattern: named.pattern.as_str().into(),
                inferred: named.inferred.as_deref().map(Text::from),
                shape: named.shape,
                numbers,
                split_by: part.by.map(Text::from),
                ..described(&part.members, part.cadence, &stacks, &window, input.ticks_per_second)
            });
        }
    }
    if let Some(main) = main {
        let shared = groups.iter().any(|g| g.pattern == main.name);
        groups.push(ThreadGroup {
            pattern: main.name.clone(),
            split_by: shared.then(|| "the main thread".into()),
            ..described(&[main], None, &stacks, &window, input.ticks_per_second)
        });
    }
    groups.sort_by(|a, b| {
        let size = b.members.len().cmp(&a.members.len());
        size.then_with(|| a.pattern.cmp(&b.pattern)).then_with(|| a.members.cmp(&b.members))
    });
    groups
}

/// What is the same for every group, however it was found. `members` oldest first; `cadence` if it is known
/// already.
fn described(
    members: &[&Thread],
    cadence: Option<CadenceReport>,
    stacks: &stacks::Stacks<'_>,
    window: &Window,
    ticks_per_second: u64,
) -> ThreadGroup {
    let births: Vec<f64> = members.iter().map(|t| t.start.seconds(ticks_per_second)).collect();
    ThreadGroup {
        members: members.iter().map(|t| t.tid).collect(),
        states: states(members),
        stacks: stacks.sum(members),
        cadence: cadence.unwrap_or_else(|| cadence::report(&births, window)),
        births,
        ..ThreadGroup::default()
    }
}

/// How many are in each state, most first.
fn states(members: &[&Thread]) -> Vec<(char, u64)> {
    let mut all: Vec<char> = members.iter().map(|t| t.state).collect();
    all.sort_unstable();
    let mut states: Vec<(char, u64)> =
        all.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect();
    states.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    states
}

/// The span of a group's numbers. Threads born in the same tick may have their numbers in any order.
fn span(named: &NameGroup, by_age: &[&Thread]) -> Option<NumberSpan> {
    let mut aged: Vec<(model::Ticks, u64)> =
        named.numbers.iter().map(|&(member, number)| (by_age[member].start, number)).collect();
    aged.sort_unstable();
    let in_birth_order = aged.is_sorted_by_key(|&(_, number)| number);
    let mut numbers: Vec<u64> = aged.into_iter().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Some(NumberSpan {
        low: *numbers.first()?,
        high: *numbers.last()?,
        distinct: numbers.len() as u64,
        in_birth_order,
    })
}

#[cfg(test)]
mod tests;
