//! The document that `diagnose` makes: what `--json` prints, and what the text is written from.

use std::collections::BTreeMap;

use model::{Finding, HostReading, Impact, Limit, ProcessRef, Remains, Text};
use schemars::JsonSchema;
use serde::Serialize;

use crate::present::time::rfc3339;

/// What leaks, with evidence.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Diagnosis {
    /// `flatfoot.diagnosis/1`.
    pub(crate) schema: &'static str,
    /// Version of flatfoot.
    pub(crate) version: &'static str,
    /// Where the readings came from: `this host`, or a case file.
    pub(crate) origin: String,
    /// The host.
    pub(crate) host: HostSummary,
    /// How much was looked at.
    pub(crate) looked_at: LookedAt,
    /// Findings, surest first.
    pub(crate) findings: Vec<Finding>,
    /// What died before: OOM kills, crash files, marks in the kernel's log; newest first.
    pub(crate) died_before: Vec<DiedBefore>,
    /// The process that is nearest to a limit, by share used.
    pub(crate) nearest_limit: Option<NearestLimit>,
    /// What could not be judged, and what would decide it.
    pub(crate) not_judged: Vec<String>,
    /// The case file that was written.
    pub(crate) saved: Option<SavedCase>,
    /// What was done to the targets.
    pub(crate) impact: Impact,
    /// What a report took out of all this; not there where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redacted: Option<Redacted>,
}

/// What was taken out of a report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Redacted {
    /// What is taken out, and what is left, in words.
    pub(crate) what: &'static str,
    /// How many different ones of each kind there were.
    pub(crate) different: BTreeMap<&'static str, u64>,
}

/// The host in figures.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct HostSummary {
    /// Host name.
    pub(crate) name: Text,
    /// Kernel release.
    pub(crate) kernel: Text,
    /// Time of the newest look: RFC 3339, UTC.
    pub(crate) at: String,
    /// Seconds since boot.
    pub(crate) uptime_s: f64,
    /// Processors.
    pub(crate) cpus: u64,
    /// Memory in all, in bytes; null when it could not be read.
    pub(crate) memory_bytes: Option<u64>,
    /// Available memory.
    pub(crate) available_bytes: Option<u64>,
    /// Committed_AS.
    pub(crate) committed_bytes: Option<u64>,
    /// CommitLimit.
    pub(crate) commit_limit_bytes: Option<u64>,
    /// vm.overcommit_memory.
    pub(crate) overcommit_mode: Option<u64>,
    /// OOM kills since boot.
    pub(crate) oom_kills: Option<u64>,
}

impl HostSummary {
    pub(super) fn of(host: &HostReading, at_unix_s: f64) -> Self {
        let memory = host.memory.value();
        Self {
            name: host.name.clone(),
            kernel: host.kernel.clone(),
            at: rfc3339(at_unix_s),
            uptime_s: host.uptime_s,
            cpus: host.cpus,
            memory_bytes: memory.map(|m| m.total.0),
            available_bytes: memory.map(|m| m.available.0),
            committed_bytes: memory.map(|m| m.committed.0),
            commit_limit_bytes: memory.map(|m| m.commit_limit.0),
            overcommit_mode: host.overcommit_mode.value().copied(),
            oom_kills: host.vmstat.value().and_then(|v| v.oom_kills),
        }
    }
}

/// How much was looked at.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct LookedAt {
    /// Processes.
    pub(crate) processes: u64,
    /// Processes that ended while they were read.
    pub(crate) gone: u64,
    /// Processes of which something was denied.
    pub(crate) denied: u64,
    /// Looks.
    pub(crate) looks: u64,
    /// Seconds that the first look took.
    pub(crate) took_s: f64,
    /// Seconds from the first look to the last.
    pub(crate) watched_s: f64,
}

/// A process and its nearest limit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct NearestLimit {
    /// The process.
    pub(crate) process: ProcessRef,
    /// The limit.
    pub(crate) limit: Limit,
}

/// A mark that something died.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DiedBefore {
    /// The file or log that says so.
    pub(crate) source: Text,
    /// What it says.
    pub(crate) what: Text,
    /// When: RFC 3339, UTC; null when unknown.
    pub(crate) when: Option<String>,
}

impl From<Remains> for DiedBefore {
    fn from(remains: Remains) -> Self {
        Self { source: remains.source, what: remains.what, when: remains.when.map(rfc3339) }
    }
}

/// A case file that was written.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct SavedCase {
    /// Where it lies.
    pub(crate) path: String,
    /// Its size.
    pub(crate) bytes: u64,
}
