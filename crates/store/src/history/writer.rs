//! Writes a store: each tick is in the file when `tick` returns, whatever ends the recorder then.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Event, EventKind, Look, ProcessNo, Tick};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::block::Head;
use super::chunk::TOGETHER;
use super::events;
use super::frame::{Packer, Unpacker};
use super::house::House;
use super::incarnation::Known;
use super::journal::{self, Row, RowWriter};
use super::lock::Lock;
use super::looked::Looked;
use super::pending::{Pending, contradiction};
use super::retention::Retention;
use super::tables::{HISTORY_SCHEMA, STORE_ID, chunk_id, tables};
use crate::About;
use crate::blob;
use crate::database::check_tables;
use crate::error::{Error, ErrorKind};
use crate::reader::open_header;
use crate::writer::{uri, write_look};

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
    known: BTreeMap<ProcessNo, Known>,
    next_process: u32,
    looks: Option<blob::Packer>,
    buffers: Buffers,
    damage: Vec<Error>,
    pub(super) house: House,
    /// Last: released when the database is closed.
    _lock: Lock,
}

impl HistoryWriter {
    /// Opens a store, or makes one of mode 0600. What an earlier recorder could not flush is flushed now.
    ///
    /// Refuses a store that another recorder has open, one of a later schema, and anything that is no store.
    pub fn open(path: &Path, about: &About, retention: Retention) -> Result<Self, Error> {
        let lock = Lock::take(path)?;
        let is_new = prepare(path)?;
        let db = connect(path, is_new, about).map_err(|error| Error::sqlite(error, path).of_store())?;
        check_tables(&db, path, HISTORY_SCHEMA).map_err(Error::of_store)?;
        db.execute_batch("PRAGMA journal_mode=WAL").map_err(|error| Error::sqlite(error, path).of_store())?;
        let io = |error| Error::io(error, path).of_store();
        let mut writer = Self {
            path: path.to_owned(),
            db,
            retention,
            pending: Pending::default(),
            row: RowWriter::new().map_err(io)?,
            packer: Packer::new().map_err(io)?,
            next_block: 0,
            known: BTreeMap::new(),
            next_process: 1,
            looks: None,
            buffers: Buffers::default(),
            damage: Vec::new(),
            house: House::default(),
            _lock: lock,
        };
        writer.go_on()?;
        Ok(writer)
    }

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

    /// Reads the list of blocks.
    pub(super) fn read_blocks(&mut self) -> rusqlite::Result<()> {
        let mut blocks = Vec::new();
        {
            let mut select = self.db.prepare("SELECT id, head FROM block ORDER BY id")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                blocks.extend(row.get_ref(1)?.as_blob().ok().and_then(|head| Head::read(head, id)));
            }
        }
        blocks.sort_by_key(|head| head.first_tick);
        let stuck = std::mem::take(&mut self.house);
        self.house = House::new(blocks).stuck_as(stuck);
        Ok(())
    }

    /// Takes up where the last recorder ended.
    fn go_on(&mut self) -> Result<(), Error> {
        let path = self.path.clone();
        let failed = |error| Error::sqlite(error, &path).of_store();
        let mut unpacker = Unpacker::new().map_err(|error| Error::io(error, &path).of_store())?;
        self.read_blocks().map_err(failed)?;
        let highest = self.house.blocks.iter().map(|head| head.id + 1).max().unwrap_or(0);
        self.next_block = self
            .db
            .query_row(
                "SELECT coalesce(max((SELECT max(id) FROM block), (SELECT max(id) >> 32 FROM chunk)) + 1, 0)",
                [],
                |row| row.get(0),
            )
            .map(|next: u32| next.max(highest))
            .map_err(failed)?;
        let heads = &self.house.blocks;
        if let Some(last) = heads.iter().max_by_key(|head| head.end_tick()) {
            self.pending = Pending {
                boot: last.boot,
                interval_ms: last.interval_ms,
                first_tick: last.end_tick(),
                last_ms: last.last_ms,
                last_unix_ms: last.epoch_ms.saturating_add_unsigned(last.last_ms),
                age_ms: last.age_ms,
                ..Pending::default()
            };
        }
        let mut known = BTreeMap::new();
        let mut next_process = 1;
        {
            let mut select =
                self.db.prepare("SELECT id, data FROM incarnation ORDER BY id").map_err(failed)?;
            let mut rows = select.query([]).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                let id: i64 = row.get(0).map_err(failed)?;
                next_process = next_process.max(id as u32 + 1);
                let data = row.get_ref(1).map_err(failed)?.as_blob().unwrap_or_default();
                let Some(found) = unpacker.unpack(data).and_then(|content| Known::read(content, id)) else {
                    let lost = Error::new(ErrorKind::Damaged, &self.path).of_store();
                    self.damage.push(lost.at(format!("process {id} of the store")));
                    continue;
                };
                if found.ended_boot_ms.is_none() {
                    known.insert(found.process, found);
                }
            }
        }
        (self.known, self.next_process) = (known, next_process);
        let lost = replay(&self.db, &mut unpacker, &mut self.pending, &mut self.row, None, |tick| {
            for event in &tick.events {
                apply(&mut self.known, event);
            }
            let highest = tick.rows.last().map_or(0, |row| row.process.0);
            self.next_process = self.next_process.max(highest.saturating_add(1));
        })
        .map_err(failed)?;
        if lost > 0 {
            let error = Error::new(ErrorKind::Damaged, &self.path).of_store();
            self.note(error.at(format!("{lost} ticks of the last hour")));
        }
        self.flush()
    }
}

