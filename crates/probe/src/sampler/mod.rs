//! Reads every process again and again at least cost, for a recorder: what a look reads of a process in full is read
//! here as far as it changes, through descriptors that stay open and into memory that is used again.
//!
//! | what | how often |
//! |---|---|
//! | stat: CPU, threads, sizes, faults | each tick; of more than 2,000 processes each fifth, and statm (half as long) else |
//! | the same of those that rest, see `rest` | each five seconds, spread over the ticks; at once when they end |
//! | new processes: the pids given out since, or /proc listed | each tick in which some task was born on the host |
//! | descriptors, a JVM's own counters | each ten seconds, spread over the ticks; descriptors of suspects each second |
//! | data, io | the same, when it ran meanwhile; else each minute |
//! | name, command line, unit, container, user | once, and again when the name changed |
//! | births and ends of threads | when their number changed, see `threads` |
//! | kinds of resident memory, classes of memory | of suspects only, within a budget, see `deep` |
//!
//! Threads of the kernel are left out: they own nothing that could leak.

mod deep;
mod family;
mod host;
mod jvm;
mod moments;
mod record;
mod rest;
mod slot;
mod threads;
mod who;

use std::io;

use model::{BootId, Column, Event, EventKind, Pid, ProcessKey, ProcessNo, Tick, TickRow, Ticks};

use crate::hotspot::perfdata::Candidates;
use crate::proc::{self, PidDir};
use crate::sys::limits;
use crate::{Clock, Prober, ProcRoot};
use deep::{Deep, Depth};
use family::Family;
use host::{HostFiles, Load};
use moments::Moment;
use record::{Sample, Sizes, is_of_another_thread, parse_io};
use rest::Bell;
use slot::{Kept, Kind, Outcome, Slot};
use threads::{Lister, Of};

/// Above so many processes stat is read of a fifth of them each time; below the lower figure of all again.
const CROWD: usize = 2_000;
const NO_CROWD: usize = 1_600;
const CROWD_TURN: u64 = 5;
/// Seconds between two readings of what costs a file to be opened.
const SLOW_S: f64 = 10.0;
/// The same for descriptors of suspects.
const SUSPECTS_S: f64 = 1.0;
/// Descriptors that are left for everything else.
const RESERVE: usize = 192;
/// Records of threads that may be read in one tick.
const TASKS_A_TICK: u32 = 2_048;
/// New processes that are taken in with one tick; the others with the next.
const NEW_A_TICK: usize = 4_096;
/// /proc is listed at least each so many ticks; between, as many pids as this are tried one by one rather than a list
/// taken, which costs 0.4 µs for each process there is.
const LIST_AT_LEAST: u64 = 10;
const MOST_PROBED: u64 = 256;
/// Ticks that come as quickly as this take in who is new with the tick after the one that noticed: most of what a shell
/// script starts is gone by then, and costs next to nothing.
const QUICK_S: f64 = 2.0;

/// How to sample.
#[derive(Clone, Debug)]
pub struct SamplerOptions {
    /// Seconds between ticks, as they are meant to be.
    pub interval_s: f64,
    /// The number that the first new process gets: one more than the greatest in the store.
    pub next: ProcessNo,
    /// Numbers that living processes have in the store already.
    pub known: Vec<(ProcessKey, ProcessNo)>,
    /// The most files of processes that are kept open: each pins 4.3 KiB in the kernel.
    pub most_kept: usize,
}

impl Default for SamplerOptions {
    fn default() -> Self {
        Self { interval_s: 10.0, next: ProcessNo(1), known: Vec::new(), most_kept: 8_192 }
    }
}

