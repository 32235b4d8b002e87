//! What the host says it runs at certain times.

use serde::{Deserialize, Serialize};

use crate::Text;

/// A schedule that was found on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleEntry {
    /// Where: `/etc/cron.d/reports:3`, `apt-daily.timer`.
    pub source: Text,
    /// When, in the source's own words.
    pub when: ScheduleWhen,
    /// What it runs: a command line or a unit.
    pub what: Text,
}

/// A schedule's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleWhen {
    /// Five cron fields, or `@hourly` and its like.
    Cron(Text),
    /// Quartz's or Spring's six or seven fields, seconds first.
    Quartz(Text),
    /// systemd's OnCalendar.
    Calendar(Text),
    /// systemd's OnUnitActiveSec and its like, in seconds.
    EverySeconds(u64),
}
