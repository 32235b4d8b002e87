//! What a rule is given, and what it gives back.

use model::{
    AccessLevel, Bytes, Finding, FindingKind, HostReading, MemoryClass, MemoryMap, ProcessReading,
    ProcessRef, Thread, ThreadGroup,
};

use super::JvmPoint;
use super::trend::growing;
use crate::eta::Rate;
use crate::heap::Census;
use crate::judge::Unit;

/// One process, with what was derived from its readings.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// How it is named in findings.
    pub process: &'a ProcessRef,
    /// What survives a restart: unit, container or command line. Findings' ids are made from it.
    pub identity: &'a str,
    /// The host, in the newest look.
    pub host: &'a HostReading,
    /// The process, in the newest look that has it.
    pub reading: &'a ProcessReading,
    /// When that was, in seconds since boot.
    pub now_boot_s: f64,
    /// Its memory by class, when its mappings were read.
    pub memory: Option<&'a MemoryMap>,
    /// Its threads by pattern.
    pub groups: &'a [ThreadGroup],
    /// One point per look, oldest first, the newest included.
    pub history: &'a [Point],
    /// Its threads in the first look, and when that was; `None` when there was only one look.
    pub first_threads: Option<(f64, &'a [Thread])>,
    /// Class histograms of a JVM, oldest first; empty unless it was attached to.
    pub censuses: &'a [Census],
    /// The access level in use: what NEXT may suggest.
    pub level: AccessLevel,
}

/// The few figures of one look that growth is judged from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// When, in seconds since boot.
    pub at_boot_s: f64,
    /// Threads.
    pub threads: Option<u64>,
    /// Open descriptors.
    pub descriptors: Option<u64>,
    /// Open descriptors by kind.
    pub descriptor_kinds: Vec<(String, u64)>,
    /// Children that live, and children that are dead and not waited for.
    pub children: Option<(u64, u64)>,
    /// Mappings.
    pub mappings: Option<u64>,
    /// Memory by class.
    pub classes: Vec<(MemoryClass, model::Amounts)>,
    /// VmSize.
    pub virtual_size: Option<Bytes>,
    /// VmRSS.
    pub resident: Option<Bytes>,
    /// VmPTE.
    pub page_tables: Option<Bytes>,
    /// Sizes of private anonymous writable mappings, with how many there are of each; the most frequent 32.
    pub anonymous_sizes: Vec<(u64, u64)>,
    /// What a JVM shares.
    pub jvm: Option<JvmPoint>,
}

/// What a finding makes grow, per second, in the units of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Threads and processes.
    pub tasks: Option<Rate>,
    /// Mappings.
    pub mappings: Option<Rate>,
    /// Address space in bytes.
    pub reserved: Option<Rate>,
    /// Commit charge in bytes.
    pub committed: Option<Rate>,
    /// Memory in use, in bytes.
    pub touched: Option<Rate>,
    /// Descriptors.
    pub descriptors: Option<Rate>,
}

/// What the rules concluded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Findings, surest first.
    pub findings: Vec<Finding>,
    /// What could not be judged, and what would decide it.
    pub not_judged: Vec<String>,
    /// Seconds after which a second look would decide a thread group that one look cannot.
    pub look_again_in_s: Option<f64>,
}

impl Subject<'_> {
    /// Seconds since the process was started.
    #[must_use]
    pub fn age_s(&self) -> f64 {
        (self.now_boot_s - self.reading.stat.start.seconds(self.host.ticks_per_second)).max(0.0)
    }

    /// When it was started, in seconds since boot.
    #[must_use]
    pub fn start_boot_s(&self) -> f64 {
        self.reading.stat.start.seconds(self.host.ticks_per_second)
    }

    /// Was it looked at long enough for growth to be judged?
    #[must_use]
    pub fn watched_s(&self) -> f64 {
        match (self.history.first(), self.history.last()) {
            (Some(first), Some(last)) => (last.at_boot_s - first.at_boot_s).max(0.0),
            _ => 0.0,
        }
    }

    /// What a finding makes grow.
    pub(crate) fn rates(&self, finding: &Finding) -> Rates {
        let Some(per_s) = finding.rate_per_s else { return Rates::default() };
        let (low, high) = finding.rate_interval.unwrap_or((per_s, per_s));
        let rate = Rate { per_s, low, high };
        let each = |total: Option<u64>| {
            total.filter(|_| finding.count > 0).map(|bytes| times(rate, bytes as f64 / finding.count as f64))
        };
        match finding.kind {
            FindingKind::ThreadLeak => Rates {
                tasks: Some(rate),
                mappings: self.mappings_per_stack().map(|n| times(rate, n)),
                reserved: each(finding.reserved_bytes),
                committed: each(finding.committed_bytes),
                touched: each(finding.touched_bytes),
                descriptors: None,
            },
            FindingKind::DescriptorLeak => Rates { descriptors: Some(rate), ..Rates::default() },
            FindingKind::ChildProcessLeak => Rates { tasks: Some(rate), ..Rates::default() },
            FindingKind::ReservationLeak => Rates {
                mappings: self.mappings_rate(),
                reserved: Some(rate),
                committed: Some(rate),
                ..Rates::default()
            },
            _ => Rates {
                mappings: self.mappings_rate(),
                reserved: Some(rate),
                committed: Some(rate),
                touched: Some(rate),
                ..Rates::default()
            },
        }
    }

    /// How fast the number of mappings grows, when it does: each new block may be one or two.
    fn mappings_rate(&self) -> Option<Rate> {
        let figure = |p: &Point| p.mappings.map(|n| n as f64);
        let trend = growing(self, figure, Unit::Count, super::counts::MIN_STEP)?;
        Some(Rate { per_s: trend.rate, low: trend.interval.0, high: trend.interval.1 })
    }

    /// Mappings that each thread's stack takes: two with a guard mapping of its own, else one.
    fn mappings_per_stack(&self) -> Option<f64> {
        let memory = self.memory?;
        let stacks = memory.of(MemoryClass::ThreadStack).maps;
        let guards = memory.of(MemoryClass::Guard).maps;
        (stacks > 0).then(|| ((stacks + guards) as f64 / stacks as f64).clamp(1.0, 3.0))
    }
}

fn times(rate: Rate, factor: f64) -> Rate {
    Rate { per_s: rate.per_s * factor, low: rate.low * factor, high: rate.high * factor }
}

/// Eight hex digits that name the same leak after a restart: FNV-1a over identity, kind and subject.
#[must_use]
pub fn finding_id(identity: &str, kind: FindingKind, subject: &str) -> String {
    let mut hash: u32 = 0x811c_9dc5;
    for byte in [identity, "\0", kind.id(), "\0", subject].iter().flat_map(|part| part.bytes()) {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    format!("{hash:08x}")
}
