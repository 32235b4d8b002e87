//! What an address space is used for: each byte of each mapping in exactly one class.
//!
//! A pure function of a process's readings, so that a case file opened elsewhere gives what the live process gave.
//! Nothing of the memory itself is read: what a mapping is for is told by its name, its permissions, its place beside
//! others, addresses that are known to lie in stacks, and the command line. The order matters, as each step takes from
//! what the ones before left:
//!
//! 1. names and permissions (`names`): files, shared memory, `[heap]`, and what is just anonymous or just reserved;
//! 2. which anonymous mappings hold a thread's stack (`stacks`), set aside;
//! 3. the JVM's reservations (`jvm`);
//! 4. glibc's arenas (`malloc`);
//! 5. the stacks, with the guards below them.
//!
//! Classes are mostly given to whole mappings. Where the kernel merged neighbours that belong to two classes, or where
//! a reservation ends inside a mapping, the mapping is split (`pieces`).

mod charge;
mod jvm;
mod malloc;
mod names;
mod pieces;
mod stacks;
mod totals;

use model::{AddressSpace, MemoryClass, MemoryMap, ProcessReading};

use pieces::Pieces;
pub use stacks::shows_stacks;

/// Classes the memory of a process. Without its mappings the map is empty, the process's size in it unexplained.
///
/// The sum over the classes is VmSize, as far as the snapshot is one: mappings made or removed between the reading of
/// the sizes and of the list show as `Unexplained`, or not at all. The old vsyscall page (4 KiB, on x86-64 the same one
/// for everybody) is listed and counted, as pmap does, though VmSize leaves it out.
///
/// `committed` is what the process is charged for: with smaps exactly the mappings flagged `ac`, else derived
/// (see [`MemoryMap::committed_exact`]). Shared memory objects are charged once, to nobody's mapping, and not counted.
#[must_use]
pub fn classify(process: &ProcessReading) -> MemoryMap {
    let empty = AddressSpace::default();
    let space = process.space.value().unwrap_or(&empty);
    if !is_in_order(space) {
        // Never from a reader: a case file that was tampered with. All of it stays unexplained.
        let class_of = vec![MemoryClass::Unexplained; space.mappings.len()];
        let nothing = ProcessReading {
            stat: process.stat.clone(),
            statm: process.statm.clone(),
            ..ProcessReading::default()
        };
        return MemoryMap { class_of, ..classify(&nothing) };
    }
    let named = names::Named::of(space);
    let mut base = names::Base::of(space, &named);
    let mut pieces = Pieces::new(space, std::mem::take(&mut base.classes));
    let charge = charge::Charge::of(space);
    let hinted = stacks::Hinted::find(process, space, &charge, named.libc, &pieces);
    if named.is_jvm {
        jvm::claim(process, space, &named, &base, &charge, &hinted, &mut pieces);
    }
    if named.libc != model::Libc::Musl {
        malloc::claim(space, &base.aligned, &charge, &hinted, &mut pieces);
    }
    let (stacks, missing) = stacks::claim(process, space, &charge, hinted, named.libc, &mut pieces);
    let mut map = totals::sum(process, space, &charge, pieces);
    map.stacks = stacks;
    map.stacks_missing = missing;
    map.libc = named.libc;
    map
}

/// Are all ranges ranges, in address order and not over each other? What follows counts on it.
fn is_in_order(space: &AddressSpace) -> bool {
    fn ranges(mut all: impl Iterator<Item = (u64, u64)>) -> bool {
        let mut last = 0;
        all.all(|(start, end)| {
            let fits = last <= start && start < end;
            last = end;
            fits
        })
    }
    ranges(space.mappings.iter().map(|mapping| (mapping.start, mapping.end)))
        && ranges(space.guards.iter().copied())
        && ranges(space.stretches.iter().map(|stretch| (stretch.start, stretch.end)))
}

#[cfg(test)]
mod tests;
