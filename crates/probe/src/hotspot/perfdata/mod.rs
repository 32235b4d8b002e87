//! hsperfdata: counters that a JVM keeps in a file it maps, for anybody who may read it. To read them does nothing to it.
//!
//! Threads and collections are counted as they happen; sizes of the heap and of metaspace are as of the last collection,
//! so the old generation's use is the live set after it.
//!
//! The file is read, not mapped: a file can be cut short by its owner, and flatfoot would die of SIGBUS.

mod candidates;
mod entries;
mod find;
mod slots;

use std::os::fd::OwnedFd;

use model::{AddressSpace, JvmCounters, Reading};
use rustix::io::{Errno, pread};

use crate::budget::Pace;
use crate::proc::space;
use crate::{Absence, PidDir, SpaceDepth};
pub(crate) use candidates::{Candidates, maps_library};
use entries::{PROLOGUE, Prologue};
use slots::Plan;

/// The most that is read: PerfDataMemorySize is 32 KiB unless somebody made it larger.
const MOST: usize = 1 << 20;

/// The counters of one JVM, to be read again and again. Holds one descriptor.
#[derive(Debug)]
pub struct Counters {
    file: OwnedFd,
    size: usize,
    plan: Plan,
    prologue: Prologue,
    buffer: Vec<u8>,
    last: JvmCounters,
}

impl Counters {
    /// Finds the counters of a process by its mappings, which are read when they are not given. `Unsupported` for what is no
    /// JVM, one that keeps no such file (-XX:-UsePerfData, -XX:+PerfDisableSharedMem), and one that has just begun.
    pub fn open(dir: &PidDir, space: Option<&AddressSpace>) -> Result<Self, Absence> {
        let listed;
        let space = if let Some(space) = space {
            space
        } else {
            listed = match space::read(dir, SpaceDepth::Maps, &[], &Pace::here()) {
                Reading::Value(space) => space,
                Reading::Denied(need) => return Err(Absence::Denied(need)),
                Reading::Malformed(why) => return Err(Absence::Malformed(why)),
                Reading::Unsupported | Reading::Skipped => return Err(Absence::Unsupported),
                Reading::Gone => return Err(Absence::Gone),
            };
            &listed
        };
        Self::of_mapped(dir, space)?.ok_or(Absence::Unsupported)
    }

    /// The same with the mappings given, where it matters which of both it is: `None` when it keeps no such file, and
    /// `Unsupported` when it has just begun.
    pub(crate) fn of_mapped(dir: &PidDir, space: &AddressSpace) -> Result<Option<Self>, Absence> {
        match find::open(dir, space) {
            Ok((file, size)) => {
                Self::of_file(file, usize::try_from(size).unwrap_or(MOST).min(MOST)).map(Some)
            }
            Err(Absence::Unsupported) => Ok(None),
            Err(absence) => Err(absence),
        }
    }

    fn of_file(file: OwnedFd, size: usize) -> Result<Self, Absence> {
        let mut buffer = vec![0; size];
        let (prologue, plan) = plan(&file, &mut buffer)?;
        let last = plan.fixed().clone();
        let mut found = Self { file, size, plan, prologue, buffer, last };
        found.read()?;
        Ok(found)
    }

    /// Reads the numbers once more. The file of a JVM that ended goes on saying what it said last: whether the process is
    /// still there is to be asked elsewhere.
    pub fn read(&mut self) -> Result<&JvmCounters, Absence> {
        if !self.take_numbers()? {
            // Counters were added: found anew.
            self.buffer.resize(self.size, 0);
            (self.prologue, self.plan) = plan(&self.file, &mut self.buffer)?;
            self.last = self.plan.fixed().clone();
            self.take_numbers()?;
        }
        let prologue = self.prologue;
        let (plan, buffer) = (&self.plan, &self.buffer);
        plan.fill(&mut self.last, |place| prologue.number(buffer, place));
        Ok(&self.last)
    }

    /// What was read last.
    #[must_use]
    pub fn last(&self) -> &JvmCounters {
        &self.last
    }

    /// The same, kept.
    #[must_use]
    pub fn into_last(self) -> JvmCounters {
        self.last
    }

