//! Before and after, as a table; and the answer to "is it fixed?".

use std::fmt::Write as _;

use detect::compare::{Change, FiringSource, Proof};
use detect::eta::Rate;
use model::{Bytes, Impact, ProcessRef, show};
use schemars::JsonSchema;
use serde::Serialize;

use super::diagnosis::{headline, labelled};
use super::{Align, Table, Term, time};
use crate::analyse::HostSummary;
use crate::compare::proof::{Answer, Leak};
use crate::compare::{Compared, Difference, FindingChange, Metric, Side, Unit};

/// `flatfoot compare --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct CompareDocument {
    /// `flatfoot.compare/1`.
    pub(crate) schema: &'static str,
    /// The first observation.
    pub(crate) before: SideRow,
    /// The second one.
    pub(crate) after: SideRow,
    /// Processes with the same unit, container or command.
    pub(crate) processes: Vec<ProcessChange>,
    /// Findings of either, and what became of them.
    pub(crate) findings: Vec<FindingRow>,
    /// What could not be compared, and what was lost on the way.
    pub(crate) not_judged: Vec<String>,
}

/// One observation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct SideRow {
    /// As it was named.
    pub(crate) name: String,
    /// Where.
    pub(crate) host: HostSummary,
    /// RFC 3339, UTC.
    pub(crate) from: String,
    /// RFC 3339, UTC.
    pub(crate) to: String,
}

/// One process, before and after.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProcessChange {
    /// `java torquebox`.
    pub(crate) process: String,
    /// How many processes of it before.
    pub(crate) members_before: u64,
    /// And after.
    pub(crate) members_after: u64,
    /// Its figures and thread patterns.
    pub(crate) figures: Vec<FigureRow>,
}

/// A figure or a thread pattern.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct FigureRow {
    /// `threads`, `pool-*-thread-1`.
    pub(crate) what: String,
    /// `count` or `bytes`.
    pub(crate) unit: &'static str,
    /// At the end of the first observation; null when it was not read.
    pub(crate) before: Option<f64>,
    /// At the end of the second one.
    pub(crate) after: Option<f64>,
    /// Growth per second; null with too few looks.
    pub(crate) rate_before_per_s: Option<f64>,
    /// 95 % interval.
    pub(crate) rate_before_interval: Option<(f64, f64)>,
    /// Growth per second.
    pub(crate) rate_after_per_s: Option<f64>,
    /// 95 % interval.
    pub(crate) rate_after_interval: Option<(f64, f64)>,
    /// Seconds between births, where they have a rhythm.
    pub(crate) period_before_s: Option<f64>,
    /// The same after.
    pub(crate) period_after_s: Option<f64>,
    /// `same`, `stopped`, `started`, `slower`, `faster`, `unknown`.
    pub(crate) change: &'static str,
}

/// A finding, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct FindingRow {
    /// Its id.
    pub(crate) id: String,
    /// Its kind.
    pub(crate) kind: String,
    /// Whose it is.
    pub(crate) process: ProcessRef,
    /// What grows.
    pub(crate) subject: String,
    /// `possible`, `likely`, `confirmed`.
    pub(crate) confidence: &'static str,
    /// `appeared`, `ended`, `in both`.
    pub(crate) change: &'static str,
    /// The id of the same leak in the other observation, by its signature.
    pub(crate) same_as: Option<String>,
    /// What the signatures share: `kind`, `pattern`, `cadence`, `creator`.
    pub(crate) signature: Vec<&'static str>,
}

impl CompareDocument {
    /// Of two observations and what was found between them.
    pub(crate) fn new(
        before: &Side,
        after: &Side,
        processes: &[Compared],
        findings: &[FindingChange],
    ) -> Self {
        let mut not_judged: Vec<String> = before.remarks.iter().chain(&after.remarks).cloned().collect();
        if processes.iter().all(|one| one.members.0 == 0 || one.members.1 == 0) {
            not_judged.push("no process is in both: nothing can be compared".to_owned());
        }
        Self {
            schema: "flatfoot.compare/1",
            before: SideRow::of(before),
            after: SideRow::of(after),
            processes: processes.iter().map(ProcessChange::of).collect(),
            findings: findings.iter().map(FindingRow::of).collect(),
            not_judged,
        }
    }

