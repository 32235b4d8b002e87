//! The look's own blob, and the part `core`: the short readings of a process, as the model's own types.

use model::{
    Cgroups, Child, Descriptors, HostReading, Impact, JvmCounters, Look, ProcessKey, ProcessReading, Reading,
    Remains, Rlimits, Rollup, Stat, Statm, Status, Text,
};
use serde::{Deserialize, Serialize};

/// A look without its processes, ready to be written.
#[derive(Serialize)]
pub(crate) struct Head<'a> {
    at_unix_s: f64,
    at_boot_s: f64,
    took_s: f64,
    late_s: f64,
    host: &'a HostReading,
    gone: u64,
    denied: u64,
    impact: &'a Impact,
    /// How many rows of `process` there must be.
    processes: usize,
}

impl<'a> Head<'a> {
    pub(crate) fn of(look: &'a Look) -> Self {
        let Look { at_unix_s, at_boot_s, took_s, late_s, host, processes, gone, denied, impact } = look;
        Self {
            at_unix_s: *at_unix_s,
            at_boot_s: *at_boot_s,
            took_s: *took_s,
            late_s: *late_s,
            host,
            gone: *gone,
            denied: *denied,
            impact,
            processes: processes.len(),
        }
    }
}

/// A look without its processes, as it was stored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoredHead {
    at_unix_s: f64,
    at_boot_s: f64,
    took_s: f64,
    late_s: f64,
    host: HostReading,
    gone: u64,
    denied: u64,
    impact: Impact,
    pub(crate) processes: u64,
}

impl StoredHead {
    pub(crate) fn into_look(self, processes: Vec<ProcessReading>) -> Look {
        Look {
            at_unix_s: self.at_unix_s,
            at_boot_s: self.at_boot_s,
            took_s: self.took_s,
            late_s: self.late_s,
            host: self.host,
            processes,
            gone: self.gone,
            denied: self.denied,
            impact: self.impact,
        }
    }
}

/// The part `core`, ready to be written.
#[derive(Serialize)]
pub(crate) struct Core<'a> {
    process: ShortReadings<'a>,
    /// Is there a part `threads`?
    threads: bool,
    /// Is there a part `space`?
    space: bool,
    /// Is there a part `inside`?
    #[serde(skip_serializing_if = "is_false")]
    inside: bool,
}

impl<'a> Core<'a> {
    pub(crate) fn of(process: &'a ProcessReading) -> Self {
        Self {
            process: ShortReadings::of(process),
            threads: process.threads.value().is_some(),
            space: process.space.value().is_some(),
            inside: process.inside.value().is_some(),
        }
    }
}

/// The part `core`, as it was stored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoredCore {
    pub(crate) process: ProcessReading,
    pub(crate) threads: bool,
    pub(crate) space: bool,
    pub(crate) inside: bool,
}

/// The short readings of a process: field by field what [`ProcessReading`] reads back;
/// `threads`, `space` and `inside` appear only when they have a reason for not being there.
#[derive(Serialize)]
struct ShortReadings<'a> {
    key: ProcessKey,
    at_s: f64,
    took_s: f64,
    stat: &'a Stat,
    #[serde(skip_serializing_if = "is_skipped")]
    statm: &'a Reading<Statm>,
    #[serde(skip_serializing_if = "is_skipped")]
    status: &'a Reading<Status>,
    #[serde(skip_serializing_if = "is_skipped")]
    cmdline: &'a Reading<Vec<Text>>,
    #[serde(skip_serializing_if = "is_skipped")]
    exe: &'a Reading<Text>,
    #[serde(skip_serializing_if = "is_skipped")]
    cgroups: &'a Reading<Cgroups>,
    #[serde(skip_serializing_if = "is_skipped")]
    rlimits: &'a Reading<Rlimits>,
    #[serde(skip_serializing_if = "is_skipped")]
    descriptors: &'a Reading<Descriptors>,
    #[serde(skip_serializing_if = "is_skipped")]
    children: &'a Reading<Vec<Child>>,
    #[serde(skip_serializing_if = "is_apart")]
    threads: Reading<()>,
    #[serde(skip_serializing_if = "is_apart")]
    space: Reading<()>,
    #[serde(skip_serializing_if = "is_skipped")]
    rollup: &'a Reading<Rollup>,
    #[serde(skip_serializing_if = "is_skipped")]
    remains: &'a Reading<Vec<Remains>>,
    #[serde(skip_serializing_if = "is_skipped")]
    jvm: &'a Reading<JvmCounters>,
    #[serde(skip_serializing_if = "is_apart")]
    inside: Reading<()>,
}

impl<'a> ShortReadings<'a> {
    fn of(process: &'a ProcessReading) -> Self {
        let ProcessReading {
            key,
            at_s,
            took_s,
            stat,
            statm,
            status,
            cmdline,
            exe,
            cgroups,
            rlimits,
            descriptors,
            children,
            threads,
            space,
            rollup,
            remains,
            jvm,
            inside,
        } = process;
        Self {
            key: *key,
            at_s: *at_s,
            took_s: *took_s,
            stat,
            statm,
            status,
            cmdline,
            exe,
            cgroups,
            rlimits,
            descriptors,
            children,
            threads: threads.as_ref().map(|_| ()),
            space: space.as_ref().map(|_| ()),
            rollup,
            remains,
            jvm,
            inside: inside.as_ref().map(|_| ()),
        }
    }
}

/// `Skipped` is what a missing field reads back as.
fn is_skipped<T>(reading: &Reading<T>) -> bool {
    matches!(reading, Reading::Skipped)
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A value lies in a part of its own.
fn is_apart(reading: &Reading<()>) -> bool {
    matches!(reading, Reading::Skipped | Reading::Value(()))
}
