//! Where looks come from: the live host or a case file. Every command works on either through one trait.

mod case;
mod live;
mod recorded;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use detect::rules::Point;
use model::{Look, Pid, ProcessKey, Thread};
use probe::{Glance, Parts, ProcRoot};

pub(crate) use case::CaseSource;
pub(crate) use live::{LiveSource, parts_of_everybody};
pub(crate) use recorded::{RecordedSource, named};

use crate::analyse::Ended;
use crate::target::Spec;

/// What a command wants to know of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfHost {
    /// When it booted: what times count from.
    Boot,
    /// And its time zone.
    Clocks,
    /// And memory, pressure and limits: some twenty files.
    Figures,
    /// And, in the first look, schedules and the kernel's log.
    Surroundings,
}

/// What a command wants to know.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// These processes; everybody when empty.
    pub(crate) pids: Vec<Pid>,
    /// What to read of each.
    pub(crate) parts: Parts,
    /// Threads are read only of processes that have at least so many.
    pub(crate) threads_from: u64,
    /// What to read of the host.
    pub(crate) host: OfHost,
    /// How long to watch; 0 for one look.
    pub(crate) watch_s: f64,
    /// Seconds between looks.
    pub(crate) interval_s: f64,
}

impl Ask {
    /// One look at some processes.
    pub(crate) fn once(pids: Vec<Pid>, parts: Parts) -> Self {
        Self { pids, parts, threads_from: 0, host: OfHost::Figures, watch_s: 0.0, interval_s: 1.0 }
    }
}

/// How looking went.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// What was lost on the way, a sentence each.
    pub(crate) remarks: Vec<String>,
    /// Did the targets end before the time was over?
    pub(crate) ended: bool,
}

/// What was recorded before the look.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// Figures of processes, oldest first.
    pub(crate) points: HashMap<ProcessKey, Vec<Point>>,
    /// Threads that ended.
    pub(crate) ended: HashMap<ProcessKey, Ended>,
    /// The host's own figures, oldest first.
    pub(crate) host: Vec<HostPoint>,
}

/// The host at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct HostPoint {
    /// When, in Unix seconds.
    pub(crate) at_unix_s: f64,
    /// Committed_AS, the most of the stretch that the point stands for.
    pub(crate) committed: Option<u64>,
    /// CommitLimit.
    pub(crate) limit: Option<u64>,
    /// Memory that is in use: all of it less what is available.
    pub(crate) used: Option<u64>,
}

/// A thread whose birth was recorded.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Whose.
    pub(crate) process: ProcessKey,
    pub(crate) thread: Thread,
}

/// A source of looks.
pub(crate) trait Source {
    /// Is it the running host?
    fn is_live(&self) -> bool;

    /// /proc, where more than reading is possible; `None` for a recorded source.
    fn root(&self) -> Option<&ProcRoot> {
        None
    }

    /// Where the looks come from, for people: `this host`, `7c1e.flatfoot (torquebox-1, 2026-03-01 03:12)`.
    fn origin(&self) -> String;

    /// The processes that fit a description.
    fn find(&mut self, spec: &Spec) -> Result<Vec<Pid>>;

    /// All processes at a glance, for choosing whom to look at; `None` where looks cost nothing, as they are recorded.
    fn glance(&mut self) -> Result<Option<Vec<Glance>>> {
        Ok(None)
    }

    /// The processes that a recorded source holds in full; empty for a live one.
    fn detailed(&mut self) -> Result<Vec<Pid>>;

    /// What growth is judged from besides the looks; nothing but for a recorder's store.
    fn past(&mut self, _ask: &Ask) -> Result<Past> {
        Ok(Past::default())
    }

    /// Threads whose births were recorded, the ended ones included; none for a source of looks alone.
    fn lives(&mut self, _pids: &[Pid]) -> Result<Vec<Life>> {
        Ok(Vec::new())
    }

    /// Writes a case file of what was recorded of some processes, or of all; `None` for a source that has no more than
    /// its looks.
    fn export(
        &self,
        _pids: &[Pid],
        _redact: bool,
        _path: &Path,
        _about: &store::About,
    ) -> Option<Result<u64>> {
        None
    }

    /// Gives each look to `on_look`, oldest first. A recorded source gives what it has of what is asked for.
    fn looks(&mut self, ask: &Ask, on_look: &mut dyn FnMut(Look) -> Result<()>) -> Result<Watched>;
}
