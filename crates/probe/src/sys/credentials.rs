//! Acting as another user for one step. The kernel keeps credentials for each thread; the C library's setresuid(2)
//! changes those of all threads, the bare system call only the caller's. So the step is done by a thread of its own,
//! which ends with it: there is nothing to restore, and no way out of it leaves flatfoot with another's rights.
//!
//! Only the effective ids change. With real and saved ids of its own, the thread can't be signalled by that user; and
//! the change makes flatfoot undumpable, so that user can't trace it either.

use std::io;

use rustix::process::{Gid, Uid, getegid, geteuid, getgid, getuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Whom to act as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// Effective uid.
    pub uid: u32,
    /// Effective gid.
    pub gid: u32,
}

impl User {
    /// Who this thread is.
    #[must_use]
    pub fn current() -> Self {
        Self { uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }

    /// Does a step as this user; at once when it is the present one. The error is the kernel's refusal to become that
    /// user (EPERM without CAP_SETUID and CAP_SETGID).
    pub fn act<T: Send>(self, step: impl FnOnce() -> T + Send) -> io::Result<T> {
        if self == Self::current() {
            return Ok(step());
        }
        std::thread::scope(|scope| {
            let work = move || {
                self.become_it()?;
                Ok(step())
            };
            let thread =
                std::thread::Builder::new().name("as-target".to_owned()).spawn_scoped(scope, work)?;
            match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    fn become_it(self) -> io::Result<()> {
        if self.uid == u32::MAX || self.gid == u32::MAX {
            // -1 would mean: leave it as it is.
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // Groups of ours are no groups of that user. Refused in user namespaces without setgroups: no reason to stop.
        let _ = set_thread_groups(&[]);
        set_thread_res_gid(getgid(), Gid::from_raw(self.gid), getgid())?;
        set_thread_res_uid(getuid(), Uid::from_raw(self.uid), getuid())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_changes_and_the_others_do_not() {
        let before = User::current();
        assert_eq!(before.act(User::current).unwrap(), before);
        let other = User { uid: 65_534, gid: 65_534 };
        if before.uid != 0 {
            eprintln!("skipped: only root becomes another user");
            assert_eq!(other.act(|| ()).unwrap_err().raw_os_error(), Some(libc::EPERM));
            return;
        }
        let (inside, outside) = other
            .act(|| (User::current(), std::thread::scope(|s| s.spawn(User::current).join().unwrap())))
            .unwrap();
        assert_eq!((inside, outside), (other, other), "a thread of that thread has what it has");
        assert_eq!(User::current(), before);
        assert_eq!(std::thread::spawn(User::current).join().unwrap(), before);
        assert_eq!(getuid().as_raw(), 0);
    }

    #[test]
    fn nobody_is_not_as_before() {
        let error = User { uid: u32::MAX, gid: 0 }.act(|| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
