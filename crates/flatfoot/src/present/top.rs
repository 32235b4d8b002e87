//! Processes by growth.

use model::{Bytes, Impact, JvmCounters, ProcessRef, show};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Align, Table, Term};
use crate::analyse::HostSummary;

/// `flatfoot top --once --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct TopDocument {
    /// `flatfoot.top/1`.
    pub(crate) schema: &'static str,
    /// Where the readings came from.
    pub(crate) origin: String,
    /// The host.
    pub(crate) host: HostSummary,
    /// Processes in all; `processes` may hold fewer.
    pub(crate) total: u64,
    /// A row for each process shown.
    pub(crate) processes: Vec<TopRow>,
    /// What was done to the targets.
    pub(crate) impact: Impact,
}

/// One process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct TopRow {
    /// The process.
    #[serde(flatten)]
    pub(crate) process: ProcessRef,
    /// Private writable memory: approximates the commit charge.
    pub(crate) committed_bytes_approximate: u64,
    /// Resident.
    pub(crate) resident_bytes: u64,
    /// Committed (approximate) less what of it is resident: promised and not used.
    pub(crate) untouched_bytes: u64,
    /// Threads.
    pub(crate) threads: u64,
    /// Births per minute of threads that stay, where a pattern shows a rhythm; null when not judged.
    pub(crate) threads_per_minute: Option<f64>,
    /// What grows; null when nothing is seen to.
    pub(crate) growing: Option<String>,
    /// The nearest limit; null when none could be read.
    pub(crate) next_limit: Option<NextLimit>,
    /// What a JVM counts; null for others.
    pub(crate) jvm: Option<JvmRow>,
}

/// What a JVM shares in its hsperfdata file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct JvmRow {
    /// In use in the heap, as of its last collection.
    pub(crate) heap_used_bytes: u64,
    /// The most that it may become.
    pub(crate) heap_limit_bytes: Option<u64>,
    /// Threads started since it began.
    pub(crate) threads_started: Option<u64>,
}

impl JvmRow {
    /// Of its counters.
    pub(crate) fn of(jvm: &JvmCounters) -> Self {
        Self {
            heap_used_bytes: jvm.heap_used().0,
            heap_limit_bytes: jvm.heap_limit().map(|limit| limit.0),
            threads_started: jvm.threads.map(|threads| threads.started),
        }
    }
}

/// The nearest limit of a process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct NextLimit {
    /// `pids.max`.
    pub(crate) name: String,
    /// Share used, 0 to 1.
    pub(crate) used: f64,
    /// Seconds until it is reached; null when nothing grows towards it.
    pub(crate) eta_s: Option<f64>,
}

impl TopDocument {
    /// As a table.
    pub(crate) fn text(&self, term: Term) -> String {
        let mut table = Table::new(&[
            ("PID", Align::Right),
            ("NAME", Align::Left),
            ("COMMIT~", Align::Right),
            ("RSS", Align::Right),
            ("UNTOUCHED", Align::Right),
            ("THREADS", Align::Right),
            ("/min", Align::Right),
            ("GROWING", Align::Left),
            ("NEXT LIMIT", Align::Left),
        ]);
        for row in &self.processes {
            let name = match &row.process.label {
                Some(label) => format!("{} {label}", row.process.name),
                None => row.process.name.to_string(),
            };
            table.row(vec![
                row.process.pid.to_string(),
                name.chars().take(28).collect(),
                show::bytes_short(Bytes(row.committed_bytes_approximate)),
                show::bytes_short(Bytes(row.resident_bytes)),
                show::bytes_short(Bytes(row.untouched_bytes)),
                show::count(row.threads),
                row.threads_per_minute.map_or_else(|| "-".to_owned(), |r| format!("{r:+.2}")),
                row.growing.clone().unwrap_or_else(|| "-".to_owned()),
                row.next_limit.as_ref().map_or_else(|| "-".to_owned(), limit),
            ]);
        }
        let mut out = table.text();
        let hidden = self.total.saturating_sub(self.processes.len() as u64);
        if hidden > 0 && !term.quiet {
            out.push_str(&term.dim(&format!("({} more: -n 0 shows all)", show::count(hidden))));
            out.push('\n');
        }
        out
    }
}

/// `pids.max 2d04h`, or how much of it is used.
pub(crate) fn limit(limit: &NextLimit) -> String {
    match limit.eta_s {
        Some(eta) => format!("{} {}", limit.name, show::duration_short(eta)),
        None => format!("{} {}", limit.name, show::percent(limit.used)),
    }
}
