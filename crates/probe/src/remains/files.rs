//! The files that a process of this kind leaves when it dies: in its working directory, in its /tmp, and
//! where its command line says.

use std::ffi::CStr;
use std::path::Path;

use model::{Need, Reading, Remains, Text};
use rustix::fs::FileType;
use rustix::io::Errno;

use super::hs_err;
use crate::schedules::rooted::{Links, Rooted, modified_s};

/// Names looked at in one directory.
const MOST_FILES: usize = 10_000;
/// Marks kept, the newest.
const MOST_MARKS: usize = 50;
/// Bytes read of an error log: its header is below 2 KiB.
const BEGINNING: usize = 8 * 1024;

/// Marks that an earlier instance of a process left, newest first: HotSpot's error logs, Java heap dumps,
/// core files.
///
/// `root` is its /proc/PID/root; `cwd` either its /proc/PID/cwd or what that link says, which is a path in
/// `root`. The command line gives `-XX:ErrorFile` and `-XX:HeapDumpPath`. /tmp is only searched for a JVM,
/// and only for files of the process's owner or root, as anybody may put a file there.
#[must_use]
pub fn of_process(root: &Path, cwd: &Path, cmdline: &[Text]) -> Reading<Vec<Remains>> {
    let rooted = match Rooted::open(root) {
        Ok(rooted) => rooted,
        Err(error) => return absence(error),
    };
    let mut search = Search { marks: Vec::new(), seen: Vec::new() };
    let places = Places::of(root, cwd, &rooted);
    if let Some((dir, name)) = &places.cwd {
        search.directory(
            dir,
            b"",
            name,
            &[Kind::Log(b"hs_err_pid", b".log"), Kind::HeapDump, Kind::Core],
            None,
        );
    }
    if is_java(cmdline) {
        let kinds = [Kind::Log(b"hs_err_pid", b".log"), Kind::HeapDump];
        search.directory(&rooted, b"/tmp", "/tmp", &kinds, places.owner);
        for (option, is_log) in [("-XX:ErrorFile=", true), ("-XX:HeapDumpPath=", false)] {
            let given = cmdline.iter().rev().find_map(|arg| arg.as_str().strip_prefix(option));
            if let Some(path) = given.filter(|path| !path.is_empty()) {
                search.given(&rooted, &places, path, is_log);
            }
        }
    }
    search.marks.sort_by(|a, b| {
        let newest = b.when.unwrap_or(0.0).total_cmp(&a.when.unwrap_or(0.0));
        newest.then_with(|| a.source.cmp(&b.source))
    });
    search.marks.truncate(MOST_MARKS);
    Reading::Value(search.marks)
}

fn absence(error: Errno) -> Reading<Vec<Remains>> {
    match error {
        Errno::ACCESS | Errno::PERM => Reading::Denied(Need::PtraceAccess),
        Errno::NOENT | Errno::SRCH => Reading::Gone,
        error => Reading::Malformed(format!("root: {error}")),
    }
}

/// Is it a JVM, by its program's name or by an option that only JVMs have?
fn is_java(cmdline: &[Text]) -> bool {
    let program = cmdline.first().map_or("", |arg| arg.as_str().rsplit('/').next().unwrap_or_default());
    program.contains("java")
        || program.contains("jsvc")
        || cmdline.iter().any(|arg| ["-XX:", "-Xmx", "-Xss"].iter().any(|o| arg.as_str().starts_with(o)))
}

/// Where the process stands.
struct Places {
    /// Its working directory, and its name.
    cwd: Option<(Rooted, String)>,
    /// Its owner.
    owner: Option<u32>,
}

impl Places {
    fn of(root: &Path, cwd: &Path, rooted: &Rooted) -> Self {
        let proc = root.parent();
        // /proc/PID/cwd is opened through the link itself, which leads into the process's own mounts.
        let dir = if cwd.parent() == proc {
            let name = std::fs::read_link(cwd).map(|p| p.to_string_lossy().into_owned());
            Rooted::open(cwd)
                .ok()
                .map(|dir| (dir, name.unwrap_or_else(|_| cwd.to_string_lossy().into_owned())))
        } else {
            let bytes = std::os::unix::ffi::OsStrExt::as_bytes(cwd.as_os_str());
            rooted.below(bytes).ok().map(|dir| (dir, cwd.to_string_lossy().into_owned()))
        };
        let owner = proc.and_then(|proc| rustix::fs::stat(proc).ok()).map(|stat| stat.st_uid);
        Self { cwd: dir, owner }
    }
}

/// What kind of file is looked for.
#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    /// An error log, by what stands before and behind the pid.
    Log(&'a [u8], &'a [u8]),
    /// java_pid4711.hprof
    HeapDump,
    /// core, core.4711
    Core,
}

