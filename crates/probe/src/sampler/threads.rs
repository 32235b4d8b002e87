//! Births and ends of threads between two looks, by comparing who is listed with who was.
//!
//! A list is taken when the number of threads has changed, while a process renews its threads, and every ten seconds
//! otherwise. Only of a thread that is new its record is read. Nobody's threads are read without bound: each process has
//! an allowance, and all of them together one for each tick; what goes beyond is counted and said
//! ([`EventKind::ThreadsMissed`]), so that the numbers stay right.
//!
//! A thread that was born and ended between two lists is never seen; a JVM's own count of starts tells of those.

use model::{Event, EventKind, Pid, ProcessNo, Ticks};

use super::record::{Comm, Sample};
use crate::ProcRoot;
use crate::proc::NumberPath;
use crate::sys::dents::Listing;
use crate::sys::file;

/// Threads of one process beyond which they are only counted.
const MOST: u64 = 65_536;
/// Births and ends that are told one by one, of one process: so many at once, and so many more with each tick.
const ALLOWANCE: u32 = 1_024;
const REFILL: u32 = 32;
/// A pthread gets its name right after its birth, often from the thread that made it: one that is younger than this is
/// asked for it again at the next tick.
const NAMED_AFTER_TICKS: u64 = 5;
/// Threads for which the lister keeps space between two processes.
const MOST_KEPT: usize = 1_024;
/// How long a process that renews its threads is looked at in each tick, in ticks.
const CHURN: u64 = 60;

/// Has its birth been told?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Not yet: its record is unread, or its name not settled.
    No,
    Yes,
    /// Counted among the missed.
    Counted,
}

/// A living thread.
#[derive(Clone, Copy, Debug)]
struct Task {
    tid: u32,
    told: Told,
    name: Comm,
    /// `None` until its record is read.
    start: Option<u64>,
}

/// The threads of a process.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// By tid. Empty while there is only the first one.
    known: Vec<Task>,
    /// Was a list taken yet (or is there nothing to list)?
    begun: bool,
    /// How many of `known` are yet to be told of or read.
    open: u32,
    churns_until: u64,
    spent: u32,
    /// Since recording began.
    pub(super) born: u64,
    pub(super) ended: u64,
    pub(super) told: (u64, u64),
}

/// What lists are taken with; kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Lister {
    pub(super) listing: Listing,
    numbers: Vec<u32>,
    merged: Vec<Task>,
    /// Records that may yet be read in this tick.
    pub(super) left: u32,
}

/// The tick, and whose threads they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'a> {
    pub(super) root: &'a ProcRoot,
    pub(super) no: ProcessNo,
    pub(super) pid: u32,
    pub(super) sample: &'a Sample,
    /// The tick's number and its moment.
    pub(super) tick: u64,
    pub(super) now_ms: u64,
    pub(super) before_ms: u64,
    pub(super) ticks_per_second: u64,
    /// Was the process born while flatfoot recorded, so that all its threads were?
    pub(super) is_new: bool,
}

impl Of<'_> {
    fn event(&self, at_boot_ms: u64, what: EventKind) -> Event {
        Event { at_boot_ms, process: self.no, what }
    }

    fn ms(&self, start: u64) -> u64 {
        let ms = start.saturating_mul(1000) / self.ticks_per_second.max(1);
        ms.clamp(self.before_ms.min(self.now_ms), self.now_ms)
    }
}

impl Tasks {
    /// Of a process that is seen for the first time: one that is alone has nothing to list, whoever comes is new.
    pub(super) fn of(threads: u64) -> Self {
        Self { begun: threads < 2, ..Self::default() }
    }

    /// Is a list worth its cost now? `periodic`: the ten seconds are over.
    pub(super) fn are_due(&self, threads: u64, tick: u64, periodic: bool) -> bool {
        let known = if self.known.is_empty() { 1 } else { self.known.len() as u64 };
        threads != known || self.open > 0 || tick < self.churns_until || (periodic && threads > 1)
    }

