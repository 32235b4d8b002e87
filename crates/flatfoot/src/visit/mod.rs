//! A visit inside a JVM, at the access level that was granted: what it will do is said before, what it did after.
//!
//! Nothing here fails the run: what was refused, and what to do about it, becomes a sentence under NOT JUDGED.

mod agent;
mod recorder;
mod ruby;
mod wait;
mod words;

use std::sync::atomic::AtomicBool;

use model::{
    AccessLevel, CreatedBy, Finding, Impact, JarIdentity, JvmInside, ProcessKey, ProcessReading, Text,
};
use probe::hotspot::attach::{Attachment, Patience, Preview, Refusal, preview};
use probe::hotspot::inside;
use probe::hotspot::jars::Jars;
use probe::{Clock, ProcRoot};

use crate::interrupt;
use crate::present::Term;

pub(crate) use agent::loaded;
pub(crate) use wait::Wait;

/// Whom to visit, and how far to go.
pub(crate) struct Plan<'a> {
    pub(crate) root: &'a ProcRoot,
    pub(crate) reading: &'a ProcessReading,
    pub(crate) level: AccessLevel,
    /// How long to wait for births of the findings, one after the other.
    pub(crate) waits: Vec<Wait>,
    /// Seconds that it may stand still for a walk over its heap; `None`: no walk.
    pub(crate) walk_s: Option<f64>,
    pub(crate) term: Term,
}

/// What a visit brought.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) inside: JvmInside,
    pub(crate) impact: Impact,
}

/// Is a visit worth a finding's while, and possible? Only threads have creators that a JVM can tell.
pub(crate) fn is_about_threads(finding: &Finding) -> bool {
    finding.kind == model::FindingKind::ThreadLeak
}

/// Goes in, asks, and leaves.
pub(crate) fn visit(plan: &Plan<'_>) -> Told {
    let mut told = Told { impact: Impact { level: plan.level, ..Impact::default() }, ..Told::default() };
    let began = Clock::monotonic();
    if let Err(refusal) = ask(plan, &mut told) {
        told.inside.missing.push(sentence(plan, &refusal));
        if told.impact.done.is_empty() {
            // Nothing was sent.
            told.impact.level = AccessLevel::Read;
        }
    }
    if told.impact.level > AccessLevel::Read {
        told.impact.attached_s = Clock::monotonic() - began;
    }
    ruby::name(&mut told.inside.spawns);
    name_jars(plan, &mut told.inside);
    told
}

/// A refusal, and what to do about it.
fn sentence(plan: &Plan<'_>, refusal: &Refusal) -> String {
    let ProcessReading { key: ProcessKey { pid, .. }, stat, .. } = plan.reading;
    format!("the inside of {}[{pid}]: {refusal}; {}", stat.name, refusal.hint())
}

/// Before an agent watches a JVM for a while: says what it will do. Is its attach listener up already? The refusal is the
/// one that attaching would end in.
pub(crate) fn announce_rounds(
    root: &ProcRoot,
    reading: &ProcessReading,
    term: Term,
) -> Result<bool, Refusal> {
    let before = preview(root, &reading.key)?;
    if !term.quiet && !term.json {
        let plan = Plan { root, reading, level: AccessLevel::Agent, waits: Vec::new(), walk_s: None, term };
        eprint!("{}", words::announce_rounds(&plan, &before));
    }
    Ok(before.listener_up)
}

/// Gives frames the names that people know them by, while the process is there.
pub(crate) fn name(root: &ProcRoot, reading: &ProcessReading, inside: &mut JvmInside) {
    ruby::name(&mut inside.spawns);
    let plan = Plan { root, reading, level: AccessLevel::Agent, waits: Vec::new(), walk_s: None, term: Term::default() };
    name_jars(&plan, inside);
}

/// What an agent did, as in IMPACT.
pub(crate) use agent::words as agent_words;

fn ask(plan: &Plan<'_>, told: &mut Told) -> Result<(), Refusal> {
    let before: Preview = preview(plan.root, &plan.reading.key)?;
    if !plan.term.quiet && !plan.term.json {
        eprint!("{}", words::announce(plan, &before));
    }
    let patience = patience();
    let mut attachment =
        Attachment::open(plan.root, &plan.reading.key, &patience).inspect_err(|refusal| {
            // These come while it is waited for; by then it was signalled.
            if !before.listener_up && matches!(refusal, Refusal::TimedOut { .. } | Refusal::Cancelled) {
                told.impact.level = AccessLevel::Attach;
                told.impact
                    .done
                    .push("asked by SIGQUIT to start its attach listener, which it may still do".to_owned());
            }
        })?;
    told.impact.done.push(if attachment.was_cold() {
        "its attach listener was started (one thread, which stays)".to_owned()
    } else {
        "its attach listener was up already".to_owned()
    });
    if plan.level >= AccessLevel::Agent {
        agent::ask(plan, &mut attachment, told)
    } else {
        threads(&mut attachment, told)
    }
}

/// What the attach level tells of threads: their whole names, states and stacks.
fn threads(attachment: &mut Attachment, told: &mut Told) -> Result<(), Refusal> {
    let cost = inside::thread_dump(attachment, &patience(), &mut told.inside)?;
    told.impact.longest_pause_s = told.impact.longest_pause_s.max(cost.longest_s);
    told.impact.done.push("a thread dump".to_owned());
    Ok(())
}

/// What the owners say of the groups that are waited for.
fn first_words(plan: &Plan<'_>, told: &Told) -> Vec<CreatedBy> {
    let command = plan.reading.jvm.value().map_or("", |jvm| jvm.command.as_str());
    detect::creators::owners(&told.inside, command, |name| plan.waits.iter().any(|wait| wait.fits(name)))
}

/// Ctrl-C ends every wait.
pub(crate) fn patience() -> Patience<'static> {
    Patience { cancel: cancel(), ..Patience::default() }
}

fn cancel() -> Option<&'static AtomicBool> {
    interrupt::flag()
}

/// Names and versions of everything that frames, owners and sites were loaded from, read while the target is there.
fn name_jars(plan: &Plan<'_>, inside: &mut JvmInside) {
    let mut paths: Vec<Text> = Vec::new();
    let frames =
        inside.spawns.iter().flat_map(|spawn| &spawn.frames).filter_map(|frame| frame.origin.as_ref());
    let links = inside.owners.iter().flat_map(|owner| &owner.links).filter_map(|link| link.origin.as_ref());
    let sites = inside.sites.iter().filter_map(|site| site.at.origin.as_ref());
    let sources = inside.owners.iter().flat_map(|owner| &owner.inherited_sources);
    for path in frames.chain(links).chain(sites).chain(sources) {
        if !paths.contains(path) && !inside.jars.iter().any(|jar| jar.path == *path) {
            paths.push(path.clone());
        }
    }
    if paths.is_empty() {
        return;
    }
    let Ok(dir) = probe::PidDir::open(plan.root, plan.reading.key.pid) else { return };
    let mut jars = Jars::of_process(&dir);
    inside.jars.extend(paths.into_iter().map(|path| {
        let jar = jars.identify(&path);
        JarIdentity { path, name: jar.name, version: jar.version, group: jar.group }
    }));
}
