//! The two observations side by side: what differs, what appeared, what ended.

use std::collections::{BTreeMap, BTreeSet};

use detect::compare::{Change, Signature, SignatureMatch, compare as compare_rates};
use detect::eta::Rate;
use model::{Confidence, Finding};

use super::{Metric, Observed, PatternSeen, Side, Unit};

/// One row: a figure or a thread pattern of a process, before and after.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// `threads`, `pool-*-thread-1`.
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) before: Option<Metric>,
    pub(crate) after: Option<Metric>,
    /// Periods of births, in seconds, where there is a rhythm.
    pub(crate) period_s: (Option<f64>, Option<f64>),
    pub(crate) change: Change,
}

/// A process in both, or in one of them.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) label: String,
    /// How many processes, before and after.
    pub(crate) members: (u64, u64),
    pub(crate) differences: Vec<Difference>,
}

/// What became of a finding.
#[derive(Clone, Debug)]
pub(crate) struct FindingChange {
    pub(crate) finding: Finding,
    /// `appeared`, `ended`, `in both`.
    pub(crate) change: &'static str,
    /// The same leak in another process of the other side: how well it agrees.
    pub(crate) same_as: Option<(Finding, SignatureMatch)>,
}

/// Compares two observations: processes with the same identity, and findings.
pub(crate) fn compare(before: &Side, after: &Side) -> (Vec<Compared>, Vec<FindingChange>) {
    let names: BTreeSet<&String> = before.processes.keys().chain(after.processes.keys()).collect();
    let none = Observed::default();
    let processes = names
        .into_iter()
        .map(|name| {
            let (was, is) = (before.processes.get(name), after.processes.get(name));
            let label = is.or(was).map_or_else(String::new, |one| one.label.clone());
            let (was, is) = (was.unwrap_or(&none), is.unwrap_or(&none));
            Compared { label, members: (was.members, is.members), differences: differences(was, is) }
        })
        .collect();
    (processes, findings(&before.findings, &after.findings))
}

fn differences(before: &Observed, after: &Observed) -> Vec<Difference> {
    let mut out = Vec::new();
    if before.members == 0 || after.members == 0 {
        return out;
    }
    for (name, was, is) in union(&before.patterns, &after.patterns) {
        let nothing =
            PatternSeen { rate: Some(Rate { per_s: 0.0, low: 0.0, high: 0.0 }), ..PatternSeen::default() };
        let (was, is) = (was.unwrap_or(&nothing), is.unwrap_or(&nothing));
        let metric =
            |seen: &PatternSeen| Metric { unit: Unit::Count, last: seen.count as f64, rate: seen.rate };
        let change = if was.rate.is_none() && is.rate.is_none() {
            Change::Same
        } else {
            compare_rates(was.rate, is.rate, Unit::Count.least_rate())
        };
        out.push(Difference {
            what: name.clone(),
            unit: Unit::Count,
            before: Some(metric(was)),
            after: Some(metric(is)),
            period_s: (was.period_s, is.period_s),
            change,
        });
    }
    for (name, was, is) in union(&before.metrics, &after.metrics) {
        let Some(unit) = was.or(is).map(|metric| metric.unit) else { continue };
        let rate = |metric: Option<&Metric>| metric.and_then(|metric| metric.rate);
        out.push(Difference {
            what: name.clone(),
            unit,
            before: was.copied(),
            after: is.copied(),
            period_s: (None, None),
            change: compare_rates(rate(was), rate(is), unit.least_rate()),
        });
    }
    out
}

/// Each name with what both have of it.
fn union<'a, T>(
    before: &'a BTreeMap<String, T>,
    after: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'a String, Option<&'a T>, Option<&'a T>)> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().map(|name| (name, before.get(name), after.get(name)))
}

fn findings(before: &[Finding], after: &[Finding]) -> Vec<FindingChange> {
    let mut out = Vec::new();
    let with_id = |list: &[Finding], id: &str| list.iter().any(|finding| finding.id == id);
    for finding in after {
        let known = with_id(before, &finding.id);
        let change = if known { "in both" } else { "appeared" };
        let same_as = if known { None } else { same_leak(finding, before) };
        out.push(FindingChange { finding: finding.clone(), change, same_as });
    }
    for finding in before.iter().filter(|finding| !with_id(after, &finding.id)) {
        let same_as = same_leak(finding, after);
        out.push(FindingChange { finding: finding.clone(), change: "ended", same_as });
    }
    out
}

/// The same leak under another id: on another host, under another name.
fn same_leak(finding: &Finding, others: &[Finding]) -> Option<(Finding, SignatureMatch)> {
    let signature = Signature::of(finding);
    others.iter().find_map(|other| {
        let found = signature.matches(&Signature::of(other)).filter(|found| found.is_same_leak())?;
        Some((other.clone(), found))
    })
}

impl FindingChange {
    /// Is it a leak that was not there before?
    pub(crate) fn is_new(&self) -> bool {
        self.change == "appeared" && self.same_as.is_none() && self.finding.confidence >= Confidence::Likely
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::testing::finding;

    #[test]
    fn findings_are_matched_by_id_and_by_signature() {
        let named = |id: &str, pattern: &str, period_s: f64| {
            let train = model::Cadence { period_s, ..model::Cadence::default() };
            Finding { id: id.to_owned(), cadence: vec![train], ..finding(pattern) }
        };
        let before = [named("a", "pool-*-thread-1", 60.0), named("b", "http-*", 5.0)];
        let after = [named("a", "pool-*-thread-1", 60.0), named("c", "http-*", 5.01), named("d", "x-*", 1.0)];
        let changes = findings(&before, &after);
        let shown: Vec<(&str, &str, Option<&str>)> = changes
            .iter()
            .map(|c| {
                (c.finding.id.as_str(), c.change, c.same_as.as_ref().map(|(other, _)| other.id.as_str()))
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("a", "in both", None),
                ("c", "appeared", Some("b")),
                ("d", "appeared", None),
                ("b", "ended", Some("c"))
            ]
        );
        assert_eq!(changes.iter().filter(|change| change.is_new()).count(), 1);
    }

    #[test]
    fn patterns_that_ended_stop_and_new_ones_start() {
        let rate = |per_s: f64| Some(Rate { per_s, low: per_s * 0.99, high: per_s * 1.01 });
        let with = |pattern: &str, count: u64, per_s: f64| Observed {
            members: 1,
            patterns: BTreeMap::from([(
                pattern.to_owned(),
                PatternSeen { count, rate: rate(per_s), period_s: Some(1.0 / per_s) },
            )]),
            ..Observed::default()
        };
        let out = differences(&with("pool-*-thread-1", 70, 1.0), &with("http-*", 9, 0.5));
        let shown: Vec<(&str, Change)> = out.iter().map(|d| (d.what.as_str(), d.change)).collect();
        assert_eq!(shown, [("http-*", Change::Started), ("pool-*-thread-1", Change::Stopped)]);
        assert!(differences(&with("x", 1, 1.0), &Observed::default()).is_empty(), "nothing to compare with");
    }
}
