//! Thread stacks. An address in each is known ([`StackHint`]); its bounds are those of the mapping around it, except
//! where the kernel merged several stacks, or a stack and its neighbour, into one mapping:
//!
//! * guards made by MADV_GUARD_INSTALL (glibc ≥ 2.42) are no mappings of their own: stacks end at them;
//! * stacks that the program supplied, or made without guards, lie directly side by side: glibc keeps `struct pthread`
//!   (and so the hint) in a stack's last page, so each ends where that page does;
//! * something else may follow a stack: it ends after the hint's page then, too.
//!
//! A stack pointer (musl, or a program without C library) says less: it can be anywhere in a stack, and Go runs its
//! threads on stacks in its heap. It is believed when there is a guard below, or under musl.
//!
//! The main thread's stack is `[stack]`; its hint lies elsewhere, in the loader's memory.
//!
//! Where threads were not asked (for the mappings alone that would be most of the work), stacks are told by their shape,
//! if exactly as many mappings have it as there are threads besides the main one.
//!
//! Stacks of threads that ended and were not joined (and those that glibc keeps for the next thread) belong to no
//! thread and stay anonymous.

use std::ops::Range;

use model::{
    AddressSpace, Bytes, Libc, Mapping, MemoryClass, Pid, ProcessReading, Reading, StackHint, Text,
    ThreadStack,
};

use super::charge::Charge;
use super::malloc::{self, Shape};
use super::pieces::Pieces;
use super::totals;

/// Guards are no larger than this. HotSpot's zones have 16 to some 100 KiB, glibc's 4 KiB; Go and others reserve more,
/// for other ends.
const LARGEST_GUARD: u64 = 1 << 20;
/// The smallest page, in which all sizes are whole numbers.
const PAGE: u64 = 4096;
/// With static TLS above `struct pthread` (aarch64) a stack goes on for some pages after the hint's.
const LARGEST_TLS: u64 = 64 << 10;
/// Guards of stacks that are told by their shape alone.
const USUAL_GUARD: u64 = 64 << 10;
/// PTHREAD_STACK_MIN.
const SMALLEST_STACK: u64 = 16 << 10;
/// Whose a stack is that its shape alone has told.
const NOBODY: Pid = Pid(0);
/// A mapping that holds a single stack pointer and has no guard is no larger, if it is to be a stack.
const LARGEST_UNGUARDED: u64 = 64 << 20;

/// A thread and the mapping that its hint points into.
#[derive(Clone, Copy, Debug)]
struct Hint {
    address: u64,
    tid: Pid,
    exact: bool,
    index: usize,
}

/// The mappings that hold stacks, before anything else is claimed.
#[derive(Debug, Default)]
pub(super) struct Hinted {
    /// By address.
    hints: Vec<Hint>,
    /// Per mapping; empty when there are no hints.
    marks: Vec<bool>,
    missing: Missing,
}

/// Threads whose stacks were not found, by reason.
#[derive(Debug, Default)]
struct Missing {
    /// Nobody could give an address.
    unknown: u64,
    /// The address lies in memory that is not a stack's own.
    elsewhere: u64,
    /// The address may or may not be in a stack.
    unclear: u64,
    /// The stacks were told without addresses.
    none_needed: bool,
}

impl Hinted {
    /// Is a mapping (the part of one, for merged ones) a stack, or the guard below one?
    pub(super) fn is_stack_or_guard(&self, index: usize) -> bool {
        self.marks.get(index).copied().unwrap_or(false)
    }

    /// Matches the threads' hints with the mappings.
    pub(super) fn find(
        process: &ProcessReading,
        space: &AddressSpace,
        charge: &Charge<'_>,
        libc: Libc,
        pieces: &Pieces<'_>,
    ) -> Self {
        let mut found = Self::default();
        let Some(threads) = process.threads.value() else {
            if matches!(process.threads, Reading::Skipped) && shows_stacks(space, process.stat.threads) {
                found.by_shape(process, space, pieces);
            }
            return found;
        };
        let heap = malloc::heap_size(space);
        for thread in threads.iter().filter(|thread| thread.tid != process.key.pid) {
            let Some(hint) = thread.stack else {
                found.missing.unknown += 1;
                continue;
            };
            let address = hint.address();
            let index = space.find(address).filter(|index| {
                pieces.is_free(*index)
                    && !space.mappings[*index].perms.none()
                    && !matches!(malloc::arena_at(space, charge, pieces, *index, heap), Shape::Arena(..))
            });
            let Some(index) = index else {
                found.missing.elsewhere += 1;
                continue;
            };
            let exact = matches!(hint, StackHint::RobustList(_));
            found.hints.push(Hint { address, tid: thread.tid, exact, index });
        }
        found.hints.sort_unstable_by_key(|hint| (hint.index, hint.address, hint.tid));
        found.drop_unlikely(space, libc);
        found.mark(space);
        found
    }

