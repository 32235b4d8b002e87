//! What a report says in each of its forms: its head, the facts of a finding, what was taken out.

use model::{Bytes, Confidence, Finding, FindingKind, show};

use super::redact::Redactor;
use super::{creators, diagnosis as words};
use crate::analyse::{Analyser, Diagnosis, HostSummary, Redacted, Tracked};

/// `One process looked at, 2026-03-01T03:12:09Z, from this host. Kernel 6.1, up 3 d, 2 CPUs.`
pub(super) fn looked_at(diagnosis: &Diagnosis) -> String {
    let Diagnosis { host, looked_at, origin, .. } = diagnosis;
    let whom = match looked_at.processes {
        1 => "One process".to_owned(),
        n => words::processes(n),
    };
    let watched = if looked_at.watched_s >= 1.0 {
        format!(", over {}", show::duration(looked_at.watched_s))
    } else {
        String::new()
    };
    // A store says no more of its host than what it needs.
    let kernel = format!("Kernel {}, ", host.kernel);
    let kernel = if host.kernel.as_str().is_empty() { "" } else { &kernel };
    let cpus = match host.cpus {
        0 => String::new(),
        1 => ", 1 CPU".to_owned(),
        n => format!(", {} CPUs", show::count(n)),
    };
    let up = if kernel.is_empty() { "Up" } else { "up" };
    format!(
        "{whom} looked at, {}, from {origin}{watched}. {kernel}{up} {}{cpus}.",
        host.at,
        show::duration(host.uptime_s)
    )
}

/// `java[4711] org.shop.Main`, as far as it may be said.
pub(crate) fn named(tracked: &Tracked, analyser: &Analyser, redactor: Option<&Redactor>) -> String {
    let mut process = analyser.process_ref(tracked);
    if let Some(redactor) = redactor {
        redactor.process(&mut process, analyser);
    }
    words::called(&process)
}

/// `memory 23.54 GiB · available 20.42 GiB · …`.
pub(super) fn memory_of(host: &HostSummary) -> String {
    let figures = [
        ("memory", host.memory_bytes),
        ("available", host.available_bytes),
        ("committed", host.committed_bytes),
        ("commit limit", host.commit_limit_bytes),
    ];
    let known =
        figures.iter().filter_map(|(name, bytes)| Some(format!("{name} {}", show::bytes(Bytes((*bytes)?)))));
    known.collect::<Vec<_>>().join(" · ")
}

/// `Nothing suspicious in java[4711]. Nearest limit: ….`; nobody's name for a whole host.
pub(super) fn nothing(diagnosis: &Diagnosis, names: &[String]) -> String {
    let whom = match names {
        [] => words::processes(diagnosis.looked_at.processes),
        names => names.join(", "),
    };
    let nearest = diagnosis.nearest_limit.as_ref();
    let nearest =
        nearest.map_or_else(String::new, |n| format!(" Nearest limit: {}.", words::nearest_limit(n)));
    format!("Nothing suspicious in {whom}.{nearest}")
}

/// What is known of a finding besides its figures: names, and what is to be said.
pub(super) fn facts(finding: &Finding, host: &HostSummary) -> Vec<(&'static str, String)> {
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    if let Some(why) = &finding.confidence_why {
        let possible = finding.confidence == Confidence::Possible;
        facts.push((if possible { "Only possible" } else { "Not surer" }, why.clone()));
    }
    facts.push(("Risk", finding.risk.clone()));
    facts.push(("Now", finding.now.clone()));
    // The stack itself is shown below: who reads one line reads this one.
    let seen = finding.created_by.iter().find(|by| !matches!(by.source.as_str(), "owner" | "site"));
    facts.push(("Created by", seen.map(creators::line).unwrap_or_default()));
    for schedule in &finding.schedules {
        facts.push(if schedule.in_process {
            ("Job", creators::job_line(schedule))
        } else {
            ("Schedule", words::schedule_line(schedule))
        });
    }
    let faults = finding.faults.iter().enumerate().map(|(at, fault)| format!("{} {fault}", at + 1));
    let faults: Vec<String> = faults.collect();
    facts.push((if faults.len() == 2 { "Two faults" } else { "Faults" }, faults.join(" · ")));
    let shares: Vec<String> = finding.libraries.iter().map(creators::share).collect();
    facts.push(("Libraries", shares.join(" · ")));
    facts.push(("Unexplained", words::unexplained(finding, host)));
    facts.push(("Process started", finding.process.started.clone()));
    facts.push(("Finding", finding.id.clone()));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// A command and what it is for, where a step is one: `flatfoot diagnose 3248 --for 10m        watches whether any ends`.
pub(super) fn command(step: &str) -> Option<(&str, &str)> {
    let (command, why) = step.split_once("  ").filter(|(command, _)| command.starts_with("flatfoot "))?;
    Some((command, why.trim_start()))
}

/// How to learn who starts the threads, where a JVM could tell and was not asked.
pub(super) fn unasked(finding: &Finding, tracked: Option<&Tracked>) -> Option<String> {
    let reading = &tracked?.reading;
    let is_seen = finding.created_by.iter().any(|by| !matches!(by.source.as_str(), "owner" | "site"));
    let was_asked = reading.inside.value().is_some();
    if finding.kind != FindingKind::ThreadLeak || reading.jvm.value().is_none() || is_seen || was_asked {
        return None;
    }
    let pid = finding.process.pid;
    Some(format!(
        "Not asked. While it runs, flatfoot report {pid} --access agent -o {pid}.html waits for the next birth and shows the \
         stack that it comes from; it says first what it does to the JVM."
    ))
}

/// `How many different ones: arguments: 1 · names of hosts: 1.`; nothing when there were none.
pub(super) fn different(redacted: &Redacted) -> String {
    let each: Vec<String> =
        redacted.different.iter().map(|(what, count)| format!("{what}: {}", show::count(*count))).collect();
    if each.is_empty() { String::new() } else { format!("How many different ones: {}.", each.join(" · ")) }
}
