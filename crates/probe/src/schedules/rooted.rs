//! Reading files below a root directory that belongs to somebody else: a container's, a target's
//! /proc/PID/root, a tree of fixtures.
//!
//! Such a tree may hold links to anywhere, named pipes and devices. Paths are walked here component by
//! component, and links are resolved as the tree's own system would, so that none leads out of it. This is
//! what openat2's RESOLVE_IN_ROOT does; it is not used because Linux before 5.6 and many containers' seccomp
//! filters lack it, and one way that works everywhere is tested everywhere.

use std::collections::VecDeque;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, Stat, StatVfs, fstat, fstatvfs, openat, readlinkat};
use rustix::io::Errno;

use crate::sys::{file, place};

/// Links followed in one path; the kernel's own limit is 40.
const MOST_LINKS: usize = 20;
/// Components of one path, those of links included.
const MOST_COMPONENTS: usize = 256;

/// May links be followed?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// Within the root: for directories that only an administrator writes to.
    Within,
    /// Never: for directories that anybody writes to.
    Never,
}

/// A directory that paths are resolved in.
#[derive(Debug)]
pub(crate) struct Rooted {
    fd: OwnedFd,
}

impl Rooted {
    /// Opens the root; a link at the end of `path` (as /proc/PID/root is one) is followed.
    pub(crate) fn open(path: &Path) -> Result<Self, Errno> {
        let fd = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { fd })
    }

    /// The root directory of a process, as it sees it.
    pub(crate) fn of_process(process: impl AsFd) -> Result<Self, Errno> {
        Ok(Self { fd: place::root_of(process)? })
    }

    /// A directory below the root, as a root of its own.
    pub(crate) fn below(&self, path: &[u8]) -> Result<Self, Errno> {
        let at = self.find(path, Links::Within)?;
        if FileType::from_raw_mode(fstat(at.fd())?.st_mode) != FileType::Directory {
            return Err(Errno::NOTDIR);
        }
        let fd = at.last.map_or_else(|| self.fd.try_clone().map_err(|_| Errno::MFILE), |last| Ok(last.fd))?;
        Ok(Self { fd })
    }

    /// The names in a directory, sorted; at most `most` of them are looked at.
    pub(crate) fn list(&self, path: &[u8], most: usize) -> Result<Vec<CString>, Errno> {
        let at = self.find(path, Links::Within)?;
        let dir = openat(at.fd(), c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut names = Vec::new();
        for entry in Dir::new(dir)?.take(most) {
            let entry = entry?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                names.push(entry.file_name().to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What is known of a file or directory without opening it.
    pub(crate) fn stat(&self, path: &[u8], links: Links) -> Result<Stat, Errno> {
        fstat(self.find(path, links)?.fd())
    }

    /// Size and room of the file system that a file or directory is in.
    pub(crate) fn space(&self, path: &[u8]) -> Result<StatVfs, Errno> {
        fstatvfs(self.find(path, Links::Within)?.fd())
    }

    /// Reads a regular file, at most `limit` bytes. Anything else (a pipe, a device, a directory) is `INVAL`,
    /// and is not opened.
    pub(crate) fn read(&self, path: &[u8], links: Links, limit: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::new();
        file::read(self.open_file(path, links)?, &mut bytes, limit)?;
        Ok(bytes)
    }

    /// Opens a regular file for reading; anything else as in [`Self::read`].
    pub(crate) fn open_file(&self, path: &[u8], links: Links) -> Result<OwnedFd, Errno> {
        let at = self.find(path, links)?;
        let last = at.last.as_ref().ok_or(Errno::INVAL)?;
        require_regular(&fstat(&last.fd)?)?;
        let open = file::open(at.parent.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd), &last.name)?;
        // It may have been exchanged since.
        require_regular(&fstat(&open)?)?;
        Ok(open)
    }

    /// Walks to a path. `..` at the root stays there.
    fn find(&self, path: &[u8], links: Links) -> Result<Found<'_>, Errno> {
        let mut ahead: VecDeque<Vec<u8>> = VecDeque::new();
        push_front(&mut ahead, path);
        let mut way: Vec<Place> = Vec::new();
        let (mut followed, mut walked) = (0, 0);
        while let Some(component) = ahead.pop_front() {
            walked += 1;
            if walked > MOST_COMPONENTS {
                return Err(Errno::NAMETOOLONG);
            }
            match component.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    way.pop();
                    continue;
                }
                _ => {}
            }
            let name = CString::new(component).map_err(|_| Errno::INVAL)?;
            let here = way.last().map_or(self.fd.as_fd(), |place| place.fd.as_fd());
            let fd = openat(here, &name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
            if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::Symlink {
                way.push(Place { fd, name });
                continue;
            }
            followed += 1;
            if links == Links::Never || followed > MOST_LINKS {
                return Err(Errno::LOOP);
            }
            let target = readlinkat(&fd, c"", Vec::new())?;
            if target.to_bytes().starts_with(b"/") {
                way.clear();
            }
            push_front(&mut ahead, target.to_bytes());
        }
        let last = way.pop();
        Ok(Found { root: self.fd.as_fd(), parent: way.pop().map(|place| place.fd), last })
    }
}

