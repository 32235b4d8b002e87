//! History: what a recorder saw of a host over months, in one file.
//!
//! [`HistoryWriter`] takes ticks, and has each of them in the file when it returns. [`HistoryReader`] gives them back
//! while it does: as they were (replay), as series, reduced for a chart, with the events between them and the deep
//! looks beside. [`export()`] makes a case file of a part.
//!
//! ```text
//! tick ──► pending (streams in memory) ──── each hour ───► block + a chunk per process
//!     └──► journal (a row, in the file) ─── cleared then ┘          │ older: merged, reduced, at last dropped
//! readers: blocks and chunks + journal ◄───────────────────────────┘
//! ```
//!
//! `tables` says what lies on the disk, `chunk` and `stream` what a blob holds, `compact` and `retention` what becomes
//! of old ones.

mod block;
mod boots;
mod chunk;
mod compact;
mod events;
mod export;
mod frame;
mod gather;
mod house;
mod incarnation;
mod journal;
mod lock;
mod looked;
mod open;
mod pending;
mod question;
mod reader;
mod redact;
mod reduce;
mod replay;
mod retention;
mod runs;
mod series;
mod stream;
mod tables;
mod varint;
mod window;
mod writer;

pub use chunk::read_any_chunk;
pub use export::{Selection, export};
pub use incarnation::Known;
pub use reader::{HistoryReader, looks_like_store};
pub use replay::Ticks;
pub use retention::Retention;
pub use series::{Covered, Found, Gap, GapKind, Happened, LookAt, Pixel, Point, Reduced, Series};
pub use tables::HISTORY_SCHEMA;
pub(crate) use tables::{STORE_ID, tables};
pub use window::Window;
pub use writer::HistoryWriter;
