//! What the agent writes and flatfoot reads: one description for both, included by path on either side.
//!
//! The ring is a file that flatfoot makes, with all its blocks allocated, and that the agent maps:
//!
//! ```text
//! 0      header, words of 8 bytes, native byte order
//! 4096   a table of SLOTS pairs (starts, failed starts), one pair for each distinct stack
//! 20480  records, appended only: u32 length of all (a multiple of 8) · u32 kind · payload
//! ```
//!
//! A record's kind is stored last: 0 is a record that is still being written. A report (owners, sites) is a file of
//! the same records after an 8 byte [`REPORT`], and ends with an [`END`] record.
//!
//! Strings are u16 length and bytes; numbers have the machine's byte order, as both sides run on it.

/// First word of a ring.
pub const MAGIC: u64 = u64::from_le_bytes(*b"FFRING01");
/// First word of a report.
pub const REPORT: u64 = u64::from_le_bytes(*b"FFREPT01");

/// Bytes before the table.
pub const HEADER: usize = 4096;
/// Distinct stacks that are told apart; more are only counted.
pub const SLOTS: usize = 1024;
/// Bytes before the records.
pub const RECORDS: usize = HEADER + SLOTS * 16;
/// The slot of starts whose stack found no place.
pub const NO_SLOT: u32 = u32::MAX;
/// Births of one stack that are recorded; more are only counted, so that a busy stack leaves room for a rare one.
pub const BIRTHS: u64 = 1024;

/// Offset of the magic word; written by flatfoot.
pub const H_MAGIC: usize = 0;
/// Until when the agent may record, on the agent's clock in ns; written by the agent at first (option `lease=` in ms),
/// then by flatfoot again and again.
pub const H_LEASE: usize = 16;
/// The agent's clock, ns, when it took the ring over.
pub const H_CLOCK: usize = 24;
/// Bytes of records appended, those that found no place included.
pub const H_USED: usize = 32;
/// Thread starts seen.
pub const H_STARTS: usize = 40;
/// Of them failed.
pub const H_FAILED: usize = 48;
/// Records that found no place.
pub const H_DROPPED: usize = 56;
/// Nanoseconds spent in the hook, summed over all starts; without the start itself.
pub const H_NS: usize = 64;
/// One of `ON`, `STOPPED`, `EXPIRED`.
pub const H_STATE: usize = 72;
/// Starts from deep stacks of which only the innermost frames were read: they are those of a stack that was seen often,
/// and the rest of it was taken to be the same.
pub const H_ASSUMED: usize = 80;

/// `H_STATE`: recording.
pub const ON: u64 = 1;
/// `H_STATE`: ended by command.
pub const STOPPED: u64 = 2;
/// `H_STATE`: ended because nobody renewed the lease.
pub const EXPIRED: u64 = 3;

/// Record: u64 method · u32 flags (`BOOT`, `PLATFORM`) · class signature · method · source file · code source.
pub const METHOD: u32 = 1;
/// Record: u32 slot · u32 flags (`CUT`) · u32 number of frames · frames, innermost first: u64 method, i32 line, u32 0
/// (little-endian).
pub const STACK: u32 = 2;
/// Record: u32 slot · u32 flags (`FAILED`) · u64 ns on the agent's clock · u64 Java id · name · starter's name.
pub const BIRTH: u32 = 3;
/// Record: u32 slot · u32 index, 0 innermost · u32 line · method · file. A frame of interpreted Ruby.
pub const RUBY: u32 = 4;

