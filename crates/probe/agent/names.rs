//! Names of classes that the agent looks for, as JVM signatures, and what they tell.

pub const THREAD: &[u8] = b"Ljava/lang/Thread;";

/// `Lleakcase/Job$$Lambda$14.0x0000;` → `Lleakcase/Job$$Lambda`: alike for all lambdas of a class and all runs.
pub fn without_lambda(signature: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"$$Lambda";
    let at = signature.windows(MARK.len()).position(|part| part == MARK);
    at.and_then(|at| signature.get(..at + MARK.len())).unwrap_or(signature)
}

/// FNV-1a, for telling things apart that are not chosen to collide; what collides is shown as one.
pub fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Mixes a number into a hash.
pub fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value.wrapping_mul(0x9e37_79b9_7f4a_7c15)).rotate_left(23).wrapping_mul(0x0100_0000_01b3)
}

pub const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// A class of the JDK, by its package; arrays count as such.
pub fn is_jdk(signature: &[u8]) -> bool {
    const PACKAGES: [&[u8]; 5] = [b"Ljava/", b"Ljdk/", b"Lsun/", b"Ljavax/", b"Lcom/sun/"];
    !signature.starts_with(b"L") || PACKAGES.iter().any(|package| signature.starts_with(package))
}

/// What an object is to the walk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing special.
    Plain,
    /// Leads to half of the heap, or nowhere.
    Closed,
    Thread,
    Worker,
    Pool,
    ForkJoinPool,
    Timer,
    TimerTask,
    ScheduledTask,
    Quartz,
    SpringCron,
}

/// What a class makes of its instances and those of its subclasses.
pub fn kind(signature: &[u8]) -> Kind {
    match signature {
        THREAD => Kind::Thread,
        b"Ljava/util/concurrent/ThreadPoolExecutor$Worker;" => Kind::Worker,
        b"Ljava/util/concurrent/ThreadPoolExecutor;" => Kind::Pool,
        b"Ljava/util/concurrent/ForkJoinPool;" => Kind::ForkJoinPool,
        b"Ljava/util/TimerThread;" => Kind::Timer,
        b"Ljava/util/TimerTask;" => Kind::TimerTask,
        b"Ljava/util/concurrent/ScheduledThreadPoolExecutor$ScheduledFutureTask;" => Kind::ScheduledTask,
        b"Lorg/quartz/core/QuartzSchedulerResources;" => Kind::Quartz,
        b"Lorg/springframework/scheduling/support/CronTrigger;" => Kind::SpringCron,
        b"Ljava/lang/String;"
        | b"Ljava/lang/Class;"
        | b"Ljava/lang/ClassLoader;"
        | b"Ljava/lang/Module;"
        | b"Ljava/lang/ThreadGroup;"
        | b"Ljava/lang/ref/Reference;" => Kind::Closed,
        _ => Kind::Plain,
    }
}

/// Is it worthwhile to look into a plain object of the JDK? Into what wraps tasks, and not into collections.
pub fn wraps_tasks(signature: &[u8]) -> bool {
    const WRAPPERS: [&[u8]; 7] = [
        b"Ljava/lang/Thread$FieldHolder;",
        b"Ljava/util/concurrent/Executors$",
        b"Ljava/util/concurrent/FutureTask",
        b"Ljava/util/concurrent/CompletableFuture",
        b"Ljava/util/concurrent/ExecutorCompletionService",
        b"Ljava/util/concurrent/ForkJoinTask",
        b"Ljava/util/concurrent/ThreadPerTaskExecutor",
    ];
    WRAPPERS.iter().any(|wrapper| signature.starts_with(wrapper))
}
