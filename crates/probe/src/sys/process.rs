//! One process to send a signal to, and no other that gets its pid later: a pidfd (Linux ≥ 5.3). Where the kernel has
//! none, the pid itself, right after the caller checked once more who it is.

use std::os::fd::OwnedFd;

use model::Pid;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

/// A process, held.
#[derive(Debug)]
pub struct Held {
    pid: rustix::process::Pid,
    fd: Option<OwnedFd>,
}

impl Held {
    /// Takes hold of a process. ESRCH when there is none.
    pub fn new(pid: Pid) -> Result<Self, Errno> {
        let number = i32::try_from(pid.0).ok().and_then(rustix::process::Pid::from_raw);
        let pid = number.ok_or(Errno::SRCH)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Ok(Self { pid, fd: Some(fd) }),
            // A sandbox's filter answers EPERM for calls that it doesn't know.
            Err(Errno::NOSYS | Errno::PERM) => Ok(Self { pid, fd: None }),
            Err(error) => Err(error),
        }
    }

    /// Sends a signal. To be called when it was just checked that the pid still belongs to the process.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        match &self.fd {
            Some(fd) => pidfd_send_signal(fd, signal),
            None => kill_process(self.pid, signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    #[test]
    fn the_signal_reaches_the_process_and_none_after_it() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let held = Held::new(Pid(child.id())).unwrap();
        held.signal(Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
        assert_eq!(held.signal(Signal::TERM), Err(Errno::SRCH));
        assert_eq!(Held::new(Pid(0)).unwrap_err(), Errno::SRCH);
        assert_eq!(Held::new(Pid(u32::MAX)).unwrap_err(), Errno::SRCH);
    }
}
