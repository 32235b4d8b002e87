//! `GET /api/v1/processes`: the process table, at any moment.

use std::sync::Arc;

use model::Impact;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analyse::HostSummary;
use crate::board::BoardRow;
use crate::cli::TopOrder;
use crate::web::answer::{Answer, Result};
use crate::web::desk::Desk;
use crate::web::pool::Work;
use crate::web::query::{Asked, Query};

/// `flatfoot.top/1`, with what the page needs besides.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProcessesDocument {
    /// `flatfoot.top/1`.
    schema: &'static str,
    /// Where the readings came from.
    origin: String,
    /// The moment that is shown, in Unix seconds.
    at: f64,
    /// The host.
    host: HostSummary,
    /// Processes in all.
    total: u64,
    /// Those that fit the filter; `processes` may hold fewer.
    matching: u64,
    /// A row for each.
    processes: Vec<BoardRow>,
    /// What was done to the targets.
    impact: Impact,
}

/// The orders, by name.
const ORDERS: [(&str, TopOrder); 5] = [
    ("growth", TopOrder::Growth),
    ("commit", TopOrder::Commit),
    ("rss", TopOrder::Rss),
    ("untouched", TopOrder::Untouched),
    ("threads", TopOrder::Threads),
];

pub(super) fn work(query: Query) -> Result<Work<Desk>> {
    let to = query.time("to")?;
    let by = query.one_of("by", &ORDERS, TopOrder::Growth)?;
    let rows = query.number("rows", 100, 0, 1_000)?;
    let offset = query.number("offset", 0, 0, 1 << 20)?;
    let spark = query.number("spark", 0, 0, 120)?;
    Ok(Box::new(move |desk| {
        let filter = query.text("filter").unwrap_or_default();
        let stretch = desk.stretch(Asked { from: None, to })?;
        let common = Arc::clone(&desk.common);
        let document = desk.with_board(stretch.moment_ms(), |board| {
            let order = board.order(by, filter);
            ProcessesDocument {
                schema: "flatfoot.top/1",
                origin: common.served.path.display().to_string(),
                at: board.at_unix_s(),
                host: common.host(board),
                total: board.len() as u64,
                matching: order.len() as u64,
                processes: order
                    .iter()
                    .skip(offset)
                    .take(rows)
                    .filter_map(|no| board.row(*no, spark))
                    .collect(),
                impact: Impact::default(),
            }
        })?;
        Answer::json(&document, if stretch.open { 1.0 } else { 30.0 })
    }))
}
