//! The API's requests, a file for each: what is asked for, and the document that answers it.

mod about;
mod compare;
#[cfg(test)]
mod described;
mod download;
mod finding;
mod map;
mod marks;
mod overview;
mod process;
mod processes;
mod threads;

use schemars::{Schema, schema_for};

pub(super) use download::download;
pub(super) use marks::quoted;

use super::answer::{Problem, Result};
use super::desk::Desk;
use super::pool::Work;
use super::query::Query;

/// The work that a path under /api/v1/ asks for; `None` when there is no such path.
pub(super) fn work(path: &str, query: Query) -> Result<Option<Work<Desk>>> {
    let parts: Vec<&str> = path.split('/').collect();
    Ok(Some(match parts.as_slice() {
        [""] => Box::new(about::answer),
        ["overview"] => overview::work(&query)?,
        ["processes"] => processes::work(query)?,
        ["processes", id] => process::work(id, &query)?,
        ["processes", id, "threads"] => threads::work(id, &query)?,
        ["processes", id, "map"] => map::work(id, &query)?,
        ["findings", id] => finding::work(id, &query)?,
        ["compare"] => compare::work(&query)?,
        _ => return Ok(None),
    }))
}

/// A part of a path, decoded.
fn segment(text: &str) -> Result<String> {
    let wrong = || Problem::not_understood("a path that is no text", "percent-encoded UTF-8");
    // A plus sign in a path is one.
    crate::web::query::decoded(&text.replace('+', "%2B")).ok_or_else(wrong)
}

/// There is nothing under a path.
pub(super) fn no_such(path: &str) -> Problem {
    let path: String = path.chars().take(100).collect();
    Problem::not_there(format!("{path:?} is not there"), "docs/api.md lists what is; / is the page")
}

/// The schemas of the documents that only the API has.
pub(crate) fn documents() -> Vec<(&'static str, Schema)> {
    vec![
        ("api", schema_for!(about::ApiDocument)),
        ("error", schema_for!(crate::web::ErrorDocument)),
        ("compare-page", schema_for!(compare::ComparePage)),
        ("finding", schema_for!(finding::FindingDocument)),
        ("map-page", schema_for!(map::MapPage)),
        ("threads-page", schema_for!(threads::ThreadsPage)),
        ("overview", schema_for!(overview::OverviewDocument)),
        ("process", schema_for!(process::ProcessDocument)),
        ("serve", schema_for!(crate::web::StartedLine)),
        ("tick", schema_for!(crate::web::events::TickEvent)),
        ("findings", schema_for!(crate::web::events::FindingsEvent)),
        ("processes", schema_for!(processes::ProcessesDocument)),
    ]
}
