//! Which class each mapping, or part of one, has been given.

use std::ops::Range;

use model::{AddressSpace, MemoryClass};

/// A part of a mapping that has a class of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Which mapping.
    pub(super) index: usize,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) class: MemoryClass,
}

/// The classes given so far.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    space: &'a AddressSpace,
    /// The class of each mapping; of a split one, that of what is left between its parts.
    classes: Vec<MemoryClass>,
    /// Parts of split mappings, not sorted.
    parts: Vec<Piece>,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(space: &'a AddressSpace, classes: Vec<MemoryClass>) -> Self {
        debug_assert_eq!(space.mappings.len(), classes.len());
        Self { space, classes, parts: Vec::new() }
    }

    pub(super) fn class(&self, index: usize) -> MemoryClass {
        self.classes.get(index).copied().unwrap_or(MemoryClass::Unexplained)
    }

    /// Is it private memory without a file, that nobody has claimed?
    pub(super) fn is_free(&self, index: usize) -> bool {
        matches!(self.class(index), MemoryClass::Anonymous | MemoryClass::Reserved)
    }

    /// The mappings that lie, at least in part, in a range.
    pub(super) fn within(&self, start: u64, end: u64) -> Range<usize> {
        let mappings = &self.space.mappings;
        let first = mappings.partition_point(|mapping| mapping.end <= start);
        let after = mappings.partition_point(|mapping| mapping.start < end);
        first..after.max(first)
    }

    /// Gives a whole mapping a class.
    pub(super) fn set(&mut self, index: usize, class: MemoryClass) {
        if let Some(place) = self.classes.get_mut(index) {
            *place = class;
        }
    }

    /// Gives a range a class, except where another than plain anonymous memory lies in it; `also` lets in mappings
    /// that have a class already.
    pub(super) fn claim(&mut self, start: u64, end: u64, class: MemoryClass, also: impl Fn(usize) -> bool) {
        for index in self.within(start, end) {
            if self.is_free(index) || also(index) {
                self.claim_part(index, start, end, class);
            }
        }
    }

    /// Gives what lies of a range in a mapping a class.
    pub(super) fn claim_part(&mut self, index: usize, start: u64, end: u64, class: MemoryClass) {
        let Some(mapping) = self.space.mappings.get(index) else { return };
        let (start, end) = (start.max(mapping.start), end.min(mapping.end));
        if start >= end {
            return;
        }
        if start == mapping.start && end == mapping.end {
            self.classes[index] = class;
        } else {
            self.parts.push(Piece { index, start, end, class });
        }
    }

    /// All of it: the class of each mapping, and the pieces of those that are split, in address order. A split
    /// mapping's pieces cover it without gap or overlap, and its class is its first piece's.
    pub(super) fn finish(mut self) -> (Vec<MemoryClass>, Vec<Piece>) {
        if self.parts.is_empty() {
            return (self.classes, self.parts);
        }
        // Of two claims on the same bytes the one that begins first has them: no order of claims can break the sums.
        self.parts.sort_by_key(|piece| (piece.index, piece.start, piece.end));
        let mut whole: Vec<Piece> = Vec::with_capacity(self.parts.len() * 2);
        let mut parts = self.parts.iter().copied().peekable();
        while let Some(first) = parts.peek().copied() {
            let index = first.index;
            let rest_class = self.classes[index];
            let mapping = &self.space.mappings[index];
            let mut at = mapping.start;
            let from = whole.len();
            while let Some(part) = parts.next_if(|part| part.index == index) {
                if part.end <= at {
                    continue;
                }
                if part.start > at {
                    push(&mut whole, from, Piece { index, start: at, end: part.start, class: rest_class });
                }
                push(&mut whole, from, Piece { start: part.start.max(at), ..part });
                at = part.end;
            }
            if at < mapping.end {
                push(&mut whole, from, Piece { index, start: at, end: mapping.end, class: rest_class });
            }
            self.classes[index] = whole[from].class;
        }
        (self.classes, whole)
    }
}

/// Neighbouring stacks stay two pieces: each counts as one.
fn push(whole: &mut Vec<Piece>, from: usize, piece: Piece) {
    match whole[from..].last_mut() {
        Some(last) if last.class == piece.class && last.class != MemoryClass::ThreadStack => {
            last.end = piece.end;
        }
        _ => whole.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Mapping;

    #[test]
    fn claims_over_each_other_give_each_byte_once() {
        use MemoryClass as Class;
        let mapping = |start, end| Mapping { start, end, ..Mapping::default() };
        let space =
            AddressSpace { mappings: vec![mapping(0, 100), mapping(100, 200)], ..AddressSpace::default() };
        let mut pieces = Pieces::new(&space, vec![Class::Anonymous, Class::FilePrivate]);
        pieces.claim(10, 150, Class::JavaHeap, |_| false);
        pieces.claim_part(0, 5, 40, Class::Guard);
        pieces.claim_part(0, 30, 60, Class::ThreadStack);
        pieces.claim_part(0, 60, 70, Class::ThreadStack);
        let (classes, parts) = pieces.finish();
        assert_eq!(classes, [Class::Anonymous, Class::FilePrivate]);
        let parts: Vec<_> = parts.iter().map(|part| (part.index, part.start, part.end, part.class)).collect();
        assert_eq!(
            parts,
            [(0, 0, 5, Class::Anonymous), (0, 5, 40, Class::Guard), (0, 40, 100, Class::JavaHeap)],
            "whoever begins first has the bytes"
        );
    }
}