/// Samples a host.
#[derive(Debug)]
pub struct Sampler {
    root: ProcRoot,
    boot: BootId,
    page_size: u64,
    ticks_per_second: u64,
    interval_s: f64,
    next: u32,
    known: Vec<(ProcessKey, ProcessNo)>,
    /// In ascending order of number.
    slots: Vec<Slot>,
    /// Threads of the kernel with their births, by pid.
    of_the_kernel: Vec<(u32, u64)>,
    family: Family,
    kept: Kept,
    crowded: bool,
    host: HostFiles,
    load: Load,
    lister: Lister,
    listed: Vec<u32>,
    buffer: Vec<u8>,
    candidates: Candidates,
    deep: Deep,
    bell: Bell,
    /// Pids of processes that ended with this tick, or died: their children have another parent now.
    deserted: Vec<u32>,
    /// Space for them, in order.
    parents: Vec<u32>,
    /// Did anybody's parent change, or anybody die?
    kin_changed: bool,
    /// Pids given out before the last tick, to be looked at with this one.
    fresh: Vec<u32>,
    classes: Vec<(Column, u64)>,
    ticks: u64,
    listed_at: u64,
    last: Option<Moment>,
    /// The tick before the last one, in milliseconds since boot.
    earlier_ms: u64,
    unread: u64,
}

impl Sampler {
    /// A sampler of the host (or the fixture tree) below a root. Raises this process's own limit of descriptors as far
    /// as it may.
    pub fn new(root: ProcRoot, options: SamplerOptions) -> io::Result<Self> {
        let most = limits::raise_open_files().saturating_sub(RESERVE);
        let mut known = options.known;
        known.sort_unstable_by_key(|(key, _)| *key);
        let greatest = known.iter().map(|(_, no)| no.0).max().unwrap_or(0);
        Ok(Self {
            boot: proc::host::boot_id(&root),
            page_size: proc::host::page_size(),
            ticks_per_second: proc::host::ticks_per_second(),
            interval_s: options.interval_s,
            next: options.next.0.max(greatest.saturating_add(1)).max(1),
            known,
            slots: Vec::new(),
            of_the_kernel: Vec::new(),
            family: Family::default(),
            kept: Kept { left: most.min(options.most_kept) },
            crowded: false,
            host: HostFiles::open(&root),
            load: Load::default(),
            lister: Lister::default(),
            listed: Vec::new(),
            buffer: Vec::with_capacity(8192),
            candidates: Candidates::default(),
            deep: Deep::new(Prober::new(root.duplicate()?)),
            bell: Bell::new(&root),
            deserted: Vec::new(),
            parents: Vec::new(),
            kin_changed: true,
            fresh: Vec::new(),
            classes: Vec::new(),
            ticks: 0,
            listed_at: 0,
            last: None,
            earlier_ms: 0,
            unread: 0,
            root,
        })
    }

    /// The boot that it samples.
    #[must_use]
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// The number that the next new process gets.
    #[must_use]
    pub fn next(&self) -> ProcessNo {
        ProcessNo(self.next)
    }

    /// Ticks come at another interval from now on.
    pub fn set_interval(&mut self, interval_s: f64) {
        self.interval_s = interval_s;
    }

    /// Processes that are recorded now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Is none recorded?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Records that could not be read, or made no sense, since it began.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// Whom to read more of from now on, and of nobody else. In any order; who is not there is ignored.
    pub fn suspects(&mut self, of: &[ProcessNo]) {
        for slot in &mut self.slots {
            if of.contains(&slot.no) {
                slot.depth.get_or_insert_with(|| Box::new(Depth::default()));
                slot.wake(&mut self.kept);
            } else {
                slot.depth = None;
            }
        }
    }

