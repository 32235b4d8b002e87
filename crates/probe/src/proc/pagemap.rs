//! What of each mapping is in use: pages that are in memory or swapped out, the shared page of zeros left out.
//!
//! A page counts when this process's page table has it. For anonymous memory that is what it cost; for a mapped file
//! it is what this process has looked at and the page cache still holds. The page of zeros does not count: memory that
//! was only ever read is not in use. (Linux 6.7 to 6.15 does not recognise the huge one, 2 MiB of zeros that a read can
//! bring in where transparent huge pages are `always`; there such memory counts.)
//!
//! The kernel holds the target's mmap lock for each call, so the calls are small ([`Pace`]).

use std::os::fd::AsFd;

use model::{Mapping, Stretch};
use rustix::io::Errno;

use crate::budget::Pace;
use crate::sys::pagemap::{GUARD, Region, scan};

/// Addresses from here on are the kernel's: the old vsyscall page is listed there.
const KERNEL_HALF: u64 = 1 << 63;

/// Pages are at least this large; regions and hints are only ever compared, never counted in pages.
const SMALLEST_PAGE: u64 = 4096;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Bytes in use in each mapping.
    pub bytes: Vec<u64>,
    /// Ranges made guards by MADV_GUARD_INSTALL, in address order.
    pub guards: Vec<(u64, u64)>,
    /// Mappings that hold several stacks, in stretches.
    pub stretches: Vec<Stretch>,
}

/// Counts, over an opened /proc/PID/pagemap. `hints` are addresses in stacks, ascending: a mapping with several of
/// them is also counted up to each. `ENOTTY` (`INVAL` on some) when the kernel has no PAGEMAP_SCAN.
pub fn touched(
    pagemap: impl AsFd,
    mappings: &[Mapping],
    hints: &[u64],
    pace: &Pace,
) -> Result<Touched, Errno> {
    walk(mappings, hints, pace, |start, end, max_pages, guards, regions| {
        scan(&pagemap, start, end, max_pages, guards, regions)
    })
}

