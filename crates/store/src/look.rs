//! Reads one look of a case file, within its budget and past what is damaged.

use std::path::Path;

use model::{Look, ProcessReading, Reading, Text};

use crate::blob::{BlobError, Unpacker};
use crate::database::scan;
use crate::error::{Error, ErrorKind};
use crate::reader::Looks;
use crate::record::{StoredCore, StoredHead};
use crate::schema::{Budget, Kind, MAX_PROCESSES, process_id};
use crate::space::StoredSpace;
use crate::threads::StoredThreads;

/// A look, as far as it could be read.
#[derive(Debug)]
pub struct StoredLook {
    /// The look. A part that was lost is `Malformed`; a process whose core was lost is not in it.
    pub look: Look,
    /// What was lost, a line each; empty for a sound file.
    pub lost: Vec<Error>,
}

// `octet_length` looks at a row's header only: what is too long is never fetched. (A name is a comm of 15 bytes.)
const DIRECTORY: &str = "SELECT id, pid, CASE WHEN octet_length(name) <= 64 THEN name END FROM process";
const HEAD: &str =
    "SELECT octet_length(data), CASE WHEN octet_length(data) <= ?2 THEN data END FROM look WHERE id = ?1";
const PART: &str =
    "SELECT octet_length(data), CASE WHEN octet_length(data) <= ?2 THEN data END FROM part WHERE id = ?1";

/// Whether the bulky parts of processes are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    Read,
    Skip,
}

/// Why a blob was lost.
enum Cause {
    Sqlite(rusqlite::Error),
    Blob(BlobError),
}

impl From<BlobError> for Cause {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
    }
}

impl Cause {
    fn into_error(self, path: &Path) -> Error {
        match self {
            Self::Sqlite(rusqlite::Error::QueryReturnedNoRows) => {
                Error::new(ErrorKind::Damaged, path).because("its row is missing")
            }
            Self::Sqlite(error) => Error::sqlite(error, path),
            Self::Blob(error @ BlobError::TooBig(_)) => Error::new(ErrorKind::TooBig, path).because(error),
            Self::Blob(error) => Error::new(ErrorKind::Damaged, path).because(error),
        }
    }
}

/// Reads one look within its budget.
pub(crate) struct LookReader<'a> {
    case: &'a Looks,
    budget: Budget,
    /// Compressed bytes that may still come. All blobs of a file together are smaller than it, unless its pages
    /// are strung together to be read again and again.
    bytes: u64,
}

impl<'a> LookReader<'a> {
    pub(crate) fn new(case: &'a Looks) -> Self {
        Self { case, budget: Budget::of_one_look(), bytes: case.bytes }
    }

    pub(crate) fn read(self, index: usize, bulk: Bulk) -> Result<StoredLook, Error> {
        let place = format!("look {index}");
        let Some(id) = self.case.ids.get(index).copied() else {
            return Err(Error::new(ErrorKind::NotFound, &self.case.path).at(place));
        };
        self.read_id(id, &place, bulk)
    }

    /// The look of a key.
    pub(crate) fn read_id(mut self, id: u64, place: &str, bulk: Bulk) -> Result<StoredLook, Error> {
        let path = &self.case.path;
        let head: StoredHead = self
            .blob(HEAD, id as i64, |unpacker, blob, budget| unpacker.unpack(blob, Kind::Head, budget))
            .map_err(|cause| cause.into_error(path).at(place))?;

        let mut lost = Vec::new();
        let ids = process_id(id, 0)..=process_id(id, MAX_PROCESSES);
        let rows = scan(&self.case.db, DIRECTORY, ids, MAX_PROCESSES, |row| {
            let name = row.get_ref(2).ok().and_then(|name| name.as_bytes().ok()).unwrap_or_default();
            (row.get::<_, i64>(1).unwrap_or_default(), Text::from_bytes(name))
        });
        if rows.rows.len() as u64 != head.processes {
            let error = match rows.error {
                Some(error) => Error::sqlite(error, path),
                None => Error::new(ErrorKind::Damaged, path),
            };
            lost.push(error.at(format!(
                "{place}: {} of {} processes found",
                rows.rows.len(),
                head.processes
            )));
        }
        let mut processes = Vec::with_capacity(rows.rows.len());
        for (id, (pid, name)) in rows.rows {
            let mut lose = |kind: Kind, cause: Cause| {
                let place = format!("{place}, process {pid} ({name}), {}", kind.name());
                lost.push(cause.into_error(path).at(place));
            };
            match self.process(id, bulk, &mut lose) {
                Ok(process) => processes.push(process),
                Err(cause) => lose(Kind::Core, cause),
            }
        }
        Ok(StoredLook { look: head.into_look(processes), lost })
    }

