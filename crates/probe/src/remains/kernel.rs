//! OOM kills and refused forks in the kernel's log, read from /dev/kmsg (Documentation/ABI/testing/dev-kmsg).

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

use model::{Need, Reading, Remains, Text};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::MOST_TEXT;
use crate::clock::Clock;

/// Marks kept, the newest.
const MOST_MARKS: usize = 200;
/// Bytes of one record; the kernel refuses to read a record into less than it needs.
const RECORD: usize = 16 * 1024;
/// Records looked at: more than the largest ring that the kernel builds holds, so that a log which grows as
/// fast as it is read has an end.
const MOST_RECORDS: usize = 1_000_000;

/// The kernel's marks of processes that it killed, or forks that it refused, oldest first.
#[must_use]
pub fn kernel_log() -> Reading<Vec<Remains>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    match openat(CWD, "/dev/kmsg", flags, Mode::empty()) {
        // The log's clock is the monotonic one: what it says of times before a suspend is late by the
        // suspend.
        Ok(log) => read(&log, Clock::wall() - Clock::monotonic()),
        Err(error) => absence(error),
    }
}

fn absence(error: Errno) -> Reading<Vec<Remains>> {
    match error {
        Errno::ACCESS | Errno::PERM => Reading::Denied(Need::KernelLog),
        Errno::NOENT | Errno::NODEV | Errno::NXIO | Errno::NOTDIR => Reading::Unsupported,
        error => Reading::Malformed(format!("/dev/kmsg: {error}")),
    }
}

/// Each read gives one record.
fn read(log: &OwnedFd, zero_unix_s: f64) -> Reading<Vec<Remains>> {
    let mut marks = VecDeque::new();
    let mut record = vec![0; RECORD];
    for _ in 0..MOST_RECORDS {
        match rustix::io::read(log.as_fd(), &mut record) {
            Ok(0) | Err(Errno::AGAIN) => break,
            Ok(length) => keep(&mut marks, mark(&record[..length], zero_unix_s)),
            // PIPE: records were overwritten before they were read; reading goes on with the oldest left.
            Err(Errno::PIPE | Errno::INTR | Errno::INVAL) => {}
            Err(error) if marks.is_empty() => return absence(error),
            Err(_) => break,
        }
    }
    Reading::Value(marks.into())
}

fn keep(marks: &mut VecDeque<Remains>, mark: Option<Remains>) {
    if let Some(mark) = mark {
        if marks.len() == MOST_MARKS {
            marks.pop_front();
        }
        marks.push_back(mark);
    }
}

/// The mark in a record, if it is one. Priority (facility × 8 + level), sequence number and microseconds
/// since boot stand before the text; only facility 0 is the kernel speaking, anything else was written by a
/// process.
///
/// ```text
/// 3,1711,86400123456,-;Out of memory: Killed process 4711 (java) total-vm:18874368kB, anon-rss:5242880kB, …
///  SUBSYSTEM=…
/// ```
fn mark(record: &[u8], zero_unix_s: f64) -> Option<Remains> {
    let (head, text) = record.split_at(memchr::memchr(b';', record)?);
    let mut fields = head.split(|b| *b == b',').map(|field| std::str::from_utf8(field).ok());
    let priority: u32 = fields.next()??.parse().ok()?;
    let micros: Option<u64> = fields.nth(1).flatten().and_then(|field| field.parse().ok());
    let line = text[1..].split(|b| *b == b'\n').next()?.trim_ascii();
    (priority < 8 && is_mark(line)).then(|| Remains {
        source: "the kernel's log".into(),
        what: Text::from_bytes(&line[..line.len().min(MOST_TEXT)]),
        when: micros.map(|us| zero_unix_s + us as f64 / 1e6),
    })
}

/// `Out of memory: Killed process …`, `Memory cgroup out of memory: Killed process …`, before Linux 5.1 a
/// line `Killed process …` of its own, behind an announcement that is left out; `cgroup: fork rejected by
/// pids controller`.
fn is_mark(line: &[u8]) -> bool {
    let killed = memchr::memmem::find(line, b"Killed process ");
    let by_oom = killed.is_some_and(|at| at == 0 || line[..at].ends_with(b"ut of memory: "));
    by_oom || line.starts_with(b"cgroup: fork rejected by pids controller in ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(record: &str) -> Option<String> {
        mark(record.as_bytes(), 1e9).map(|m| m.what.as_str().to_owned())
    }

    #[test]
    fn marks() {
        let kill = "3,1711,86400123456,-;Memory cgroup out of memory: Killed process 4711 (java) total-vm:18874368kB, UID:0\n SUBSYSTEM=x\n";
        let found = mark(kill.as_bytes(), 1e9).unwrap();
        assert_eq!(
            found.what.as_str(),
            "Memory cgroup out of memory: Killed process 4711 (java) total-vm:18874368kB, UID:0"
        );
        assert!((found.when.unwrap() - (1e9 + 86_400.123_456)).abs() < 1e-3);
        for line in [
            "Out of memory: Killed process 7 (a) b) total-vm:1kB",
            "Killed process 7 (java) total-vm:1kB, anon-rss:1kB",
            "cgroup: fork rejected by pids controller in /user.slice/user-1000.slice",
        ] {
            assert_eq!(said(&format!("6,1,2,-;{line}\n")).as_deref(), Some(line));
        }
    }

    #[test]
    fn what_is_no_mark() {
        for record in [
            "",
            "6",
            ";",
            "6,1,2,-;",
            "6,1,2,-;Linux version 6.18\n",
            "6,1,2,-;Out of memory: Kill process 7 (java) score 900 or sacrifice child\n",
            "6,1,2,-;oom_reaper: reaped process 7 (java)\n",
            // Written to /dev/kmsg by a process: facility 1.
            "14,1,2,-;Out of memory: Killed process 7 (java)\n",
            "x,1,2,-;Out of memory: Killed process 7 (java)\n",
            "6,1,2,-;systemd says: Killed process 7 (java)\n",
        ] {
            assert_eq!(said(record), None, "{record}");
        }
        assert_eq!(mark(b"6,1,never,-;Killed process 7 (x)", 0.0).unwrap().when, None);
    }

    #[test]
    fn the_newest_are_kept() {
        let mut marks = VecDeque::new();
        for i in 0..300 {
            keep(&mut marks, mark(format!("6,{i},{i},-;Killed process {i} (x)").as_bytes(), 0.0));
        }
        assert_eq!(marks.len(), MOST_MARKS);
        assert_eq!(marks[0].what.as_str(), "Killed process 100 (x)");
    }

    #[test]
    fn absences_are_typed() {
        assert_eq!(absence(Errno::PERM), Reading::Denied(Need::KernelLog));
        assert_eq!(absence(Errno::NOENT), Reading::Unsupported);
        assert!(matches!(
            kernel_log(),
            Reading::Value(_) | Reading::Denied(Need::KernelLog) | Reading::Unsupported
        ));
    }

    proptest! {
        #[test]
        fn any_record(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = mark(&bytes, 0.0);
        }
    }
}
