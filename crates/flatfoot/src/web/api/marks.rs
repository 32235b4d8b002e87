//! What charts of any kind carry besides their lines: moments, gaps, and the command that shows the same.

use store::history::Found;

use crate::analyse;
use crate::present::time;
use crate::source::named;
use crate::web::answer::Result;
use crate::web::charts::{Hole, Marker};
use crate::web::desk::{Desk, Stretch};
use crate::web::served::By;

/// Of one chart.
const MOST: usize = 200;

/// When the host was restarted.
pub(super) fn of_host(desk: &mut Desk, stretch: &Stretch) -> Result<Vec<Marker>> {
    let coverage = desk.coverage()?;
    let mut markers: Vec<Marker> = coverage
        .windows(2)
        .filter(|pair| matches!(pair, [before, after] if before.boot != after.boot))
        .filter_map(|pair| pair.get(1))
        .filter(|after| is_within(stretch, after.first_unix_ms))
        .map(|after| Marker {
            at: after.first_unix_ms as f64 / 1e3,
            kind: "reboot",
            text: "the host was restarted".to_owned(),
        })
        .collect();
    if let Some(judged) = desk.common.judged() {
        for finding in &judged.diagnosis().findings {
            if let Some((first, _)) =
                finding.seen.filter(|(first, _)| is_within(stretch, (first * 1e3) as i64))
            {
                let name = format!("{}[{}]", finding.process.name, finding.process.pid);
                let text = format!("{} in {name} begins", finding.kind.title().to_lowercase());
                markers.push(Marker { at: first, kind: "finding", text });
            }
        }
    }
    markers.truncate(MOST);
    Ok(markers)
}

/// When a process was started, restarted, and ended.
pub(super) fn of_process(one: &Found, restarts: &[Found], stretch: &Stretch) -> Vec<Marker> {
    let mut markers = Vec::new();
    let mut mark = |at_ms: i64, kind: &'static str, text: String| {
        if is_within(stretch, at_ms) && markers.len() < MOST {
            markers.push(Marker { at: at_ms as f64 / 1e3, kind, text });
        }
    };
    let who = &one.known.incarnation;
    mark((who.started_unix_s * 1e3) as i64, "start", format!("started as {}", who.key.pid));
    if one.known.ended_boot_ms.is_some() {
        mark(one.last_unix_ms, "end", "ended".to_owned());
    }
    for other in restarts {
        let who = &other.known.incarnation;
        let at_ms = (who.started_unix_s * 1e3) as i64;
        let text = if other.first_unix_ms > one.first_unix_ms {
            format!("started again as {}", who.key.pid)
        } else {
            format!("started before as {}", who.key.pid)
        };
        mark(at_ms, "restart", text);
    }
    markers
}

/// Others that are the same program or service before and after: none that ran beside it.
pub(super) fn restarts(one: &Found, all: &[Found]) -> Vec<Found> {
    const MOST_RESTARTS: usize = 100;
    let identity = |one: &Found| analyse::identity(&named(&one.known.incarnation));
    let own = identity(one);
    let apart = |other: &Found| {
        other.last_unix_ms <= one.first_unix_ms.saturating_add(1_000)
            || one.known.ended_boot_ms.is_some()
                && other.first_unix_ms.saturating_add(1_000) >= one.last_unix_ms
    };
    let mut restarts: Vec<Found> = all
        .iter()
        .filter(|other| other.known.process != one.known.process)
        .filter(|other| other.known.incarnation.name == one.known.incarnation.name)
        .filter(|other| apart(other) && identity(other) == own)
        .cloned()
        .collect();
    restarts.sort_by_key(|other| other.first_unix_ms);
    let excess = restarts.len().saturating_sub(MOST_RESTARTS);
    restarts.drain(..excess);
    restarts
}

/// Where nothing was recorded.
pub(super) fn gaps(desk: &mut Desk, stretch: &Stretch) -> Result<Vec<Hole>> {
    let coverage = desk.coverage()?;
    let mut gaps = Vec::new();
    for pair in coverage.windows(2) {
        let [before, after] = pair else { continue };
        let (from_ms, to_ms) = (before.last_unix_ms, after.first_unix_ms);
        let step_ms = i64::try_from(after.step_ms.max(before.step_ms)).unwrap_or(i64::MAX);
        let is_gap = before.boot != after.boot
            || to_ms.saturating_sub(from_ms) > step_ms.saturating_mul(3).max(stretch.pace_ms * 3);
        if is_gap && from_ms < stretch.to_ms && to_ms > stretch.from_ms && gaps.len() < MOST {
            let why = if before.boot == after.boot { "not recorded" } else { "the host was restarted" };
            gaps.push(Hole { from: from_ms as f64 / 1e3, to: to_ms as f64 / 1e3, why });
        }
    }
    let end = coverage.last().map(|last| last.last_unix_ms);
    if let Some(end) =
        end.filter(|end| *end >= stretch.from_ms && stretch.to_ms - end > 3 * stretch.pace_ms.max(1_000))
    {
        gaps.push(Hole { from: end as f64 / 1e3, to: stretch.to_ms as f64 / 1e3, why: "not recorded" });
    }
    Ok(gaps)
}

/// The flags that show the same time on a terminal: ` --since "…..…" --store …`.
pub(super) fn when(desk: &Desk, stretch: &Stretch) -> String {
    let served = &desk.common.served;
    let path = served.path.display().to_string();
    match (served.by, stretch.open) {
        (By::Case, _) => format!(" {}", quoted(&path)),
        // What the page keeps is gone with it.
        (By::Page, _) => String::new(),
        (By::Recorder, true) if desk.common.is_live() => {
            let hours = ((stretch.to_ms - stretch.from_ms) as f64 / 3.6e6).ceil().max(1.0);
            format!(" --since {hours:.0}h --store {}", quoted(&path))
        }
        (By::Recorder, _) => {
            let range = stretch.range();
            let (from, to) = (time::rfc3339(range.from), time::rfc3339(range.to));
            format!(" --since {from}..{to} --store {}", quoted(&path))
        }
    }
}

/// For a shell.
pub(in crate::web) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn is_within(stretch: &Stretch, at_ms: i64) -> bool {
    (stretch.from_ms..stretch.to_ms).contains(&at_ms)
}
