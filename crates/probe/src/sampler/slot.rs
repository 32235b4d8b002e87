//! One process that is being recorded: its record, read through a descriptor that stays open.
//!
//! An open file of /proc/PID belongs to that process for ever: when it ended, reading says so, also when its pid was
//! given to a new one. Reading the open file takes 60 % of the time of opening, reading and closing it; each pins
//! 4.3 KiB in the kernel, so only so many are kept. Those of the others are opened each time, and the birth in the
//! record tells whose it is.

use std::os::fd::OwnedFd;

use model::ProcessNo;
use rustix::io::{Errno, pread};

use super::deep::Depth;
use super::jvm::Jvm;
use super::record::{Comm, Sample, Sizes};
use super::rest::{Bell, QUIET};
use super::threads::Tasks;
use crate::ProcRoot;
use crate::proc::NumberPath;
use crate::sys::file;

/// Space for one record: 52 fields of at most 20 digits and a name of at most 64 bytes.
pub(super) const RECORD: usize = 2048;

/// How many more files may be kept open.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) left: usize,
}

impl Kept {
    fn take(&mut self, file: OwnedFd) -> Option<OwnedFd> {
        self.left = self.left.checked_sub(1)?;
        Some(file)
    }
}

/// What to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// stat, each time: hosts of some hundred processes.
    Stat,
    /// statm, which takes half as long: hosts of thousands.
    Sizes,
    /// statm, and this time stat too.
    SizesAndStat,
}

/// How the reading of one process went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Read,
    /// Its record made no sense, or there was no descriptor left: nothing is known of it this time.
    Unread,
    /// It ended.
    Gone,
}

/// A process.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // what is known of one process: none depends on another
pub(super) struct Slot {
    pub(super) no: ProcessNo,
    pub(super) pid: u32,
    pub(super) start: u64,
    /// The name that it was last told of with.
    pub(super) name: Comm,
    /// Has it no row yet?
    pub(super) is_new: bool,
    file: Option<OwnedFd>,
    /// As read last.
    pub(super) sample: Sample,
    /// Was stat read in this tick?
    pub(super) has_sample: bool,
    /// statm of this tick.
    pub(super) sizes: Option<Sizes>,
    pub(super) gone: bool,
    /// Living children and dead ones.
    pub(super) children: (u32, u32),
    pub(super) children_told: (u32, u32),
    /// May /proc/PID/io be read?
    pub(super) io_is_denied: bool,
    /// Before this tick a new name is not looked into: some programs rename themselves all the time.
    pub(super) named_until: u64,
    pub(super) renames: u8,
    /// What it had done when its slower files were read last, and in which tick that was.
    activity: Option<(u64, u64, u64)>,
    active_at: u64,
    pub(super) tasks: Tasks,
    pub(super) jvm: Jvm,
    /// What is read of a suspect besides.
    pub(super) depth: Option<Box<Depth>>,
    /// statm as it was read last.
    sizes_before: Option<Sizes>,
    /// Readings in a row in which nothing changed.
    quiet: u8,
    /// While it rests: tells when it ends.
    rests: Option<OwnedFd>,
}

impl Slot {
    pub(super) fn new(no: ProcessNo, pid: u32, sample: Sample) -> Self {
        Self {
            no,
            pid,
            start: sample.start,
            name: sample.name,
            is_new: true,
            file: None,
            sample,
            has_sample: true,
            sizes: None,
            gone: false,
            children: (0, 0),
            children_told: (0, 0),
            io_is_denied: false,
            named_until: 0,
            renames: 0,
            activity: None,
            active_at: 0,
            tasks: Tasks::of(sample.threads),
            jvm: Jvm::default(),
            depth: None,
            sizes_before: None,
            quiet: 0,
            rests: None,
        }
    }

    /// Need it not be read in each tick?
    pub(super) fn rests(&self) -> bool {
        self.rests.is_some()
    }

    /// Is read in each tick from now on, until it rests again.
    pub(super) fn wake(&mut self, kept: &mut Kept) {
        self.quiet = 0;
        if self.rests.take().is_some() {
            kept.left += 1;
        }
    }

    /// Lets it rest when nothing has changed for long enough.
    pub(super) fn settle(&mut self, bell: &Bell, kept: &mut Kept, tick: u64) {
        let is_busy = self.depth.is_some()
            || self.sample.is_dead()
            || self.name != self.sample.name
            || self.tasks.are_due(self.sample.threads, tick, false);
        if self.quiet < QUIET || self.rests.is_some() || is_busy {
            return;
        }
        match kept.left {
            0 => self.quiet = 0,
            _ => match bell.watch(self.pid, self.no) {
                Some(pidfd) => self.rests = kept.take(pidfd),
                None => self.quiet = 0,
            },
        }
    }

