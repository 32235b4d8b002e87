//! One cgroup directory: what it allows and what it uses (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/).

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use model::{Bytes, CgroupLevel, Need, Text};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::proc::{Absence, ProcRoot, scan};
use crate::sys::file;

/// v1 says "no limit" with the largest number of whole pages in an i64, whatever the page size.
const V1_UNLIMITED: u64 = 0x7fff_ffff_0000_0000;

/// The most that is read of one file: a few short lines.
const LIMIT: usize = 16 * 1024;

/// A directory, read with one buffer.
struct Dir<'a> {
    fd: OwnedFd,
    path: &'a [u8],
    buffer: Vec<u8>,
}

/// Reads a directory of the v2 tree (or a v1 hierarchy). `None` when it has none of the files of interest, or has
/// just been removed.
pub(super) fn read(root: &ProcRoot, path: &[u8], v2: bool) -> Result<Option<CgroupLevel>, Absence> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = match openat(CWD, root.outside(path), flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::ACCESS | Errno::PERM) => return Err(Absence::Denied(Need::ReadAnyFile)),
        Err(_) => return Ok(None),
    };
    let mut dir = Dir { fd, path, buffer: Vec::new() };
    let mut level = CgroupLevel {
        pids_max: dir.limit(c"pids.max")?,
        pids_current: dir.number(c"pids.current")?,
        ..CgroupLevel::default()
    };
    if v2 {
        level.memory_max = dir.limit(c"memory.max")?.map(Bytes);
        level.memory_high = dir.limit(c"memory.high")?.map(Bytes);
        level.memory_current = dir.number(c"memory.current")?.map(Bytes);
        level.oom_kills = dir.count(c"memory.events", b"oom_kill")?;
    } else {
        let unlimited = |limit: &u64| *limit < V1_UNLIMITED;
        level.memory_max = dir.number(c"memory.limit_in_bytes")?.filter(unlimited).map(Bytes);
        level.memory_current = dir.number(c"memory.usage_in_bytes")?.map(Bytes);
        level.oom_kills = dir.count(c"memory.oom_control", b"oom_kill")?;
    }
    if level == CgroupLevel::default() {
        return Ok(None);
    }
    level.dir = Text::from_bytes(path);
    Ok(Some(level))
}

impl Dir<'_> {
    /// The content of a file without its last newline; `None` when there is no such file (any more).
    fn content(&mut self, name: &CStr) -> Result<Option<&[u8]>, Absence> {
        match file::read_at(&self.fd, name, &mut self.buffer, LIMIT) {
            Ok(_) => scan::complete(&String::from_utf8_lossy(name.to_bytes()), &self.buffer).map(Some),
            Err(Errno::ACCESS | Errno::PERM) => Err(Absence::Denied(Need::ReadAnyFile)),
            Err(_) => Ok(None),
        }
        .map_err(|absence| self.place(absence))
    }

    /// Puts the directory before the file's name.
    fn place(&self, absence: Absence) -> Absence {
        match absence {
            Absence::Malformed(why) => Absence::Malformed(format!("{}/{why}", Text::from_bytes(self.path))),
            other => other,
        }
    }

    fn wrong(&self, name: &CStr, field: &str) -> Absence {
        self.place(Absence::malformed(&name.to_string_lossy(), 1, field))
    }

    fn number(&mut self, name: &CStr) -> Result<Option<u64>, Absence> {
        let Some(content) = self.content(name)? else { return Ok(None) };
        match scan::number(content) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(name, "number")),
        }
    }

    /// A number, or `max`: `None`.
    fn limit(&mut self, name: &CStr) -> Result<Option<u64>, Absence> {
        match self.content(name)? {
            Some(b"max") | None => Ok(None),
            Some(_) => self.number(name),
        }
    }

    /// The number of one line of `key number` lines; `None` when this kernel doesn't have the line.
    fn count(&mut self, name: &CStr, key: &[u8]) -> Result<Option<u64>, Absence> {
        let Some(content) = self.content(name)? else { return Ok(None) };
        let line = scan::lines(content)
            .map(scan::words)
            .find_map(|mut words| (words.next() == Some(key)).then(|| words.next().and_then(scan::number)));
        match line {
            None => Ok(None),
            Some(Some(number)) => Ok(Some(number)),
            Some(None) => Err(self.wrong(name, &String::from_utf8_lossy(key))),
        }
    }
}
