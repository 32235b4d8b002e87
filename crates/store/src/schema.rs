//! Schema 1: what lies in a case file.
//!
//! A case file is one SQLite database with four tables, in a rollback-journal database that was closed whole
//! (no side files, opened immutable):
//!
//! * `meta`: what [`About`] holds, by key, and the number of looks.
//! * `look`: one row per look. Its times stand in columns for people with a `sqlite3` at hand; what is read
//!   back is `data`: times, host, impact and the number of processes.
//! * `process`: the directory. One small row per process and look, so that a damaged blob costs that blob and
//!   not the knowledge whose it was.
//! * `part`: the readings. `core` is everything of a process that is short; `threads`, `space` (mappings and
//!   what smaps said of them) and `inside` (what a JVM told when it was attached to) are apart because they are bulky
//!   and many views do without one of them.
//!
//! Keys nest, so that no index is needed and a row says where it belongs even when its neighbours are lost:
//! look = 0, 1, 2 …, process = look · 2^32 + position · 2^8, part = process + kind.
//!
//! Each blob is one JSON document compressed by one zstd frame with a checksum. `look.data`, `core` and `inside` are the
//! model's own types under their own field names (`core` with a dictionary, see `blob`); `threads` and `space` are columns (`threads`, `space`),
//! because 4,000 mappings share their keys and most of their digits. Fields may be added in schema 1: a reader
//! takes the default for one that is missing and skips one it does not know. Anything else (a field that changes
//! its meaning, a table) is schema 2.
//!
//! Limits are the writer's as well as the reader's: what was written can be read, and what a stranger wrote
//! costs no more than that.

use std::path::Path;

use model::Text;

use crate::error::{Error, ErrorKind};
use crate::history::STORE_ID;

/// The version of the layout, in the database's `user_version`.
pub const SCHEMA: u32 = 1;

/// `FLFT`, in the database's `application_id`: tells a case file from other SQLite files.
pub(crate) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"FLFT");

/// Tables by name with the statement that makes each; a file with any other object is refused.
pub(crate) const TABLES: [(&str, &str); 4] = [
    ("meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"),
    (
        "look",
        "CREATE TABLE look(id INTEGER PRIMARY KEY, at_unix_s REAL, at_boot_s REAL, took_s REAL, \
         late_s REAL, processes INTEGER NOT NULL, data BLOB NOT NULL)",
    ),
    (
        "process",
        "CREATE TABLE process(id INTEGER PRIMARY KEY, look INTEGER NOT NULL, pid INTEGER NOT NULL, \
         start INTEGER NOT NULL, name TEXT NOT NULL)",
    ),
    (
        "part",
        "CREATE TABLE part(id INTEGER PRIMARY KEY, process INTEGER NOT NULL, name TEXT NOT NULL, \
         data BLOB NOT NULL)",
    ),
];

/// Most looks in a file.
pub(crate) const MAX_LOOKS: u64 = 1 << 20;
/// Most processes in a look.
pub(crate) const MAX_PROCESSES: usize = 1 << 17;
/// Most bytes of a compressed blob, and of any text in a table.
pub(crate) const MAX_BLOB: usize = 32 << 20;
/// Most rows (threads, mappings, details) in one part: twice the largest max_map_count that distributions set.
pub(crate) const MAX_ROWS: usize = 1 << 21;

/// The key of a process's row.
pub(crate) fn process_id(look: u64, position: usize) -> i64 {
    ((look << 32) | ((position as u64) << 8)) as i64
}

/// What a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A look without its processes.
    Head,
    /// Everything of a process that is short.
    Core,
    /// Its threads.
    Threads,
    /// Its mappings and what was read of their pages.
    Space,
    /// What a JVM told when it was attached to.
    Inside,
}

