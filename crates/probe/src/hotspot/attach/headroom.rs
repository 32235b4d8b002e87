//! Room for what attaching starts in the target. The first attach makes HotSpot start a thread, and HotSpot may start
//! some for the compiler on its own: a JVM that cannot start its listener's thread may end (JDK 17 at its pids limit:
//! "Error occurred during initialization of VM", exit 1).

use model::{CgroupLevel, Rlimits, Status};

use super::{Refusal, TargetView};
use crate::ProcRoot;
use crate::proc::census::Census;
use crate::proc::cgroup::CgroupTree;
use crate::proc::{limits, scan, status};
use crate::sys::dents::Listing;

/// Threads that must be free: the listener, and those of compiler and collector that a JVM starts when it is busy.
const TASKS: u64 = 8;
/// Mappings that must be free: two or three for each thread, and a heap of glibc's for it.
const MAPPINGS: u64 = 64;
/// Address space that must be free: a stack, and the heap of 128 MiB that glibc reserves before it cuts it.
const ADDRESS_SPACE: u64 = 256 << 20;
/// CAP_SYS_RESOURCE and CAP_SYS_ADMIN: either lifts RLIMIT_NPROC.
const LIFTS_NPROC: u64 = 1 << 24 | 1 << 21;

/// One limit and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// `pids.max of /sys/fs/cgroup/…`, `RLIMIT_NPROC`, `threads-max`, `pid_max`, `max_map_count`, `RLIMIT_AS`.
    pub what: String,
    /// In use.
    pub current: u64,
    /// Of so many.
    pub limit: u64,
    /// What the first attach may need of it.
    pub needed: u64,
}

impl Headroom {
    /// Is there too little?
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.current.saturating_add(self.needed) > self.limit
    }

    /// What is free.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.limit.saturating_sub(self.current)
    }
}

/// Every limit that a new thread or mapping of the target counts against.
pub(super) fn all(root: &ProcRoot, target: &TargetView, status: &Status, mappings: u64) -> Vec<Headroom> {
    let mut found = Vec::new();
    let mut add = |what: String, current: u64, limit: u64, needed: u64| {
        found.push(Headroom { what, current, limit, needed });
    };
    let mut buffer = Vec::new();
    let dir = target.proc_dir();
    if let Some(cgroups) = CgroupTree::default().read(root, dir, &mut buffer).into_value() {
        for CgroupLevel { dir, pids_max, pids_current, .. } in &cgroups.groups {
            if let (Some(limit), Some(current)) = (pids_max, pids_current) {
                add(format!("pids.max of {dir}"), *current, *limit, TASKS);
            }
        }
    }
    let rlimits = dir.read(c"limits", &mut buffer, 64 * 1024).and_then(|()| limits::parse(&buffer));
    if let Ok(Rlimits { processes, address_space, .. }) = rlimits {
        if let Some(limit) = processes
            && let Some((current, user)) = tasks_of_user(root, target, status)
        {
            add(format!("RLIMIT_NPROC of user {user}"), current, limit, TASKS);
        }
        if let (Some(limit), Ok(sizes)) = (address_space, target.sizes()) {
            add("RLIMIT_AS".to_owned(), sizes.size.0, limit.0, ADDRESS_SPACE);
        }
    }
    let mut number =
        |name| root.read(name, &mut buffer, 4096).and_then(|()| scan::number_file("sysctl", &buffer)).ok();
    let (threads_max, pid_max) = (number(c"sys/kernel/threads-max"), number(c"sys/kernel/pid_max"));
    let map_count = number(c"sys/vm/max_map_count");
    if let Some(tasks) = host_tasks(root) {
        for (name, limit) in [("threads-max", threads_max), ("pid_max", pid_max)] {
            if let Some(limit) = limit {
                add(name.to_owned(), tasks, limit, TASKS);
            }
        }
    }
    if let Some(limit) = map_count {
        add("max_map_count".to_owned(), mappings, limit, MAPPINGS);
    }
    found
}

/// The first that has too little room.
pub(super) fn check(all: &[Headroom]) -> Result<(), Refusal> {
    match all.iter().find(|one| one.is_short()) {
        Some(Headroom { what, current, limit, .. }) => {
            Err(Refusal::NoHeadroom { what: what.clone(), current: *current, limit: *limit })
        }
        None => Ok(()),
    }
}

/// The tasks of its real user, where the limit counts for it: not for root, and not with a capability that lifts it.
fn tasks_of_user(root: &ProcRoot, target: &TargetView, status: &Status) -> Option<(u64, u32)> {
    if status.capabilities & LIFTS_NPROC != 0 {
        return None;
    }
    let mut buffer = Vec::new();
    target.proc_dir().read(c"status", &mut buffer, status::LIMIT).ok()?;
    let (user, _) = status::user_and_threads(&buffer).filter(|(user, _)| *user != 0)?;
    let tasks = Census::default().tasks_of(root, user, &mut Listing::default(), &mut Vec::new())?;
    Some((tasks, user))
}

/// `0.00 0.01 0.05 1/213 25034`: the number after the slash.
fn host_tasks(root: &ProcRoot) -> Option<u64> {
    let mut buffer = Vec::new();
    root.read(c"loadavg", &mut buffer, 4096).ok()?;
    let word = scan::words(&buffer).nth(3)?;
    scan::number(word.split(|byte| *byte == b'/').nth(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_few_are_left_alone() {
        let pids = |current| Headroom { what: "pids.max".to_owned(), current, limit: 100, needed: 8 };
        assert!(check(&[pids(0), pids(92)]).is_ok());
        let refusal = Refusal::NoHeadroom { what: "pids.max".to_owned(), current: 93, limit: 100 };
        assert_eq!(check(&[pids(0), pids(93)]), Err(refusal));
        assert!(pids(u64::MAX).is_short());
        assert_eq!((pids(93).free(), pids(101).free()), (7, 0));
    }
}
