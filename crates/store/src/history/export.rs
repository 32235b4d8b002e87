//! Makes a case file of a part of what was recorded: a time, and some processes with their deep looks.
//!
//! Ticks as they were recorded are replayed and cut to the time; blocks of reduced ticks are copied whole.

use std::collections::BTreeSet;
use std::path::Path;

use model::{Look, ProcessKey, ProcessNo, Tick};
use rusqlite::{Connection, params};

use super::block::Head;
use super::compact::{Job, Trouble};
use super::frame::Packer;
use super::incarnation::count_incarnations;
use super::journal::RowWriter;
use super::looked::Looked;
use super::pending::Pending;
use super::reader::HistoryReader;
use super::redact;
use super::replay::Ticks;
use super::tables::HISTORY_SCHEMA;
use super::window::Window;
use super::writer::{BLOCK_MS, Buffers, put_block};
use crate::blob;
use crate::error::{Error, ErrorKind};
use crate::schema::About;
use crate::temporary::Temporary;
use crate::writer::{Saved, open_new, write_look};

/// What is exported.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Of which time.
    pub window: Window,
    /// Which processes, beside the host itself; `None` is all.
    pub processes: Option<&'a [ProcessNo]>,
    /// Leave out what says more of the host's owner than of the leak; what that is stands in the file.
    pub redact: bool,
}

/// Writes a case file of mode 0600 that every view opens: whole under its name, or not there at all.
pub fn export(
    reader: &HistoryReader,
    selection: Selection<'_>,
    path: &Path,
    about: &About,
) -> Result<Saved, Error> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(Error::new(ErrorKind::Exists, path));
    }
    let io = |error| Error::io(error, path);
    let temporary = Temporary::create(path).map_err(io)?;
    let mut about = about.clone();
    if selection.redact {
        about.command = redact::about(&about.command);
    }
    let db = open_new(&temporary.path, &about, HISTORY_SCHEMA).map_err(|error| Error::sqlite(error, path))?;
    let mut exporter = Exporter {
        reader,
        selection,
        path,
        db,
        next_block: 0,
        next_tick: 0,
        packer: Packer::new().map_err(io)?,
        row: RowWriter::new().map_err(io)?,
        buffers: Buffers::default(),
    };
    reader.as_of_now(|| exporter.write())?;
    let db = exporter.db;
    db.execute_batch("COMMIT")
        .and_then(|()| db.close().map_err(|(_, error)| error))
        .map_err(|error| Error::sqlite(error, path))?;
    let bytes = temporary.publish(path, false).map_err(io)?;
    Ok(Saved { path: path.to_owned(), bytes })
}

struct Exporter<'a> {
    reader: &'a HistoryReader,
    selection: Selection<'a>,
    path: &'a Path,
    db: Connection,
    next_block: u32,
    next_tick: u64,
    packer: Packer,
    row: RowWriter,
    buffers: Buffers,
}

