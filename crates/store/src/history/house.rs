//! Keeps house, a little at each tick: merges and reduces blocks, drops what is too old or too much, gives pages back.
//!
//! What goes wrong here is no tick's failure: it is noted, and tried again after the next flush.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use super::block::Head;
use super::compact::{Job, Trouble, next_with_chunks};
use super::frame::Unpacker;
use super::incarnation::Known;
use super::incarnation::count_incarnations;
use super::looked::Looked;
use super::retention::{Task, next_task};
use super::tables::chunk_id;
use super::writer::HistoryWriter;
use crate::error::{Error, ErrorKind};
use crate::schema::process_id;

/// Values that are copied in one tick, at some 20 ns each.
const SAMPLES: u64 = 1 << 19;
/// Rows that are deleted or looked at in one tick.
const ROWS: u32 = 512;
/// Pages that are given back in one tick.
const PAGES: u32 = 64;

/// What is being done.
#[derive(Default)]
pub(super) struct House {
    /// In the order of their ticks.
    pub(super) blocks: Vec<Head>,
    pub(super) job: Option<Job>,
    /// Where to look for chunks of no block.
    garbage: Option<u32>,
    /// Where to look for processes of which nothing is left.
    sweep: Option<u32>,
    /// Blocks that cannot be read, and are left as they are.
    stuck: BTreeSet<u32>,
    /// There is nothing to do before the next flush.
    idle: bool,
}

impl House {
    /// Of a store that was just opened.
    pub(super) fn new(blocks: Vec<Head>) -> Self {
        Self { blocks, garbage: Some(0), ..Self::default() }
    }

    /// With what another one could not read.
    pub(super) fn stuck_as(self, other: Self) -> Self {
        Self { stuck: other.stuck, ..self }
    }

    pub(super) fn flushed(&mut self, head: Head) {
        self.blocks.push(head);
        self.idle = false;
    }
}

impl HistoryWriter {
    /// Does a little of what is to be done.
    pub(super) fn keep_house(&mut self) {
        if self.house.idle {
            return;
        }
        let done = self.db.execute_batch("BEGIN IMMEDIATE").map_err(Trouble::from).and_then(|()| {
            self.do_a_little()?;
            self.db.execute_batch("COMMIT").map_err(Trouble::from)
        });
        let Err(trouble) = done else { return };
        let _ = self.db.execute_batch("ROLLBACK");
        // What was copied of a job lies there without a block, and what was counted on may not be so.
        if let Some(job) = self.house.job.take()
            && matches!(trouble, Trouble::Damaged(_))
        {
            self.house.stuck.extend(job.sources().map(|head| head.id));
        }
        if self.read_blocks().is_err() {
            self.house.blocks.clear();
        }
        self.house.garbage = Some(0);
        self.house.idle = !matches!(trouble, Trouble::Damaged(_));
        let error = match trouble {
            Trouble::Sqlite(error) => Error::sqlite(error, &self.path),
            Trouble::Io(error) => Error::io(error, &self.path),
            Trouble::Damaged(place) => Error::new(ErrorKind::Damaged, &self.path).at(place),
        };
        self.note(error.of_store());
    }

    fn do_a_little(&mut self) -> Result<(), Trouble> {
        if let Some(mut job) = self.house.job.take() {
            let step = job.step(&self.db, SAMPLES);
            let done = match step {
                Ok(done) => done,
                Err(trouble) => {
                    self.house.job = Some(job);
                    return Err(trouble);
                }
            };
            if !done {
                self.house.job = Some(job);
                return Ok(());
            }
            job.finish(&self.db)?;
            let sources: BTreeSet<u32> = job.sources().map(|head| head.id).collect();
            let blocks = &mut self.house.blocks;
            blocks.retain(|head| !sources.contains(&head.id));
            let place = blocks.partition_point(|head| head.first_tick < job.target().first_tick);
            blocks.insert(place, job.target().clone());
            self.house.garbage = Some(0);
            return Ok(());
        }
        if let Some(from) = self.house.garbage {
            self.house.garbage = self.delete_chunks(from)?;
            return Ok(());
        }
        if let Some(from) = self.house.sweep {
            self.house.sweep = self.sweep(from)?;
            return Ok(());
        }
        let [pages, free, size] =
            ["page_count", "freelist_count", "page_size"].map(|name| pragma(&self.db, name));
        let (pages, free, size) = (pages?, free?, size?);
        let too_large = (pages - free.min(pages)).saturating_mul(size) > self.retention.bytes;
        if free > 0 && (pages.saturating_mul(size) > self.retention.bytes || free > 256.max(pages / 4)) {
            let mut vacuum = self.db.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
            if !too_large {
                return Ok(());
            }
        }
        if self.drop_look(too_large)? {
            return Ok(());
        }
        let House { blocks, stuck, .. } = &self.house;
        match next_task(&self.retention, blocks, self.pending.age_ms, too_large, stuck) {
            Some(Task::Drop) => {
                let head = self.house.blocks.remove(0);
                self.db.prepare_cached("DELETE FROM block WHERE id = ?")?.execute([i64::from(head.id)])?;
                (self.house.garbage, self.house.sweep) = (Some(0), Some(0));
            }
            Some(Task::Join(first, end, step_ms)) => {
                let heads = blocks.get(first..end).unwrap_or_default().to_vec();
                let id = self.next_block;
                match Job::begin(&self.db, &heads, step_ms, id) {
                    Ok(job) => {
                        self.next_block += 1;
                        self.house.job = job;
                    }
                    Err(trouble) => {
                        if matches!(trouble, Trouble::Damaged(_)) {
                            self.house.stuck.extend(heads.iter().map(|head| head.id));
                        }
                        return Err(trouble);
                    }
                }
            }
            None => self.house.idle = true,
        }
        Ok(())
    }

