//! flatfoot's vocabulary, and nothing else: what was read from a host (raw readings, as they are stored)
//! and what was concluded from it (groups, cadences, limits, findings).
//!
//! The types here are the words that the other crates exchange. `probe` fills the readings, `store` keeps
//! them, `detect` turns them into findings, the binary shows them. A kernel field that is renamed changes
//! `probe` only; what lies on disk is named here.

mod cadence;
mod finding;
mod held;
mod history;
mod host;
mod judgement;
mod jvm;
mod limit;
mod look;
mod memory;
mod process;
mod reading;
mod schedule;
mod thread;
mod units;

pub mod show;

pub use cadence::*;
pub use finding::*;
pub use held::*;
pub use history::*;
pub use host::*;
pub use judgement::*;
pub use jvm::*;
pub use limit::*;
pub use look::*;
pub use memory::*;
pub use process::*;
pub use reading::*;
pub use schedule::*;
pub use thread::*;
pub use units::*;
