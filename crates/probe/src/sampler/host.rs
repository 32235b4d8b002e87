//! The host's own figures, from three files that stay open.
//!
//! ```text
//! Committed_AS:    1839352 kB                                     meminfo
//! some avg10=0.12 avg60=0.05 avg300=0.01 total=8117412            pressure/memory
//! 0.00 0.01 0.05 1/213 25034                                      loadavg: 213 tasks, the newest has pid 25034
//! ```

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use model::Column;
use rustix::io::{Errno, pread};

use crate::ProcRoot;
use crate::proc::scan;
use crate::sys::file;

/// Lines of meminfo, and what they are recorded as; in the order of the columns.
const MEMORY: [(&[u8], Column); 10] = [
    (b"Committed_AS", Column::HostCommitted),
    (b"CommitLimit", Column::HostCommitLimit),
    (b"MemTotal", Column::HostTotal),
    (b"MemAvailable", Column::HostAvailable),
    (b"MemFree", Column::HostFree),
    (b"Cached", Column::HostCached),
    (b"Slab", Column::HostSlab),
    (b"SwapTotal", Column::HostSwapTotal),
    (b"SwapFree", Column::HostSwapFree),
    (b"PageTables", Column::HostPageTables),
];
/// The same, further down in the order of columns.
const KERNEL_STACK: (&[u8], Column) = (b"KernelStack", Column::HostKernelStack);

/// The opened files; one that this kernel doesn't have stays `None`.
#[derive(Debug)]
pub(super) struct HostFiles {
    meminfo: Option<OwnedFd>,
    pressure: Option<OwnedFd>,
    loadavg: Option<OwnedFd>,
    /// Is loadavg the kernel's, with the newest pid of our own namespace?
    tells_newest: bool,
}

/// Tasks on the host, and the pid that was given out last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) tasks: u64,
    /// `None` where it cannot be trusted: lxcfs shows a file of its own, another namespace has other pids.
    pub(super) newest: Option<u64>,
}

impl HostFiles {
    pub(super) fn open(root: &ProcRoot) -> Self {
        let open = |name: &CStr| file::open(root, name).ok();
        let loadavg = open(c"loadavg");
        let is_the_kernels = |file: &OwnedFd| {
            rustix::fs::fstatfs(file).is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC)
        };
        Self {
            meminfo: open(c"meminfo"),
            pressure: open(c"pressure/memory"),
            tells_newest: root.is_live() && loadavg.as_ref().is_some_and(is_the_kernels),
            loadavg,
        }
    }

    /// Is the newest pid told?
    pub(super) fn tells_newest(&self) -> bool {
        self.tells_newest
    }

    /// Tasks, and the newest pid.
    pub(super) fn load(&self) -> Option<Load> {
        let mut space = [0_u8; 128];
        let load = parse_load(again(self.loadavg.as_ref()?, &mut space)?)?;
        Some(if self.tells_newest { load } else { Load { newest: None, ..load } })
    }

    /// Memory, in ascending order of column.
    pub(super) fn memory(&self, values: &mut Vec<(Column, u64)>) {
        let mut space = [0_u8; 8192];
        if let Some(content) = self.meminfo.as_ref().and_then(|file| again(file, &mut space)) {
            take_memory(content, values);
        }
    }

    /// Microseconds in which some task waited for memory.
    pub(super) fn memory_stall_us(&self) -> Option<u64> {
        let mut space = [0_u8; 512];
        parse_stall(again(self.pressure.as_ref()?, &mut space)?)
    }
}

/// Reads a file of one record from its beginning; `None` when it has no such length.
pub(super) fn again<'a>(file: &OwnedFd, space: &'a mut [u8]) -> Option<&'a [u8]> {
    loop {
        match pread(file, &mut *space, 0) {
            Ok(read) if read > 0 && read < space.len() => return space.get(..read),
            Err(Errno::INTR) => {}
            _ => return None,
        }
    }
}

fn take_memory(content: &[u8], values: &mut Vec<(Column, u64)>) {
    let mut found = [None; MEMORY.len() + 1];
    for line in scan::lines(content) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let place = MEMORY.iter().chain([&KERNEL_STACK]).position(|(wanted, _)| *wanted == name);
        if let Some(place) = place {
            found[place] = scan::kib(value).map(|bytes| bytes.0);
        }
    }
    let columns = MEMORY.iter().chain([&KERNEL_STACK]).map(|(_, column)| *column);
    values.extend(columns.zip(found).filter_map(|(column, value)| Some((column, value?))));
}

fn parse_load(content: &[u8]) -> Option<Load> {
    let mut words = scan::words(content.strip_suffix(b"\n")?);
    let tasks = words.nth(3)?.split(|byte| *byte == b'/').nth(1).and_then(scan::number)?;
    Some(Load { tasks, newest: words.next().and_then(scan::number) })
}

fn parse_stall(content: &[u8]) -> Option<u64> {
    let line = scan::lines(content).find_map(|line| line.strip_prefix(b"some "))?;
    scan::words(line).find_map(|word| word.strip_prefix(b"total=")).and_then(scan::number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_become_columns_in_their_order() {
        let mut values = Vec::new();
        take_memory(
            b"MemTotal:  12 kB\nMemFree: 3 kB\nKernelStack: 4 kB\nCommitted_AS: 5 kB\nSlab: x kB\n",
            &mut values,
        );
        let expected = [
            (Column::HostCommitted, 5 * 1024),
            (Column::HostTotal, 12 * 1024),
            (Column::HostFree, 3 * 1024),
            (Column::HostKernelStack, 4 * 1024),
        ];
        assert_eq!(values, expected);
        assert!(values.is_sorted());
    }

    #[test]
    fn load_and_pressure() {
        let load = parse_load(b"0.00 0.01 0.05 1/213 25034\n");
        assert_eq!(load, Some(Load { tasks: 213, newest: Some(25_034) }));
        assert_eq!(parse_load(b"0.00 0.01 0.05 1/213 25034"), None);
        let pressure = b"some avg10=0.12 avg60=0.05 avg300=0.01 total=8117412\nfull avg10=0 total=1\n";
        assert_eq!(parse_stall(pressure), Some(8_117_412));
        assert_eq!(parse_stall(b"full avg10=0 total=1\n"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            take_memory(&bytes, &mut Vec::new());
            let _ = (parse_load(&bytes), parse_stall(&bytes));
        }
    }
}