impl Exporter<'_> {
    fn write(&mut self) -> Result<(), Error> {
        let (wanted, keys) = self.write_processes()?;
        let wants = |process: ProcessNo| {
            process == ProcessNo::HOST || wanted.as_ref().is_none_or(|wanted| wanted.contains(&process))
        };
        let heads: Vec<Head> = {
            let state = self.reader.state.borrow();
            let meets = |head: &Head| {
                let (first, last) = state.span(head);
                self.selection.window.meets(first, last)
            };
            state.heads().filter(meets).collect()
        };
        for head in heads {
            if head.step_ms == 0 {
                self.copy_ticks(&head, &wants)?;
            } else if let Err(trouble) = self.copy_reduced(&head, &wants) {
                match trouble {
                    // It is damaged here as well as there.
                    Trouble::Damaged(place) => self.reader.lose(place),
                    Trouble::Sqlite(error) => return Err(Error::sqlite(error, self.path)),
                    Trouble::Io(error) => return Err(Error::io(error, self.path)),
                }
            }
        }
        count_incarnations(&self.db).map_err(|error| Error::sqlite(error, self.path))?;
        self.write_looks(keys.as_ref())?;
        let mut entries = vec![("ticks", self.next_tick.to_string())];
        if self.selection.redact {
            entries.push(("redacted", redact::REDACTED.to_owned()));
        }
        for (key, value) in entries {
            self.sql("INSERT OR REPLACE INTO meta VALUES(?, ?)", params![key, value])?;
        }
        Ok(())
    }

    fn sql(&self, statement: &str, values: impl rusqlite::Params) -> Result<(), Error> {
        self.db
            .prepare_cached(statement)
            .and_then(|mut statement| statement.execute(values))
            .map(|_| ())
            .map_err(|error| Error::sqlite(error, self.path))
    }

    /// Writes who is in it; their numbers and what tells them in a look.
    #[allow(clippy::type_complexity)]
    fn write_processes(
        &mut self,
    ) -> Result<(Option<BTreeSet<ProcessNo>>, Option<BTreeSet<ProcessKey>>), Error> {
        let wanted: Option<BTreeSet<ProcessNo>> =
            self.selection.processes.map(|processes| processes.iter().copied().collect());
        let mut keys = BTreeSet::new();
        for found in self.reader.incarnations(Window::ALL)? {
            let mut known = found.known;
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&known.process)) {
                continue;
            }
            keys.insert(known.incarnation.key);
            let meets = self.selection.window.meets(found.first_unix_ms, found.last_unix_ms);
            if wanted.is_none() && !meets {
                continue;
            }
            if self.selection.redact {
                known.incarnation = redact::incarnation(&known.incarnation);
            }
            let content = known.write();
            let data = self.packer.pack(&content).map_err(|error| Error::io(error, self.path))?.to_vec();
            self.sql("INSERT INTO incarnation VALUES(?, ?)", params![i64::from(known.process.0), data])?;
        }
        let keys = wanted.is_some().then_some(keys);
        Ok((wanted, keys))
    }

    fn copy_ticks(&mut self, head: &Head, wants: &impl Fn(ProcessNo) -> bool) -> Result<(), Error> {
        let mut ticks: Ticks<'_> = self.reader.ticks(self.selection.window)?;
        ticks.begin_at(head.first_tick);
        let begin = |first_tick| Pending {
            boot: head.boot,
            interval_ms: head.interval_ms,
            first_tick,
            ..Pending::default()
        };
        let mut pending = begin(self.next_tick);
        let (mut tick, mut cut) = (Tick::default(), Tick::default());
        while ticks.read(&mut tick)? && ticks.number() < head.end_tick() {
            self.select(&tick, wants, &mut cut);
            if pending.is_full() || (pending.ticks > 0 && tick.at_boot_ms - pending.first_ms >= 24 * BLOCK_MS)
            {
                self.put(&mut pending)?;
                pending = begin(self.next_tick);
            }
            pending.push(&cut, &mut self.row);
            // What a recorder's start in the middle would say: a block has one boot, which it begins with.
            (pending.boot, pending.interval_ms) = (head.boot, head.interval_ms);
        }
        self.put(&mut pending)
    }

    fn put(&mut self, pending: &mut Pending) -> Result<(), Error> {
        if pending.ticks == 0 {
            return Ok(());
        }
        put_block(&self.db, &mut self.packer, pending, self.next_block, &mut self.buffers, self.path)?;
        self.next_block += 1;
        self.next_tick += u64::from(pending.ticks);
        Ok(())
    }

    /// The chosen part of a tick.
    fn select(&self, tick: &Tick, wants: &impl Fn(ProcessNo) -> bool, cut: &mut Tick) {
        cut.clear();
        (cut.at_unix_ms, cut.at_boot_ms, cut.took_us, cut.late_us) =
            (tick.at_unix_ms, tick.at_boot_ms, tick.took_us, tick.late_us);
        for (row, (process, values)) in tick.rows.iter().zip(tick.by_process()) {
            if wants(process) {
                cut.rows.push(*row);
                cut.values.extend_from_slice(values);
            }
        }
        let events = tick.events.iter().filter(|event| wants(event.process));
        if self.selection.redact {
            cut.events.extend(events.map(redact::event));
        } else {
            cut.events.extend(events.cloned());
        }
    }

    fn copy_reduced(&mut self, head: &Head, wants: &impl Fn(ProcessNo) -> bool) -> Result<(), Trouble> {
        let from = &self.reader.looks.db;
        let Some(mut job) = Job::begin(from, std::slice::from_ref(head), head.step_ms, self.next_block)?
        else {
            return Ok(());
        };
        let redact = self.selection.redact;
        job.choose(self.next_tick, wants, |event| if redact { redact::event(event) } else { event.clone() });
        job.copy_all(from, &self.db)?;
        job.put(&self.db)?;
        self.next_block += 1;
        self.next_tick += head.recorded;
        Ok(())
    }

    fn write_looks(&mut self, keys: Option<&BTreeSet<ProcessKey>>) -> Result<(), Error> {
        let mut packer = blob::Packer::new().map_err(|error| Error::io(error, self.path))?;
        let mut count = 0_u64;
        for at in self.reader.looks(self.selection.window)? {
            let Ok(stored) = self.reader.look(at.id) else {
                self.reader.lose(format!("look {}", at.id));
                continue;
            };
            stored.lost.iter().filter_map(Error::place).for_each(|place| self.reader.lose(place));
            let mut look: Look = stored.look;
            if let Some(keys) = keys {
                look.processes.retain(|process| keys.contains(&process.key));
                if look.processes.is_empty() {
                    continue;
                }
            }
            if self.selection.redact {
                let Some(redacted) = redact::look(&look) else { continue };
                look = redacted;
            }
            write_look(&self.db, &mut packer, count, &look, self.path)?;
            let looked = Looked {
                id: count,
                boot: look.host.boot,
                at_unix_ms: at.at_unix_ms,
                processes: look.processes.len() as u64,
                ..Looked::default()
            };
            self.sql("INSERT INTO looked VALUES(?, ?)", params![count as i64, looked.write()])?;
            count += 1;
        }
        self.sql("INSERT OR REPLACE INTO meta VALUES('looks', ?)", [count.to_string()])
    }
}
