//! Directories and files inside a tree that somebody else owns: reached name by name from an opened directory, and no
//! link is ever followed, so that nobody who may write there leads flatfoot elsewhere. (openat2 with RESOLVE_BENEATH
//! and RESOLVE_NO_SYMLINKS would do the same in one call, on Linux ≥ 5.6 only; the paths here have three names at most.)

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

/// Opens the directory that names lead to, as a place to open from. ELOOP or ENOTDIR when one of them is a link;
/// a name with a slash or of dots is EINVAL.
pub fn descend(from: impl AsFd, names: &[&CStr]) -> Result<OwnedFd, Errno> {
    let mut at = openat(from, c".", PLACE, Mode::empty())?;
    for name in names {
        check(name)?;
        at = openat(&at, *name, PLACE, Mode::empty())?;
    }
    Ok(at)
}

/// Opens a file, a socket or a link itself, only to look at it or to connect to it.
pub fn point_at(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    check(name)?;
    openat(dir, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// Follows the link to a process's root directory: the kernel's own link, which nobody can plant.
pub fn root_of(process: impl AsFd) -> Result<OwnedFd, Errno> {
    openat(process, c"root", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

const PLACE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn check(name: &CStr) -> Result<(), Errno> {
    let name = name.to_bytes();
    if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
        return Err(Errno::INVAL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_nowhere() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(tree.path().join("a/b")).unwrap();
        symlink("/etc", tree.path().join("link")).unwrap();
        symlink("a", tree.path().join("near")).unwrap();
        let top = std::fs::File::open(tree.path()).unwrap();
        assert!(descend(&top, &[c"a", c"b"]).is_ok());
        for wrong in [&[c"link"][..], &[c"near"], &[c"near", c"b"]] {
            assert!(matches!(descend(&top, wrong), Err(Errno::LOOP | Errno::NOTDIR)), "{wrong:?}");
        }
        for wrong in [c"..", c".", c"", c"a/b", c"/etc"] {
            assert_eq!(descend(&top, &[wrong]).unwrap_err(), Errno::INVAL, "{wrong:?}");
            assert_eq!(point_at(&top, wrong).unwrap_err(), Errno::INVAL, "{wrong:?}");
        }
        let link = rustix::fs::fstat(point_at(&top, c"link").unwrap()).unwrap();
        assert_eq!(link.st_mode & libc::S_IFMT, libc::S_IFLNK, "the link, not where it leads");
    }
}
