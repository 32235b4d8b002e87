//! Stacks by thread id, and their sums.

use model::{Bytes, GroupStacks, Pid, Thread, ThreadStack};

/// The stacks of a process, sorted by thread id.
pub(super) struct Stacks<'a> {
    by_tid: Vec<&'a ThreadStack>,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(stacks: &'a [ThreadStack]) -> Self {
        let mut by_tid: Vec<&ThreadStack> = stacks.iter().collect();
        by_tid.sort_by_key(|s| (s.tid, s.start, s.end));
        by_tid.dedup_by_key(|s| s.tid);
        Self { by_tid }
    }

    fn of(&self, tid: Pid) -> Option<&'a ThreadStack> {
        self.by_tid.binary_search_by_key(&tid, |s| s.tid).ok().map(|at| self.by_tid[at])
    }

    /// What the thread's creator asked for: the usable part and the guard.
    pub(super) fn size_with_guard(&self, thread: &Thread) -> Option<Bytes> {
        self.of(thread.tid).map(|s| s.reserved() + s.guard)
    }

    /// The stacks of a group, summed.
    pub(super) fn sum(&self, members: &[&Thread]) -> GroupStacks {
        let mut sum = GroupStacks::default();
        let mut sizes = Vec::with_capacity(members.len());
        for stack in members.iter().filter_map(|t| self.of(t.tid)) {
            sum.found += 1;
            sum.reserved += stack.reserved();
            sum.committed += stack.committed;
            if let Some(touched) = stack.touched {
                sum.touched = Some(sum.touched.unwrap_or_default() + touched);
            }
            sizes.push(stack.reserved());
        }
        if let Some((each, count)) = modal(&mut sizes) {
            (sum.each, sum.each_count) = (each, count);
        }
        sum
    }
}

/// The most frequent size and how often it occurs; the largest of several.
fn modal(sizes: &mut [Bytes]) -> Option<(Bytes, u64)> {
    sizes.sort_unstable();
    sizes.chunk_by(|a, b| a == b).max_by_key(|run| run.len()).map(|run| (run[0], run.len() as u64))
}
