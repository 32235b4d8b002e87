//! HotSpot's reservations. The JVM reserves address space in a few large pieces, without access, and commits parts of
//! them; what each is for shows in its place, its size and its permissions:
//!
//! | class | how it is found |
//! |---|---|
//! | Java heap | below 32 GiB (compressed oops): the largest run of mappings there. Above: the run, or the pairs of committed and reserved memory, whose size -Xmx says, else the largest ones. ZGC: the mappings of memfd `java_heap` |
//! | CDS archive | `*.jsa`, outside the heap (G1 maps archived objects into it), up to the class space |
//! | class space | 1 GiB, or CompressedClassSpaceSize, from the first committed memory after the archive on; without an archive the end of the run that the heap is in |
//! | metaspace | nodes of 64 MiB (8 MiB in JDK 16 and early 17), aligned to a quarter of that (half), committed in granules of 64 KiB |
//! | code cache | the largest run with executable anonymous memory; 240 MiB, or ReservedCodeCacheSize |
//!
//! Limits, to be refined by what the JVM itself says (a later access level): a fully committed heap above 32 GiB without
//! -Xmx is not told from the collector's tables beside it; a metaspace node that looks like one of glibc's heaps (aligned to
//! 64 MiB, one committed part) is taken for one unless smaps was read or it lies below the archive; JDK 8 to 15 have
//! smaller metaspace nodes, which stay anonymous. The collector's tables, direct buffers and what the JVM allocates by malloc are
//! `Anonymous` and `Reserved`.
//!
//! Sources: HotSpot's memory/metaspace, cds, code/codeCache.cpp, oops/compressedOops; layouts seen with JDK 17 and 25
//! under G1, Serial, Parallel, Shenandoah and ZGC.

use std::ops::Range;

use model::{AddressSpace, Mapping, MemoryClass, ProcessReading, VmFlags};

use super::charge::Charge;
use super::names::{Base, Named};
use super::pieces::Pieces;
use super::stacks::Hinted;

mod heap;
mod metaspace;
mod options;

use options::Options;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What the steps below look at.
struct Jvm<'a> {
    space: &'a AddressSpace,
    named: &'a Named,
    base: &'a Base,
    charge: &'a Charge<'a>,
    hinted: &'a Hinted,
    options: Options,
}

/// Gives the JVM's memory its classes.
pub(super) fn claim(
    process: &ProcessReading,
    space: &AddressSpace,
    named: &Named,
    base: &Base,
    charge: &Charge<'_>,
    hinted: &Hinted,
    pieces: &mut Pieces<'_>,
) {
    let options = match process.jvm.value() {
        Some(jvm) => Options::of_jvm(jvm),
        None => process.cmdline.value().map(|line| Options::parse(line)).unwrap_or_default(),
    };
    let jvm = Jvm { space, named, base, charge, hinted, options };
    jvm.code_cache(pieces);
    let archive = jvm.archive_and_class_space(pieces);
    jvm.heap(pieces, archive.is_none());
    jvm.metaspace(pieces, archive);
}

