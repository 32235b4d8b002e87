//! Processes that rest: nothing of them changed when they were last read, so they need not be read in each tick when
//! ticks come quickly. Most of a host's processes wait most of the time.
//!
//! What must not be noticed late is an end: each process that rests has a pidfd, which becomes readable when it ends, and
//! one `epoll_wait` for all of them in each tick says who did. That needs no right and sends nothing to anybody. Without
//! pidfds (before Linux 5.3), in a fixture tree, and where `/proc` is another namespace's, nobody rests.

use std::os::fd::OwnedFd;

use model::ProcessNo;
use rustix::event::epoll;
use rustix::process::{Pid as OsPid, PidfdFlags, pidfd_open};
use rustix::time::Timespec;

use crate::ProcRoot;

/// Who rests is read each so many seconds.
const APART_S: f64 = 5.0;
/// After so many readings in a row in which nothing changed, a process rests.
pub(super) const QUIET: u8 = 3;
/// Ends that are taken at once; what is left is there again at the next call.
const AT_ONCE: usize = 64;

/// Ticks from one reading of who rests to the next; 1 when nobody may rest.
pub(super) fn turn(interval_s: f64) -> u64 {
    (APART_S / interval_s.max(0.001)).floor().clamp(1.0, 10_000.0) as u64
}

/// Says who of those that rest has ended.
#[derive(Debug)]
pub(super) struct Bell {
    epoll: Option<OwnedFd>,
}

impl Bell {
    pub(super) fn new(root: &ProcRoot) -> Self {
        let own = root.is_live() && is_our_namespace(root);
        Self { epoll: own.then(|| epoll::create(epoll::CreateFlags::CLOEXEC).ok()).flatten() }
    }

    /// The descriptor that keeps a process in the list as long as it is open; `None` when it cannot be watched.
    pub(super) fn watch(&self, pid: u32, no: ProcessNo) -> Option<OwnedFd> {
        let epoll = self.epoll.as_ref()?;
        let pid = OsPid::from_raw(i32::try_from(pid).ok()?)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let data = epoll::EventData::new_u64(u64::from(no.0));
        epoll::add(epoll, &pidfd, data, epoll::EventFlags::IN).ok()?;
        Some(pidfd)
    }

    /// Calls `wake` for those that ended. It must close their descriptors: else they would be told again.
    pub(super) fn rung(&self, mut wake: impl FnMut(ProcessNo)) {
        let Some(epoll) = &self.epoll else { return };
        let empty = epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) };
        let mut events = [empty; AT_ONCE];
        // Bounded, should somebody's descriptor stay open after all.
        for _ in 0..1_024 {
            let found = epoll::wait(epoll, &mut events, Some(&Timespec::default())).unwrap_or(0);
            for event in events.iter().take(found) {
                let data = event.data;
                wake(ProcessNo(data.u64() as u32));
            }
            if found < AT_ONCE {
                return;
            }
        }
    }
}

/// Are the pids in this tree those that this process's own calls mean?
fn is_our_namespace(root: &ProcRoot) -> bool {
    let own = std::process::id().to_string();
    rustix::fs::readlinkat(root, c"self", Vec::new()).is_ok_and(|link| link.as_bytes() == own.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn turns_come_each_five_seconds_at_least() {
        let turns: Vec<u64> = [0.1, 1.0, 2.0, 3.0, 10.0, 0.0].iter().map(|s| turn(*s)).collect();
        assert_eq!(turns, [50, 5, 2, 1, 1, 5_000]);
    }

    #[test]
    fn an_end_is_told_until_the_descriptor_is_closed() {
        let bell = Bell::new(&ProcRoot::open("/proc").unwrap());
        let rung = || {
            let mut all = Vec::new();
            bell.rung(|no| all.push(no.0));
            all.dedup();
            all
        };
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let pidfd = bell.watch(child.id(), ProcessNo(7)).unwrap();
        assert!(rung().is_empty());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!((rung(), rung()), (vec![7], vec![7]));
        drop(pidfd);
        assert!(rung().is_empty());
        assert!(bell.watch(child.id(), ProcessNo(7)).is_none(), "it is gone");
    }

    #[test]
    fn nobody_rests_in_a_tree_that_is_not_our_own() {
        let tree = tempfile::tempdir().unwrap();
        let bell = Bell::new(&ProcRoot::open(tree.path()).unwrap());
        assert!(bell.watch(std::process::id(), ProcessNo(1)).is_none());
    }
}