    /// How many numbers are read each time.
    #[must_use]
    pub fn count(&self) -> usize {
        self.plan.count()
    }

    /// Reads the prologue and all behind it that holds a number of interest, in one call. `false` when the prologue is not
    /// the one that the places were found with.
    fn take_numbers(&mut self) -> Result<bool, Absence> {
        let end = self.plan.range().end.max(PROLOGUE).min(self.buffer.len());
        let part = self.buffer.get_mut(..end).unwrap_or_default();
        let taken = pread_all(&self.file, part)?;
        let now = Prologue::parse(part.get(..taken).unwrap_or_default())?;
        if taken < end {
            return Err(Absence::Malformed("hsperfdata: shorter than before".to_owned()));
        }
        Ok((now.used, now.entries) == (self.prologue.used, self.prologue.entries))
    }
}

/// The counters in the bytes of such a file.
pub fn parse(bytes: &[u8]) -> Result<JvmCounters, Absence> {
    let prologue = Prologue::parse(bytes)?;
    let plan = Plan::new(&prologue, bytes);
    let mut counters = plan.fixed().clone();
    plan.fill(&mut counters, |place| prologue.number(bytes, place));
    Ok(counters)
}

/// Reads the whole file until it has the same shape before and after: a JVM that starts adds counters.
fn plan(file: &OwnedFd, buffer: &mut [u8]) -> Result<(Prologue, Plan), Absence> {
    const TRIES: usize = 5;
    let mut last = None;
    for _ in 0..TRIES {
        let taken = pread_all(file, buffer)?;
        let content = buffer.get(..taken).unwrap_or_default();
        let prologue = Prologue::parse(content)?;
        if last == Some((prologue.used, prologue.entries, prologue.changed)) {
            return Ok((prologue, Plan::new(&prologue, content)));
        }
        last = Some((prologue.used, prologue.entries, prologue.changed));
    }
    Err(Absence::Malformed("hsperfdata: changes all the time".to_owned()))
}

fn pread_all(file: &OwnedFd, into: &mut [u8]) -> Result<usize, Absence> {
    let mut taken = 0;
    while let Some(rest) = into.get_mut(taken..).filter(|rest| !rest.is_empty()) {
        match pread(file, rest, taken as u64) {
            Ok(0) => break,
            Ok(more) => taken += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err(Absence::Malformed(format!("hsperfdata: {error}"))),
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;

    fn opened(bytes: &[u8]) -> (std::fs::File, Result<Counters, Absence>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let counters = Counters::of_file(file.try_clone().unwrap().into(), bytes.len());
        (file, counters)
    }

    fn live(counters: &JvmCounters) -> Option<u64> {
        counters.threads.map(|threads| threads.live)
    }

    #[test]
    fn numbers_are_read_again_and_new_counters_are_found() {
        let before = entries::tests::file(true, &[("java.threads.live", 26)], &[]);
        let (file, counters) = opened(&before);
        let mut counters = counters.unwrap();
        assert_eq!((live(counters.last()), counters.count()), (Some(26), 1));
        let more = entries::tests::file(true, &[("java.threads.live", 27)], &[]);
        file.write_all_at(&more, 0).unwrap();
        assert_eq!(live(counters.read().unwrap()), Some(27));
        let other = entries::tests::file(true, &[("x", 1), ("java.threads.live", 28)], &[]);
        file.write_all_at(&other[..before.len()], 0).unwrap();
        assert_eq!(live(counters.read().unwrap()), Some(28));
    }

    #[test]
    fn a_file_that_is_cut_short_is_an_error_and_no_crash() {
        let (file, counters) = opened(&entries::tests::file(true, &[("java.threads.live", 26)], &[]));
        let mut counters = counters.unwrap();
        file.set_len(40).unwrap();
        assert_eq!(
            counters.read().unwrap_err(),
            Absence::Malformed("hsperfdata: shorter than before".to_owned())
        );
        file.set_len(0).unwrap();
        assert_eq!(counters.read().unwrap_err(), Absence::Malformed("hsperfdata: cut off".to_owned()));
        assert_eq!(opened(b"").1.unwrap_err(), Absence::Malformed("hsperfdata: cut off".to_owned()));
    }
}
