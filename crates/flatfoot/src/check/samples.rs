//! What a command held while it ran: a few figures of each of its processes, some ten times a second, for a careful
//! judgement of whether it grew until its end.
//!
//! A program that works takes what it needs, so a rise is no leak by itself: only one that goes on, as steadily in its second
//! half as in its first, until the process ends ([`detect::growth`]), after five seconds at least.

use std::collections::BTreeMap;

use detect::growth::{Growth, two_window};
use detect::names;
use model::{Bytes, Pid, ProcessReading, Text, show};
use probe::{Clock, DescriptorDepth, Parts, Prober, ThreadDepth};

use super::document::{Leak, Process, Rule};
use super::mark::Key;
use super::tree;

/// Processes that are looked at.
const MOST: usize = 64;
/// Points that are kept of each; then every other one goes.
const POINTS: usize = 512;
/// Fewer, or within less time, say nothing.
const LEAST_POINTS: usize = 24;
pub(super) const LEAST_S: f64 = 5.0;
/// The smallest rises that count.
const THREADS: f64 = 16.0;
const DESCRIPTORS: f64 = 32.0;
const CHILDREN: f64 = 16.0;
const MEMORY: f64 = 64.0 * 1_048_576.0;

/// One look at one process.
#[derive(Clone, Copy, Debug)]
struct Point {
    at_s: f64,
    figures: [f64; 4],
}

#[derive(Clone, Debug, Default)]
struct Track {
    name: Text,
    points: Vec<Point>,
    /// What most threads are called, and how many there were when that was read.
    pattern: Option<Text>,
    named_at: f64,
    /// Looks of which one is kept.
    stride: usize,
    skipped: usize,
}

/// All looks.
#[derive(Default)]
pub(super) struct Samples {
    tracks: BTreeMap<Key, Track>,
    last_s: f64,
    step_s: f64,
}

const FIGURES: [(Rule, &str, f64); 4] = [
    (Rule::Thread, "threads", THREADS),
    (Rule::Descriptor, "descriptors", DESCRIPTORS),
    (Rule::Child, "processes below it", CHILDREN),
    (Rule::Memory, "resident memory", MEMORY),
];

impl Samples {
    /// Looks at everybody below the guard; how long to wait until the next look, so that looking stays light.
    pub(super) fn take(&mut self, prober: &mut Prober, guard: Pid) -> f64 {
        const STEP_S: f64 = 0.1;
        const SHARE: f64 = 0.005;
        let cpu = Clock::cpu();
        let parts =
            Parts { descriptors: DescriptorDepth::Total, statm: true, children: true, ..Parts::default() };
        let at_s = Clock::monotonic();
        let members = tree::descendants(prober, guard);
        for member in members.iter().filter(|member| member.state != 'Z').take(MOST) {
            let Some(reading) = prober.process(member.pid, &parts) else { continue };
            let track = self.tracks.entry((member.pid, reading.key.start)).or_default();
            track.name = reading.stat.name.clone();
            track.name_threads(prober, &reading);
            track.add(Point {
                at_s,
                figures: [
                    reading.stat.threads as f64,
                    reading.descriptors.value().map_or(0, |all| all.total) as f64,
                    reading.children.value().map_or(0, Vec::len) as f64,
                    reading.statm.value().map_or(0, |sizes| sizes.resident.0) as f64,
                ],
            });
        }
        // Those that ended early are not judged: a build has thousands.
        self.tracks.retain(|_, track| track.points.last().is_some_and(|last| at_s - last.at_s < 60.0));
        self.last_s = at_s;
        self.step_s = ((Clock::cpu() - cpu) / SHARE).clamp(STEP_S, 5.0);
        self.step_s
    }

    /// Was anything there for long enough to be judged?
    pub(super) fn are_enough(&self) -> bool {
        self.tracks.values().any(Track::is_enough)
    }