    /// It was not read in this tick.
    pub(super) fn skip(&mut self) {
        (self.has_sample, self.sizes) = (false, None);
    }

    /// Has it run or faulted since this was asked last? Or is it six times the `slow` ticks ago that it had?
    pub(super) fn is_active(&mut self, tick: u64, slow: u64) -> bool {
        let now = (self.sample.cpu, self.sample.minor_faults, self.sample.virtual_bytes);
        let is_active = self.activity != Some(now) || tick - self.active_at >= slow.saturating_mul(6);
        if is_active {
            (self.activity, self.active_at) = (Some(now), tick);
        }
        is_active
    }

    /// Compares what was read with what was known.
    fn note(&mut self, before: &Sample, sizes: Option<Sizes>, kept: &mut Kept) {
        let same = *before == Sample { state: before.state, flags: before.flags, ..self.sample };
        if !same || self.sizes != sizes && sizes.is_some() && self.sizes.is_some() {
            self.wake(kept);
        } else if self.has_sample {
            self.quiet = self.quiet.saturating_add(1);
        }
    }

    /// Closes the kept file.
    pub(super) fn close(&mut self, kept: &mut Kept) {
        if self.file.take().is_some() {
            kept.left += 1;
        }
    }

    /// Reads it once more.
    pub(super) fn read(&mut self, root: &ProcRoot, kind: Kind, kept: &mut Kept, space: &mut [u8]) -> Outcome {
        let (before, sizes) = (self.sample, self.sizes_before);
        self.skip();
        let outcome = match kind {
            Kind::Stat => self.read_stat(root, kept, true, space),
            Kind::Sizes | Kind::SizesAndStat => {
                self.read_sizes(root, kept, kind == Kind::SizesAndStat, space)
            }
        };
        match outcome {
            Outcome::Gone => {
                self.wake(kept);
                self.close(kept);
                self.gone = true;
            }
            Outcome::Read => {
                self.note(&before, sizes, kept);
                self.sizes_before = self.sizes.or(self.sizes_before);
            }
            Outcome::Unread => self.wake(kept),
        }
        outcome
    }

    fn read_stat(&mut self, root: &ProcRoot, kept: &mut Kept, keep: bool, space: &mut [u8]) -> Outcome {
        let read = match &self.file {
            Some(file) if keep => again(file, space),
            _ => {
                let mut path = NumberPath::default();
                match file::open(root, path.set(self.pid, b"/stat")) {
                    Ok(file) => {
                        let read = again(&file, space);
                        if keep {
                            self.file = kept.take(file);
                        }
                        read
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match read.map(|length| Sample::parse(space.get(..length).unwrap_or_default())) {
            Ok(Some(sample)) if sample.start == self.start => {
                self.sample = sample;
                self.has_sample = true;
                Outcome::Read
            }
            Ok(Some(_)) | Err(Errno::NOENT | Errno::SRCH) => Outcome::Gone,
            Ok(None) | Err(_) => Outcome::Unread,
        }
    }

    fn read_sizes(&mut self, root: &ProcRoot, kept: &mut Kept, with_stat: bool, space: &mut [u8]) -> Outcome {
        let mut opened = false;
        if self.file.is_none() {
            let mut path = NumberPath::default();
            match file::open(root, path.set(self.pid, b"/statm")) {
                Ok(file) => self.file = kept.take(file),
                Err(Errno::NOENT | Errno::SRCH) => return Outcome::Gone,
                Err(_) => return Outcome::Unread,
            }
            opened = true;
        }
        if let Some(file) = &self.file {
            match again(file, space) {
                Ok(length) => self.sizes = Sizes::parse(space.get(..length).unwrap_or_default()),
                Err(Errno::SRCH) => return Outcome::Gone,
                Err(_) => {}
            }
        }
        // The sizes of one that has ended are all zero: its record says so. A file that was just opened, or is not
        // kept, may be a stranger's: the birth in the record tells.
        if with_stat || opened || self.sizes.is_none_or(|sizes| sizes.size == 0 && !self.sample.is_dead()) {
            return self.read_stat(root, kept, false, space);
        }
        Outcome::Read
    }
}

fn again(file: &OwnedFd, space: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match pread(file, &mut *space, 0) {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