    /// As text: what changed, or everything.
    pub(crate) fn text(
        &self,
        processes: &[Compared],
        findings: &[FindingChange],
        all: bool,
        term: Term,
    ) -> String {
        let mut out = String::new();
        for (label, side) in [("BEFORE", &self.before), ("AFTER", &self.after)] {
            let text = format!("{}: {}, {} to {}", side.name, side.host.name, side.from, side.to);
            labelled(&mut out, term, label, &text);
        }
        let mut table = Table::new(&[
            ("PROCESS", Align::Left),
            ("WHAT", Align::Left),
            ("BEFORE", Align::Right),
            ("GROWTH", Align::Left),
            ("AFTER", Align::Right),
            ("GROWTH", Align::Left),
            ("CHANGE", Align::Left),
        ]);
        let (mut rows, mut quiet, mut unknown) = (0, 0, 0);
        for process in processes {
            let shown: Vec<&Difference> =
                process.differences.iter().filter(|d| all || is_change(d.change)).collect();
            if shown.is_empty() && process.members.0 > 0 && process.members.1 > 0 {
                let is_judged = process.differences.iter().any(has_rates);
                quiet += u64::from(is_judged);
                unknown += u64::from(!is_judged);
            }
            for (index, difference) in shown.into_iter().enumerate() {
                let name = if index == 0 { process.label.clone() } else { String::new() };
                table.row(row(name, difference));
                rows += 1;
            }
        }
        if rows > 0 {
            out.push_str(&table.text());
        }
        let only = |side: fn(&(u64, u64)) -> bool| -> Vec<&str> {
            processes.iter().filter(|p| side(&p.members)).map(|p| p.label.as_str()).collect()
        };
        labelled_list(&mut out, term, "APPEARED", &only(|members| members.0 == 0));
        labelled_list(&mut out, term, "ENDED", &only(|members| members.1 == 0));
        for change in findings {
            let finding = &change.finding;
            let mut text =
                format!("{} {} {}", finding.id, super::diagnosis::process(finding), headline(finding));
            if let Some((other, _)) = &change.same_as {
                let shared = shared(change).join(", ");
                let _ = write!(text, "; the same leak as {} on the other side (same {shared})", other.id);
            }
            let label = match change.change {
                "appeared" if change.same_as.is_some() => "SAME LEAK",
                "appeared" => "NEW LEAK",
                "ended" if change.same_as.is_some() => continue,
                "ended" => "NOT THERE",
                _ => "STILL THERE",
            };
            labelled(&mut out, term, label, &text);
        }
        if quiet > 0 {
            let text = format!("{} processes (--all shows them)", show::count(quiet));
            labelled(&mut out, term, "NO CHANGE", &text);
        }
        if unknown > 0 {
            let text = format!(
                "{} processes: too few looks for their rates; save --for 6m, or flatfoot record, takes more",
                show::count(unknown)
            );
            labelled(&mut out, term, "NOT JUDGED", &text);
        }
        for line in &self.not_judged {
            labelled(&mut out, term, "NOT JUDGED", line);
        }
        out
    }
}

/// Is anything known of its growth on both sides?
fn has_rates(difference: &Difference) -> bool {
    let known = |metric: &Option<Metric>| metric.as_ref().is_some_and(|metric| metric.rate.is_some());
    known(&difference.before) && known(&difference.after)
}

fn is_change(change: Change) -> bool {
    !matches!(change, Change::Same | Change::Unknown)
}

fn labelled_list(out: &mut String, term: Term, label: &str, names: &[&str]) {
    const MOST: usize = 12;
    if names.is_empty() {
        return;
    }
    let mut text = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    labelled(out, term, label, &text);
}

fn row(name: String, difference: &Difference) -> Vec<String> {
    let Difference { what, unit, before, after, period_s, change } = difference;
    let last =
        |metric: &Option<Metric>| metric.as_ref().map_or_else(|| "-".to_owned(), |m| amount(*unit, m.last));
    let growth = |metric: &Option<Metric>, period: Option<f64>| {
        let rate =
            metric.as_ref().and_then(|m| m.rate).map_or_else(|| "?".to_owned(), |rate| growth(*unit, rate));
        period.map_or_else(|| rate.clone(), |period_s| format!("{rate}, each {}", show::period(period_s)))
    };
    vec![
        name,
        what.clone(),
        last(before),
        growth(before, period_s.0),
        last(after),
        growth(after, period_s.1),
        change.word().to_owned(),
    ]
}

fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Count => show::count(value.max(0.0) as u64),
        Unit::Bytes => show::bytes(Bytes(value.max(0.0) as u64)),
    }
}

/// `+60.0/h (59.9 to 60.1)`, `0`.
fn growth(unit: Unit, rate: Rate) -> String {
    if rate.low <= 0.0 && rate.high >= 0.0 {
        return "0".to_owned();
    }
    let one = |per_s: f64| match unit {
        Unit::Count => show::rate(per_s),
        Unit::Bytes => show::byte_rate(per_s),
    };
    format!("{}{}", if rate.per_s > 0.0 { "+" } else { "" }, one(rate.per_s))
}

