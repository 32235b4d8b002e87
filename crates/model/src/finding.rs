//! What was concluded, with the evidence for and against it. These types are the JSON that others build on:
//! their fields are additive within a major schema version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cadence, Limit, Pid, PoolShape, Text};

/// What kind of leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Threads that are started and never end.
    ThreadLeak,
    /// Address space reserved and not touched, not stacks.
    ReservationLeak,
    /// malloc's memory.
    NativeHeapLeak,
    /// Objects in the Java heap.
    JavaHeapLeak,
    /// Classes and their loaders.
    MetaspaceLeak,
    /// Compiled code.
    CodeCacheGrowth,
    /// NIO direct buffers.
    DirectBufferLeak,
    /// Freed, but kept by the allocator: not a leak.
    MallocRetention,
    /// Mapped files.
    MappedFileGrowth,
    /// Shared memory.
    SharedMemoryGrowth,
    /// Open descriptors.
    DescriptorLeak,
    /// Child processes, the unreaped ones included.
    ChildProcessLeak,
    /// Page tables, kernel stacks.
    KernelMemoryGrowth,
    /// Memory rises, its class is not yet known.
    MemoryGrowth,
}

impl FindingKind {
    /// As in JSON: `thread-leak`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::ThreadLeak => "thread-leak",
            Self::ReservationLeak => "reservation-leak",
            Self::NativeHeapLeak => "native-heap-leak",
            Self::JavaHeapLeak => "java-heap-leak",
            Self::MetaspaceLeak => "metaspace-leak",
            Self::CodeCacheGrowth => "code-cache-growth",
            Self::DirectBufferLeak => "direct-buffer-leak",
            Self::MallocRetention => "malloc-retention",
            Self::MappedFileGrowth => "mapped-file-growth",
            Self::SharedMemoryGrowth => "shared-memory-growth",
            Self::DescriptorLeak => "descriptor-leak",
            Self::ChildProcessLeak => "child-process-leak",
            Self::KernelMemoryGrowth => "kernel-memory-growth",
            Self::MemoryGrowth => "memory-growth",
        }
    }

    /// As a headline: `THREAD LEAK`.
    #[must_use]
    pub fn title(self) -> String {
        self.id().replace('-', " ").to_uppercase()
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One signal, or growing.
    Possible,
    /// Independent signals agree.
    Likely,
    /// It held while the observation doubled, and the cause was seen or every birth since the start is alive.
    Confirmed,
}

impl Confidence {
    /// As in JSON: `likely`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Confirmed => "confirmed",
        }
    }
}

/// The process a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessRef {
    /// Its pid.
    pub pid: Pid,
    /// Its `comm`.
    pub name: Text,
    /// RFC 3339, UTC.
    pub started: String,
    /// systemd unit, container or distinguishing part of the command line.
    pub label: Option<Text>,
}

/// One piece of evidence, with a way to check it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What is claimed, as a sentence without a full stop.
    pub claim: String,
    /// The number in it that `reproduce` prints.
    pub value: Option<f64>,
    /// The file it was read from.
    pub source: String,
    /// The statistic behind it, when there is one: `period 60.0 s ± 0.1, 1,550 events`.
    pub statistic: Option<String>,
    /// For the finding (true) or against it.
    pub supports: bool,
    /// A shell command that a sceptic can run; for a finding from one moment its number moves on with the leak.
    pub reproduce: Option<String>,
}

/// A kind of leak that the readings speak against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuledOut {
    /// Which kind, or which class of memory.
    pub kind: String,
    /// Why.
    pub why: String,
}

/// Code that made what leaks, surest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CreatedBy {
    /// Who said so. A stack seen when a thread was born: `agent`, `jfr`, `trace`. What existing threads work for:
    /// `owner`. Code that could have made them: `site`.
    pub source: String,
    /// How many births it was seen for; for an `owner` how many of the leaked threads; 0 for a `site`.
    pub births: u64,
    /// Of how many births that were seen, or of how many leaked threads.
    pub of: u64,
    /// How sure that is, in words.
    pub sure: String,
    /// The thread that started them.
    pub thread: Option<Text>,
    /// Innermost first.
    pub frames: Vec<Frame>,
}

