//! Replay: ticks as they were recorded, to the byte.
//!
//! A block is held in memory at a time, its figures still as streams. Between blocks nothing is held of the file, so that
//! a replay of hours is in nobody's way; blocks that are merged meanwhile are found again by the numbers of their ticks.

use std::collections::VecDeque;

use model::{Column, Event, ProcessNo, Tick, TickRow};
use rusqlite::Connection;

use super::block::{CostsIn, Head, TimesIn};
use super::chunk::{Chunk, TOGETHER};
use super::frame::{Packer, Unpacker};
use super::question::{Tools, blob};
use super::reader::{HistoryReader, State};
use super::runs::Runs;
use super::stream::Cursor;
use super::tables::{HISTORY_SCHEMA, chunk_id};
use super::window::Window;
use crate::error::Error;

/// Ticks of a time, oldest first. Those of which only reduced ones are left are passed over.
pub struct Ticks<'a> {
    reader: &'a HistoryReader,
    window: Window,
    tools: Tools,
    /// The number of the next tick.
    next: u64,
    current: Option<Loaded>,
    failed: bool,
}

impl HistoryReader {
    /// Replays the ticks of a time.
    ///
    /// A process of which a chunk is damaged is not in the ticks of that chunk; [`damage`](Self::damage) names it.
    pub fn ticks(&self, window: Window) -> Result<Ticks<'_>, Error> {
        let tools = Tools::new(self)?;
        Ok(Ticks {
            reader: self,
            window,
            tools,
            next: 0,
            current: None,
            failed: self.schema < HISTORY_SCHEMA,
        })
    }
}

impl Ticks<'_> {
    /// Begins with the tick of this number.
    pub(super) fn begin_at(&mut self, number: u64) {
        self.next = number;
    }

    /// The number of the tick that was read last.
    pub(super) fn number(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// Reads the next tick into one that is kept; false when there is none.
    pub fn read(&mut self, tick: &mut Tick) -> Result<bool, Error> {
        while !self.failed {
            if self.current.is_none() && !self.load()? {
                break;
            }
            let Some(current) = &mut self.current else { break };
            if let Some(number) = current.read(self.next, tick) {
                self.next = number + 1;
                let at_unix_ms = current.epoch_ms.saturating_add_unsigned(tick.at_boot_ms);
                if self.window.contains(at_unix_ms) {
                    return Ok(true);
                }
            } else {
                self.next = self.next.max(current.head.end_tick());
                self.current = None;
            }
        }
        Ok(false)
    }

    fn load(&mut self) -> Result<bool, Error> {
        let Self { reader, window, tools, next, current, .. } = self;
        reader.within(|db, state| {
            loop {
                let found = state.blocks.iter().find(|head| {
                    let (first, last) = state.span(head);
                    head.step_ms == 0 && head.end_tick() > *next && window.meets(first, last)
                });
                let Some(head) = found else { break };
                *current = load(reader, db, state, head, tools);
                if current.is_some() {
                    return Ok(true);
                }
                reader.lose(format!("block {}, times", head.id));
                *next = head.end_tick();
            }
            let head = state.pending.head(u32::MAX);
            if head.ticks > 0 && head.end_tick() > *next {
                *current = load_pending(state, head, tools);
            }
            Ok(current.is_some())
        })
    }
}

impl Iterator for Ticks<'_> {
    type Item = Result<Tick, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut tick = Tick::default();
        match self.read(&mut tick) {
            Ok(true) => Some(Ok(tick)),
            Ok(false) => None,
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

/// A block in memory, and how far it is read.
struct Loaded {
    head: Head,
    epoch_ms: i64,
    /// Since boot and since 1970.
    times: Vec<(u64, i64)>,
    costs: Vec<(u64, u64)>,
    events: VecDeque<(u32, Event)>,
    lanes: Vec<Lane>,
    at: u32,
}

/// A process in it.
struct Lane {
    process: ProcessNo,
    content: Vec<u8>,
    rows: Walk,
    columns: Vec<(Column, Walk, Cursor)>,
}

/// Stretches of ticks, walked through in order.
struct Walk {
    runs: VecDeque<(u32, u32)>,
}

impl Walk {
    fn new(runs: &Runs) -> Self {
        Self { runs: runs.iter().collect() }
    }

    /// Is a tick in them? Asked for ascending ticks.
    fn has(&mut self, tick: u32) -> bool {
        while self.runs.front().is_some_and(|(_, end)| *end <= tick) {
            self.runs.pop_front();
        }
        self.runs.front().is_some_and(|(start, _)| *start <= tick)
    }
}

impl Lane {
    fn new(blob: &[u8], process: ProcessNo, head: &Head, tools: &mut Scratch<'_>) -> Option<Self> {
        let Scratch { unpacker, content, column_content } = tools;
        let chunk = Chunk::read(blob, process, head.id, head.ticks, unpacker, content)?;
        let mut kept = Vec::new();
        let mut columns = Vec::with_capacity(chunk.columns.len());
        for column in &chunk.columns {
            let values = chunk.values(column, unpacker, column_content)?;
            columns.push((column.column, Walk::new(&column.seen), Cursor::keep(&values, &mut kept)));
        }
        Some(Self { process, rows: Walk::new(&chunk.rows), columns, content: kept })
    }
}

/// Where a chunk is unpacked.
struct Scratch<'a> {
    unpacker: &'a mut Unpacker,
    content: &'a mut Vec<u8>,
    column_content: &'a mut Vec<u8>,
}

