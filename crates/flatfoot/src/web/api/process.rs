//! `GET /api/v1/processes/ID`: one process over time.

use model::{Column, Finding, FindingKind, Limit, LimitUnit, Measure, MemoryClass, Pid, Text};
use schemars::JsonSchema;
use serde::Serialize;
use store::history::{Found, Point, Series};

use super::marks;
use crate::board::{BoardRow, id};
use crate::present::time;
use crate::web::answer::{Answer, Result};
use crate::web::charts::{Chart, Grid, Growth, Strip};
use crate::web::desk::{Desk, Range, Stretch, thinned};
use crate::web::pool::Work;
use crate::web::query::Query;

/// `flatfoot.process/1`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProcessDocument {
    /// `flatfoot.process/1`.
    schema: &'static str,
    /// The time that is shown.
    range: Range,
    /// Who it is.
    process: Who,
    /// The same program or service before and after it.
    restarts: Vec<Restart>,
    /// Its figures at the end of that time; null when they are not known any more.
    row: Option<BoardRow>,
    /// Those that there are figures for.
    charts: Vec<Chart>,
    /// What was found about it.
    findings: Vec<Finding>,
    /// What it may run into, nearest first.
    limits: Vec<Limit>,
    /// What could not be judged.
    not_judged: Vec<String>,
}

/// A process, whether it lives or not.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Who {
    id: String,
    pid: Pid,
    name: Text,
    /// Unit, container or what an interpreter runs.
    label: Option<Text>,
    /// The command line.
    command: Text,
    /// RFC 3339, UTC.
    started: String,
    /// RFC 3339, UTC; null while it lives, or when nobody saw its end.
    ended: Option<String>,
    parent: Pid,
    uid: u32,
}

/// The same program or service at another time.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Restart {
    id: String,
    /// Unix seconds.
    from: f64,
    /// Unix seconds.
    to: f64,
}

pub(super) fn work(id: &str, query: &Query) -> Result<Work<Desk>> {
    let id = super::segment(id)?;
    let (asked, pixels) = (query.times("from", "to")?, query.pixels()?);
    Ok(Box::new(move |desk| {
        let stretch = desk.stretch(asked)?;
        let one = desk.process(&id, Some(&stretch))?;
        if stretch.open {
            desk.common.served.want(one.known.incarnation.key.pid);
        }
        let grid = stretch.grid(pixels);
        let restarts =
            if desk.common.served.only_looks { Vec::new() } else { marks::restarts(&one, &desk.found()?) };
        let key = one.known.incarnation.key;
        let judged = desk.common.judged();
        let findings = desk.findings_of(key);
        let limits =
            judged.as_ref().map_or_else(Vec::new, |judged| limits(&judged.outcome.analyser, key, &findings));
        let mut charts =
            Charts { desk, one: &one, stretch: &stretch, grid: &grid, findings: &findings, limits: &limits };
        let mut charts = charts.all()?;
        let markers = marks::of_process(&one, &restarts, &stretch);
        let gaps = marks::gaps(desk, &stretch)?;
        for chart in &mut charts {
            chart.markers.clone_from(&markers);
            chart.gaps.clone_from(&gaps);
        }
        let row = row(desk, &one, stretch.moment_ms())?;
        let name = format!("{}[{}]", one.known.incarnation.name, key.pid);
        let not_judged = judged.map_or_else(Vec::new, |judged| {
            judged.diagnosis().not_judged.iter().filter(|line| line.contains(&name)).cloned().collect()
        });
        let document = ProcessDocument {
            schema: "flatfoot.process/1",
            range: stretch.range(),
            process: who(&one),
            restarts: restarts.iter().map(restart).collect(),
            row,
            charts,
            findings,
            limits,
            not_judged,
        };
        Answer::json(&document, stretch.keep_s(&grid))
    }))
}

fn who(one: &Found) -> Who {
    let incarnation = &one.known.incarnation;
    Who {
        id: id(incarnation.key),
        pid: incarnation.key.pid,
        name: incarnation.name.clone(),
        label: crate::analyse::label(&crate::source::named(incarnation)),
        command: incarnation.identity.command.clone(),
        started: time::rfc3339(incarnation.started_unix_s),
        ended: one.known.ended_boot_ms.map(|_| time::rfc3339(one.last_unix_ms as f64 / 1e3)),
        parent: incarnation.parent,
        uid: incarnation.uid,
    }
}

fn restart(one: &Found) -> Restart {
    Restart {
        id: id(one.known.incarnation.key),
        from: one.first_unix_ms as f64 / 1e3,
        to: one.last_unix_ms as f64 / 1e3,
    }
}

/// Its row in the table of that moment, or of its last.
fn row(desk: &mut Desk, one: &Found, moment_ms: Option<i64>) -> Result<Option<BoardRow>> {
    let id = id(one.known.incarnation.key);
    let now = desk.with_board(moment_ms, |board| board.find(&id).and_then(|no| board.row(no, 120)))?;
    if now.is_some() || one.known.ended_boot_ms.is_none() {
        return Ok(now);
    }
    desk.with_board(Some(one.last_unix_ms.saturating_sub(1)), |board| {
        board.find(&id).and_then(|no| board.row(no, 120))
    })
}

