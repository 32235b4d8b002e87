//! The directory where case files gather, and how it is kept from growing.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// What a case file's name ends in.
pub const CASE_SUFFIX: &str = ".flatfoot";

/// What the name of a file that is being written starts with: hidden, and no case file by its name.
const TEMPORARY_PREFIX: &str = ".flatfoot-";
const TEMPORARY_SUFFIX: &str = ".tmp";

pub(crate) fn temporary_name(pid: u32, attempt: u32) -> String {
    format!("{TEMPORARY_PREFIX}{pid}-{attempt}{TEMPORARY_SUFFIX}")
}

/// The directory of case files, made with mode 0700 when it is not there: `$XDG_STATE_HOME/flatfoot`, else
/// `~/.local/state/flatfoot` (XDG Base Directory Specification, which has relative paths ignored).
pub fn cases_dir(xdg_state_home: Option<&OsStr>, home: Option<&OsStr>) -> Result<PathBuf, Error> {
    let absolute = |value: Option<&OsStr>| value.map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute(xdg_state_home).or_else(|| absolute(home).map(|home| home.join(".local/state")));
    let Some(dir) = state.map(|state| state.join("flatfoot")) else {
        return Err(Error::new(ErrorKind::NoHome, Path::new("flatfoot's directory of case files")));
    };
    DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(|error| Error::io(error, &dir))?;
    Ok(dir)
}

/// Removes the oldest case files beyond `keep`, and what killed writers left; how many files went.
///
/// Only regular files that are named like case files are counted and removed. One that cannot be removed is
/// left: keeping house is never a reason to fail.
pub fn prune(dir: &Path, keep: usize) -> Result<usize, Error> {
    let mut cases = Vec::new();
    let mut removed = 0;
    for entry in fs::read_dir(dir).map_err(|error| Error::io(error, dir))?.flatten() {
        let name = entry.file_name();
        let Ok(meta) = entry.metadata() else { continue }; // does not follow links
        if !meta.is_file() {
            continue;
        }
        if name.as_bytes().starts_with(TEMPORARY_PREFIX.as_bytes())
            && name.as_bytes().ends_with(TEMPORARY_SUFFIX.as_bytes())
        {
            removed += usize::from(remove_if_abandoned(&entry.path()));
        } else if name.as_bytes().ends_with(CASE_SUFFIX.as_bytes())
            // A recorder's store may lie here, too, and not have been written to for long.
            && !crate::history::looks_like_store(&entry.path())
        {
            cases.push((meta.modified().ok(), entry.path()));
        }
    }
    cases.sort_by_cached_key(|(modified, path)| Reverse((*modified, path.clone())));
    for (_, path) in cases.iter().skip(keep) {
        removed += usize::from(fs::remove_file(path).is_ok());
    }
    Ok(removed)
}

/// Its writer holds a lock for as long as it lives.
fn remove_if_abandoned(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok() && fs::remove_file(path).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::{About, CaseWriter};

    #[test]
    fn the_directory_is_the_state_homes_and_private() {
        let root = tempfile::tempdir().unwrap();
        let (state, home) = (root.path().join("state"), root.path().join("home"));
        let dir = cases_dir(Some(state.as_os_str()), Some(home.as_os_str())).unwrap();
        assert_eq!(dir, state.join("flatfoot"));
        assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700);
        let in_home = home.join(".local/state/flatfoot");
        assert_eq!(cases_dir(None, Some(home.as_os_str())).unwrap(), in_home);
        assert_eq!(cases_dir(Some(OsStr::new("relative")), Some(home.as_os_str())).unwrap(), in_home);
        assert_eq!(cases_dir(Some(OsStr::new("")), None).unwrap_err().kind(), ErrorKind::NoHome);
    }

    #[test]
    fn the_oldest_go_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, age: u64| {
            let file = File::create(dir.path().join(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000 - age)).unwrap();
        };
        for age in 0..5 {
            file(&format!("{age}.flatfoot"), age);
        }
        file("notes.txt", 99);
        file(".flatfoot-1-0.tmp", 99);
        fs::create_dir(dir.path().join("old.flatfoot")).unwrap();
        symlink("notes.txt", dir.path().join("link.flatfoot")).unwrap();
        let writer = CaseWriter::create(&dir.path().join("new.flatfoot"), &About::default()).unwrap();
        assert_eq!(prune(dir.path(), 3).unwrap(), 3);
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.retain(|name| !name.starts_with(".flatfoot-"));
        left.sort();
        assert_eq!(
            left,
            ["0.flatfoot", "1.flatfoot", "2.flatfoot", "link.flatfoot", "notes.txt", "old.flatfoot"]
        );
        assert!(writer.finish().is_ok(), "the file of a living writer is left alone");
        assert_eq!(prune(&dir.path().join("none"), 1).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_recorders_store_is_no_case_however_old() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("history.flatfoot");
        let retention = crate::history::Retention::default();
        crate::history::HistoryWriter::open(&store, &About::default(), retention).unwrap().close().unwrap();
        File::open(&store).unwrap().set_modified(UNIX_EPOCH).unwrap();
        CaseWriter::create(&dir.path().join("a.flatfoot"), &About::default()).unwrap().finish().unwrap();
        assert_eq!(prune(dir.path(), 0).unwrap(), 1);
        assert!(store.exists() && !dir.path().join("a.flatfoot").exists());
    }
}
