//! Where a JVM's counters are: it says so itself, by the file that it maps.
//!
//! ```text
//! 7f67f4c00000-7f67f4c08000 rw-s 00000000 fe:01 1573011   /tmp/hsperfdata_torquebox/3248
//! ```
//!
//! A file of the right name that it doesn't map was left by an earlier process, or planted. The mapped one is opened by its
//! name in the target's own file system, no link followed; when it was deleted (as jobs do that clean /tmp), through
//! /proc/PID/map_files, for which the kernel wants CAP_CHECKPOINT_RESTORE.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use model::{AddressSpace, Mapping, Need};
use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::proc::{scan, status};
use crate::sys::file;
use crate::sys::place::{descend, root_of};
use crate::{Absence, PidDir};

/// The file, opened, and its size.
pub(super) fn open(dir: &PidDir, space: &AddressSpace) -> Result<(OwnedFd, u64), Absence> {
    let mut buffer = Vec::new();
    dir.read(c"status", &mut buffer, status::LIMIT)?;
    let status = status::parse(&buffer)?;
    let inner = status.ns_pids.last().copied().unwrap_or(dir.pid().0);
    let found = space.mappings.iter().find_map(|mapping| {
        let name = space.names.get(mapping.name as usize)?.as_str();
        Some((mapping, Place::parse(name, inner)?))
    });
    let (mapping, place) = found.ok_or(Absence::Unsupported)?;
    let opened = if place.deleted { Err(Absence::Unsupported) } else { by_name(dir, &place) };
    let file = match opened {
        Err(Absence::Unsupported) => by_address(dir, mapping)?,
        other => other?,
    };
    let stat = fstat(&file).map_err(|error| dir.absence(c"hsperfdata", error))?;
    let is_its_own = stat.st_uid == status.uid || stat.st_uid == 0;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_its_own {
        return Err(Absence::Malformed(format!(
            "hsperfdata: not a file of its own (owner {}, mode {:o})",
            stat.st_uid, stat.st_mode
        )));
    }
    Ok((file, stat.st_size as u64))
}

/// Is this the name of a counters' file?
#[derive(Debug, PartialEq, Eq)]
struct Place {
    directory: CString,
    file: CString,
    deleted: bool,
}

impl Place {
    fn parse(name: &str, inner_pid: u32) -> Option<Self> {
        let (path, deleted) = name.strip_suffix(" (deleted)").map_or((name, false), |path| (path, true));
        let (rest, file) = path.rsplit_once('/')?;
        let directory = rest.rsplit_once('/')?.1;
        let is_own = directory.starts_with("hsperfdata_")
            && scan::number(file.as_bytes()) == Some(u64::from(inner_pid));
        if !is_own {
            // A tool for JVMs maps those of others, too.
            return None;
        }
        Some(Self { directory: CString::new(directory).ok()?, file: CString::new(file).ok()?, deleted })
    }
}

fn by_name(dir: &PidDir, place: &Place) -> Result<OwnedFd, Absence> {
    let reach = || {
        let root = root_of(dir)?;
        let at = descend(root, &[c"tmp", &place.directory])?;
        file::open(at, &place.file)
    };
    reach().map_err(|error| match error {
        Errno::ACCESS | Errno::PERM => Absence::Denied(Need::PtraceAccess),
        Errno::SRCH => Absence::Gone,
        // A link on the way, or nothing there: what is mapped is elsewhere.
        _ => Absence::Unsupported,
    })
}

fn by_address(dir: &PidDir, mapping: &Mapping) -> Result<OwnedFd, Absence> {
    let name = CString::new(format!("map_files/{:x}-{:x}", mapping.start, mapping.end))
        .map_err(|_| Absence::Unsupported)?;
    let name: &CStr = &name;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    openat(dir, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::ACCESS | Errno::PERM => Absence::Denied(Need::ReadAnyFile),
        error => dir.absence(name, error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_counters() {
        let place =
            |name, deleted| Place { directory: CString::new(name).unwrap(), file: c"17".to_owned(), deleted };
        assert_eq!(Place::parse("/tmp/hsperfdata_root/17", 17), Some(place("hsperfdata_root", false)));
        assert_eq!(Place::parse("/tmp/hsperfdata_a b/17 (deleted)", 17), Some(place("hsperfdata_a b", true)));
        for wrong in
            ["/tmp/hsperfdata_root/18", "/tmp/17", "hsperfdata_root/17", "/tmp/hsperfdata_/x", "/17", ""]
        {
            assert_eq!(Place::parse(wrong, 17), None, "{wrong}");
        }
    }
}
