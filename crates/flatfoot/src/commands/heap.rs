//! flatfoot heap: what a JVM's heap holds, and what of it grows.

use anyhow::Result;
use detect::heap;
use model::{
    AccessLevel, BufferPool, Confidence, Finding, FindingKind, HeldClass, Impact, JvmCounters, JvmInside,
    Look, NmtCategory, Pid, ProcessReading, Reading, Text, show,
};
use probe::Parts;
use probe::hotspot::agent::{Agent, Figures};
use probe::hotspot::attach::{Attachment, Refusal};
use probe::hotspot::inside;

use store::CaseWriter;

use super::save::{About, CaseFile};
use crate::analyse::{Analyser, SavedCase, Tracked};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::heap::{HeapDocument, JvmSummary, NativeRow, TypeRow};
use crate::present::progress::Countdown;
use crate::present::{self, Term};
use crate::source::{Ask, OfHost, Source};
use crate::target;
use crate::views::gone;
use crate::visit;

/// The command.
pub(crate) fn run(args: &cli::Heap, term: Term) -> Result<Code> {
    interrupt::listen();
    let (mut source, pid) = target::choose_one(&args.targets, "heap")?;
    let mut session = Session::default();
    if source.is_live() {
        let how = How::of(args)?;
        session.keep = match &args.output {
            Some(path) => Some(Keep::File(About::of(&[pid]).create(path)?)),
            None if args.no_save => None,
            None => CaseFile::begin(&About::of(&[pid])).ok().map(Keep::OfFinding),
        };
        session.watch(source.as_mut(), pid, how, term)?;
        session.walk(source.as_mut(), pid, how, term)?;
    } else {
        session.recorded(source.as_mut(), pid)?;
    }
    let tracked = session.analyser.by_pid(pid).ok_or_else(|| gone(pid))?;
    if tracked.censuses().is_empty() {
        let hint = "flatfoot heap on the live process looks into it; a case file holds what was asked when it was saved";
        return Err(Failure::new(Code::Failed, format!("no class histogram of process {pid}"), hint).into());
    }
    let mut document = session.document(tracked, source.origin());
    document.saved = session.finish(&document.findings);
    let code = match document.findings.iter().map(|finding| finding.confidence).max() {
        None => Code::Clean,
        Some(Confidence::Possible) => Code::Possible,
        Some(_) => Code::Found,
    };
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&document.text(term, args.all))?;
    }
    Ok(code)
}

/// What is read with each histogram: counters, and who it is.
fn parts() -> Parts {
    // Remains mark a process that was looked at by itself: a case file is asked about that one.
    Parts { cmdline: true, cgroups: true, status: true, jvm: true, remains: true, ..Parts::overview() }
}

/// How to look into a heap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// Seconds from the first count to the last; 0 for one.
    pub(crate) watch_s: f64,
    /// Counts in that time.
    pub(crate) looks: u32,
    /// The longest that one may stop the JVM, s.
    pub(crate) pause_s: f64,
    /// Ask the agent, too?
    pub(crate) agent: bool,
    /// Walk the heap?
    pub(crate) walks: bool,
    /// What else is read of the process with each count.
    pub(crate) parts: Parts,
}

impl How {
    fn of(args: &cli::Heap) -> Result<Self> {
        let level = args.access.level();
        if level < AccessLevel::Attach {
            let hint = "--access attach, the default here, counts objects as jcmd does";
            return Err(Failure::usage("a heap can't be looked into by reading alone", hint).into());
        }
        if args.walk && level < AccessLevel::Agent {
            let hint = "flatfoot heap PID --access agent --heap-walk";
            return Err(Failure::usage("--heap-walk needs the agent", hint).into());
        }
        Ok(Self {
            watch_s: args.watch_s,
            looks: args.looks,
            pause_s: args.pause,
            agent: level >= AccessLevel::Agent,
            walks: args.walk,
            parts: parts(),
        })
    }
}

/// Where looks are kept.
enum Keep {
    /// In a file that was asked for.
    File(CaseWriter),
    /// In the state directory, when there is a finding.
    OfFinding(CaseFile),
}

impl Keep {
    fn add(&mut self, look: &Look) -> Result<(), store::Error> {
        match self {
            Self::File(writer) => writer.add(look),
            Self::OfFinding(case) => case.add(look),
        }
    }
}

/// Counts what is on a heap for `flatfoot save`: every look goes into the case file. How many there were, and what is
/// missing.
pub(crate) fn record(
    source: &mut dyn Source,
    pid: Pid,
    how: How,
    writer: CaseWriter,
    term: Term,
) -> Result<(CaseWriter, u64, Vec<String>)> {
    let mut session = Session { keep: Some(Keep::File(writer)), ..Session::default() };
    session.watch(source, pid, how, term)?;
    match session.keep {
        Some(Keep::File(writer)) => Ok((writer, session.looks, session.not_judged)),
        _ => Err(Failure::new(Code::Failed, "the case file could not be written", "free space there").into()),
    }
}

