//! Reads the host and its processes: opens each process once, reads the parts that were asked for, and makes sure
//! that all of them belong to the same process.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use model::{AddressSpace, BootId, HostReading, Need, Pid, ProcessKey, ProcessReading, Reading, Stat, Statm};

use crate::budget::Pace;
use crate::classify::shows_stacks;
use crate::hotspot::perfdata::{Candidates, Counters};
use crate::parts::{DescriptorDepth, SpaceDepth, ThreadDepth};
use crate::proc::census::Census;
use crate::proc::cgroup::CgroupTree;
use crate::proc::{
    Absence, NumberPath, PidDir, ProcRoot, children, cmdline, fd, host, limits, rollup, space, stat, statm,
    status, task,
};
use crate::schedules::{self, Survey};
use crate::sys::dents::Listing;
use crate::sys::file;
use crate::{Clock, Parts, remains};

mod glance;

pub use glance::Glance;

/// From so many threads on a process's record costs the kernel noticeably more than a thread's: 0.1 ms for 2,000.
const MANY_THREADS: u64 = 64;

/// Reads a host. Holds one descriptor (/proc) and the buffers, and uses them again from process to process.
#[derive(Debug)]
pub struct Prober {
    root: ProcRoot,
    boot: BootId,
    page_size: u64,
    pace: Pace,
    look_began: f64,
    listing: Listing,
    numbers: Vec<u32>,
    buffer: Vec<u8>,
    cgroups: CgroupTree,
    census: Census,
    jvms: Candidates,
}

impl Prober {
    /// A prober of the host (or the fixture tree) below a root.
    #[must_use]
    pub fn new(root: ProcRoot) -> Self {
        Self {
            boot: host::boot_id(&root),
            page_size: host::page_size(),
            pace: Pace::here(),
            look_began: Clock::monotonic(),
            root,
            listing: Listing::default(),
            numbers: Vec::new(),
            buffer: Vec::new(),
            cgroups: CgroupTree::default(),
            census: Census::default(),
            jvms: Candidates::default(),
        }
    }

    /// Where it reads from.
    #[must_use]
    pub fn root(&self) -> &ProcRoot {
        &self.root
    }

    /// Begins a look: `at_s` of the processes counts from here, and what was kept of the look before (figures of
    /// cgroups, the pass over all processes) is forgotten.
    pub fn begin_look(&mut self) {
        self.look_began = Clock::monotonic();
        self.cgroups.forget();
        self.census.forget();
        self.jvms.forget();
    }

    /// The processes there are, in the order of their pids; threads of the kernel among them.
    pub fn pids(&mut self) -> io::Result<Vec<Pid>> {
        self.listing.restart(&self.root, &mut self.numbers)?;
        self.numbers.sort_unstable();
        Ok(self.numbers.iter().copied().map(Pid).collect())
    }

    /// Of the host only what times count from; what else there is of it stays `Skipped`.
    #[must_use]
    pub fn clocks(&self, with_zone: bool) -> HostReading {
        host::clocks(self.boot, with_zone)
    }

    /// The host. With `with_schedules` also what takes longer and changes little: crontabs, timers, and the OOM
    /// kills in the kernel's log.
    pub fn host(&mut self, with_schedules: bool) -> HostReading {
        let mut reading = host::read(&self.root, self.boot, &mut self.cgroups);
        if with_schedules {
            match schedules::survey(&self.root.outside(b"/")) {
                Reading::Value(Survey { entries, denied }) => {
                    let nothing = entries.is_empty() && !denied.is_empty();
                    reading.schedules_denied = denied;
                    reading.schedules =
                        if nothing { Reading::Denied(Need::ReadAnyFile) } else { Reading::Value(entries) };
                }
                other => reading.schedules = other.map(|survey| survey.entries),
            }
            // The log is this kernel's, not a fixture's.
            reading.remains = if self.root.is_live() { remains::kernel_log() } else { Reading::Unsupported };
        }
        reading
    }

    /// Is there such a process?
    #[must_use]
    pub fn is_there(&self, pid: Pid) -> bool {
        PidDir::open(&self.root, pid).is_ok()
    }

