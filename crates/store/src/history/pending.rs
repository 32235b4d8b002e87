//! The block that is being recorded, in memory, already as the streams that it will be on disk: an idle figure costs
//! its state and no byte per tick.
//!
//! The writer and the readers fill one each from the same ticks; the readers from the journal.

use model::{BootId, Column, Event, EventKind, ProcessNo, Tick};

use super::block::{Costs, Head, Times};
use super::chunk::{Cell, Slot};
use super::journal::RowWriter;
use super::runs::Runs;
use super::tables::{MAX_TICKS, MAX_VALUES};

/// Each of so many ticks stands in the journal by itself, so that a damaged row costs no more than these.
const KEY_EVERY: u32 = 32;

/// Ticks since the last flush.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) boot: BootId,
    pub(crate) interval_ms: u64,
    /// The number of its first tick.
    pub(crate) first_tick: u64,
    /// How many ticks.
    pub(crate) ticks: u32,
    pub(crate) first_ms: u64,
    pub(crate) last_ms: u64,
    pub(crate) last_unix_ms: i64,
    /// The store's clock at the last tick.
    pub(crate) age_ms: u64,
    pub(crate) times: Times,
    pub(crate) costs: Costs,
    /// Ascending by process.
    pub(crate) slots: Vec<Slot>,
    /// With the tick that each came with.
    pub(crate) events: Vec<(u32, Event)>,
    /// Bytes of names and command lines in them, twice, as `known` has them too.
    pub(crate) texts: usize,
    /// Place of the last tick that stands by itself in the journal.
    pub(crate) key: u32,
    /// The next one must: a row before it did not get there.
    pub(crate) key_next: bool,
}

/// Why a tick cannot be stored.
pub(crate) fn contradiction(tick: &Tick) -> Option<&'static str> {
    let ordered = tick.rows.is_sorted_by(|a, b| a.process < b.process);
    if !ordered || tick.rows.last().is_some_and(|row| row.process.0 == u32::MAX) {
        return Some("its processes are not in ascending order");
    }
    let counted: u64 = tick.rows.iter().map(|row| u64::from(row.values)).sum();
    if counted != tick.values.len() as u64 || tick.values.len() > MAX_VALUES {
        return Some("its rows do not account for its values");
    }
    if tick.by_process().any(|(_, values)| !values.is_sorted_by(|a, b| a.0 < b.0)) {
        return Some("a process's columns are not in ascending order");
    }
    None
}

impl Pending {
    /// An empty one that goes on after another.
    pub(crate) fn after(before: &Self) -> Self {
        Self {
            boot: before.boot,
            interval_ms: before.interval_ms,
            first_tick: before.first_tick + u64::from(before.ticks),
            last_ms: before.last_ms,
            last_unix_ms: before.last_unix_ms,
            age_ms: before.age_ms,
            ..Self::default()
        }
    }

    /// Does this tick begin another block: another boot, another recorder, or a clock that ran backwards?
    pub(crate) fn is_another(&self, tick: &Tick) -> bool {
        self.ticks > 0 && (tick.at_boot_ms < self.last_ms || started(tick).is_some())
    }

    /// Is there no room for a tick more?
    pub(crate) fn is_full(&self) -> bool {
        self.ticks >= MAX_TICKS / 2
    }

    /// Bytes it holds, nearly.
    pub(crate) fn bytes(&self) -> usize {
        let cells = self.slots.iter().flat_map(|slot| &slot.cells);
        let slots = self.slots.len() * size_of::<Slot>() + self.events.len() * 128;
        slots
            + self.texts
            + self.times.heap()
            + cells.map(|cell| size_of::<Cell>() + cell.heap()).sum::<usize>()
    }

    /// Adds a tick in which there is no contradiction, and writes its row of the journal.
    pub(crate) fn push(&mut self, tick: &Tick, row: &mut RowWriter) {
        let at = self.ticks;
        self.push_as(tick, row, self.key_next || at - self.key >= KEY_EVERY);
    }

