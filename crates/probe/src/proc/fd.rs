//! /proc/PID/fd: how many descriptors are open, and of which kinds (proc_pid_fd(5)).
//!
//! ```text
//! 0 -> /dev/null      3 -> socket:[81532]      4 -> anon_inode:[eventpoll]
//! 7 -> /memfd:ring (deleted)                   9 -> /var/log/app.log
//! ```
//!
//! The number alone is the directory's size since Linux 6.2: one call, for any user. Kinds cost a readlink each.
//! The links are never followed: that could wait for a dead file server.

use std::os::fd::OwnedFd;

use model::{DescriptorKind, Descriptors, Reading, Text};
use rustix::fs::readlinkat_raw;
use rustix::io::Errno;

use super::root::NumberPath;
use super::{Absence, PidDir};
use crate::sys::dents::Listing;
use crate::sys::file;

/// The kinds, in the words of the model.
const KINDS: [&str; 16] = [
    "socket",
    "pipe",
    "file",
    "directory",
    "deleted",
    "device",
    "memfd",
    "epoll",
    "eventfd",
    "timerfd",
    "signalfd",
    "inotify",
    "io_uring",
    "pidfd",
    "perf_event",
    "other",
];
const OTHER: usize = KINDS.len() - 1;

/// Counts the open descriptors without looking at them.
pub(crate) fn total(dir: &PidDir, listing: &mut Listing, numbers: &mut Vec<u32>) -> Reading<Descriptors> {
    let count = match dir.size_of(c"fd") {
        // None open, or a kernel that doesn't say: only the list knows.
        Ok(0) => list(dir, listing, numbers).map(|_| numbers.len() as u64),
        other => other,
    };
    Absence::or_value(count.map(|total| Descriptors { total, kinds: Vec::new() }))
}

/// Counts the open descriptors by kind, most frequent first. Without the right to see the links, but with a kernel
/// that gives the number to everybody, the kinds stay empty.
pub(crate) fn kinds(dir: &PidDir, listing: &mut Listing, numbers: &mut Vec<u32>) -> Reading<Descriptors> {
    let result = list(dir, listing, numbers).and_then(|place| by_kind(dir, &place, numbers));
    match result {
        Err(Absence::Denied(need)) => match dir.size_of(c"fd") {
            Ok(total) if total > 0 => Reading::Value(Descriptors { total, kinds: Vec::new() }),
            _ => Reading::Denied(need),
        },
        result => Absence::or_value(result),
    }
}

fn list(dir: &PidDir, listing: &mut Listing, numbers: &mut Vec<u32>) -> Result<OwnedFd, Absence> {
    let place = dir.open_dir(c"fd")?;
    listing.numbers(&place, numbers).map_err(|error| dir.absence(c"fd", error))?;
    Ok(place)
}

fn by_kind(dir: &PidDir, place: &OwnedFd, numbers: &[u32]) -> Result<Descriptors, Absence> {
    let infos = dir.open_dir(c"fdinfo").ok();
    let mut counts = [0_u64; KINDS.len()];
    let mut examples: [Option<Text>; KINDS.len()] = [const { None }; KINDS.len()];
    let mut space = [0_u8; 4096];
    let mut path = NumberPath::default();
    for number in numbers {
        let name = path.set(*number, b"");
        let length = match readlinkat_raw(place, name, &mut space[..]) {
            Ok(length) => length,
            // Closed since it was listed.
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(dir.absence(c"fd", error)),
        };
        let link = &space[..length];
        let mut kind = kind_of(link);
        if kind == "file" && infos.as_ref().is_some_and(|infos| is_directory(infos, name)) {
            kind = "directory";
        }
        let slot = KINDS.iter().position(|known| *known == kind).unwrap_or(OTHER);
        counts[slot] += 1;
        examples[slot].get_or_insert_with(|| Text::from_bytes(link));
    }
    let mut kinds: Vec<_> = (0..KINDS.len())
        .filter(|slot| counts[*slot] > 0)
        .map(|slot| DescriptorKind {
            kind: KINDS[slot].into(),
            count: counts[slot],
            example: examples[slot].take().unwrap_or_default(),
        })
        .collect();
    kinds.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.kind.cmp(&b.kind)));
    Ok(Descriptors { total: counts.iter().sum(), kinds })
}

/// What a link says about the descriptor; a directory looks like a file.
#[must_use]
pub fn kind_of(link: &[u8]) -> &'static str {
    if let Some(name) = link.strip_prefix(b"anon_inode:") {
        let name = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
        return match name {
            b"eventpoll" => "epoll",
            b"eventfd" => "eventfd",
            b"timerfd" => "timerfd",
            b"signalfd" => "signalfd",
            b"inotify" => "inotify",
            b"io_uring" => "io_uring",
            b"pidfd" => "pidfd",
            b"perf_event" => "perf_event",
            _ => "other",
        };
    }
    if link.starts_with(b"socket:[") {
        "socket"
    } else if link.starts_with(b"pipe:[") {
        "pipe"
    } else if link.starts_with(b"pidfd:[") {
        "pidfd"
    } else if link.starts_with(b"/memfd:") {
        "memfd"
    } else if link.ends_with(b" (deleted)") {
        "deleted"
    } else if link.starts_with(b"/dev/") && !link.starts_with(b"/dev/shm/") {
        "device"
    } else if link.starts_with(b"/") {
        "file"
    } else {
        "other"
    }
}

/// Was it opened as a directory (O_DIRECTORY, as opendir(3) does)? From the flags in fdinfo, in octal.
fn is_directory(infos: &OwnedFd, name: &std::ffi::CStr) -> bool {
    let mut space = [0_u8; 512];
    let Ok(info) = file::open(infos, name).and_then(|file| rustix::io::read(file, &mut space[..])) else {
        return false;
    };
    let Some(at) = memchr::memmem::find(&space[..info], b"flags:") else { return false };
    let digits =
        space[at + 6..info].trim_ascii_start().iter().take_while(|byte| (b'0'..=b'7').contains(byte));
    let flags = digits.fold(0_u64, |sum, digit| sum << 3 | u64::from(digit - b'0'));
    flags & u64::from(rustix::fs::OFlags::DIRECTORY.bits()) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_their_kinds() {
        for (link, kind) in [
            ("socket:[81532]", "socket"),
            ("pipe:[7]", "pipe"),
            ("anon_inode:[eventpoll]", "epoll"),
            ("anon_inode:[eventfd]", "eventfd"),
            ("anon_inode:[timerfd]", "timerfd"),
            ("anon_inode:[signalfd]", "signalfd"),
            ("anon_inode:inotify", "inotify"),
            ("anon_inode:bpf-map", "other"),
            ("/memfd:ring (deleted)", "memfd"),
            ("/tmp/x (deleted)", "deleted"),
            ("/dev/null", "device"),
            ("/dev/shm/ring", "file"),
            ("/var/log/app.log", "file"),
            ("net:[4026531840]", "other"),
            ("", "other"),
        ] {
            assert_eq!(kind_of(link.as_bytes()), kind, "{link}");
            assert!(KINDS.contains(&kind));
        }
    }
}
