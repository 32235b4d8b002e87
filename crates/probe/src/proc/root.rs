//! Where the readings come from: a /proc directory (or a tree of fixtures that looks like one), and the
//! directory of one process in it. Both are kept as descriptors.
//!
//! A descriptor of /proc/PID stands for that process and no other: after it ended, opening a file from it fails,
//! even when its pid has been given to a new process. So the readings of two processes cannot mix.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use model::{Need, Pid, Reading};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, openat};
use rustix::io::Errno;

use crate::sys::file::{self, Extent};

/// An opened /proc, or a fixture tree.
#[derive(Debug)]
pub struct ProcRoot {
    fd: OwnedFd,
    path: PathBuf,
    prefix: PathBuf,
    live: bool,
}

impl ProcRoot {
    /// Opens a /proc directory. Files outside it (cgroup, /sys) are looked for in the real root.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::with_prefix(path.as_ref(), PathBuf::from("/"))
    }

    /// Opens `root/proc`, and looks for files outside it below `root` too: a fixture tree or a chroot.
    pub fn in_tree(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = root.as_ref();
        Self::with_prefix(&root.join("proc"), root.to_owned())
    }

    fn with_prefix(proc: &Path, prefix: PathBuf) -> io::Result<Self> {
        let fd = openat(CWD, proc, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let live = is_own_proc(&fd);
        Ok(Self { fd, path: proc.to_owned(), prefix, live })
    }

    /// Is it the /proc of this machine, with the pids of our own pid namespace? Only then may its numbers be given
    /// to system calls: those of a fixture tree, or of another namespace, are strangers here.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The same place once more. Both descriptors stand at the same entry of it: each listing starts anew.
    pub(crate) fn duplicate(&self) -> io::Result<Self> {
        let Self { fd, path, prefix, live } = self;
        Ok(Self { fd: fd.try_clone()?, path: path.clone(), prefix: prefix.clone(), live: *live })
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file outside /proc lies: the path itself, or below the tree's root.
    #[must_use]
    pub fn outside(&self, path: &[u8]) -> PathBuf {
        let start = path.iter().position(|byte| *byte != b'/').unwrap_or(path.len());
        self.prefix.join(std::ffi::OsStr::from_bytes(&path[start..]))
    }

    /// Reads a file of the host, such as `meminfo`.
    pub fn read(&self, name: &CStr, buffer: &mut Vec<u8>, limit: usize) -> Result<(), Absence> {
        match file::read_at(&self.fd, name, buffer, limit) {
            Ok(Extent::Whole) => Ok(()),
            Ok(Extent::Cut) => {
                Err(Absence::Malformed(format!("{}: longer than {limit} bytes", name.to_string_lossy())))
            }
            Err(Errno::ACCESS | Errno::PERM) => Err(Absence::Denied(Need::ReadAnyFile)),
            // NOTSUP: /proc/pressure of a kernel started with psi=0.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::OPNOTSUPP | Errno::NODEV) => Err(Absence::Unsupported),
            Err(error) => Err(Absence::Malformed(format!("{}: {error}", name.to_string_lossy()))),
        }
    }
}

fn is_own_proc(fd: &OwnedFd) -> bool {
    let is_proc = rustix::fs::fstatfs(fd).is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC);
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    is_proc
        && rustix::fs::readlinkat(fd, c"self", Vec::new()).is_ok_and(|pid| pid.to_bytes() == own.as_bytes())
}

impl AsFd for ProcRoot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Why there is no value: the absences of [`Reading`], as an error that `?` can pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The kernel refused.
    Denied(Need),
    /// The process ended.
    Gone,
    /// This kernel, or this kind of process, has no such file.
    Unsupported,
    /// File, line and field that made no sense.
    Malformed(String),
}

impl Absence {
    /// `status: line 9: Uid`.
    #[must_use]
    pub fn malformed(file: &str, line: usize, field: &str) -> Self {
        Self::Malformed(format!("{file}: line {line}: {field}"))
    }

    /// As a reading.
    #[must_use]
    pub fn reading<T>(self) -> Reading<T> {
        match self {
            Self::Denied(need) => Reading::Denied(need),
            Self::Gone => Reading::Gone,
            Self::Unsupported => Reading::Unsupported,
            Self::Malformed(why) => Reading::Malformed(why),
        }
    }

    /// A result as a reading.
    pub fn or_value<T>(result: Result<T, Self>) -> Reading<T> {
        match result {
            Ok(value) => Reading::Value(value),
            Err(absence) => absence.reading(),
        }
    }
}

/// The opened directory of one process (or of one of its threads).
#[derive(Debug)]
pub struct PidDir {
    fd: OwnedFd,
    pid: Pid,
}

impl PidDir {
    /// Opens /proc/PID; `Gone` when there is no such process.
    pub fn open(root: &ProcRoot, pid: Pid) -> Result<Self, Absence> {
        let mut name = NumberPath::default();
        match file::open_place(root, name.set(pid.0, b"")) {
            Ok(fd) => Ok(Self { fd, pid }),
            Err(Errno::NOENT | Errno::SRCH) => Err(Absence::Gone),
            Err(Errno::ACCESS | Errno::PERM) => Err(Absence::Denied(Need::PtraceAccess)),
            Err(error) => Err(Absence::Malformed(format!("{pid}: {error}"))),
        }
    }