impl SideRow {
    fn of(side: &Side) -> Self {
        Self {
            name: side.name.clone(),
            host: side.host.clone(),
            from: time::rfc3339(side.seen.0),
            to: time::rfc3339(side.seen.1),
        }
    }
}

impl ProcessChange {
    fn of(compared: &Compared) -> Self {
        Self {
            process: compared.label.clone(),
            members_before: compared.members.0,
            members_after: compared.members.1,
            figures: compared.differences.iter().map(FigureRow::of).collect(),
        }
    }
}

impl FigureRow {
    fn of(difference: &Difference) -> Self {
        let rate = |metric: &Option<Metric>| metric.as_ref().and_then(|metric| metric.rate);
        let interval = |rate: Option<Rate>| rate.map(|rate| (rate.low, rate.high));
        let (was, is) = (rate(&difference.before), rate(&difference.after));
        Self {
            what: difference.what.clone(),
            unit: match difference.unit {
                Unit::Count => "count",
                Unit::Bytes => "bytes",
            },
            before: difference.before.map(|metric| metric.last),
            after: difference.after.map(|metric| metric.last),
            rate_before_per_s: was.map(|rate| rate.per_s),
            rate_before_interval: interval(was),
            rate_after_per_s: is.map(|rate| rate.per_s),
            rate_after_interval: interval(is),
            period_before_s: difference.period_s.0,
            period_after_s: difference.period_s.1,
            change: difference.change.word(),
        }
    }
}

/// The parts of the signature that both sides share.
fn shared(change: &FindingChange) -> Vec<&'static str> {
    let Some((_, found)) = &change.same_as else { return Vec::new() };
    let cadence = (found.cadence == Some(true)).then_some("cadence");
    let creator = (found.creator == Some(true)).then_some("creator");
    ["kind", "pattern"].into_iter().chain(cadence).chain(creator).collect()
}

impl FindingRow {
    fn of(change: &FindingChange) -> Self {
        Self {
            id: change.finding.id.clone(),
            kind: change.finding.kind.id().to_owned(),
            process: change.finding.process.clone(),
            subject: change.finding.subject.as_str().to_owned(),
            confidence: change.finding.confidence.label(),
            change: change.change,
            same_as: change.same_as.as_ref().map(|(other, _)| other.id.clone()),
            signature: shared(change),
        }
    }
}

/// `flatfoot compare --finding ID --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProofDocument {
    /// `flatfoot.proof/1`.
    pub(crate) schema: &'static str,
    /// `fixed`, `not_fixed`, `not_proven`.
    pub(crate) answer: &'static str,
    /// In a sentence.
    pub(crate) why: String,
    /// The finding's id.
    pub(crate) finding: String,
    /// Its kind.
    pub(crate) kind: String,
    /// What leaked.
    pub(crate) subject: String,
    /// The case that it was read from.
    pub(crate) case: String,
    /// The processes that were asked.
    pub(crate) pids: Vec<u32>,
    /// Since when things count; RFC 3339, UTC.
    pub(crate) since: String,
    /// Firings of the cause seen since; 0 for what has no firings.
    pub(crate) firings: u64,
    /// Who counted them: `births`, `numbers`, `starts`, `schedule`.
    pub(crate) counted_by: Option<&'static str>,
    /// Things left behind since.
    pub(crate) survivors: u64,
    /// When the next firing is due; RFC 3339, UTC.
    pub(crate) next: Option<String>,
    /// Growth per second now, of what has no firings.
    pub(crate) rate_per_s: Option<f64>,
    /// How long it was watched, in seconds.
    pub(crate) watched_s: f64,
    /// What else is to be known.
    pub(crate) remarks: Vec<String>,
    /// What was done to the process.
    pub(crate) impact: Impact,
}