impl Jvm<'_> {
    /// May a mapping be part of one of the JVM's reservations?
    fn is_free(&self, pieces: &Pieces<'_>, index: usize) -> bool {
        pieces.is_free(index) && !self.hinted.is_stack_or_guard(index)
    }

    /// The mappings from one on that follow each other without a gap and of which `fits` is true.
    fn run(&self, first: usize, fits: impl Fn(usize) -> bool) -> Range<usize> {
        self.run_over(first, 0, fits)
    }

    /// The same, over gaps of at most so many bytes.
    fn run_over(&self, first: usize, gap: u64, fits: impl Fn(usize) -> bool) -> Range<usize> {
        let mappings = &self.space.mappings;
        let mut after = first;
        while after < mappings.len()
            && (after == first || mappings[after].start - mappings[after - 1].end <= gap)
            && fits(after)
        {
            after += 1;
        }
        first..after
    }

    /// The addresses of a run.
    fn bounds(&self, run: &Range<usize>) -> (u64, u64) {
        match self.space.mappings.get(run.clone()) {
            Some([first, .., last]) => (first.start, last.end),
            Some([only]) => (only.start, only.end),
            _ => (0, 0),
        }
    }

    /// The archive, with the filler behind it, and the class space. Says where the archive begins.
    ///
    /// ```text
    /// 5c000000-5c001000 ---p                  JDK 24 and later: a guard
    /// 5c001000-5cd95000 rw-p  …/classes.jsa
    /// 5cd95000-5d000000 ---p                  filler
    /// 5d000000-5d010000 rw-p                  the class space
    /// 5d010000-9d000000 ---p
    /// ```
    fn archive_and_class_space(&self, pieces: &mut Pieces<'_>) -> Option<u64> {
        let mappings = &self.space.mappings;
        let is_archive = |index: usize| Named::is(&self.named.archives, &mappings[index]);
        let mut begins = None;
        let mut done = 0;
        for index in self.base.archives.iter().copied() {
            if index < done {
                continue;
            }
            let Some(guard) = self.guard_of_archive(pieces, index) else { continue };
            let run = self.run(index, |at| is_archive(at) || self.is_free(pieces, at));
            let Some(last) = run.clone().rev().find(|at| is_archive(*at)) else { break };
            let (_, end) = self.bounds(&run);
            for at in guard..=last {
                pieces.set(at, MemoryClass::CdsArchive);
            }
            begins.get_or_insert(mappings[guard].start);
            if let Some(first) = (last + 1..run.end).find(|at| mappings[*at].perms.write()) {
                let from = mappings[first].start;
                let to = end.min(from.saturating_add(self.options.class_space));
                pieces.claim(mappings[last].end, from, MemoryClass::CdsArchive, |_| false);
                pieces.claim(from, to, MemoryClass::Metaspace, |_| false);
            }
            done = run.end;
        }
        begins
    }

    /// The mapping that an archive begins with, its guard if it has one. `None` when what is mapped here are the
    /// archive's objects, in the heap: below 32 GiB, and the heap goes on below them.
    fn guard_of_archive(&self, pieces: &Pieces<'_>, index: usize) -> Option<usize> {
        let mappings = &self.space.mappings;
        let mut size = 0;
        let mut first = index;
        let is_objects = |at: usize| {
            Named::is(&self.named.archives, &mappings[at]) && pieces.class(at) != MemoryClass::CdsArchive
        };
        while first > 0
            && mappings[first - 1].end == mappings[first].start
            && (self.is_free(pieces, first - 1) || is_objects(first - 1))
        {
            first -= 1;
            size += mappings[first].size().0;
            if size >= MIB {
                return (mappings[index].start > 32 * GIB).then_some(index);
            }
        }
        let is_guard =
            index == first + 1 && mappings[first].perms.none() && mappings[first].start.is_multiple_of(MIB);
        Some(if is_guard { first } else { index })
    }

    /// The run with executable memory that is most likely the code cache.
    fn code_cache(&self, pieces: &mut Pieces<'_>) {
        let mappings = &self.space.mappings;
        let is_code = |mapping: &Mapping| mapping.perms.exec() && mapping.perms.write();
        let mut best: Option<(u64, u64)> = None;
        let mut done = 0;
        for index in self.base.code.iter().copied() {
            if index < done || !self.is_free(pieces, index) {
                continue;
            }
            let run = self.run(index, |at| {
                self.is_free(pieces, at) && (is_code(&mappings[at]) || mappings[at].perms.none())
            });
            done = run.end;
            let (start, end) = self.bounds(&run);
            // The rest of a page or two: sizes are rounded up to the reservation's alignment.
            let wanted = self.options.code_cache;
            let end = if end - start > wanted + 64 * 1024 { start + wanted } else { end };
            if best.is_none_or(|(from, to)| to - from < end - start) {
                best = Some((start, end));
            }
        }
        if let Some((start, end)) = best {
            pieces.claim(start, end, MemoryClass::CodeCache, |_| false);
        }
    }

    /// Is a mapping reserved without charge: what a HotSpot reservation and a glibc heap are, and its commits are not?
    fn is_uncharged(&self, index: usize) -> Option<bool> {
        self.charge.flag(index, VmFlags::ACCOUNTED).map(|charged| !charged)
    }
}

#[cfg(test)]
mod tests;
