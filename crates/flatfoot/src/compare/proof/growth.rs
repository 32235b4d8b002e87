//! Growth that has no firings: memory, descriptors, children.

use anyhow::Result;
use detect::compare::{FiringSource, Proof, prove_growth, slope};
use detect::eta::Rate;
use model::{Finding, FindingKind, Look, Pid};
use probe::{DescriptorDepth, Parts, SpaceDepth};

use super::{Answer, Leak, label};
use crate::analyse::Analyser;
use crate::source::{Ask, Source};

/// Watches the figure that grew and decides.
pub(super) fn answer(leak: &Leak, source: &mut dyn Source, pids: Vec<Pid>, watch_s: f64) -> Result<Answer> {
    let mut analyser = Analyser::default();
    let parts = Parts {
        space: SpaceDepth::Touched,
        descriptors: DescriptorDepth::Kinds,
        jvm: true,
        status: true,
        cmdline: true,
        cgroups: true,
        ..Parts::overview()
    };
    let ask = Ask { watch_s, interval_s: (watch_s / 63.0).max(0.1), ..Ask::once(pids, parts) };
    let mut seen = (0.0, 0.0);
    source.looks(&ask, &mut |look: Look| {
        if seen.0 == 0.0 {
            seen.0 = look.at_unix_s;
        }
        seen.1 = look.at_unix_s;
        analyser.push(look);
        Ok(())
    })?;
    analyser.group_threads();
    let findings = analyser.judge().findings;
    let again = findings
        .iter()
        .find(|finding| finding.kind == leak.finding.kind && finding.subject == leak.finding.subject);
    let before = leak.finding.rate_per_s.map(|per_s| {
        let (low, high) = leak.finding.rate_interval.unwrap_or((per_s, per_s));
        Rate { per_s, low, high }
    });
    let mut now: Option<Rate> = None;
    let mut cpu = 0.0;
    for tracked in analyser.processes.values() {
        let points: Vec<(f64, f64)> =
            tracked.history().iter().filter_map(|p| Some((p.at_boot_s, figure(&leak.finding, p)?))).collect();
        if let Some(rate) = slope(&points) {
            let sum = now.unwrap_or(Rate { per_s: 0.0, low: 0.0, high: 0.0 });
            now = Some(Rate {
                per_s: sum.per_s + rate.per_s,
                low: sum.low + rate.low,
                high: sum.high + rate.high,
            });
        }
        cpu += tracked.cpu_per_s(analyser.host.ticks_per_second).unwrap_or(0.0);
    }
    let fixed = match (before, again) {
        (_, Some(_)) => Some(false),
        (Some(before), None) => prove_growth(before, now, Some((leak.cpu, cpu))),
        (None, None) => None,
    };
    let mut remarks = Vec::new();
    if fixed.is_none() && now.is_some_and(|rate| rate.low <= 0.0) {
        remarks.push(format!(
            "it does not grow now, but works less than before ({:.1} % of a processor, was {:.1} %): quiet time proves nothing",
            cpu * 100.0,
            leak.cpu * 100.0
        ));
    }
    let readings = analyser.processes.iter().map(|(key, tracked)| (*key, tracked.reading.clone())).collect();
    let proof = match fixed {
        Some(true) => Proof::Fixed { firings: 0, source: FiringSource::Births },
        Some(false) => Proof::NotFixed { survivors: 0, firings: None },
        None => Proof::NotProven { firings: 0, needed: 0, next_unix_s: None },
    };
    Ok(Answer {
        proof,
        pids: analyser.processes.keys().map(|key| key.pid).collect(),
        label: label(&readings),
        since_unix_s: seen.0,
        watched_s: seen.1 - seen.0,
        rate: now,
        schedule: None,
        remarks,
        impact: analyser.impact(),
    })
}

/// The figure that a finding is about.
fn figure(finding: &Finding, point: &detect::rules::Point) -> Option<f64> {
    match finding.kind {
        FindingKind::DescriptorLeak => point.descriptors.map(|n| n as f64),
        FindingKind::ChildProcessLeak => point.children.map(|(alive, dead)| (alive + dead) as f64),
        FindingKind::JavaHeapLeak => point.jvm.as_ref().and_then(|jvm| jvm.live),
        FindingKind::KernelMemoryGrowth => point.page_tables.map(|b| b.0 as f64),
        FindingKind::ReservationLeak => point.virtual_size.map(|b| b.0 as f64),
        _ => {
            let class = point.classes.iter().find(|(class, _)| class.label() == finding.subject.as_str());
            class.and_then(|(_, amounts)| amounts.touched).or(point.resident).map(|b| b.0 as f64)
        }
    }
}