    /// Samples everybody once. What the tick held is lost; how late it began is the caller's to add.
    pub fn tick(&mut self, tick: &mut Tick) -> io::Result<()> {
        tick.clear();
        let now = Moment::now();
        tick.at_unix_ms = (now.wall_s * 1e3) as i64;
        tick.at_boot_ms = now.boot_ms();
        if let Some(last) = &self.last {
            for what in now.since(last, self.interval_s).into_iter().flatten() {
                tick.events.push(Event { at_boot_ms: now.boot_ms(), process: ProcessNo::HOST, what });
            }
            self.deep.save(now.boot_s - last.boot_s);
        }
        let mut changed = self.read_all(&now, &mut tick.events);
        changed |= self.find_new(&now, &mut tick.events)?;
        changed |= self.drop_gone();
        self.miss_known(&now, &mut tick.events);
        if changed {
            self.family.rebuild(&self.slots);
            self.switch_crowded();
        }
        if changed || std::mem::take(&mut self.kin_changed) {
            self.family.count(&mut self.slots);
        }
        let processes = self.slots.len() + self.of_the_kernel.len();
        self.host_row(processes, tick);
        self.rows(&now, tick);
        if tick.events.len() > 1 {
            tick.events.sort_by_key(|event| event.at_boot_ms);
        }
        self.earlier_ms = self.last.map_or(0, |last| last.boot_ms());
        self.last = Some(now);
        self.ticks += 1;
        tick.took_us = ((Clock::monotonic() - now.awake_s) * 1e6).max(0.0) as u64;
        Ok(())
    }

    /// Reads the records of all that are known, but for those that rest and whose turn it is not; says whether somebody
    /// ended.
    fn read_all(&mut self, now: &Moment, events: &mut Vec<Event>) -> bool {
        let (turn, slow) = (rest::turn(self.interval_s), self.slow_ticks());
        let (slots, kept) = (&mut self.slots, &mut self.kept);
        self.bell.rung(|no| {
            if let Ok(at) = slots.binary_search_by_key(&no, |slot| slot.no)
                && let Some(slot) = slots.get_mut(at)
            {
                slot.wake(kept);
            }
        });
        let before = events.len();
        self.deserted.clear();
        let mut slots = std::mem::take(&mut self.slots);
        for slot in &mut slots {
            let place = u64::from(slot.no.0) + self.ticks;
            if slot.rests() && turn > 1 && !place.is_multiple_of(turn) && !place.is_multiple_of(slow) {
                slot.skip();
            } else {
                self.read(slot, now, events);
            }
        }
        // Children that rest have another parent, now that theirs is no more.
        let mut of = std::mem::take(&mut self.parents);
        while !self.deserted.is_empty() {
            of.clear();
            of.append(&mut self.deserted);
            of.sort_unstable();
            for slot in slots.iter_mut().filter(|slot| slot.rests()) {
                if of.binary_search(&slot.sample.parent).is_ok() {
                    self.read(slot, now, events);
                }
            }
        }
        self.parents = of;
        self.slots = slots;
        events.len() > before
    }

    /// Reads the record of one.
    fn read(&mut self, slot: &mut Slot, now: &Moment, events: &mut Vec<Event>) {
        let rested = slot.rests();
        let is_turn = rested || (u64::from(slot.no.0) + self.ticks).is_multiple_of(CROWD_TURN);
        let kind = match (self.crowded, is_turn) {
            (false, _) => Kind::Stat,
            (true, false) => Kind::Sizes,
            (true, true) => Kind::SizesAndStat,
        };
        let (parent, was_dead) = (slot.sample.parent, slot.sample.is_dead());
        let mut space = [0_u8; slot::RECORD];
        match slot.read(&self.root, kind, &mut self.kept, &mut space) {
            Outcome::Read => {
                let dies = slot.sample.is_dead() && !was_dead;
                if dies {
                    self.deserted.push(slot.pid);
                }
                // Of the dead it is not known whether they were counted as zombies: their threads go one by one.
                self.kin_changed |= was_dead || dies || slot.sample.parent != parent;
                slot.settle(&self.bell, &mut self.kept, self.ticks);
            }
            Outcome::Unread => self.unread += 1,
            Outcome::Gone => {
                if !was_dead {
                    self.deserted.push(slot.pid);
                }
                let what = EventKind::ProcessEnded;
                events.push(Event { at_boot_ms: now.boot_ms(), process: slot.no, what });
            }
        }
    }

    fn drop_gone(&mut self) -> bool {
        let before = self.slots.len();
        self.slots.retain(|slot| !slot.gone);
        self.slots.len() != before
    }

