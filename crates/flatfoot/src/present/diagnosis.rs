//! A diagnosis as text: a line or two per finding for a whole host, all evidence for a target.

use std::fmt::Write as _;

use model::show;
use model::{
    AccessLevel, Bytes, Confidence, Evidence, Finding, FindingKind, Impact, Limit, LimitUnit, PoolShape,
    ProcessRef, RuledOut, ScheduleMatch,
};

use super::Term;
use crate::analyse::{Diagnosis, HostSummary, NearestLimit};

/// Width of the labels on the left.
const LABEL: usize = 13;

/// A diagnosis of the whole host: short.
pub(crate) fn host(diagnosis: &Diagnosis, term: Term) -> String {
    let mut out = String::new();
    let looked = &diagnosis.looked_at;
    let processes = processes(looked.processes);
    let _ = if looked.took_s > 0.0 {
        write!(out, "{processes} in {}, by reading only", show::duration(looked.took_s))
    } else {
        write!(out, "{processes}, as they were recorded")
    };
    if looked.looks > 1 && looked.watched_s >= 1.0 {
        let _ = write!(out, "; watched for {}", show::duration(looked.watched_s));
    }
    if looked.denied > 0 {
        let _ =
            write!(out, " ({} of others only in part: sudo shows them whole)", show::count(looked.denied));
    }
    out.push('\n');
    for finding in &diagnosis.findings {
        brief(finding, term, &mut out);
    }
    if diagnosis.findings.is_empty() {
        let _ = write!(out, "Nothing suspicious in {processes}.");
        if let Some(nearest) = &diagnosis.nearest_limit {
            let _ = write!(out, " Nearest limit: {}.", nearest_limit(nearest));
        }
        out.push('\n');
    }
    tail(diagnosis, term, &mut out);
    out
}

/// A diagnosis of one process or a few: everything.
pub(crate) fn targets(diagnosis: &Diagnosis, names: &[String], term: Term) -> String {
    let mut out = String::new();
    for finding in &diagnosis.findings {
        full(finding, &diagnosis.host, term, &mut out);
    }
    if diagnosis.findings.is_empty() {
        let _ = write!(out, "Nothing suspicious in {}.", names.join(", "));
        if let Some(nearest) = &diagnosis.nearest_limit {
            let _ = write!(out, " Nearest limit: {}.", nearest_limit(nearest));
        }
        out.push('\n');
    }
    tail(diagnosis, term, &mut out);
    out
}

/// A finding in few lines.
fn brief(finding: &Finding, term: Term, out: &mut String) {
    let line = format!("{}  {}   {}", title(finding, term), process(finding), headline(finding));
    let _ = writeln!(out, "{line}      {}", finding.confidence.label());
    if let Some(why) = finding.confidence_why.as_ref().filter(|_| finding.confidence == Confidence::Possible)
    {
        labelled(out, term, "ONLY POSSIBLE", why);
    }
    if let Some(schedule) = finding.schedules.first() {
        labelled(out, term, "SCHEDULE", &schedule_line(schedule));
    }
    labelled(out, term, "RISK", &finding.risk);
    labelled(out, term, "NOW", &finding.now);
    let why = format!("flatfoot diagnose {}        shows all evidence", finding.process.pid);
    labelled(out, term, "WHY", &why);
}

/// A finding with everything that was found.
fn full(finding: &Finding, host: &HostSummary, term: Term, out: &mut String) {
    let head = format!("{}  {}", title(finding, term), process(finding));
    let plain = format!("{}  {}", finding.kind.title(), process(finding));
    let pad = 100usize.saturating_sub(plain.chars().count()).max(3);
    let _ = writeln!(out, "{head}{:pad$}{}", "", confidence(finding.confidence, term));
    let _ = writeln!(out, "  {}", sentence(finding));
    if let Some(inferred) = &finding.subject_inferred {
        let _ = writeln!(out, "  {}", term.dim(&format!("({inferred})")));
    }
    if let Some(memory) = memory_sentence(finding) {
        let _ = writeln!(out, "  {memory}");
    }
    if let Some(why) = finding.confidence_why.as_ref() {
        let label = if finding.confidence == Confidence::Possible { "ONLY POSSIBLE" } else { "NOT SURER" };
        labelled(out, term, label, why);
    }
    for schedule in finding.schedules.iter().filter(|schedule| !schedule.in_process) {
        labelled(out, term, "SCHEDULE", &schedule_line(schedule));
    }
    super::creators::write(finding, term, out);
    evidence(finding, term, out);
    if !finding.ruled_out.is_empty() {
        labelled(out, term, "RULED OUT", &joined(&finding.ruled_out, ": "));
    }
    if !finding.too_small.is_empty() {
        let _ = writeln!(out, "{}   {}", term.bold("TOO SMALL TO EXPLAIN IT"), too_small(&finding.too_small));
    }
    labelled(out, term, "UNEXPLAINED", &unexplained(finding, host));
    labelled(out, term, "LIMIT", &limits(&finding.limits));
    labelled(out, term, "RISK", &finding.risk);
    labelled(out, term, "NOW", &finding.now);
    for next in &finding.next {
        labelled(out, term, "NEXT", next);
    }
}

