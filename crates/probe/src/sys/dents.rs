//! Listing a directory of numbers (pids, tids, descriptors) with few calls: a large getdents64 buffer and no
//! allocation per entry. The standard library's 32 KiB and a `String` per name cost twice as much.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::{RawDir, SeekFrom, seek};
use rustix::io::Errno;

/// The most entries taken from one directory: the kernel's own limit of pids (PID_MAX_LIMIT).
const MOST: usize = 4_194_304;

/// A buffer for listings, kept from one to the next.
#[derive(Debug)]
pub struct Listing {
    space: Box<[MaybeUninit<u8>]>,
}

impl Default for Listing {
    fn default() -> Self {
        // Some 2,000 entries of /proc/PID/task: most listings need one call, and one that says "no more".
        Self { space: vec![MaybeUninit::uninit(); 64 * 1024].into_boxed_slice() }
    }
}

impl Listing {
    /// Puts the entries whose names are decimal numbers into `numbers` (what it held is lost), in the
    /// directory's order; anything else is left out.
    pub fn numbers(&mut self, dir: impl AsFd, numbers: &mut Vec<u32>) -> Result<(), Errno> {
        numbers.clear();
        let mut entries = RawDir::new(dir, &mut self.space);
        while let Some(entry) = entries.next() {
            if let Some(number) = decimal(entry?.file_name().to_bytes()) {
                numbers.push(number);
                if numbers.len() == MOST {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The same for a descriptor that was listed before: starts at its beginning again.
    pub fn restart(&mut self, dir: impl AsFd, numbers: &mut Vec<u32>) -> Result<(), Errno> {
        seek(&dir, SeekFrom::Start(0))?;
        self.numbers(dir, numbers)
    }
}

/// `4711`; not `+1`, `007` or `4294967296`.
fn decimal(name: &[u8]) -> Option<u32> {
    if name.is_empty() || name.len() > 10 || (name[0] == b'0' && name.len() > 1) {
        return None;
    }
    name.iter().try_fold(0_u32, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(digit).and_then(|digit| sum.checked_mul(10)?.checked_add(u32::from(digit)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_count() {
        assert_eq!(decimal(b"4711"), Some(4711));
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"4294967295"), Some(u32::MAX));
        for name in [&b""[..], b"4294967296", b"007", b"+1", b"-1", b"1a", b"self", b"99999999999"] {
            assert_eq!(decimal(name), None, "{name:?}");
        }
    }

    #[test]
    fn lists_more_than_one_buffer_holds() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..5_000 {
            std::fs::write(dir.path().join(number.to_string()), b"").unwrap();
        }
        std::fs::write(dir.path().join("self"), b"").unwrap();
        let mut numbers = vec![7];
        let place = std::fs::File::open(dir.path()).unwrap();
        let mut listing = Listing::default();
        listing.numbers(&place, &mut numbers).unwrap();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..5_000).collect::<Vec<_>>());
        listing.numbers(&place, &mut numbers).unwrap();
        assert!(numbers.is_empty(), "the descriptor stands at the end");
        listing.restart(&place, &mut numbers).unwrap();
        assert_eq!(numbers.len(), 5_000);
    }
}
