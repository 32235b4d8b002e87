//! Case files: what was read of a host, kept so that every view opens it elsewhere and later as it would have
//! opened the live process. Raw readings only; rates, groups and verdicts are derived again when it is read,
//! so a better rule finds more in an old file.
//!
//! [`CaseWriter`] makes a file whole or not at all; [`CaseReader`] trusts nothing in one. `schema` says what
//! lies on the disk.

mod blob;
mod columns;
mod database;

mod error;
mod folder;
pub mod history;
mod look;
mod reader;
mod record;
mod schema;
mod space;
mod temporary;
mod threads;
mod writer;

pub use error::{Error, ErrorKind};
pub use folder::{CASE_SUFFIX, cases_dir, prune};
pub use look::StoredLook;
pub use reader::{CaseReader, looks_like_case};
pub use schema::{About, SCHEMA};
pub use writer::{CaseWriter, Saved};
