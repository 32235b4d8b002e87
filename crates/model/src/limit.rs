//! What a growing thing runs into.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Text;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// Threads and processes.
    Tasks,
    /// Mappings.
    Mappings,
    /// Bytes.
    Bytes,
    /// Open descriptors.
    Descriptors,
}

/// A limit, how much of it is used, and when it is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// `pids.max`, `RLIMIT_NPROC`, `threads-max`, `pid_max`, `max_map_count`, `memory.max`, `memory.high`, `RLIMIT_AS`,
    /// `RLIMIT_NOFILE`, `CommitLimit`, `available memory`.
    pub name: Text,
    /// Which cgroup directory, user or host it is set on.
    pub scope: Text,
    /// What it counts.
    pub unit: LimitUnit,
    /// The limit.
    pub value: u64,
    /// What is used of it now.
    pub current: u64,
    /// Seconds until it is reached at the present rate; null when nothing grows towards it.
    pub eta_s: Option<f64>,
    /// The same for the rate's upper and lower bound: earliest, latest (null: never).
    pub eta_interval_s: Option<(f64, Option<f64>)>,
    /// The command that shows limit or use.
    pub reproduce: String,
}

impl Limit {
    /// Share used, 0 to 1 (above 1 when it is exceeded).
    #[must_use]
    pub fn used(&self) -> f64 {
        if self.value == 0 { 1.0 } else { self.current as f64 / self.value as f64 }
    }
}
