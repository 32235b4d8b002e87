//! The host around the processes: its memory over time, and who has most of it.

use model::{Bytes, ProcessRef, show};

use super::chart::{self, HEIGHT, MOST_ROWS};
use super::scale::Unit;
use super::writer::Html;
use crate::analyse::{Analyser, Tracked};
use crate::present::{diagnosis as words, time};
use crate::source::HostPoint;

/// Points below which there is no line to speak of.
const LEAST: usize = 3;
/// Stretches of a line.
const MOST_POINTS: usize = 150;
/// Processes in the table.
const MOST_PROCESSES: usize = 15;

/// A figure of the host.
type Figure = (&'static str, &'static str, fn(&HostPoint) -> Option<u64>);

/// What is drawn, and how.
const FIGURES: [Figure; 3] = [
    ("line leak", "committed: promised to processes", |point| point.committed),
    ("line", "used: not available", |point| point.used),
    ("line warn", "limit of what can be promised", |point| point.limit),
];

/// Is there anything to draw over time?
pub(super) fn has_past(analyser: &Analyser) -> bool {
    analyser.host_past().len() >= LEAST
}

/// Promised, used and the limit, over time.
pub(super) fn memory(html: &mut Html, analyser: &Analyser) {
    let points = analyser.host_past();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    if points.len() < LEAST {
        return;
    }
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), |bytes| show::bytes(Bytes(bytes)));
    let says = format!(
        "Committed: {} at {}, {} at {}; used: {}, then {}.",
        bytes(first.committed),
        time::local(first.at_unix_s),
        bytes(last.committed),
        time::local(last.at_unix_s),
        bytes(first.used),
        bytes(last.used)
    );
    let of = |figure: fn(&HostPoint) -> Option<u64>| -> Vec<(f64, f64)> {
        points.iter().filter_map(|point| Some((point.at_unix_s, figure(point)? as f64))).collect()
    };
    // A limit far above all else would press the rest to the ground.
    let most = |figure: fn(&HostPoint) -> Option<u64>| points.iter().filter_map(figure).max().unwrap_or(0);
    let top = most(|point| point.committed).max(most(|point| point.used));
    let limit = most(|point| point.limit);
    let drawn = |class: &str| class != "line warn" || limit <= top.saturating_mul(3);
    chart::figure(html, "Memory of the host over time", &says, HEIGHT, |html| {
        let y = chart::up(html, Unit::Bytes, if drawn("line warn") { top.max(limit) } else { top } as f64);
        let offset_s = f64::from(analyser.host.utc_offset_s);
        let x = chart::along(html, first.at_unix_s, last.at_unix_s, offset_s);
        for (class, _, figure) in FIGURES.iter().filter(|(class, ..)| drawn(class)) {
            let seen = of(*figure);
            for stretch in chart::stretches(&seen).into_iter().filter(|stretch| !stretch.is_empty()) {
                let few = chart::reduced(stretch, MOST_POINTS);
                let path = chart::through(few.into_iter().map(|(at, value)| (x.at(at), y.at(value))));
                html.shape("path", &[("class", class), ("d", &path)]);
            }
        }
    });
    let keys: Vec<(&str, &str)> = FIGURES
        .iter()
        .filter(|(class, ..)| drawn(class))
        .map(|(class, name, _)| (class.trim_start_matches("line "), *name))
        .collect();
    chart::legend(html, &keys);
    let rows: Vec<Vec<String>> = chart::thinned(points, MOST_ROWS / 2)
        .into_iter()
        .map(|point| {
            let figures = FIGURES.iter().map(|(_, _, figure)| bytes(figure(&point)));
            std::iter::once(time::local(point.at_unix_s)).chain(figures).collect()
        })
        .collect();
    chart::numbers(html, "memory of the host over time", &["Time", "Committed", "Used", "Limit"], &rows);
}

/// The processes that have most committed. `shown`: a process as it is called here.
pub(super) fn processes(html: &mut Html, analyser: &Analyser, shown: impl Fn(ProcessRef) -> ProcessRef) {
    let statm = |tracked: &Tracked| tracked.reading.statm.value().copied().unwrap_or_default();
    let mut all: Vec<&Tracked> =
        analyser.processes.values().filter(|tracked| !tracked.reading.stat.is_kernel_thread()).collect();
    all.sort_by_key(|tracked| (std::cmp::Reverse(statm(tracked).data), tracked.reading.key.pid));
    let sum: u64 = all.iter().map(|tracked| statm(tracked).data.0).sum();
    if sum == 0 {
        return;
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(MOST_PROCESSES)
        .map(|tracked| {
            let statm = statm(tracked);
            vec![
                words::called(&shown(analyser.process_ref(tracked))),
                show::bytes(statm.data),
                show::bytes(statm.resident),
                show::count(tracked.reading.stat.threads),
            ]
        })
        .collect();
    let others = match all.len().saturating_sub(MOST_PROCESSES) {
        0 => String::new(),
        n => format!(", {} others have less", show::count(n as u64)),
    };
    let caption =
        format!("Those with most private writable memory, {} in all{others}", show::bytes(Bytes(sum)));
    html.say("h3", &[], "Processes");
    let head = ["Process", "Private writable (about committed)", "Resident", "Threads"];
    chart::table(html, &caption, &head, &rows);
}