    /// Takes in processes that came since the tick before; says whether there were any.
    fn find_new(&mut self, now: &Moment, events: &mut Vec<Event>) -> io::Result<bool> {
        let slow = self.slow_ticks();
        self.check_threads_of_the_kernel(slow);
        let load = self.host.load().unwrap_or_default();
        // The kernel gives pids out in turn: who is new has one between the newest then and the newest now.
        let newer = match (self.load.newest, load.newest) {
            (Some(then), Some(now)) if self.ticks - self.listed_at < LIST_AT_LEAST => now.checked_sub(then),
            _ => None,
        };
        let mut listed = std::mem::take(&mut self.listed);
        match newer {
            Some(newer @ 0..=MOST_PROBED) => {
                let first = load.newest.unwrap_or(0) - newer + 1;
                listed.clear();
                listed.extend((first..first + newer).filter_map(|pid| u32::try_from(pid).ok()));
                if self.is_quick() {
                    std::mem::swap(&mut listed, &mut self.fresh);
                } else {
                    listed.append(&mut self.fresh);
                }
            }
            _ => {
                self.fresh.clear();
                self.listed_at = self.ticks;
                self.candidates.forget();
                self.lister.listing.restart(&self.root, &mut listed)?;
            }
        }
        let is_list = self.listed_at == self.ticks;
        self.load = load;
        // Somebody who ended may have left its pid to somebody new.
        let gone: Vec<u32> = self.slots.iter().filter(|slot| slot.gone).map(|slot| slot.pid).collect();
        let (mut found, first) = (0, self.slots.len());
        for pid in &listed {
            let is_known = (self.family.has(*pid) && !gone.contains(pid))
                || self.of_the_kernel.binary_search_by_key(pid, |(pid, _)| *pid).is_ok();
            if is_known {
                continue;
            }
            if found == NEW_A_TICK {
                // The next tick goes on, with a list.
                self.load.newest = None;
                break;
            }
            found += usize::from(self.admit(*pid, now, events));
        }
        if is_list && listed.is_sorted() {
            self.of_the_kernel.retain(|(pid, _)| listed.binary_search(pid).is_ok());
        }
        self.listed = listed;
        // Numbers that the store gave back are smaller.
        if self.slots.get(first..).is_some_and(|new| !new.is_sorted_by_key(|slot| slot.no)) || self.ticks == 0
        {
            self.slots.sort_by_key(|slot| slot.no);
        }
        Ok(found > 0)
    }

    /// Takes a process in; says whether it is one to record.
    fn admit(&mut self, pid: u32, now: &Moment, events: &mut Vec<Event>) -> bool {
        let mut space = [0_u8; 2048];
        // Most numbers that were given out are threads', or gone: that is found without an allocation.
        let mut path = proc::NumberPath::default();
        let record = crate::sys::file::read_record(&self.root, path.set(pid, b"/stat"), &mut space);
        if record.ok().flatten().is_none_or(is_of_another_thread) {
            return false;
        }
        let Ok(dir) = PidDir::open(&self.root, Pid(pid)) else { return false };
        let record = crate::sys::file::read_record(&dir, c"stat", &mut space).ok().flatten();
        let Some(record) = record.filter(|record| !is_of_another_thread(record)) else { return false };
        let Some(sample) = Sample::parse(record) else {
            self.unread += 1;
            return false;
        };
        if sample.is_of_the_kernel() {
            if let Err(at) = self.of_the_kernel.binary_search_by_key(&pid, |(pid, _)| *pid) {
                self.of_the_kernel.insert(at, (pid, sample.start));
            }
            return false;
        }
        let incarnation = who::read(&dir, &sample, &self.base(now), &mut self.buffer);
        let mut slot = Slot::new(self.number(incarnation.key), pid, sample);
        slot.io_is_denied = incarnation.denied.contains(&Column::ReadBytes);
        let before_ms = self.since_ms(now);
        let born_ms = sample.start.saturating_mul(1000) / self.ticks_per_second.max(1);
        events.push(Event {
            at_boot_ms: born_ms.clamp(before_ms.min(now.boot_ms()), now.boot_ms()),
            process: slot.no,
            what: EventKind::ProcessSeen(Box::new(incarnation)),
        });
        self.slots.push(slot);
        true
    }

