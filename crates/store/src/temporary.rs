//! A file that gets its name when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::folder::temporary_name;

/// The file under its temporary name; removed when it is dropped.
pub(crate) struct Temporary {
    /// Where it lies until then, without links in it.
    pub(crate) path: PathBuf,
    folder: PathBuf,
    /// Holds the lock that tells `prune` that somebody still writes it.
    file: File,
}

impl Temporary {
    /// Makes an empty file beside the one it is to become.
    pub(crate) fn create(final_path: &Path) -> io::Result<Self> {
        let folder = match final_path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = fs::canonicalize(folder)?;
        let mut attempt = 0_u32;
        loop {
            let path = folder.join(temporary_name(std::process::id(), attempt));
            match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    // A file system without locks: `prune` will leave the file alone just as well.
                    let _ = file.try_lock();
                    return Ok(Self { path, folder, file });
                }
                // Another writer in this process, or one that was killed and had our pid.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 1_000 => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its name; its size in bytes.
    pub(crate) fn publish(&self, path: &Path, replace: bool) -> io::Result<u64> {
        self.file.sync_all()?;
        let bytes = self.file.metadata()?.len();
        if replace {
            fs::rename(&self.path, path)?;
        } else {
            // A link, unlike a rename, fails when the name is taken.
            match fs::hard_link(&self.path, path) {
                Ok(()) => fs::remove_file(&self.path)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) if fs::symlink_metadata(path).is_ok() => {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                // vfat and some network file systems have no links.
                Err(_) => fs::rename(&self.path, path)?,
            }
        }
        // The name is on the disk only when its directory is; not every file system can be asked.
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        Ok(bytes)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After `publish` there is nothing of that name any more.
        let _ = fs::remove_file(&self.path);
    }
}
