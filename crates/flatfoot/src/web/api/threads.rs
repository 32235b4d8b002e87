//! `GET /api/v1/processes/ID/threads`: patterns, births, and who starts them.

use std::collections::HashMap;

use model::{Cadence, CreatedBy, EventKind, Finding, Frame, Pid, Text, Ticks};
use schemars::JsonSchema;
use serde::Serialize;
use store::history::{Found, Happened};

use crate::analyse::{Analyser, Tracked};
use crate::present;
use crate::present::threads::{JavaStackRow, ThreadsDocument};
use crate::views;
use crate::web::answer::{Answer, Result};
use crate::web::desk::{Desk, Range, Stretch};
use crate::web::pool::Work;
use crate::web::query::Query;

/// Births that are told, the newest.
const MOST_BIRTHS: usize = 20_000;
/// Frames of a stack, from the outside.
const DEPTH: usize = 64;

/// `flatfoot.threads/1`, with what the page needs besides.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ThreadsPage {
    /// As `flatfoot threads --json` has it.
    #[serde(flatten)]
    document: ThreadsDocument,
    /// The time that is shown.
    range: Range,
    /// Of each thread that is there or was recorded, oldest first.
    births: Vec<Birth>,
    /// Older ones that are not in `births`.
    births_left_out: u64,
    /// Who started them; null when no birth was seen.
    stacks: Option<Node>,
    /// The rhythms of the patterns, for the raster.
    schedules: Vec<Rhythm>,
}

/// A thread's birth.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct Birth {
    /// Unix seconds.
    at: f64,
    /// The place of its pattern in `groups`.
    pattern: Option<usize>,
    /// Its id.
    tid: Pid,
    /// Its name.
    name: Text,
    /// When it ended, in Unix seconds; null while it is there.
    ended: Option<f64>,
}

/// A frame, and what it called.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Node {
    /// `PoolFactory.make:33`; `all` at the root.
    name: String,
    /// Jar or library.
    origin: Option<String>,
    /// `jdk`, `runtime`, `framework`, `library`, `application`.
    role: Option<String>,
    /// Births that came by it.
    value: u64,
    children: Vec<Node>,
}

/// A rhythm of a pattern.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct Rhythm {
    /// The place of the pattern in `groups`.
    pattern: usize,
    #[serde(flatten)]
    cadence: Cadence,
}

pub(super) fn work(id: &str, query: &Query) -> Result<Work<Desk>> {
    let id = super::segment(id)?;
    let asked = query.times("from", "to")?;
    Ok(Box::new(move |desk| {
        let stretch = desk.stretch(asked)?;
        let one = desk.process(&id, Some(&stretch))?;
        let (seen, origin) = desk.look(&one, &stretch)?;
        let key = one.known.incarnation.key;
        let tracked = seen.processes.get(&key).ok_or_else(|| anyhow::Error::from(views::gone(key.pid)))?;
        let threads = tracked.reading.threads.value();
        let count = threads.map_or(tracked.reading.stat.threads, |threads| threads.len() as u64);
        let mut document = views::threads_of(&seen, tracked, count, origin);
        if threads.is_none() {
            document
                .remarks
                .push(format!("threads: {}", tracked.reading.threads.absence().unwrap_or_default()));
        }
        if let Some(inside) = tracked.reading.inside.value() {
            for (row, group) in document.groups.iter_mut().zip(&tracked.groups) {
                row.java_stack = JavaStackRow::of(group, &inside.threads);
            }
            document.owners = inside.owners.iter().map(Into::into).collect();
        }
        let (births, births_left_out) = births(desk, &one, &stretch, &seen, tracked)?;
        let cadence = |(pattern, group): (usize, &model::ThreadGroup)| {
            let of = group.cadence.cadences.clone();
            of.into_iter().map(move |cadence| Rhythm { pattern, cadence })
        };
        let mut range = stretch.range();
        if asked.from.is_none() {
            // Births are known from before anything was recorded: a rhythm is seen best in all of them.
            range.from = births.first().map_or(range.from, |first| range.from.min(first.at));
        }
        let page = ThreadsPage {
            schedules: tracked.groups.iter().enumerate().flat_map(cadence).collect(),
            document,
            range,
            births,
            births_left_out,
            stacks: stacks(&desk.findings_of(key)),
        };
        Answer::json(&page, if stretch.open { 2.0 } else { 30.0 })
    }))
}

