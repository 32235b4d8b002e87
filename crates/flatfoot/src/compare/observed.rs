//! What one observation holds of the processes that are the same thing: a unit's, a container's, a command's.

use std::collections::BTreeMap;

use detect::compare::slope;
use detect::eta::Rate;
use detect::rules::Point;
use model::{BirthKind, ThreadGroup};

use crate::analyse::{Analyser, Tracked, identity};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Bytes,
}

impl Unit {
    /// Growth that is slower does not matter: one thing, or a mebibyte, in an hour.
    pub(crate) fn least_rate(self) -> f64 {
        match self {
            Self::Count => 1.0 / 3_600.0,
            Self::Bytes => 1_048_576.0 / 3_600.0,
        }
    }
}

/// A figure at the end of the observation, and how fast it grew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) unit: Unit,
    pub(crate) last: f64,
    /// `None` when there were too few looks.
    pub(crate) rate: Option<Rate>,
}

/// Threads of one pattern.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PatternSeen {
    pub(crate) count: u64,
    /// Births per second of threads that stay.
    pub(crate) rate: Option<Rate>,
    /// Period of the strongest rhythm, in seconds.
    pub(crate) period_s: Option<f64>,
}

/// Processes that are the same thing, summed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// `java torquebox`.
    pub(crate) label: String,
    /// How many processes.
    pub(crate) members: u64,
    pub(crate) metrics: BTreeMap<String, Metric>,
    pub(crate) patterns: BTreeMap<String, PatternSeen>,
    /// CPU seconds per second over the observation.
    pub(crate) cpu: Option<f64>,
}

impl Observed {
    /// Everybody that was looked at, by what survives a restart; threads of the kernel are left out.
    pub(crate) fn all(analyser: &Analyser) -> BTreeMap<String, Self> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for tracked in analyser.processes.values().filter(|t| !t.reading.stat.is_kernel_thread()) {
            all.entry(identity(&tracked.reading)).or_default().add(analyser, tracked);
        }
        all
    }

    fn add(&mut self, analyser: &Analyser, tracked: &Tracked) {
        if self.members == 0 {
            let process = analyser.process_ref(tracked);
            let label = process.label.map_or_else(String::new, |label| format!(" {label}"));
            self.label = format!("{}{label}", process.name);
        }
        self.members += 1;
        for (name, unit, figure) in figures() {
            let points: Vec<(f64, f64)> =
                tracked.history().iter().filter_map(|p| Some((p.at_boot_s, figure(p)?))).collect();
            let Some(&(_, last)) = points.last() else { continue };
            self.take(name, Metric { unit, last, rate: slope(&points) });
        }
        for group in &tracked.groups {
            let rate = analyser.births(tracked, group);
            let seen = self.patterns.entry(group.pattern.as_str().to_owned()).or_default();
            seen.count += group.count() as u64;
            seen.rate = sum(seen.rate, rate);
            seen.period_s = seen.period_s.or_else(|| period(group));
        }
        let cpu = tracked.cpu_per_s(analyser.host.ticks_per_second);
        self.cpu = match (self.cpu, cpu) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
    }

    fn take(&mut self, name: &str, metric: Metric) {
        match self.metrics.get_mut(name) {
            Some(known) => {
                known.last += metric.last;
                // A rate of one of several says nothing of their sum.
                known.rate = known.rate.zip(metric.rate).and_then(|(a, b)| sum(Some(a), Some(b)));
            }
            None => {
                self.metrics.insert(name.to_owned(), metric);
            }
        }
    }
}

fn period(group: &ThreadGroup) -> Option<f64> {
    (group.cadence.kind == BirthKind::Regular)
        .then(|| group.cadence.cadences.first().map(|train| train.period_s))?
}

/// The sum of two rates; their errors are independent.
fn sum(a: Option<Rate>, b: Option<Rate>) -> Option<Rate> {
    let (Some(a), Some(b)) = (a, b) else { return a.or(b) };
    let per_s = a.per_s + b.per_s;
    let below = (a.per_s - a.low).hypot(b.per_s - b.low);
    let above = (a.high - a.per_s).hypot(b.high - b.per_s);
    Some(Rate { per_s, low: per_s - below, high: per_s + above })
}

type Figure = fn(&Point) -> Option<f64>;

/// What is compared of each process.
fn figures() -> [(&'static str, Unit, Figure); 8] {
    [
        ("threads", Unit::Count, |p| p.threads.map(|n| n as f64)),
        ("descriptors", Unit::Count, |p| p.descriptors.map(|n| n as f64)),
        ("children", Unit::Count, |p| p.children.map(|(alive, dead)| (alive + dead) as f64)),
        ("mappings", Unit::Count, |p| p.mappings.map(|n| n as f64)),
        ("resident", Unit::Bytes, |p| p.resident.map(|b| b.0 as f64)),
        ("address space", Unit::Bytes, |p| p.virtual_size.map(|b| b.0 as f64)),
        ("page tables", Unit::Bytes, |p| p.page_tables.map(|b| b.0 as f64)),
        ("java heap, live", Unit::Bytes, |p| p.jvm.as_ref().and_then(|jvm| jvm.live)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_several_processes_add_up() {
        let rate = |per_s: f64, margin: f64| Some(Rate { per_s, low: per_s - margin, high: per_s + margin });
        assert_eq!(sum(rate(1.0, 0.3), rate(2.0, 0.4)), rate(3.0, 0.5));
        assert_eq!(sum(None, rate(2.0, 0.4)), rate(2.0, 0.4));
        let mut observed = Observed::default();
        observed.take("threads", Metric { unit: Unit::Count, last: 3.0, rate: rate(1.0, 0.3) });
        observed.take("threads", Metric { unit: Unit::Count, last: 4.0, rate: None });
        assert_eq!(observed.metrics["threads"], Metric { unit: Unit::Count, last: 7.0, rate: None });
    }
}
