//! flatfoot check: does a program leak? For CI: an answer by exit code, and in the formats that CI shows.
//!
//! Three ways to ask, and one order of work in each:
//!
//! | way | what runs | what a leak is |
//! |---|---|---|
//! | [`rounds`] | a server, and work against it again and again | what is more after (nearly) each round, and stays |
//! | [`rounds`] with `--pid` | the same against a process that runs already, or a mark by hand | the same; between two marks by hand anything that is more |
//! | [`whole`] | one command, from its start to its end | descendants that outlive it, and steady growth until its end |
//!
//! Whatever is started here runs below a [`guard`], a small process of its own that gets every orphan among the
//! descendants and ends them all when it loses touch with flatfoot: so nothing is left behind, however flatfoot ends.
//! [`mark`] says what is counted, [`counts`] and [`memory`] what is called growth, [`allow`] what is allowed, [`document`]
//! what is told.

pub(crate) mod allow;
mod counts;
mod creators;
pub(crate) mod document;
pub(crate) mod guard;
mod keeper;
mod mark;
mod memory;
mod output;
mod plan;
mod ready;
mod rounds;
mod samples;
mod signals;
mod tree;
mod verdict;
mod whole;

pub(crate) use plan::Plan;

use anyhow::{Context as _, Result};
use probe::{Prober, ProcRoot};

use crate::failure::{Code, Failure};
use document::Document;

/// What leaked: LeakSanitizer's exit code.
pub(crate) const LEAK: u8 = 23;
/// flatfoot itself failed.
pub(crate) const FAILED: u8 = 125;
/// The command is there, but cannot be executed.
const NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
const NOT_FOUND: u8 = 127;

/// Does it, and says how it went.
pub(crate) fn check(plan: &Plan) -> Result<Document> {
    if plan.command.is_empty() || plan.work.is_some() { rounds::run(plan) } else { whole::run(plan) }
}

fn prober() -> Result<Prober> {
    let root = ProcRoot::open("/proc").context("opening /proc: flatfoot needs it")?;
    Ok(Prober::new(root))
}

/// A failure of flatfoot's own, or of the usage of this command.
pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Failure::new(Code::Exit(FAILED), message, hint).into()
}
