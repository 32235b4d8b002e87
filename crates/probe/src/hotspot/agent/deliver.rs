//! Putting the agent's files where the target can open them, and taking them away again.
//!
//! All is done as the target's user, with that user's rights only, and by directory descriptors that no link leads away
//! from. A directory of our own, mode 0700, with a name that nobody could know before, holds the library (0500), the ring
//! and the reports (0600), each made anew (O_EXCL). While flatfoot lives it holds a lock on the directory; one without is
//! left from a flatfoot that was killed, and the next one removes it.

use std::ffi::CString;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Dir, FallocateFlags, FlockOperation, Mode, OFlags, StatVfsMountFlags, fallocate, flock, fstat,
    fstatvfs, ftruncate, mkdirat, openat, statat, unlinkat,
};
use rustix::io::Errno;

use super::library::{self, LIBRARY};
use super::{Refusal, layout};
use crate::hotspot::attach::TargetView;
use crate::sys::place::descend;

/// Bytes of the ring: all its blocks are allocated, so that the target can't be killed for a full disk.
pub(super) const RING: u64 = 1 << 20;
/// Left directories that are removed at once.
const LEFTOVERS: usize = 64;

/// A directory of the target's that may take our files.
struct Place {
    dir: OwnedFd,
    /// As the target calls it.
    path: String,
}

/// Our directory in the target's file system; [`Delivery::remove`] takes it away.
#[derive(Debug)]
pub(super) struct Delivery {
    parent: OwnedFd,
    name: CString,
    dir: OwnedFd,
    /// As the target calls it.
    path: String,
}

impl Delivery {
    /// Makes the directory in the first place that takes it, and removes what others left in those places. `runs`: must
    /// files in it be allowed to be executed?
    pub(super) fn new(target: &TargetView, options: &[String], runs: bool) -> Result<Self, Refusal> {
        let places = places(target, options);
        let uid = target.user().uid;
        target.as_user(|| {
            for place in &places {
                remove_leftovers(place.dir.as_fd(), uid);
            }
        })?;
        let mut reasons = Vec::new();
        for place in places {
            match Self::at(target, &place, runs) {
                Ok(delivery) => return Ok(delivery),
                Err(why) => reasons.push(format!("{} {why}", place.path)),
            }
        }
        Err(Refusal::NoPlace(reasons.join(", ")))
    }

    fn at(target: &TargetView, place: &Place, runs: bool) -> Result<Self, String> {
        // The attach protocol takes 1 KiB for all options, and the agent splits them at `;`.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+ ".contains(&byte);
        if place.path.len() > 300 || !place.path.bytes().all(plain) {
            return Err("has a name that can't be handed on".to_owned());
        }
        let flags = fstatvfs(&place.dir).map_err(|error| error.to_string())?.f_flag;
        if flags.contains(StatVfsMountFlags::RDONLY) {
            return Err("is read-only".to_owned());
        }
        if runs && flags.contains(StatVfsMountFlags::NOEXEC) {
            return Err("is noexec".to_owned());
        }
        let uid = target.user().uid;
        let made = target.as_user(|| {
            let name = CString::new(library::directory()).unwrap_or_default();
            mkdirat(&place.dir, &name, Mode::RWXU)?;
            let opened = open_own(place.dir.as_fd(), &name, uid).and_then(|dir| {
                let parent = rustix::io::fcntl_dupfd_cloexec(&place.dir, 0)?;
                // Room is found out here and not by the target.
                make_ring(dir.as_fd())?;
                if runs {
                    make_library(dir.as_fd())?;
                }
                Ok((dir, parent))
            });
            if opened.is_err() {
                remove(place.dir.as_fd(), &name, uid, false);
            }
            opened.map(|(dir, parent)| (name, dir, parent))
        });
        let (name, dir, parent) = match made {
            Ok(Ok(made)) => made,
            Ok(Err(Errno::ACCESS | Errno::PERM)) => return Err("is not writable for its user".to_owned()),
            Ok(Err(Errno::NOSPC | Errno::DQUOT)) => return Err("is full".to_owned()),
            Ok(Err(error)) => return Err(format!("refused: {error}")),
            Err(refusal) => return Err(refusal.to_string()),
        };
        let slash = if place.path.ends_with('/') { "" } else { "/" };
        let path = format!("{}{slash}{}", place.path, name.to_string_lossy());
        Ok(Self { parent, name, dir, path })
    }

