//! Makes one block of several: an hour's into a day's, or old ones into reduced ticks that keep the least, the greatest
//! and the last value of each stretch.
//!
//! A little at each tick: processes are copied one by one under the new block's number, which nobody knows yet; then one
//! transaction puts the new block in the place of the old ones. What a kill leaves of a copy belongs to no block, and
//! is swept up.

use std::collections::BTreeMap;

use model::{Column, Event, ProcessNo};
use rusqlite::{Connection, OptionalExtension, params};

use super::block::{Costs, CostsIn, Head, Times, TimesIn};
use super::chunk::{Chunk, LONG_STREAM, Slot};
use super::events;
use super::frame::{Packer, Unpacker};
use super::question::blob;
use super::reduce::{Bucket, Joined, count_threads};
use super::runs::Runs;
use super::tables::chunk_id;

/// From this fineness on the births and ends of threads are only counted.
const COUNT_THREADS_MS: u64 = 600_000;

/// One block being made of several.
pub(super) struct Job {
    sources: Vec<Source>,
    target: Head,
    times: Times,
    costs: Costs,
    events: Vec<(u32, Event)>,
    processes: Runs,
    /// The next process to copy.
    next: u32,
    tools: Tools,
}

struct Source {
    head: Head,
    /// The tick of the target that each of its ticks belongs to.
    ticks: Vec<u32>,
    processes: Runs,
}

struct Tools {
    unpacker: Unpacker,
    packer: Packer,
    frame: Vec<u8>,
    content: Vec<u8>,
    column: Vec<u8>,
}

