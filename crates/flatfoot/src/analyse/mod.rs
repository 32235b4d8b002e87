//! From looks to a judgement: the one path that live and recorded readings take.

mod document;
mod ended;
mod history;
mod label;

use std::collections::{BTreeMap, HashMap};

use detect::cadence::Window;
use detect::eta::{self, Rate};
use detect::groups::{GroupInput, group};
use detect::heap::Census;
use detect::rules::{self, Judgement, Point, Subject};
use model::{
    BirthKind, HostReading, Impact, JavaThread, JvmInside, Limit, Look, MemoryMap, Pid, ProcessKey,
    ProcessReading, ProcessRef, Reading, Remains, Thread, ThreadGroup,
};

pub(crate) use document::{Diagnosis, HostSummary, LookedAt, NearestLimit, Redacted, SavedCase};
pub(crate) use ended::{Ended, EndedThread};
pub(crate) use history::point;
pub(crate) use label::{identity, label};

use crate::present::time::rfc3339;
use crate::source::{HostPoint, Past};

/// Points of the host's own figures, at most.
const MOST_HOST_POINTS: usize = 2_048;

/// One process over the looks, with what was derived from the newest.
pub(crate) struct Tracked {
    pub(crate) reading: ProcessReading,
    pub(crate) now_boot_s: f64,
    pub(crate) memory: Option<MemoryMap>,
    pub(crate) groups: Vec<ThreadGroup>,
    history: Vec<Point>,
    first_threads: Option<(f64, Vec<Thread>)>,
    /// When it was first looked at, and the CPU ticks it had used by then.
    first_cpu: Option<(f64, f64)>,
    censuses: Vec<Census>,
    ended: Ended,
}

impl Tracked {
    /// Threads that were seen to end.
    pub(crate) fn ended(&self) -> &Ended {
        &self.ended
    }

    /// A point per look, oldest first.
    pub(crate) fn history(&self) -> &[Point] {
        &self.history
    }

    /// CPU seconds per second from the first look at it to the last; `None` for one look.
    pub(crate) fn cpu_per_s(&self, ticks_per_second: u64) -> Option<f64> {
        let (first_s, first_cpu) = self.first_cpu?;
        let span = self.now_boot_s - first_s;
        (span > 0.0)
            .then(|| (cpu_ticks(&self.reading) - first_cpu).max(0.0) / span / ticks_per_second.max(1) as f64)
    }

    /// Class histograms, oldest first.
    pub(crate) fn censuses(&self) -> &[Census] {
        &self.censuses
    }
}

/// Takes looks one by one and keeps of each only what a judgement needs.
#[derive(Default)]
pub(crate) struct Analyser {
    pub(crate) processes: BTreeMap<ProcessKey, Tracked>,
    pub(crate) host: HostReading,
    looks: u64,
    first_at_boot_s: f64,
    last_at_boot_s: f64,
    at_unix_s: f64,
    took_s: f64,
    /// Processes in the widest look.
    seen: u64,
    gone: u64,
    denied: u64,
    impact: Impact,
    host_past: Vec<HostPoint>,
}

impl Analyser {
    /// The host's own figures, oldest first.
    pub(crate) fn host_past(&self) -> &[HostPoint] {
        &self.host_past
    }

