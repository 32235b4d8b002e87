//! A HotSpot JVM: what it shares openly (hsperfdata), and what it told when it was attached to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bytes, HeapHolder, HeapPath, HeldClass, Pid, Text};

/// /tmp/hsperfdata_USER/PID: counters that every JVM keeps in a file it maps, unless it was told not to. `None` is a
/// counter that this JVM doesn't have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JvmCounters {
    /// `java.property.java.vm.version`: `17.0.15+6-Debian-1deb12u1`.
    pub version: Text,
    /// `java.property.java.vm.name`: `OpenJDK 64-Bit Server VM`.
    pub vm_name: Text,
    /// `sun.rt.javaCommand`: main class or jar, and arguments.
    pub command: Text,
    /// `java.rt.vmArgs`, `java.rt.vmFlags`: options as given on the command line and in files.
    pub options: Text,
    /// `sun.rt.jvmCapabilities`: the first character is 1 when the JVM can be attached to.
    pub can_attach: Option<bool>,
    /// Seconds since it started, as it counts them itself.
    pub uptime_s: Option<f64>,
    /// Collectors, in their order.
    pub collectors: Vec<Collector>,
    /// Generations of the heap, young first. Their used bytes are as of the last collection, except the youngest's.
    pub generations: Vec<HeapGeneration>,
    /// Metaspace, class space included, as of the last collection or metaspace event.
    pub metaspace: Option<JvmSpace>,
    /// The compressed class space in it.
    pub class_space: Option<JvmSpace>,
    /// Threads.
    pub threads: Option<JvmThreads>,
    /// Classes loaded since the start.
    pub classes_loaded: Option<u64>,
    /// Classes unloaded since the start.
    pub classes_unloaded: Option<u64>,
    /// Safepoints since the start, and seconds spent in them.
    pub safepoints: Option<(u64, f64)>,
}

impl JvmCounters {
    /// In use in the whole heap, as of the last collection.
    #[must_use]
    pub fn heap_used(&self) -> Bytes {
        Bytes(self.generations.iter().map(|generation| generation.space.used.0).sum())
    }

    /// The most that the heap may become. Each generation of G1 may become all of it: then the sum would be twice that.
    #[must_use]
    pub fn heap_limit(&self) -> Option<Bytes> {
        let limits: Vec<u64> = self
            .generations
            .iter()
            .filter_map(|generation| generation.space.limit)
            .map(|limit| limit.0)
            .collect();
        let (sum, least) = (limits.iter().sum::<u64>(), limits.iter().copied().min()?);
        // Some bytes apart, as G1 pads them.
        let each_is_all = limits.len() > 1 && limits.iter().all(|limit| limit - least <= least / 100);
        let limit = if each_is_all { least } else { sum };
        Some(Bytes(limit - limit % 4096))
    }
}

/// One collector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Collector {
    /// `G1 young collection pauses`, `PSParallelCompact` …
    pub name: Text,
    /// Collections since the start.
    pub collections: u64,
    /// Seconds spent in them.
    pub seconds: f64,
}

/// A generation of the heap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeapGeneration {
    /// `new`, `old`, …
    pub name: Text,
    /// Its size, the spaces' use summed, and its limit.
    pub space: JvmSpace,
    /// Is it the one that long-lived objects end in? Its use after a collection is the live set.
    pub tenured: bool,
}

/// Bytes of something the JVM manages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JvmSpace {
    /// In use.
    pub used: Bytes,
    /// Committed.
    pub committed: Bytes,
    /// The most it may become; `None` for no limit.
    pub limit: Option<Bytes>,
}

/// Counts of Java threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JvmThreads {
    /// Alive.
    pub live: u64,
    /// Of them daemons.
    pub daemon: u64,
    /// The most there were.
    pub peak: u64,
    /// Started since the JVM began.
    pub started: u64,
}

