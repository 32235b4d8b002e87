//! /proc/PID/task: every thread with its name, state, birth and CPU time.
//!
//! One open, read and close of task/TID/stat for each thread; the births in it (field 22) are what cadences are
//! found in, without waiting. On demand also an address in each thread's stack: the head of its list of robust
//! mutexes, which glibc keeps in `struct pthread` at the top of the stack, or, where that list is not set (musl,
//! Go), the stack pointer in task/TID/syscall, which only a thread that waits in a system call has.

use std::os::fd::OwnedFd;

use model::{Pid, Reading, StackHint, Thread};
use rustix::io::Errno;

use super::root::NumberPath;
use super::{Absence, PidDir, ProcRoot, scan, stat};
use crate::sys::dents::Listing;
use crate::sys::{file, robust_list};

/// What the files of threads are read with.
#[derive(Debug)]
struct Reader<'a> {
    dir: &'a PidDir,
    tasks: OwnedFd,
    /// Are tids of this tree the kernel's tids in our namespace? Else get_robust_list would ask about strangers.
    ask_robust_list: bool,
    ask_syscall: bool,
    path: NumberPath,
    /// Kept, so that it is cleared once and not for each thread.
    space: [u8; stat::RECORD],
}

/// Reads all threads, in the order of their ids. Threads that end meanwhile are left out.
pub(crate) fn read(
    root: &ProcRoot,
    dir: &PidDir,
    with_stacks: bool,
    listing: &mut Listing,
    numbers: &mut Vec<u32>,
) -> Reading<Vec<Thread>> {
    Absence::or_value(read_all(root, dir, with_stacks, listing, numbers))
}

/// Only the ids, and an address in each thread's stack: one system call for each thread instead of four.
pub(crate) fn stacks(
    root: &ProcRoot,
    dir: &PidDir,
    listing: &mut Listing,
    numbers: &mut Vec<u32>,
) -> Reading<Vec<Thread>> {
    Absence::or_value(stacks_of_all(root, dir, listing, numbers))
}

fn stacks_of_all(
    root: &ProcRoot,
    dir: &PidDir,
    listing: &mut Listing,
    numbers: &mut Vec<u32>,
) -> Result<Vec<Thread>, Absence> {
    let tasks = dir.open_dir(c"task")?;
    listing.numbers(&tasks, numbers).map_err(|error| dir.absence(c"task", error))?;
    let mut reader = Reader {
        dir,
        tasks,
        ask_robust_list: root.is_live(),
        ask_syscall: true,
        path: NumberPath::default(),
        space: [0; stat::RECORD],
    };
    let mut threads = Vec::with_capacity(numbers.len());
    for tid in numbers.iter() {
        let tid = Pid(*tid);
        threads.push(Thread { tid, stack: reader.stack(tid)?, ..Thread::default() });
    }
    // Those that are still listed were this process's when get_robust_list answered for them.
    listing.restart(&reader.tasks, numbers).map_err(|error| dir.absence(c"task", error))?;
    numbers.sort_unstable();
    threads.retain(|thread| numbers.binary_search(&thread.tid.0).is_ok());
    threads.sort_unstable_by_key(|thread| thread.tid);
    if threads.is_empty() { Err(Absence::Gone) } else { Ok(threads) }
}

fn read_all(
    root: &ProcRoot,
    dir: &PidDir,
    with_stacks: bool,
    listing: &mut Listing,
    numbers: &mut Vec<u32>,
) -> Result<Vec<Thread>, Absence> {
    let tasks = dir.open_dir(c"task")?;
    listing.numbers(&tasks, numbers).map_err(|error| dir.absence(c"task", error))?;
    numbers.sort_unstable();
    let ask_robust_list = with_stacks && root.is_live();
    let mut reader = Reader {
        dir,
        tasks,
        ask_robust_list,
        ask_syscall: with_stacks,
        path: NumberPath::default(),
        space: [0; stat::RECORD],
    };
    let mut threads = Vec::with_capacity(numbers.len());
    for tid in numbers.iter() {
        if let Some(thread) = reader.thread(Pid(*tid))? {
            threads.push(thread);
        }
    }
    if threads.is_empty() { Err(Absence::Gone) } else { Ok(threads) }
}