    /// Are ticks so close together that who is new waits for the next one?
    fn is_quick(&self) -> bool {
        self.interval_s <= QUICK_S
    }

    /// Since when who is taken in with this tick may have been born.
    fn since_ms(&self, now: &Moment) -> u64 {
        match &self.last {
            Some(_) if self.is_quick() && self.earlier_ms > 0 => self.earlier_ms,
            Some(last) => last.boot_ms(),
            None => now.boot_ms(),
        }
    }

    /// The number that a store gave it before, or a new one.
    fn number(&mut self, key: ProcessKey) -> ProcessNo {
        if let Ok(at) = self.known.binary_search_by_key(&key, |(key, _)| *key) {
            return self.known.remove(at).1;
        }
        let no = ProcessNo(self.next);
        self.next = self.next.saturating_add(1);
        no
    }

    /// Of those that a store knew and that are not there any more, nobody saw the end: it is told now. A pid of another
    /// boot says nothing.
    fn miss_known(&mut self, now: &Moment, events: &mut Vec<Event>) {
        if self.load.newest.is_none() && self.host.tells_newest() {
            // There are more to take in.
            return;
        }
        for (key, process) in std::mem::take(&mut self.known) {
            if key.boot == self.boot {
                events.push(Event { at_boot_ms: now.boot_ms(), process, what: EventKind::ProcessEnded });
            }
        }
    }

    fn base(&self, now: &Moment) -> who::Base {
        who::Base {
            boot: self.boot,
            booted_unix_s: now.wall_s - now.boot_s,
            ticks_per_second: self.ticks_per_second,
        }
    }

