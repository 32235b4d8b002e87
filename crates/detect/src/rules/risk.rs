//! RISK, NOW and NEXT: what happens if nobody acts, and what to do. Written last, when the limits are known.

use model::show;
use model::{AccessLevel, Bytes, Confidence, Finding, FindingKind, LimitUnit, PoolShape};

use super::Subject;

/// RISK, NOW and NEXT, once the limits are known.
pub(super) fn add_risk(subject: &Subject<'_>, finding: &mut Finding) {
    let pid = subject.reading.key.pid;
    let nearest = finding.limits.iter().find(|l| l.eta_s.is_some()).cloned();
    let stop = nearest.as_ref().map(|limit| {
        let value = match limit.unit {
            LimitUnit::Bytes => show::bytes(Bytes(limit.value)),
            _ => show::count(limit.value),
        };
        let when = show::duration(limit.eta_s.unwrap_or(f64::INFINITY));
        match limit.name.as_str() {
            "available memory" => format!("The host's memory ({value}) is used up in {when}"),
            "memory.high" => format!("Its cgroup is slowed down at memory.high {value} in {when}"),
            name => format!("It stops at {name} {value} in {when}"),
        }
    });
    let memory = match (finding.kind, finding.reserved_bytes, finding.touched_bytes) {
        (FindingKind::ThreadLeak, Some(reserved), Some(touched)) if touched * 4 < reserved => Some(format!(
            "not memory: {} promised, {} used",
            show::bytes(Bytes(reserved)),
            show::bytes(Bytes(touched))
        )),
        (FindingKind::ThreadLeak, Some(reserved), _) => {
            Some(format!("{} of stacks", show::bytes(Bytes(reserved))))
        }
        _ => None,
    };
    finding.risk = match (memory, stop) {
        (Some(memory), Some(stop)) => format!("{memory}. {stop}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => "no limit is near at this rate".to_owned(),
    };
    let eta = nearest.and_then(|l| l.eta_s).unwrap_or(f64::INFINITY);
    let buys = restart_buys(finding);
    finding.now = if eta < 3_600.0 {
        format!(
            "URGENT: {} left. Save the evidence, then restart: flatfoot save {pid}{buys}",
            show::duration(eta)
        )
    } else {
        let urgency = if eta < 86_400.0 { "act today" } else { "nothing is urgent" };
        format!("{urgency}. Before any restart: flatfoot save {pid}{buys}")
    };
    finding.next = next(subject, finding);
}

/// How long a fresh process would live, from the nearest limit that only this process counts towards.
fn restart_buys(finding: &Finding) -> String {
    let Some(rate) = finding.rate_per_s.filter(|r| *r > 0.0) else { return String::new() };
    let own = finding.count as f64 / rate;
    match finding.limits.iter().find_map(|l| l.eta_s) {
        // Worth saying only where it is more than what is left anyway.
        Some(eta) if finding.kind == FindingKind::ThreadLeak && own > 0.1 * eta => {
            format!("     (a restart buys {})", show::duration(own + eta))
        }
        _ => String::new(),
    }
}

fn next(subject: &Subject<'_>, finding: &Finding) -> Vec<String> {
    let pid = subject.reading.key.pid;
    let mut next = Vec::new();
    if finding.kind != FindingKind::ThreadLeak {
        next.push(format!("flatfoot diagnose {pid} --for 10m        judges it again over a longer time"));
        return next;
    }
    match finding.pool_shape {
        Some(PoolShape::OneThreadPools) => {
            next.push(
                "look for a pool that is made per call and never shut down; share one, or shut it down"
                    .to_owned(),
            );
        }
        _ => next.push("look for threads that are started per call and never told to end".to_owned()),
    }
    let is_jvm = subject.reading.jvm.value().is_some();
    if is_jvm && finding.created_by.is_empty() && subject.level == AccessLevel::Read {
        let wait = finding.cadence.first().map_or(String::new(), |c| {
            format!("; waits for the next birth (≤ {})", show::duration(c.period_s))
        });
        next.push(format!("flatfoot diagnose {pid} --access agent        names the code{wait}"));
    }
    if finding.confidence != Confidence::Confirmed && subject.level == AccessLevel::Read {
        let wait_s = finding.cadence.first().map_or(60.0, |c| (c.period_s * 8.0).clamp(10.0, 7_200.0));
        let wait =
            if wait_s < 90.0 { format!("{wait_s:.0}s") } else { format!("{:.0}m", (wait_s / 60.0).ceil()) };
        next.push(format!("flatfoot diagnose {pid} --for {wait}        watches whether any of them ends"));
    }
    next
}