    /// Adds a look. Readings that a look skipped keep the values of the look before.
    pub(crate) fn push(&mut self, look: Look) {
        if self.looks == 0 {
            self.first_at_boot_s = look.at_boot_s;
            self.took_s = look.took_s;
        }
        self.looks += 1;
        self.last_at_boot_s = look.at_boot_s;
        self.at_unix_s = look.at_unix_s;
        self.seen = self.seen.max(look.processes.len() as u64);
        self.gone += look.gone;
        self.denied = self.denied.max(look.denied);
        self.impact.add(look.impact);
        self.host_past.extend(history::host_point(&look.host, look.at_unix_s));
        if self.host_past.len() > MOST_HOST_POINTS {
            // Every other goes: what is watched for days is seen in less detail.
            let mut keep = false;
            self.host_past.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.take_host(look.host);
        for process in look.processes {
            self.take_process(process, look.at_boot_s);
        }
    }

    fn take_host(&mut self, mut host: HostReading) {
        if matches!(host.schedules, Reading::Skipped) {
            host.schedules = std::mem::take(&mut self.host.schedules);
        }
        if matches!(host.remains, Reading::Skipped) {
            host.remains = std::mem::take(&mut self.host.remains);
        }
        self.host = host;
    }

    fn take_process(&mut self, mut process: ProcessReading, look_at_s: f64) {
        // The end of its reading: no thread that was seen is born after that.
        let now_boot_s = look_at_s + process.at_s + process.took_s;
        let census = history::census(&process, now_boot_s);
        let before = self.processes.remove(&process.key);
        let (mut history, mut first_threads, mut memory) = (Vec::new(), None, None);
        let mut first_cpu = Some((now_boot_s, cpu_ticks(&process)));
        let mut censuses = Vec::new();
        let mut ended = Ended::default();
        // An older look's mappings don't fit newer threads: classified again, the stacks would be lost.
        let mapped_now = process.space.value().is_some();
        if let Some(before) = before {
            history = before.history;
            first_cpu = before.first_cpu;
            censuses = before.censuses;
            memory = before.memory;
            ended = before.ended;
            ended.between(&before.reading.threads, before.now_boot_s, &process.threads, now_boot_s);
            first_threads = before.first_threads.or_else(|| {
                before.reading.threads.value().map(|threads| (before.now_boot_s, threads.clone()))
            });
            keep_skipped(&mut process, before.reading);
        }
        if mapped_now {
            memory = Some(probe::classify::classify(&process));
        }
        censuses.extend(census);
        history.push(point(&process, now_boot_s, memory.as_ref()));
        self.processes.insert(
            process.key,
            Tracked {
                reading: process,
                now_boot_s,
                memory,
                groups: Vec::new(),
                history,
                first_threads,
                first_cpu,
                censuses,
                ended,
            },
        );
    }

    /// Adds what was recorded before the looks.
    pub(crate) fn take_past(&mut self, mut past: Past) {
        if !past.host.is_empty() {
            self.host_past = past.host;
        }
        for (key, tracked) in &mut self.processes {
            if let Some(ended) = past.ended.remove(key) {
                tracked.ended = ended;
            }
            let Some(mut points) = past.points.remove(key) else { continue };
            let first = tracked.history.first().map_or(f64::INFINITY, |point| point.at_boot_s);
            points.retain(|point| point.at_boot_s < first);
            // What the look says of mappings was read before its moment, and before the newest of these: as its last
            // point it would be a fall that never was.
            if points.iter().any(|point| !point.classes.is_empty()) {
                for point in &mut tracked.history {
                    point.classes.clear();
                    point.mappings = None;
                }
            }
            self.first_at_boot_s =
                points.first().map_or(self.first_at_boot_s, |p| p.at_boot_s.min(self.first_at_boot_s));
            self.looks = self.looks.max(points.len() as u64 + 1);
            points.append(&mut tracked.history);
            tracked.history = points;
        }
    }

    /// Groups the threads of each process. Called once, when the last look is in.
    pub(crate) fn group_threads(&mut self) {
        for tracked in self.processes.values_mut() {
            let Some(threads) = tracked.reading.threads.value() else { continue };
            let stacks = tracked.memory.as_ref().map_or(&[][..], |m| &m.stacks);
            tracked.groups = group(&GroupInput {
                pid: tracked.reading.key.pid,
                threads,
                stacks,
                process_name: &tracked.reading.stat.name,
                ticks_per_second: self.host.ticks_per_second,
                booted_unix_s: self.host.booted_unix_s,
                utc_offset_s: self.host.utc_offset_s,
                process_start_s: tracked.reading.stat.start.seconds(self.host.ticks_per_second),
                now_boot_s: tracked.now_boot_s,
            });
        }
    }

    /// Adds what a JVM told to the newest look at it, when no other look follows.
    pub(crate) fn take_inside(&mut self, pid: Pid, inside: JvmInside, impact: Impact) {
        self.impact.add(impact);
        if let Some(tracked) = self.processes.values_mut().rev().find(|t| t.reading.key.pid == pid) {
            tracked.reading.inside = Reading::Value(inside);
        }
    }

    /// Gives threads the whole names that a JVM knows them by; the kernel keeps 15 bytes, of JDK 8 none. Not for findings:
    /// their checks are commands that show the kernel's names.
    pub(crate) fn take_java_names(&mut self, pid: Pid, dump: &[JavaThread]) {
        let Some(tracked) = self.processes.values_mut().rev().find(|t| t.reading.key.pid == pid) else {
            return;
        };
        // In a container the JVM's ids are others than ours.
        if tracked.reading.status.value().is_none_or(|status| status.ns_pids.len() > 1) {
            return;
        }
        let by_id: HashMap<Pid, &JavaThread> =
            dump.iter().filter_map(|thread| Some((thread.native_id?, thread))).collect();
        let Reading::Value(threads) = &mut tracked.reading.threads else { return };
        for thread in threads {
            if let Some(java) = by_id.get(&thread.tid).filter(|java| !java.name.is_empty()) {
                thread.name = java.name.clone();
            }
        }
    }

    /// Judges every process by every rule. Needs [`Self::group_threads`] first.
    pub(crate) fn judge(&self) -> Judgement {
        let mut all = Judgement::default();
        for tracked in self.processes.values() {
            let one = self.judge_one(tracked);
            all.findings.extend(one.findings);
            all.not_judged.extend(one.not_judged);
            all.look_again_in_s = match (all.look_again_in_s, one.look_again_in_s) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
        }
        all.findings.sort_by(|a, b| {
            b.confidence
                .cmp(&a.confidence)
                .then(b.committed_bytes.cmp(&a.committed_bytes))
                .then(b.count.cmp(&a.count))
        });
        all
    }

    /// Judges one process by every rule.
    pub(crate) fn judge_one(&self, tracked: &Tracked) -> Judgement {
        let process = self.process_ref(tracked);
        let identity = identity(&tracked.reading);
        rules::judge(&self.subject(tracked, &process, &identity))
    }

    fn subject<'a>(
        &'a self,
        tracked: &'a Tracked,
        process: &'a ProcessRef,
        identity: &'a str,
    ) -> Subject<'a> {
        Subject {
            process,
            identity,
            host: &self.host,
            reading: &tracked.reading,
            now_boot_s: tracked.now_boot_s,
            memory: tracked.memory.as_ref(),
            groups: &tracked.groups,
            history: &tracked.history,
            first_threads: tracked.first_threads.as_ref().map(|(at, threads)| (*at, threads.as_slice())),
            censuses: &tracked.censuses,
            level: self.impact.level,
        }
    }

    /// How a process is named in findings and tables.
    pub(crate) fn process_ref(&self, tracked: &Tracked) -> ProcessRef {
        let started = tracked.reading.stat.start.seconds(self.host.ticks_per_second);
        ProcessRef {
            pid: tracked.reading.key.pid,
            name: tracked.reading.stat.name.clone(),
            started: rfc3339(self.host.unix_from_boot(started)),
            label: label(&tracked.reading),
        }
    }

    /// The limits of one process while its threads grow by so many per second, if they do.
    pub(crate) fn limits_at(&self, tracked: &Tracked, threads_per_s: Option<f64>) -> Vec<Limit> {
        let process = ProcessRef::default();
        let tasks = threads_per_s.map(|per_s| Rate { per_s, low: per_s, high: per_s });
        let rates = rules::Rates { tasks, ..rules::Rates::default() };
        detect::limits::of_process(&self.subject(tracked, &process, ""), &rates)
    }

    /// Births per second at present, of groups whose births have a rhythm that goes on.
    pub(crate) fn births(&self, tracked: &Tracked, group: &ThreadGroup) -> Option<Rate> {
        if group.cadence.kind != BirthKind::Regular {
            return None;
        }
        let window = Window {
            start_s: tracked.reading.stat.start.seconds(self.host.ticks_per_second),
            end_s: tracked.now_boot_s,
            resolution_s: 1.0 / self.host.ticks_per_second.max(1) as f64,
            booted_unix_s: self.host.booted_unix_s,
            utc_offset_s: self.host.utc_offset_s,
        };
        eta::rate_from_births(&group.births, &window, &group.cadence)
    }

    /// The process that is nearest to a limit of its own, by share used.
    pub(crate) fn nearest_limit(&self) -> Option<NearestLimit> {
        let mut nearest: Option<NearestLimit> = None;
        for tracked in self.processes.values().filter(|t| !t.reading.stat.is_kernel_thread()) {
            for limit in self.limits_at(tracked, None) {
                if nearest.as_ref().is_none_or(|n| limit.used() > n.limit.used()) {
                    nearest = Some(NearestLimit { process: self.process_ref(tracked), limit });
                }
            }
        }
        nearest
    }

    /// What died before: OOM kills of the processes' groups, crash files, the kernel's log.
    pub(crate) fn died_before(&self) -> Vec<Remains> {
        let mut out: Vec<Remains> = Vec::new();
        for tracked in self.processes.values() {
            out.extend(tracked.reading.remains.value().into_iter().flatten().cloned());
            let groups = tracked.reading.cgroups.value().map_or(&[][..], |c| &c.groups);
            // The innermost group with kills is the process's own story; its ancestors count the same kills again.
            if let Some((level, kills)) =
                groups.iter().find_map(|g| Some((g, g.oom_kills.filter(|n| *n > 0)?)))
            {
                let mark = Remains {
                    source: format!("{}/memory.events", level.dir.as_str()).into(),
                    what: format!("{kills} processes of this cgroup were killed for lack of memory").into(),
                    when: None,
                };
                if !out.iter().any(|r| r.source == mark.source) {
                    out.push(mark);
                }
            }
        }
        let of_others = |mark: &&Remains| !self.is_of_other_cgroups(mark);
        out.extend(self.host.remains.value().into_iter().flatten().rev().filter(of_others).take(8).cloned());
        out.sort_by(|a, b| b.when.unwrap_or(0.0).total_cmp(&a.when.unwrap_or(0.0)));
        out
    }

    /// Is it about a cgroup that none of the processes is in? `cgroup: fork rejected by pids controller in /system.slice/x`.
    fn is_of_other_cgroups(&self, mark: &Remains) -> bool {
        let Some((_, group)) = mark.what.as_str().split_once("pids controller in ") else { return false };
        let dirs = |tracked: &Tracked| {
            let cgroups = tracked.reading.cgroups.value();
            cgroups
                .is_some_and(|cgroups| cgroups.groups.iter().any(|level| level.dir.as_str().ends_with(group)))
        };
        !self.processes.values().any(dirs)
    }

    /// Seconds from the first look to the last.
    pub(crate) fn watched_s(&self) -> f64 {
        (self.last_at_boot_s - self.first_at_boot_s).max(0.0)
    }

    /// What was looked at, in figures.
    pub(crate) fn looked_at(&self) -> LookedAt {
        LookedAt {
            processes: self.seen,
            gone: self.gone,
            denied: self.denied,
            looks: self.looks,
            took_s: self.took_s,
            watched_s: self.watched_s(),
        }
    }

    /// When the newest look was, in Unix seconds.
    pub(crate) fn at_unix_s(&self) -> f64 {
        self.at_unix_s
    }

    /// The host in figures.
    pub(crate) fn host_summary(&self) -> HostSummary {
        HostSummary::of(&self.host, self.at_unix_s)
    }

    /// What was done to the targets.
    pub(crate) fn impact(&self) -> Impact {
        self.impact.clone()
    }

    /// A process by its pid, the newest of that pid.
    pub(crate) fn by_pid(&self, pid: Pid) -> Option<&Tracked> {
        self.processes.values().rev().find(|t| t.reading.key.pid == pid)
    }
}

/// User and system time since its start, in ticks.
fn cpu_ticks(process: &ProcessReading) -> f64 {
    (process.stat.utime.0 + process.stat.stime.0) as f64
}

/// A look that did not ask for something does not make it unknown.
pub(crate) fn keep_skipped(new: &mut ProcessReading, old: ProcessReading) {
    fn keep<T>(new: &mut Reading<T>, old: Reading<T>) {
        if matches!(new, Reading::Skipped) {
            *new = old;
        }
    }
    keep(&mut new.statm, old.statm);
    keep(&mut new.status, old.status);
    keep(&mut new.cmdline, old.cmdline);
    keep(&mut new.exe, old.exe);
    keep(&mut new.cgroups, old.cgroups);
    keep(&mut new.rlimits, old.rlimits);
    keep(&mut new.descriptors, old.descriptors);
    keep(&mut new.children, old.children);
    keep(&mut new.threads, old.threads);
    keep(&mut new.space, old.space);
    keep(&mut new.rollup, old.rollup);
    keep(&mut new.remains, old.remains);
    keep(&mut new.jvm, old.jvm);
    keep(&mut new.inside, old.inside);
}
