//! `GET /api/v1`: what is served.

use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::VERSION;
use crate::present::time;
use crate::web::answer::{Answer, Result};
use crate::web::desk::Desk;
use crate::web::served::{By, pace_ms};

/// `flatfoot.api/1`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ApiDocument {
    /// `flatfoot.api/1`.
    schema: &'static str,
    /// Version of flatfoot.
    version: &'static str,
    /// The host's name.
    host: String,
    /// Where the readings come from.
    origin: String,
    /// Does the time go on?
    live: bool,
    /// What there is.
    recorded: Recorded,
    /// What is worth knowing about it.
    remarks: Vec<String>,
    /// How to get here from elsewhere.
    ssh: Option<String>,
}

/// What there is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Recorded {
    /// Unix seconds; of looks alone the time of the last; null before that is known.
    from: Option<f64>,
    /// Unix seconds.
    to: Option<f64>,
    /// Seconds from tick to tick.
    interval_s: Option<f64>,
    /// Who recorded it.
    by: By,
}

pub(super) fn answer(desk: &mut Desk) -> Result<Answer> {
    let coverage = desk.coverage()?;
    let damage = desk.reader()?.damage();
    let common = &desk.common;
    let served = &common.served;
    let name = served.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let origin = match served.by {
        By::Page => "this host".to_owned(),
        By::Recorder => format!("recorded in {}", served.path.display()),
        By::Case => name,
    };
    let mut remarks = served.remarks.clone();
    remarks.extend(
        damage
            .into_iter()
            .map(|damage| format!("lost: {damage}"))
            .filter(|one| !served.remarks.contains(one)),
    );
    if let (By::Page, Some(first)) = (served.by, coverage.first()) {
        let since = time::local(first.first_unix_ms as f64 / 1e3);
        remarks.push(format!("seen since {since}, when the page was started; flatfoot record keeps months"));
    }
    let looked = common.judged().filter(|_| coverage.is_empty());
    let at = looked.as_ref().map(|judged| judged.at_unix_s);
    let host = match looked {
        Some(judged) => judged.diagnosis().host.name.to_string(),
        None if served.by == By::Case => {
            common.judged().map(|judged| judged.diagnosis().host.name.to_string()).unwrap_or_default()
        }
        None => served.host.clone(),
    };
    let seconds = |ms: i64| ms as f64 / 1e3;
    let document = ApiDocument {
        schema: "flatfoot.api/1",
        version: VERSION,
        host,
        origin,
        live: common.is_live(),
        recorded: Recorded {
            from: coverage.first().map(|first| seconds(first.first_unix_ms)).or(at),
            to: coverage.last().map(|last| seconds(last.last_unix_ms)).or(at),
            interval_s: (!coverage.is_empty()).then(|| pace_ms(&coverage) as f64 / 1e3),
            by: served.by,
        },
        remarks,
        ssh: served.ssh.clone(),
    };
    Answer::json(&document, 1.0)
}