    /// One process; `None` when it ended, or cannot be read at all (hidden by hidepid).
    pub fn process(&mut self, pid: Pid, parts: &Parts) -> Option<ProcessReading> {
        self.read(pid, parts).into_value()
    }

    /// One process, with the reason when there is none.
    pub fn read(&mut self, pid: Pid, parts: &Parts) -> Reading<ProcessReading> {
        Absence::or_value(self.try_read(pid, parts))
    }

    fn try_read(&mut self, pid: Pid, parts: &Parts) -> Result<ProcessReading, Absence> {
        let began = Clock::monotonic();
        let dir = PidDir::open(&self.root, pid)?;
        let stat = self.stat(&dir, parts.times)?;
        let mut reading = ProcessReading {
            key: ProcessKey { boot: self.boot, pid, start: stat.start },
            at_s: began - self.look_began,
            ..ProcessReading::default()
        };
        if stat.is_kernel_thread() {
            has_no_more(&mut reading, parts);
        } else {
            self.parts(&dir, &stat, parts, &mut reading)?;
        }
        reading.stat = stat;
        reading.took_s = Clock::monotonic() - began;
        Ok(reading)
    }

    fn stat(&self, dir: &PidDir, times: bool) -> Result<Stat, Absence> {
        let parse = |record: &[u8]| stat::parse(record, self.page_size);
        if times { of_process(dir, parse) } else { of_first_thread(dir, parse) }
    }

    fn parts(
        &mut self,
        process: &PidDir,
        stat: &Stat,
        parts: &Parts,
        reading: &mut ProcessReading,
    ) -> Result<(), Absence> {
        let living = self.living_thread(process, stat);
        // Has the process memory, a program and descriptors, here or in the directory of another thread?
        let is_dead = is_dead(stat.state) && living.is_none();
        let dir = living.as_ref().unwrap_or(process);
        if parts.statm {
            reading.statm = Absence::or_value(self.statm(dir, stat));
        }
        if !parts.is_more_than_overview() {
            return Ok(());
        }
        let mut user = None;
        if parts.status || parts.rlimits {
            let read = process.read(c"status", &mut self.buffer, status::LIMIT);
            user =
                read.is_ok().then(|| status::user_and_threads(&self.buffer)).flatten().map(|(user, _)| user);
            if parts.status {
                reading.status = Absence::or_value(read.and_then(|()| status::parse(&self.buffer)));
            }
        }
        if parts.cmdline {
            reading.cmdline = cmdline::read(dir, &mut self.buffer);
        }
        if parts.exe {
            reading.exe = if is_dead { Reading::Unsupported } else { cmdline::exe(dir) };
        }
        if parts.cgroups {
            reading.cgroups = self.cgroups.read(&self.root, process, &mut self.buffer);
        }
        if parts.rlimits {
            reading.rlimits = Absence::or_value(self.rlimits(process, user));
        }
        let (listing, numbers) = (&mut self.listing, &mut self.numbers);
        reading.descriptors = match parts.descriptors {
            DescriptorDepth::No => Reading::Skipped,
            DescriptorDepth::Total => fd::total(dir, listing, numbers),
            DescriptorDepth::Kinds => fd::kinds(dir, listing, numbers),
        };
        if parts.children {
            reading.children =
                children::read(&self.root, process, stat.threads, &mut self.census, listing, numbers);
        }
        if matches!(parts.threads, ThreadDepth::Basic | ThreadDepth::WithStacks) {
            let with_stacks = parts.threads == ThreadDepth::WithStacks;
            reading.threads = task::read(&self.root, process, with_stacks, listing, numbers);
        }
        if parts.space != SpaceDepth::No {
            reading.space = if is_dead {
                Reading::Unsupported
            } else {
                let threads = &mut reading.threads;
                let mut hints = |space: &AddressSpace| {
                    if parts.threads == ThreadDepth::StacksOnly && !shows_stacks(space, stat.threads) {
                        *threads = task::stacks(&self.root, process, listing, numbers);
                    }
                    let threads = threads.value().map_or(&[][..], Vec::as_slice);
                    threads.iter().filter_map(|thread| Some(thread.stack?.address())).collect()
                };
                space::read_with(dir, parts.space, &mut hints, &self.pace)
            };
        }
        if parts.rollup {
            reading.rollup = if is_dead { Reading::Unsupported } else { rollup::read(dir) };
        }
        if parts.remains {
            reading.remains = self.remains(process, reading);
        }
        if parts.jvm {
            let space = reading.space.value();
            reading.jvm = if !is_dead && self.jvms.may_be(&self.root, process.pid(), &stat.name, space) {
                Absence::or_value(Counters::open(process, space).map(Counters::into_last))
            } else {
                Reading::Unsupported
            };
        }
        Self::confirm(process, stat, reading)
    }