impl Loaded {
    /// The next tick whose number is at least `next`; its number.
    fn read(&mut self, next: u64, tick: &mut Tick) -> Option<u64> {
        loop {
            tick.clear();
            let at = self.at;
            let (at_boot_ms, at_unix_ms) = *self.times.get(at as usize)?;
            let (took_us, late_us) = self.costs.get(at as usize).copied().unwrap_or_default();
            (tick.at_boot_ms, tick.at_unix_ms, tick.took_us, tick.late_us) =
                (at_boot_ms, at_unix_ms, took_us, late_us);
            for lane in &mut self.lanes {
                if !lane.rows.has(at) {
                    continue;
                }
                let first = tick.values.len();
                for (column, seen, cursor) in &mut lane.columns {
                    if seen.has(at)
                        && let Some(value) = cursor.next(&lane.content)
                    {
                        tick.values.push((*column, value));
                    }
                }
                let values = (tick.values.len() - first) as u32;
                tick.rows.push(TickRow { process: lane.process, values });
            }
            while self.events.front().is_some_and(|(tick, _)| *tick <= at) {
                tick.events.extend(self.events.pop_front().map(|(_, event)| event));
            }
            self.at += 1;
            let number = self.head.first_tick + u64::from(at);
            if number >= next {
                return Some(number);
            }
        }
    }
}

/// `None` when not even its times can be read.
fn load(
    reader: &HistoryReader,
    db: &Connection,
    state: &State,
    head: &Head,
    tools: &mut Tools,
) -> Option<Loaded> {
    let id = i64::from(head.id);
    let frame = blob(db, "SELECT times FROM block WHERE id = ?", id, &mut tools.frame).ok()??;
    let mut found = TimesIn::read(tools.unpacker.unpack(frame)?, head.id)?;
    let processes = found.processes.clone();
    let times = (0..head.ticks).map(|_| found.next()).collect::<Option<_>>()?;
    let events = HistoryReader::block_events(db, head, tools).unwrap_or_else(|| {
        reader.lose(format!("block {id}, events"));
        Vec::new()
    });
    let costs = blob(db, "SELECT costs FROM block WHERE id = ?", id, &mut tools.frame)
        .ok()
        .flatten()
        .and_then(|frame| tools.unpacker.unpack(frame))
        .and_then(|content| CostsIn::read(content, head.id))
        .and_then(|mut costs| (0..head.ticks).map(|_| costs.next()).collect::<Option<_>>())
        .unwrap_or_else(|| {
            reader.lose(format!("block {id}, costs"));
            Vec::new()
        });
    let mut lanes = Vec::new();
    // A list of processes that lies may be long: no longer than what is there.
    for process in processes.ticks().take(head.processes as usize) {
        let select = "SELECT data FROM chunk WHERE id = ?";
        let Tools { frame, unpacker, content, column_content, .. } = &mut *tools;
        let lane = blob(db, select, chunk_id(head.id, process), frame).ok().flatten().and_then(|blob| {
            Lane::new(blob, ProcessNo(process), head, &mut Scratch { unpacker, content, column_content })
        });
        match lane {
            Some(lane) => lanes.push(lane),
            None => reader.lose(format!("block {id}, process {process}")),
        }
    }
    let epoch_ms = state.epoch_ms(head);
    Some(Loaded { head: head.clone(), epoch_ms, times, costs, events: events.into(), lanes, at: 0 })
}

fn load_pending(state: &State, head: Head, tools: &mut Tools) -> Option<Loaded> {
    let mut packer = Packer::quick().ok()?;
    let pending = &state.pending;
    let (mut times, mut costs) = (pending.times.read_back(), pending.costs.read_back());
    let lanes = pending
        .slots
        .iter()
        .map(|slot| {
            let Tools { frame, unpacker, content, column_content, .. } = &mut *tools;
            slot.pack(head.id, TOGETHER, &mut packer, content, frame).ok()?;
            Lane::new(frame, slot.process, &head, &mut Scratch { unpacker, content, column_content })
        })
        .collect::<Option<_>>()?;
    Some(Loaded {
        epoch_ms: state.epoch_ms(&head),
        times: (0..head.ticks).map(|_| times.next()).collect::<Option<_>>()?,
        costs: (0..head.ticks).map(|_| costs.next()).collect::<Option<_>>()?,
        events: pending.events.clone().into(),
        lanes,
        at: 0,
        head,
    })
}
