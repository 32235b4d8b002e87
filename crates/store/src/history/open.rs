//! Opens a store to write to it: makes the file, and takes up where the last recorder ended.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::block::Head;
use super::frame::{Packer, Unpacker};
use super::house::House;
use super::incarnation::{Known, apply};
use super::journal::{RowWriter, replay};
use super::lock::Lock;
use super::pending::Pending;
use super::retention::Retention;
use super::tables::{HISTORY_SCHEMA, STORE_ID, tables};
use super::writer::{Buffers, HistoryWriter};
use crate::About;
use crate::database::check_tables;
use crate::error::{Error, ErrorKind};
use crate::reader::open_header;
use crate::writer::uri;

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