/// What a JVM told when it was attached to. Everything that was not asked for is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JvmInside {
    /// Full thread names, states and stacks (`Thread.print`).
    pub threads: Vec<JavaThread>,
    /// `GC.class_histogram -all`, largest first.
    pub histogram: Vec<ClassCount>,
    /// Class loaders with their classes.
    pub loaders: Vec<ClassLoaderStats>,
    /// NIO buffers: direct, mapped.
    pub buffers: Vec<BufferPool>,
    /// Native memory tracking, when the JVM was started with it.
    pub nmt: Vec<NmtCategory>,
    /// Flags that are not at their default (`VM.flags`).
    pub flags: Vec<Text>,
    /// Threads that were started while the agent watched, one record for each stack.
    pub spawns: Vec<SpawnStack>,
    /// What the threads that already exist work for.
    pub owners: Vec<ThreadOwner>,
    /// Code of loaded application classes that makes threads, pools or timers.
    pub sites: Vec<CreationSite>,
    /// Who holds the objects of classes that were asked for, and direct buffers: a walk over the heap.
    pub held: Vec<HeldClass>,
    /// The jars and directories that frames, owners and sites name.
    pub jars: Vec<JarIdentity>,
    /// How long spawns were watched for, in seconds since boot: from, to.
    pub watched: Option<(f64, f64)>,
    /// Why something that was asked for is missing, in the order it was tried; shown under NOT JUDGED.
    pub missing: Vec<String>,
}

/// A jar, a directory of classes, or a jar in a jar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JarIdentity {
    /// As frames name it.
    pub path: Text,
    /// Maven's artifact, the manifest's title, or the file's name without version and ending.
    pub name: Text,
    /// Its version, if one can be told.
    pub version: Option<Text>,
    /// Maven's group.
    pub group: Option<Text>,
}

/// A method on a Java stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct JavaFrame {
    /// `org.example.Jobs$Timeout`: dots between packages.
    pub class: Text,
    /// `started`, `<init>`, `lambda$run$0`.
    pub method: Text,
    /// `Jobs.java`.
    pub file: Option<Text>,
    /// Line; `None` for native methods and code without line numbers.
    pub line: Option<u32>,
    /// The jar or directory that its class was loaded from, as a path in the target; `None` for the JDK's own.
    pub origin: Option<Text>,
    /// The JDK module or boot class path (`java.base`).
    pub of_jdk: bool,
}

/// A thread as the JVM knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JavaThread {
    /// Its whole name.
    pub name: Text,
    /// The JVM's number for it (`#31`).
    pub number: Option<u64>,
    /// Kernel id, in the target's own pid namespace.
    pub native_id: Option<Pid>,
    /// Keeps the JVM from ending?
    pub daemon: bool,
    /// `RUNNABLE`, `WAITING (parking)` …
    pub state: Text,
    /// Seconds since it was started.
    pub elapsed_s: Option<f64>,
    /// Innermost first.
    pub stack: Vec<JavaFrame>,
}

/// A line of the class histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClassCount {
    /// `java.lang.String`, `byte[]`.
    pub class: Text,
    /// Objects, unreachable ones included.
    pub instances: u64,
    /// Their shallow size.
    pub bytes: u64,
}

/// Class loaders of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClassLoaderStats {
    /// Class of the loader; `<boot class loader>` for the JVM's own.
    pub loader: Text,
    /// How many of this class there are.
    pub loaders: u64,
    /// Classes loaded by them.
    pub classes: u64,
    /// Metaspace that these hold, bytes.
    pub bytes: u64,
}

/// Buffers of one kind (java.nio.Bits, BufferPoolMXBean).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BufferPool {
    /// `direct`, `mapped`.
    pub kind: Text,
    /// How many.
    pub count: u64,
    /// Bytes they hold.
    pub bytes: u64,
    /// The most direct memory the JVM allows itself.
    pub limit: Option<u64>,
    /// Who says so: `agent`, `nmt` (with whatever else allocates by Unsafe), or `histogram`, which only counts them: then
    /// `bytes` is 0 and means nothing.
    pub source: Text,
}

