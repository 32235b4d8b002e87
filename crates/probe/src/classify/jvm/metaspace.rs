//! Metaspace outside the class space: nodes of one size, committed in granules.

use model::MemoryClass;

use super::super::pieces::Pieces;
use super::{Jvm, MIB};

/// Commit granule: each border of committed memory lies at a multiple of it.
const GRANULE: u64 = 64 << 10;

/// A node's size, and what its address is a multiple of.
const NODES: [(u64, u64); 2] = [(64 * MIB, 16 * MIB), (8 * MIB, 4 * MIB)];

impl Jvm<'_> {
    /// Gives the nodes their class. The first one ends, mostly, where the archive begins: it was the next to be reserved.
    pub(super) fn metaspace(&self, pieces: &mut Pieces<'_>, archive: Option<u64>) {
        let mut node = None;
        for (size, alignment) in NODES {
            let start = archive.and_then(|end| end.checked_sub(size));
            let first =
                start.filter(|start| start.is_multiple_of(alignment)).and_then(|start| self.at(start));
            if let Some(first) = first.filter(|first| self.is_node(pieces, *first, size)) {
                node = Some((size, alignment));
                let start = self.space.mappings[first].start;
                pieces.claim(start, start + size, MemoryClass::Metaspace, |_| false);
            }
        }
        // Without that example: the size of all current JVMs.
        let (size, alignment) = node.unwrap_or(NODES[0]);
        for index in self.base.aligned.iter().copied() {
            let start = self.space.mappings[index].start;
            if start.is_multiple_of(alignment)
                && self.is_node(pieces, index, size)
                && (self.is_uncharged(index) == Some(false) || self.is_no_arena(index, size))
            {
                pieces.claim(start, start + size, MemoryClass::Metaspace, |_| false);
            }
        }
    }

    fn at(&self, start: u64) -> Option<usize> {
        self.space.mappings.binary_search_by_key(&start, |mapping| mapping.start).ok()
    }

    /// Could a node begin with this mapping? Committed memory first, nothing but committed and reserved memory in the
    /// whole of it, and all borders at granules.
    fn is_node(&self, pieces: &Pieces<'_>, first: usize, size: u64) -> bool {
        let mappings = &self.space.mappings;
        let Some(end) = mappings[first].start.checked_add(size) else { return false };
        if !mappings[first].perms.write() {
            return false;
        }
        // The list is read in pieces: memory that is committed meanwhile leaves a hole of some granules in it.
        let run = self.run_over(first, MIB, |at| {
            let mapping = &mappings[at];
            mapping.end <= end
                && self.is_free(pieces, at)
                && !mapping.perms.exec()
                && mapping.end.is_multiple_of(GRANULE)
        });
        // A node ends where a mapping ends: other reservations at such addresses (the collector's tables) are longer.
        self.bounds(&run).1 == end
    }

    /// Does what begins here not look like one of glibc's heaps: at another alignment, or in several parts?
    fn is_no_arena(&self, first: usize, size: u64) -> bool {
        let mappings = &self.space.mappings;
        let end = mappings[first].start + size;
        let parts = mappings[first..].iter().take_while(|mapping| mapping.start < end).count();
        !mappings[first].start.is_multiple_of(64 * MIB) || parts > 2
    }
}
