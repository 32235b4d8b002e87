//! What the host runs at certain times: crontabs and systemd timers, read from their files, to be compared
//! with the rhythm of a leak.
//!
//! Nothing is asked of cron or systemd: their commands need not be there, or belong to another root. What a
//! file says is kept in its own words. Whether a cron daemon runs at all is not known here.

mod crontab;
pub(crate) mod rooted;
mod timers;

use std::ffi::CString;
use std::path::Path;

use model::{Need, Reading, ScheduleEntry, Text};
use rustix::io::Errno;

use crontab::Kind;
use rooted::{Links, Rooted};

/// Schedules kept; hosts have some dozens.
const MOST_ENTRIES: usize = 1000;
/// Bytes read of one file.
const MOST_BYTES: usize = 1 << 20;
/// Names looked at in one directory.
const MOST_FILES: usize = 4096;
/// Directories of users' crontabs: Debian's, Red Hat's, Alpine's.
const USERS: [&str; 3] = ["/var/spool/cron/crontabs", "/var/spool/cron", "/etc/crontabs"];

/// What was found, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The schedules.
    pub entries: Vec<ScheduleEntry>,
    /// Files and directories that are there and were not allowed to be read: their schedules are missing.
    pub denied: Vec<Text>,
}

/// Reads the schedules of the system whose root directory is `root` (`/`, a fixture tree, /proc/PID/root).
///
/// `Denied` only when nothing was found and something was refused; what was refused besides is told by
/// [`survey`].
#[must_use]
pub fn read(root: &Path) -> Reading<Vec<ScheduleEntry>> {
    match survey(root) {
        Reading::Value(survey) if survey.entries.is_empty() && !survey.denied.is_empty() => {
            Reading::Denied(Need::ReadAnyFile)
        }
        survey => survey.map(|survey| survey.entries),
    }
}

/// As [`read`], with the names of what could not be read: of users' crontabs, without root, only that they
/// are there.
#[must_use]
pub fn survey(root: &Path) -> Reading<Survey> {
    let root = match Rooted::open(root) {
        Ok(root) => root,
        Err(Errno::ACCESS | Errno::PERM) => return Reading::Denied(Need::PtraceAccess),
        Err(Errno::NOENT | Errno::SRCH) => return Reading::Gone,
        Err(error) => return Reading::Malformed(format!("{}: {error}", root.display())),
    };
    let mut found = Found::default();
    crontab_file(&root, "/etc/crontab", Kind::System, &mut found);
    for name in found.listed("/etc/cron.d", root.list(b"/etc/cron.d", MOST_FILES)) {
        if is_active(&name) {
            crontab_file(&root, &format!("/etc/cron.d/{name}"), Kind::System, &mut found);
        }
    }
    for dir in USERS {
        for name in found.listed(dir, root.list(dir.as_bytes(), MOST_FILES)) {
            if is_active(&name) && name != "crontabs" {
                crontab_file(&root, &format!("{dir}/{name}"), Kind::User, &mut found);
            }
        }
    }
    timers::read(&root, &mut found);
    Reading::Value(found.survey)
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    survey: Survey,
}

impl Found {
    fn is_full(&self) -> bool {
        self.survey.entries.len() >= MOST_ENTRIES
    }

    fn add(&mut self, entry: ScheduleEntry) {
        if !self.is_full() {
            self.survey.entries.push(entry);
        }
    }

    /// Remembers what was refused. What is not there, or is no file, is no schedule.
    fn failed(&mut self, path: &str, error: Errno) {
        if matches!(error, Errno::ACCESS | Errno::PERM) && self.survey.denied.len() < MOST_ENTRIES {
            self.survey.denied.push(path.into());
        }
    }

    /// The names of a listing that are text; the others name no unit and no crontab.
    fn listed(&mut self, dir: &str, names: Result<Vec<CString>, Errno>) -> Vec<String> {
        match names {
            Ok(names) => names.into_iter().filter_map(|name| name.into_string().ok()).collect(),
            Err(error) => {
                self.failed(dir, error);
                Vec::new()
            }
        }
    }
}

/// Is a file in a crontab directory one that cron reads? Not what editors and package managers leave.
fn is_active(name: &str) -> bool {
    let left = ["~", ".bak", ".old", ".orig", ".disabled", ".swp"].iter().any(|end| name.ends_with(end));
    !(name.starts_with(['.', '#']) || left || name.contains(".dpkg-") || name.contains(".rpm"))
}

fn crontab_file(root: &Rooted, path: &str, kind: Kind, found: &mut Found) {
    let bytes = match root.read(path.as_bytes(), Links::Within, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => return found.failed(path, error),
    };
    for job in crontab::parse(&bytes, kind) {
        if found.is_full() {
            return;
        }
        let source = format!("{path}:{}", job.line);
        if let Some(dir) = job.run_parts {
            let dir = String::from_utf8_lossy(&dir).into_owned();
            for script in found.listed(&dir, root.list(dir.as_bytes(), MOST_FILES)) {
                if is_script(root, &dir, &script) {
                    found.add(ScheduleEntry {
                        source: source.as_str().into(),
                        when: job.when.clone(),
                        what: format!("{dir}/{script}").into(),
                    });
                }
            }
        }
        found.add(ScheduleEntry { source: source.into(), when: job.when, what: job.command });
    }
}

/// What run-parts(8) would run: an executable file whose name is letters, digits, `_` and `-`.
fn is_script(root: &Rooted, dir: &str, name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    plain
        && root.stat(format!("{dir}/{name}").as_bytes(), Links::Within).is_ok_and(|stat| {
            rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile
                && stat.st_mode & 0o111 != 0
        })
}

#[cfg(test)]
mod tests;
