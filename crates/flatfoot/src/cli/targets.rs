//! Whom to look at, of which time, and how far to go: what commands share.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use model::AccessLevel;

use super::values::parse_time;

/// Whom to look at.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Targets {
    /// A pid, a process name, or a case file (then pids or names in it)
    #[arg(value_name = "TARGET")]
    pub(crate) named: Vec<String>,
    /// A systemd unit: torquebox or torquebox.service
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Vec<String>,
    /// A container, by the beginning of its id (docker ps, crictl ps)
    #[arg(long, value_name = "ID")]
    pub(crate) container: Vec<String>,
    #[command(flatten)]
    pub(crate) past: Past,
}

/// What was recorded, instead of what is now.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Past {
    /// What was recorded since then: 24h, 09:00, 2026-03-01, or 24h..1h
    #[arg(long, value_name = "WHEN", conflicts_with = "at")]
    pub(crate) since: Option<String>,
    /// As it was then, judged by the day before it: 09:00, "2026-03-01 09:00", 2h
    #[arg(long, value_name = "WHEN")]
    pub(crate) at: Option<String>,
    /// The recorder's store [default: where flatfoot record keeps it]
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Access {
    /// What may be done to the target; read touches nothing but files
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub(crate) access: AccessChoice,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessChoice {
    /// /proc, cgroup files and a JVM's counters; nothing is loaded, signalled or stopped
    #[default]
    Read,
    /// Asks a JVM by its attach mechanism: thread names and stacks; it pauses for some milliseconds
    Attach,
    /// Loads a small agent into a JVM for a while: who starts threads, and what the existing ones work for
    Agent,
}

impl AccessChoice {
    pub(crate) fn level(self) -> AccessLevel {
        match self {
            Self::Read => AccessLevel::Read,
            Self::Attach => AccessLevel::Attach,
            Self::Agent => AccessLevel::Agent,
        }
    }
}

/// Whether to walk a JVM's heap, and for how long it may stand still.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
pub(crate) struct Walk {
    /// Walk the JVM's heap once, for who holds its pools; it stands still meanwhile. Needs --access agent
    #[arg(id = "heap_walk", long = "heap-walk")]
    pub(crate) wanted: bool,
    /// The longest that the walk may stop the JVM: not begun when it may take longer, and ended when it does
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = parse_time, requires = "heap_walk")]
    pub(crate) pause_budget: f64,
}

impl Walk {
    /// Seconds that a walk may take; `None` without one.
    pub(crate) fn budget_s(self) -> Option<f64> {
        self.wanted.then_some(self.pause_budget)
    }
}