#[derive(Default)]
struct Session {
    analyser: Analyser,
    looks: u64,
    not_judged: Vec<String>,
    native_memory: Vec<NmtCategory>,
    flags: Vec<Text>,
    held: Vec<HeldClass>,
    keep: Option<Keep>,
}

impl Session {
    /// What a case file holds.
    fn recorded(&mut self, source: &mut dyn Source, pid: Pid) -> Result<()> {
        let watched = source.looks(&Ask::once(vec![pid], parts()), &mut |look| {
            for inside in look.processes.iter().filter_map(|process| process.inside.value()) {
                self.looks += u64::from(!inside.histogram.is_empty());
                if !inside.nmt.is_empty() {
                    self.native_memory.clone_from(&inside.nmt);
                }
                if !inside.flags.is_empty() {
                    self.flags.clone_from(&inside.flags);
                }
                if !inside.held.is_empty() {
                    self.held.clone_from(&inside.held);
                }
                self.miss(inside.missing.iter().cloned());
            }
            self.analyser.push(look);
            Ok(())
        })?;
        self.miss(watched.remarks.into_iter());
        Ok(())
    }

    fn miss(&mut self, missing: impl Iterator<Item = String>) {
        for missing in missing {
            if !self.not_judged.contains(&missing) {
                self.not_judged.push(missing);
            }
        }
    }

    /// Takes a look in: to the analyser, and to the case file.
    fn push(&mut self, look: Look) {
        if let Some(keep) = &mut self.keep
            && let Err(error) = keep.add(&look)
        {
            // Evidence that cannot be kept is no reason not to judge.
            self.not_judged.push(format!("the case file could not be written: {error}"));
            self.keep = None;
        }
        self.analyser.push(look);
    }

    /// Keeps the case file, or drops it when there is nothing in it to keep.
    fn finish(&mut self, findings: &[Finding]) -> Option<SavedCase> {
        match (self.keep.take()?, findings.first()) {
            (Keep::File(writer), _) => {
                let saved = writer.finish().ok()?;
                Some(SavedCase { path: saved.path.display().to_string(), bytes: saved.bytes })
            }
            (Keep::OfFinding(case), Some(finding)) => case.finish(&format!("heap-{}", finding.id)).ok(),
            (Keep::OfFinding(_), None) => None,
        }
    }

    /// Walks the heap once, for who holds the classes that grow, and direct buffers.
    fn walk(&mut self, source: &mut dyn Source, pid: Pid, how: How, term: Term) -> Result<()> {
        /// A walk tells of so many classes.
        const CLASSES: usize = 6;
        if !how.walks || interrupt::asked() {
            return Ok(());
        }
        let Some(tracked) = self.analyser.by_pid(pid) else { return Ok(()) };
        let growth = heap::growth(tracked.censuses());
        let classes: Vec<Text> =
            growth.suspects.iter().take(CLASSES).map(|class| class.class.as_str().into()).collect();
        let root = source.root().ok_or_else(|| gone(pid))?;
        let patience = visit::patience();
        let began = probe::Clock::monotonic();
        let mut attachment = Attachment::open(root, &tracked.reading.key, &patience)
            .map_err(|refusal| failure(pid, &refusal))?;
        if !term.quiet && !term.json {
            eprintln!("Walking its heap once: it stands still for {} at most.", show::pause(how.pause_s));
        }
        let mut impact = Impact { level: AccessLevel::Agent, ..Impact::default() };
        let told = Agent::load(&mut attachment, patience).and_then(|mut agent| {
            let held = agent.holders(&classes, how.pause_s)?;
            let missing = agent.missing().to_vec();
            Ok((held, missing, agent.stop()?))
        });
        let mut inside = JvmInside::default();
        match told {
            Ok((held, missing, figures)) => {
                impact.longest_pause_s = figures.walk_s;
                impact.done.push(visit::loaded(&figures));
                impact.done.push(format!("stopped for {} to walk its heap", show::pause(figures.walk_s)));
                inside.held.clone_from(&held);
                self.held = held;
                self.miss(missing.into_iter());
            }
            Err(refusal) => {
                let missing = format!("who holds what: {refusal}; {}", refusal.hint());
                inside.missing.push(missing.clone());
                self.miss(std::iter::once(missing));
            }
        }
        impact.attached_s = probe::Clock::monotonic() - began;
        let mut told = Some((inside, impact));
        let ask = Ask { host: OfHost::Figures, ..Ask::once(vec![pid], parts()) };
        source.looks(&ask, &mut |mut look| {
            if let (Some(process), Some((inside, impact))) = (look.processes.first_mut(), told.take()) {
                process.inside = Reading::Value(inside);
                look.impact.add(impact);
            }
            self.push(look);
            Ok(())
        })?;
        Ok(())
    }