/// A category of native memory tracking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NmtCategory {
    /// `Thread`, `Class`, `Code` …
    pub name: Text,
    /// Reserved bytes.
    pub reserved: Bytes,
    /// Committed bytes.
    pub committed: Bytes,
}

/// Threads that were started from one and the same stack while the agent watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpawnStack {
    /// `agent` or `jfr`.
    pub source: Text,
    /// Innermost first: the frame that called Thread.start0 is the first.
    pub frames: Vec<JavaFrame>,
    /// The stack was deeper than what was kept.
    pub cut: bool,
    /// The threads, oldest first; those beyond a bound are only counted.
    pub births: Vec<JavaBirth>,
    /// How many there were.
    pub count: u64,
    /// How many could not be started.
    pub failed: u64,
}

/// A thread that was started while somebody watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JavaBirth {
    /// Its whole name.
    pub name: Text,
    /// Thread.getId().
    pub java_id: u64,
    /// The thread that started it.
    pub starter: Text,
    /// When, in seconds since boot.
    pub at_boot_s: f64,
    /// Did the start fail?
    pub failed: bool,
}

/// What some of the threads that already exist work for: all that look alike in one record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadOwner {
    /// Whole names of a few of them.
    pub examples: Vec<Text>,
    /// How many look alike.
    pub count: u64,
    /// Thread.getId() of them, ascending; those beyond a bound are only counted.
    pub java_ids: Vec<u64>,
    /// Class of the thread object.
    pub thread_class: Text,
    /// What was found on the way from the thread over task, worker, pool, queue and factory, in that order.
    pub links: Vec<OwnerLink>,
    /// What the pool is, when there is one.
    pub pool: Option<PoolState>,
    /// Class of the context class loader.
    pub context_loader: Option<Text>,
    /// Code sources on the stack that made the thread, where the JDK keeps them (up to 21).
    pub inherited_sources: Vec<Text>,
    /// Schedules found on the way: cron expressions, periods.
    pub schedules: Vec<FoundSchedule>,
}

/// One object on the way from a thread to whoever it works for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnerLink {
    /// `task`, `worker`, `pool`, `queue`, `factory`, `timer`, `captured`.
    pub role: Text,
    /// The fields that lead there: `holder.task.callable`.
    pub path: Text,
    /// Its class; that of a lambda is the class that it was written in, and `$$Lambda`.
    pub class: Text,
    /// Jar or directory of the class.
    pub origin: Option<Text>,
    /// Not of the JDK?
    pub application: bool,
}

/// A pool that threads belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolState {
    /// `java.util.concurrent.ScheduledThreadPoolExecutor`.
    pub class: Text,
    /// How many different pools these threads belong to.
    pub pools: u64,
    /// Core size, the same in all of them.
    pub core: Option<u64>,
    /// Most threads, the same in all of them.
    pub maximum: Option<u64>,
    /// Tasks waiting, summed.
    pub queued: u64,
    /// Of the pools, how many were shut down.
    pub shut_down: u64,
    /// Of the pools, how many nothing holds but threads of pools, their own workers: `None`: not looked for, as that stops
    /// the JVM.
    pub unheld: Option<u64>,
    /// Who else holds the others, the pools that are held so counted.
    pub holders: Vec<HeapHolder>,
    /// A way from a root to one of those.
    pub path: Option<HeapPath>,
}

/// A schedule that an object in the JVM holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundSchedule {
    /// `quartz`, `scheduled-pool`, `timer`, `spring`.
    pub kind: Text,
    /// The job's or task's name: `hourly_report`, or its class.
    pub what: Text,
    /// Cron expression.
    pub expression: Option<Text>,
    /// Period, in seconds.
    pub period_s: Option<f64>,
}

/// Code that makes threads, pools or timers: a suspect, not a culprit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreationSite {
    /// Where.
    pub at: JavaFrame,
    /// What it calls: `java.util.concurrent.Executors.newSingleThreadScheduledExecutor`.
    pub makes: Text,
}