fn is_of_incarnation(what: &EventKind) -> bool {
    matches!(what, EventKind::ProcessSeen(_) | EventKind::ProcessRenamed(_) | EventKind::ProcessEnded)
}

/// What an event says of a process that is known.
pub(super) fn apply(known: &mut BTreeMap<ProcessNo, Known>, event: &Event) {
    match &event.what {
        EventKind::ProcessSeen(incarnation) => {
            let known = known.entry(event.process).or_insert_with(|| Known {
                process: event.process,
                seen_boot_ms: event.at_boot_ms,
                ..Known::default()
            });
            known.incarnation = (**incarnation).clone();
        }
        EventKind::ProcessRenamed(incarnation) => {
            if let Some(known) = known.get_mut(&event.process) {
                known.incarnation = (**incarnation).clone();
            }
        }
        EventKind::ProcessEnded => {
            if let Some(known) = known.get_mut(&event.process) {
                known.ended_boot_ms = Some(event.at_boot_ms);
            }
        }
        _ => {}
    }
}

/// Adds the rows of the journal from `from` on to what is pending; how many were lost.
pub(super) fn replay(
    db: &Connection,
    unpacker: &mut Unpacker,
    pending: &mut Pending,
    row: &mut RowWriter,
    from: Option<u64>,
    mut seen: impl FnMut(&Tick),
) -> rusqlite::Result<u64> {
    let mut expected = from.unwrap_or(pending.first_tick);
    let mut adjacent = true;
    let mut lost = 0;
    let mut tick = Tick::default();
    let mut select = db.prepare_cached("SELECT id, data FROM journal WHERE id >= ? ORDER BY id")?;
    let mut rows = select.query([expected as i64])?;
    while let Some(found) = rows.next()? {
        let id = found.get::<_, i64>(0)? as u64;
        if id > expected {
            lost += id - expected;
            adjacent = false;
        }
        expected = id + 1;
        let data = found.get_ref(1)?.as_blob().unwrap_or_default();
        let read = unpacker
            .unpack(data)
            .map_or(Row::Malformed, |content| journal::read(content, id, pending, adjacent, &mut tick));
        match read {
            Row::Tick { is_key } if contradiction(&tick).is_none() && !pending.is_another(&tick) => {
                if pending.ticks == 0 {
                    pending.first_tick = id;
                }
                pending.push_as(&tick, row, is_key);
                adjacent = true;
                seen(&tick);
            }
            _ => {
                adjacent = false;
                lost += 1;
            }
        }
    }
    Ok(lost)
}

/// Notes how many processes have a row, so that one that is lost without a trace is missed.
pub(super) fn count_incarnations(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO meta VALUES('processes', (SELECT CAST(count(*) AS TEXT) FROM incarnation))",
        [],
    )?;
    Ok(())
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

/// Makes the file with its mode when it is not there; is it new?
fn prepare(path: &Path) -> Result<bool, Error> {
    let failed = |error| Error::io(error, path).of_store();
    match fs::metadata(path) {
        Ok(meta) if !meta.is_file() => Err(Error::new(ErrorKind::NotAStore, path).of_store()),
        Ok(meta) if meta.len() == 0 => Ok(true),
        Ok(_) => {
            let (header, _) = open_header(path).map_err(|error| match error.kind() {
                ErrorKind::NotACase => Error::new(ErrorKind::NotAStore, path).of_store(),
                _ => error.of_store(),
            })?;
            if !header.is_store {
                return Err(Error::new(ErrorKind::NotAStore, path).of_store().at("it is a case file"));
            }
            Ok(false)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
            Ok(true)
        }
        Err(error) => Err(failed(error)),
    }
}

fn connect(path: &Path, is_new: bool, about: &About) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(uri(path, "mode=rw"), flags)?;
    db.busy_timeout(Duration::from_secs(2))?;
    if is_new {
        // In one transaction with a journal of its own, before there is a log: whole or not there.
        db.execute_batch("PRAGMA page_size=16384; PRAGMA auto_vacuum=INCREMENTAL; BEGIN EXCLUSIVE")?;
        db.pragma_update(None, "application_id", STORE_ID)?;
        db.pragma_update(None, "user_version", HISTORY_SCHEMA)?;
        for (_, statement) in tables(HISTORY_SCHEMA) {
            db.execute_batch(statement)?;
        }
        for (key, value) in about.entries() {
            db.execute("INSERT INTO meta VALUES(?, ?)", (key, value.as_str()))?;
        }
        db.execute_batch("COMMIT")?;
    }
    db.execute_batch(
        "PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4096; \
         PRAGMA wal_autocheckpoint=128; PRAGMA journal_size_limit=2097152; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF",
    )?;
    // A store without a row of its own is as good: whatever it says is for people.
    db.query_row("SELECT 1 FROM meta LIMIT 1", [], |_| Ok(())).optional()?;
    Ok(db)
}