fn tail(diagnosis: &Diagnosis, term: Term, out: &mut String) {
    for death in diagnosis.died_before.iter().take(5) {
        let when = death.when.as_ref().map_or_else(String::new, |w| format!("{w}  "));
        labelled(out, term, "DIED BEFORE", &format!("{when}{} ({})", death.what, death.source));
    }
    let shown = if term.verbose { usize::MAX } else { 6 };
    for line in diagnosis.not_judged.iter().take(shown) {
        labelled(out, term, "NOT JUDGED", line);
    }
    if diagnosis.not_judged.len() > shown {
        let more = diagnosis.not_judged.len() - shown;
        labelled(out, term, "NOT JUDGED", &format!("{more} more: -v shows them"));
    }
    if let Some(saved) = &diagnosis.saved {
        let size = show::bytes(Bytes(saved.bytes));
        labelled(out, term, "SAVED", &format!("{} ({size}, --no-save to skip)", saved.path));
    }
    labelled(out, term, "IMPACT", &impact(&diagnosis.impact, &diagnosis.origin));
}

/// What was done to the target; nothing to one that was recorded.
pub(super) fn impact(impact: &Impact, origin: &str) -> String {
    if origin != "this host" {
        return format!("none: read from {origin}");
    }
    if impact.level > AccessLevel::Read {
        let attached = if impact.attached_s < 1.0 {
            show::pause(impact.attached_s)
        } else {
            show::duration(impact.attached_s)
        };
        let mut parts = vec![format!("attached {attached}")];
        parts.extend(impact.done.iter().cloned());
        parts.push(match impact.longest_pause_s {
            0.0 => "no pause".to_owned(),
            pause => format!("longest pause {}", show::pause(pause)),
        });
        return parts.join("; ");
    }
    format!(
        "read from /proc for {}, {} of CPU; nothing was loaded, signalled or stopped",
        show::duration(impact.reading_s),
        show::duration(impact.own_cpu_s)
    )
}

fn title(finding: &Finding, term: Term) -> String {
    let title = finding.kind.title();
    if finding.confidence == Confidence::Possible { term.yellow(&title) } else { term.red(&title) }
}

fn confidence(confidence: Confidence, term: Term) -> String {
    match confidence {
        Confidence::Possible => term.yellow(confidence.label()),
        _ => term.red(confidence.label()),
    }
}

/// The process of a finding, as it is called.
pub(crate) fn process(finding: &Finding) -> String {
    called(&finding.process)
}

/// `1 process`, `1,204 processes`.
pub(crate) fn processes(count: u64) -> String {
    format!("{} process{}", show::count(count), if count == 1 { "" } else { "es" })
}

/// `java[3248] torquebox`.
pub(super) fn called(process: &ProcessRef) -> String {
    let label = process.label.as_ref().map_or_else(String::new, |l| format!(" {l}"));
    format!("{}[{}]{label}", process.name, process.pid)
}

/// `1,550 × pool-*-thread-1, one every 60.0 s at :00, since 9 s after start`.
pub(crate) fn headline(finding: &Finding) -> String {
    if finding.kind != FindingKind::ThreadLeak {
        return growth(finding);
    }
    format!("{} × {}{}", show::count(finding.count), finding.subject, rhythm(finding))
}

fn growth(finding: &Finding) -> String {
    let rate = finding.rate_per_s.unwrap_or(0.0);
    match finding.kind {
        FindingKind::DescriptorLeak | FindingKind::ChildProcessLeak => {
            format!("{} {}, +{}", show::count(finding.count), unit_name(finding), show::rate(rate))
        }
        _ => {
            format!("{}: {}, +{}", finding.subject, show::bytes(Bytes(finding.count)), show::byte_rate(rate))
        }
    }
}

