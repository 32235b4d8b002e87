//! The ring: appending records to the mapped file, from any thread, without waiting.
//!
//! The file is shared with flatfoot, so nothing that is read from it decides where is written: places come from the
//! statics here. The one thing taken from it is the lease.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use crate::layout::{BAD_RING, MAP_FAILED, OPEN_FAILED};
use crate::layout::{H_DROPPED, H_LEASE, H_MAGIC, H_STATE, H_USED, HEADER, MAGIC, RECORDS, SLOTS};
use crate::options::Path;
use crate::sys;

const MOST: usize = 64 << 20;

static BASE: AtomicPtr<u8> = AtomicPtr::new(core::ptr::null_mut());
static SIZE: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

/// The mapped ring. Get it only within `hook::enter`, or while no hook can be inside: it is unmapped after that.
#[derive(Clone, Copy)]
pub struct Ring {
    base: *mut u8,
    size: usize,
}

/// Maps the file as the ring.
pub fn open(path: &Path) -> Result<(), i32> {
    let file = sys::File::open(path.as_cstr(), true).map_err(|errno| OPEN_FAILED + errno)?;
    let size = file.regular_size().ok_or(BAD_RING)?;
    if !(RECORDS + 4096..=MOST).contains(&size) {
        return Err(BAD_RING);
    }
    let base = file.map(size).map_err(|errno| MAP_FAILED + errno)?;
    let ring = Ring { base, size };
    if ring.word(H_MAGIC).load(Relaxed) != MAGIC {
        // SAFETY: mapped above, known to nobody else.
        unsafe { sys::unmap(base, size) };
        return Err(BAD_RING);
    }
    USED.store(0, SeqCst);
    SIZE.store(size, SeqCst);
    BASE.store(base, SeqCst);
    Ok(())
}

/// Unmaps the ring, after a last word in it.
///
/// # Safety
/// No thread may be using it.
pub unsafe fn close(state: u64) {
    if let Some(ring) = current() {
        ring.word(H_STATE).store(state, Release);
        BASE.store(core::ptr::null_mut(), SeqCst);
        // SAFETY: the mapping of `open`; the caller's promise.
        unsafe { sys::unmap(ring.base, ring.size) };
    }
}

/// The ring, when there is one.
pub fn current() -> Option<Ring> {
    let base = BASE.load(Acquire);
    (!base.is_null()).then(|| Ring { base, size: SIZE.load(Acquire) })
}

impl Ring {
    /// A word of the header or the table.
    pub fn word(self, offset: usize) -> &'static AtomicU64 {
        let offset = if offset < RECORDS { offset & !7 } else { 0 };
        // SAFETY: RECORDS bytes at least are mapped, page-aligned, and `offset` is in them and aligned. 'static is a
        // lie that callers keep short: nobody holds it beyond `hook::enter`.
        unsafe { &*self.base.add(offset).cast::<AtomicU64>() }
    }

    /// Starts of a slot, and failed ones.
    pub fn slot(self, slot: u32) -> Option<(&'static AtomicU64, &'static AtomicU64)> {
        let at = HEADER + (slot as usize) * 16;
        ((slot as usize) < SLOTS).then(|| (self.word(at), self.word(at + 8)))
    }

    pub fn lease(self) -> u64 {
        self.word(H_LEASE).load(Acquire)
    }

    /// Appends a record made of parts, if it fits in what is left below `sixteenths` of the ring.
    pub fn append(self, kind: u32, sixteenths: usize, parts: &[&[u8]]) -> bool {
        let payload = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let total = payload.saturating_add(8 + 7) & !7;
        let room = (self.size - RECORDS) / 16 * sixteenths.min(16);
        let place = USED.fetch_update(AcqRel, Acquire, |used| {
            used.checked_add(total).filter(|end| total < 0xffff && *end <= room)
        });
        let Ok(place) = place else {
            self.word(H_DROPPED).fetch_add(1, Relaxed);
            return false;
        };
        // SAFETY: `place + total` is at most `room`, and so within the mapping behind RECORDS; places are given out
        // once, are multiples of 8, and the parts' bytes sum up to `payload`.
        unsafe {
            let record = self.base.add(RECORDS + place);
            record.cast::<u32>().write(total as u32);
            let mut to = record.add(8);
            for part in parts {
                core::ptr::copy_nonoverlapping(part.as_ptr(), to, part.len());
                to = to.add(part.len());
            }
            (*record.add(4).cast::<core::sync::atomic::AtomicU32>()).store(kind, Release);
        }
        self.word(H_USED).fetch_add(total as u64, Relaxed);
        true
    }
}

/// A string's length as it is written before it; longer ones were cut by who read them.
pub fn length(text: &[u8]) -> [u8; 2] {
    (text.len().min(0xffff) as u16).to_ne_bytes()
}

/// The most of a text that is written.
pub fn short(text: &[u8]) -> &[u8] {
    text.get(..2048).unwrap_or(text)
}
