//! One look at a host: everything that was read together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{HostReading, ProcessReading};

/// One look. A case file holds one or more of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// When it began, in Unix seconds.
    pub at_unix_s: f64,
    /// When it began, in seconds since boot (CLOCK_BOOTTIME: never set back, runs through suspend).
    pub at_boot_s: f64,
    /// How long it took, in seconds.
    pub took_s: f64,
    /// How much later it began than it was meant to, in seconds.
    pub late_s: f64,
    /// The host.
    pub host: HostReading,
    /// The processes.
    pub processes: Vec<ProcessReading>,
    /// Processes that ended while they were read.
    pub gone: u64,
    /// Processes of which something was denied.
    pub denied: u64,
    /// What the look did to the host.
    pub impact: Impact,
}

/// What was done to the target: the IMPACT line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Impact {
    /// The access level that was used.
    pub level: AccessLevel,
    /// How long something was attached or loaded, in seconds; 0 at `read`.
    pub attached_s: f64,
    /// The longest that a target was stopped, in seconds; 0 at `read`.
    pub longest_pause_s: f64,
    /// What was done besides reading, a phrase each: `agent 87 KB loaded, hook removed`.
    pub done: Vec<String>,
    /// How long flatfoot read from /proc, in seconds.
    pub reading_s: f64,
    /// CPU time that flatfoot itself used, in seconds.
    pub own_cpu_s: f64,
}

impl Impact {
    /// Adds what was done besides: times add up, the level and the longest pause are the highest of both.
    pub fn add(&mut self, other: Self) {
        let Self { level, attached_s, longest_pause_s, done, reading_s, own_cpu_s } = other;
        self.level = self.level.max(level);
        self.attached_s += attached_s;
        self.longest_pause_s = self.longest_pause_s.max(longest_pause_s);
        self.done.extend(done);
        self.reading_s += reading_s;
        self.own_cpu_s += own_cpu_s;
    }
}

/// What a command may do to the target; each level includes those before it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// Reads /proc, cgroup files and what the target shares openly. Nothing is loaded, signalled or stopped.
    #[default]
    Read,
    /// The JVM's attach mechanism.
    Attach,
    /// Loads the agent for a while.
    Agent,
    /// A copy-on-write snapshot of a native process.
    Snapshot,
    /// Perf events.
    Trace,
}