    /// A file in it, as the target calls it.
    pub(super) fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.path)
    }

    /// Opens the ring for us.
    pub(super) fn ring(&self, target: &TargetView) -> Result<OwnedFd, Refusal> {
        self.open(target, c"ring", OFlags::RDWR)
    }

    /// Makes an empty file for a report.
    pub(super) fn report(&self, target: &TargetView) -> Result<OwnedFd, Refusal> {
        self.forget(target, &["report"]);
        self.open(target, c"report", OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)
    }

    /// Makes the ring anew: one that was used is not used again.
    pub(super) fn new_ring(&self, target: &TargetView) -> Result<OwnedFd, Refusal> {
        self.forget(target, &["ring"]);
        let made = target.as_user(|| make_ring(self.dir.as_fd()))?;
        made.map_err(|error| Refusal::File { what: self.path("ring"), error })?;
        self.ring(target)
    }

    fn open(&self, target: &TargetView, name: &std::ffi::CStr, flags: OFlags) -> Result<OwnedFd, Refusal> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        target
            .as_user(|| openat(&self.dir, name, flags, Mode::RUSR | Mode::WUSR))?
            .map_err(|error| Refusal::File { what: self.path(&name.to_string_lossy()), error })
    }

    /// Removes all.
    pub(super) fn remove(&self, target: &TargetView) {
        let uid = target.user().uid;
        let _ = target.as_user(|| remove(self.parent.as_fd(), &self.name, uid, true));
    }

    /// Removes files: who has opened or mapped them keeps them.
    pub(super) fn forget(&self, target: &TargetView, files: &[&str]) {
        let _ = target.as_user(|| {
            for file in files {
                let _ = unlinkat(&self.dir, *file, AtFlags::empty());
            }
        });
    }
}

/// The directories to try, in order: /tmp, its working directory, its own idea of a temporary directory, and two that
/// every host has.
fn places(target: &TargetView, options: &[String]) -> Vec<Place> {
    let mut places = Vec::new();
    if let Ok(dir) = rustix::io::fcntl_dupfd_cloexec(target.tmp_dir(), 0) {
        places.push(Place { dir, path: "/tmp".to_owned() });
    }
    let working = rustix::fs::readlinkat(target.proc_dir(), c"cwd", Vec::new()).ok();
    let working = working.and_then(|path| path.into_string().ok());
    let property = options.iter().rev().find_map(|option| option.strip_prefix("-Djava.io.tmpdir="));
    let others = [working.as_deref(), property, Some("/dev/shm"), Some("/var/tmp")];
    for path in others.into_iter().flatten().filter(|path| path.starts_with('/')) {
        let names: Option<Vec<CString>> =
            path.split('/').filter(|name| !name.is_empty()).map(|name| CString::new(name).ok()).collect();
        let Some(names) = names.filter(|names| !names.is_empty()) else { continue };
        let names: Vec<_> = names.iter().map(CString::as_c_str).collect();
        if let Ok(dir) = descend(target.root_dir(), &names)
            && places.iter().all(|place| place.path != path)
        {
            places.push(Place { dir, path: path.to_owned() });
        }
    }
    places
}

/// Opens a directory of ours and locks it: nobody else's, and only this user's.
fn open_own(parent: BorrowedFd<'_>, name: &CString, uid: u32) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = openat(parent, name, flags, Mode::empty())?;
    let stat = fstat(&dir)?;
    if stat.st_uid != uid || stat.st_mode & 0o777 != 0o700 {
        return Err(Errno::PERM);
    }
    flock(&dir, FlockOperation::NonBlockingLockExclusive)?;
    Ok(dir)
}

fn create(dir: BorrowedFd<'_>, name: &str, mode: Mode) -> Result<std::fs::File, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, name, flags, mode).map(std::fs::File::from)
}

fn make_library(dir: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut file = create(dir, &library::name(), Mode::RUSR | Mode::XUSR)?;
    file.write_all(LIBRARY).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

fn make_ring(dir: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut file = create(dir, "ring", Mode::RUSR | Mode::WUSR)?;
    match fallocate(&file, FallocateFlags::empty(), 0, RING) {
        // What can't be promised is written: a hole would be a SIGBUS in the target when the disk is full.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            ftruncate(&file, RING)?;
            let zeros = [0_u8; 8192];
            for _ in 0..RING / 8192 {
                file.write_all(&zeros).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            }
        }
        other => other?,
    }
    rustix::io::pwrite(&file, &layout::MAGIC.to_ne_bytes(), layout::H_MAGIC as u64)?;
    Ok(())
}

/// Removes directories of flatfoots that were killed.
fn remove_leftovers(place: BorrowedFd<'_>, uid: u32) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(listing) = openat(place, c".", flags, Mode::empty()).and_then(Dir::new) else { return };
    let ours = listing.flatten().map(|entry| entry.file_name().to_owned());
    let ours = ours.filter(|name| library::is_directory(name.to_bytes()));
    for name in ours.take(LEFTOVERS) {
        let is_ours = statat(place, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| stat.st_uid == uid);
        if is_ours {
            remove(place, &name, uid, false);
        }
    }
}

/// Removes a directory of ours with the files of ours in it; one that another flatfoot holds stays, unless it is held by
/// this one.
fn remove(parent: BorrowedFd<'_>, name: &CString, uid: u32, held: bool) {
    let dir = if held {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(parent, name, flags, Mode::empty())
    } else {
        open_own(parent, name, uid)
    };
    let Ok(dir) = dir else { return };
    if let Ok(listing) = Dir::read_from(&dir) {
        for entry in listing.flatten().take(LEFTOVERS) {
            if library::is_file(entry.file_name().to_bytes()) {
                let _ = unlinkat(&dir, entry.file_name(), AtFlags::empty());
            }
        }
    }
    // Fails when something else is in it, which then stays.
    let _ = unlinkat(parent, name, AtFlags::REMOVEDIR);
}
