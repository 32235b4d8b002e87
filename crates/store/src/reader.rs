//! Reads case files, which anybody may have written or cut short.
//!
//! A case file is opened immutable: no lock, no side file, nothing of what lies beside it is believed, and a
//! read-only file system will do. Nothing in it is executed: its tables must be the schema's own, to the letter.
//! Damage costs what it hit: the rest is returned together with what was lost.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use model::Text;
use rusqlite::{Connection, OptionalExtension};

use crate::blob::Unpacker;
use crate::database::{check_tables, connect, scan};
use crate::error::{Error, ErrorKind};
use crate::history::HISTORY_SCHEMA;
use crate::look::{Bulk, LookReader, StoredLook};
use crate::schema::{About, Header, MAX_LOOKS, SCHEMA};

/// Is this a case file, of whatever schema? Looks at the first bytes only; false when it cannot be read.
#[must_use]
pub fn looks_like_case(path: &Path) -> bool {
    // Asked of anything a user may type: opening a pipe would wait for its other end.
    fs::metadata(path).is_ok_and(|meta| meta.is_file())
        && read_header(path).is_ok_and(|raw| Header::parse(&raw, path).is_ok_and(|header| !header.is_store))
}

fn read_header(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::with_capacity(Header::LEN);
    File::open(path)?.take(Header::LEN as u64).read_to_end(&mut raw)?;
    Ok(raw)
}

/// The looks of an open file, be it a case or a store.
pub(crate) struct Looks {
    pub(crate) path: PathBuf,
    pub(crate) db: Connection,
    /// Their keys.
    pub(crate) ids: Vec<u64>,
    /// Size of the file.
    pub(crate) bytes: u64,
    pub(crate) unpacker: RefCell<Unpacker>,
}

impl Looks {
    pub(crate) fn new(path: &Path, db: Connection, bytes: u64) -> Result<Self, Error> {
        let unpacker = Unpacker::new().map_err(|error| Error::io(error, path))?;
        Ok(Self { path: path.to_owned(), db, ids: Vec::new(), bytes, unpacker: RefCell::new(unpacker) })
    }

    /// What the file says about itself; false when that is damaged.
    pub(crate) fn about(&self) -> (About, bool) {
        let mut about = About::default();
        let mut sound = true;
        for key in About::default().entries().map(|(key, _)| key) {
            match self.meta(key) {
                Ok(value) => about.set(key, value.unwrap_or_default()),
                Err(_) => sound = false,
            }
        }
        (about, sound)
    }

    /// A row of `meta`.
    pub(crate) fn meta(&self, key: &str) -> rusqlite::Result<Option<Text>> {
        let value = self.db.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| {
            Ok(Text::from_bytes(row.get_ref(0)?.as_bytes().unwrap_or_default()))
        });
        value.optional()
    }

    /// Finds the looks.
    pub(crate) fn find(&mut self) -> Result<(), Error> {
        let all = 0..=(MAX_LOOKS as i64);
        let found = scan(&self.db, "SELECT id FROM look", all, MAX_LOOKS as usize, |_| ());
        self.ids = found.rows.into_iter().map(|(id, ())| id as u64).collect();
        match found.error {
            Some(error) if self.ids.is_empty() => {
                Err(Error::sqlite(error, &self.path).at("the list of looks"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn read(&self, index: usize, bulk: Bulk) -> Result<StoredLook, Error> {
        LookReader::new(self).read(index, bulk)
    }
}

/// What a file's first bytes say, once it is a regular file.
pub(crate) fn open_header(path: &Path) -> Result<(Header, u64), Error> {
    let meta = fs::metadata(path).map_err(|error| Error::io(error, path))?;
    if !meta.is_file() {
        return Err(Error::new(ErrorKind::NotACase, path));
    }
    let header = read_header(path).map_err(|error| Error::io(error, path))?;
    let header = Header::parse(&header, path)?;
    if header.schema > HISTORY_SCHEMA {
        return Err(Error::new(ErrorKind::Newer(header.schema), path));
    }
    if header.schema < SCHEMA {
        return Err(Error::new(ErrorKind::Damaged, path));
    }
    Ok((header, meta.len()))
}

/// Opens a case file of any schema that is read here; what is missing of it, as the end of a sentence.
pub(crate) fn open_case(path: &Path) -> Result<(Looks, u32, Option<String>), Error> {
    let (header, bytes) = open_header(path)?;
    if header.is_store {
        return Err(Error::new(ErrorKind::NotACase, path).at("it is a recorder's store"));
    }
    let lost = header
        .bytes
        .filter(|expected| *expected > bytes)
        .map(|expected| format!("cut short: {bytes} of {expected} bytes are there"));
    let db = connect(path, lost.is_some())?;
    check_tables(&db, path, header.schema)?;
    Ok((Looks::new(path, db, bytes)?, header.schema, lost))
}

/// An open case file. Any number of readers may have it open.
pub struct CaseReader {
    looks: Looks,
    about: About,
    /// What opening found to be missing.
    lost: Option<String>,
}

impl CaseReader {
    /// Opens a case file; fails when it is none, is of a newer schema, or is damaged beyond its first look.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (looks, _, lost) = open_case(path)?;
        let (about, sound) = looks.about();
        let mut reader = Self { looks, about, lost };
        if !sound {
            reader.note("what the file says about itself is damaged");
        }
        reader.looks.find()?;
        let written = reader.looks.meta("looks").ok().flatten();
        if written.is_none_or(|written| written.as_str() != reader.len().to_string()) {
            reader.note("the list of looks is damaged");
        }
        Ok(reader)
    }

    /// What the file says about itself; empty fields where that was lost.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// How many looks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.looks.ids.len()
    }

    /// Is there no look in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looks.ids.is_empty()
    }

    /// What was found missing when the file was opened, as the end of a sentence.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// Every look in order; an error for one that was lost as a whole, after which the next may be sound.
    pub fn looks(&self) -> impl Iterator<Item = Result<StoredLook, Error>> + '_ {
        (0..self.len()).map(|index| self.look(index))
    }

    /// One look, counted from 0.
    pub fn look(&self, index: usize) -> Result<StoredLook, Error> {
        self.looks.read(index, Bulk::Read)
    }

    /// One look without its bulky parts: threads and address spaces are `Skipped`.
    pub fn outline(&self, index: usize) -> Result<StoredLook, Error> {
        self.looks.read(index, Bulk::Skip)
    }

    /// Keeps the first damage that was found: it is the cause of the others.
    fn note(&mut self, damage: &str) {
        self.lost.get_or_insert_with(|| damage.to_owned());
    }
}
