//! flatfoot diagnose: the main job.

use std::collections::HashMap;

use anyhow::Result;
use detect::rules::Judgement;
use model::{AccessLevel, Confidence, Finding, Look, Pid, Reading};
use probe::{Clock, Parts, SpaceDepth};

use super::VERSION;
use super::save::{About, CaseFile};
use crate::analyse::{Analyser, Diagnosis};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::{self, Term};
use crate::source::{Ask, OfHost, Source, Watched, parts_of_everybody};
use crate::target::{self, Chosen};
use crate::visit::{self, Plan, Told, Wait};

/// Looks over which --for is spread: what the judgement of growth needs.
const LOOKS: f64 = 64.0;
/// No interval is shorter.
const SHORTEST_INTERVAL_S: f64 = 0.1;
/// Threads are read of processes with at least so many: fewer cannot be a finding.
const THREADS_FROM: u64 = 8;
/// At most so many processes of a host are read in full after the first look.
const MOST_SUSPECTS: usize = 16;
/// At most so many JVMs of a host are visited.
const MOST_VISITS: usize = 4;

/// A diagnosis, and how the command ends with it.
pub(crate) struct Outcome {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) names: Vec<String>,
    pub(crate) everybody: bool,
    /// What it was concluded from.
    pub(crate) analyser: Analyser,
    ended: bool,
}

impl Outcome {
    fn code(&self) -> Code {
        match self.diagnosis.findings.iter().map(|f| f.confidence).max() {
            None if self.ended => Code::Ended,
            None => Code::Clean,
            Some(Confidence::Possible) => Code::Possible,
            Some(_) => Code::Found,
        }
    }
}

/// The command.
pub(crate) fn run(args: &cli::Diagnose, term: Term) -> Result<Code> {
    interrupt::listen();
    if args.walk.wanted && args.access.access.level() < AccessLevel::Agent {
        let hint = "flatfoot diagnose PID --access agent --heap-walk";
        return Err(Failure::usage("--heap-walk needs the agent", hint).into());
    }
    let chosen = target::choose(&args.targets)?;
    let how = How {
        watch_s: args.watch.and_then(cli::Watch::seconds),
        interval_s: args.interval,
        keep: !args.no_save,
        level: args.access.access.level(),
        walk_s: args.walk.budget_s(),
        term,
    };
    let outcome = diagnose(chosen, how)?;
    if term.json {
        present::print_json(&outcome.diagnosis)?;
    } else if outcome.everybody {
        present::print(&present::diagnosis::host(&outcome.diagnosis, term))?;
    } else {
        present::print(&present::diagnosis::targets(&outcome.diagnosis, &outcome.names, term))?;
    }
    Ok(outcome.code())
}

/// How to diagnose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    /// How long to watch, or, inside a JVM, to wait for births; `None` for what the case asks for.
    pub(crate) watch_s: Option<f64>,
    /// Seconds between looks.
    pub(crate) interval_s: Option<f64>,
    /// Keep a case file of what was found?
    pub(crate) keep: bool,
    /// How far to go.
    pub(crate) level: AccessLevel,
    /// How long a walk over a JVM's heap may stop it; `None`: no walk.
    pub(crate) walk_s: Option<f64>,
    /// For what is said meanwhile.
    pub(crate) term: Term,
}

/// Looks, judges, and keeps the evidence when there is a finding.
pub(crate) fn diagnose(chosen: Chosen, how: How) -> Result<Outcome> {
    let How { watch_s, interval_s, keep, level, .. } = how;
    let Chosen { mut source, pids } = chosen;
    let everybody = pids.is_empty();
    let live = source.is_live();
    if level > AccessLevel::Read && !live {
        let hint = "leave --access out for what was kept of it, or name the running process alone";
        return Err(Failure::usage(
            "--access asks a running process; a record can't be asked anything",
            hint,
        )
        .into());
    }
    // An agent sees births itself, and waits for them.
    let watch = watch_s.filter(|_| level < AccessLevel::Agent).unwrap_or(0.0);
    let ask = Ask {
        parts: if everybody { parts_of_everybody() } else { parts_of_target(watch > 0.0) },
        threads_from: if everybody { THREADS_FROM } else { 0 },
        host: OfHost::Surroundings,
        watch_s: watch,
        interval_s: interval_s.unwrap_or((watch / (LOOKS - 1.0)).max(SHORTEST_INTERVAL_S)),
        pids,
    };
    let mut session = Looks { analyser: Analyser::default(), case: None, watched: Watched::default() };
    if keep && live {
        session.case = CaseFile::begin(&About::of(&ask.pids)).ok();
    }
    session.take(source.as_mut(), &ask)?;
    if live && !everybody && watch > 0.0 {
        // The looks of a watch leave smaps out; one look at the end has what is committed.
        session.take_if_there(source.as_mut(), &Ask::once(ask.pids.clone(), parts_of_target(false)))?;
    }
    let mut judgement = session.judge();
    if let (true, Some(wait_s), false) = (live, judgement.look_again_in_s, interrupt::asked()) {
        judgement = session.look_again(source.as_mut(), &ask, wait_s, judgement)?;
    }
    if level > AccessLevel::Read && !interrupt::asked() {
        judgement = session.go_inside(source.as_mut(), &how, judgement)?;
    }
    // Last, so that threads, stacks and mappings of a finding are of one moment.
    if live && everybody {
        judgement = session.look_closer(source.as_mut(), judgement)?;
    }
    Ok(session.outcome(source.as_ref(), judgement, everybody, watch_s))
}

