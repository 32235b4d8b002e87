//! One process at one moment: raw readings of /proc/PID, before anything is concluded from them.

use serde::{Deserialize, Serialize};

use crate::{AddressSpace, BootId, Bytes, JvmCounters, JvmInside, Pid, Reading, Rollup, Text, Thread, Ticks};

/// What tells a process from every other, pid reuse and reboots included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessKey {
    /// The boot it lives in.
    pub boot: BootId,
    /// Its pid in flatfoot's namespace.
    pub pid: Pid,
    /// When it was started (field 22 of /proc/PID/stat).
    pub start: Ticks,
}

/// Everything read of one process in one look. What the look did not ask for is `Skipped`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessReading {
    /// Which process.
    pub key: ProcessKey,
    /// Seconds from the look's start until this process was read.
    pub at_s: f64,
    /// Seconds it took to read it.
    pub took_s: f64,
    /// /proc/PID/stat: the one file without which there is no reading.
    pub stat: Stat,
    /// /proc/PID/statm.
    pub statm: Reading<Statm>,
    /// /proc/PID/status.
    pub status: Reading<Status>,
    /// /proc/PID/cmdline, split; empty for kernel threads.
    pub cmdline: Reading<Vec<Text>>,
    /// Where /proc/PID/exe points.
    pub exe: Reading<Text>,
    /// /proc/PID/cgroup with what its groups and their ancestors allow and use.
    pub cgroups: Reading<Cgroups>,
    /// /proc/PID/limits.
    pub rlimits: Reading<Rlimits>,
    /// /proc/PID/fd.
    pub descriptors: Reading<Descriptors>,
    /// Its living and its unreaped children.
    pub children: Reading<Vec<Child>>,
    /// /proc/PID/task.
    pub threads: Reading<Vec<Thread>>,
    /// /proc/PID/maps and what was read of its pages.
    pub space: Reading<AddressSpace>,
    /// /proc/PID/smaps_rollup.
    pub rollup: Reading<Rollup>,
    /// hs_err files and other marks that an earlier instance of it died.
    pub remains: Reading<Vec<Remains>>,
    /// hsperfdata; `Unsupported` for a process that is no HotSpot JVM.
    pub jvm: Reading<JvmCounters>,
    /// What a JVM told when it was attached to; never read without being asked for by access level.
    pub inside: Reading<JvmInside>,
}

/// /proc/PID/stat, the fields that flatfoot uses (proc_pid_stat(5)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stat {
    /// `comm`: at most 15 bytes, may hold anything.
    pub name: Text,
    /// R, S, D, Z, T, t, X, I …
    pub state: char,
    /// Parent's pid.
    pub parent: Pid,
    /// Page faults that needed no reading from disk.
    pub minor_faults: u64,
    /// Page faults that did.
    pub major_faults: u64,
    /// User CPU time.
    pub utime: Ticks,
    /// System CPU time.
    pub stime: Ticks,
    /// Number of threads.
    pub threads: u64,
    /// Birth.
    pub start: Ticks,
    /// VmSize.
    pub virtual_size: Bytes,
    /// Resident pages × page size (the kernel's cheap, slightly late figure).
    pub resident: Bytes,
    /// Flags of `sched.h` (PF_KTHREAD is 0x0020_0000).
    pub flags: u64,
    /// Bounds of the main program's initialised data end and of its brk heap start; 0 without the right to see them.
    pub start_brk: u64,
    /// Where the main thread's stack started; 0 without the right to see it.
    pub start_stack: u64,
}

impl Stat {
    /// Is it a thread of the kernel, without an address space?
    #[must_use]
    pub fn is_kernel_thread(&self) -> bool {
        self.flags & 0x0020_0000 != 0
    }
}

/// /proc/PID/statm, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statm {
    /// VmSize.
    pub size: Bytes,
    /// VmRSS.
    pub resident: Bytes,
    /// RssFile + RssShmem.
    pub shared: Bytes,
    /// VmExe.
    pub text: Bytes,
    /// VmData + VmStk: private writable; what a commit charge is estimated from.
    pub data: Bytes,
}

