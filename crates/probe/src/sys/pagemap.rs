//! The PAGEMAP_SCAN ioctl (Linux ≥ 6.7, include/uapi/linux/fs.h): asks the kernel which pages of a range are of a kind
//! and gets ranges back, instead of one word per page.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd as _};

use rustix::io::Errno;

/// The page is in memory.
const PRESENT: u64 = 1 << 3;
/// The page table holds an entry for it that is not a page: swapped out, being moved, or a guard.
const SWAPPED: u64 = 1 << 4;
/// It is the shared page of zeros.
const ZERO: u64 = 1 << 5;
/// It is a guard made by MADV_GUARD_INSTALL (Linux ≥ 6.15 says so).
pub const GUARD: u64 = 1 << 8;

/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: libc::c_ulong = 0xc060_6610;

/// `struct page_region`: neighbouring pages of one kind.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /// [`GUARD`], or 0.
    pub categories: u64,
}

/// `struct pm_scan_arg`.
#[repr(C)]
#[derive(Debug, Default)]
struct Arguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// Asks for the ranges of `start..end` with a page that is present, swapped out or a guard, and is not the zero page;
/// guards are told apart only when `guards` (a kernel before 6.15 answers EINVAL then). Fills `regions` from its
/// beginning, stops when it is full or after `max_pages` pages, and says how many it filled.
///
/// `pagemap` is an opened /proc/PID/pagemap; without the right to read it the open already fails. When the process
/// has ended there is nothing to find, and no error.
pub fn scan(
    pagemap: impl AsFd,
    start: u64,
    end: u64,
    max_pages: u64,
    guards: bool,
    regions: &mut [Region],
) -> Result<usize, Errno> {
    let mut arguments = Arguments {
        size: size_of::<Arguments>() as u64,
        start,
        end,
        vec: regions.as_mut_ptr().expose_provenance() as u64,
        vec_len: regions.len() as u64,
        max_pages,
        category_inverted: ZERO,
        category_mask: ZERO,
        category_anyof_mask: PRESENT | SWAPPED,
        return_mask: if guards { GUARD } else { 0 },
        ..Arguments::default()
    };
    loop {
        // SAFETY: the kernel reads and writes the structure, which is laid out as it wants it and lives through the
        // call, and writes at most `vec_len` regions to `vec`: that many are there, and any bytes make valid ones.
        let answer =
            unsafe { libc::ioctl(pagemap.as_fd().as_raw_fd(), PAGEMAP_SCAN as _, &raw mut arguments) };
        match usize::try_from(answer) {
            Ok(filled) => return Ok(filled.min(regions.len())),
            Err(_) => match Errno::from_io_error(&std::io::Error::last_os_error()) {
                Some(Errno::INTR | Errno::AGAIN) => {}
                error => return Err(error.unwrap_or(Errno::IO)),
            },
        }
    }
}

/// Does this kernel have the call? Asked on flatfoot's own pages.
#[must_use]
pub fn available() -> bool {
    let here = 0_u8;
    let page = (&raw const here).addr() as u64 & !0xffff;
    let mut regions = [Region::default(); 1];
    std::fs::File::open("/proc/self/pagemap")
        .is_ok_and(|file| scan(file, page, page + 0x1_0000, 1, false, &mut regions).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_the_kernels() {
        assert_eq!(size_of::<Arguments>(), 96);
        assert_eq!(size_of::<Region>(), 24);
        // _IOWR: direction 3, size, type 'f', number 16.
        assert_eq!(PAGEMAP_SCAN, (3 << 30) | (96 << 16) | (libc::c_ulong::from(b'f') << 8) | 16);
    }

    #[test]
    fn other_files_have_no_pages() {
        let null = std::fs::File::open("/dev/null").unwrap();
        assert!(scan(null, 0, 4096, 0, false, &mut [Region::default(); 1]).is_err());
    }
}
