//! Writes a store, which `open` opened: each tick is in the file when `tick` returns, whatever ends the recorder then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::{Look, ProcessNo, Tick};
use rusqlite::{Connection, params};

use super::chunk::TOGETHER;
use super::events;
use super::frame::Packer;
use super::house::House;
use super::incarnation::{Known, apply, count_incarnations, is_of_incarnation};
use super::journal::RowWriter;
use super::lock::Lock;
use super::looked::Looked;
use super::pending::{Pending, contradiction};
use super::retention::Retention;
use super::tables::chunk_id;
use crate::blob;
use crate::error::{Error, ErrorKind};
use crate::writer::write_look;

/// An hour.
pub(super) const BLOCK_MS: u64 = 3_600_000;
/// Most that waits in memory: a busy host's hour is flushed in parts.
const BLOCK_BYTES: usize = 12 << 20;

/// The one recorder of a store. Dropped without [`close`](Self::close), it leaves what a kill would: all of it readable.
pub struct HistoryWriter {
    pub(super) path: PathBuf,
    pub(super) db: Connection,
    pub(super) retention: Retention,
    pub(super) pending: Pending,
    pub(super) row: RowWriter,
    pub(super) packer: Packer,
    pub(super) next_block: u32,
    /// Processes that are not known to have ended.
    pub(super) known: BTreeMap<ProcessNo, Known>,
    pub(super) next_process: u32,
    pub(super) looks: Option<blob::Packer>,
    pub(super) buffers: Buffers,
    pub(super) damage: Vec<Error>,
    pub(super) house: House,
    /// Last: released when the database is closed.
    pub(super) _lock: Lock,
}

impl HistoryWriter {
    /// Processes of which no end is known, with the numbers that they keep: those a recorder finds alive go on under them.
    pub fn known(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// The number for the next process that is seen for the first time.
    #[must_use]
    pub fn next_process(&self) -> ProcessNo {
        ProcessNo(self.next_process)
    }

    /// What was found damaged when the store was opened, and what went wrong in keeping house since.
    #[must_use]
    pub fn damage(&self) -> &[Error] {
        &self.damage
    }

    /// Stores a tick: when this returns, it outlives this process.
    ///
    /// After an error the tick is not safe, and recording may go on: it is kept in memory, and becomes safe with the next
    /// flush that succeeds. A tick that contradicts itself is not taken.
    pub fn tick(&mut self, tick: &Tick) -> Result<(), Error> {
        if let Some(why) = contradiction(tick) {
            return Err(Error::new(ErrorKind::Invalid, &self.path).of_store().because(why).at("a tick"));
        }
        if self.pending.is_another(tick) || self.pending.is_full() {
            self.flush()?;
        }
        self.pending.push(tick, &mut self.row);
        let number = self.pending.first_tick + u64::from(self.pending.ticks) - 1;
        let stored = self.journal(number);
        if stored.is_err() {
            self.pending.key_next = true;
        }
        self.note_processes(tick);
        stored?;
        let hour = self.pending.last_ms - self.pending.first_ms >= BLOCK_MS;
        let full = self.pending.ticks.is_multiple_of(16) && self.pending.bytes() > BLOCK_BYTES;
        if hour || full {
            // The tick is safe in the journal. What cannot be flushed now is tried again with the next.
            if let Err(error) = self.flush() {
                self.note(error);
            }
        }
        self.keep_house();
        Ok(())
    }

    /// Stores a deep look beside the ticks.
    pub fn look(&mut self, look: &Look) -> Result<(), Error> {
        if self.looks.is_none() {
            self.looks = Some(blob::Packer::new().map_err(|error| Error::io(error, &self.path).of_store())?);
        }
        let Some(packer) = &mut self.looks else { return Ok(()) };
        let failed = |error| Error::sqlite(error, &self.path).of_store();
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let id =
            self.db.query_row("SELECT coalesce(max(id) + 1, 0) FROM look", [], |row| row.get::<_, i64>(0));
        let written = id.map_err(failed).and_then(|id| {
            write_look(&self.db, packer, id as u64, look, &self.path).map_err(Error::of_store)?;
            let looked = Looked {
                id: id as u64,
                age_ms: self.pending.age_ms,
                boot: self.pending.boot,
                at_unix_ms: (look.at_unix_s * 1e3).round() as i64,
                processes: look.processes.len() as u64,
            };
            let sealed = looked.write();
            self.db.execute("INSERT INTO looked VALUES(?, ?)", params![id, sealed]).map_err(failed)?;
            self.db.execute_batch("COMMIT").map_err(failed)
        });
        if written.is_err() {
            // SQLite may have done so by itself.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        written
    }

    /// Makes a block of what is pending, before its hour is over.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.pending.ticks == 0 {
            return Ok(());
        }
        let failed = |error| Error::sqlite(error, &self.path).of_store();
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let flushed = self
            .write_block()
            .and_then(|()| self.db.execute_batch("COMMIT").map_err(|error| Error::sqlite(error, &self.path)));
        if let Err(error) = flushed {
            let _ = self.db.execute_batch("ROLLBACK");
            return Err(error.of_store());
        }
        self.house.flushed(self.pending.head(self.next_block));
        self.next_block += 1;
        self.pending = Pending::after(&self.pending);
        self.known.retain(|_, known| known.ended_boot_ms.is_none());
        Ok(())
    }

