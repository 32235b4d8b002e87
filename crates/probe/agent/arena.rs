//! Lists in memory of our own, for the length of a command. They may fail to grow, and say so; nothing panics, and
//! nothing touches the target's own allocator.

use core::mem::size_of;
use core::ptr::null_mut;

use crate::sys;

/// A growable list of plain values.
pub struct List<T: Copy> {
    at: *mut T,
    used: usize,
    room: usize,
}

const PAGE: usize = 4096;

impl<T: Copy> List<T> {
    pub const fn new() -> Self {
        Self { at: null_mut(), used: 0, room: 0 }
    }

    pub fn len(&self) -> usize {
        self.used
    }

    pub fn as_slice(&self) -> &[T] {
        if self.at.is_null() {
            return &[];
        }
        // SAFETY: `used` values were written there, in a mapping of ours.
        unsafe { core::slice::from_raw_parts(self.at, self.used) }
    }

    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if self.at.is_null() {
            return &mut [];
        }
        // SAFETY: as above, and borrowed alone.
        unsafe { core::slice::from_raw_parts_mut(self.at, self.used) }
    }

    /// Appends; false without memory, and then nothing was appended.
    pub fn push(&mut self, value: T) -> bool {
        self.extend(&[value])
    }

    /// Appends all or nothing.
    pub fn extend(&mut self, values: &[T]) -> bool {
        let Some(end) = self.used.checked_add(values.len()) else { return false };
        if end > self.room && !self.grow(end) {
            return false;
        }
        // SAFETY: there is room for `end` values, and `values` lies elsewhere: it is borrowed beside `&mut self`.
        unsafe { core::ptr::copy_nonoverlapping(values.as_ptr(), self.at.add(self.used), values.len()) };
        self.used = end;
        true
    }

    pub fn truncate(&mut self, length: usize) {
        self.used = self.used.min(length);
    }

    #[cold]
    fn grow(&mut self, least: usize) -> bool {
        let bytes = least.max(self.room.saturating_mul(2)).checked_mul(size_of::<T>().max(1));
        let Some(bytes) = bytes.and_then(|bytes| bytes.checked_next_multiple_of(PAGE)) else { return false };
        let Some(new) = sys::map_memory(bytes) else { return false };
        let new = new.cast::<T>();
        if !self.at.is_null() {
            // SAFETY: the new place is larger, fresh, and page-aligned; the old one is not used after this.
            unsafe {
                core::ptr::copy_nonoverlapping(self.at, new, self.used);
                sys::unmap(self.at.cast(), self.bytes());
            }
        }
        self.at = new;
        self.room = bytes / size_of::<T>().max(1);
        true
    }

    fn bytes(&self) -> usize {
        self.room.saturating_mul(size_of::<T>()).checked_next_multiple_of(PAGE).unwrap_or(0)
    }
}

impl<T: Copy> Drop for List<T> {
    fn drop(&mut self) {
        if !self.at.is_null() {
            // SAFETY: the mapping of `grow`, of so many bytes; nobody else has it.
            unsafe { sys::unmap(self.at.cast(), self.bytes()) };
        }
    }
}

/// A piece of a list of bytes.
#[derive(Clone, Copy, Default)]
pub struct Piece {
    pub start: u32,
    pub length: u32,
}

impl List<u8> {
    /// Appends a text; an empty piece without memory.
    pub fn keep(&mut self, text: &[u8]) -> Piece {
        let start = self.used as u32;
        if self.extend(text) { Piece { start, length: text.len() as u32 } } else { Piece::default() }
    }

    pub fn piece(&self, piece: Piece) -> &[u8] {
        let (start, length) = (piece.start as usize, piece.length as usize);
        self.as_slice().get(start..start.saturating_add(length)).unwrap_or(&[])
    }
}

// Writing records: the same forms as the ring's.
impl List<u8> {
    pub fn u16(&mut self, value: u16) {
        self.extend(&value.to_ne_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.extend(&value.to_ne_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.extend(&value.to_ne_bytes());
    }

    /// Length and bytes; cut at 2 KiB.
    pub fn text(&mut self, text: &[u8]) {
        let text = crate::ring::short(text);
        self.u16(text.len() as u16);
        self.extend(text);
    }
}