/// Where a path led.
struct Found<'a> {
    root: BorrowedFd<'a>,
    /// `None`: the root.
    parent: Option<OwnedFd>,
    /// `None`: the path is the root.
    last: Option<Place>,
}

impl Found<'_> {
    fn fd(&self) -> BorrowedFd<'_> {
        self.last.as_ref().map_or(self.root, |last| last.fd.as_fd())
    }
}

struct Place {
    fd: OwnedFd,
    name: CString,
}

fn push_front(ahead: &mut VecDeque<Vec<u8>>, path: &[u8]) {
    for component in path.split(|b| *b == b'/').rev() {
        ahead.push_front(component.to_vec());
    }
}

fn require_regular(stat: &Stat) -> Result<(), Errno> {
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile { Ok(()) } else { Err(Errno::INVAL) }
}

/// When a file was last written, in Unix seconds.
pub(crate) fn modified_s(stat: &Stat) -> f64 {
    stat.st_mtime as f64 + stat.st_mtime_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, Rooted) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("root/usr/lib/units")).unwrap();
        std::fs::write(dir.path().join("root/usr/lib/units/a"), "inside").unwrap();
        std::fs::write(dir.path().join("secret"), "outside").unwrap();
        let rooted = Rooted::open(&dir.path().join("root")).unwrap();
        (dir, rooted)
    }

    fn text(rooted: &Rooted, path: &str) -> Result<String, Errno> {
        rooted.read(path.as_bytes(), Links::Within, 1000).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn links_are_resolved_within_the_root() {
        let (dir, rooted) = tree();
        symlink("usr/lib", dir.path().join("root/lib")).unwrap();
        symlink("/usr/lib/units", dir.path().join("root/absolute")).unwrap();
        symlink("/usr/lib", dir.path().join("root/usr/deep")).unwrap();
        for path in [
            "/usr/lib/units/a",
            "lib/units/a",
            "absolute/a",
            "usr/deep/units/a",
            "/../..//lib/./units/../units/a",
        ] {
            assert_eq!(text(&rooted, path).as_deref(), Ok("inside"), "{path}");
        }
        assert_eq!(rooted.read(b"lib/units/a", Links::Never, 9).unwrap_err(), Errno::LOOP);
        assert_eq!(rooted.list(b"absolute", 9).unwrap(), [c"a".to_owned()]);
        assert_eq!(rooted.below(b"lib").unwrap().list(b"units", 9).unwrap().len(), 1);
        assert_eq!(rooted.below(b"lib/units/a").unwrap_err(), Errno::NOTDIR);
    }

    #[test]
    fn nothing_leads_outside() {
        let (dir, rooted) = tree();
        let secret = dir.path().join("secret");
        symlink(&secret, dir.path().join("root/absolute")).unwrap();
        symlink("../secret", dir.path().join("root/relative")).unwrap();
        symlink("/proc/self/cwd", dir.path().join("root/magic")).unwrap();
        for path in ["absolute", "relative", "../secret", "magic/secret"] {
            assert_eq!(text(&rooted, path), Err(Errno::NOENT), "{path}");
        }
        symlink("loop", dir.path().join("root/loop")).unwrap();
        assert_eq!(text(&rooted, "loop"), Err(Errno::LOOP));
    }

    #[test]
    fn only_regular_files_are_read_and_only_their_beginning() {
        let (dir, rooted) = tree();
        let pipe = dir.path().join("root/pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(text(&rooted, "pipe"), Err(Errno::INVAL));
        assert_eq!(text(&rooted, "usr"), Err(Errno::INVAL));
        assert_eq!(text(&rooted, "/"), Err(Errno::INVAL));
        assert_eq!(rooted.read(b"usr/lib/units/a", Links::Never, 3).unwrap(), b"ins");
        assert!(modified_s(&rooted.stat(b"usr", Links::Never).unwrap()) > 1.6e9);
        assert_eq!(text(&rooted, "a\0b"), Err(Errno::INVAL));
    }
}
