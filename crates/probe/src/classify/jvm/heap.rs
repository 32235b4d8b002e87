//! The Java heap.

use std::ops::Range;

use model::{MemoryClass, VmFlags};

use super::super::malloc::{self, Shape};
use super::super::names::Named;
use super::super::pieces::Pieces;
use super::{GIB, Jvm, MIB};

/// Compressed oops (and the heap with them) end here.
const LOW: u64 = 32 * GIB;

impl Jvm<'_> {
    /// Gives the heap its class; and the class space above it, when that was not found with an archive.
    pub(super) fn heap(&self, pieces: &mut Pieces<'_>, class_space_missing: bool) {
        if self.zgc(pieces) {
            return;
        }
        let Some((start, end)) = self.low(pieces).or_else(|| self.high(pieces)) else { return };
        let mut heap_end = end;
        if class_space_missing {
            // Without an archive the class space is placed where the heap ends.
            let from = end.saturating_sub(self.options.class_space);
            let begins = self.space.mappings.binary_search_by_key(&from, |mapping| mapping.start);
            let fits = begins.is_ok_and(|at| self.space.mappings[at].perms.write())
                && self.options.heap.is_none_or(|heap| end - start >= heap + self.options.class_space);
            if from > start && fits {
                heap_end = from;
                pieces.claim(from, end, MemoryClass::Metaspace, |_| false);
            }
        }
        let archived = |index: usize| Named::is(&self.named.archives, &self.space.mappings[index]);
        pieces.claim(start, heap_end, MemoryClass::JavaHeap, archived);
    }

    /// ZGC maps a memory file, once or (up to JDK 20) three times, at the beginning of large reservations.
    fn zgc(&self, pieces: &mut Pieces<'_>) -> bool {
        let is_heap = |index: usize| Named::is(&self.named.zgc_heaps, &self.space.mappings[index]);
        if !self.named.zgc_heaps.contains(&true) {
            return false;
        }
        let mut found = false;
        let mut index = 0;
        while index < self.space.mappings.len() {
            let fits =
                |at: usize| is_heap(at) || (self.is_free(pieces, at) && self.space.mappings[at].perms.none());
            let run = if fits(index) { self.run(index, fits) } else { index..index + 1 };
            if run.clone().any(is_heap) {
                found = true;
                let (start, end) = self.bounds(&run);
                pieces.claim(start, end, MemoryClass::JavaHeap, is_heap);
            }
            index = run.end.max(index + 1);
        }
        found
    }

    /// The largest run below 32 GiB. With -Xmx it must be that large, or the heap is elsewhere.
    fn low(&self, pieces: &Pieces<'_>) -> Option<(u64, u64)> {
        let mappings = &self.space.mappings;
        let after = mappings.partition_point(|mapping| mapping.start < LOW);
        let archived = |at: usize| Named::is(&self.named.archives, &mappings[at]);
        let fits = |at: usize| {
            at < after
                && (self.is_free(pieces, at) || (archived(at) && pieces.class(at) != MemoryClass::CdsArchive))
        };
        let mut best: Option<(u64, u64)> = None;
        let mut index = 0;
        while index < after {
            let run = self.run(index, fits);
            let (start, end) = self.bounds(&run);
            if best.is_none_or(|(from, to)| to - from < end - start) && end > start {
                best = Some((start, end));
            }
            index = run.end.max(index + 1);
        }
        best.filter(|(start, end)| end - start >= self.options.heap.unwrap_or(2 * MIB).saturating_sub(MIB))
    }

    /// Above 32 GiB: pairs of committed memory and the reserved rest.
    fn high(&self, pieces: &Pieces<'_>) -> Option<(u64, u64)> {
        let mappings = &self.space.mappings;
        let first = mappings.partition_point(|mapping| mapping.start < LOW);
        let fits =
            |at: usize| self.is_free(pieces, at) && !mappings[at].perms.exec() && !self.is_malloc(pieces, at);
        let mut index = first;
        let mut best: Option<(u64, u64)> = None;
        while index < mappings.len() {
            let run = self.run(index, fits);
            index = run.end.max(index + 1);
            let found = match self.options.heap {
                Some(size) => self.of_size(&run, size),
                None => self.largest_pairs(&run),
            };
            let Some((start, end)) = found else { continue };
            // As near to what was said as it gets; else the largest.
            let is_better = best.is_none_or(|(from, to)| match self.options.heap {
                Some(_) => end - start < to - from,
                None => end - start > to - from,
            });
            if is_better {
                best = Some((start, end));
            }
        }
        // Smaller than that it cannot be told from other memory.
        best.filter(|(start, end)| end - start >= 8 * MIB)
    }

    /// Is it memory of malloc? The JVM's commits are charged, glibc's arenas are not. Without smaps, what looks just
    /// like one of glibc's heaps.
    fn is_malloc(&self, pieces: &Pieces<'_>, index: usize) -> bool {
        let mapping = &self.space.mappings[index];
        if mapping.perms.write() {
            let huge = self.charge.flag(index, VmFlags::HUGETLB).unwrap_or(false);
            return self
                .is_uncharged(index)
                .map_or_else(|| self.is_arena(pieces, index), |free| free && !huge);
        }
        // The rest of an arena ends a run as well.
        !self.charge.is_exact() && index > 0 && self.is_arena(pieces, index - 1)
    }

    /// One heap of glibc's and no more: 64 MiB, in two parts.
    fn is_arena(&self, pieces: &Pieces<'_>, index: usize) -> bool {
        let start = self.space.mappings[index].start;
        match malloc::arena_at(self.space, self.charge, pieces, index, 64 * MIB) {
            Shape::Arena(_, end) => end - start == 64 * MIB && self.space.mappings[index + 1].end == end,
            Shape::Full(..) | Shape::Other => false,
        }
    }

    /// The part of a run that begins with committed memory and is as large as -Xmx, rounded up to a region (a 2,048th of
    /// it, 1 to 32 MiB): the one that comes nearest. A heap that is committed in whole may have merged with the tables below it:
    /// then the run's end.
    fn of_size(&self, run: &Range<usize>, size: u64) -> Option<(u64, u64)> {
        let mappings = self.space.mappings.get(run.clone())?;
        let (_, run_end) = self.bounds(run);
        let most = (size / 1024).clamp(2 * MIB, 32 * MIB);
        let mut best: Option<(u64, u64)> = None;
        for (at, mapping) in mappings.iter().enumerate() {
            if !mapping.perms.write() || !mapping.start.is_multiple_of(MIB / 2) {
                continue;
            }
            let ends = &mappings[at..];
            let Some(last) = ends.get(ends.partition_point(|end| end.end - mapping.start < size)) else {
                break;
            };
            let excess = last.end - mapping.start - size;
            if excess <= most && best.is_none_or(|(start, end)| excess < end - start - size) {
                best = Some((mapping.start, last.end));
            }
        }
        if best.is_some() {
            return best;
        }
        let last = mappings.last()?;
        let start = run_end.checked_sub(size)?;
        (last.perms.write() && start >= last.start && start.is_multiple_of(MIB / 2))
            .then_some((start, run_end))
    }

    /// The largest pair of a run, with its neighbours of like size (Serial and Parallel have two generations, at 1:2).
    /// The collector's tables are a 64th of the heap at most.
    fn largest_pairs(&self, run: &Range<usize>) -> Option<(u64, u64)> {
        let mappings = self.space.mappings.get(run.clone())?;
        let mut pairs: Vec<(u64, u64)> = Vec::new();
        for (at, mapping) in mappings.iter().enumerate() {
            match pairs.last_mut() {
                Some(last) if mapping.perms.none() || !mappings[at - 1].perms.none() => last.1 = mapping.end,
                _ if mapping.perms.write() => pairs.push((mapping.start, mapping.end)),
                _ => {}
            }
        }
        let size = |pair: &(u64, u64)| pair.1 - pair.0;
        let largest = (0..pairs.len()).max_by_key(|at| size(&pairs[*at]))?;
        let like = |pair: &(u64, u64)| size(pair) >= size(&pairs[largest]) / 8;
        let below = pairs[..largest].iter().rev().take_while(|pair| like(pair)).last();
        let above = pairs[largest..].iter().take_while(|pair| like(pair)).last();
        Some((below.unwrap_or(&pairs[largest]).0, above.unwrap_or(&pairs[largest]).1))
    }
}
