//! A folder for what the server records while it runs: in memory where there is a file system for that, private, and
//! gone at the end.
//!
//! One that was killed leaves its folder; the next server removes it. A folder is held by a lock on a file in it, so that
//! of two servers none removes the other's.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use store::history::Retention;

use crate::failure::{Code, Failure};

const PREFIX: &str = "flatfoot-serve-";
/// What it may take.
const MOST_BYTES: u64 = 64 << 20;
const LONGEST: Duration = Duration::from_hours(24);
/// Folders that are tried.
const ATTEMPTS: u32 = 100;

/// The folder; removed when it is dropped.
pub(super) struct Private {
    folder: PathBuf,
    /// Held for as long as somebody writes.
    _lock: File,
}

impl Private {
    /// In /dev/shm, $XDG_RUNTIME_DIR or the folder for temporary files, whichever can be written first.
    pub(super) fn make() -> Result<Self> {
        let runtime =
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Self::in_first_of(
            [Some(PathBuf::from("/dev/shm")), runtime, Some(std::env::temp_dir())].into_iter().flatten(),
        )
    }

    /// Where there is room for more than memory has: for files that are gone in a moment.
    pub(super) fn roomy() -> Result<Self> {
        // /tmp is memory on many hosts.
        let said = std::env::var_os("TMPDIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Self::in_first_of(
            [said, Some(PathBuf::from("/var/tmp")), Some(std::env::temp_dir())].into_iter().flatten(),
        )
    }

    fn in_first_of(places: impl Iterator<Item = PathBuf>) -> Result<Self> {
        let mut last = None;
        for place in places {
            sweep(&place);
            match Self::within(&place) {
                Ok(private) => return Ok(private),
                Err(error) => last = Some((place, error)),
            }
        }
        let (place, error) =
            last.unwrap_or_else(|| (PathBuf::from("/dev/shm"), io::ErrorKind::NotFound.into()));
        let hint = "flatfoot record --store PATH keeps it elsewhere; then flatfoot serve --store PATH";
        Err(Failure::new(Code::Failed, format!("{}: {error}", place.display()), hint).into())
    }

    fn within(place: &Path) -> io::Result<Self> {
        for attempt in 0..ATTEMPTS {
            let folder = place.join(format!("{PREFIX}{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            let made = lock_file(&folder, true).and_then(|lock| {
                lock.try_lock().map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
                Ok(Self { folder: folder.clone(), _lock: lock })
            });
            if made.is_err() {
                remove(&folder);
            }
            return made;
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Where the store goes.
    pub(super) fn store(&self) -> PathBuf {
        self.folder.join("live.flatfoot")
    }

    /// A day, and little.
    #[allow(clippy::unused_self)] // it is this place's
    pub(super) fn retention(&self) -> Retention {
        Retention { age: LONGEST, bytes: MOST_BYTES, full: LONGEST, minutes: LONGEST, ten_minutes: LONGEST }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

fn lock_file(folder: &Path, new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(new).mode(0o600);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options.open(folder.join("lock"))
}

/// A folder of ours, which has files alone: nothing is followed.
fn remove(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let _ = fs::remove_file(entry.path());
    }
    let _ = fs::remove_dir(folder);
}

/// Removes what servers of ours left that were killed.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let folder = entry.path();
        let is_ours = fs::symlink_metadata(&folder)
            .is_ok_and(|meta| meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw());
        if is_ours && lock_file(&folder, false).is_ok_and(|lock| lock.try_lock().is_ok()) {
            remove(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_by_the_dead_goes_and_what_is_held_stays() {
        let place = tempfile::tempdir().unwrap();
        let held = Private::within(place.path()).unwrap();
        fs::write(held.store(), "x").unwrap();
        assert_eq!(held.folder.metadata().unwrap().mode() & 0o777, 0o700);
        let left = place.path().join(format!("{PREFIX}1-0"));
        fs::create_dir(&left).unwrap();
        fs::write(left.join("lock"), "").unwrap();
        fs::write(left.join("live.flatfoot"), "x").unwrap();
        let other = place.path().join("notes");
        fs::create_dir(&other).unwrap();
        let link = place.path().join(format!("{PREFIX}2-0"));
        std::os::unix::fs::symlink(&other, &link).unwrap();
        fs::write(other.join("lock"), "").unwrap();
        sweep(place.path());
        assert!(held.store().exists() && other.join("lock").exists() && link.exists());
        assert!(!left.exists());
        let folder = held.folder.clone();
        drop(held);
        assert!(!folder.exists());
    }
}
