//! Schema 2: what a store and a case file with history hold beside the tables of schema 1 (`crate::schema`).
//!
//! * `block`: some consecutive ticks of one boot, an hour of them when they are fresh and more when they are old.
//!   `head` says which (`block::Head`), `times` when each was and which processes are in it, `costs` how long each took and
//!   how late it was, `events` what happened between them.
//! * `chunk`: the figures of one process in one block: id = block · 2^32 + process, so that the rows of a flush go
//!   to the end of the table, the key needs no index, and no two chunks are of the same process and time. See `chunk`.
//! * `journal`: a row per tick since the last flush, id = the tick's number. Cleared at each flush. See `journal`.
//! * `incarnation`: a row per process, id = its number. See `incarnation`.
//! * `looked`: a row per deep look, id = that in `look`: when it was, in the store's own reckoning. See `looked`.
//!
//! Each blob has a checksum and says inside whose it is: a bit that flips in a key is a blob that is found in the
//! wrong place. A block says which processes it has chunks of, and how many ticks it stands for: what is gone is missed.
//!
//! A store has another application id than a case file: it is opened with SQLite's locks and its write-ahead log,
//! a case file without either.

use crate::schema::{MAX_BLOB, TABLES};

/// The version of the layout with history.
pub const HISTORY_SCHEMA: u32 = 2;

/// `FLFS`: a store, which a recorder writes.
pub(crate) const STORE_ID: u32 = u32::from_be_bytes(*b"FLFS");

/// Tables of history, in the order in which they are made.
pub(crate) const HISTORY_TABLES: [(&str, &str); 5] = [
    (
        "block",
        "CREATE TABLE block(id INTEGER PRIMARY KEY, head BLOB NOT NULL, times BLOB NOT NULL, costs BLOB NOT NULL, \
         events BLOB NOT NULL)",
    ),
    ("chunk", "CREATE TABLE chunk(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"),
    ("journal", "CREATE TABLE journal(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"),
    ("incarnation", "CREATE TABLE incarnation(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"),
    ("looked", "CREATE TABLE looked(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"),
];

/// All tables of a schema.
pub(crate) fn tables(schema: u32) -> impl Iterator<Item = (&'static str, &'static str)> {
    let history = if schema == HISTORY_SCHEMA { &HISTORY_TABLES[..] } else { &[] };
    TABLES.iter().chain(history).copied()
}

/// Most bytes of a blob when it is decompressed.
pub(crate) const MAX_CONTENT: usize = MAX_BLOB;
/// Most ticks in a block.
pub(crate) const MAX_TICKS: u32 = 1 << 17;
/// Most blocks that are read.
pub(crate) const MAX_BLOCKS: usize = 1 << 18;
/// Most processes that are read.
pub(crate) const MAX_INCARNATIONS: usize = 1 << 21;
/// Most values in a tick.
pub(crate) const MAX_VALUES: usize = 1 << 23;
/// Block numbers stay below this, so that chunk keys stay positive.
pub(crate) const MAX_BLOCK_ID: u32 = 1 << 31;

/// The key of a chunk.
pub(crate) const fn chunk_id(block: u32, process: u32) -> i64 {
    (((block as u64) << 32) | process as u64) as i64
}