    fn watch(&mut self, source: &mut dyn Source, pid: Pid, how: How, term: Term) -> Result<()> {
        let looks = if how.watch_s > 0.0 { how.looks } else { 1 };
        let interval_s = how.watch_s / f64::from(looks.saturating_sub(1).max(1));
        let reading = one(source, pid)?;
        let mut attachment = attach(source, &reading, looks, how, term)?;
        let progress = Countdown::start(how.watch_s);
        let began = probe::Clock::monotonic();
        for at in 0..looks {
            let due = began + f64::from(at) * interval_s;
            while probe::Clock::monotonic() < due
                && interrupt::sleep((due - probe::Clock::monotonic()).min(0.2))
            {
                progress.at(probe::Clock::monotonic() - began);
            }
            if interrupt::asked() && at > 0 {
                break;
            }
            if !self.look(source, pid, &mut attachment, how, at == 0)? {
                break;
            }
        }
        Ok(())
    }

    /// Counts objects, then reads the counters: a collection between the two is counted as one before.
    fn look(
        &mut self,
        source: &mut dyn Source,
        pid: Pid,
        attachment: &mut Attachment,
        how: How,
        first: bool,
    ) -> Result<bool> {
        let mut told = JvmInside::default();
        let asked = inside::heap(attachment, &visit::patience(), how.pause_s, &mut told);
        let cost = match asked {
            Ok(cost) => cost,
            Err(refusal) if first => return Err(failure(pid, &refusal).into()),
            Err(refusal) => {
                self.not_judged.push(format!("a later look: {refusal}"));
                return Ok(false);
            }
        };
        if first {
            // They hardly change: once is enough, and neither stops it.
            let patience = visit::patience();
            let _ = inside::native_memory(attachment, &patience, &mut told);
            let _ = inside::flags(attachment, &patience, &mut told);
            self.native_memory.clone_from(&told.nmt);
            self.flags.clone_from(&told.flags);
        }
        let loaded = if how.agent { direct_buffers(attachment, &mut told) } else { None };
        self.miss(told.missing.iter().cloned());
        let mut told = Some(told);
        let ask = Ask { host: OfHost::Figures, ..Ask::once(vec![pid], how.parts) };
        source.looks(&ask, &mut |mut look| {
            if let (Some(process), Some(told)) = (look.processes.first_mut(), told.take()) {
                process.inside = Reading::Value(told);
            }
            look.impact.level = if loaded.is_some() { AccessLevel::Agent } else { AccessLevel::Attach };
            if first {
                look.impact.done.extend(loaded.as_ref().map(visit::loaded));
            }
            look.impact.attached_s += cost.seconds;
            look.impact.longest_pause_s = cost.longest_s;
            self.looks += 1;
            self.push(look);
            Ok(())
        })?;
        Ok(true)
    }

    fn document(&self, tracked: &Tracked, origin: String) -> HeapDocument {
        let censuses = tracked.censuses();
        let growth = heap::growth(censuses);
        let last = censuses.last();
        let lines = last.map_or(&[][..], |census| &census.classes);
        let mut types: Vec<TypeRow> =
            growth.suspects.iter().map(|class| TypeRow::growing(class, true)).collect();
        types.extend(growth.others.iter().map(|class| TypeRow::growing(class, false)));
        for row in &mut types {
            row.retained_by = self.held.iter().find(|one| one.class == row.name).and_then(|one| {
                let path = one.paths.first().map(ToString::to_string);
                path.or_else(|| one.holders.first().map(|holder| holder.by.to_string()))
            });
        }
        let named: std::collections::HashSet<String> =
            types.iter().map(|row| row.name.as_str().to_owned()).collect();
        types.extend(lines.iter().filter(|line| !named.contains(line.class.as_str())).map(TypeRow::still));
        let judgement = self.analyser.judge_one(tracked);
        let mut not_judged = self.not_judged.clone();
        not_judged.extend(judgement.not_judged);
        if censuses.len() < 2 {
            let pid = tracked.reading.key.pid;
            not_judged.push(format!("growth needs more than one look: flatfoot heap {pid} --for 60s"));
        }
        let mut impact: Impact = self.analyser.impact();
        if self.looks > 0 && impact.level > AccessLevel::Read {
            let counted = if self.looks == 1 {
                "all objects counted once".to_owned()
            } else {
                format!("all objects counted {} times", self.looks)
            };
            impact.done.push(counted);
        }
        HeapDocument {
            schema: "flatfoot.heap/1",
            origin,
            process: self.analyser.process_ref(tracked),
            jvm: tracked.reading.jvm.value().map(summary),
            looks: self.looks,
            watched_s: self.analyser.watched_s(),
            collections: growth.collections,
            walked_bytes: lines.iter().map(|line| line.bytes).sum(),
            system_bytes: tracked
                .reading
                .jvm
                .value()
                .map(|jvm| jvm.generations.iter().map(|generation| generation.space.committed.0).sum()),
            types,
            loaders: last.map_or_else(Vec::new, |census| census.loaders.clone()),
            buffers: last.map_or_else(Vec::new, |census| census.buffers.clone()),
            held: self.held.clone(),
            native_memory: self.native_memory.iter().map(NativeRow::from).collect(),
            flags: self.flags.clone(),
            findings: judgement.findings.into_iter().filter(is_of_heap).collect(),
            not_judged,
            saved: None,
            impact,
        }
    }
}