/// What is read of a process that was asked for by name. While it is watched, the slowest part is left out.
fn parts_of_target(watched: bool) -> Parts {
    let space = if watched { SpaceDepth::Touched } else { SpaceDepth::Details };
    Parts { space, rollup: false, ..Parts::everything() }
}

/// The looks as they come in: to the analyser, and to the case file.
struct Looks {
    analyser: Analyser,
    case: Option<CaseFile>,
    watched: Watched,
}

impl Looks {
    fn take(&mut self, source: &mut dyn Source, ask: &Ask) -> Result<()> {
        self.take_with(source, ask, &mut |_| {})
    }

    /// The same, with something added to each look.
    fn take_with(
        &mut self,
        source: &mut dyn Source,
        ask: &Ask,
        add: &mut dyn FnMut(&mut Look),
    ) -> Result<()> {
        let mut lost = None;
        let watched = source.looks(ask, &mut |mut look: Look| {
            add(&mut look);
            if let Some(case) = &mut self.case
                && let Err(error) = case.add(&look)
            {
                // Evidence that cannot be kept is no reason not to judge.
                lost = Some(format!("the case file could not be written: {error}"));
                self.case = None;
            }
            self.analyser.push(look);
            Ok(())
        })?;
        self.analyser.take_past(source.past(ask)?);
        self.watched.remarks.extend(watched.remarks);
        self.watched.remarks.extend(lost);
        self.watched.ended |= watched.ended;
        Ok(())
    }

