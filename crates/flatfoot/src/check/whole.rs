//! One command, from its start to its end: who outlives it, and what grew until then.

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::Result;
use detect::names;
use model::{Text, show};
use probe::sys::family::{End, adopt_orphans};
use probe::{Clock, Parts, Prober};

use super::allow::{Allowances, Said};
use super::document::{Allowed, Document, Failed, Leak, Process, Rule, Survivor, Verdict, Way};
use super::keeper::{Kept, Launch};
use super::plan::Plan;
use super::samples::{LEAST_S, Samples};
use super::signals::{PASSED, Signals, is_from_terminal};
use super::{LEAK, prober, tree};
use crate::commands::VERSION;

/// Between two looks at who is still there.
const STEP_S: f64 = 0.05;

/// The command.
pub(super) fn run(plan: &Plan) -> Result<Document> {
    let signals = Signals::listen(&PASSED);
    // Should the guard be killed, those below come here.
    let _ = adopt_orphans();
    let (began, cpu) = (Clock::monotonic(), Clock::cpu());
    let mut prober = prober()?;
    let mut kept = Kept::start(Launch {
        command: &plan.command,
        own_group: false,
        stdout: super::rounds::stdout(plan)?,
        stderr: Stdio::inherit(),
        env: Vec::new(),
        grace_s: plan.grace_s,
    })?;
    let mut samples = Samples::default();
    let mut step = 0.0;
    let end = loop {
        for signal in signals.take() {
            if !is_from_terminal(signal) {
                kept.signal(signal);
            }
        }
        let due = Clock::monotonic() + step;
        match kept.wait(step) {
            Ok(Some(end)) => break end,
            Ok(None) => {}
            Err(error) => {
                drop(kept);
                tree::end_orphans(&mut prober);
                return Err(error);
            }
        }
        // A signal ends the wait early; that is no reason for a look.
        step = if Clock::monotonic() >= due {
            samples.take(&mut prober, kept.guard())
        } else {
            due - Clock::monotonic()
        };
    };
    let survivors = survivors(plan, &mut prober, &mut kept, &signals);
    let mut document = Document {
        schema: "flatfoot.check/1",
        version: VERSION,
        way: Way::Whole,
        command: plan.shown(),
        process: Some(Process { pid: kept.pid(), name: plan.name() }),
        linger_s: plan.linger_s,
        ..Document::default()
    };
    document.watched = format!(
        "{} and everybody below it, from its start to its end",
        document.command.clone().unwrap_or_default()
    );
    judge(plan, &samples, &survivors, &mut document);
    if plan.keep {
        kept.leave();
    } else {
        kept.finish();
    }
    verdict(end, &mut document);
    document.took_s = Clock::monotonic() - began;
    document.impact.own_cpu_s = Clock::cpu() - cpu;
    Ok(document)
}

/// Who is there after the linger, or when everybody is gone, whichever comes first.
fn survivors(plan: &Plan, prober: &mut Prober, kept: &mut Kept, signals: &Signals) -> Vec<Survivor> {
    let until = Clock::monotonic() + plan.linger_s;
    let mut told = false;
    loop {
        let mut left = tree::descendants(prober, kept.guard());
        left.retain(|member| member.state != 'Z');
        // Whoever wants it to end wants no linger.
        if left.is_empty() || Clock::monotonic() >= until || !signals.take().is_empty() {
            let parts = Parts { cmdline: true, ..Parts::default() };
            let now = Clock::boot();
            return left
                .iter()
                .map(|member| tree::survivor(member, prober.process(member.pid, &parts).as_ref(), now))
                .collect();
        }
        if !told {
            told = true;
            let time = show::duration(plan.linger_s);
            plan.say(&format!(
                "flatfoot: the command ended, {} below it did not yet: waiting up to {time}",
                left.len()
            ));
        }
        Clock::sleep(STEP_S);
    }
}

fn judge(plan: &Plan, samples: &Samples, survivors: &[Survivor], document: &mut Document) {
    let mut allow = plan.allow.clone();
    let ended = if plan.keep { "is left alone" } else { "was ended" };
    for (pattern, mut left) in by_pattern(survivors) {
        left.sort_by_key(|one| one.pid);
        let count = left.len();
        let one = left.first().cloned().unwrap_or_default();
        let summary = if count == 1 {
            format!(
                "{}[{}] outlives the command, {} old, and {ended}: {}",
                one.name,
                one.pid,
                show::duration(one.age_s),
                one.command
            )
        } else {
            let are = if plan.keep { "are left alone" } else { "were ended" };
            format!("{count} processes {pattern} outlive the command, and {are}: {}", one.command)
        };
        let leak = Leak {
            rule: Rule::Child,
            kind: Rule::Child.kind(),
            process: document.process.clone().unwrap_or_default(),
            subject: pattern,
            summary,
            per_round: Vec::new(),
            total: count as f64,
            bytes: false,
            allowed_less: None,
            created_by: Vec::new(),
            survivors: left,
        };
        add(leak, &mut allow, document);
    }
    for leak in samples.judge() {
        if leak.rule == Rule::Memory && !plan.memory {
            document.notes.push(format!(
                "{}[{}]: {}: no judgement without --memory",
                leak.process.name, leak.process.pid, leak.summary
            ));
        } else {
            add(leak, &mut allow, document);
        }
    }
    if !samples.are_enough() {
        document.rules_not_judged.extend([Rule::Thread, Rule::Descriptor]);
        document
            .not_judged
            .push(format!("growth until its end: nothing ran for {}", show::duration(LEAST_S)));
    }
    if !plan.memory || !samples.are_enough() {
        document.rules_not_judged.push(Rule::Memory);
    }
    document.not_judged.push("slow leaks: --work runs rounds against a server".to_owned());
    if plan.level > model::AccessLevel::Read {
        document
            .not_judged
            .push("--access is for servers with --work, or --pid: a command is not attached to".to_owned());
    }
    document.unused_allowances = allow.unused();
}

fn add(mut leak: Leak, allow: &mut Allowances, document: &mut Document) {
    match allow.of(leak.rule, leak.subject.as_str(), leak.total, leak.total) {
        Said::Allowed(by) => document.allowed.push(Allowed { summary: leak.summary, by }),
        Said::Less(by) => {
            leak.allowed_less = Some(by);
            document.findings.push(leak);
        }
        Said::Nothing => document.findings.push(leak),
    }
}

fn by_pattern(survivors: &[Survivor]) -> BTreeMap<Text, Vec<Survivor>> {
    let mut groups: BTreeMap<Text, Vec<Survivor>> = BTreeMap::new();
    let all: Vec<Text> = survivors.iter().map(|one| one.name.clone()).collect();
    let names: Vec<&str> = all.iter().map(Text::as_str).collect();
    for group in names::fold(&names) {
        let members = group.members.iter().filter_map(|member| survivors.get(*member)).cloned();
        groups.entry(group.pattern.as_str().into()).or_default().extend(members);
    }
    groups
}

fn verdict(end: End, document: &mut Document) {
    let leaks = !document.findings.is_empty();
    (document.verdict, document.exit_code) = if leaks { (Verdict::Leak, LEAK) } else { (Verdict::Pass, 0) };
    if end != End::Exited(0) {
        document.verdict = Verdict::Failed;
        document.exit_code = end.code();
        document.failure = Some(Failed {
            what: format!("the command failed: {}", super::rounds::shown(end)),
            exit_code: end.code(),
            last_lines: Vec::new(),
        });
    }
}