/// /proc/PID/status, the fields that flatfoot uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Effective uid.
    pub uid: u32,
    /// Effective gid.
    pub gid: u32,
    /// Its pid in each namespace from ours inwards; more than one in a container.
    pub ns_pids: Vec<u32>,
    /// VmPeak.
    pub peak: Option<Bytes>,
    /// VmLck.
    pub locked: Option<Bytes>,
    /// VmHWM.
    pub resident_peak: Option<Bytes>,
    /// RssAnon.
    pub rss_anon: Option<Bytes>,
    /// RssFile.
    pub rss_file: Option<Bytes>,
    /// RssShmem.
    pub rss_shmem: Option<Bytes>,
    /// VmPTE: page tables.
    pub page_tables: Option<Bytes>,
    /// VmSwap.
    pub swap: Option<Bytes>,
    /// Threads.
    pub threads: u64,
    /// SigCgt: which signals it catches, bit n−1 for signal n.
    pub signals_caught: u64,
    /// CapEff.
    pub capabilities: u64,
    /// TracerPid, 0 when nobody traces it.
    pub tracer: u32,
}

/// Where a process stands in the cgroup trees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cgroups {
    /// The path that names it best: v2's, or v1's systemd or memory path.
    pub path: Text,
    /// systemd unit in that path (`torquebox.service`), if one can be told.
    pub unit: Option<Text>,
    /// Container id in that path (docker, containerd, cri-o, podman, kubernetes), if one can be told.
    pub container: Option<Text>,
    /// Each group with a controller of interest, from the innermost to the root.
    pub groups: Vec<CgroupLevel>,
}

/// One cgroup directory on the way from a process's group to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CgroupLevel {
    /// Its directory in the file system.
    pub dir: Text,
    /// pids.max, `None` for "max" or when there is no such file.
    pub pids_max: Option<u64>,
    /// pids.current.
    pub pids_current: Option<u64>,
    /// memory.max (v1: memory.limit_in_bytes).
    pub memory_max: Option<Bytes>,
    /// memory.high.
    pub memory_high: Option<Bytes>,
    /// memory.current (v1: memory.usage_in_bytes).
    pub memory_current: Option<Bytes>,
    /// oom_kill of memory.events (v1: memory.oom_control).
    pub oom_kills: Option<u64>,
}

/// /proc/PID/limits: soft limits; `None` is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rlimits {
    /// RLIMIT_NPROC: processes and threads of the user.
    pub processes: Option<u64>,
    /// RLIMIT_NOFILE.
    pub open_files: Option<u64>,
    /// RLIMIT_AS.
    pub address_space: Option<Bytes>,
    /// RLIMIT_STACK.
    pub stack: Option<Bytes>,
    /// Tasks that the process's user has on the host (what RLIMIT_NPROC is compared with), when counted.
    pub user_tasks: Option<u64>,
}

/// /proc/PID/fd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Descriptors {
    /// How many are open.
    pub total: u64,
    /// How many of each kind; empty when only the total was asked for, or may be seen (another user's process).
    pub kinds: Vec<DescriptorKind>,
}

/// Descriptors of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DescriptorKind {
    /// `file`, `socket`, `pipe`, `eventfd`, `epoll`, `timerfd`, `signalfd`, `inotify`, `io_uring`,
    /// `pidfd`, `perf_event`, `memfd`, `device`, `directory` (opened as one), `deleted`, `other`.
    pub kind: Text,
    /// How many.
    pub count: u64,
    /// One of them as an example: where its link points.
    pub example: Text,
}

/// A child process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Child {
    /// Its pid.
    pub pid: Pid,
    /// Its `comm`.
    pub name: Text,
    /// Its state; Z is dead and not waited for.
    pub state: char,
    /// Its birth.
    pub start: Ticks,
}

/// A mark that a process of this kind died before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remains {
    /// The file or log that says so.
    pub source: Text,
    /// What it says, in one line.
    pub what: Text,
    /// When, in Unix seconds, if known.
    pub when: Option<f64>,
}