/// What a finding says of the limits, over what the process's present state says of them.
fn limits(analyser: &crate::analyse::Analyser, key: model::ProcessKey, findings: &[Finding]) -> Vec<Limit> {
    let Some(tracked) = analyser.processes.get(&key) else { return Vec::new() };
    let mut limits: Vec<Limit> = findings.iter().flat_map(|finding| finding.limits.iter().cloned()).collect();
    for limit in analyser.limits_at(tracked, None) {
        if !limits.iter().any(|known| known.name == limit.name && known.scope == limit.scope) {
            limits.push(limit);
        }
    }
    let soon = |limit: &Limit| limit.eta_s.unwrap_or(f64::INFINITY);
    limits.sort_by(|a, b| soon(a).total_cmp(&soon(b)).then(b.used().total_cmp(&a.used())));
    limits
}

/// The charts of one process.
pub(super) struct Charts<'a> {
    pub(super) desk: &'a mut Desk,
    pub(super) one: &'a Found,
    pub(super) stretch: &'a Stretch,
    pub(super) grid: &'a Grid,
    pub(super) findings: &'a [Finding],
    pub(super) limits: &'a [Limit],
}

impl Charts<'_> {
    pub(super) fn all(&mut self) -> Result<Vec<Chart>> {
        let mut charts = self.memory()?;
        charts.extend(self.counts(
            ("threads", "Threads", "threads"),
            &[("threads", Column::Threads)],
            Some(LimitUnit::Tasks),
            Some(FindingKind::ThreadLeak),
        )?);
        charts.extend(self.counts(
            ("descriptors", "Open descriptors", "map"),
            &[("descriptors", Column::Descriptors)],
            Some(LimitUnit::Descriptors),
            Some(FindingKind::DescriptorLeak),
        )?);
        charts.extend(self.counts(
            ("children", "Child processes", "diagnose"),
            &[("alive", Column::Children), ("zombies", Column::Zombies)],
            None,
            Some(FindingKind::ChildProcessLeak),
        )?);
        charts.extend(self.bytes(
            ("heap", "Java heap", "heap"),
            &[
                ("live after collection", Column::HeapLive),
                ("used", Column::HeapUsed),
                ("limit", Column::HeapLimit),
            ],
            Some(FindingKind::JavaHeapLeak),
        )?);
        charts.extend(self.bytes(
            ("metaspace", "Metaspace", "map"),
            &[("metaspace", Column::Metaspace)],
            Some(FindingKind::MetaspaceLeak),
        )?);
        charts.extend(self.cpu()?);
        Ok(charts)
    }

    fn series(&mut self, columns: &[Column]) -> Result<Vec<Series>> {
        if self.desk.common.served.only_looks {
            return Ok(looked(self.desk, self.one, columns));
        }
        let window = self.stretch.window(self.grid);
        thinned(self.desk.reader()?, self.one.known.process, columns, window, self.grid)
    }

    /// Until when a figure that was read stands.
    fn known_until_ms(&self) -> i64 {
        self.one.last_unix_ms.min(self.stretch.known_until_ms())
    }

    fn command(&self, command: &str) -> String {
        let pid = self.one.known.incarnation.key.pid;
        format!("flatfoot {command} {pid}{}", marks::when(self.desk, self.stretch))
    }

    /// By class where classes are known, and private beside resident.
    fn memory(&mut self) -> Result<Vec<Chart>> {
        let of = |measure: Measure| MemoryClass::ALL.iter().map(move |class| Column::Class(*class, measure));
        let columns: Vec<Column> = of(Measure::Committed).chain(of(Measure::Touched)).collect();
        let series = self.series(&columns)?;
        let (committed, touched) = series.split_at((series.len() / 2).min(series.len()));
        let mut charts = Vec::new();
        let names = [("memory", "Committed memory by class"), ("memory-touched", "Touched memory by class")];
        for ((name, title), series) in names.into_iter().zip([committed, touched]) {
            let lines: Vec<(&str, Strip)> = MemoryClass::ALL
                .iter()
                .zip(series)
                .map(|(class, series)| (class.label(), self.grid.strip(series, self.known_until_ms())))
                .filter(|(_, strip)| strip.last.iter().flatten().any(|value| *value > 0.0))
                .collect();
            if !lines.is_empty() {
                charts.push(Chart {
                    stacked: true,
                    series: lines.into_iter().map(|(name, strip)| strip.line(name)).collect(),
                    command: self.command("map"),
                    growth: self.memory_growth(),
                    ..self.grid.chart(name, title, "bytes")
                });
            }
        }
        let name = if charts.is_empty() { "memory" } else { "memory-total" };
        let lines = [("private", Column::Data), ("resident", Column::Resident)];
        let limits = self.limits_of(LimitUnit::Bytes);
        let chart = self.bytes((name, "Private and resident memory", "map"), &lines, None)?;
        charts.extend(chart.map(|chart| Chart { limits, ..chart }));
        Ok(charts)
    }

    /// How the class grows that a finding is about.
    fn memory_growth(&self) -> Option<Growth> {
        let class = |finding: &&Finding| {
            MemoryClass::ALL.iter().any(|class| class.label() == finding.subject.as_str())
        };
        self.findings.iter().find(class).and_then(growth)
    }

    fn limits_of(&self, unit: LimitUnit) -> Vec<Limit> {
        self.limits.iter().filter(|limit| limit.unit == unit).cloned().collect()
    }

    fn counts(
        &mut self,
        about: (&'static str, &str, &str),
        lines: &[(&str, Column)],
        limits: Option<LimitUnit>,
        kind: Option<FindingKind>,
    ) -> Result<Option<Chart>> {
        let chart = self.chart(about, "count", lines, kind)?;
        Ok(chart.map(|chart| Chart {
            limits: limits.map_or_else(Vec::new, |unit| self.limits_of(unit)),
            ..chart
        }))
    }

    fn bytes(
        &mut self,
        about: (&'static str, &str, &str),
        lines: &[(&str, Column)],
        kind: Option<FindingKind>,
    ) -> Result<Option<Chart>> {
        self.chart(about, "bytes", lines, kind)
    }

    fn chart(
        &mut self,
        (name, title, command): (&'static str, &str, &str),
        unit: &'static str,
        lines: &[(&str, Column)],
        kind: Option<FindingKind>,
    ) -> Result<Option<Chart>> {
        let columns: Vec<Column> = lines.iter().map(|(_, column)| *column).collect();
        let series = self.series(&columns)?;
        let lines: Vec<(&str, Strip)> = lines
            .iter()
            .zip(&series)
            .map(|((name, _), series)| (*name, self.grid.strip(series, self.known_until_ms())))
            .filter(|(_, strip)| !strip.is_empty())
            .collect();
        let Some((first, _)) = lines.first() else { return Ok(None) };
        let finding = kind.and_then(|kind| self.findings.iter().find(|finding| finding.kind == kind));
        let growth = finding.and_then(growth).map(|growth| Growth { series: (*first).to_owned(), ..growth });
        Ok(Some(Chart {
            series: lines.into_iter().map(|(name, strip)| strip.line(name)).collect(),
            growth,
            command: self.command(command),
            ..self.grid.chart(name, title, unit)
        }))
    }

    fn cpu(&mut self) -> Result<Option<Chart>> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let series = self.series(&[Column::Cpu])?;
        let Some(series) = series.first() else { return Ok(None) };
        let strip = self.grid.rates(series, 1.0 / TICKS_PER_SECOND);
        Ok((!strip.is_empty()).then(|| Chart {
            series: vec![strip.line("cpu")],
            command: self.command("diagnose"),
            ..self.grid.chart("cpu", "Processor", "ratio")
        }))
    }
}

fn growth(finding: &Finding) -> Option<Growth> {
    Some(Growth {
        series: finding.subject.as_str().to_owned(),
        rate_per_s: finding.rate_per_s?,
        rate_interval: finding.rate_interval,
    })
}

/// The figures of a process in the looks of a case file, as if they had been recorded.
fn looked(desk: &Desk, one: &Found, columns: &[Column]) -> Vec<Series> {
    let judged = desk.common.judged();
    let seen = judged.as_ref().map(|judged| &judged.outcome.analyser);
    let key = one.known.incarnation.key;
    let points = seen.and_then(|seen| Some((seen, seen.processes.get(&key)?)));
    let of = |column: &Column| {
        let values = points.iter().flat_map(|(seen, tracked)| {
            tracked.history().iter().filter_map(|point| {
                let at_unix_ms = (seen.host.unix_from_boot(point.at_boot_s) * 1e3) as i64;
                let value = value(point, *column)?;
                Some(Point { at_unix_ms, value, low: value, high: value })
            })
        });
        Series { column: Some(*column), points: values.collect(), ..Series::default() }
    };
    columns.iter().map(of).collect()
}

fn value(point: &detect::rules::Point, column: Column) -> Option<u64> {
    match column {
        Column::Threads => point.threads,
        Column::Descriptors => point.descriptors,
        Column::Children => point.children.map(|(alive, _)| alive),
        Column::Zombies => point.children.map(|(_, zombies)| zombies),
        Column::Resident => point.resident.map(|bytes| bytes.0),
        Column::HeapLive => point.jvm.as_ref().and_then(|jvm| jvm.live).map(|live| live as u64),
        Column::HeapLimit => point.jvm.as_ref().and_then(|jvm| jvm.live_limit).map(|limit| limit as u64),
        Column::Class(class, measure) => {
            let (_, amounts) = point.classes.iter().find(|(known, _)| *known == class)?;
            match measure {
                Measure::Committed => Some(amounts.committed.0),
                Measure::Touched => amounts.touched.map(|bytes| bytes.0),
                Measure::Reserved => Some(amounts.reserved.0),
                Measure::Mappings => Some(amounts.maps),
            }
        }
        _ => None,
    }
}
