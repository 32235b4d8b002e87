//! A folder of our own in the target's /tmp, made and owned by the target's user and closed to all others: what the JVM
//! reads and writes there, nobody else can have put there. Removed with what is in it when this goes.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use model::Text;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, StatVfs, fstat, fstatvfs, mkdirat, openat, statat, unlinkat,
};
use rustix::io::Errno;

use super::super::attach::{Refusal, TargetView};
use crate::Clock;
use crate::schedules::rooted::Rooted;
use crate::sys::file::{self, Extent};
use crate::sys::place;

/// Names in /tmp that are looked at for folders that were left behind.
const MOST_NAMES: usize = 20_000;
/// A JVM whose recording can't be written because the disk is full may end (JDK 11: "no space left on device").
const ROOM: u64 = 64 << 20;

/// The files that may be in it.
pub(super) const SETTINGS: &CStr = c"starts.jfc";
pub(super) const DUMP: &CStr = c"starts.jfr";

/// The folder, opened.
#[derive(Debug)]
pub(super) struct Folder {
    name: CString,
    dir: OwnedFd,
}

impl Folder {
    /// Makes one, after removing those that a flatfoot left which was killed. Nobody else is at work in this JVM: whoever
    /// attaches holds its lock.
    pub(super) fn create(target: &TargetView) -> Result<Self, Refusal> {
        sweep(target);
        let tmp = target.tmp_dir();
        let made = target.as_user(|| {
            for attempt in 0..10 {
                let number = (Clock::boot() * 1e6) as u64 + attempt;
                let name = CString::new(format!("{}{number}", prefix(target))).unwrap_or_default();
                match mkdirat(tmp, &name, Mode::RWXU) {
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(error),
                    Ok(()) => return Ok(name),
                }
            }
            Err(Errno::EXIST)
        })?;
        let name = made.map_err(cannot)?;
        // From here on it is removed whatever happens.
        let opened = place::descend(tmp, &[&name]).and_then(|dir| Ok((fstat(&dir)?, dir)));
        match opened {
            Ok((stat, dir)) if stat.st_uid == target.user().uid && stat.st_mode & 0o7777 == 0o700 => {
                Ok(Self { name, dir })
            }
            other => {
                let path = target.tmp_path(&name.to_string_lossy());
                let _ = target.as_user(|| unlinkat(tmp, &name, AtFlags::REMOVEDIR));
                match other {
                    Err(error) => Err(cannot(error)),
                    Ok(_) => Err(Refusal::Planted { path, what: "is not what was made there".to_owned() }),
                }
            }
        }
    }

    /// How the JVM calls a file in it.
    pub(super) fn path(&self, name: &CStr) -> String {
        format!("/tmp/{}/{}", self.name.to_string_lossy(), name.to_string_lossy())
    }

    /// Writes a file, as the target's user.
    pub(super) fn write(&self, target: &TargetView, name: &CStr, content: &[u8]) -> Result<(), Refusal> {
        let write = || {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = openat(&self.dir, name, flags, Mode::RUSR | Mode::WUSR)?;
            let mut left = content;
            while !left.is_empty() {
                let written = rustix::io::write(&file, left)?;
                left = left.get(written..).unwrap_or_default();
            }
            Ok(())
        };
        target.as_user(write)?.map_err(|error: Errno| cannot(error))
    }

    /// Reads a file that the JVM has written, at most `limit` bytes, and removes it.
    pub(super) fn take(&self, target: &TargetView, name: &CStr, limit: usize) -> Result<Vec<u8>, Refusal> {
        let read = self.read(target, name, limit);
        self.remove(target, name);
        read
    }

    fn read(&self, target: &TargetView, name: &CStr, limit: usize) -> Result<Vec<u8>, Refusal> {
        let path = || self.path(name);
        let failed = |error| Refusal::System { doing: path(), error };
        let open = file::open(&self.dir, name).map_err(failed)?;
        let stat = fstat(&open).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_uid != target.user().uid
        {
            return Err(Refusal::Planted { path: path(), what: "is not what the JVM writes".to_owned() });
        }
        let mut bytes = Vec::new();
        match file::read(&open, &mut bytes, limit).map_err(failed)? {
            Extent::Whole => Ok(bytes),
            Extent::Cut => Err(Refusal::Protocol(format!("{}: longer than {limit} bytes", path()))),
        }
    }

    pub(super) fn remove(&self, target: &TargetView, name: &CStr) {
        let _ = target.as_user(|| unlinkat(&self.dir, name, AtFlags::empty()));
    }

    /// Removes it. What cannot be removed is left to the next one's [`sweep`].
    pub(super) fn close(&self, target: &TargetView) {
        empty_and_remove(target, &self.name, &self.dir);
    }
}

/// Is there room for what the JVM is going to write: in its /tmp, and in `other`, where it keeps temporary files?
pub(super) fn has_room(target: &TargetView, other: Option<&[u8]>) -> Result<(), Refusal> {
    let unknown = |error| Refusal::System { doing: "the room in its file system".to_owned(), error };
    let tmp = fstatvfs(target.tmp_dir()).map_err(unknown)?;
    enough("/tmp", &tmp)?;
    if let Some(path) = other {
        let root = Rooted::of_process(target.proc_dir()).map_err(unknown)?;
        enough(Text::from_bytes(path).as_str(), &root.space(path).map_err(unknown)?)?;
    }
    Ok(())
}

fn enough(what: &str, space: &StatVfs) -> Result<(), Refusal> {
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if free >= ROOM {
        return Ok(());
    }
    let what = Text::from(what);
    Err(Refusal::TmpNotWritable(format!(
        "{what} has {} MiB free, and {} are asked for: a JVM whose flight recording finds no room may end",
        free >> 20,
        ROOM >> 20
    )))
}

/// How those for this JVM are called; what follows is a number. Other JVMs may have the same /tmp.
fn prefix(target: &TargetView) -> String {
    format!(".flatfoot-jfr-{}-", target.inner_pid())
}

/// Removes folders for this JVM, of its user, that were left behind: of a flatfoot that was killed.
fn sweep(target: &TargetView) {
    let prefix = prefix(target);
    let open = |name: &CStr| place::descend(target.tmp_dir(), &[name]);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(entries) = openat(target.tmp_dir(), c".", flags, Mode::empty()).and_then(Dir::new) else { return };
    for entry in entries.take(MOST_NAMES).flatten() {
        let name = entry.file_name();
        let ours = name.to_bytes().strip_prefix(prefix.as_bytes());
        if !ours.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit)) {
            continue;
        }
        let owner = statat(target.tmp_dir(), name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| stat.st_uid);
        if owner == Ok(target.user().uid)
            && let Ok(dir) = open(name)
        {
            empty_and_remove(target, name, &dir);
        }
    }
}

/// As the target's user: nothing is removed that it could not remove itself.
fn empty_and_remove(target: &TargetView, name: &CStr, dir: &OwnedFd) {
    let _ = target.as_user(|| {
        for file in [SETTINGS, DUMP] {
            let _ = unlinkat(dir, file, AtFlags::empty());
        }
        let _ = unlinkat(target.tmp_dir(), name, AtFlags::REMOVEDIR);
    });
}

fn cannot(error: Errno) -> Refusal {
    Refusal::TmpNotWritable(error.to_string())
}
