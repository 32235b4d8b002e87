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
//! | smaps, a short sleep after every read | 65 µs, and five times the CPU time |
//! | smaps, a short sleep after each 120 µs of reading | 135–145 µs; each 80 µs 105, each 50 µs 80 |
//! | the same, but 2 ms at a time for the first 12 ms | 135–156 µs: too few to show |
//! | PAGEMAP_SCAN of everything in one call | 16,000 µs |
//! | PAGEMAP_SCAN in chunks of ≤ 256 mappings and ≤ 8 MB | 14–19 µs |
//! | maps, one read after the other | 15–18 µs: since Linux 6.17 it takes no such lock |

use crate::Clock;

/// Sleeps between reads, and the sizes of chunks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Is maps read with pauses, too?
    pub maps_paced: bool,
    /// Seconds of reading after which the target has its turn.
    pub burst_s: f64,
    /// The same at the beginning of a file.
    pub first_burst_s: f64,
    /// How many seconds of reading the beginning is.
    pub beginning_s: f64,
    /// The most mappings in one PAGEMAP_SCAN.
    pub scan_mappings: usize,
    /// The most bytes of mappings in one PAGEMAP_SCAN, as long as something is found.
    pub scan_bytes: u64,
    /// The most bytes of mappings in one PAGEMAP_SCAN where nothing was found before.
    pub scan_empty_bytes: u64,
}

/// One microsecond is asked for; the kernel's timer slack makes it 50 to 60. That is wanted: the waiting writer gets
/// its turn.
const PAUSE_S: f64 = 1e-6;

impl Default for Pace {
    fn default() -> Self {
        Self {
            maps_paced: false,
            // A writer waits as long as one burst takes, and then comes in during the pause. A pause costs as much CPU as
            // 40 to 100 µs of reading (the processor goes idle, and finds its caches cold): as few as the wait allows.
            burst_s: 120e-6,
            // Of a process whose smaps takes 10 ms (2,000 threads) five calls wait longer, and none longer than it would for
            // its turn on a busy processor.
            first_burst_s: 2e-3,
            beginning_s: 12e-3,
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
            _ => Self { maps_paced: true, ..Self::default() },
        }
    }

    /// The pace for the kernel that runs here.
    #[must_use]
    pub fn here() -> Self {
        Self::for_kernel(&rustix::system::uname().release().to_string_lossy())
    }
}

/// The reading of one file, in bursts with pauses between them.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// `None`: without pauses.
    pace: Option<Pace>,
    burst_s: f64,
    total_s: f64,
}

impl Bursts {
    /// At a pace, or without pauses.
    #[must_use]
    pub fn new(pace: Option<&Pace>) -> Self {
        Self { pace: pace.copied(), burst_s: 0.0, total_s: 0.0 }
    }

    /// Reads, and pauses when that ends a burst. Only the reading counts: between two calls nobody holds the lock.
    pub fn read<T>(&mut self, read: impl FnOnce() -> T) -> T {
        let Some(pace) = self.pace else { return read() };
        let began = Clock::monotonic();
        let found = read();
        if self.ends_after(&pace, Clock::monotonic() - began) {
            Clock::sleep(PAUSE_S);
        }
        found
    }

    fn ends_after(&mut self, pace: &Pace, took_s: f64) -> bool {
        self.burst_s += took_s;
        self.total_s += took_s;
        let most = if self.total_s < pace.beginning_s { pace.first_burst_s } else { pace.burst_s };
        let ends = self.burst_s >= most;
        if ends {
            self.burst_s = 0.0;
        }
        ends
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
            assert_eq!(Pace::for_kernel(release).maps_paced, paced, "{release}");
        }
    }

    #[test]
    fn a_long_file_is_read_more_gently() {
        let pace = Pace::default();
        let mut bursts = Bursts::new(Some(&pace));
        let pauses =
            |bursts: &mut Bursts, calls| (0..calls).filter(|_| bursts.ends_after(&pace, 10e-6)).count();
        // 12 ms in bursts of 2 ms, and 12 ms in bursts of 0.12 ms; a call is never cut.
        let (beginning, rest) = (pauses(&mut bursts, 1_200), pauses(&mut bursts, 1_200));
        assert!((5..=6).contains(&beginning), "{beginning}");
        assert!((92..=100).contains(&rest), "{rest}");
        assert!(bursts.ends_after(&pace, 1.0), "one long call");
        assert!(!bursts.ends_after(&pace, 0.0));
    }
}