/// Those that are there, and those that were recorded.
fn births(
    desk: &mut Desk,
    one: &Found,
    stretch: &Stretch,
    seen: &Analyser,
    tracked: &Tracked,
) -> Result<(Vec<Birth>, u64)> {
    let host = &seen.host;
    let per_second = host.ticks_per_second.max(1);
    let mut places: HashMap<Pid, usize> = HashMap::new();
    for (place, group) in tracked.groups.iter().enumerate() {
        places.extend(group.members.iter().map(|tid| (*tid, place)));
    }
    let mut all: HashMap<(Pid, Ticks), Birth> = HashMap::new();
    for thread in tracked.reading.threads.value().into_iter().flatten() {
        let birth = Birth {
            at: host.unix_from_boot(thread.start.seconds(per_second)),
            pattern: places.get(&thread.tid).copied(),
            tid: thread.tid,
            name: thread.name.clone(),
            ended: None,
        };
        all.insert((thread.tid, thread.start), birth);
    }
    let events =
        if desk.common.served.only_looks { Vec::new() } else { desk.reader()?.events(stretch.events())? };
    for happened in events.iter().filter(|happened| happened.event.process == one.known.process) {
        let at = host.unix_from_boot(happened_start(happened, per_second));
        match &happened.event.what {
            EventKind::ThreadBorn { tid, start, name } => {
                let pattern = places.get(tid).copied().filter(|_| all.contains_key(&(*tid, *start)));
                all.entry((*tid, *start)).or_insert_with(|| Birth {
                    at,
                    pattern,
                    tid: *tid,
                    name: name.clone(),
                    ended: None,
                });
            }
            EventKind::ThreadEnded { tid, start, name } => {
                let ended = Some(happened.at_unix_ms as f64 / 1e3);
                let birth = all.entry((*tid, *start)).or_insert_with(|| Birth {
                    at,
                    pattern: None,
                    tid: *tid,
                    name: name.clone(),
                    ended,
                });
                birth.ended = ended;
            }
            _ => {}
        }
    }
    let mut births: Vec<Birth> = all.into_values().collect();
    births.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.tid.cmp(&b.tid)));
    let left_out = births.len().saturating_sub(MOST_BIRTHS);
    births.drain(..left_out);
    name_patterns(&mut births, tracked);
    Ok((births, left_out as u64))
}

/// When the thread of an event was born, in seconds since boot.
fn happened_start(happened: &Happened, per_second: u64) -> f64 {
    match &happened.event.what {
        EventKind::ThreadBorn { start, .. } | EventKind::ThreadEnded { start, .. } => {
            start.seconds(per_second)
        }
        _ => 0.0,
    }
}

/// The ended ones belong to the pattern that their names fall into, together with those that are there.
fn name_patterns(births: &mut [Birth], tracked: &Tracked) {
    if births.iter().all(|birth| birth.pattern.is_some()) {
        return;
    }
    let names: Vec<String> = births.iter().map(|birth| birth.name.as_str().to_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for group in detect::names::fold(&names) {
        let known = group.members.iter().find_map(|at| births.get(*at)?.pattern);
        let same = || tracked.groups.iter().position(|one| one.pattern.as_str() == group.pattern);
        let Some(place) = known.or_else(same) else { continue };
        for at in group.members {
            if let Some(birth) = births.get_mut(at) {
                birth.pattern.get_or_insert(place);
            }
        }
    }
}

/// The stacks at births, as a tree from the outermost frame.
pub(super) fn stacks(findings: &[Finding]) -> Option<Node> {
    let mut root = Node { name: "all".to_owned(), origin: None, role: None, value: 0, children: Vec::new() };
    let seen = |by: &&CreatedBy| by.births > 0 && !by.frames.is_empty() && by.source != "owner";
    for by in findings.iter().flat_map(|finding| &finding.created_by).filter(seen) {
        root.add(by.frames.iter().rev().take(DEPTH), by.births);
    }
    (root.value > 0).then_some(root)
}

impl Node {
    fn add<'a>(&mut self, frames: impl Iterator<Item = &'a Frame>, births: u64) {
        self.value = self.value.saturating_add(births);
        let mut node = self;
        for frame in frames {
            let name = present::frame_place(frame);
            let known =
                node.children.iter().position(|child| child.name == name && child.origin == frame.origin);
            let at = known.unwrap_or_else(|| {
                let role = (!frame.role.is_empty()).then(|| frame.role.clone());
                node.children.push(Self {
                    name,
                    origin: frame.origin.clone(),
                    role,
                    value: 0,
                    children: Vec::new(),
                });
                node.children.len() - 1
            });
            let Some(child) = node.children.get_mut(at) else { return };
            node = child;
            node.value = node.value.saturating_add(births);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_become_a_tree_from_the_outside() {
        let frame = |symbol: &str| Frame {
            symbol: symbol.to_owned(),
            role: "library".to_owned(),
            ..Frame::default()
        };
        let by = |births: u64, frames: &[&str]| CreatedBy {
            source: "agent".to_owned(),
            births,
            frames: frames.iter().map(|symbol| frame(symbol)).collect(),
            ..CreatedBy::default()
        };
        let finding = Finding {
            created_by: vec![
                by(3, &["start", "make", "main"]),
                by(2, &["start", "other", "main"]),
                by(0, &["site"]),
            ],
            ..present::testing::finding("pool-*")
        };
        let tree = stacks(&[finding]).unwrap();
        assert_eq!((tree.value, tree.children.len(), tree.children[0].value), (5, 1, 5));
        let names: Vec<(&str, u64)> =
            tree.children[0].children.iter().map(|c| (c.name.as_str(), c.value)).collect();
        assert_eq!(names, [("make", 3), ("other", 2)]);
        assert!(stacks(&[]).is_none());
    }
}