    fn process(
        &mut self,
        id: i64,
        bulk: Bulk,
        lose: &mut impl FnMut(Kind, Cause),
    ) -> Result<ProcessReading, Cause> {
        let core: StoredCore = self.part(id, Kind::Core, Unpacker::unpack)?;
        let mut process = core.process;
        let gone = || "lost from the case file".to_owned();
        if core.threads && bulk == Bulk::Read {
            process.threads = match self.threads(id) {
                Ok(threads) => Reading::Value(threads),
                Err(cause) => {
                    lose(Kind::Threads, cause);
                    Reading::Malformed(gone())
                }
            };
        }
        if core.space && bulk == Bulk::Read {
            process.space = match self.space(id) {
                Ok(space) => Reading::Value(space),
                Err(cause) => {
                    lose(Kind::Space, cause);
                    Reading::Malformed(gone())
                }
            };
        }
        if core.inside && bulk == Bulk::Read {
            process.inside = match self.part(id, Kind::Inside, Unpacker::unpack) {
                Ok(inside) => Reading::Value(inside),
                Err(cause) => {
                    lose(Kind::Inside, cause);
                    Reading::Malformed(gone())
                }
            };
        }
        Ok(process)
    }

    fn threads(&mut self, id: i64) -> Result<Vec<model::Thread>, Cause> {
        let stored: StoredThreads = self.part(id, Kind::Threads, Unpacker::unpack_columns)?;
        self.take_rows(stored.rows())?;
        Ok(stored.into_threads()?)
    }

    fn space(&mut self, id: i64) -> Result<model::AddressSpace, Cause> {
        let stored: StoredSpace = self.part(id, Kind::Space, Unpacker::unpack_columns)?;
        self.take_rows(stored.rows())?;
        Ok(stored.into_space()?)
    }

    fn take_rows(&mut self, rows: usize) -> Result<(), Cause> {
        if self.budget.take_rows(rows) { Ok(()) } else { Err(BlobError::TooBig("rows").into()) }
    }

    fn part<T>(
        &mut self,
        process: i64,
        kind: Kind,
        unpack: impl FnOnce(&mut Unpacker, &[u8], Kind, &mut Budget) -> Result<T, BlobError>,
    ) -> Result<T, Cause> {
        self.blob(PART, kind.part_id(process), |unpacker, blob, budget| unpack(unpacker, blob, kind, budget))
    }

    fn blob<T>(
        &mut self,
        select: &str,
        id: i64,
        unpack: impl FnOnce(&mut Unpacker, &[u8], &mut Budget) -> Result<T, BlobError>,
    ) -> Result<T, Cause> {
        let mut select = self.case.db.prepare_cached(select).map_err(Cause::Sqlite)?;
        let mut rows = select.query((id, self.bytes as i64)).map_err(Cause::Sqlite)?;
        let row = rows.next().map_err(Cause::Sqlite)?;
        let row = row.ok_or(Cause::Sqlite(rusqlite::Error::QueryReturnedNoRows))?;
        let length = row.get::<_, i64>(0).map_err(Cause::Sqlite)?.cast_unsigned();
        self.bytes = self.bytes.checked_sub(length).ok_or(BlobError::TooBig("compressed data"))?;
        let blob = row.get_ref(1).map_err(Cause::Sqlite)?.as_bytes().unwrap_or_default();
        unpack(&mut self.case.unpacker.borrow_mut(), blob, &mut self.budget).map_err(Cause::Blob)
    }
}
