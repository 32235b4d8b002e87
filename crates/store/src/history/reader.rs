//! Reads a store beside its writer, or a case file with history.
//!
//! Any number of readers may have it open. What was flushed is read from the blocks, what was not from the journal.
//! Damage costs the chunk that it hit: the rest is given, and [`damage`](HistoryReader::damage) says what is not.

use std::cell::RefCell;
use std::path::Path;

use model::{BootId, Text};
use rusqlite::Connection;

use super::block::Head;
use super::boots::{Boot, boots};
use super::frame::Unpacker;
use super::journal::{RowWriter, replay};
use super::looked::Looked;
use super::pending::Pending;
use super::series::{Covered, LookAt};
use super::tables::{HISTORY_SCHEMA, MAX_BLOCKS};
use super::window::Window;
use crate::database::{check_tables, connect_beside, scan};
use crate::error::{Error, ErrorKind};
use crate::look::{Bulk, LookReader, StoredLook};
use crate::reader::{Looks, open_case, open_header};
use crate::schema::{About, MAX_LOOKS};

/// Is this a recorder's store, of whatever schema? Looks at the first bytes only; false when it cannot be read.
#[must_use]
pub fn looks_like_store(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file())
        && open_header(path).is_ok_and(|(header, _)| header.is_store)
}

/// An open store or case file.
pub struct HistoryReader {
    pub(super) looks: Looks,
    pub(super) schema: u32,
    is_store: bool,
    pub(super) state: RefCell<State>,
    pub(super) damage: RefCell<Vec<Error>>,
}

/// What is known of the file, as of the last call.
#[derive(Default)]
pub(super) struct State {
    /// SQLite's count of others' commits.
    version: Option<i64>,
    /// In the order of their ticks.
    pub(super) blocks: Vec<Head>,
    /// What is in the journal.
    pub(super) pending: Pending,
    /// The number of the next row of the journal.
    next_row: u64,
    /// In the order in which they were.
    pub(super) boots: Vec<Boot>,
    tools: Option<(Unpacker, RowWriter)>,
}