    /// Takes for stacks what looks like one: whose they are stays unknown.
    fn by_shape(&mut self, process: &ProcessReading, space: &AddressSpace, pieces: &Pieces<'_>) {
        self.missing.none_needed = true;
        if process.stat.threads < 2 {
            return;
        }
        for (index, mapping) in space.mappings.iter().enumerate() {
            if pieces.is_free(index) && looks_like_stack(space, index) {
                self.hints.push(Hint { address: mapping.end - 1, tid: NOBODY, exact: true, index });
            }
        }
        self.mark(space);
    }

    fn mark(&mut self, space: &AddressSpace) {
        if self.hints.is_empty() {
            return;
        }
        self.marks = vec![false; space.mappings.len()];
        for hint in &self.hints {
            self.marks[hint.index] = true;
            if let Some(guard) = guard_mapping(space, hint.index) {
                self.marks[guard] = true;
            }
        }
    }

    /// Stack pointers that need not be in a stack of their own.
    fn drop_unlikely(&mut self, space: &AddressSpace, libc: Libc) {
        let hints = std::mem::take(&mut self.hints);
        for group in hints.chunk_by(|a, b| a.index == b.index) {
            let mapping = &space.mappings[group[0].index];
            let alone = group.len() == 1 && mapping.size().0 <= LARGEST_UNGUARDED && libc == Libc::Musl;
            let guarded =
                guard_mapping(space, group[0].index).is_some() || !guards_in(space, mapping).is_empty();
            for hint in group {
                if hint.exact || alone || guarded {
                    self.hints.push(*hint);
                } else {
                    self.missing.unclear += 1;
                }
            }
        }
    }
}

/// Do the mappings alone show the stacks of a process of so many threads? They do when as many look like one as there are
/// threads besides the main one: memory of its own directly above a guard. Then nothing need be asked of the threads,
/// which costs more than reading the list of mappings does.
#[must_use]
pub fn shows_stacks(space: &AddressSpace, threads: u64) -> bool {
    threads < 2
        || (0..space.mappings.len()).filter(|index| looks_like_stack(space, *index)).count() as u64 + 1
            == threads
}

/// Private, nameless, writable and of pthread_create's least size at least, above a guard as stacks have them. Runtimes
/// that give each thread more such memory (Rust's stacks for signals) only make the count differ.
fn looks_like_stack(space: &AddressSpace, index: usize) -> bool {
    let mapping = &space.mappings[index];
    let own = mapping.inode == 0 && mapping.name == 0 && !mapping.perms.shared();
    own && mapping.perms.read()
        && mapping.perms.write()
        && mapping.size().0 >= SMALLEST_STACK
        && guard_mapping(space, index).is_some_and(|guard| {
            let guard = &space.mappings[guard];
            guard.name == 0 && guard.size().0 <= USUAL_GUARD
        })
}

/// The inaccessible mapping directly below another, when it is small enough for a guard.
fn guard_mapping(space: &AddressSpace, index: usize) -> Option<usize> {
    let below = index.checked_sub(1)?;
    let guard = &space.mappings[below];
    let fits = guard.end == space.mappings[index].start && guard.size().0 <= LARGEST_GUARD;
    (fits && guard.perms.none() && !guard.perms.shared() && guard.inode == 0).then_some(below)
}

/// The guards inside a mapping.
fn guards_in<'a>(space: &'a AddressSpace, mapping: &Mapping) -> &'a [(u64, u64)] {
    let first = space.guards.partition_point(|guard| guard.1 <= mapping.start);
    let after = space.guards.partition_point(|guard| guard.0 < mapping.end);
    space.guards.get(first..after).unwrap_or(&[])
}