impl Reader<'_> {
    fn thread(&mut self, tid: Pid) -> Result<Option<Thread>, Absence> {
        // The stack first: that the thread's own file can be read afterwards shows that it was still this thread
        // which get_robust_list answered for, and not a new one with its id.
        let stack = if self.ask_robust_list || self.ask_syscall { self.stack(tid)? } else { None };
        let name = self.path.set(tid.0, b"/stat");
        let record = match file::read_record(&self.tasks, name, &mut self.space) {
            Ok(Some(record)) => record,
            Ok(None) => return Err(in_task(Absence::malformed("stat", 1, "too long"))),
            Err(Errno::NOENT | Errno::SRCH) => return Ok(None),
            Err(error) => return Err(self.dir.absence(c"task/TID/stat", error)),
        };
        let mut thread = stat::parse_thread(tid, record).map_err(in_task)?;
        thread.stack = stack;
        Ok(Some(thread))
    }

    fn stack(&mut self, tid: Pid) -> Result<Option<StackHint>, Absence> {
        if self.ask_robust_list {
            match robust_list::head(tid) {
                Ok(Some(head)) => return Ok(Some(StackHint::RobustList(head))),
                Ok(None) => {}
                Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => return Ok(None),
                // Refused, or no such call here: the other threads would fare the same.
                Err(_) => self.ask_robust_list = false,
            }
        }
        if !self.ask_syscall {
            return Ok(None);
        }
        let mut space = [0_u8; 256];
        match file::read_record(&self.tasks, self.path.set(tid.0, b"/syscall"), &mut space) {
            Ok(record) => parse_syscall(record.unwrap_or_default()).map_err(in_task),
            Err(Errno::NOENT | Errno::SRCH) => Ok(None),
            Err(_) => {
                self.ask_syscall = false;
                Ok(None)
            }
        }
    }
}

fn in_task(absence: Absence) -> Absence {
    match absence {
        Absence::Malformed(why) => Absence::Malformed(format!("task/TID/{why}")),
        other => other,
    }
}

/// The stack pointer in task/TID/syscall (proc_pid_syscall(5)): number, six arguments, stack pointer, program
/// counter; `-1` and the last two outside a system call; `running` for a thread on a processor.
///
/// ```text
/// 202 0x7f1c 0x189 0x0 0x0 0x0 0xffffffff 0x7f1bd2ffcc70 0x7f1c2d0a3f16
/// ```
pub(crate) fn parse_syscall(record: &[u8]) -> Result<Option<StackHint>, Absence> {
    let line = scan::complete("syscall", record)?;
    if line == b"running" {
        return Ok(None);
    }
    let mut words = scan::words(line);
    let arguments = if words.next() == Some(b"-1") { 0 } else { 6 };
    let pointer = words.nth(arguments).and_then(|word| word.strip_prefix(b"0x")).and_then(scan::hex);
    match (pointer, words.next()) {
        (Some(0), Some(_)) => Ok(None),
        (Some(address), Some(_)) => Ok(Some(StackHint::StackPointer(address))),
        _ => Err(Absence::malformed("syscall", 1, "stack pointer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stack_pointers() {
        let hint = |address| Ok(Some(StackHint::StackPointer(address)));
        assert_eq!(
            parse_syscall(b"202 0x7f1c 0x189 0x0 0x0 0x0 0xffffffff 0x7f1bd2ffcc70 0x7f1c\n"),
            hint(0x7f1b_d2ff_cc70)
        );
        assert_eq!(parse_syscall(b"-1 0x7ffd 0x7f1c\n"), hint(0x7ffd));
        assert_eq!(parse_syscall(b"running\n"), Ok(None));
        assert_eq!(parse_syscall(b"0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"), Ok(None));
        for cut in [&b""[..], b"202 0x7f1c 0x189 0x0 0x0 0x0 0xffffffff 0x7f1b", b"202 0x1\n", b"-1 0x7ffd\n"]
        {
            assert!(parse_syscall(cut).is_err(), "{cut:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse_syscall(&bytes);
        }
    }
}