    fn statm(&self, dir: &PidDir, stat: &Stat) -> Result<Statm, Absence> {
        let mut space = [0_u8; 256];
        let statm = statm::parse(record(dir, c"statm", &mut space)?, self.page_size)?;
        // All zero, when stat has just told of memory: the process gave it up between the two files.
        if statm.size.0 == 0 && stat.virtual_size.0 != 0 { Err(Absence::Gone) } else { Ok(statm) }
    }

    /// When the first thread of a process has ended and others run on, the process looks like a zombie: its memory,
    /// program and descriptors are to be seen in the directory of another thread.
    fn living_thread(&mut self, dir: &PidDir, stat: &Stat) -> Option<PidDir> {
        if !is_dead(stat.state) || stat.threads < 2 {
            return None;
        }
        let tasks = dir.open_dir(c"task").ok()?;
        self.listing.numbers(&tasks, &mut self.numbers).ok()?;
        self.numbers
            .iter()
            .rev()
            .filter(|tid| **tid != dir.pid().0)
            .find_map(|tid| dir.thread(Pid(*tid)).ok())
    }

    /// The limits; with them how many tasks the process's real user has, where that is limited.
    fn rlimits(&mut self, dir: &PidDir, user: Option<u32>) -> Result<model::Rlimits, Absence> {
        dir.read(c"limits", &mut self.buffer, 64 * 1024)?;
        let mut rlimits = limits::parse(&self.buffer)?;
        // The kernel lets root have as many as it likes, and counting reads every process there is.
        if let (Some(_), Some(user @ 1..)) = (rlimits.processes, user) {
            rlimits.user_tasks = self.census.tasks_of(&self.root, user, &mut self.listing, &mut self.numbers);
        }
        Ok(rlimits)
    }

    fn remains(&self, dir: &PidDir, reading: &ProcessReading) -> Reading<Vec<model::Remains>> {
        let cwd = match rustix::fs::readlinkat(dir, c"cwd", Vec::new()) {
            Ok(cwd) => cwd,
            Err(error) => return dir.absence(c"cwd", error).reading(),
        };
        let cwd = Path::new(OsStr::from_bytes(cwd.to_bytes()));
        let root = self.root.path().join(dir.pid().to_string()).join("root");
        let cmdline = reading.cmdline.value().map_or(&[][..], Vec::as_slice);
        remains::of_process(&root, cwd, cmdline)
    }

    /// Looks once more who it was. A process that ended meanwhile may have shown lists that are too short, without an
    /// error: they don't count.
    fn confirm(dir: &PidDir, stat: &Stat, reading: &mut ProcessReading) -> Result<(), Absence> {
        let again = if stat.threads < MANY_THREADS {
            of_process(dir, stat::parse_start)
        } else {
            of_first_thread(dir, stat::parse_start)
        };
        let ended = match again {
            Ok((_, start)) if start != stat.start => return Err(Absence::Gone),
            Ok((state, _)) => is_dead(state) && !is_dead(stat.state),
            Err(Absence::Gone) => true,
            Err(absence) => return Err(absence),
        };
        if ended {
            void(&mut reading.descriptors);
            void(&mut reading.children);
            void(&mut reading.threads);
            void(&mut reading.space);
            void(&mut reading.rollup);
            void(&mut reading.jvm);
        }
        Ok(())
    }
}

/// What the record of a process says.
fn of_process<T>(dir: &PidDir, parse: impl Fn(&[u8]) -> Result<T, Absence>) -> Result<T, Absence> {
    let mut space = [0_u8; stat::RECORD];
    record(dir, c"stat", &mut space).and_then(parse)
}