/// Gives the stacks and their guards their classes, and lists the stacks by thread. Also says how many are missing.
pub(super) fn claim(
    process: &ProcessReading,
    space: &AddressSpace,
    charge: &Charge<'_>,
    hinted: Hinted,
    libc: Libc,
    pieces: &mut Pieces<'_>,
) -> (Vec<ThreadStack>, Option<(u64, Text)>) {
    let Hinted { hints, mut missing, .. } = hinted;
    let groups = || hints.chunk_by(|a, b| a.index == b.index);
    let above = rest_above(space, groups());
    let common = common_size(space, groups());
    let mut stacks: Vec<ThreadStack> = main_stack(process, space, charge).into_iter().collect();
    for group in groups() {
        let index = group[0].index;
        if !pieces.is_free(index) {
            missing.elsewhere += group.len() as u64;
            continue;
        }
        let mapping = space.mappings[index];
        for guard in guards_in(space, &mapping) {
            pieces.claim_part(index, guard.0, guard.1, MemoryClass::Guard);
        }
        let below = guard_mapping(space, index).filter(|below| pieces.is_free(*below));
        let before = stacks.len();
        for stretch in stretches(space, &mapping) {
            let here = &group[within(group, &stretch.range)];
            for (hint, range) in here.iter().zip(divide(here, &stretch, above, common)) {
                // Two threads on one page.
                if range.is_empty() {
                    continue;
                }
                let first = range.start == mapping.start;
                let guard = match below {
                    Some(below) if first => {
                        pieces.set(below, MemoryClass::Guard);
                        space.mappings[below].size()
                    }
                    _ if range.start == stretch.range.start => Bytes(stretch.guard),
                    _ => Bytes::ZERO,
                };
                pieces.claim_part(index, range.start, range.end, MemoryClass::ThreadStack);
                stacks.push(stack(space, charge, index, hint.tid, range, guard));
            }
        }
        // Those, and what points into a guard.
        missing.unclear += (group.len() - (stacks.len() - before)) as u64;
    }
    stacks.sort_unstable_by_key(|stack| stack.tid);
    (stacks, missing.sentence(process, libc))
}

/// A part of a mapping between guards, and the size of the guard below it.
#[derive(Clone, Debug)]
struct Stretch {
    range: Range<u64>,
    guard: u64,
}

fn stretches(space: &AddressSpace, mapping: &Mapping) -> Vec<Stretch> {
    let mut all = Vec::new();
    let mut start = mapping.start;
    let mut guard = 0;
    for hole in guards_in(space, mapping) {
        if hole.0 > start {
            all.push(Stretch { range: start..hole.0.min(mapping.end), guard });
        }
        guard = hole.1.saturating_sub(hole.0);
        start = start.max(hole.1);
    }
    if start < mapping.end {
        all.push(Stretch { range: start..mapping.end, guard });
    }
    all
}

/// Which hints of a sorted group lie in a range.
fn within(group: &[Hint], range: &Range<u64>) -> Range<usize> {
    let first = group.partition_point(|hint| hint.address < range.start);
    let after = group.partition_point(|hint| hint.address < range.end);
    first..after.max(first)
}

/// How far stacks go on after the hint's page: the least that was seen, as most stacks have nothing behind them.
fn rest_above<'a>(space: &AddressSpace, groups: impl Iterator<Item = &'a [Hint]>) -> u64 {
    let mut least = u64::MAX;
    for group in groups {
        for stretch in stretches(space, &space.mappings[group[0].index]) {
            if let Some(last) = group[within(group, &stretch.range)].last().filter(|last| last.exact) {
                least = least.min(stretch.range.end.saturating_sub(top(last)));
            }
        }
    }
    if least <= LARGEST_TLS { least } else { 0 }
}

/// Where the hint's page ends.
fn top(hint: &Hint) -> u64 {
    (hint.address & !(PAGE - 1)).saturating_add(PAGE)
}

/// The size that at least half of the stacks have that are known by a stack pointer alone. A larger one is a stack and
/// something that the kernel merged with it, as musl doesn't mark its stacks.
fn common_size<'a>(space: &AddressSpace, groups: impl Iterator<Item = &'a [Hint]>) -> Option<u64> {
    let mut sizes = Vec::new();
    for group in groups {
        for stretch in stretches(space, &space.mappings[group[0].index]) {
            if let [only] = &group[within(group, &stretch.range)]
                && !only.exact
            {
                sizes.push(stretch.range.end - stretch.range.start);
            }
        }
    }
    sizes.sort_unstable();
    let most = sizes.chunk_by(|a, b| a == b).max_by_key(|equal| equal.len())?;
    (most.len() * 2 >= sizes.len()).then_some(most[0])
}