/// Why a job cannot go on.
#[derive(Debug)]
pub(super) enum Trouble {
    Sqlite(rusqlite::Error),
    Io(std::io::Error),
    /// A blob of a source: nothing is made of it, so that what is damaged stays known as such.
    Damaged(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl Job {
    /// Begins to make a block of consecutive ones; `step_ms` 0 keeps their ticks.
    pub(super) fn begin(
        db: &Connection,
        heads: &[Head],
        step_ms: u64,
        id: u32,
    ) -> Result<Option<Self>, Trouble> {
        let (Some(first), Some(last)) = (heads.first(), heads.last()) else { return Ok(None) };
        let target = Head {
            id,
            first_tick: first.first_tick,
            recorded: last.end_tick() - first.first_tick,
            ticks: 0,
            step_ms,
            interval_ms: last.interval_ms,
            first_ms: first.first_ms,
            processes: 0,
            ..last.clone()
        };
        let tools = Tools {
            unpacker: Unpacker::new()?,
            packer: Packer::new()?,
            frame: Vec::new(),
            content: Vec::new(),
            column: Vec::new(),
        };
        let mut job = Self {
            sources: Vec::new(),
            target,
            times: Times::default(),
            costs: Costs::default(),
            events: Vec::new(),
            processes: Runs::default(),
            next: 0,
            tools,
        };
        let mut bucket = Bucket::default();
        for head in heads {
            job.add_source(db, head, &mut bucket)?;
        }
        bucket.end(&mut job.times, &mut job.costs);
        if step_ms >= COUNT_THREADS_MS {
            job.events = count_threads(std::mem::take(&mut job.events));
        }
        Ok(Some(job))
    }

    fn add_source(&mut self, db: &Connection, head: &Head, bucket: &mut Bucket) -> Result<(), Trouble> {
        let damaged = |part: &str| Trouble::Damaged(format!("block {}, {part}", head.id));
        let Tools { unpacker, frame, content, column, .. } = &mut self.tools;
        let id = i64::from(head.id);
        let mut unpack = |name: &str, into: &mut Vec<u8>| -> Result<(), Trouble> {
            let found = blob(db, &format!("SELECT {name} FROM block WHERE id = ?"), id, frame)?;
            found.and_then(|frame| unpacker.unpack_into(frame, into)).ok_or_else(|| damaged(name))
        };
        unpack("events", content)?;
        let events = events::read(content, head.id).ok_or_else(|| damaged("events"))?;
        unpack("times", content)?;
        unpack("costs", column)?;
        let mut times = TimesIn::read(content, head.id).ok_or_else(|| damaged("times"))?;
        let mut costs = CostsIn::read(column, head.id).ok_or_else(|| damaged("costs"))?;
        let mut ticks = Vec::with_capacity(head.ticks as usize);
        for _ in 0..head.ticks {
            let time = times.next().ok_or_else(|| damaged("times"))?;
            let cost = costs.next().ok_or_else(|| damaged("costs"))?;
            let key = time.0.checked_div(self.target.step_ms);
            if self.target.ticks == 0 || key.is_none() || key != bucket.key {
                bucket.end(&mut self.times, &mut self.costs);
                self.target.ticks += 1;
            }
            bucket.add(key, time, cost);
            ticks.push(self.target.ticks - 1);
        }
        let place = |tick: u32| ticks.get(tick as usize).or(ticks.last()).copied().unwrap_or_default();
        self.events.extend(events.into_iter().map(|(tick, event)| (place(tick), event)));
        let processes = times.processes.clone();
        self.sources.push(Source { head: head.clone(), ticks, processes });
        Ok(())
    }

    /// The blocks that it is made of.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Head> {
        self.sources.iter().map(|source| &source.head)
    }

    pub(super) fn target(&self) -> &Head {
        &self.target
    }

    /// Copies processes until about so many values were; true when all are.
    pub(super) fn step(&mut self, db: &Connection, samples: u64) -> Result<bool, Trouble> {
        let mut left = samples;
        loop {
            let next = self
                .sources
                .iter()
                .filter_map(|source| {
                    let mut runs = source.processes.iter();
                    runs.find_map(|(start, end)| (end > self.next).then(|| start.max(self.next)))
                })
                .min();
            let Some(process) = next else { return Ok(true) };
            let copied = self.copy(db, db, process)?;
            self.next = process + 1;
            left = left.saturating_sub(copied.max(1));
            if left == 0 {
                return Ok(false);
            }
        }
    }

    /// Gives it another place among ticks, and leaves out processes.
    pub(super) fn choose(
        &mut self,
        first_tick: u64,
        wants: &impl Fn(ProcessNo) -> bool,
        change: impl Fn(&Event) -> Event,
    ) {
        self.target.first_tick = first_tick;
        self.events.retain(|(_, event)| wants(event.process));
        for (_, event) in &mut self.events {
            *event = change(event);
        }
        for source in &mut self.sources {
            let mut left = Runs::default();
            for process in source.processes.ticks().filter(|process| wants(ProcessNo(*process))) {
                left.push(process);
            }
            source.processes = left;
        }
    }

    /// Copies all processes into another file.
    pub(super) fn copy_all(&mut self, from: &Connection, to: &Connection) -> Result<(), Trouble> {
        let all: Vec<u32> = self.sources.iter().flat_map(|source| source.processes.ticks()).collect();
        all.into_iter().try_for_each(|process| self.copy(from, to, process).map(|_| ()))
    }

    fn copy(&mut self, db: &Connection, to: &Connection, process: u32) -> Result<u64, Trouble> {
        let Self { sources, target, tools, processes, .. } = self;
        let Tools { unpacker, packer, frame, content, column: column_content } = tools;
        let mut slot = Slot { process: ProcessNo(process), ..Slot::default() };
        let mut joined: BTreeMap<Column, Joined> = BTreeMap::new();
        for source in sources.iter().filter(|source| source.processes.contains(process)) {
            let head = &source.head;
            let damaged = || Trouble::Damaged(format!("block {}, process {process}", head.id));
            let found = blob(db, "SELECT data FROM chunk WHERE id = ?", chunk_id(head.id, process), frame)?;
            let chunk = found
                .and_then(|blob| {
                    Chunk::read(blob, ProcessNo(process), head.id, head.ticks, unpacker, content)
                })
                .ok_or_else(damaged)?;
            let place = |tick: u32| source.ticks.get(tick as usize).copied().ok_or_else(damaged);
            for tick in chunk.rows.ticks() {
                slot.rows.push(place(tick)?);
            }
            for column in &chunk.columns {
                let joined = joined
                    .entry(column.column)
                    .or_insert_with(|| Joined::new(column.column, target.step_ms > 0));
                let mut last = chunk.values(column, unpacker, column_content).ok_or_else(damaged)?;
                let mut spread = column.spread.clone();
                for tick in column.seen.ticks() {
                    let value = last.next().ok_or_else(damaged)?;
                    let (under, over) = match &mut spread {
                        None => (0, 0),
                        Some((under, over)) => {
                            (under.next().ok_or_else(damaged)?, over.next().ok_or_else(damaged)?)
                        }
                    };
                    joined.add(place(tick)?, value, value.wrapping_sub(under), value.wrapping_add(over));
                }
            }
        }
        slot.cells = joined.into_values().map(Joined::end).collect();
        let samples = slot.samples();
        slot.pack(target.id, LONG_STREAM, packer, content, frame)?;
        to.prepare_cached("INSERT INTO chunk VALUES(?, ?)")?
            .execute(params![chunk_id(target.id, process), &*frame])?;
        processes.push(process);
        target.processes += 1;
        // What was read, not what is left of it.
        Ok(samples.saturating_mul(target.recorded) / u64::from(target.ticks.max(1)))
    }

    /// Puts the new block in the place of the old ones; to be done in the transaction of the last copy.
    pub(super) fn finish(&mut self, db: &Connection) -> Result<(), Trouble> {
        self.put(db)?;
        for source in &self.sources {
            db.prepare_cached("DELETE FROM block WHERE id = ?")?.execute([i64::from(source.head.id)])?;
        }
        Ok(())
    }

    /// Writes the new block.
    pub(super) fn put(&mut self, db: &Connection) -> Result<(), Trouble> {
        let Self { target, times, costs, events, processes, tools, .. } = self;
        let Tools { packer, content, .. } = tools;
        times.write(target.id, processes, content);
        let times = packer.pack(content)?.to_vec();
        costs.write(target.id, content);
        let costs = packer.pack(content)?.to_vec();
        events::write(target.id, events, content);
        let events = packer.pack(content)?;
        let id = i64::from(target.id);
        db.prepare_cached("INSERT INTO block VALUES(?, ?, ?, ?, ?)")?.execute(params![
            id,
            target.write(),
            times,
            costs,
            events
        ])?;
        Ok(())
    }
}

/// The block of the first chunk at or after a block's.
pub(super) fn next_with_chunks(db: &Connection, block: u32) -> rusqlite::Result<Option<u32>> {
    db.prepare_cached("SELECT id FROM chunk WHERE id >= ? ORDER BY id LIMIT 1")?
        .query_row([chunk_id(block, 0)], |row| row.get::<_, i64>(0))
        .optional()
        .map(|id| id.map(|id| (id >> 32) as u32))
}
