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
use crate::look::{Bulk, LookReader, StoredLook};
use crate::schema::{About, Header, MAX_LOOKS, SCHEMA};

/// Is this a case file, of whatever schema? Looks at the first bytes only; false when it cannot be read.
#[must_use]
pub fn looks_like_case(path: &Path) -> bool {
    // Asked of anything a user may type: opening a pipe would wait for its other end.
    fs::metadata(path).is_ok_and(|meta| meta.is_file())
        && read_header(path).is_ok_and(|raw| Header::parse(&raw, path).is_ok_and(|_| true))
}

fn read_header(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::with_capacity(Header::LEN);
    File::open(path)?.take(Header::LEN as u64).read_to_end(&mut raw)?;
    Ok(raw)
}

/// An open case file. Any number of readers may have it open.
pub struct CaseReader {
    pub(crate) path: PathBuf,
    pub(crate) db: Connection,
    about: About,
    /// Keys of the looks.
    pub(crate) looks: Vec<u64>,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// What opening found to be missing.
    lost: Option<String>,
    pub(crate) unpacker: RefCell<Unpacker>,
}

impl CaseReader {
    /// Opens a case file; fails when it is none, is of a newer schema, or is damaged beyond its first look.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let meta = fs::metadata(path).map_err(|error| Error::io(error, path))?;
        if !meta.is_file() {
            return Err(Error::new(ErrorKind::NotACase, path));
        }
        let header = read_header(path).map_err(|error| Error::io(error, path))?;
        let header = Header::parse(&header, path)?;
        if header.schema != SCHEMA {
            let kind =
                if header.schema > SCHEMA { ErrorKind::Newer(header.schema) } else { ErrorKind::Damaged };
            return Err(Error::new(kind, path));
        }
        let lost = header
            .bytes
            .filter(|bytes| *bytes > meta.len())
            .map(|bytes| format!("cut short: {} of {bytes} bytes are there", meta.len()));
        let db = connect(path, lost.is_some())?;
        check_tables(&db, path)?;
        let unpacker = Unpacker::new().map_err(|error| Error::io(error, path))?;
        let mut reader = Self {
            path: path.to_owned(),
            db,
            about: About::default(),
            looks: Vec::new(),
            bytes: meta.len(),
            lost,
            unpacker: RefCell::new(unpacker),
        };
        reader.read_about();
        reader.read_looks()?;
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
        self.looks.len()
    }

    /// Is there no look in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looks.is_empty()
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
        LookReader::new(self).read(index, Bulk::Read)
    }

    /// One look without its bulky parts: threads and address spaces are `Skipped`.
    pub fn outline(&self, index: usize) -> Result<StoredLook, Error> {
        LookReader::new(self).read(index, Bulk::Skip)
    }

    fn read_about(&mut self) {
        for key in About::default().entries().map(|(key, _)| key) {
            let value = self.db.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| {
                Ok(Text::from_bytes(row.get_ref(0)?.as_bytes().unwrap_or_default()))
            });
            match value.optional() {
                Ok(value) => self.about.set(key, value.unwrap_or_default()),
                Err(_) => self.note("what the file says about itself is damaged"),
            }
        }
    }

    fn read_looks(&mut self) -> Result<(), Error> {
        let all = 0..=(MAX_LOOKS as i64);
        let found = scan(&self.db, "SELECT id FROM look", all, MAX_LOOKS as usize, |_| ());
        self.looks = found.rows.into_iter().map(|(id, ())| id as u64).collect();
        if let (Some(error), true) = (found.error, self.looks.is_empty()) {
            return Err(Error::sqlite(error, &self.path).at("the list of looks"));
        }
        let written = self
            .db
            .query_row("SELECT value FROM meta WHERE key = 'looks'", [], |row| row.get::<_, String>(0));
        if written.is_ok_and(|written| written == self.looks.len().to_string()) {
            return Ok(());
        }
        self.note("the list of looks is damaged");
        Ok(())
    }

    /// Keeps the first damage that was found: it is the cause of the others.
    fn note(&mut self, damage: &str) {
        self.lost.get_or_insert_with(|| damage.to_owned());
    }
}