/// The stacks of one stretch, one for each hint.
fn divide(hints: &[Hint], stretch: &Stretch, above: u64, common: Option<u64>) -> Vec<Range<u64>> {
    let Range { start, end } = stretch.range;
    let mut tops: Vec<u64> = hints.iter().map(|hint| top(hint).saturating_add(above).min(end)).collect();
    if let (Some(last), Some(hint)) = (tops.last_mut(), hints.last())
        && !hint.exact
    {
        let usual = common.and_then(|size| start.checked_add(size)).filter(|usual| hint.address < *usual);
        *last = usual.filter(|_| hints.len() == 1).unwrap_or(end).min(end);
    }
    // Below the first of several there may be something else: it is as large as the smallest of the others.
    let least = tops.windows(2).map(|pair| pair[1] - pair[0]).filter(|size| *size > 0).min();
    let mut from = match (tops.first(), least) {
        (Some(first), Some(least)) => start.max(first.saturating_sub(least)),
        _ => start,
    };
    tops.into_iter()
        .map(|top| {
            let range = from..top.max(from);
            from = range.end;
            range
        })
        .collect()
}

fn stack(
    space: &AddressSpace,
    charge: &Charge<'_>,
    index: usize,
    tid: Pid,
    range: Range<u64>,
    guard: Bytes,
) -> ThreadStack {
    let mapping = &space.mappings[index];
    let whole = range.start == mapping.start && range.end == mapping.end;
    let touched = match space.touched.value() {
        Some(touched) if whole => touched.get(index).copied(),
        Some(_) => totals::counted(space, range.start, range.end),
        None => None,
    };
    let size = range.end - range.start;
    let committed = if charge.is_charged(index, MemoryClass::ThreadStack) { size } else { 0 };
    ThreadStack {
        tid,
        start: range.start,
        end: range.end,
        committed: Bytes(committed),
        touched: touched.map(Bytes),
        guard,
    }
}

/// `[stack]`; the part of it where the stack began, should it be in parts. The gap that the kernel keeps below it is
/// no mapping.
fn main_stack(process: &ProcessReading, space: &AddressSpace, charge: &Charge<'_>) -> Option<ThreadStack> {
    let by_name = space.names.iter().position(|name| name.as_str() == "[stack]");
    let named = |mapping: &Mapping| by_name.is_some_and(|name| name == mapping.name as usize);
    let index = space
        .find(process.stat.start_stack)
        .filter(|index| named(&space.mappings[*index]))
        .or_else(|| space.mappings.iter().rposition(named))?;
    let mapping = space.mappings[index];
    (mapping.start < mapping.end)
        .then(|| stack(space, charge, index, process.key.pid, mapping.start..mapping.end, Bytes::ZERO))
}

impl Missing {
    fn sentence(&self, process: &ProcessReading, libc: Libc) -> Option<(u64, Text)> {
        process.space.value()?;
        if self.none_needed {
            return None;
        }
        if process.threads.value().is_none() {
            let others = process.stat.threads.saturating_sub(1);
            let why = process.threads.absence().unwrap_or_default();
            return (others > 0).then(|| (others, Text::from(format!("threads were not listed: {why}"))));
        }
        let unknown = match libc {
            Libc::Glibc => "the thread ended, or was made without the C library",
            Libc::Musl => "musl tells a stack only while its thread waits, and to who may ptrace it",
            Libc::Unknown => {
                "a thread without glibc tells its stack only while it waits, and to who may ptrace it"
            }
        };
        let reasons = [
            (self.unknown, unknown),
            (self.elsewhere, "they lie in malloc's memory or a file, as the program chose"),
            (self.unclear, "their stack pointers lie in larger memory of the program's own"),
        ];
        let all = reasons.iter().map(|(count, _)| count).sum();
        let most = reasons.iter().max_by_key(|(count, _)| *count)?;
        (all > 0).then(|| (all, Text::from(most.1)))
    }
}

#[cfg(test)]
mod tests;
