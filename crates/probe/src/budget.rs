//! How fast flatfoot may read from a process, in one place: what the reading costs the target.
//!
//! The files of an address space are written by the kernel under the target's mmap lock. Page faults go on meanwhile,
//! but an mmap, munmap or mprotect of the target (and with them the start and end of its threads) waits for the lock.
//! Measured on a process of 60,000 mappings that maps, touches and unmaps in a loop (8 µs median, 17 µs p99 undisturbed;
//! kernel 6.18), its p99 became
//!
//! | reading | p99 |
//! |---|---|
//! | smaps, one read after the other | 8,500–9,400 µs: a reader that comes back at once keeps the waiting writer out |
//! | smaps, a short sleep after every fourth read | 71–75 µs, and half the CPU time of a sleep after each (29–33 µs) |
//! | PAGEMAP_SCAN of everything in one call | 16,000 µs |
//! | PAGEMAP_SCAN in chunks of ≤ 256 mappings and ≤ 8 MB | 17–19 µs |
//! | maps, one read after the other | 15–18 µs: since Linux 6.17 it takes no such lock |

use crate::Clock;

/// Sleeps between reads, and the sizes of chunks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Seconds to sleep between two reads of maps; 0 for none.
    pub maps_s: f64,
    /// Seconds to sleep after some reads of smaps.
    pub smaps_s: f64,
    /// After how many.
    pub smaps_reads: usize,
    /// The most mappings in one PAGEMAP_SCAN.
    pub scan_mappings: usize,
    /// The most bytes of mappings in one PAGEMAP_SCAN, as long as something is found.
    pub scan_bytes: u64,
    /// The most bytes of mappings in one PAGEMAP_SCAN where nothing was found before.
    pub scan_empty_bytes: u64,
}

/// One microsecond is asked for; the kernel's timer slack makes it 50 to 60. That is wanted: the waiting writer gets
/// its turn.
const SHORTEST_S: f64 = 1e-6;

impl Default for Pace {
    fn default() -> Self {
        Self {
            maps_s: 0.0,
            smaps_s: SHORTEST_S,
            // A read takes the kernel some 20 µs (4 KiB of text, six mappings), a sleep costs as much again: the
            // processor went idle and finds its caches cold. Four reads of a process of 4,200 mappings took 15 ms of
            // CPU in all, one 28, none 11; and the longest wait for the lock stays below 0.1 ms.
            smaps_reads: 4,
            scan_mappings: 256,
            scan_bytes: 8 << 20,
            // A reservation of 16 TB in steps of 8 MB would be two million calls. Where no page was found there are
            // mostly no page tables either, and the walk skips 2 MB to 512 GB at a step; at worst (tables that were
            // emptied page by page) a gigabyte of them takes the kernel a millisecond.
            scan_empty_bytes: 1 << 30,
        }
    }
}

impl Pace {
    /// The pace for a kernel release (`6.1.0-18-amd64`): before 6.17 maps holds the lock too.
    #[must_use]
    pub fn for_kernel(release: &str) -> Self {
        let mut numbers =
            release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().ok());
        let version = (numbers.next().flatten(), numbers.next().flatten());
        match version {
            (Some(major), Some(minor)) if (major, minor) >= (6, 17) => Self::default(),
            _ => Self { maps_s: SHORTEST_S, ..Self::default() },
        }
    }

    /// The pace for the kernel that runs here.
    #[must_use]
    pub fn here() -> Self {
        Self::for_kernel(&rustix::system::uname().release().to_string_lossy())
    }

    /// Lets the target have its lock between two reads.
    pub(crate) fn pause(time_s: f64) {
        if time_s > 0.0 {
            Clock::sleep(time_s);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_kernels_are_read_more_slowly() {
        for (release, paced) in [
            ("6.17.0", false),
            ("6.18.44-fc", false),
            ("7.0-rc1", false),
            ("6.16.9-arch1-1", true),
            ("5.10.0-28-amd64", true),
            ("4.14", true),
            ("", true),
            ("x.y", true),
        ] {
            assert_eq!(Pace::for_kernel(release).maps_s > 0.0, paced, "{release}");
        }
        assert!(Pace::here().smaps_s > 0.0);
    }
}