fn unit_name(finding: &Finding) -> String {
    match finding.kind {
        // What kinds they are is not recorded.
        FindingKind::DescriptorLeak if finding.subject.as_str() != "descriptors" => {
            format!("descriptors, mostly {}", finding.subject)
        }
        _ => finding.subject.to_string(),
    }
}

fn rhythm(finding: &Finding) -> String {
    match finding.cadence.as_slice() {
        [] => {
            finding.rate_per_s.map_or_else(String::new, |r| format!(", {} without a rhythm", show::rate(r)))
        }
        [one] => format!(", one every {}{}", show::period(one.period_s), phase(one.period_s, one.phase_s)),
        several => {
            let trains: Vec<String> = several
                .iter()
                .map(|c| format!("one every {}{}", show::period(c.period_s), phase(c.period_s, c.phase_s)))
                .collect();
            format!(", {}", trains.join(" and "))
        }
    }
}

/// Where in the minute or hour: ` at :00`, ` at :15:00`; nothing for periods below five seconds.
fn phase(period_s: f64, phase_s: Option<f64>) -> String {
    let Some(phase) = phase_s else { return String::new() };
    if period_s < 5.0 {
        return String::new();
    }
    let seconds = phase.rem_euclid(period_s).round() as u64 % (period_s.round().max(1.0) as u64);
    if period_s <= 60.5 {
        format!(" at :{seconds:02}")
    } else if period_s <= 3_600.5 {
        format!(" at {:02}:{:02} of the hour", seconds / 60 % 60, seconds % 60)
    } else {
        format!(" at {:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
    }
}

/// `1,550 threads of pool-*-thread-1: one-thread pools, one more every 60.0 s (±0.1 s) at :00; …`.
pub(super) fn sentence(finding: &Finding) -> String {
    if finding.kind != FindingKind::ThreadLeak {
        return growth(finding);
    }
    let shape = match finding.pool_shape {
        Some(PoolShape::OneThreadPools) => "one-thread pools, ",
        Some(PoolShape::OnePool) => "one pool, ",
        Some(PoolShape::SeveralPools) => "several pools, ",
        _ => "",
    };
    let births = match finding.cadence.as_slice() {
        [] => finding.rate_per_s.map_or_else(
            || "more and more".to_owned(),
            |r| format!("{} more, without a rhythm", show::rate(r)),
        ),
        trains => trains
            .iter()
            .map(|c| {
                let each = if c.per_event >= 1.5 {
                    format!("{:.0} more", c.per_event)
                } else {
                    "one more".to_owned()
                };
                // What the clock's ticks cannot show is not worth a bracket.
                let jitter = if c.jitter_s < 0.005 {
                    String::new()
                } else {
                    format!(" (±{} s)", show::spread(c.jitter_s))
                };
                format!("{each} every {}{jitter}{}", show::period(c.period_s), phase(c.period_s, c.phase_s))
            })
            .collect::<Vec<_>>()
            .join(", and "),
    };
    let ended = if finding.none_ended { "; no gap in their numbers: none has ended" } else { "" };
    format!("{} threads of {}: {shape}{births}{ended}", show::count(finding.count), finding.subject)
}

pub(super) fn memory_sentence(finding: &Finding) -> Option<String> {
    if finding.kind != FindingKind::ThreadLeak {
        return None;
    }
    let reserved = Bytes(finding.reserved_bytes?);
    let touched = match finding.touched_bytes {
        Some(touched) => format!("touch {}", show::bytes(Bytes(touched))),
        None => "how much they touch was not read".to_owned(),
    };
    let each = reserved.0 / finding.count.max(1);
    Some(format!(
        "Their stacks reserve {} and {touched} ({} each): resident memory hardly shows this",
        show::bytes(reserved),
        show::bytes(Bytes(each))
    ))
}

/// A schedule that was found runs something; an expression that was not is only another name of the cadence.
pub(super) fn schedule_line(schedule: &ScheduleMatch) -> String {
    let near = schedule.near_miss.as_ref().map_or_else(String::new, |n| format!(": {n}"));
    let ScheduleMatch { expression, meaning, .. } = schedule;
    match &schedule.source {
        Some(source) => {
            let what = schedule.what.as_ref().map_or_else(String::new, |w| format!(", runs {w}"));
            format!("{source} fits: \"{expression}\" {meaning}{what}{near}")
        }
        None => {
            let dialect = if expression.split(' ').count() > 5 { "Quartz" } else { "cron" };
            format!("like {dialect}'s \"{expression}\", which {meaning}{near}")
        }
    }
}

fn evidence(finding: &Finding, term: Term, out: &mut String) {
    let _ = writeln!(out, "{}", term.bold("EVIDENCE"));
    let (supporting, against): (Vec<_>, Vec<_>) = finding.evidence.iter().partition(|e| e.supports);
    for (index, item) in supporting.iter().enumerate() {
        evidence_item(index + 1, item, term, out);
    }
    if !against.is_empty() {
        let _ = writeln!(out, "{}", term.bold("AGAINST IT"));
        for (index, item) in against.iter().enumerate() {
            evidence_item(supporting.len() + index + 1, item, term, out);
        }
    }
}

fn evidence_item(number: usize, item: &Evidence, term: Term, out: &mut String) {
    let check = match (&item.reproduce, item.value) {
        (Some(command), Some(value)) => format!("{command}   → {value}"),
        (Some(command), None) => command.clone(),
        (None, _) => String::new(),
    };
    if check.is_empty() {
        let _ = writeln!(out, "  {number}  {}", item.claim);
    } else {
        let _ = writeln!(out, "  {number}  {:<64} {}", item.claim, term.dim(&format!("check: {check}")));
    }
    if term.verbose {
        let statistic = item.statistic.as_ref().map_or_else(String::new, |s| format!("; {s}"));
        let _ = writeln!(out, "     {}", term.dim(&format!("from {}{statistic}", item.source)));
    }
}

fn joined(items: &[RuledOut], between: &str) -> String {
    items.iter().map(|i| format!("{}{between}{}", i.kind, i.why)).collect::<Vec<_>>().join("; ")
}

/// The largest with its figures, the others by name: if that one is too small, they are.
fn too_small(items: &[RuledOut]) -> String {
    let named = items.iter().enumerate().map(|(index, item)| match index {
        0 => format!("{} ({})", item.kind, item.why),
        _ => item.kind.clone(),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// What is left over: of the process, and of the host's commit charge.
pub(super) fn unexplained(finding: &Finding, host: &HostSummary) -> String {
    let mut parts = Vec::new();
    if let Some(bytes) = finding.unexplained_bytes {
        parts.push(format!("{} of this process's address space", show::bytes(Bytes(bytes))));
    }
    if let (Some(own), Some(all)) = (finding.process_committed_bytes, host.committed_bytes) {
        let others = show::bytes(Bytes(all.saturating_sub(own)));
        parts.push(format!("{others} of the host's commit charge lie outside this process"));
    }
    parts.join("; ")
}

/// The nearest limits: those with a time first, at most four in all.
pub(super) fn limits(limits: &[Limit]) -> String {
    if limits.is_empty() {
        return "none could be read".to_owned();
    }
    let shown: Vec<String> = limits
        .iter()
        .take(4)
        .map(|l| match l.eta_s {
            Some(eta) => {
                format!("{} {} in {}{}", l.name, amount(l, l.value), show::duration(eta), interval(l, eta))
            }
            None => format!("{} {} used", l.name, show::percent(l.used())),
        })
        .collect();
    shown.join(" · ")
}

/// ` (2 h 10 m to 3 h)`, where the rate is so uncertain that it matters.
pub(super) fn interval(limit: &Limit, eta: f64) -> String {
    match limit.eta_interval_s {
        Some((early, Some(late))) if late - early > 0.1 * eta => {
            format!(" ({} to {})", show::duration(early), show::duration(late))
        }
        Some((early, None)) => format!(" ({} or later)", show::duration(early)),
        _ => String::new(),
    }
}

pub(super) fn amount(limit: &Limit, value: u64) -> String {
    match limit.unit {
        LimitUnit::Bytes => show::bytes(Bytes(value)),
        _ => show::count(value),
    }
}

/// `mysqld[912], RLIMIT_NOFILE 61 % (625 of 1,024)`.
pub(crate) fn nearest_limit(nearest: &NearestLimit) -> String {
    let limit = &nearest.limit;
    let who = match limit.scope.as_str() {
        "host" => "the host".to_owned(),
        _ => format!("{}[{}]", nearest.process.name, nearest.process.pid),
    };
    format!(
        "{who}, {} {} ({} of {})",
        limit.name,
        show::percent(limit.used()),
        amount(limit, limit.current),
        amount(limit, limit.value)
    )
}

/// `LABEL        text`, further lines of the text below it.
pub(super) fn labelled(out: &mut String, term: Term, label: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let pad = LABEL.saturating_sub(label.len());
    let _ = writeln!(out, "{}{:pad$} {text}", term.bold(label), "");
}