/// Record: u32 class · u32 flags (`BOOT`, `PLATFORM`) · class signature · code source.
pub const CLASS: u32 = 16;
/// Record of threads that look alike: u32 class of the thread, of its context class loader, of its pool (or `UNKNOWN`) ·
/// u32 core size, u32 most threads (or `UNKNOWN`) · u32 threads, u32 pools, u32 pools that are shut down · u64 tasks
/// queued · u32 n and n links (u32 role, u32 class, path) · u32 n and n code sources · u32 n and n schedules (u32 kind,
/// u64 period in ns, what, expression) · u32 n and n names · u32 n and n Java ids (u64) · u32 pools that nothing but
/// workers holds (or `UNKNOWN`: not looked for) · u32 n and n holders (as [`HOLDER`]'s) · u32 n and n steps of a path.
pub const OWNER: u32 = 17;
/// Record: u32 class · i32 line · method · source file · class and method that it calls (`java/util/Timer`, `<init>`).
pub const SITE: u32 = 18;
/// Record: u32 flags (`CUT`) · u32 things looked at · u64 ns it took. The last one.
pub const END: u32 = 19;
/// Record of a walk over the heap: u32 flags (`CUT`: it was ended before its time) · u32 0 · u64 ns that the target stood
/// still · u64 references.
pub const WALK: u32 = 20;
/// Record: u32 class of what is held · a holder: u32 kind of step, u32 class that refers to it (or `UNKNOWN`), field ·
/// u64 references · u64 bytes outside the heap.
pub const HOLDER: u32 = 21;
/// Record: u32 class of what is held · u64 how many it may hold (0: not known) · u32 n and n steps from a root: u32 kind
/// of step, u32 class (or `UNKNOWN`), field, method or thread.
pub const PATH: u32 = 22;
/// Record of direct buffers, as java.nio.Bits counts them: u64 buffers · u64 bytes asked for · u64 bytes with what
/// alignment adds · u64 most.
pub const BUFFERS: u32 = 23;

/// Class of the boot loader.
pub const BOOT: u32 = 1;
/// Class of the JDK's platform or extension loader.
pub const PLATFORM: u32 = 2;
/// There was more.
pub const CUT: u32 = 1;
/// The thread could not be started.
pub const FAILED: u32 = 1;

/// A number that is not known.
pub const UNKNOWN: u32 = u32::MAX;

/// Roles of links, as numbers: index into this list.
pub const ROLES: [&str; 7] = ["task", "worker", "pool", "queue", "factory", "timer", "captured"];
/// Kinds of schedules, as numbers: index into this list.
pub const SCHEDULES: [&str; 4] = ["quartz", "scheduled-pool", "timer", "spring"];

/// Kinds of steps from object to object, as numbers: index into this list.
pub const STEPS: [&str; 7] = ["static", "field", "element", "thread", "local", "native", "jvm"];

/// Return codes of the agent; what is not listed is the JVM's own.
pub const OK: i32 = 0;
/// The JVM gave no JNI environment.
pub const NO_JNI: i32 = 101;
/// The JVM gave no JVMTI environment.
pub const NO_JVMTI: i32 = 102;
/// An option is missing or was not understood.
pub const BAD_OPTIONS: i32 = 103;
/// Another command, or the end of a lease, was still at work.
pub const AT_WORK: i32 = 104;
/// The JVM has no java.lang.Thread as this agent knows it.
pub const NO_THREAD_CLASS: i32 = 105;
/// The bridge class could not be defined or bound.
pub const NO_BRIDGE: i32 = 106;
/// Thread.start0 could not be bound.
pub const NO_BINDING: i32 = 107;
/// The ring is not one, or too small.
pub const BAD_RING: i32 = 108;
/// Threads were still in the hook: the ring stays mapped until the next command.
pub const STILL_USED: i32 = 109;
/// Memory for the command could not be had.
pub const NO_MEMORY: i32 = 110;
/// The JVM does not walk its heap for an agent.
pub const NO_WALK: i32 = 112;
/// Not built for this processor.
pub const NOT_HERE: i32 = 111;
/// Opening the ring or the report failed: this and the errno.
pub const OPEN_FAILED: i32 = 1000;
/// Mapping the ring failed: this and the errno.
pub const MAP_FAILED: i32 = 2000;
/// Writing the report failed: this and the errno.
pub const WRITE_FAILED: i32 = 3000;