/// The walk, with the kernel's part as a function: `ask(start, end, max_pages, guards, regions)`.
fn walk(
    mappings: &[Mapping],
    hints: &[u64],
    pace: &Pace,
    mut ask: impl FnMut(u64, u64, u64, bool, &mut [Region]) -> Result<usize, Errno>,
) -> Result<Touched, Errno> {
    let mut regions = vec![Region::default(); 512];
    let mut sums = Sums::new(mappings, hints);
    let most_pages = (pace.scan_bytes / SMALLEST_PAGE).max(1);
    let mut guards = true;
    let mut limit = pace.scan_bytes;
    let end_of_all = mappings.partition_point(|mapping| mapping.end <= KERNEL_HALF);
    let mappings = &mappings[..end_of_all];
    let mut first = 0;
    let mut from = 0;
    while let Some(mapping) = mappings.get(first) {
        from = mapping.start.max(from);
        let (next, to) = chunk(mappings, first, from, limit, pace.scan_mappings);
        let mut found = 0_u64;
        let mut at = from;
        while at < to {
            let filled = match ask(at, to, most_pages, guards, &mut regions) {
                Ok(filled) => filled,
                // A kernel before 6.15 doesn't know the category.
                Err(Errno::INVAL) if guards => {
                    guards = false;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let bytes = regions[..filled]
                .iter()
                .map(|region| region.end.saturating_sub(region.start))
                .fold(0, u64::saturating_add);
            for region in &regions[..filled] {
                sums.add(region);
            }
            found = found.saturating_add(bytes);
            // Not by the call's own `walk_end`: that can be stale, and regions would come twice.
            let stopped = filled == regions.len() || bytes >= most_pages * SMALLEST_PAGE;
            match regions[..filled].last() {
                Some(last) if stopped && last.end > at => at = last.end,
                _ => break,
            }
        }
        limit = if found > 0 { pace.scan_bytes } else { (limit * 2).min(pace.scan_empty_bytes) };
        first = next;
        from = to;
    }
    Ok(sums.finish())
}

/// From address `from` in mapping `first`: which mapping comes after a chunk of at most so many bytes and mappings,
/// and where the chunk ends. Gaps between mappings cost nothing and count nothing.
fn chunk(mappings: &[Mapping], first: usize, from: u64, bytes: u64, count: usize) -> (usize, u64) {
    let mut left = bytes.max(SMALLEST_PAGE);
    let mut to = from;
    for (index, mapping) in mappings.iter().enumerate().skip(first).take(count.max(1)) {
        let start = mapping.start.max(from);
        let size = mapping.end.saturating_sub(start);
        if size > left {
            // A part of a mapping only as a chunk of its own, so that small ones stay whole.
            return if index == first { (first, start + (left & !(SMALLEST_PAGE - 1))) } else { (index, to) };
        }
        left -= size;
        to = mapping.end;
    }
    (mappings.len().min(first + count.max(1)), to)
}

/// Regions, which come in address order, summed by mapping.
struct Sums<'a> {
    mappings: &'a [Mapping],
    hints: &'a [u64],
    touched: Touched,
    index: usize,
    /// What is touched of the mapping at `index`, and its guards: from which index of `touched.guards` on.
    inside: Vec<(u64, u64)>,
    guards_from: usize,
}

impl<'a> Sums<'a> {
    fn new(mappings: &'a [Mapping], hints: &'a [u64]) -> Self {
        let touched = Touched { bytes: vec![0; mappings.len()], ..Touched::default() };
        Self { mappings, hints, touched, index: 0, inside: Vec::new(), guards_from: 0 }
    }

    fn add(&mut self, region: &Region) {
        // One region may run over several adjacent mappings.
        let mut start = region.start;
        while start < region.end {
            let Some(mapping) = self.mappings.get(self.index) else { return };
            if mapping.end <= start {
                self.leave();
                continue;
            }
            let (from, to) = (start.max(mapping.start), region.end.min(mapping.end));
            if from >= to {
                return;
            }
            if region.categories & GUARD == 0 {
                self.touched.bytes[self.index] += to - from;
                match self.inside.last_mut() {
                    Some(last) if last.1 == from => last.1 = to,
                    _ => self.inside.push((from, to)),
                }
            } else {
                match self.touched.guards[self.guards_from..].last_mut() {
                    Some(last) if last.1 == from => last.1 = to,
                    _ => self.touched.guards.push((from, to)),
                }
            }
            start = to;
        }
    }

    /// Goes on to the next mapping; the one left is cut into stretches when it holds several stacks.
    fn leave(&mut self) {
        let mapping = &self.mappings[self.index];
        let guards = &self.touched.guards[self.guards_from..];
        let first = self.hints.partition_point(|hint| *hint < mapping.start);
        let inside = self.hints[first..].iter().take_while(|hint| **hint < mapping.end);
        let tops: Vec<u64> =
            inside.map(|hint| hint.saturating_add(SMALLEST_PAGE) & !(SMALLEST_PAGE - 1)).collect();
        if !guards.is_empty() || tops.len() > 1 {
            let mut cuts: Vec<u64> = guards.iter().flat_map(|guard| [guard.0, guard.1]).chain(tops).collect();
            cuts.push(mapping.end);
            cuts.sort_unstable();
            let mut start = mapping.start;
            let mut pieces = self.inside.iter().copied().peekable();
            for cut in cuts {
                let end = cut.clamp(start, mapping.end);
                let is_guard = guards.iter().any(|guard| guard.0 <= start && end <= guard.1);
                if end > start && !is_guard {
                    let mut touched = 0;
                    while let Some(piece) = pieces.peek().copied().filter(|piece| piece.0 < end) {
                        touched += piece.1.min(end).saturating_sub(piece.0.max(start));
                        if piece.1 > end {
                            break;
                        }
                        pieces.next();
                    }
                    self.touched.stretches.push(Stretch { start, end, touched });
                }
                start = end;
            }
        }
        self.guards_from = self.touched.guards.len();
        self.inside.clear();
        self.index += 1;
    }

    fn finish(mut self) -> Touched {
        while self.index < self.mappings.len() {
            self.leave();
        }
        self.touched
    }
}

#[cfg(test)]
mod tests;
