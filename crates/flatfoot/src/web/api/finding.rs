//! `GET /api/v1/findings/ID`: one finding with all its evidence.

use model::{Finding, FindingKind, Pid};
use schemars::JsonSchema;
use serde::Serialize;

use super::process::Charts;
use crate::analyse::{Diagnosis, HostSummary};
use crate::present::{self, Term};
use crate::views;
use crate::web::answer::{Answer, Problem, Result};
use crate::web::charts::Chart;
use crate::web::desk::{Desk, Judged};
use crate::web::pool::Work;
use crate::web::query::{Asked, Query};

/// What is shown of its past when nobody says.
const DAY_S: f64 = 86_400.0;

/// `flatfoot.finding/1`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct FindingDocument {
    /// `flatfoot.finding/1`.
    schema: &'static str,
    /// The finding, with all its evidence.
    finding: Finding,
    /// The process's id in the API; null when it is not known any more.
    process_id: Option<String>,
    /// What the command line prints of it, a line each.
    text: Vec<String>,
    /// Of what grows.
    charts: Vec<Chart>,
    /// The host.
    host: HostSummary,
    /// When it was first and last judged so; null when only once.
    seen: Option<Seen>,
}

/// From when to when.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct Seen {
    /// Unix seconds.
    first: f64,
    /// Unix seconds.
    last: f64,
}

pub(super) fn work(id: &str, query: &Query) -> Result<Work<Desk>> {
    let id = super::segment(id)?;
    let is_id = !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        let hint = "eight hex digits, as 7c1e09d2, or the first of them";
        return Err(Problem::not_understood(format!("{id:?} is no finding's id"), hint));
    }
    let (asked, pixels) = (query.times("from", "to")?, query.pixels()?);
    let process = query.text("process").map(str::to_owned);
    Ok(Box::new(move |desk| {
        let judged = desk
            .common
            .judged()
            .ok_or_else(|| Problem::not_there("nothing was judged yet", "ask again in a second"))?;
        let pid = process
            .map(|process| Ok::<_, Problem>(desk.process(&process, None)?.known.incarnation.key.pid))
            .transpose()?;
        let brief = find(&judged, &id, pid)?;
        let pid = brief.process.pid;
        // Of one process all is read that is known of it, as `flatfoot diagnose PID` does.
        let whole = desk.source(None).and_then(|source| Ok(views::diagnosis(source, vec![pid])?)).ok();
        let diagnosis = whole.as_ref().map_or(judged.diagnosis(), |whole| &whole.diagnosis);
        let finding =
            diagnosis.findings.iter().find(|finding| finding.id == brief.id).unwrap_or(brief).clone();
        let alone = Diagnosis { findings: vec![finding.clone()], ..diagnosis.clone() };
        let names = vec![format!("{}[{pid}]", finding.process.name)];
        let text = present::diagnosis::targets(&alone, &names, Term::default());
        let key = judged.outcome.analyser.by_pid(pid).map(|tracked| tracked.reading.key);
        let process_id = key.map(crate::board::id);
        let charts = match &process_id {
            Some(process) => charts(desk, process, &finding, asked, pixels)?,
            None => Vec::new(),
        };
        let seen = judged.seen.get(&(finding.id.clone(), pid)).filter(|(first, last)| first < last);
        let document = FindingDocument {
            schema: "flatfoot.finding/1",
            host: desk.host(None)?,
            text: text.lines().map(str::to_owned).collect(),
            seen: seen.map(|(first, last)| Seen { first: *first, last: *last }),
            finding,
            process_id,
            charts,
        };
        Answer::json(&document, 2.0)
    }))
}

/// By its id, or the beginning of one alone; of a process, when several have the same.
fn find<'a>(judged: &'a Judged, id: &str, pid: Option<Pid>) -> Result<&'a Finding> {
    let about = |finding: &&&Finding| pid.is_none_or(|pid| finding.process.pid == pid);
    let findings: Vec<&Finding> =
        judged.diagnosis().findings.iter().filter(|finding| about(&finding)).collect();
    if let Some(whole) = findings.iter().find(|finding| finding.id == id) {
        return Ok(whole);
    }
    let fitting: Vec<&Finding> = findings.into_iter().filter(|finding| finding.id.starts_with(id)).collect();
    match fitting.as_slice() {
        [one, others @ ..] if others.iter().all(|other| other.id == one.id) => Ok(one),
        [_, ..] => {
            Err(Problem::not_understood(format!("{id}: several findings begin so"), "more of its digits"))
        }
        [] => {
            let of = pid.map(|pid| format!(" of process {pid}")).unwrap_or_default();
            let hint = "/api/v1/overview lists what was found";
            Err(Problem::not_there(format!("no finding {id}{of}"), hint))
        }
    }
}

/// The charts of what grows, over a day unless another time is asked for.
fn charts(desk: &mut Desk, id: &str, finding: &Finding, asked: Asked, pixels: usize) -> Result<Vec<Chart>> {
    let usual = desk.stretch(asked)?;
    let one = desk.process(id, Some(&usual))?;
    let day_ago = usual.to_ms as f64 / 1e3 - DAY_S;
    let first = one.first_unix_ms as f64 / 1e3;
    let asked =
        Asked { from: asked.from.or(Some(day_ago.max(first).min(usual.to_ms as f64 / 1e3 - 1.0))), ..asked };
    let stretch = desk.stretch(asked)?;
    let grid = stretch.grid(pixels);
    let findings = [finding.clone()];
    let mut charts = Charts {
        desk,
        one: &one,
        stretch: &stretch,
        grid: &grid,
        findings: &findings,
        limits: &finding.limits,
    };
    let wanted: &[&str] = match finding.kind {
        FindingKind::ThreadLeak => &["threads", "memory", "memory-total"],
        FindingKind::DescriptorLeak => &["descriptors"],
        FindingKind::ChildProcessLeak => &["children"],
        FindingKind::JavaHeapLeak => &["heap", "memory"],
        FindingKind::MetaspaceLeak => &["metaspace", "memory"],
        _ => &["memory", "memory-touched", "memory-total"],
    };
    let mut all = charts.all()?;
    all.retain(|chart| wanted.contains(&chart.name));
    all.sort_by_key(|chart| wanted.iter().position(|name| *name == chart.name));
    if let Some((first, _)) = finding.seen.filter(|(first, _)| *first >= stretch.range().from) {
        let mark =
            crate::web::charts::Marker { at: first, kind: "finding", text: "the first of them".to_owned() };
        for chart in &mut all {
            chart.markers.push(mark.clone());
        }
    }
    let gaps = super::marks::gaps(desk, &stretch)?;
    for chart in &mut all {
        chart.gaps.clone_from(&gaps);
    }
    Ok(all)
}