    /// Deletes some chunks that belong to no block; where to go on.
    fn delete_chunks(&self, from: u32) -> Result<Option<u32>, Trouble> {
        let mut at = from;
        for _ in 0..ROWS {
            let Some(block) = next_with_chunks(&self.db, at)? else { return Ok(None) };
            // Also one whose head is damaged: what it has may be of use to somebody.
            let is_there = self
                .db
                .prepare_cached("SELECT 1 FROM block WHERE id = ?")?
                .query_row([i64::from(block)], |_| Ok(()))
                .optional()?;
            if is_there.is_some() {
                at = block + 1;
                continue;
            }
            let deleted = self
                .db
                .prepare_cached(
                    "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)",
                )?
                .execute((chunk_id(block, 0), chunk_id(block + 1, 0), ROWS))?;
            return Ok(Some(if deleted < ROWS as usize { block + 1 } else { block }));
        }
        Ok(Some(at))
    }

    /// Deletes rows of processes that ended before the first block; where to go on.
    fn sweep(&self, from: u32) -> Result<Option<u32>, Trouble> {
        let mut unpacker = Unpacker::new()?;
        let mut gone = Vec::new();
        let mut last = None;
        {
            let mut select = self
                .db
                .prepare_cached("SELECT id, data FROM incarnation WHERE id >= ? ORDER BY id LIMIT ?")?;
            let mut rows = select.query((i64::from(from), ROWS))?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                last = Some(id as u32);
                let data = row.get_ref(1)?.as_blob().unwrap_or_default();
                let known = unpacker.unpack(data).and_then(|content| Known::read(content, id));
                // One that cannot be read stays, so that it is named.
                let Some(known) = known else { continue };
                let boot = known.incarnation.key.boot;
                let first = self.house.blocks.iter().find(|head| head.boot == boot);
                let is_gone = match (first, known.ended_boot_ms) {
                    (None, _) => boot != self.pending.boot,
                    (Some(first), Some(ended)) => {
                        ended < first.first_ms && self.house.blocks.first() == Some(first)
                    }
                    (Some(_), None) => false,
                };
                if is_gone {
                    gone.push(id);
                }
            }
        }
        let mut delete = self.db.prepare_cached("DELETE FROM incarnation WHERE id = ?")?;
        for id in &gone {
            delete.execute([id])?;
        }
        if !gone.is_empty() {
            count_incarnations(&self.db)?;
        }
        Ok(last.and_then(|last| last.checked_add(1)))
    }

    /// Drops the oldest deep look when it is too old, or when the file is too large and it is older than its first block.
    fn drop_look(&self, too_large: bool) -> Result<bool, Trouble> {
        let oldest = self
            .db
            .prepare_cached("SELECT id, data FROM looked ORDER BY id LIMIT 1")?
            .query_row([], |row| {
                let id = row.get::<_, i64>(0)?;
                Ok((id, Looked::read(row.get_ref(1)?.as_blob().unwrap_or_default(), id as u64)))
            })
            .optional()?;
        let Some((id, looked)) = oldest else { return Ok(false) };
        let looked_ms = looked.map_or(0, |looked| looked.age_ms);
        let age_ms = self.pending.age_ms.saturating_sub(looked_ms);
        let too_old = u128::from(age_ms) > self.retention.age.as_millis();
        let first = self.house.blocks.first().map_or(u64::MAX, |head| head.age_ms);
        if !(too_old || too_large && looked_ms < first) {
            return Ok(false);
        }
        let (from, until) = (process_id(id as u64, 0), process_id(id as u64 + 1, 0));
        self.db.execute("DELETE FROM part WHERE id >= ? AND id < ?", (from, until))?;
        self.db.execute("DELETE FROM process WHERE id >= ? AND id < ?", (from, until))?;
        self.db.execute("DELETE FROM look WHERE id = ?", [id])?;
        self.db.execute("DELETE FROM looked WHERE id = ?", [id])?;
        Ok(true)
    }
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<u64> {
    db.prepare_cached(&format!("PRAGMA {name}"))?
        .query_row([], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
}
