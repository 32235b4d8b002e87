//! What a process runs into, and when: every limit that counts something of it, nearest first.

use model::{Bytes, CgroupLevel, Limit, LimitUnit, ProcessReading, Text};

use crate::eta::{self, Rate};
use crate::rules::{Rates, Subject};

/// CAP_SYS_RESOURCE and CAP_SYS_ADMIN: either lifts RLIMIT_NPROC.
const LIFTS_NPROC: u64 = 1 << 24 | 1 << 21;

/// Every limit of a process that could be read, with the time to each at the given rates; those with an ETA
/// first, the soonest at the front, then the others by the share that is used.
#[must_use]
pub fn of_process(subject: &Subject<'_>, rates: &Rates) -> Vec<Limit> {
    let mut out = Collector { rates, limits: Vec::new() };
    cgroup_limits(subject.reading, &mut out);
    task_limits(subject, &mut out);
    memory_limits(subject, &mut out);
    out.limits.sort_by(|a, b| {
        let eta = |l: &Limit| l.eta_s.unwrap_or(f64::INFINITY);
        eta(a).total_cmp(&eta(b)).then(b.used().total_cmp(&a.used()))
    });
    out.limits
}

struct Collector<'r> {
    rates: &'r Rates,
    limits: Vec<Limit>,
}

impl Collector<'_> {
    fn add(&mut self, name: &str, scope: Text, unit: LimitUnit, limit: u64, current: u64, reproduce: String) {
        let rate = match unit {
            LimitUnit::Tasks => self.rates.tasks,
            LimitUnit::Mappings => self.rates.mappings,
            LimitUnit::Descriptors => self.rates.descriptors,
            LimitUnit::Bytes => match name {
                "RLIMIT_AS" => self.rates.reserved,
                "CommitLimit" => self.rates.committed,
                _ => self.rates.touched,
            },
        };
        let (eta_s, eta_interval_s) = match rate {
            Some(Rate { per_s, low, high }) => {
                eta::reach(current as f64, limit as f64, per_s, Some((low, high)))
            }
            None => (None, None),
        };
        self.limits.push(Limit {
            name: name.into(),
            scope,
            unit,
            value: limit,
            current,
            eta_s,
            eta_interval_s,
            reproduce,
        });
    }
}

fn cgroup_limits(reading: &ProcessReading, out: &mut Collector<'_>) {
    let Some(cgroups) = reading.cgroups.value() else { return };
    for CgroupLevel { dir, pids_max, pids_current, memory_max, memory_high, memory_current, .. } in
        &cgroups.groups
    {
        let file = |name: &str| format!("cat '{dir}/{name}'");
        if let (Some(max), Some(current)) = (pids_max, pids_current) {
            out.add("pids.max", dir.clone(), LimitUnit::Tasks, *max, *current, file("pids.max"));
        }
        for (name, limit) in [("memory.max", memory_max), ("memory.high", memory_high)] {
            if let (Some(Bytes(max)), Some(Bytes(current))) = (limit, memory_current) {
                out.add(name, dir.clone(), LimitUnit::Bytes, *max, *current, file(name));
            }
        }
    }
}

fn task_limits(subject: &Subject<'_>, out: &mut Collector<'_>) {
    let (host, reading) = (subject.host, subject.reading);
    let pid = reading.key.pid;
    let sysctl = |name: &str| format!("cat /proc/sys/{name}");
    if let Some(tasks) = host.tasks.value() {
        if let Some(max) = host.threads_max.value() {
            out.add(
                "threads-max",
                "host".into(),
                LimitUnit::Tasks,
                *max,
                *tasks,
                sysctl("kernel/threads-max"),
            );
        }
        if let Some(max) = host.pid_max.value() {
            out.add("pid_max", "host".into(), LimitUnit::Tasks, *max, *tasks, sysctl("kernel/pid_max"));
        }
    }
    let lifted = reading.status.value().is_none_or(|s| s.uid == 0 || s.capabilities & LIFTS_NPROC != 0);
    if let Some(rlimits) = reading.rlimits.value() {
        if let (Some(max), Some(current), false) = (rlimits.processes, rlimits.user_tasks, lifted) {
            let uid = reading.status.value().map_or(0, |s| s.uid);
            let check = format!("grep 'Max processes' /proc/{pid}/limits");
            out.add("RLIMIT_NPROC", format!("uid {uid}").into(), LimitUnit::Tasks, max, current, check);
        }
        if let (Some(max), Some(fds)) = (rlimits.open_files, reading.descriptors.value()) {
            let check = format!("grep 'Max open files' /proc/{pid}/limits");
            out.add("RLIMIT_NOFILE", "process".into(), LimitUnit::Descriptors, max, fds.total, check);
        }
    }
    if let (Some(max), Some(space)) = (host.max_map_count.value(), reading.space.value()) {
        let current = space.mappings.len() as u64;
        let check = format!("cat /proc/sys/vm/max_map_count; wc -l < /proc/{pid}/maps");
        out.add("max_map_count", "process".into(), LimitUnit::Mappings, *max, current, check);
    }
}

fn memory_limits(subject: &Subject<'_>, out: &mut Collector<'_>) {
    let (host, reading) = (subject.host, subject.reading);
    let pid = reading.key.pid;
    if let Some(Bytes(max)) = reading.rlimits.value().and_then(|r| r.address_space) {
        let check = format!("grep 'Max address space' /proc/{pid}/limits");
        let current = reading.stat.virtual_size.0;
        out.add("RLIMIT_AS", "process".into(), LimitUnit::Bytes, max, current, check);
    }
    let Some(memory) = host.memory.value() else { return };
    if host.overcommit_mode.value() == Some(&2) {
        let check = "grep -E 'CommitLimit|Committed_AS' /proc/meminfo".to_owned();
        out.add(
            "CommitLimit",
            "host".into(),
            LimitUnit::Bytes,
            memory.commit_limit.0,
            memory.committed.0,
            check,
        );
    }
    let used = memory.total.saturating_sub(memory.available);
    let check = "grep -E 'MemTotal|MemAvailable' /proc/meminfo".to_owned();
    out.add("available memory", "host".into(), LimitUnit::Bytes, memory.total.0, used.0, check);
}
