//! One process as commands, the live view and the page show it: what is read for each view, and the view model made of it.
//! Reading alone (access level `read`), from any source.

use anyhow::Result;
use model::Pid;
use probe::{Parts, SpaceDepth, ThreadDepth};

use crate::analyse::{Analyser, Tracked};
use crate::commands::{How, Outcome, diagnose};
use crate::failure::{Code, Failure};
use crate::present::map::MapDocument;
use crate::present::threads::{GroupRow, JavaStackRow, ThreadsDocument};
use crate::source::{Ask, OfHost, Source};
use crate::target::Chosen;

/// What leaks, by reading: of some processes with all that is known of them, or of everybody. Nothing is saved.
pub(crate) fn diagnosis(source: Box<dyn Source>, pids: Vec<Pid>) -> Result<Outcome> {
    diagnose(Chosen { source, pids }, How::default())
}

/// The threads of a process, by pattern.
pub(crate) fn threads(source: &mut dyn Source, pid: Pid) -> Result<ThreadsDocument> {
    let mut analyser = look_at(source, pid, parts_of_threads(), OfHost::Clocks)?;
    analyser.group_threads();
    let tracked = analyser.by_pid(pid).ok_or_else(|| gone(pid))?;
    let threads = tracked.reading.threads.value().ok_or_else(|| no_threads(tracked))?;
    let mut document = threads_of(&analyser, tracked, threads.len() as u64, source.origin());
    if let Some(inside) = tracked.reading.inside.value() {
        for (row, group) in document.groups.iter_mut().zip(&tracked.groups) {
            row.java_stack = JavaStackRow::of(group, &inside.threads);
        }
        document.owners = inside.owners.iter().map(Into::into).collect();
    }
    Ok(document)
}

/// A process's memory, with what it was made from: mappings and stacks of one look.
pub(crate) struct Mapped {
    pub(crate) document: MapDocument,
    pub(crate) analyser: Analyser,
}

/// The memory of a process by class; `depth` says how much is read of it.
pub(crate) fn map(source: &mut dyn Source, pid: Pid, depth: SpaceDepth) -> Result<Mapped> {
    let analyser = look_at(source, pid, parts_of_map(depth), OfHost::Boot)?;
    let document = map_of(&analyser, pid, source.origin())?;
    Ok(Mapped { document, analyser })
}

/// What is read for a view of threads.
pub(crate) fn parts_of_threads() -> Parts {
    Parts {
        status: true,
        cmdline: true,
        jvm: true,
        cgroups: true,
        threads: ThreadDepth::WithStacks,
        space: SpaceDepth::Touched,
        ..Parts::overview()
    }
}

/// What is read for a view of memory.
pub(crate) fn parts_of_map(depth: SpaceDepth) -> Parts {
    Parts {
        times: false,
        cmdline: true,
        cgroups: true,
        threads: ThreadDepth::StacksOnly,
        space: depth,
        ..Parts::overview()
    }
}

/// What one process's views are made of: the looks at it, of which a live source gives one.
pub(crate) fn look_at(source: &mut dyn Source, pid: Pid, parts: Parts, host: OfHost) -> Result<Analyser> {
    let mut analyser = Analyser::default();
    let ask = Ask { host, ..Ask::once(vec![pid], parts) };
    source.looks(&ask, &mut |look| {
        analyser.push(look);
        Ok(())
    })?;
    analyser.take_past(source.past(&ask)?);
    Ok(analyser)
}

/// The view model of threads, of what was read.
pub(crate) fn threads_of(
    analyser: &Analyser,
    tracked: &Tracked,
    count: u64,
    origin: String,
) -> ThreadsDocument {
    let mut remarks = Vec::new();
    if let Some((missing, why)) = tracked.memory.as_ref().and_then(|m| m.stacks_missing.as_ref()) {
        remarks.push(format!("{missing} stacks were not found: {why}"));
    }
    if let Some(why) = tracked.reading.space.absence() {
        remarks.push(format!("stacks: {why}"));
    }
    let births = |group| analyser.births(tracked, group).map(|rate| rate.per_s);
    let row = |group| GroupRow::new(group, &analyser.host, tracked.now_boot_s, births(group));
    ThreadsDocument {
        schema: "flatfoot.threads/1",
        origin,
        process: analyser.process_ref(tracked),
        threads: count,
        groups: tracked.groups.iter().map(row).collect(),
        owners: Vec::new(),
        remarks,
        impact: analyser.impact(),
    }
}

/// The view model of memory, of what was read.
pub(crate) fn map_of(analyser: &Analyser, pid: Pid, origin: String) -> Result<MapDocument> {
    let tracked = analyser.by_pid(pid).ok_or_else(|| gone(pid))?;
    let (Some(space), Some(memory)) = (tracked.reading.space.value(), tracked.memory.as_ref()) else {
        return Err(no_map(tracked).into());
    };
    let process = analyser.process_ref(tracked);
    Ok(MapDocument::new(origin, process, &tracked.reading, space, memory, analyser.impact()))
}

/// Why there is no list of threads.
pub(crate) fn no_threads(tracked: &Tracked) -> Failure {
    let pid = tracked.reading.key.pid;
    let why = tracked.reading.threads.absence().unwrap_or_default();
    Failure::new(
        Code::Failed,
        format!("/proc/{pid}/task: {why}"),
        "flatfoot doctor shows what can be read here",
    )
}

/// Why there is no map.
fn no_map(tracked: &Tracked) -> Failure {
    let pid = tracked.reading.key.pid;
    if tracked.reading.stat.is_kernel_thread() {
        let message = format!("{pid} is a thread of the kernel and has no memory of its own");
        return Failure::new(Code::Failed, message, "flatfoot top shows processes");
    }
    let why = tracked.reading.space.absence().unwrap_or_default();
    Failure::new(
        Code::Failed,
        format!("/proc/{pid}/maps: {why}"),
        "flatfoot doctor shows what can be read here",
    )
}

/// It ended before it could be read.
pub(crate) fn gone(pid: Pid) -> Failure {
    Failure::new(
        Code::Ended,
        format!("process {pid} ended while it was read"),
        "flatfoot top shows the processes that run",
    )
}
