//! flatfoot heap: what a JVM's heap holds, and what of it grows.

use anyhow::Result;
use detect::heap;
use model::{
    AccessLevel, Confidence, Finding, FindingKind, Impact, JvmCounters, JvmInside, NmtCategory, Pid,
    ProcessReading, Reading, Text, show,
};
use probe::Parts;
use probe::hotspot::attach::{Attachment, Refusal};
use probe::hotspot::inside;

use super::map::gone;
use crate::analyse::{Analyser, Tracked};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::heap::{HeapDocument, JvmSummary, NativeRow, TypeRow};
use crate::present::progress::Countdown;
use crate::present::{self, Term};
use crate::source::{Ask, OfHost, Source};
use crate::target;
use crate::visit;

/// The command.
pub(crate) fn run(args: &cli::Heap, term: Term) -> Result<Code> {
    interrupt::listen();
    let (mut source, pid) = target::choose_one(&args.targets, "heap")?;
    let mut session = Session::default();
    if source.is_live() {
        session.watch(source.as_mut(), pid, args, term)?;
    } else {
        source.looks(&Ask::once(vec![pid], parts()), &mut |look| {
            session.looks += 1;
            session.analyser.push(look);
            Ok(())
        })?;
    }
    let tracked = session.analyser.by_pid(pid).ok_or_else(|| gone(pid))?;
    if tracked.censuses().is_empty() {
        let hint = "flatfoot heap on the live process looks into it; a case file holds what was asked when it was saved";
        return Err(Failure::new(Code::Failed, format!("no class histogram of process {pid}"), hint).into());
    }
    let document = session.document(tracked, source.origin());
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
    Parts { cmdline: true, cgroups: true, status: true, jvm: true, ..Parts::overview() }
}

#[derive(Default)]
struct Session {
    analyser: Analyser,
    looks: u64,
    not_judged: Vec<String>,
    native_memory: Vec<NmtCategory>,
    flags: Vec<Text>,
}

impl Session {
    fn watch(&mut self, source: &mut dyn Source, pid: Pid, args: &cli::Heap, term: Term) -> Result<()> {
        let looks = if args.watch_s > 0.0 { args.looks } else { 1 };
        let interval_s = args.watch_s / f64::from(looks.saturating_sub(1).max(1));
        let reading = one(source, pid)?;
        let mut attachment = attach(source, &reading, looks, args, term)?;
        let progress = Countdown::start(args.watch_s);
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
            if !self.look(source, pid, &mut attachment, args, at == 0)? {
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
        args: &cli::Heap,
        first: bool,
    ) -> Result<bool> {
        let mut told = JvmInside::default();
        let asked = inside::heap(attachment, &visit::patience(), args.pause, &mut told);
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
        for missing in told.missing.drain(..) {
            if !self.not_judged.contains(&missing) {
                self.not_judged.push(missing);
            }
        }
        let mut told = Some(told);
        let ask = Ask { host: OfHost::Figures, ..Ask::once(vec![pid], parts()) };
        source.looks(&ask, &mut |mut look| {
            if let (Some(process), Some(told)) = (look.processes.first_mut(), told.take()) {
                process.inside = Reading::Value(told);
            }
            look.impact.level = AccessLevel::Attach;
            look.impact.attached_s += cost.seconds;
            look.impact.longest_pause_s = cost.longest_s;
            self.looks += 1;
            self.analyser.push(look);
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
            native_memory: self.native_memory.iter().map(NativeRow::from).collect(),
            flags: self.flags.clone(),
            findings: judgement.findings.into_iter().filter(is_of_heap).collect(),
            not_judged,
            impact,
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
    args: &cli::Heap,
    term: Term,
) -> Result<Attachment> {
    let pid = reading.key.pid;
    let root = source.root().ok_or_else(|| gone(pid))?;
    let used = reading.jvm.value().map_or(0, |jvm| jvm.heap_used().0);
    if !term.quiet && !term.json {
        let times = if looks == 1 {
            "once".to_owned()
        } else {
            format!("{looks} times in {}", show::duration(args.watch_s))
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