    /// What grew until the end.
    pub(super) fn judge(&self) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for ((pid, _), track) in &self.tracks {
            let (Some(first), Some(last)) = (track.points.first(), track.points.last()) else { continue };
            let late = self.last_s - last.at_s > self.step_s * (track.stride.max(1) + 1) as f64;
            if !track.is_enough() || late {
                continue;
            }
            for (place, (rule, subject, least)) in FIGURES.into_iter().enumerate() {
                let value = |point: &Point| point.figures.get(place).copied().unwrap_or(0.0);
                let points: Vec<(f64, f64)> =
                    track.points.iter().map(|point| (point.at_s, value(point))).collect();
                let Growth::Growing { rate, .. } = two_window(&points, least) else { continue };
                let (from, to) = (value(first), value(last));
                let amount = |value: f64| {
                    if rule == Rule::Memory {
                        show::bytes(Bytes(value as u64))
                    } else {
                        show::count(value as u64)
                    }
                };
                let speed = if rule == Rule::Memory { show::byte_rate(rate) } else { show::rate(rate) };
                let pattern = track.pattern.clone().filter(|_| rule == Rule::Thread);
                let most = pattern.as_ref().map_or_else(String::new, |name| format!(", most of them {name}"));
                leaks.push(Leak {
                    rule,
                    kind: rule.kind(),
                    process: Process { pid: *pid, name: track.name.clone() },
                    subject: pattern.unwrap_or_else(|| subject.into()),
                    summary: format!(
                        "{subject} grew from {} to {}, {speed}, until its end{most}",
                        amount(from),
                        amount(to)
                    ),
                    per_round: Vec::new(),
                    total: to - from,
                    bytes: rule == Rule::Memory,
                    allowed_less: None,
                    created_by: Vec::new(),
                    survivors: Vec::new(),
                });
            }
        }
        leaks
    }
}

impl Track {
    fn is_enough(&self) -> bool {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else { return false };
        self.points.len() >= LEAST_POINTS && last.at_s - first.at_s >= LEAST_S
    }

    /// Reads the names of threads, each time that there are a quarter more: that stays light, however many there are.
    fn name_threads(&mut self, prober: &mut Prober, reading: &ProcessReading) {
        let threads = reading.stat.threads as f64;
        if threads < THREADS || threads < 1.25 * self.named_at {
            return;
        }
        self.named_at = threads;
        let parts = Parts { threads: ThreadDepth::Basic, ..Parts::default() };
        let Some(reading) = prober.process(reading.key.pid, &parts) else { return };
        let names: Vec<&str> =
            reading.threads.value().into_iter().flatten().map(|thread| thread.name.as_str()).collect();
        let most = names::fold(&names).into_iter().max_by_key(|group| group.members.len());
        self.pattern = most.map(|group| group.pattern.into());
    }

    fn add(&mut self, point: Point) {
        self.stride = self.stride.max(1);
        self.skipped += 1;
        if self.skipped < self.stride {
            return;
        }
        self.skipped = 0;
        self.points.push(point);
        if self.points.len() >= POINTS {
            let mut odd = false;
            self.points.retain(|_| {
                odd = !odd;
                odd
            });
            self.stride *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Ticks;

    fn judged(threads: impl Fn(usize) -> usize, looks: usize) -> Vec<String> {
        let mut samples = Samples { step_s: 0.1, ..Samples::default() };
        let track = samples.tracks.entry((Pid(7), Ticks(1))).or_default();
        for look in 0..looks {
            samples.last_s = look as f64 * 0.1;
            track.add(Point { at_s: samples.last_s, figures: [threads(look) as f64, 4.0, 0.0, 1e6] });
        }
        samples.judge().into_iter().map(|leak| leak.summary).collect()
    }

    #[test]
    fn growth_until_the_end_is_told() {
        assert_eq!(judged(|look| 2 + look, 100), ["threads grew from 2 to 101, 10.00/s, until its end"]);
        assert_eq!(judged(|look| 2 + look, 5_000).len(), 1, "also of a long run");
        assert_eq!(judged(|look| 2 + look, 20), [""; 0], "too short");
    }

    #[test]
    fn what_a_program_needs_is_no_leak() {
        assert_eq!(judged(|look| 2 + look.min(40), 200), [""; 0], "a pool that fills");
        assert_eq!(judged(|look| if look < 50 { 2 } else { 90 }, 100), [""; 0], "a second phase");
        assert_eq!(judged(|look| 2 + look % 30, 300), [""; 0], "comes and goes");
    }
}
