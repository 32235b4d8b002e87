//! All processes at a glance: as little of each as choosing between them needs. A table of twenty rows out of a thousand
//! processes is worth a look at twenty, not at a thousand.

use std::io;

use model::{Pid, Statm};

use super::Prober;
use crate::Parts;
use crate::proc::{NumberPath, stat, statm};
use crate::sys::file;

/// A process, at a glance. Without its birth: nothing here says which process had the pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Its pid.
    pub pid: Pid,
    /// How many threads it has.
    pub threads: u64,
    /// Its sizes; all zero for one that has ended and was not waited for.
    pub statm: Statm,
}

impl Prober {
    /// All processes, in the order of their pids; threads of the kernel are left out. Takes half as long as reading
    /// stat and statm of each.
    pub fn glance(&mut self) -> io::Result<Vec<Glance>> {
        let pids = self.pids()?;
        let mut glances = Vec::with_capacity(pids.len());
        for pid in pids {
            let found = match self.sizes(pid) {
                Some(statm) if statm.size.0 > 0 => {
                    self.threads(pid).map(|threads| Glance { pid, threads, statm })
                }
                _ if self.is_of_the_kernel(pid) => None,
                // Without memory: its first thread has ended. The whole reading tells.
                _ => self.process(pid, &Parts::overview()).and_then(|process| {
                    let statm = process.statm.value().copied().unwrap_or_default();
                    let threads = process.stat.threads;
                    (!process.stat.is_kernel_thread()).then_some(Glance { pid, threads, statm })
                }),
            };
            glances.extend(found);
        }
        Ok(glances)
    }

    fn sizes(&self, pid: Pid) -> Option<Statm> {
        let (mut path, mut space) = (NumberPath::default(), [0_u8; 256]);
        let record = file::read_record(&self.root, path.set(pid.0, b"/statm"), &mut space).ok().flatten()?;
        statm::parse(record, self.page_size).ok()
    }

    /// Without opening its directory first: a host has hundreds of them.
    fn is_of_the_kernel(&self, pid: Pid) -> bool {
        let (mut path, mut space) = (NumberPath::default(), [0_u8; stat::RECORD]);
        let record = file::read_record(&self.root, path.set(pid.0, b"/stat"), &mut space).ok().flatten();
        record.is_some_and(|record| {
            stat::parse(record, self.page_size).is_ok_and(|stat| stat.is_kernel_thread())
        })
    }

    /// The kernel counts the links of a directory of threads as it does anywhere: itself, its entry, and a directory
    /// for each thread (fs/proc/base.c, proc_task_getattr).
    fn threads(&self, pid: Pid) -> Option<u64> {
        let mut path = NumberPath::default();
        file::links(&self.root, path.set(pid.0, b"/task")).ok().map(|links| links.saturating_sub(2))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;
    use crate::ProcRoot;

    #[test]
    fn a_glance_sees_what_a_look_sees() {
        let mut prober = Prober::new(ProcRoot::open("/proc").unwrap());
        let own = Pid(std::process::id());
        let piped = std::process::Stdio::piped;
        let mut child = std::process::Command::new("cat").stdin(piped()).stdout(piped()).spawn().unwrap();
        let sleeper = Pid(child.id());
        // What it echoes shows that it has loaded its libraries: its sizes are settled.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let glances = prober.glance().unwrap();
        let of = |pid| glances.iter().find(|glance| glance.pid == pid).unwrap();
        let look = prober.process(sleeper, &Parts::overview()).unwrap();
        assert_eq!(of(sleeper).threads, 1);
        assert_eq!(of(sleeper).statm.size, look.statm.value().unwrap().size);
        assert!(of(own).threads >= 2, "the test's own thread and the main one");
        assert!(glances.is_sorted_by_key(|glance| glance.pid));
        child.kill().unwrap();
        while !std::fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap().contains(") Z ") {
            std::thread::yield_now();
        }
        let glances = prober.glance().unwrap();
        let ended = glances.iter().find(|glance| glance.pid == sleeper).unwrap();
        assert_eq!(ended.statm, Statm::default(), "a process that ended, until it is waited for");
        child.wait().unwrap();
        assert!(!prober.glance().unwrap().iter().any(|glance| glance.pid == sleeper));
    }

    #[test]
    fn threads_of_the_kernel_are_left_out() {
        let mut prober = Prober::new(ProcRoot::open("/proc").unwrap());
        for glance in prober.glance().unwrap() {
            let look = prober.process(glance.pid, &Parts::default());
            assert!(look.is_none_or(|process| !process.stat.is_kernel_thread()), "{glance:?}");
        }
    }
}