    /// Flushes and closes: what is left is one file.
    pub fn close(mut self) -> Result<(), Error> {
        self.flush()?;
        // Refused while somebody reads; then the log stays beside it, and is as good.
        let _ = self.db.execute_batch("PRAGMA journal_mode=DELETE");
        Ok(())
    }

    fn journal(&mut self, number: u64) -> Result<(), Error> {
        let row = self.row.packed().map_err(|error| Error::io(error, &self.path).of_store())?;
        self.db
            .prepare_cached("INSERT OR REPLACE INTO journal VALUES(?, ?)")
            .and_then(|mut insert| insert.execute(params![number as i64, row]))
            .map_err(|error| Error::sqlite(error, &self.path).of_store().at("a tick"))?;
        Ok(())
    }

    fn note_processes(&mut self, tick: &Tick) {
        let highest = tick.rows.last().map_or(0, |row| row.process.0);
        self.next_process = self.next_process.max(highest.saturating_add(1));
        for event in &tick.events {
            apply(&mut self.known, event);
            self.next_process = self.next_process.max(event.process.0.saturating_add(1));
        }
    }

    /// Keeps the last troubles.
    pub(super) fn note(&mut self, error: Error) {
        if self.damage.len() >= 64 {
            self.damage.remove(0);
        }
        self.damage.push(error);
    }

    fn write_block(&mut self) -> Result<(), Error> {
        let Self { db, pending, packer, buffers, path, known, next_block, .. } = self;
        let sqlite = |error| Error::sqlite(error, path);
        let io = |error| Error::io(error, path);
        put_block(db, packer, pending, *next_block, buffers, path)?;
        let mut insert =
            db.prepare_cached("INSERT OR REPLACE INTO incarnation VALUES(?, ?)").map_err(sqlite)?;
        let mut changed: Vec<ProcessNo> = pending
            .events
            .iter()
            .filter(|(_, event)| is_of_incarnation(&event.what))
            .map(|(_, event)| event.process)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        for known in changed.iter().filter_map(|process| known.get(process)) {
            let data = packer.pack(&known.write()).map_err(io)?;
            insert.execute(params![i64::from(known.process.0), data]).map_err(sqlite)?;
        }
        count_incarnations(db).map_err(sqlite)?;
        db.execute("DELETE FROM journal", []).map_err(sqlite)?;
        let next = pending.first_tick + u64::from(pending.ticks);
        db.execute("INSERT OR REPLACE INTO meta VALUES('ticks', ?)", [next.to_string()]).map_err(sqlite)?;
        Ok(())
    }
}

/// Writes what is pending as a block with its chunks.
pub(super) fn put_block(
    db: &Connection,
    packer: &mut Packer,
    pending: &Pending,
    block: u32,
    buffers: &mut Buffers,
    path: &Path,
) -> Result<(), Error> {
    let Buffers { content, blob } = buffers;
    let sqlite = |error| Error::sqlite(error, path);
    let io = |error| Error::io(error, path);
    let head = pending.head(block).write();
    pending.times.write(block, &pending.processes(), content);
    let times = packer.pack(content).map_err(io)?.to_vec();
    pending.costs.write(block, content);
    let costs = packer.pack(content).map_err(io)?.to_vec();
    events::write(block, &pending.events, content);
    let happened = packer.pack(content).map_err(io)?;
    db.prepare_cached("INSERT INTO block VALUES(?, ?, ?, ?, ?)")
        .and_then(|mut insert| insert.execute(params![i64::from(block), head, times, costs, happened]))
        .map_err(sqlite)?;
    let mut insert = db.prepare_cached("INSERT INTO chunk VALUES(?, ?)").map_err(sqlite)?;
    for slot in &pending.slots {
        slot.pack(block, TOGETHER, packer, content, blob).map_err(io)?;
        insert.execute(params![chunk_id(block, slot.process.0), &*blob]).map_err(sqlite)?;
    }
    Ok(())
}

/// Where blobs are put together.
#[derive(Default)]
pub(super) struct Buffers {
    content: Vec<u8>,
    blob: Vec<u8>,
}