impl HistoryReader {
    /// Opens a store, or a case file of any schema; one of schema 1 has looks and no history.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (header, bytes) = open_header(path)?;
        let mut damage = Vec::new();
        let (looks, schema) = if header.is_store {
            let db = connect_beside(path)?;
            check_tables(&db, path, HISTORY_SCHEMA).map_err(Error::of_store)?;
            (Looks::new(path, db, bytes.max(1 << 30))?, HISTORY_SCHEMA)
        } else {
            let (looks, schema, lost) = open_case(path)?;
            damage.extend(lost.map(|lost| Error::new(ErrorKind::Damaged, path).at(lost)));
            (looks, schema)
        };
        let reader = Self {
            looks,
            schema,
            is_store: header.is_store,
            state: RefCell::new(State::default()),
            damage: RefCell::new(damage),
        };
        reader.within(|_, _| Ok(()))?;
        Ok(reader)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.looks.path
    }

    /// Is it a recorder's store, and not a case file?
    #[must_use]
    pub const fn is_store(&self) -> bool {
        self.is_store
    }

    /// What the file says about itself; empty fields where that was lost.
    #[must_use]
    pub fn about(&self) -> About {
        self.looks.about().0
    }

    /// What was left out of a case file when it was exported, as one line; `None` when nothing was.
    #[must_use]
    pub fn redacted(&self) -> Option<Text> {
        self.looks.meta("redacted").ok().flatten()
    }

    /// What was found damaged so far, each once.
    #[must_use]
    pub fn damage(&self) -> Vec<String> {
        self.damage.borrow().iter().map(ToString::to_string).collect()
    }

    /// Which times were recorded, oldest first; neighbours of one boot and fineness are one.
    pub fn coverage(&self) -> Result<Vec<Covered>, Error> {
        self.within(|_, state| {
            let mut covered: Vec<Covered> = Vec::new();
            for head in state.heads() {
                let (first_unix_ms, last_unix_ms) = state.span(&head);
                match covered.last_mut() {
                    Some(last)
                        if last.boot == head.boot
                            && last.step_ms == head.step_ms
                            && first_unix_ms.saturating_sub(last.last_unix_ms)
                                <= head.pace_ms().saturating_mul(3).min(1 << 40) as i64 =>
                    {
                        last.last_unix_ms = last_unix_ms;
                        last.ticks += head.recorded;
                    }
                    _ => covered.push(Covered {
                        boot: head.boot,
                        first_unix_ms,
                        last_unix_ms,
                        ticks: head.recorded,
                        step_ms: head.step_ms,
                    }),
                }
            }
            Ok(covered)
        })
    }

    /// The deep looks of a time, oldest first.
    pub fn looks(&self, window: Window) -> Result<Vec<LookAt>, Error> {
        self.within(|db, _| {
            let ids = 0..=(MAX_LOOKS as i64);
            // Schema 1 says when a look was in columns that have no checksum; later ones have a row for it.
            let is_old = self.schema < HISTORY_SCHEMA;
            let select = if is_old {
                "SELECT id, at_unix_s, processes FROM look"
            } else {
                "SELECT id, data FROM looked"
            };
            let found = scan(db, select, ids, MAX_LOOKS as usize, |row| {
                let id = row.get::<_, i64>(0).ok()?.cast_unsigned();
                if is_old {
                    let at_unix_ms = (row.get::<_, f64>(1).ok()? * 1e3).round() as i64;
                    return Some(LookAt {
                        id,
                        at_unix_ms,
                        processes: row.get::<_, i64>(2).ok()?.cast_unsigned(),
                    });
                }
                let looked = Looked::read(row.get_ref(1).ok()?.as_blob().ok()?, id)?;
                Some(LookAt { id, at_unix_ms: looked.at_unix_ms, processes: looked.processes })
            });
            if let Some(error) = found.error {
                self.lose(format!("the list of looks: {error}"));
            }
            let mut looks = Vec::new();
            for (id, look) in found.rows {
                match look {
                    Some(look) if window.contains(look.at_unix_ms) => looks.push(look),
                    Some(_) => {}
                    None => self.lose(format!("look {id}, its time")),
                }
            }
            Ok(looks)
        })
    }

    /// One deep look, by its id.
    pub fn look(&self, id: u64) -> Result<StoredLook, Error> {
        LookReader::new(&self.looks).read_id(id, &format!("look {id}"), Bulk::Read)
    }

    /// Runs one question on one state of the file, however long it takes and whatever is written meanwhile.
    pub(super) fn within<T>(
        &self,
        ask: impl FnOnce(&Connection, &mut State) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let db = &self.looks.db;
        let failed = |error| self.failed(error);
        if !db.is_autocommit() {
            return ask(db, &mut self.state.borrow_mut());
        }
        db.execute_batch("BEGIN").map_err(failed)?;
        let answer = self.refresh(db).and_then(|()| ask(db, &mut self.state.borrow_mut()));
        let _ = db.execute_batch("COMMIT");
        answer
    }

    /// Runs many questions on one state of the file.
    pub(super) fn as_of_now<T>(&self, ask: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let db = &self.looks.db;
        db.execute_batch("BEGIN").map_err(|error| self.failed(error))?;
        let answer = self.refresh(db).and_then(|()| ask());
        let _ = db.execute_batch("COMMIT");
        answer
    }

    pub(super) fn failed(&self, error: rusqlite::Error) -> Error {
        let error = Error::sqlite(error, &self.looks.path);
        if self.is_store { error.of_store() } else { error }
    }

    /// Remembers what is damaged.
    pub(super) fn lose(&self, place: impl Into<String>) {
        let error = Error::new(ErrorKind::Damaged, &self.looks.path).at(place);
        let mut damage = self.damage.borrow_mut();
        if damage.len() < 1_000 && !damage.iter().any(|known| known.place() == error.place()) {
            damage.push(if self.is_store { error.of_store() } else { error });
        }
    }

    fn refresh(&self, db: &Connection) -> Result<(), Error> {
        if self.schema < HISTORY_SCHEMA {
            return Ok(());
        }
        let failed = |error| self.failed(error);
        // The transaction begins with the first page that is read; the count is of that state.
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
        let version: i64 = db.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(failed)?;
        let mut state = self.state.borrow_mut();
        if state.version == Some(version) {
            return Ok(());
        }
        self.read_blocks(db, &mut state);
        self.read_journal(db, &mut state)?;
        state.boots = boots(state.heads());
        state.version = Some(version);
        Ok(())
    }

    fn read_blocks(&self, db: &Connection, state: &mut State) {
        let read = |row: &rusqlite::Row<'_>| {
            let id: i64 = row.get(0).unwrap_or(-1);
            row.get_ref(1).ok().and_then(|head| head.as_blob().ok().and_then(|head| Head::read(head, id)))
        };
        let found = scan(db, "SELECT id, head FROM block", 0..=i64::from(u32::MAX), MAX_BLOCKS, read);
        if let Some(error) = found.error {
            self.lose(format!("the list of blocks: {error}"));
        }
        let mut blocks = Vec::with_capacity(found.rows.len());
        for (id, head) in found.rows {
            match head {
                Some(head) => blocks.push(head),
                None => self.lose(format!("block {id}")),
            }
        }
        blocks.sort_by_key(|head| head.first_tick);
        // Where two tell of the same ticks, one of them is a lie: the coarser one is dropped.
        let mut sound: Vec<Head> = Vec::with_capacity(blocks.len());
        for head in blocks {
            if let Some(before) = sound.last() {
                if before.end_tick() > head.first_tick {
                    self.lose(format!("block {}: its ticks are those of another", head.id));
                    continue;
                }
                if before.end_tick() < head.first_tick {
                    let missing = head.first_tick - before.end_tick();
                    self.lose(format!("{missing} ticks from tick {} on", before.end_tick()));
                }
            }
            sound.push(head);
        }
        let end = sound.last().map_or(0, Head::end_tick);
        let written = self.looks.meta("ticks").ok().flatten();
        if let Some(written) = written.and_then(|written| written.as_str().parse::<u64>().ok())
            && written > end
        {
            self.lose(format!("{} ticks from tick {end} on", written - end));
        }
        state.blocks = sound;
    }

    fn read_journal(&self, db: &Connection, state: &mut State) -> Result<(), Error> {
        let io = |error| Error::io(error, &self.looks.path);
        if state.tools.is_none() {
            state.tools = Some((Unpacker::new().map_err(io)?, RowWriter::new().map_err(io)?));
        }
        let end = state.blocks.last().map_or(0, Head::end_tick);
        if state.pending.first_tick != end || state.next_row < end {
            let last = state.blocks.last();
            state.pending = Pending {
                first_tick: end,
                boot: last.map_or_else(BootId::default, |last| last.boot),
                interval_ms: last.map_or(0, |last| last.interval_ms),
                ..Pending::default()
            };
            state.next_row = end;
        }
        let Some((unpacker, row)) = &mut state.tools else { return Ok(()) };
        let mut next = state.next_row;
        let replayed = replay(db, unpacker, &mut state.pending, row, Some(next), |_| next += 1);
        match replayed {
            Ok(0) => state.next_row = next,
            Ok(lost) => {
                state.next_row = next + lost;
                self.lose(format!("{lost} ticks of the last hour"));
            }
            Err(error) => self.lose(format!("the journal: {error}")),
        }
        Ok(())
    }
}

impl State {
    /// All blocks, that which is pending at the end.
    pub(super) fn heads(&self) -> impl Iterator<Item = Head> + '_ {
        let pending = (self.pending.ticks > 0).then(|| self.pending.head(u32::MAX));
        self.blocks.iter().cloned().chain(pending)
    }

    /// What to add to milliseconds since boot in the block at this place.
    pub(super) fn epoch_ms(&self, head: &Head) -> i64 {
        self.boots
            .iter()
            .rev()
            .find(|boot| boot.id == head.boot && boot.first_tick <= head.first_tick)
            .map_or(head.epoch_ms, |boot| boot.epoch_ms)
    }

    /// From when to when a block tells.
    pub(super) fn span(&self, head: &Head) -> (i64, i64) {
        let epoch = self.epoch_ms(head);
        (epoch.saturating_add_unsigned(head.first_ms), epoch.saturating_add_unsigned(head.last_ms))
    }
}