    /// Adds a tick that was read from the journal, where it did or did not stand by itself.
    pub(crate) fn push_as(&mut self, tick: &Tick, row: &mut RowWriter, is_key: bool) {
        if let Some((boot, interval_ms)) = started(tick) {
            self.age_ms = self.age_after(Some(boot), tick);
            (self.boot, self.interval_ms) = (boot, interval_ms);
        } else {
            self.age_ms = self.age_after(None, tick);
        }
        let at = self.ticks;
        let is_key = at == 0 || is_key;
        if at == 0 {
            self.first_ms = tick.at_boot_ms;
        }
        row.begin(self.first_tick + u64::from(at), is_key, tick);
        if is_key {
            (self.key, self.key_next) = (at, false);
        }
        let mut place = 0;
        let mut before = None;
        for (process, values) in tick.by_process() {
            place += self.slots.get(place..).map_or(0, |rest| {
                // They mostly follow each other; else they are far apart.
                if rest.first().is_some_and(|slot| slot.process >= process) {
                    0
                } else {
                    rest.partition_point(|slot| slot.process < process)
                }
            });
            if self.slots.get(place).is_none_or(|slot| slot.process != process) {
                self.slots.insert(place, Slot { process, ..Slot::default() });
            }
            if let Some(slot) = self.slots.get_mut(place) {
                row.process(process, before);
                push_row(slot, at, self.key, values, row);
            }
            before = Some(process);
            place += 1;
        }
        self.times.push(tick.at_boot_ms, tick.at_unix_ms);
        self.costs.push(tick.took_us, tick.late_us);
        for event in &tick.events {
            if let EventKind::ProcessSeen(who) | EventKind::ProcessRenamed(who) = &event.what {
                self.texts += 2 * (size_of_val(&**who) + who.identity.command.as_str().len());
            }
            self.events.push((at, event.clone()));
        }
        (self.last_ms, self.last_unix_ms) = (tick.at_boot_ms, tick.at_unix_ms);
        self.ticks += 1;
        row.end(tick);
    }

    /// The store's own clock: time since boot while it counts, and between boots what the wall clock says, as
    /// far as it can be believed. A wall clock that is set ten years ahead makes nothing ten years old.
    fn age_after(&self, boot: Option<BootId>, tick: &Tick) -> u64 {
        const LONGEST_MS: u64 = 30 * 86_400_000;
        let same_boot = boot.is_none_or(|boot| boot == self.boot);
        let passed = if self.first_tick == 0 && self.ticks == 0 {
            0
        } else if same_boot && tick.at_boot_ms >= self.last_ms {
            tick.at_boot_ms - self.last_ms
        } else {
            u64::try_from(tick.at_unix_ms.saturating_sub(self.last_unix_ms)).unwrap_or(0).min(LONGEST_MS)
        };
        self.age_ms.saturating_add(passed)
    }

    /// What its block says of itself.
    pub(crate) fn head(&self, id: u32) -> Head {
        Head {
            id,
            first_tick: self.first_tick,
            recorded: u64::from(self.ticks),
            ticks: self.ticks,
            step_ms: 0,
            boot: self.boot,
            interval_ms: self.interval_ms,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            epoch_ms: self.times.epoch_ms(),
            age_ms: self.age_ms,
            processes: self.slots.len() as u32,
        }
    }

    /// Numbers of its processes.
    pub(crate) fn processes(&self) -> Runs {
        let mut runs = Runs::default();
        for slot in &self.slots {
            runs.push(slot.process.0);
        }
        runs
    }

    pub(crate) fn slot(&self, process: ProcessNo) -> Option<&Slot> {
        let place = self.slots.binary_search_by_key(&process, |slot| slot.process).ok()?;
        self.slots.get(place)
    }
}

/// The boot and the interval when a recorder began with this tick.
fn started(tick: &Tick) -> Option<(BootId, u64)> {
    tick.events.iter().rev().find_map(|event| match &event.what {
        EventKind::RecorderStarted { boot, interval_ms, .. } => Some((*boot, *interval_ms)),
        _ => None,
    })
}

fn push_row(slot: &mut Slot, at: u32, key: u32, values: &[(Column, u64)], row: &mut RowWriter) {
    let before = slot.rows.end();
    let mut same = before > key && slot.width as usize == values.len();
    if same {
        let mut cells = slot.cells.iter().filter(|cell| cell.seen.end() == before);
        same = values.iter().all(|(column, _)| cells.next().is_some_and(|cell| cell.column == *column));
    }
    row.shape(same, values);
    let mut place = 0;
    for &(column, value) in values {
        while slot.cells.get(place).is_some_and(|cell| cell.column < column) {
            place += 1;
        }
        if slot.cells.get(place).is_none_or(|cell| cell.column != column) {
            slot.cells.insert(place, Cell::new(column));
        }
        if let Some(cell) = slot.cells.get_mut(place) {
            let base = if cell.seen.end() > key { cell.last.last() } else { 0 };
            row.value(base, value);
            cell.seen.push(at);
            cell.last.push(value);
        }
        place += 1;
    }
    slot.width = values.len() as u32;
    slot.rows.push(at);
}