/// How often code of a library was on the stack when what leaks was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LibraryShare {
    /// Its name, with its version if that is known.
    pub name: String,
    /// Births with a frame of it on the stack.
    pub births: u64,
    /// Of how many that were seen.
    pub of: u64,
}

/// One frame of a stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// Class and method, or function.
    pub symbol: String,
    /// Source file.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Jar or library.
    pub origin: Option<String>,
    /// `jdk`, `runtime`, `framework`, `library`, `application`.
    pub role: String,
}

/// A schedule that fits a finding's cadence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleMatch {
    /// Where it was found; null for an expression that is only the cadence's name.
    pub source: Option<Text>,
    /// Cron fields, a Quartz expression or OnCalendar words.
    pub expression: String,
    /// What it runs, when it was found.
    pub what: Option<Text>,
    /// Was it found in the process itself, and not on the host?
    #[serde(default)]
    pub in_process: bool,
    /// What it means: `fires each minute`.
    pub meaning: String,
    /// The near miss: `an hourly field would be "0 0 * * * ?"`.
    pub near_miss: Option<String>,
}

/// What leaks, how sure that is, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Eight hex digits: a hash of unit, container or command, kind and subject. No pid, so that it survives restarts.
    pub id: String,
    /// What kind.
    pub kind: FindingKind,
    /// How sure.
    pub confidence: Confidence,
    /// Why not surer, and what would make it so; null when confirmed.
    pub confidence_why: Option<String>,
    /// Where.
    pub process: ProcessRef,
    /// What grows: a thread pattern, a memory class, a descriptor kind.
    pub subject: Text,
    /// Set when part of the subject was inferred: how.
    pub subject_inferred: Option<Text>,
    /// For threads: what the names say about pools.
    pub pool_shape: Option<PoolShape>,
    /// How many of them (threads, descriptors, mappings …), or bytes for memory.
    pub count: u64,
    /// Do numbers in names, or watching, show that none of them has ever ended?
    pub none_ended: bool,
    /// Growth per second, in the unit of `count`.
    pub rate_per_s: Option<f64>,
    /// 95 % interval of the rate.
    pub rate_interval: Option<(f64, f64)>,
    /// Rhythm of the births.
    pub cadence: Vec<Cadence>,
    /// First and last birth, or start and end of the observation, in Unix seconds.
    pub seen: Option<(f64, f64)>,
    /// Address space that it holds.
    pub reserved_bytes: Option<u64>,
    /// Of that, charged to the commit limit.
    pub committed_bytes: Option<u64>,
    /// Of that, in use.
    pub touched_bytes: Option<u64>,
    /// Who makes them, surest first; empty at access level `read`.
    pub created_by: Vec<CreatedBy>,
    /// The libraries on the stacks of `created_by`, most births first, and suspects that were on none.
    #[serde(default)]
    pub libraries: Vec<LibraryShare>,
    /// Where the leak has more than one cause (what is never ended, and what starts it too often): each of them.
    #[serde(default)]
    pub faults: Vec<String>,
    /// Schedules that fit.
    pub schedules: Vec<ScheduleMatch>,
    /// For and against.
    pub evidence: Vec<Evidence>,
    /// What it is not.
    pub ruled_out: Vec<RuledOut>,
    /// What is too small to explain the process's size.
    pub too_small: Vec<RuledOut>,
    /// Commit charge of the whole process; null when its mappings were not read.
    pub process_committed_bytes: Option<u64>,
    /// Bytes of this process that nothing explains.
    pub unexplained_bytes: Option<u64>,
    /// What it runs into, nearest first.
    pub limits: Vec<Limit>,
    /// What happens if nobody acts.
    pub risk: String,
    /// What to do now.
    pub now: String,
    /// What to do next, most useful first.
    pub next: Vec<String>,
}
