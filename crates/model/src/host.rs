//! The host at one moment.

use serde::{Deserialize, Serialize};

use crate::{BootId, Bytes, Reading, Remains, ScheduleEntry, Text};

/// What was read of the host in one look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostReading {
    /// Host name.
    pub name: Text,
    /// Kernel release.
    pub kernel: Text,
    /// This boot.
    pub boot: BootId,
    /// Wall-clock time of the boot in Unix seconds, as of this look (moves when the clock is set).
    pub booted_unix_s: f64,
    /// Seconds since boot, suspend included.
    pub uptime_s: f64,
    /// Ticks per second of birth times (USER_HZ).
    pub ticks_per_second: u64,
    /// Bytes per page.
    pub page_size: u64,
    /// Processors online.
    pub cpus: u64,
    /// Offset of local time from UTC in seconds, at this look: schedules speak local time.
    pub utc_offset_s: i32,
    /// /proc/meminfo.
    pub memory: Reading<MemInfo>,
    /// vm.overcommit_memory: 0 guess, 1 always, 2 never beyond CommitLimit.
    pub overcommit_mode: Reading<u64>,
    /// /proc/vmstat.
    pub vmstat: Reading<VmStat>,
    /// /proc/pressure.
    pub pressure: Reading<Pressure>,
    /// kernel.threads-max.
    pub threads_max: Reading<u64>,
    /// kernel.pid_max.
    pub pid_max: Reading<u64>,
    /// vm.max_map_count.
    pub max_map_count: Reading<u64>,
    /// Tasks on the host (/proc/loadavg, the number after the slash).
    pub tasks: Reading<u64>,
    /// Crontabs and systemd timers that could be read.
    pub schedules: Reading<Vec<ScheduleEntry>>,
    /// Files with schedules that are there and were not allowed to be read.
    pub schedules_denied: Vec<Text>,
    /// OOM kills in the kernel's log.
    pub remains: Reading<Vec<Remains>>,
    /// Does the kernel have PAGEMAP_SCAN?
    pub has_pagemap_scan: bool,
    /// Is cgroup v2 mounted (alone or beside v1)?
    pub cgroup_v2: bool,
}

impl HostReading {
    /// Wall-clock time (Unix seconds) of a moment given in seconds since boot.
    #[must_use]
    pub fn unix_from_boot(&self, since_boot_s: f64) -> f64 {
        self.booted_unix_s + since_boot_s
    }
}

/// /proc/meminfo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemInfo {
    /// MemTotal.
    pub total: Bytes,
    /// MemFree.
    pub free: Bytes,
    /// MemAvailable.
    pub available: Bytes,
    /// Committed_AS.
    pub committed: Bytes,
    /// CommitLimit.
    pub commit_limit: Bytes,
    /// SwapTotal.
    pub swap_total: Bytes,
    /// SwapFree.
    pub swap_free: Bytes,
    /// AnonPages.
    pub anon: Bytes,
    /// Shmem.
    pub shmem: Bytes,
    /// Slab.
    pub slab: Bytes,
    /// PageTables.
    pub page_tables: Bytes,
    /// KernelStack.
    pub kernel_stack: Bytes,
}

/// /proc/vmstat, the counters that flatfoot uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VmStat {
    /// oom_kill since boot.
    pub oom_kills: Option<u64>,
    /// pswpin.
    pub swapped_in: Option<u64>,
    /// pswpout.
    pub swapped_out: Option<u64>,
    /// pgmajfault.
    pub major_faults: Option<u64>,
}

/// /proc/pressure: shares of the last 60 s in which some (all) tasks stood still, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pressure {
    /// memory, some, avg60.
    pub memory_some: f64,
    /// memory, full, avg60.
    pub memory_full: f64,
    /// cpu, some, avg60.
    pub cpu_some: f64,
    /// io, some, avg60.
    pub io_some: f64,
}
