//! Threads as they are seen in one look after another, and what a JVM itself counts of them.

use std::collections::BTreeMap;

use model::{Pid, ProcessKey, ProcessReading, Thread};

/// Threads seen in some look, by process and then by id and birth.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) threads: BTreeMap<ProcessKey, BTreeMap<(Pid, model::Ticks), Thread>>,
    /// When a JVM's count of started threads rose: in seconds since boot, and by how many.
    pub(super) starts: BTreeMap<ProcessKey, Starts>,
    /// Those of the newest look.
    pub(super) alive: BTreeMap<ProcessKey, Vec<(Pid, model::Ticks)>>,
    pub(super) names: BTreeMap<ProcessKey, ProcessReading>,
}

/// A JVM's count of started threads over the looks.
#[derive(Clone, Debug, Default)]
pub(super) struct Starts {
    pub(super) last: Option<u64>,
    pub(super) rises: Vec<f64>,
}

impl Seen {
    pub(super) fn take(&mut self, process: ProcessReading, at_boot_s: f64) {
        if let Some(started) = process.jvm.value().and_then(|jvm| jvm.threads).map(|threads| threads.started)
        {
            let starts = self.starts.entry(process.key).or_default();
            let more = starts.last.map_or(0, |last| started.saturating_sub(last));
            // Many at once are one burst of a pool, not many firings.
            if more > 0 {
                starts.rises.push(at_boot_s);
            }
            starts.last = Some(started);
        }
        let all = self.threads.entry(process.key).or_default();
        let now: Vec<Thread> = process.threads.value().cloned().unwrap_or_default();
        self.alive.insert(process.key, now.iter().map(|t| (t.tid, t.start)).collect());
        for thread in now {
            all.insert((thread.tid, thread.start), thread);
        }
        self.names.insert(process.key, ProcessReading { threads: model::Reading::Skipped, ..process });
    }
}
