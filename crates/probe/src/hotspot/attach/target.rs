//! The process that is attached to: held so that no other one is mistaken for it, with the places in its own view of
//! the file system that attaching needs.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use model::{Need, Pid, ProcessKey, Statm, Status};
use rustix::io::Errno;
use rustix::process::Signal;

use super::Refusal;
use crate::proc::{host, stat, statm, status};
use crate::sys::credentials::User;
use crate::sys::file;
use crate::sys::place::{descend, root_of};
use crate::sys::process::Held;
use crate::{Absence, PidDir, ProcRoot};

/// The target, as attaching and delivering files to it need it.
#[derive(Debug)]
pub struct TargetView {
    key: ProcessKey,
    held: Held,
    dir: PidDir,
    proc: PathBuf,
    user: User,
    inner_pid: u32,
    root: OwnedFd,
    tmp: OwnedFd,
}

impl TargetView {
    /// Takes hold of a process, and opens its root directory and the /tmp in it.
    pub(super) fn open(root: &ProcRoot, key: &ProcessKey) -> Result<(Self, Status), Refusal> {
        if !root.is_live() || host::boot_id(root) != key.boot {
            return Err(Refusal::NotHere);
        }
        // Held before it is looked at: whoever is held is the one whose birth is checked.
        let held = Held::new(key.pid).map_err(|error| Refusal::system("pidfd_open", error))?;
        let dir = PidDir::open(root, key.pid).map_err(|absence| Refusal::absent("/proc/PID", absence))?;
        check_birth(&dir, key)?;
        let status = read_status(&dir)?;
        let inside = root_of(&dir).map_err(|error| Refusal::system("/proc/PID/root", error))?;
        let tmp = descend(&inside, &[c"tmp"]).map_err(|error| no_tmp(key.pid, error))?;
        let user = User { uid: status.uid, gid: status.gid };
        // The last one is its pid in the namespace that it lives in.
        let inner_pid = status.ns_pids.last().copied().unwrap_or(key.pid.0);
        let proc = root.path().to_owned();
        Ok((Self { key: *key, held, dir, proc, user, inner_pid, root: inside, tmp }, status))
    }

    /// Which process.
    #[must_use]
    pub fn key(&self) -> &ProcessKey {
        &self.key
    }

    /// Its pid here.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.key.pid
    }

    /// Its pid as it knows it itself: in the innermost pid namespace that it lives in.
    #[must_use]
    pub fn inner_pid(&self) -> u32 {
        self.inner_pid
    }

    /// Its effective user and group: [`User::act`] does a step as them.
    #[must_use]
    pub fn user(&self) -> User {
        self.user
    }

    /// Its directory in /proc.
    #[must_use]
    pub fn proc_dir(&self) -> &PidDir {
        &self.dir
    }

    /// Where /proc is mounted here.
    #[must_use]
    pub fn proc_path(&self) -> &Path {
        &self.proc
    }

    /// Its root directory, in its mount namespace: a place to open from ([`descend`]).
    #[must_use]
    pub fn root_dir(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Its /tmp: a place to open from.
    #[must_use]
    pub fn tmp_dir(&self) -> BorrowedFd<'_> {
        self.tmp.as_fd()
    }

    /// How a file in its /tmp is called here, for messages.
    #[must_use]
    pub fn tmp_path(&self, name: &str) -> String {
        format!("/proc/{}/root/tmp/{name}", self.key.pid)
    }

    /// `Gone` when it ended, or its pid belongs to another process by now.
    pub fn still_there(&self) -> Result<(), Refusal> {
        check_birth(&self.dir, &self.key)
    }

    pub(super) fn status(&self) -> Result<Status, Refusal> {
        read_status(&self.dir)
    }

    /// Bytes of its memory that are resident: its heap uses no more.
    pub fn resident(&self) -> Result<u64, Refusal> {
        self.sizes().map(|statm| statm.resident.0)
    }

    pub(super) fn sizes(&self) -> Result<Statm, Refusal> {
        let mut space = [0_u8; 256];
        let record = file::read_record(&self.dir, c"statm", &mut space)
            .map_err(|error| self.dir.absence(c"statm", error))
            .and_then(|record| statm::parse(record.ok_or(Absence::Gone)?, host::page_size()));
        record.map_err(|absence| Refusal::absent("/proc/PID/statm", absence))
    }

    /// Sends it SIGQUIT, after looking once more who it is.
    pub(super) fn quit_signal(&self) -> Result<(), Refusal> {
        self.still_there()?;
        self.held.signal(Signal::QUIT).map_err(|error| match error {
            Errno::PERM => self.other_user(),
            error => Refusal::system("SIGQUIT", error),
        })
    }

    /// Does a step as its user.
    pub fn as_user<T: Send>(&self, step: impl FnOnce() -> T + Send) -> Result<T, Refusal> {
        self.user.act(step).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::PERM) | None => self.other_user(),
            Some(error) => Refusal::System { doing: format!("acting as user {}", self.user.uid), error },
        })
    }

    fn other_user(&self) -> Refusal {
        Refusal::OtherUser { uid: self.user.uid, gid: self.user.gid }
    }

    /// `.java_pid17`, `.attach_pid17`.
    pub(super) fn name(&self, prefix: &str) -> CString {
        CString::new(format!("{prefix}{}", self.inner_pid)).unwrap_or_default()
    }
}

fn read_status(dir: &PidDir) -> Result<Status, Refusal> {
    let mut buffer = Vec::new();
    let status = dir.read(c"status", &mut buffer, status::LIMIT).and_then(|()| status::parse(&buffer));
    status.map_err(|absence| Refusal::absent("/proc/PID/status", absence))
}

fn check_birth(dir: &PidDir, key: &ProcessKey) -> Result<(), Refusal> {
    let mut space = [0_u8; stat::RECORD];
    let record = file::read_record(dir, c"stat", &mut space)
        .map_err(|error| Refusal::absent("/proc/PID/stat", dir.absence(c"stat", error)))?;
    let born = record.ok_or(Absence::Gone).and_then(stat::parse_start);
    match born.map_err(|absence| Refusal::absent("/proc/PID/stat", absence))? {
        (state, start) if start == key.start && !matches!(state, 'Z' | 'X' | 'x') => Ok(()),
        _ => Err(Refusal::Gone),
    }
}

fn no_tmp(pid: Pid, error: Errno) -> Refusal {
    let path = format!("/proc/{pid}/root/tmp");
    match error {
        Errno::LOOP | Errno::NOTDIR => {
            Refusal::Planted { path, what: "is a link or no directory".to_owned() }
        }
        Errno::NOENT => Refusal::TmpNotWritable("there is none".to_owned()),
        Errno::ACCESS | Errno::PERM => Refusal::Denied { what: path, need: Need::PtraceAccess },
        error => Refusal::system(path, error),
    }
}