    /// A thread of the kernel may end, and a process get its pid: looked at one after the other.
    fn check_threads_of_the_kernel(&mut self, slow: u64) {
        let (root, ticks) = (&self.root, self.ticks);
        let turn = slow.saturating_mul(6).max(1);
        self.of_the_kernel.retain(|(pid, start)| {
            if ticks == 0 || u64::from(*pid) % turn != ticks % turn {
                return true;
            }
            let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 2048]);
            let name = path.set(*pid, b"/stat");
            let record = crate::sys::file::read_record(root, name, &mut space).ok().flatten();
            record.and_then(Sample::parse).is_some_and(|sample| sample.start == *start)
        });
    }

    /// Ticks in ten seconds.
    fn slow_ticks(&self) -> u64 {
        ticks_in(SLOW_S, self.interval_s)
    }

    fn switch_crowded(&mut self) {
        let crowded = if self.crowded { self.slots.len() > NO_CROWD } else { self.slots.len() > CROWD };
        if crowded != self.crowded {
            self.crowded = crowded;
            for slot in &mut self.slots {
                slot.close(&mut self.kept);
            }
        }
    }

    fn host_row(&mut self, processes: usize, tick: &mut Tick) {
        let first = tick.values.len();
        self.host.memory(&mut tick.values);
        tick.values.push((Column::HostTasks, self.load.tasks));
        tick.values.push((Column::HostProcesses, processes as u64));
        if let Some(stall) = self.host.memory_stall_us() {
            tick.values.push((Column::HostMemoryStall, stall));
        }
        tick.values.push((Column::OwnCpu, (Clock::cpu() * 1e6) as u64));
        let own = std::process::id();
        if let Some(slot) = self.slots.iter().find(|slot| slot.pid == own && self.root.is_live()) {
            tick.values
                .push((Column::OwnResident, slot.sample.resident_pages.saturating_mul(self.page_size)));
        }
        let values = (tick.values.len() - first) as u32;
        tick.rows.push(TickRow { process: ProcessNo::HOST, values });
    }

    /// The rows of all processes, with what is read less often.
    fn rows(&mut self, now: &Moment, tick: &mut Tick) {
        let (slow, now_ms) = (self.slow_ticks(), now.boot_ms());
        let last_ms = self.last.map_or(now_ms, |last| last.boot_ms());
        let since_ms = self.since_ms(now);
        self.lister.left = TASKS_A_TICK;
        let mut slots = std::mem::take(&mut self.slots);
        for slot in &mut slots {
            let in_turn = (u64::from(slot.no.0) + self.ticks).is_multiple_of(slow);
            let is_new = std::mem::take(&mut slot.is_new);
            let periodic = is_new || in_turn;
            // Children are counted without being told by their parent: also of one that rests.
            if !slot.has_sample && slot.sizes.is_none() && slot.children == slot.children_told {
                continue;
            }
            let before_ms = if is_new { since_ms } else { last_ms };
            self.renamed(slot, now, &mut tick.events);
            let born_ms = slot.start.saturating_mul(1000) / self.ticks_per_second.max(1);
            let threads = slot.sample.threads;
            if slot.has_sample && slot.tasks.are_due(threads, self.ticks, periodic) {
                let of = Of {
                    root: &self.root,
                    no: slot.no,
                    pid: slot.pid,
                    sample: &slot.sample,
                    tick: self.ticks,
                    now_ms,
                    before_ms,
                    ticks_per_second: self.ticks_per_second,
                    is_new: self.ticks > 0 && born_ms >= before_ms,
                };
                slot.tasks.look(&of, &mut self.lister, &mut tick.events);
            }
            let first = tick.values.len();
            self.row(slot, periodic, now.boot_s, &mut tick.values);
            let values = (tick.values.len() - first) as u32;
            tick.rows.push(TickRow { process: slot.no, values });
        }
        self.slots = slots;
    }

    /// One process's figures, in ascending order of column.
    fn row(&mut self, slot: &mut Slot, periodic: bool, now_s: f64, values: &mut Vec<(Column, u64)>) {
        let sample = slot.sample;
        let lives = !sample.is_dead();
        // What has neither run nor faulted since has hardly changed: each minute is enough to make sure.
        let active = periodic && lives && slot.is_active(self.ticks, self.slow_ticks());
        let sizes = slot.sizes.or_else(|| if active { self.statm(slot.pid) } else { None });
        let page = self.page_size;
        if slot.has_sample {
            values.extend([(Column::Cpu, sample.cpu), (Column::Threads, sample.threads)]);
        }
        // Without its first thread a process shows no sizes in its own record: another thread's directory does.
        let other = if !lives && sample.threads > 1 { self.sizes_of_other(slot.pid) } else { None };
        let (size, resident) = match (slot.sizes, slot.has_sample && lives, other) {
            (Some(sizes), ..) if sizes.size > 0 => (sizes.size.saturating_mul(page), sizes.resident),
            (None, true, _) => (sample.virtual_bytes, sample.resident_pages),
            (_, _, Some(other)) => (other.size.saturating_mul(page), other.resident),
            _ => (0, 0),
        };
        if size > 0 {
            values.push((Column::Virtual, size));
            values.push((Column::Resident, resident.saturating_mul(page)));
        }
        if slot.has_sample {
            values.push((Column::MinorFaults, sample.minor_faults));
            values.push((Column::MajorFaults, sample.major_faults));
        }
        let told = sizes.or(other).filter(|sizes| sizes.size > 0);
        if let Some(sizes) = told {
            values.push((Column::Data, sizes.data.saturating_mul(page)));
        }
        let tells_children = periodic || slot.children != slot.children_told;
        // Counting them is cheap from Linux 6.2 on, but not for everybody in each tick.
        let closely =
            slot.depth.is_some() && self.ticks.is_multiple_of(ticks_in(SUSPECTS_S, self.interval_s));
        if (periodic || closely)
            && lives
            && let Some(count) = self.descriptors(slot.pid)
        {
            values.push((Column::Descriptors, count));
        }
        if tells_children {
            values.push((Column::Children, u64::from(slot.children.0)));
        }
        if active
            && !slot.io_is_denied
            && let Some((read, written)) = self.io(slot.pid)
        {
            values.extend([(Column::ReadBytes, read), (Column::WrittenBytes, written)]);
        }
        let threads = (slot.tasks.born, slot.tasks.ended);
        if periodic || threads != slot.tasks.told {
            slot.tasks.told = threads;
            values.extend([(Column::ThreadsBorn, threads.0), (Column::ThreadsEnded, threads.1)]);
        }
        self.classes.clear();
        if lives && self.deep.is_due(slot, now_s) {
            self.deep.read(slot, now_s, values, &mut self.classes);
        }
        if periodic && lives {
            let name = sample.name;
            slot.jvm.read(&self.root, slot.pid, name.as_bytes(), &mut self.candidates, values);
        }
        if tells_children {
            slot.children_told = slot.children;
            values.push((Column::Zombies, u64::from(slot.children.1)));
        }
        if let Some(sizes) = told {
            values.push((Column::Shared, sizes.shared.saturating_mul(page)));
        }
        values.append(&mut self.classes);
    }

    /// When it took another name, it may be another program: who it is is read again.
    fn renamed(&mut self, slot: &mut Slot, now: &Moment, events: &mut Vec<Event>) {
        if !slot.has_sample || slot.name == slot.sample.name || self.ticks < slot.named_until {
            return;
        }
        slot.name = slot.sample.name;
        slot.renames = slot.renames.saturating_add(1);
        slot.named_until = self.ticks + (1 << slot.renames.min(10));
        let Ok(dir) = PidDir::open(&self.root, Pid(slot.pid)) else { return };
        let incarnation = who::read(&dir, &slot.sample, &self.base(now), &mut self.buffer);
        if incarnation.key.start != Ticks(slot.start) {
            return;
        }
        slot.io_is_denied = incarnation.denied.contains(&Column::ReadBytes);
        slot.jvm = jvm::Jvm::default();
        let what = EventKind::ProcessRenamed(Box::new(incarnation));
        events.push(Event { at_boot_ms: now.boot_ms(), process: slot.no, what });
    }

    fn statm(&self, pid: u32) -> Option<Sizes> {
        let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 256]);
        let name = path.set(pid, b"/statm");
        Sizes::parse(crate::sys::file::read_record(&self.root, name, &mut space).ok()??)
    }

    fn sizes_of_other(&mut self, pid: u32) -> Option<Sizes> {
        let dir = PidDir::open(&self.root, Pid(pid)).ok()?;
        let tasks = dir.open_dir(c"task").ok()?;
        let mut numbers = std::mem::take(&mut self.listed);
        let found = self.lister.listing.numbers(&tasks, &mut numbers);
        let other = numbers.iter().rev().find(|tid| **tid != pid).copied();
        self.listed = numbers;
        found.ok()?;
        let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 256]);
        let name = path.set(other?, b"/statm");
        Sizes::parse(crate::sys::file::read_record(&tasks, name, &mut space).ok()??)
    }

    fn descriptors(&self, pid: u32) -> Option<u64> {
        let mut path = proc::NumberPath::default();
        // 0 before Linux 6.2: there the number would cost a list, and a right.
        crate::sys::file::size(&self.root, path.set(pid, b"/fd")).ok().filter(|count| *count > 0)
    }

    fn io(&self, pid: u32) -> Option<(u64, u64)> {
        let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 512]);
        parse_io(crate::sys::file::read_record(&self.root, path.set(pid, b"/io"), &mut space).ok()??)
    }
}

/// How many ticks there are in so many seconds; one at least.
fn ticks_in(seconds: f64, interval_s: f64) -> u64 {
    (seconds / interval_s.max(0.001)).round().clamp(1.0, 10_000.0) as u64
}
