//! `GET /api/v1/compare`: two times, side by side.

use std::fmt::Write as _;

use model::{Column, ProcessNo};
use schemars::JsonSchema;
use serde::Serialize;
use store::history::{Found, Window};

use crate::analyse;
use crate::compare::{Side, compare};
use crate::present::compare::CompareDocument;
use crate::source::named;
use crate::target::Chosen;
use crate::web::answer::{Answer, Problem, Result};
use crate::web::charts::{Chart, Grid, Strip};
use crate::web::desk::{Desk, Stretch, thinned};
use crate::web::pool::Work;
use crate::web::query::{Asked, Query};

/// `flatfoot.compare/1`, with charts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ComparePage {
    /// As `flatfoot compare --json` has it.
    #[serde(flatten)]
    document: CompareDocument,
    /// Each figure before and after; times are seconds since each window's beginning.
    charts: Vec<Chart>,
}

/// A figure, and how it is called: name, title, unit.
type Figure = (&'static str, &'static str, &'static str, &'static [Column]);

const OF_PROCESS: [Figure; 4] = [
    ("threads", "Threads", "count", &[Column::Threads]),
    ("private", "Private memory", "bytes", &[Column::Data]),
    ("resident", "Resident memory", "bytes", &[Column::Resident]),
    ("descriptors", "Open descriptors", "count", &[Column::Descriptors]),
];
const OF_HOST: [Figure; 3] = [
    ("committed", "Committed memory", "bytes", &[Column::HostCommitted]),
    ("used", "Used memory", "bytes", &[Column::HostTotal, Column::HostAvailable]),
    ("tasks", "Tasks", "count", &[Column::HostTasks]),
];

pub(super) fn work(query: &Query) -> Result<Work<Desk>> {
    let pixels = query.pixels()?;
    let (a, b) = (query.times("a_from", "a_to")?, query.times("b_from", "b_to")?);
    let process = query.text("process").map(str::to_owned);
    for (name, asked) in [("a", a), ("b", b)] {
        if asked.from.is_none() || asked.to.is_none() {
            let error = format!("{name}_from, {name}_to: which time?");
            return Err(Problem::not_understood(error, "a_from, a_to, b_from and b_to, in Unix seconds"));
        }
    }
    Ok(Box::new(move |desk| {
        if desk.common.served.only_looks {
            let hint = "flatfoot compare BEFORE AFTER compares two case files";
            return Err(Problem::not_there("a case of looks alone has no times to compare", hint));
        }
        let one = process.as_deref().map(|id| desk.process(id, None)).transpose()?;
        let (before, after) = (Half::of(desk, a, one.as_ref())?, Half::of(desk, b, one.as_ref())?);
        let (was, is) = (before.side(desk, "before")?, after.side(desk, "after")?);
        let (processes, findings) = compare(&was, &is);
        let document = CompareDocument::new(&was, &is, &processes, &findings);
        let charts = charts(desk, &before, &after, one.is_some(), pixels)?;
        Answer::json(&ComparePage { document, charts }, 30.0)
    }))
}

/// One of the two times.
struct Half {
    stretch: Stretch,
    /// Who is compared; everybody when nobody is said.
    members: Vec<Found>,
    everybody: bool,
}

impl Half {
    fn of(desk: &mut Desk, asked: Asked, one: Option<&Found>) -> Result<Self> {
        let stretch = desk.stretch(asked)?;
        let window = Window::new(stretch.from_ms, stretch.to_ms);
        let identity = |one: &Found| analyse::identity(&named(&one.known.incarnation));
        let mut members = Vec::new();
        if let Some(one) = one {
            let own = (identity(one), one.known.incarnation.name.clone());
            let found = desk.found()?;
            let fits = |other: &&Found| {
                window.meets(other.first_unix_ms, other.last_unix_ms)
                    && other.known.incarnation.name == own.1
                    && identity(other) == own.0
            };
            // What ran in its place when it was not there, and none that ran beside it.
            if window.meets(one.first_unix_ms, one.last_unix_ms) {
                members.push(one.clone());
            } else {
                members.extend(found.iter().filter(fits).cloned());
            }
            if members.is_empty() {
                let from = crate::present::time::local(stretch.range().from);
                let error = format!("{} was not there at {from}", own.1);
                return Err(Problem::not_there(error, "choose a time at which it lived"));
            }
        }
        Ok(Self { stretch, members, everybody: one.is_none() })
    }

