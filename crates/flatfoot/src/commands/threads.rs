//! flatfoot threads: who is there, and since when.

use anyhow::Result;
use detect::cadence::Window;
use detect::eta;
use model::{BirthKind, ThreadGroup};
use probe::{Parts, SpaceDepth, ThreadDepth};

use super::map::gone;
use crate::analyse::{Analyser, Tracked};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::threads::{GroupRow, ThreadsDocument, list_text};
use crate::present::{self, Term};
use crate::target;

/// The command.
pub(crate) fn run(args: &cli::Threads, term: Term) -> Result<Code> {
    interrupt::listen();
    let (mut source, pid) = target::choose_one(&args.targets, "threads")?;
    let parts = if args.list && !term.json {
        Parts { threads: ThreadDepth::Basic, ..Parts::overview() }
    } else {
        Parts {
            cmdline: true,
            cgroups: true,
            threads: ThreadDepth::WithStacks,
            space: SpaceDepth::Touched,
            ..Parts::overview()
        }
    };
    let mut analyser = super::look_at(source.as_mut(), pid, parts)?;
    let tracked = analyser.by_pid(pid).ok_or_else(|| gone(pid))?;
    let Some(threads) = tracked.reading.threads.value() else {
        let why = tracked.reading.threads.absence().unwrap_or_default();
        let hint = "flatfoot doctor shows what can be read here";
        return Err(Failure::new(Code::Failed, format!("/proc/{pid}/task: {why}"), hint).into());
    };
    if args.list && !term.json {
        present::print(&list_text(threads, &analyser.host))?;
        return Ok(Code::Clean);
    }
    let count = threads.len() as u64;
    analyser.group_threads();
    let tracked = analyser.by_pid(pid).ok_or_else(|| gone(pid))?;
    let document = document(&analyser, tracked, count, source.origin());
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&document.text(term, args.all))?;
    }
    Ok(Code::Clean)
}

fn document(analyser: &Analyser, tracked: &Tracked, count: u64, origin: String) -> ThreadsDocument {
    let mut remarks = Vec::new();
    if let Some((missing, why)) = tracked.memory.as_ref().and_then(|m| m.stacks_missing.as_ref()) {
        remarks.push(format!("{missing} stacks were not found: {why}"));
    }
    if let Some(why) = tracked.reading.space.absence() {
        remarks.push(format!("stacks: {why}"));
    }
    ThreadsDocument {
        schema: "flatfoot.threads/1",
        origin,
        process: analyser.process_ref(tracked),
        threads: count,
        groups: tracked
            .groups
            .iter()
            .map(|g| GroupRow::new(g, &analyser.host, tracked.now_boot_s, births_per_s(analyser, tracked, g)))
            .collect(),
        remarks,
        impact: analyser.impact(),
    }
}

/// Births per second at present, of groups whose births have a rhythm that goes on.
fn births_per_s(analyser: &Analyser, tracked: &Tracked, group: &ThreadGroup) -> Option<f64> {
    if group.cadence.kind != BirthKind::Regular {
        return None;
    }
    let host = &analyser.host;
    let window = Window {
        start_s: tracked.reading.stat.start.seconds(host.ticks_per_second),
        end_s: tracked.now_boot_s,
        resolution_s: 1.0 / host.ticks_per_second.max(1) as f64,
        booted_unix_s: host.booted_unix_s,
        utc_offset_s: host.utc_offset_s,
    };
    eta::rate_from_births(&group.births, &window, &group.cadence).map(|r| r.per_s)
}
