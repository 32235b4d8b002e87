//! glibc's further arenas. A thread that finds the main heap busy gets one of its own, in heaps of HEAP_MAX_SIZE
//! (malloc/arena.c): 64 MiB on 64-bit machines (1 MiB on others), aligned to that size, reserved whole without access
//! and opened from the beginning as it fills. So a heap reads
//!
//! ```text
//! 7f67bc000000-7f67bc068000 rw-p      in use, or once in use
//! 7f67bc068000-7f67c0000000 ---p      the rest, up to the next multiple of 64 MiB
//! ```
//!
//! and several full ones in a row merge into one mapping.

use model::{AddressSpace, MemoryClass, VmFlags};

use super::charge::Charge;
use super::pieces::Pieces;
use super::stacks::Hinted;

const HEAP_64: u64 = 64 << 20;
const HEAP_32: u64 = 1 << 20;

/// Gives the arenas their class.
pub(super) fn claim(
    space: &AddressSpace,
    aligned: &[usize],
    charge: &Charge<'_>,
    hinted: &Hinted,
    pieces: &mut Pieces<'_>,
) {
    let heap = heap_size(space);
    let mut full = Vec::new();
    let mut any = false;
    for index in aligned.iter().copied() {
        // Taken by an arena that began below, or known to be a stack.
        if space.mappings[index].start & (heap - 1) != 0
            || !pieces.is_free(index)
            || hinted.is_stack_or_guard(index)
        {
            continue;
        }
        match arena_at(space, charge, pieces, index, heap) {
            Shape::Arena(start, end) => {
                any = true;
                pieces.claim(start, end, MemoryClass::MallocArena, |_| false);
            }
            Shape::Full(start, end) => full.push((start, end, charge.flag(index, VmFlags::NO_RESERVE))),
            Shape::Other => {}
        }
    }
    // A heap that is open to its end looks like any mapping of that size and alignment: MAP_NORESERVE tells, else
    // that there are others.
    for (start, end, no_reserve) in full {
        if no_reserve.unwrap_or(any) {
            pieces.claim(start, end, MemoryClass::MallocArena, |_| false);
        }
    }
}

/// HEAP_MAX_SIZE, by whether the process has addresses that 32 bits don't hold.
pub(super) fn heap_size(space: &AddressSpace) -> u64 {
    let is_64 = space.mappings.iter().rev().any(|mapping| mapping.start > u64::from(u32::MAX));
    if is_64 { HEAP_64 } else { HEAP_32 }
}

/// What begins at a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Heaps, with the reserved rest of the last one.
    Arena(u64, u64),
    /// Open to its end: perhaps a full heap.
    Full(u64, u64),
    /// Something else.
    Other,
}

/// Looks for heaps that begin with a mapping: aligned, writable and not executable, and followed without a gap by
/// inaccessible memory up to the next multiple of their size.
pub(super) fn arena_at(
    space: &AddressSpace,
    charge: &Charge<'_>,
    pieces: &Pieces<'_>,
    index: usize,
    heap: u64,
) -> Shape {
    let mapping = &space.mappings[index];
    let perms = mapping.perms;
    if !mapping.start.is_multiple_of(heap) || !perms.write() || perms.exec() || mapping.inode != 0 {
        return Shape::Other;
    }
    // Charged: the JVM's committed memory, or an ordinary mapping. Unknown without smaps.
    if charge.flag(index, VmFlags::ACCOUNTED) == Some(true) {
        return Shape::Other;
    }
    let end = mapping.end.checked_next_multiple_of(heap).unwrap_or(mapping.end);
    if end == mapping.end {
        return Shape::Full(mapping.start, end);
    }
    match space.mappings.get(index + 1) {
        Some(rest)
            if rest.start == mapping.end
                && rest.end >= end
                && rest.perms.none()
                && pieces.class(index + 1) == MemoryClass::Reserved =>
        {
            Shape::Arena(mapping.start, end)
        }
        _ => Shape::Other,
    }
}
