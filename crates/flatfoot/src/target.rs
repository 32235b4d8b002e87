//! Whom the user means: pids, names, units, containers, or a case file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use model::{Pid, ProcessReading};

use probe::Clock;

use crate::cli::{self, Targets};
use crate::failure::{Code, Failure};
use crate::moment::{self, Span};
use crate::recorder;
use crate::source::{CaseSource, LiveSource, RecordedSource, Source};

/// One way to name processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spec {
    Pid(Pid),
    Name(String),
    Unit(String),
    Container(String),
}

impl Spec {
    /// Does a process fit? Names are compared with `comm` (also as far as its 15 bytes go) and with the program's
    /// own name; units with and without their suffix; containers by the beginning of the id.
    pub(crate) fn fits(&self, process: &ProcessReading) -> bool {
        match self {
            Self::Pid(pid) => process.key.pid == *pid,
            Self::Name(name) => {
                let comm = process.stat.name.as_str();
                let program = process.cmdline.value().and_then(|args| args.first());
                let program = program.map_or("", |p| p.as_str().rsplit('/').next().unwrap_or(""));
                comm == name
                    || program == name
                    || (comm.len() == 15 && name.len() > 15 && name.starts_with(comm))
            }
            Self::Unit(unit) => {
                let of = process.cgroups.value().and_then(|c| c.unit.as_ref());
                of.is_some_and(|of| of.as_str() == unit || of.as_str().strip_suffix(".service") == Some(unit))
            }
            Self::Container(id) => {
                let of = process.cgroups.value().and_then(|c| c.container.as_ref());
                of.is_some_and(|of| id.len() >= 4 && of.as_str().starts_with(id.as_str()))
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Pid(pid) => format!("pid {pid}"),
            Self::Name(name) => format!("name {name:?}"),
            Self::Unit(unit) => format!("unit {unit:?}"),
            Self::Container(id) => format!("container {id:?}"),
        }
    }
}

/// The source that the arguments name, and whom to look at in it (nobody in particular: everybody).
pub(crate) struct Chosen {
    pub(crate) source: Box<dyn Source>,
    pub(crate) pids: Vec<Pid>,
}

/// What the arguments name, not yet opened.
pub(crate) enum Place {
    /// This host, now.
    Live,
    /// A store or a case file with history, and the time of it that is asked for.
    Recorded(PathBuf, Option<Span>),
    /// A case file of looks.
    Case(PathBuf),
}

/// What the arguments name.
pub(crate) fn place(targets: &Targets) -> Result<Place> {
    of_file(split(targets)?.0, &targets.past)
}

fn of_file(file: Option<PathBuf>, past: &cli::Past) -> Result<Place> {
    Ok(match (file, recorded(past)?) {
        (file, Some((store, span))) => Place::Recorded(file.unwrap_or(store), span),
        (Some(path), None) if RecordedSource::has_history(&path) => Place::Recorded(path, None),
        (Some(path), None) => Place::Case(path),
        (None, None) => Place::Live,
    })
}

/// Opens what the arguments name, and finds the processes in it.
pub(crate) fn choose(targets: &Targets) -> Result<Chosen> {
    let (file, specs) = split(targets)?;
    let mut source: Box<dyn Source> = match of_file(file, &targets.past)? {
        Place::Recorded(path, span) => Box::new(RecordedSource::open(&path, span)?),
        Place::Case(path) => Box::new(CaseSource::open(&path)?),
        Place::Live => Box::new(LiveSource::open()?),
    };
    let pids = if specs.is_empty() { Vec::new() } else { find(source.as_mut(), &specs)? };
    Ok(Chosen { source, pids })
}

/// A day before the moment that is looked at.
const DAY_S: f64 = 86_400.0;

/// The store and the time of it, when what was recorded is asked for.
fn recorded(past: &cli::Past) -> Result<Option<(PathBuf, Option<Span>)>> {
    let now = moment::now(Clock::wall());
    let usage =
        |error: String| Failure::usage(error, "for example --since 24h, --since 09:00..12:00 or --at 09:00");
    let span = match (&past.since, &past.at) {
        (Some(since), _) => Some(moment::parse_span(since, &now).map_err(usage)?),
        (None, Some(at)) => {
            let to = moment::parse(at, &now).map_err(usage)?;
            Some(Span { from: to - DAY_S, to })
        }
        (None, None) => None,
    };
    Ok(match (&past.store, span) {
        (Some(path), span) => Some((path.clone(), span)),
        (None, Some(span)) => {
            let path = recorder::store_to_read();
            if !path.exists() {
                let message = format!("nothing is recorded on this host yet: there is no {}", path.display());
                let hint = "flatfoot record fills it (--help shows how to run it as a service); --store PATH opens another";
                return Err(Failure::new(Code::Failed, message, hint).into());
            }
            Some((path, Some(span)))
        }
        (None, None) => None,
    })
}

/// The same for commands that show one process.
pub(crate) fn choose_one(targets: &Targets, command: &str) -> Result<(Box<dyn Source>, Pid)> {
    let Chosen { mut source, pids } = choose(targets)?;
    let candidates = if pids.is_empty() {
        if source.is_live() {
            return Err(Failure::usage(
                format!("{command} needs a TARGET"),
                format!(
                    "a pid, a name or a case file: flatfoot {command} 3248; flatfoot top shows the processes"
                ),
            )
            .into());
        }
        source.detailed()?
    } else {
        pids
    };
    match candidates.as_slice() {
        [one] => Ok((source, *one)),
        [] => Err(Failure::new(
            Code::Failed,
            format!("the case file holds no process that {command} could show"),
            "flatfoot diagnose FILE shows what is in it",
        )
        .into()),
        several => {
            let list: Vec<String> = several.iter().take(12).map(Pid::to_string).collect();
            Err(Failure::usage(
                format!("{} processes fit, and {command} shows one", several.len()),
                format!("name one by its pid: {}", list.join(", ")),
            )
            .into())
        }
    }
}

fn split(targets: &Targets) -> Result<(Option<PathBuf>, Vec<Spec>)> {
    let mut case = None;
    let mut specs = Vec::new();
    for target in &targets.named {
        let path = Path::new(target);
        if target.bytes().all(|b| b.is_ascii_digit()) && !target.is_empty() {
            let pid = target.parse().map_err(|_| {
                Failure::usage(format!("{target} is too large for a pid"), "flatfoot top shows the processes")
            })?;
            specs.push(Spec::Pid(Pid(pid)));
        } else if store::looks_like_case(path)
            || store::history::looks_like_store(path)
            || (target.ends_with(store::CASE_SUFFIX) && path.exists())
        {
            if case.replace(path.to_owned()).is_some() {
                return Err(Failure::usage("two case files at once", "open one at a time").into());
            }
        } else if target.contains('/') || target.ends_with(store::CASE_SUFFIX) {
            let (message, hint) = if path.exists() {
                (format!("{target} is not a case file"), "case files are made by flatfoot save")
            } else {
                (
                    format!("{target}: no such file"),
                    "case files lie in ~/.local/state/flatfoot unless saved elsewhere",
                )
            };
            return Err(Failure::new(Code::Failed, message, hint).into());
        } else {
            specs.push(Spec::Name(target.clone()));
        }
    }
    specs.extend(targets.unit.iter().cloned().map(Spec::Unit));
    specs.extend(targets.container.iter().cloned().map(Spec::Container));
    Ok((case, specs))
}

fn find(source: &mut dyn Source, specs: &[Spec]) -> Result<Vec<Pid>> {
    let mut found = Vec::new();
    for spec in specs {
        let pids = source.find(spec)?;
        if pids.is_empty() {
            let hint = match spec {
                Spec::Pid(_) => {
                    "it may have ended, or run in another pid namespace; flatfoot top shows the processes"
                }
                Spec::Name(_) => "names are compared whole: flatfoot top shows them",
                Spec::Unit(_) => "systemctl list-units shows the units; only running ones have processes",
                Spec::Container(_) => "give at least 4 digits of the id that docker ps or crictl ps shows",
            };
            return Err(Failure::new(Code::Ended, format!("no process with {}", spec.shown()), hint).into());
        }
        found.extend(pids);
    }
    found.sort_unstable();
    found.dedup();
    // Asked for by name, flatfoot itself is never meant.
    if found.len() > 1 {
        found.retain(|pid| pid.0 != std::process::id());
    }
    Ok(found)
}
