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
mod newcomers;
mod record;
mod rest;
mod rows;
mod slot;
mod threads;
mod who;

use std::io;

use model::{BootId, Column, Event, EventKind, ProcessKey, ProcessNo, Tick};

use crate::hotspot::perfdata::Candidates;
use crate::proc;
use crate::sys::limits;
use crate::{Clock, Prober, ProcRoot};
use deep::{Deep, Depth};
use family::Family;
use host::{HostFiles, Load};
use moments::Moment;
use rest::Bell;
use slot::{Kept, Kind, Outcome, Slot};
use threads::Lister;

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
}

/// How many ticks there are in so many seconds; one at least.
fn ticks_in(seconds: f64, interval_s: f64) -> u64 {
    (seconds / interval_s.max(0.001)).round().clamp(1.0, 10_000.0) as u64
}