    /// The same, where the targets may have ended since the look before: then that one stands.
    fn take_if_there(&mut self, source: &mut dyn Source, ask: &Ask) -> Result<bool> {
        match self.take(source, ask) {
            Ok(()) => Ok(true),
            Err(error) if ended(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn judge(&mut self) -> Judgement {
        self.analyser.group_threads();
        self.analyser.judge()
    }

    /// After a look at everybody: the mappings and stacks of those with findings.
    fn look_closer(&mut self, source: &mut dyn Source, judgement: Judgement) -> Result<Judgement> {
        let mut suspects = suspects(judgement.findings.iter(), MOST_SUSPECTS);
        // Who was visited was looked at in full after that.
        suspects.retain(|pid| self.analyser.by_pid(*pid).is_none_or(|t| t.reading.inside.value().is_none()));
        if suspects.is_empty() || interrupt::asked() {
            return Ok(judgement);
        }
        let seen = self.take_if_there(source, &Ask::once(suspects, parts_of_target(false)))?;
        Ok(if seen { self.judge() } else { judgement })
    }

    /// Asks the JVMs with findings what reading cannot tell, then looks at them once more.
    fn go_inside(&mut self, source: &mut dyn Source, how: &How, judgement: Judgement) -> Result<Judgement> {
        let mut told: HashMap<Pid, Told> = HashMap::new();
        for pid in suspects(judgement.findings.iter().filter(|f| visit::is_about_threads(f)), MOST_VISITS) {
            let Some(tracked) = self.analyser.by_pid(pid) else { continue };
            let Some(root) = source.root() else { continue };
            let waits = judgement
                .findings
                .iter()
                .filter(|finding| finding.process.pid == pid && visit::is_about_threads(finding))
                .map(|finding| Wait::of(finding, Clock::wall(), how.watch_s))
                .collect();
            let How { level, walk_s, term, .. } = *how;
            let plan = Plan { root, reading: &tracked.reading, level, waits, walk_s, term };
            told.insert(pid, visit::visit(&plan));
            if interrupt::asked() {
                break;
            }
        }
        if told.is_empty() {
            let why = "--access was not used: there is no thread leak to ask a JVM about";
            self.watched.remarks.push(why.to_owned());
            return Ok(judgement);
        }
        for one in told.values_mut() {
            self.watched.remarks.append(&mut one.inside.missing);
        }
        let ask = Ask::once(told.keys().copied().collect(), parts_of_target(false));
        let seen = self.take_with(source, &ask, &mut |look| {
            for process in &mut look.processes {
                let Some(Told { inside, impact }) = told.remove(&process.key.pid) else { continue };
                process.inside = Reading::Value(inside);
                look.impact.add(impact);
            }
        });
        match seen {
            Err(error) if !ended(&error) => return Err(error),
            _ => {}
        }
        // After Ctrl-C, or the target's end, there is no further look; what was told and done stands all the same.
        for (pid, Told { inside, impact }) in told {
            self.analyser.take_inside(pid, inside, impact);
        }
        Ok(self.judge())
    }

    /// Where births follow fast, a second look shortly after tells a leak from a pool that renews itself.
    fn look_again(
        &mut self,
        source: &mut dyn Source,
        ask: &Ask,
        wait_s: f64,
        judgement: Judgement,
    ) -> Result<Judgement> {
        if !interrupt::sleep(wait_s) {
            return Ok(judgement);
        }
        let again = match ask.pids.as_slice() {
            [] => Ask { watch_s: 0.0, host: OfHost::Figures, ..ask.clone() },
            pids => Ask::once(pids.to_vec(), parts_of_target(false)),
        };
        let seen = self.take_if_there(source, &again)?;
        Ok(if seen { self.judge() } else { judgement })
    }

    fn outcome(
        mut self,
        source: &dyn Source,
        judgement: Judgement,
        everybody: bool,
        watch_s: Option<f64>,
    ) -> Outcome {
        let analyser = &self.analyser;
        let mut not_judged = judgement.not_judged;
        not_judged.extend(denials(analyser, everybody));
        not_judged.append(&mut self.watched.remarks);
        if analyser.watched_s() < 30.0 && watch_s.is_none_or(|s| s < 30.0) {
            let target = match analyser.processes.values().next() {
                Some(one) if !everybody && analyser.processes.len() == 1 => {
                    format!(" {}", one.reading.key.pid)
                }
                _ => String::new(),
            };
            let what = "slow growth of memory, descriptors and children needs time";
            not_judged.push(if source.is_live() {
                format!("{what}: flatfoot diagnose{target} --for 6m")
            } else {
                format!("{what}: what was recorded covers {}", model::show::duration(analyser.watched_s()))
            });
        }
        let saved = match (&judgement.findings.first(), self.case.take()) {
            (Some(finding), Some(case)) => case.finish(&finding.id).ok(),
            _ => None,
        };
        let names = analyser
            .processes
            .values()
            .map(|t| format!("{}[{}]", t.reading.stat.name, t.reading.key.pid))
            .collect();
        let diagnosis = Diagnosis {
            schema: "flatfoot.diagnosis/1",
            version: VERSION,
            origin: source.origin(),
            host: analyser.host_summary(),
            looked_at: analyser.looked_at(),
            nearest_limit: analyser.nearest_limit(),
            died_before: analyser.died_before().into_iter().map(Into::into).collect(),
            findings: judgement.findings,
            not_judged,
            saved,
            impact: analyser.impact(),
            redacted: None,
        };
        Outcome { diagnosis, names, everybody, analyser: self.analyser, ended: self.watched.ended }
    }
}

/// The processes of findings, each once, in their order.
fn suspects<'a>(findings: impl Iterator<Item = &'a Finding>, most: usize) -> Vec<Pid> {
    let mut pids: Vec<Pid> = Vec::new();
    for finding in findings {
        if !pids.contains(&finding.process.pid) && pids.len() < most {
            pids.push(finding.process.pid);
        }
    }
    pids
}

/// What the kernel refused, once per kind of reading.
fn denials(analyser: &Analyser, everybody: bool) -> Vec<String> {
    if everybody {
        return Vec::new();
    }
    let mut out = Vec::new();
    for tracked in analyser.processes.values() {
        let reading = &tracked.reading;
        let who = format!("{}[{}]", reading.stat.name, reading.key.pid);
        let parts = [
            ("mappings", reading.space.absence()),
            ("threads", reading.threads.absence()),
            ("descriptors", reading.descriptors.absence()),
            ("limits", reading.rlimits.absence()),
            ("cgroups", reading.cgroups.absence()),
        ];
        for (what, absence) in parts {
            if let Some(why) = absence.filter(|why| why != "not read") {
                out.push(format!("{what} of {who}: {why}"));
            }
        }
    }
    out
}

fn ended(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Failure>().is_some_and(|f| f.code == Code::Ended)
}
