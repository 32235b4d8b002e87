//! Being the parent of whoever loses theirs: a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER) gets the daemons among its
//! descendants as children of its own, so that none of them is lost, and none is left.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

use model::Pid;
use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::process::{WaitOptions, set_child_subreaper, wait};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

impl End {
    /// As shells say it: the status, or 128 and the signal.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(status) => (status & 0xff) as u8,
            Self::Killed(signal) => 128_u8.saturating_add((signal & 0x7f) as u8),
        }
    }
}

/// From now on orphans among this process's descendants become its children.
pub fn adopt_orphans() -> io::Result<()> {
    // Any pid stands for "yes".
    Ok(set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Takes over one child that has ended, whichever it is; `None` when those that are left still run, ECHILD when none is.
pub fn reap() -> Result<Option<(Pid, End)>, Errno> {
    loop {
        return match wait(WaitOptions::NOHANG) {
            Err(Errno::INTR) => continue,
            Err(error) => Err(error),
            Ok(None) => Ok(None),
            Ok(Some((pid, status))) => {
                let end = match (status.exit_status(), status.terminating_signal()) {
                    (Some(status), _) => End::Exited(status),
                    (None, Some(signal)) => End::Killed(signal),
                    (None, None) => continue,
                };
                Ok(Some((Pid(pid.as_raw_nonzero().get().unsigned_abs()), end)))
            }
        };
    }
}

/// Lets the next program that is started have a descriptor.
pub fn hand_over(fd: &OwnedFd) -> io::Result<()> {
    Ok(fcntl_setfd(fd, FdFlags::empty())?)
}

/// Takes a descriptor that whoever started this program handed over, and keeps it from programs started here. To be
/// called once for a number.
pub fn take_over(number: RawFd) -> io::Result<OwnedFd> {
    if number <= 2 {
        // Those of the standard streams belong to the standard library.
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: F_GETFD only asks whether the number is open; a number that isn't is answered by EBADF.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, was opened before this program began, and so belongs to nothing in it; the caller takes it once.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    let flags = fcntl_getfd(&fd)?;
    fcntl_setfd(&fd, flags | FdFlags::CLOEXEC)?;
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_as_shells_say_them() {
        assert_eq!(End::Exited(3).code(), 3);
        assert_eq!(End::Killed(libc::SIGKILL).code(), 137);
        assert_eq!(End::Exited(-1).code(), 255);
    }

    #[test]
    fn what_is_not_open_cannot_be_taken_over() {
        assert!(take_over(1).is_err());
        assert_eq!(take_over(987_654).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }
}