impl Kind {
    /// As in `part.name`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Core => "core",
            Self::Threads => "threads",
            Self::Space => "space",
            Self::Inside => "inside",
        }
    }

    /// The key of this part of a process.
    pub(crate) const fn part_id(self, process_id: i64) -> i64 {
        process_id
            + match self {
                Self::Head | Self::Core => 0,
                Self::Threads => 1,
                Self::Space => 2,
                Self::Inside => 3,
            }
    }

    /// Most bytes of its JSON.
    pub(crate) const fn max_json(self) -> usize {
        match self {
            Self::Head | Self::Core => 8 << 20,
            Self::Threads | Self::Inside => 64 << 20,
            Self::Space => 128 << 20,
        }
    }
}

/// What one look may cost, summed over its parts; each part's own limit alone would let a small file ask for
/// the sum of all of them.
#[derive(Debug)]
pub(crate) struct Budget {
    json: usize,
    rows: usize,
}

impl Budget {
    pub(crate) const fn of_one_look() -> Self {
        Self { json: 256 << 20, rows: 1 << 22 }
    }

    /// Takes bytes of JSON; false when they are not there.
    pub(crate) fn take_json(&mut self, bytes: usize) -> bool {
        take(&mut self.json, bytes)
    }

    /// Takes rows of columns; false when they are not there.
    pub(crate) fn take_rows(&mut self, rows: usize) -> bool {
        take(&mut self.rows, rows)
    }
}

fn take(left: &mut usize, wanted: usize) -> bool {
    left.checked_sub(wanted).map(|rest| *left = rest).is_some()
}

/// What a case file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The version of flatfoot that wrote it.
    pub version: Text,
    /// When it was begun: RFC 3339, UTC.
    pub created: Text,
    /// The command that wrote it, as typed.
    pub command: Text,
    /// What was looked at: a process, a unit, `host`.
    pub target: Text,
}

impl About {
    /// Keys of `meta` with their values.
    pub(crate) fn entries(&self) -> [(&'static str, &Text); 4] {
        let Self { version, created, command, target } = self;
        [("version", version), ("created", created), ("command", command), ("target", target)]
    }

    pub(crate) fn set(&mut self, key: &str, value: Text) {
        let field = match key {
            "version" => &mut self.version,
            "created" => &mut self.created,
            "command" => &mut self.command,
            "target" => &mut self.target,
            _ => return,
        };
        *field = value;
    }
}

/// The first bytes of a database: <https://www.sqlite.org/fileformat.html>, "The Database Header".
#[derive(Debug)]
pub(crate) struct Header {
    /// `user_version`.
    pub(crate) schema: u32,
    /// Is it a recorder's store?
    pub(crate) is_store: bool,
    /// The size that the database believes to have; `None` when it doesn't know.
    pub(crate) bytes: Option<u64>,
}

impl Header {
    pub(crate) const LEN: usize = 100;

    /// Reads a header; an error unless it is a case file's, of any schema.
    ///
    /// Asked before SQLite sees the file, so that nothing but a case file ever reaches its parser.
    pub(crate) fn parse(raw: &[u8], path: &Path) -> Result<Self, Error> {
        let word = |at: usize| -> u32 {
            raw.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
        };
        let magic = raw.len() >= Self::LEN && raw.starts_with(b"SQLite format 3\0");
        let is_store = word(68) == STORE_ID;
        if !magic || !(is_store || word(68) == APPLICATION_ID) {
            return Err(Error::new(ErrorKind::NotACase, path));
        }
        let page = match u64::from(word(14) & 0xffff) {
            1 => 65_536,
            size => size,
        };
        // Format versions are 1, and 2 with a write-ahead log, as only a store has one.
        if !(raw[18..20] == [1, 1] || (is_store && raw[18..20] == [2, 2]))
            || !page.is_power_of_two()
            || page < 512
        {
            return Err(Error::new(ErrorKind::Damaged, path).at("the header"));
        }
        let counted = word(24) == word(92) && word(28) > 0;
        Ok(Self { schema: word(60), is_store, bytes: counted.then(|| page * u64::from(word(28))) })
    }
}
