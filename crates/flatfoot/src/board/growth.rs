//! What is said to grow in a list of processes: the surest finding of each, and the limit that comes next.

use std::collections::HashMap;

use model::{Confidence, Finding, FindingKind, Limit, Pid, ProcessRef};

use super::Memory;
use crate::present::top::{NextLimit, TopRow};

/// What the rules find growing in each process, the surest of each: births alone are no growth, as threads may end as
/// fast.
pub(crate) type Growing = HashMap<Pid, Finding>;

/// The surest finding of each process.
pub(crate) fn surest(findings: Vec<Finding>) -> Growing {
    let mut surest = Growing::new();
    for finding in findings {
        let surer = surest.get(&finding.process.pid).is_none_or(|f| rank(&finding) > rank(f));
        if surer {
            surest.insert(finding.process.pid, finding);
        }
    }
    surest
}

/// Threads a second and bytes a second are not to be compared: the surer finding first, threads before memory, then
/// whatever is faster of its kind.
fn rank(finding: &Finding) -> (Confidence, bool, f64) {
    (finding.confidence, finding.kind == FindingKind::ThreadLeak, finding.rate_per_s.unwrap_or(0.0))
}

/// The same as one number for sorting: rates of one kind never reach the next step.
pub(crate) fn weight(finding: &Finding) -> f64 {
    let (confidence, threads, rate) = rank(finding);
    let step = confidence as u8 * 2 + u8::from(threads) + 2;
    f64::from(step) + rate.max(0.0) / (1.0 + rate.max(0.0))
}

/// Births a second of threads that stay, where they are what grows.
pub(crate) fn threads_per_s(finding: Option<&Finding>) -> Option<f64> {
    finding.filter(|f| f.kind == FindingKind::ThreadLeak).and_then(|f| f.rate_per_s)
}

/// A process's row.
pub(crate) fn row(
    process: ProcessRef,
    Memory { committed, resident, untouched }: Memory,
    threads: u64,
    finding: Option<&Finding>,
    next_limit: Option<NextLimit>,
) -> TopRow {
    TopRow {
        process,
        committed_bytes_approximate: committed.0,
        resident_bytes: resident.0,
        untouched_bytes: untouched.0,
        threads,
        threads_per_minute: threads_per_s(finding).map(|per_s| per_s * 60.0),
        growing: finding.map(|f| match f.kind {
            FindingKind::ThreadLeak => format!("threads {}", f.subject),
            _ => f.subject.as_str().to_owned(),
        }),
        next_limit,
        jvm: None,
    }
}

/// The limit with the soonest ETA; without one, the process's own limit of which most is used.
pub(crate) fn next_limit(limits: &[Limit]) -> Option<NextLimit> {
    let own = |l: &&Limit| l.eta_s.is_some() || l.scope.as_str() != "host";
    limits.iter().find(own).map(|l| NextLimit {
        name: l.name.as_str().to_owned(),
        used: l.used(),
        eta_s: l.eta_s,
    })
}
