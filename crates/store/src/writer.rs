//! Writes a case file: whole under its name, or not there at all.
//!
//! The database grows under a temporary name in the same directory and gets its own name when it is finished
//! and on the disk. So nobody ever opens half a case, whatever ends the writer, and SQLite needs no journal.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use model::{Look, ProcessReading, Reading};
use rusqlite::{Connection, OpenFlags, params};

use crate::blob::{BlobError, Packer};
use crate::error::{Error, ErrorKind};
use crate::history::tables;
use crate::record::{Core, Head};
use crate::schema::{
    APPLICATION_ID, About, Budget, Kind, MAX_LOOKS, MAX_PROCESSES, MAX_ROWS, SCHEMA, process_id,
};
use crate::space::SpaceTable;
use crate::temporary::Temporary;
use crate::threads::ThreadTable;

/// A case file that is being written. Dropped before [`finish`](Self::finish), it leaves nothing behind.
pub struct CaseWriter {
    path: PathBuf,
    replace: bool,
    /// `None` once a write failed: without a journal there is no way back to a sound database.
    db: Option<Connection>,
    temporary: Temporary,
    packer: Packer,
    looks: u64,
}

/// A case file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

impl CaseWriter {
    /// Begins a case file of mode 0600; refuses when there is a file of that name already, now or when it is
    /// finished.
    pub fn create(path: &Path, about: &About) -> Result<Self, Error> {
        Self::begin(path, about, false)
    }

    /// Begins a case file of mode 0600 that will take the place of one of the same name. Anything but a regular
    /// file is not replaced.
    pub fn create_or_replace(path: &Path, about: &About) -> Result<Self, Error> {
        Self::begin(path, about, true)
    }

    fn begin(path: &Path, about: &About, replace: bool) -> Result<Self, Error> {
        match fs::symlink_metadata(path) {
            Ok(found) if !replace || !found.is_file() => return Err(Error::new(ErrorKind::Exists, path)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io(error, path)),
            _ => {}
        }
        let temporary = Temporary::create(path).map_err(|error| Error::io(error, path))?;
        let packer = Packer::new().map_err(|error| Error::io(error, path))?;
        let db = open_new(&temporary.path, about, SCHEMA).map_err(|error| Error::sqlite(error, path))?;
        Ok(Self { path: path.to_owned(), replace, db: Some(db), temporary, packer, looks: 0 })
    }

    /// Adds a look. After an error the file is given up: further looks and `finish` fail too.
    pub fn add(&mut self, look: &Look) -> Result<(), Error> {
        let Some(db) = self.db.take() else {
            return Err(Error::new(ErrorKind::Io, &self.path).at("an earlier look could not be written"));
        };
        let id = self.looks;
        write_look(&db, &mut self.packer, id, look, &self.path)?;
        self.db = Some(db);
        self.looks += 1;
        Ok(())
    }

    /// Writes what is left, waits until it is on the disk, and gives the file its name.
    pub fn finish(mut self) -> Result<Saved, Error> {
        let Some(db) = self.db.take() else {
            return Err(Error::new(ErrorKind::Io, &self.path).at("an earlier look could not be written"));
        };
        // How many looks there are, so that one that is lost without a trace is missed.
        db.execute("INSERT INTO meta VALUES('looks', ?)", [self.looks.to_string()])
            .and_then(|_| db.execute_batch("COMMIT"))
            .and_then(|()| db.close().map_err(|(_, error)| error))
            .map_err(|error| Error::sqlite(error, &self.path))?;
        let bytes =
            self.temporary.publish(&self.path, self.replace).map_err(|error| Error::io(error, &self.path))?;
        Ok(Saved { path: self.path.clone(), bytes })
    }
}

pub(crate) fn open_new(path: &Path, about: &About, schema: u32) -> rusqlite::Result<Connection> {
    // Nobody else knows this file: no locks. Created by us just now: no links.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(uri(path, "nolock=1"), flags)?;
    // No journal and no syncing in between: see the module's head. 256 KiB of pages, as the blobs come in order.
    db.execute_batch(
        "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; \
         PRAGMA cache_size=-256; BEGIN EXCLUSIVE;",
    )?;
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    db.pragma_update(None, "user_version", schema)?;
    for (_, statement) in tables(schema) {
        db.execute_batch(statement)?;
    }
    for (key, value) in about.entries() {
        db.execute("INSERT INTO meta VALUES(?, ?)", (key, value.as_str()))?;
    }
    Ok(db)
}

/// The URI of a file for SQLite, with one option.
pub(crate) fn uri(path: &Path, option: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri + "?" + option
}

