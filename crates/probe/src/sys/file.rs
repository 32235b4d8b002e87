//! Opening and reading small files relative to a directory, into a buffer that is used again.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::Errno;

/// Opens a file for reading. Never follows a link at the end, never waits for a writer (a named pipe in a
/// fixture tree or a container must not hang flatfoot), never becomes a controlling terminal.
pub fn open(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    openat(dir, name, flags, Mode::empty())
}

/// Opens a directory for listing.
pub fn open_dir(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY;
    openat(dir, name, flags, Mode::empty())
}

/// Opens a directory only as a place to open files from: needs no right to list it.
pub fn open_place(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY;
    openat(dir, name, flags, Mode::empty())
}

/// How much of a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// It is longer than the limit: the buffer holds its beginning.
    Cut,
}

/// Reads a file from where it stands to its end, or to `limit` bytes. Replaces what the buffer held; the
/// buffer grows as the file does, never to a size that somebody else claimed.
pub fn read(file: impl AsFd, buffer: &mut Vec<u8>, limit: usize) -> Result<Extent, Errno> {
    const STEP: usize = 4096;
    let file = file.as_fd();
    buffer.clear();
    loop {
        if buffer.len() >= limit {
            buffer.truncate(limit);
            return Ok(Extent::Cut);
        }
        if buffer.capacity() - buffer.len() < STEP {
            buffer.reserve(buffer.len().max(STEP));
        }
        match rustix::io::read(file, rustix::buffer::spare_capacity(buffer)) {
            Ok(0) => return Ok(Extent::Whole),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens and reads a file.
pub fn read_at(dir: impl AsFd, name: &CStr, buffer: &mut Vec<u8>, limit: usize) -> Result<Extent, Errno> {
    let file = open(dir, name)?;
    read(file, buffer, limit)
}

/// Opens a file and reads it with a single call into `space`: for the files of /proc that the kernel writes
/// as one record (stat, statm), which spares the call that only confirms the end. `None` when it filled the
/// space and may go on.
pub fn read_record<'a>(dir: impl AsFd, name: &CStr, space: &'a mut [u8]) -> Result<Option<&'a [u8]>, Errno> {
    let file = open(dir, name)?;
    loop {
        match rustix::io::read(&file, &mut *space) {
            Ok(read) => return Ok((read < space.len()).then(|| &space[..read])),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The size that the kernel gives a file or directory.
pub(crate) fn size(dir: impl AsFd, name: &CStr) -> Result<u64, Errno> {
    statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::SIZE).map(|found| found.stx_size)
}

/// How many links a directory has.
pub(crate) fn links(dir: impl AsFd, name: &CStr) -> Result<u64, Errno> {
    statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::NLINK).map(|found| u64::from(found.stx_nlink))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn reads_whole_files_and_cuts_long_ones() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), vec![b'x'; 10_000]).unwrap();
        let place = File::open(dir.path()).unwrap();
        let mut buffer = b"old".to_vec();
        assert_eq!(read_at(&place, c"f", &mut buffer, 20_000), Ok(Extent::Whole));
        assert_eq!(buffer.len(), 10_000);
        assert!(buffer.iter().all(|byte| *byte == b'x'));
        assert_eq!(read_at(&place, c"f", &mut buffer, 5_000), Ok(Extent::Cut));
        assert_eq!(buffer.len(), 5_000);
        assert_eq!(read_at(&place, c"none", &mut buffer, 5_000), Err(Errno::NOENT));
    }

    #[test]
    fn a_record_that_fills_the_space_is_not_taken_for_whole() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), b"0123456789").unwrap();
        let place = File::open(dir.path()).unwrap();
        let mut space = [0_u8; 10];
        assert_eq!(read_record(&place, c"f", &mut space), Ok(None));
        let mut space = [0_u8; 11];
        assert_eq!(read_record(&place, c"f", &mut space), Ok(Some(&b"0123456789"[..])));
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        let place = File::open(dir.path()).unwrap();
        assert_eq!(read_at(&place, c"link", &mut Vec::new(), 100), Err(Errno::LOOP));
    }
}
