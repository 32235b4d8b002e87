//! The Java heap.

use std::ops::Range;

use model::MemoryClass;

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
        let fits = |at: usize| self.is_free(pieces, at) && !mappings[at].perms.exec();
        let mut best: Option<(u64, u64)> = None;
        let mut index = first;
        while index < mappings.len() {
            let run = self.run(index, fits);
            index = run.end.max(index + 1);
            let found = match self.options.heap {
                Some(size) => self.of_size(&run, size),
                None => self.largest_pairs(&run),
            };
            if let Some((start, end)) = found
                && best.is_none_or(|(from, to)| to - from < end - start)
            {
                best = Some((start, end));
            }
        }
        // Smaller than that it cannot be told from other memory.
        best.filter(|(start, end)| end - start >= 8 * MIB)
    }

    /// The part of a run that begins with committed memory and is as large as -Xmx, rounded up to a region (32 MiB at
    /// most). A heap that is committed in whole may have merged with the tables below it: then the run's end.
    fn of_size(&self, run: &Range<usize>, size: u64) -> Option<(u64, u64)> {
        let mappings = self.space.mappings.get(run.clone())?;
        let (_, run_end) = self.bounds(run);
        let fits = |start: u64, end: u64| (size..=size.saturating_add(32 * MIB)).contains(&(end - start));
        for (at, mapping) in mappings.iter().enumerate().filter(|(_, mapping)| mapping.perms.write()) {
            let ends = &mappings[at..];
            let place = ends.partition_point(|end| end.end - mapping.start < size);
            if let Some(end) = ends.get(place).map(|end| end.end).filter(|end| fits(mapping.start, *end)) {
                return Some((mapping.start, end));
            }
        }
        let last = mappings.last()?;
        let start = run_end.checked_sub(size)?;
        (last.perms.write() && start >= last.start && start.is_multiple_of(MIB)).then_some((start, run_end))
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