/// The same from the record of its first thread, which differs in CPU times and page faults alone: the process's own sums
/// those of all its threads.
fn of_first_thread<T>(dir: &PidDir, parse: impl Fn(&[u8]) -> Result<T, Absence>) -> Result<T, Absence> {
    let (mut path, mut space) = (NumberPath::default(), [0_u8; stat::RECORD]);
    match record(dir, path.set_after(b"task/", dir.pid().0, b"/stat"), &mut space).and_then(&parse) {
        // A fixture without threads.
        Err(Absence::Unsupported) => of_process(dir, parse),
        result => result,
    }
}

/// A small file that the kernel writes as one record.
fn record<'a>(dir: &PidDir, name: &CStr, space: &'a mut [u8]) -> Result<&'a [u8], Absence> {
    match file::read_record(dir, name, space) {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err(Absence::malformed(&name.to_string_lossy(), 1, "too long")),
        Err(error) => Err(dir.absence(name, error)),
    }
}

fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X' | 'x')
}

fn void<T>(part: &mut Reading<T>) {
    if part.value().is_some() {
        *part = Reading::Gone;
    }
}

/// A thread of the kernel has no more than its stat: what was asked for besides does not exist.
fn has_no_more(reading: &mut ProcessReading, parts: &Parts) {
    fn none<T>(part: &mut Reading<T>, asked: bool) {
        if asked {
            *part = Reading::Unsupported;
        }
    }
    none(&mut reading.statm, parts.statm);
    none(&mut reading.status, parts.status);
    none(&mut reading.exe, parts.exe);
    none(&mut reading.cgroups, parts.cgroups);
    none(&mut reading.rlimits, parts.rlimits);
    none(&mut reading.descriptors, parts.descriptors != DescriptorDepth::No);
    none(&mut reading.children, parts.children);
    none(&mut reading.threads, parts.threads != ThreadDepth::No);
    none(&mut reading.space, parts.space != SpaceDepth::No);
    none(&mut reading.rollup, parts.rollup);
    none(&mut reading.remains, parts.remains);
    none(&mut reading.jvm, parts.jvm);
    if parts.cmdline {
        reading.cmdline = Reading::Value(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Child, Thread, Ticks};

    /// A reading with lists, as they were read while the process lived.
    fn lists() -> ProcessReading {
        ProcessReading {
            threads: Reading::Value(vec![Thread::default()]),
            children: Reading::Value(vec![Child::default()]),
            statm: Reading::Value(Statm::default()),
            ..ProcessReading::default()
        }
    }

    /// What becomes of the lists when the second look finds this record (none: the process is gone).
    fn confirmed(record: Option<&str>) -> Result<ProcessReading, Absence> {
        let tree = tempfile::tempdir().unwrap();
        let place = tree.path().join("proc/7");
        std::fs::create_dir_all(&place).unwrap();
        let dir = PidDir::open(&ProcRoot::in_tree(tree.path()).unwrap(), Pid(7)).unwrap();
        match record {
            Some(record) => std::fs::write(place.join("stat"), record).unwrap(),
            None => std::fs::remove_dir(place).unwrap(),
        }
        let stat = Stat { state: 'S', start: Ticks(88), ..Stat::default() };
        let mut reading = lists();
        Prober::confirm(&dir, &stat, &mut reading)?;
        Ok(reading)
    }

    fn record(state: char, start: u32) -> String {
        format!("7 (x) {state} {} {start} 0\n", "0 ".repeat(18).trim_end())
    }

    #[test]
    fn lists_of_a_process_that_ended_meanwhile_do_not_count() {
        assert_eq!(confirmed(Some(&record('S', 88))), Ok(lists()));
        let voided = ProcessReading { threads: Reading::Gone, children: Reading::Gone, ..lists() };
        assert_eq!(confirmed(Some(&record('Z', 88))), Ok(voided.clone()));
        assert_eq!(confirmed(None), Ok(voided));
        assert_eq!(confirmed(Some(&record('S', 89))), Err(Absence::Gone), "somebody else");
        assert!(matches!(confirmed(Some("7 (x")), Err(Absence::Malformed(_))));
    }
}