    /// Opens the directory of one of the process's threads, which offers most of the same files: what a process
    /// whose first thread has ended still tells.
    pub fn thread(&self, tid: Pid) -> Result<Self, Absence> {
        let name = CString::new(format!("task/{tid}")).map_err(|_| Absence::Gone)?;
        let fd = file::open_place(&self.fd, &name).map_err(|error| self.absence(&name, error))?;
        Ok(Self { fd, pid: self.pid })
    }

    /// Whose directory it is.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Opens a file of it, such as `maps`.
    pub fn open_file(&self, name: &CStr) -> Result<OwnedFd, Absence> {
        file::open(&self.fd, name).map_err(|error| self.absence(name, error))
    }

    /// Opens a directory of it, such as `task`.
    pub fn open_dir(&self, name: &CStr) -> Result<OwnedFd, Absence> {
        file::open_dir(&self.fd, name).map_err(|error| self.absence(name, error))
    }

    /// Reads a whole file of it; longer than `limit` is `Malformed`.
    pub fn read(&self, name: &CStr, buffer: &mut Vec<u8>, limit: usize) -> Result<(), Absence> {
        match file::read_at(&self.fd, name, buffer, limit) {
            Ok(Extent::Whole) => Ok(()),
            Ok(Extent::Cut) => {
                Err(Absence::Malformed(format!("{}: longer than {limit} bytes", name.to_string_lossy())))
            }
            Err(error) => Err(self.absence(name, error)),
        }
    }

    /// What an error on one of its files means. ENOENT is the end of the process, or a file that this kernel
    /// doesn't have: asking for the directory itself tells which.
    #[must_use]
    pub fn absence(&self, name: &CStr, error: Errno) -> Absence {
        match error {
            Errno::ACCESS | Errno::PERM => Absence::Denied(Need::PtraceAccess),
            Errno::SRCH => Absence::Gone,
            Errno::NOENT if !self.is_alive() => Absence::Gone,
            Errno::NOENT | Errno::NOTDIR | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL => {
                Absence::Unsupported
            }
            error => Absence::Malformed(format!("{}: {error}", name.to_string_lossy())),
        }
    }

    /// Is the process still there (as a zombie, too)?
    #[must_use]
    pub fn is_alive(&self) -> bool {
        rustix::fs::accessat(&self.fd, c"stat", rustix::fs::Access::EXISTS, AtFlags::empty()).is_ok()
    }

    /// The size that the kernel gives a directory of it: for `fd` the number of descriptors (Linux ≥ 6.2), 0
    /// before. Nobody needs a right for that.
    pub fn size_of(&self, name: &CStr) -> Result<u64, Absence> {
        rustix::fs::statx(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::SIZE)
            .map(|stat| stat.stx_size)
            .map_err(|error| self.absence(name, error))
    }
}

impl AsFd for PidDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Builds `4711/stat` without allocating.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumberPath {
    bytes: [u8; 32],
}

impl NumberPath {
    /// `number` followed by `tail` (at most 20 bytes, without NUL).
    pub(crate) fn set(&mut self, number: u32, tail: &'static [u8]) -> &CStr {
        self.set_after(b"", number, tail)
    }

    /// The same after `head`; head and tail have at most 20 bytes together.
    pub(crate) fn set_after(&mut self, head: &'static [u8], number: u32, tail: &'static [u8]) -> &CStr {
        let mut digits = [0_u8; 10];
        let mut first = digits.len();
        let mut rest = number;
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let digits = &digits[first..];
        let after = head.len() + digits.len();
        let end = after + tail.len();
        self.bytes[..head.len()].copy_from_slice(head);
        self.bytes[head.len()..after].copy_from_slice(digits);
        self.bytes[after..end].copy_from_slice(tail);
        self.bytes[end] = 0;
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_paths() {
        let mut path = NumberPath::default();
        assert_eq!(path.set(0, b""), c"0");
        assert_eq!(path.set(u32::MAX, b"/stat"), c"4294967295/stat");
        assert_eq!(path.set_after(b"task/", u32::MAX, b"/stat"), c"task/4294967295/stat");
        assert_eq!(path.set(42, b"/stat"), c"42/stat");
    }

    #[test]
    fn a_process_that_ended_is_gone_and_not_unsupported() {
        let root = ProcRoot::open("/proc").unwrap();
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let dir = PidDir::open(&root, Pid(child.id())).unwrap();
        let mut buffer = Vec::new();
        assert!(dir.read(c"stat", &mut buffer, 4096).is_ok());
        assert_eq!(dir.read(c"no such file", &mut buffer, 4096), Err(Absence::Unsupported));
        let open = dir.open_file(c"statm").unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(dir.read(c"stat", &mut buffer, 4096), Err(Absence::Gone));
        let error = file::read(open, &mut buffer, 4096).unwrap_err();
        assert_eq!(dir.absence(c"statm", error), Absence::Gone);
        assert_eq!(dir.size_of(c"fd"), Err(Absence::Gone));
    }

    #[test]
    fn paths_outside_stay_below_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("proc")).unwrap();
        let root = ProcRoot::in_tree(dir.path()).unwrap();
        assert_eq!(root.outside(b"//sys/fs/cgroup"), dir.path().join("sys/fs/cgroup"));
    }
}