    /// Lists them, and tells who was born and who ended.
    pub(super) fn look(&mut self, of: &Of<'_>, lister: &mut Lister, events: &mut Vec<Event>) {
        self.spent = self.spent.saturating_sub(REFILL);
        if of.sample.threads > MOST {
            self.count_only(of, events);
            return;
        }
        let mut path = NumberPath::default();
        let Ok(dir) = file::open_dir(of.root, path.set(of.pid, b"/task")) else { return };
        if lister.listing.numbers(&dir, &mut lister.numbers).is_err() || lister.numbers.is_empty() {
            return;
        }
        lister.numbers.sort_unstable();
        let is_first = !self.begun && !of.is_new;
        self.begun = true;
        if self.known.is_empty() {
            // Until now there was the first one alone, which was born with its process.
            let first =
                Task { tid: of.pid, told: Told::Yes, name: of.sample.name, start: Some(of.sample.start) };
            self.known.push(first);
        }
        let mut missed = (0, 0);
        let mut merged = std::mem::take(&mut lister.merged);
        merged.clear();
        let (mut at, mut ended) = (0, 0);
        let mut before = std::mem::take(&mut self.known);
        for &tid in &lister.numbers {
            while let Some(task) = before.get(at).filter(|task| task.tid < tid) {
                ended += 1;
                self.end(of, task, &mut missed, events);
                at += 1;
            }
            if let Some(task) = before.get(at).filter(|task| task.tid == tid) {
                merged.push(*task);
                at += 1;
            } else {
                self.born += u64::from(!is_first);
                let told = if is_first { Told::Yes } else { Told::No };
                merged.push(Task { tid, told, name: Comm::default(), start: None });
            }
        }
        for task in before.get(at..).unwrap_or_default() {
            ended += 1;
            self.end(of, task, &mut missed, events);
        }
        self.ended += ended;
        if ended > 0 {
            self.churns_until = of.tick + CHURN;
        }
        self.open = 0;
        for task in &mut merged {
            self.read(of, task, &dir, lister, &mut missed, events);
        }
        // The lister's buffer is as long as the longest list there was: a process keeps one of its own length. Alone again,
        // it needs none.
        before.clear();
        match merged.as_slice() {
            [only] if only.tid == of.pid => {}
            all => before.extend_from_slice(all),
        }
        before.shrink_to(before.len().saturating_mul(2));
        self.known = before;
        merged.clear();
        merged.shrink_to(MOST_KEPT);
        lister.merged = merged;
        if missed != (0, 0) {
            let (born, ended) = missed;
            events.push(of.event(of.now_ms, EventKind::ThreadsMissed { born, ended }));
        }
    }

    /// Tells of a birth once the record is read and the name settled, as far as the allowances go.
    fn read(
        &mut self,
        of: &Of<'_>,
        task: &mut Task,
        dir: &std::os::fd::OwnedFd,
        lister: &mut Lister,
        missed: &mut (u64, u64),
        events: &mut Vec<Event>,
    ) {
        if task.told != Told::No && task.start.is_some() {
            return;
        }
        if task.told == Told::No && self.spent >= ALLOWANCE {
            missed.0 += 1;
            // Its end will be counted as well: a record of it is of no use.
            (task.told, task.start) = (Told::Counted, Some(0));
            return;
        }
        let Some(left) = lister.left.checked_sub(1) else {
            self.open += 1;
            return;
        };
        lister.left = left;
        let (mut path, mut space) = (NumberPath::default(), [0_u8; 2048]);
        let record = file::read_record(dir, path.set(task.tid, b"/stat"), &mut space).ok().flatten();
        let Some(sample) = record.and_then(Sample::parse) else {
            // It ended meanwhile: the next list is without it.
            self.open += 1;
            return;
        };
        (task.name, task.start) = (sample.name, Some(sample.start));
        if task.told == Told::No {
            let now = of.now_ms.saturating_mul(of.ticks_per_second) / 1000;
            let age = now.saturating_sub(sample.start);
            if age < NAMED_AFTER_TICKS {
                self.open += 1;
            } else {
                self.tell_birth(of, task, sample.start, events);
            }
        }
    }

    fn tell_birth(&mut self, of: &Of<'_>, task: &mut Task, start: u64, events: &mut Vec<Event>) {
        self.spent += 1;
        task.told = Told::Yes;
        let what = EventKind::ThreadBorn { tid: Pid(task.tid), start: Ticks(start), name: task.name.text() };
        events.push(of.event(of.ms(start), what));
    }

    fn end(&mut self, of: &Of<'_>, task: &Task, missed: &mut (u64, u64), events: &mut Vec<Event>) {
        match (task.told, task.start) {
            (Told::Yes, Some(start)) if self.spent < ALLOWANCE => {
                self.spent += 1;
                let name = task.name.text();
                let what = EventKind::ThreadEnded { tid: Pid(task.tid), start: Ticks(start), name };
                events.push(of.event(of.now_ms, what));
            }
            // Read, and gone before its name was settled: both are told.
            (Told::No, Some(start)) if self.spent < ALLOWANCE => {
                let mut task = *task;
                self.tell_birth(of, &mut task, start, events);
                self.end(of, &task, missed, events);
            }
            (Told::No, _) => *missed = (missed.0 + 1, missed.1 + 1),
            _ => missed.1 += 1,
        }
    }