/// Asks the agent what direct buffers hold, where only their number is known; its figures when it was loaded.
fn direct_buffers(attachment: &mut Attachment, told: &mut JvmInside) -> Option<Figures> {
    let is_unknown =
        |pool: &BufferPool| pool.kind.as_str() == "direct" && pool.source.as_str() == "histogram";
    if !told.buffers.iter().any(is_unknown) {
        return None;
    }
    let asked = Agent::load(attachment, visit::patience()).and_then(|mut agent| {
        let pool = agent.direct_buffers()?;
        Ok((pool, agent.stop()?))
    });
    match asked {
        Ok((pool, figures)) => {
            if let Some(pool) = pool {
                told.buffers.retain(|pool| !is_unknown(pool));
                told.buffers.insert(0, pool);
                told.missing.retain(|missing| !missing.starts_with(inside::BUFFERS_UNKNOWN));
            }
            Some(figures)
        }
        Err(refusal) => {
            told.missing.push(format!("the agent was not used: {refusal}; {}", refusal.hint()));
            None
        }
    }
}

fn is_of_heap(finding: &Finding) -> bool {
    matches!(
        finding.kind,
        FindingKind::JavaHeapLeak | FindingKind::MetaspaceLeak | FindingKind::DirectBufferLeak
    )
}

/// The process as it is now.
fn one(source: &mut dyn Source, pid: Pid) -> Result<ProcessReading> {
    let mut found = None;
    source.looks(&Ask { host: OfHost::Boot, ..Ask::once(vec![pid], parts()) }, &mut |look| {
        found = look.processes.into_iter().next();
        Ok(())
    })?;
    found.ok_or_else(|| gone(pid).into())
}

/// Says what will be done, and attaches.
fn attach(
    source: &dyn Source,
    reading: &ProcessReading,
    looks: u32,
    how: How,
    term: Term,
) -> Result<Attachment> {
    let pid = reading.key.pid;
    let root = source.root().ok_or_else(|| gone(pid))?;
    let used = reading.jvm.value().map_or(0, |jvm| jvm.heap_used().0);
    if !term.quiet && !term.json {
        let times = if looks == 1 {
            "once".to_owned()
        } else {
            format!("{looks} times in {}", show::duration(how.watch_s))
        };
        let estimate = show::pause(inside::histogram_estimate_s(used));
        eprintln!(
            "Will count the objects of {}[{pid}] {times}: it stands still for up to {estimate} each time; no collection is forced.",
            reading.stat.name
        );
    }
    Attachment::open(root, &reading.key, &visit::patience()).map_err(|refusal| failure(pid, &refusal).into())
}

fn failure(pid: Pid, refusal: &Refusal) -> Failure {
    let hint = match refusal {
        Refusal::NotAJvm => {
            format!(
                "the heap of native programs comes with a later version; flatfoot map {pid} shows its memory by class"
            )
        }
        Refusal::TooLong { .. } => format!("{}; --pause 10s allows more", refusal.hint()),
        other => other.hint(),
    };
    Failure::new(Code::Failed, format!("the heap of process {pid}: {refusal}"), hint)
}

fn summary(jvm: &JvmCounters) -> JvmSummary {
    let command = jvm.command.as_str().split(' ').next().unwrap_or_default();
    JvmSummary {
        version: jvm.version.clone(),
        command: command.into(),
        heap_used_bytes: jvm.heap_used().0,
        heap_limit_bytes: jvm.heap_limit().map(|limit| limit.0),
        tenured_bytes: (jvm.generations.len() > 1)
            .then(|| {
                jvm.generations.iter().rfind(|generation| generation.tenured).map(|old| old.space.used.0)
            })
            .flatten(),
        metaspace_bytes: jvm.metaspace.map(|space| space.used.0),
        classes: jvm.classes_loaded.map(|loaded| loaded.saturating_sub(jvm.classes_unloaded.unwrap_or(0))),
    }
}