/// Writes one look into the tables of schema 1.
pub(crate) fn write_look(
    db: &Connection,
    packer: &mut Packer,
    id: u64,
    look: &Look,
    path: &Path,
) -> Result<(), Error> {
    LookWriter { db, packer, budget: Budget::of_one_look(), id }.write(look).map_err(
        |Failure { error, place }| {
            match error {
                FailureKind::Sqlite(error) => Error::sqlite(error, path),
                FailureKind::Blob(error) => Error::new(ErrorKind::TooBig, path).because(error),
            }
            .at(place)
        },
    )
}

struct Failure {
    error: FailureKind,
    place: String,
}

enum FailureKind {
    Sqlite(rusqlite::Error),
    Blob(BlobError),
}

impl From<rusqlite::Error> for FailureKind {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<BlobError> for FailureKind {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
    }
}

/// Writes one look.
struct LookWriter<'a> {
    db: &'a Connection,
    packer: &'a mut Packer,
    budget: Budget,
    id: u64,
}

impl LookWriter<'_> {
    fn write(&mut self, look: &Look) -> Result<(), Failure> {
        self.head(look).map_err(|error| Failure { error, place: format!("look {}", self.id) })?;
        for (position, process) in look.processes.iter().enumerate() {
            self.process(position, process).map_err(|error| Failure {
                error,
                place: format!("look {}, process {} ({})", self.id, process.key.pid, process.stat.name),
            })?;
        }
        Ok(())
    }

    fn head(&mut self, look: &Look) -> Result<(), FailureKind> {
        if self.id >= MAX_LOOKS || look.processes.len() > MAX_PROCESSES {
            return Err(BlobError::TooBig("looks or processes").into());
        }
        let data = self.packer.pack(&Head::of(look), Kind::Head, &mut self.budget)?;
        let mut insert = self.db.prepare_cached("INSERT INTO look VALUES(?, ?, ?, ?, ?, ?, ?)")?;
        insert.execute(params![
            self.id as i64,
            look.at_unix_s,
            look.at_boot_s,
            look.took_s,
            look.late_s,
            look.processes.len() as i64,
            data
        ])?;
        Ok(())
    }

    fn process(&mut self, position: usize, process: &ProcessReading) -> Result<(), FailureKind> {
        let id = process_id(self.id, position);
        self.part(id, Kind::Core, &Core::of(process))?;
        if let Reading::Value(threads) = &process.threads {
            self.rows(threads.len())?;
            self.part(id, Kind::Threads, &ThreadTable(threads))?;
        }
        if let Reading::Value(space) = &process.space {
            for list in [
                space.mappings.len(),
                space.names.len(),
                space.guards.len(),
                space.stretches.len(),
                space.named_deleted.len(),
                space.touched.value().map_or(0, Vec::len),
                space.details.value().map_or(0, Vec::len),
            ] {
                self.rows(list)?;
            }
            self.part(id, Kind::Space, &SpaceTable(space))?;
        }
        if let Reading::Value(inside) = &process.inside {
            self.part(id, Kind::Inside, inside)?;
        }
        let (key, name) = (process.key, process.stat.name.as_str());
        let mut insert = self.db.prepare_cached("INSERT INTO process VALUES(?, ?, ?, ?, ?)")?;
        insert.execute(params![id, self.id as i64, key.pid.0, key.start.0 as i64, name])?;
        Ok(())
    }

    fn rows(&mut self, rows: usize) -> Result<(), BlobError> {
        if rows > MAX_ROWS || !self.budget.take_rows(rows) {
            return Err(BlobError::TooBig("rows"));
        }
        Ok(())
    }

    fn part(
        &mut self,
        process: i64,
        kind: Kind,
        document: &impl serde::Serialize,
    ) -> Result<(), FailureKind> {
        let data = self.packer.pack(document, kind, &mut self.budget)?;
        let mut insert = self.db.prepare_cached("INSERT INTO part VALUES(?, ?, ?, ?)")?;
        insert.execute(params![kind.part_id(process), process, kind.name(), data])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flatfoot");
        let mut writer = CaseWriter::create(&path, &About::default()).unwrap();
        writer.db.as_ref().unwrap().pragma_update(None, "max_page_count", 6).unwrap();
        let look = Look { processes: vec![ProcessReading::default(); 50], ..Look::default() };
        let error = writer.add(&look).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
        assert!(error.hint().unwrap().contains("-o"));
        assert!(writer.add(&look).is_err());
        assert!(writer.finish().is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_path_cannot_add_options() {
        assert_eq!(uri(Path::new("/a b?mode=rwc#%2e"), "x=1"), "file:/a%20b%3Fmode%3Drwc%23%252e?x=1");
    }
}
