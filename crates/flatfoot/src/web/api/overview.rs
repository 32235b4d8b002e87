//! `GET /api/v1/overview`: the host, who takes its memory, and what was found.

use model::{Column, Finding, Impact, ProcessNo};
use schemars::JsonSchema;
use serde::Serialize;
use store::history::{Found, Series};

use crate::analyse::{HostSummary, NearestLimit};
use crate::web::answer::{Answer, Result};
use crate::web::charts::{Chart, Grid, Strip};
use crate::web::desk::{Desk, Range, Stretch, thinned};
use crate::web::pool::Work;
use crate::web::query::Query;

use super::marks;

/// Processes with a layer of their own.
const LAYERS: usize = 8;

/// `flatfoot.overview/1`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct OverviewDocument {
    /// `flatfoot.overview/1`.
    schema: &'static str,
    /// The time that is shown.
    range: Range,
    /// The host.
    host: HostSummary,
    /// `memory`, `attribution`.
    charts: Vec<Chart>,
    /// What was found, surest first.
    findings: Vec<Finding>,
    /// What could not be judged.
    not_judged: Vec<String>,
    /// The process that is nearest to a limit.
    nearest_limit: Option<NearestLimit>,
    /// When it was judged, in Unix seconds; null when not yet.
    judged_at: Option<f64>,
    /// What was done to the targets.
    impact: Impact,
}

pub(super) fn work(query: &Query) -> Result<Work<Desk>> {
    let (asked, pixels) = (query.times("from", "to")?, query.pixels()?);
    Ok(Box::new(move |desk| {
        let stretch = desk.stretch(asked)?;
        let grid = stretch.grid(pixels);
        let charts = if desk.common.served.only_looks {
            Vec::new()
        } else {
            let memory = memory(desk, &stretch, &grid)?;
            let attribution = attribution(desk, &stretch, &grid)?;
            vec![memory, attribution]
        };
        let judged = desk.common.judged();
        let diagnosis = judged.as_ref().map(|judged| judged.diagnosis());
        let host = desk.host(stretch.moment_ms())?;
        let document = OverviewDocument {
            schema: "flatfoot.overview/1",
            range: stretch.range(),
            host,
            charts,
            findings: diagnosis.map(|d| d.findings.clone()).unwrap_or_default(),
            not_judged: desk.common.not_judged(),
            nearest_limit: diagnosis.and_then(|d| d.nearest_limit.clone()),
            judged_at: judged.as_ref().map(|judged| judged.at_unix_s),
            impact: diagnosis.map(|d| d.impact.clone()).unwrap_or_default(),
        };
        Answer::json(&document, stretch.keep_s(&grid))
    }))
}

/// Committed, used and the limit of the host.
fn memory(desk: &mut Desk, stretch: &Stretch, grid: &Grid) -> Result<Chart> {
    let columns = [Column::HostCommitted, Column::HostTotal, Column::HostAvailable, Column::HostCommitLimit];
    let series = thinned(desk.reader()?, ProcessNo::HOST, &columns, stretch.window(grid), grid)?;
    let strip = |at: usize| strip_of(series.get(at), grid, stretch.known_until_ms());
    let lines = [
        ("committed", strip(0)),
        ("used", strip(1).less(&strip(2))),
        ("limit", strip(3)),
        ("memory", strip(1)),
    ];
    Ok(Chart {
        series: lines
            .into_iter()
            .filter(|(_, strip)| !strip.is_empty())
            .map(|(name, strip)| strip.line(name))
            .collect(),
        markers: marks::of_host(desk, stretch)?,
        gaps: marks::gaps(desk, stretch)?,
        command: format!("flatfoot top --once{}", marks::when(desk, stretch)),
        ..grid.chart("memory", "Memory of the host", "bytes")
    })
}

fn strip_of(series: Option<&Series>, grid: &Grid, known_until_ms: i64) -> Strip {
    series.map_or_else(|| Strip::empty(grid.columns), |series| grid.strip(series, known_until_ms))
}

/// A process's layer before it is known whether it has one.
struct Layer {
    name: String,
    most: f64,
    strip: Strip,
}

/// Who takes the memory that is promised, as far as private writable memory tells.
fn attribution(desk: &mut Desk, stretch: &Stretch, grid: &Grid) -> Result<Chart> {
    let window = stretch.window(grid);
    let found = desk.found()?;
    let reader = desk.reader()?;
    let mut layers: Vec<Layer> = Vec::new();
    let mut others = Strip::empty(grid.columns);
    let mut sum = Strip::empty(grid.columns);
    for one in found.iter().filter(|one| window.meets(one.first_unix_ms, one.last_unix_ms)) {
        let series = thinned(reader, one.known.process, &[Column::Data], window, grid)?;
        let mut strip = strip_of(series.first(), grid, one.last_unix_ms.min(stretch.known_until_ms()));
        // Layers are drawn by one value: what it was last.
        (strip.low, strip.high) = (strip.last.clone(), strip.last.clone());
        let most = strip.last.iter().flatten().copied().fold(0.0, f64::max);
        sum.add(&strip);
        layers.push(Layer { name: name(one), most, strip });
        if layers.len() > LAYERS {
            layers.sort_by(|a, b| b.most.total_cmp(&a.most));
            for layer in layers.drain(LAYERS..) {
                others.add(&layer.strip);
            }
        }
    }
    layers.sort_by(|a, b| b.most.total_cmp(&a.most));
    let committed = thinned(reader, ProcessNo::HOST, &[Column::HostCommitted], window, grid)?;
    let committed = strip_of(committed.first(), grid, stretch.known_until_ms());
    let unexplained = committed.less(&sum);
    let rest =
        [("others", others), ("unexplained", unexplained)].map(|(name, strip)| (name.to_owned(), strip));
    let layers = layers.into_iter().map(|layer| (layer.name, layer.strip));
    Ok(Chart {
        stacked: true,
        series: layers
            .chain(rest)
            .filter(|(_, strip)| !strip.is_empty())
            .map(|(name, strip)| strip.last_only(name))
            .collect(),
        markers: Vec::new(),
        gaps: marks::gaps(desk, stretch)?,
        command: format!("flatfoot top --once --by commit{}", marks::when(desk, stretch)),
        ..grid.chart("attribution", "Who takes the committed memory", "bytes")
    })
}

/// `java[3248] torquebox`.
fn name(one: &Found) -> String {
    let who = &one.known.incarnation;
    let label = crate::analyse::label(&crate::source::named(who));
    let label = label.map(|label| format!(" {label}")).unwrap_or_default();
    format!("{}[{}]{label}", who.name, who.key.pid)
}