impl Kind<'_> {
    fn fits(self, name: &[u8]) -> bool {
        let number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        match self {
            Self::Log(before, behind) => {
                name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).is_some_and(number)
            }
            // A second dump is java_pid4711.hprof.1.
            Self::HeapDump => name.strip_prefix(b"java_pid").is_some_and(|rest| {
                let end = memchr::memmem::find(rest, b".hprof");
                end.is_some_and(|end| number(&rest[..end]))
            }),
            Self::Core => name == b"core" || name.strip_prefix(b"core.").is_some_and(number),
        }
    }
}

struct Search {
    marks: Vec<Remains>,
    /// Device and inode of what was found, as one directory may be looked at twice.
    seen: Vec<(u64, u64)>,
}

impl Search {
    /// Looks through a directory: `dir` in `rooted`, shown as `shown`. With an owner, only for the owner's
    /// files and root's.
    fn directory(
        &mut self,
        rooted: &Rooted,
        dir: &[u8],
        shown: &str,
        kinds: &[Kind<'_>],
        owner: Option<u32>,
    ) {
        // Not there or not allowed: there are other places, and most processes leave nothing.
        let Ok(names) = rooted.list(dir, MOST_FILES) else { return };
        for name in names {
            if let Some(kind) = kinds.iter().find(|kind| kind.fits(name.to_bytes())) {
                let path = [dir, b"/", name.to_bytes()].concat();
                self.file(rooted, &path, &format!("{shown}/{}", lossy(&name)), *kind, owner);
            }
        }
    }

    /// The file or directory that an option names; `%p` in it is the pid.
    fn given(&mut self, rooted: &Rooted, places: &Places, path: &str, is_log: bool) {
        let (start, prefix) = match (&places.cwd, path.starts_with('/')) {
            (_, true) => (rooted, ""),
            (Some((dir, name)), false) => (dir, name.as_str()),
            (None, false) => return,
        };
        let shown = |path: &str| if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") };
        let is_dir = start
            .stat(path.as_bytes(), Links::Within)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        if is_dir && !is_log {
            self.directory(start, path.as_bytes(), &shown(path), &[Kind::HeapDump], None);
            return;
        }
        let (dir, name) = path.rsplit_once('/').unwrap_or((".", path));
        let dir = if dir.is_empty() { "/" } else { dir };
        let kind = if is_log { Kind::Log(b"", b"") } else { Kind::HeapDump };
        match name.split_once("%p") {
            Some((before, behind)) => {
                let kind = Kind::Log(before.as_bytes(), behind.as_bytes());
                if is_log {
                    self.directory(start, dir.as_bytes(), &shown(dir), &[kind], None);
                }
            }
            None => self.file(start, path.as_bytes(), &shown(path), kind, None),
        }
    }

    fn file(&mut self, rooted: &Rooted, path: &[u8], shown: &str, kind: Kind<'_>, owner: Option<u32>) {
        // Links to directories were followed to here; the file itself must be none.
        let (dir, name) = path.split_at(path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1));
        let Ok(dir) = rooted.below(dir) else { return };
        let Ok(stat) = dir.stat(name, Links::Never) else { return };
        let foreign = owner.is_some_and(|owner| stat.st_uid != owner && stat.st_uid != 0);
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || foreign {
            return;
        }
        let id = (stat.st_dev, stat.st_ino);
        if self.seen.contains(&id) || self.seen.len() >= 4 * MOST_MARKS {
            return;
        }
        self.seen.push(id);
        let size = stat.st_size.max(0) as u64;
        let what = match kind {
            Kind::Log(..) => match dir.read(name, Links::Never, BEGINNING) {
                Ok(bytes) => match hs_err::summary(&bytes) {
                    Some(said) => format!("a JVM{} died: {said}", of_pid(name)),
                    None => return,
                },
                Err(error) => format!("a JVM's error log that cannot be read: {error}"),
            },
            Kind::HeapDump => format!("a Java heap dump{}, {}", of_pid(name), size_words(size)),
            Kind::Core => format!("a core file{}, {}", of_pid(name), size_words(size)),
        };
        self.marks.push(Remains { source: shown.into(), what: what.into(), when: Some(modified_s(&stat)) });
    }
}

fn lossy(name: &CStr) -> String {
    Text::from_bytes(name.to_bytes()).as_str().to_owned()
}

/// ` (pid 4711)`, from the last number of a file's name.
fn of_pid(name: &[u8]) -> String {
    let end = name.iter().rposition(u8::is_ascii_digit).map_or(0, |at| at + 1);
    let start = name[..end].iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    match std::str::from_utf8(&name[start..end]).ok().and_then(|digits| digits.parse::<u32>().ok()) {
        Some(pid) => format!(" (pid {pid})"),
        None => String::new(),
    }
}

fn size_words(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib >= 1024.0 { format!("{:.1} GiB", mib / 1024.0) } else { format!("{mib:.1} MiB") }
}

#[cfg(test)]
mod tests;