    fn side(&self, desk: &Desk, name: &str) -> Result<Side> {
        let range = self.stretch.range();
        let span = crate::moment::Span { from: range.from, to: range.to };
        let source = crate::source::RecordedSource::open(&desk.common.served.path, Some(span))?;
        Ok(Side::look(name, Chosen { source: Box::new(source), pids: self.pids() }, 0.0)?)
    }

    /// Who is compared; none for everybody.
    fn pids(&self) -> Vec<model::Pid> {
        let mut pids: Vec<model::Pid> =
            self.members.iter().map(|one| one.known.incarnation.key.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// A figure over this time; of several processes their sum.
    fn strip(&self, desk: &mut Desk, columns: &[Column], grid: &Grid) -> Result<Strip> {
        let window = self.stretch.window(grid);
        let end_ms = self.stretch.to_ms.min(self.stretch.last_ms);
        let reader = desk.reader()?;
        let mut sum = Strip::empty(grid.columns);
        let numbers: Vec<(ProcessNo, i64)> = if self.everybody {
            vec![(ProcessNo::HOST, end_ms)]
        } else {
            self.members.iter().map(|one| (one.known.process, one.last_unix_ms.min(end_ms))).collect()
        };
        for (no, until_ms) in numbers {
            let series = thinned(reader, no, columns, window, grid)?;
            let mut strips = series.iter().map(|series| grid.strip(series, until_ms));
            let Some(first) = strips.next() else { continue };
            sum.add(&strips.next().map_or_else(|| first.clone(), |other| first.less(&other)));
        }
        Ok(sum)
    }
}

fn charts(
    desk: &mut Desk,
    before: &Half,
    after: &Half,
    is_process: bool,
    pixels: usize,
) -> Result<Vec<Chart>> {
    let (a, b) = (&before.stretch, &after.stretch);
    let span_ms = (a.to_ms - a.from_ms).max(b.to_ms - b.from_ms);
    let pace_ms = a.pace_ms.max(b.pace_ms);
    let grids =
        [a, b].map(|half| Grid::new(half.from_ms, half.from_ms.saturating_add(span_ms), pixels, pace_ms));
    let [first, second] = &grids;
    let figures: &[Figure] = if is_process { &OF_PROCESS } else { &OF_HOST };
    let mut charts = Vec::new();
    for (name, title, unit, columns) in figures {
        let strips = [before.strip(desk, columns, first)?, after.strip(desk, columns, second)?];
        if strips.iter().all(Strip::is_empty) {
            continue;
        }
        let [was, is] = strips;
        let times = Grid::new(0, span_ms, pixels, pace_ms).times();
        charts.push(Chart {
            series: vec![was.line("before"), is.line("after")],
            command: command(desk, before, after),
            times,
            ..first.chart(name, title, unit)
        });
    }
    Ok(charts)
}

/// One process may have another pid before and after: both are named.
fn command(desk: &Desk, before: &Half, after: &Half) -> String {
    let side = |half: &Half| {
        let range = half.stretch.range();
        let at = crate::present::time::rfc3339;
        format!("{}..{}", at(range.from), at(range.to))
    };
    let path = super::marks::quoted(&desk.common.served.path.display().to_string());
    let mut pids: Vec<model::Pid> = [before, after].iter().flat_map(|half| half.pids()).collect();
    pids.sort_unstable();
    pids.dedup();
    let mut command = format!("flatfoot compare {} {}", side(before), side(after));
    for pid in pids {
        let _ = write!(command, " --only {pid}");
    }
    command + " --store " + &path
}