    /// So many that a list would cost more than it tells: only the difference.
    fn count_only(&mut self, of: &Of<'_>, events: &mut Vec<Event>) {
        let known = self.known.len() as u64;
        let now = of.sample.threads;
        if self.begun && known > 0 && now != known {
            let (born, ended) = (now.saturating_sub(known), known.saturating_sub(now));
            (self.born, self.ended) = (self.born + born, self.ended + ended);
            events.push(of.event(of.now_ms, EventKind::ThreadsMissed { born, ended }));
        }
        self.begun = true;
        let nobody = Task { tid: 0, told: Told::Counted, name: Comm::default(), start: Some(0) };
        self.known.resize(now.min(4_194_304) as usize, nobody);
        self.open = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixture tree in which process 7 has these threads, all born at 10 s.
    fn tree(tids: &[u32]) -> (tempfile::TempDir, ProcRoot) {
        let tree = tempfile::tempdir().unwrap();
        for tid in tids {
            let place = tree.path().join(format!("proc/7/task/{tid}"));
            std::fs::create_dir_all(&place).unwrap();
            let record = format!("{tid} (t{tid}) S {} 1000 0 0\n", ["0"; 18].join(" "));
            std::fs::write(place.join("stat"), record).unwrap();
        }
        let root = ProcRoot::in_tree(tree.path()).unwrap();
        (tree, root)
    }

    fn look(tasks: &mut Tasks, tids: &[u32], left: u32, is_new: bool) -> Vec<String> {
        look_with(&mut Lister { left, ..Lister::default() }, tasks, tids, is_new)
    }

    fn look_with(lister: &mut Lister, tasks: &mut Tasks, tids: &[u32], is_new: bool) -> Vec<String> {
        let (_tree, root) = tree(tids);
        let sample = Sample { threads: tids.len() as u64, start: 1000, ..Sample::default() };
        let of = Of {
            root: &root,
            no: ProcessNo(1),
            pid: 7,
            sample: &sample,
            tick: 5,
            now_ms: 20_000,
            before_ms: 19_000,
            ticks_per_second: 100,
            is_new,
        };
        let mut events = Vec::new();
        tasks.look(&of, lister, &mut events);
        let word = |event: &Event| match &event.what {
            EventKind::ThreadBorn { tid, .. } => format!("+{tid}"),
            EventKind::ThreadEnded { tid, .. } => format!("-{tid}"),
            EventKind::ThreadsMissed { born, ended } => format!("missed {born} {ended}"),
            other => panic!("{other:?}"),
        };
        events.iter().map(word).collect()
    }

    #[test]
    fn whoever_joins_one_that_was_alone_is_new() {
        let mut alone = Tasks::of(1);
        assert!(!alone.are_due(1, 0, true) && alone.are_due(2, 0, false));
        assert_eq!(look(&mut alone, &[7, 8], 9, false), ["+8"]);
        assert_eq!((alone.born, alone.ended), (1, 0));
        assert_eq!(look(&mut alone, &[7, 9], 9, false), ["-8", "+9"], "as many as before, and another one");
        assert_eq!((alone.born, alone.ended), (2, 1));
        assert!(alone.are_due(2, 6, false), "who renews its threads is looked at again");
    }

    #[test]
    fn who_was_there_before_is_no_birth() {
        let mut before = Tasks::of(3);
        assert_eq!(look(&mut before, &[7, 8, 9], 9, false), [""; 0]);
        assert_eq!(look(&mut before, &[7, 9], 9, false), ["-8"]);
        assert_eq!((before.born, before.ended), (0, 1));
        let mut new = Tasks::of(3);
        assert_eq!(look(&mut new, &[7, 8, 9], 9, true), ["+8", "+9"], "its process is new: all are");
    }

    #[test]
    fn what_a_tick_has_no_room_for_comes_with_the_next_or_is_counted() {
        let mut tasks = Tasks::of(1);
        assert_eq!(look(&mut tasks, &[7, 8, 9, 10], 1, false), ["+8"]);
        assert!(tasks.are_due(4, 6, false), "two are yet to be told of");
        assert_eq!(look(&mut tasks, &[7, 8, 10], 9, false), ["+10", "missed 1 1"]);
        assert_eq!((tasks.born, tasks.ended), (3, 1));
    }

    #[test]
    fn a_list_takes_the_space_of_its_own_threads() {
        let mut lister = Lister { left: 9_999, ..Lister::default() };
        let many: Vec<u32> = (7..3_000).collect();
        let (mut large, mut small) = (Tasks::of(1), Tasks::of(1));
        for _ in 0..3 {
            look_with(&mut lister, &mut large, &many, false);
            look_with(&mut lister, &mut small, &[7, 8, 9], false);
        }
        assert!(small.known.capacity() <= 6, "{}", small.known.capacity());
        assert!(large.known.capacity() < 2 * many.len() && lister.merged.capacity() <= MOST_KEPT);
        look_with(&mut lister, &mut large, &[7, 8], false);
        assert!(large.known.capacity() <= 4, "most of them have ended: {}", large.known.capacity());
    }
}
