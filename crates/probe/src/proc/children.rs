//! The children of a process, the dead ones that nobody waited for included.
//!
//! Each thread lists the children that it started in task/TID/children (CONFIG_PROC_CHILDREN):
//!
//! ```text
//! 4712 4713 4720
//! ```
//!
//! A process of many threads, a look at many processes, or a kernel without those files is answered from the
//! [`Census`]: one pass over the parents of all processes.

use model::{Child, Pid, Reading};
use rustix::io::Errno;

use super::census::Census;
use super::root::NumberPath;
use super::{Absence, PidDir, ProcRoot, scan, stat};
use crate::sys::dents::Listing;
use crate::sys::file;

/// Up to so many threads their files are read, some 3 µs each.
const MANY_THREADS: u64 = 64;

/// The most that is read of one list: 4 Mi pids can't all be one thread's children in practice.
const LIMIT: usize = 8 << 20;

/// Reads the children, in the order of their pids.
pub(crate) fn read(
    root: &ProcRoot,
    dir: &PidDir,
    threads: u64,
    census: &mut Census,
    listing: &mut Listing,
    numbers: &mut Vec<u32>,
) -> Reading<Vec<Child>> {
    if threads <= MANY_THREADS && !census.is_worth_a_pass() {
        match from_threads(root, dir, listing, numbers) {
            Err(Absence::Unsupported) => {}
            result => return Absence::or_value(result),
        }
    }
    census.children_of(root, dir.pid(), listing, numbers)
}

fn from_threads(
    root: &ProcRoot,
    dir: &PidDir,
    listing: &mut Listing,
    numbers: &mut Vec<u32>,
) -> Result<Vec<Child>, Absence> {
    let tasks = dir.open_dir(c"task")?;
    listing.numbers(&tasks, numbers).map_err(|error| dir.absence(c"task", error))?;
    let mut path = NumberPath::default();
    let mut buffer = Vec::new();
    let mut pids = Vec::new();
    for tid in numbers.iter() {
        let name = path.set(*tid, b"/children");
        match file::read_at(&tasks, name, &mut buffer, LIMIT) {
            Ok(_) => parse(&buffer, &mut pids)?,
            // The thread ended; or, for the first one, which is the process itself, the kernel has no such file.
            Err(Errno::NOENT) if *tid == dir.pid().0 && dir.is_alive() => return Err(Absence::Unsupported),
            Err(Errno::NOENT | Errno::SRCH) => {}
            Err(error) => return Err(dir.absence(c"task/TID/children", error)),
        }
    }
    pids.sort_unstable();
    // A child's own file says whether it still is one.
    let own = |pid| child(root, pid).filter(|(parent, _)| *parent == dir.pid()).map(|(_, child)| child);
    Ok(pids.into_iter().filter_map(own).collect())
}

/// A process and its parent; `None` when it ended.
pub(super) fn child(root: &ProcRoot, pid: Pid) -> Option<(Pid, Child)> {
    let mut space = [0_u8; stat::RECORD];
    let mut path = NumberPath::default();
    let record = file::read_record(root, path.set(pid.0, b"/stat"), &mut space).ok()??;
    stat::parse_child(pid, record).ok()
}

/// Adds the pids of a list; an empty one is a thread without children.
fn parse(bytes: &[u8], pids: &mut Vec<Pid>) -> Result<(), Absence> {
    let wrong = || Absence::malformed("task/TID/children", 1, "pid");
    // Each pid is followed by a blank: without the last one, the last number may be cut off.
    if !bytes.is_empty() && !bytes.ends_with(b" ") {
        return Err(wrong());
    }
    for word in scan::words(bytes) {
        let pid = scan::number(word).and_then(|pid| u32::try_from(pid).ok()).ok_or_else(wrong)?;
        pids.push(Pid(pid));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists() {
        let mut pids = Vec::new();
        parse(b"", &mut pids).unwrap();
        parse(b"4712 4713 ", &mut pids).unwrap();
        assert_eq!(pids, [Pid(4712), Pid(4713)]);
        for wrong in [&b"4712 47"[..], b"x ", b"4294967296 ", b"-1 "] {
            assert!(parse(wrong, &mut pids).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&bytes, &mut Vec::new());
        }
    }
}