impl ProofDocument {
    /// Of an answer.
    pub(crate) fn new(leak: &Leak, answer: &Answer) -> Self {
        let (firings, survivors, source, next) = match answer.proof {
            Proof::Fixed { firings, source } => (firings, 0, Some(source), None),
            Proof::NotFixed { survivors, firings } => (firings.unwrap_or(0), survivors, None, None),
            Proof::NotProven { firings, next_unix_s, .. } => (firings, 0, None, next_unix_s),
        };
        let source = source.filter(|_| firings > 0);
        Self {
            schema: "flatfoot.proof/1",
            answer: word(answer.proof).1,
            why: why(leak, answer),
            finding: leak.finding.id.clone(),
            kind: leak.finding.kind.id().to_owned(),
            subject: leak.finding.subject.as_str().to_owned(),
            case: leak.case.clone(),
            pids: answer.pids.iter().map(|pid| pid.0).collect(),
            since: time::rfc3339(answer.since_unix_s),
            firings,
            counted_by: source.map(|source| match source {
                FiringSource::Births => "births",
                FiringSource::Numbers => "numbers",
                FiringSource::Starts => "starts",
                FiringSource::Schedule => "schedule",
            }),
            survivors,
            next: next.map(time::rfc3339),
            rate_per_s: answer.rate.map(|rate| rate.per_s),
            watched_s: answer.watched_s,
            remarks: answer.remarks.clone(),
            impact: answer.impact.clone(),
        }
    }

    /// As text.
    pub(crate) fn text(&self, leak: &Leak, answer: &Answer, term: Term) -> String {
        let mut out = String::new();
        labelled(&mut out, term, word(answer.proof).0, &self.why);
        if let Some(counted) = self.counted_by.and_then(counted) {
            labelled(&mut out, term, "COUNTED", counted);
        }
        let was = format!("{} {} ({})", leak.finding.id, headline(&leak.finding), leak.case);
        labelled(&mut out, term, "BEFORE", &was);
        let now = format!("{}, since {}", answer.label, time::local(answer.since_unix_s));
        labelled(&mut out, term, "NOW", &now);
        for remark in &self.remarks {
            labelled(&mut out, term, "NOTE", remark);
        }
        labelled(&mut out, term, "IMPACT", &super::diagnosis::impact(&self.impact, "this host"));
        out
    }
}

fn word(proof: Proof) -> (&'static str, &'static str) {
    match proof {
        Proof::Fixed { .. } => ("FIXED", "fixed"),
        Proof::NotFixed { .. } => ("NOT FIXED", "not_fixed"),
        Proof::NotProven { .. } => ("NOT PROVEN", "not_proven"),
    }
}

/// What firings were counted by. Of a schedule the sentence says it.
fn counted(by: &str) -> Option<&'static str> {
    match by {
        "births" => Some("by births that were seen"),
        "numbers" => Some("by the numbers in the names, which are given out in turn"),
        "starts" => Some("by threads started in the leak's own rhythm, which ended"),
        _ => None,
    }
}

fn why(leak: &Leak, answer: &Answer) -> String {
    let what = &leak.finding.subject;
    let threads = leak.finding.kind == model::FindingKind::ThreadLeak;
    match answer.proof {
        Proof::Fixed { firings, source } if threads => {
            let of = match (source, &answer.schedule) {
                (FiringSource::Schedule, Some(entry)) => {
                    format!("of {} were due, by {}", entry.what, entry.source)
                }
                _ => "seen".to_owned(),
            };
            let before = if leak.finding.none_ended { "1 of each" } else { "most" };
            format!("{} firings {of}, 0 threads of {what} survived (before: {before})", show::count(firings))
        }
        Proof::Fixed { .. } => format!("{what} does not grow any more, under a load like before"),
        Proof::NotFixed { survivors, firings } if threads => {
            let of = firings.map_or_else(String::new, |n| format!(" of {} born", show::count(n)));
            format!("{} threads of {what}{of} since then are still there", show::count(survivors))
        }
        Proof::NotFixed { .. } => {
            let rate = answer.rate.map_or_else(String::new, |rate| {
                let bytes = leak.finding.touched_bytes.is_some() || leak.finding.committed_bytes.is_some();
                let now = if bytes { show::byte_rate(rate.per_s) } else { show::rate(rate.per_s) };
                format!(": {now} now")
            });
            format!("{what} still grows{rate}")
        }
        Proof::NotProven { firings, needed, next_unix_s } if threads => {
            let next = next_unix_s.map_or_else(String::new, |at| format!("; next at {}", time::local(at)));
            format!("{firings} firings seen, {needed} without a survivor would prove it{next}")
        }
        Proof::NotProven { .. } => {
            format!(
                "{what} was not seen to grow in {}, which proves nothing yet",
                show::duration(answer.watched_s)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_reads_as_a_rate_or_as_none() {
        let rate = |per_s: f64, margin: f64| Rate { per_s, low: per_s - margin, high: per_s + margin };
        assert_eq!(growth(Unit::Count, rate(0.1, 0.2)), "0");
        assert_eq!(growth(Unit::Count, rate(1.0, 0.1)), format!("+{}", show::rate(1.0)));
        assert_eq!(growth(Unit::Bytes, rate(-2048.0, 10.0)), show::byte_rate(-2048.0));
    }
}
