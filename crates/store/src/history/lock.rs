//! One recorder per store: a lock of the kernel's, which goes with the process however that ends, on a file beside the
//! store, which says whose it is.
//!
//! Not on the store itself: closing any descriptor of it would drop SQLite's own locks.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// Held for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// `O_NOFOLLOW` of Linux: a link planted there is not followed.
const NOFOLLOW: i32 = if cfg!(any(target_arch = "aarch64", target_arch = "arm", target_arch = "powerpc64")) {
    0o100_000
} else {
    0o400_000
};

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Lock {
    /// Takes the lock of a store, or says who has it.
    pub(crate) fn take(store: &Path) -> Result<Self, Error> {
        let path = beside(store, ".lock");
        let fail = |error| Error::io(error, &path).of_store();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(NOFOLLOW);
        let mut file = options.open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = (&file).take(16).read_to_string(&mut pid);
                return Err(Error::new(ErrorKind::InUse(pid.trim().parse().unwrap_or(0)), store).of_store());
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        // Who it is is only for people: a full disk is no reason to refuse the lock.
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}
