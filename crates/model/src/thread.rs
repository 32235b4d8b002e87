//! Threads: as they were read, and as groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bytes, CadenceReport, Pid, Text, Ticks};

/// One thread, as /proc/PID/task/TID told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thread {
    /// Its id.
    pub tid: Pid,
    /// `comm`: at most 15 bytes.
    pub name: Text,
    /// R, S, D …
    pub state: char,
    /// Birth.
    pub start: Ticks,
    /// User CPU time.
    pub utime: Ticks,
    /// System CPU time.
    pub stime: Ticks,
    /// An address inside its stack's mapping, and who said so; `None` when nobody could.
    pub stack: Option<StackHint>,
}

/// An address that lies in a thread's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackHint {
    /// From get_robust_list(2): glibc keeps that list in `struct pthread`, at the top of the stack.
    RobustList(u64),
    /// The stack pointer of a thread that waits in a system call (/proc/PID/task/TID/syscall).
    StackPointer(u64),
}

impl StackHint {
    /// The address itself.
    #[must_use]
    pub fn address(self) -> u64 {
        match self {
            Self::RobustList(address) | Self::StackPointer(address) => address,
        }
    }
}

/// The stack of one thread, found among the mappings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadStack {
    /// Whose stack; 0 where its shape told it and nobody was asked.
    pub tid: Pid,
    /// First address of the usable part (above the guard).
    pub start: u64,
    /// One past its last address.
    pub end: u64,
    /// Bytes charged to the commit limit.
    pub committed: Bytes,
    /// Bytes really in use (present or swapped, not the zero page).
    pub touched: Option<Bytes>,
    /// Size of the guard below, inside or outside the mapping.
    pub guard: Bytes,
}

impl ThreadStack {
    /// Usable bytes reserved.
    #[must_use]
    pub fn reserved(&self) -> Bytes {
        Bytes(self.end.saturating_sub(self.start))
    }
}

/// What a set of equal-looking threads turned out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolShape {
    /// Many pools of one thread each: the pool number varies, the worker number is the same.
    OneThreadPools,
    /// One pool: the worker number varies.
    OnePool,
    /// Several pools of several threads: both vary.
    SeveralPools,
    /// Names tell nothing about pools.
    #[default]
    Unknown,
}

/// Threads that belong together: same name pattern, or, without telling names, same stack size and cadence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThreadGroup {
    /// `pool-*-thread-1`.
    pub pattern: Text,
    /// Set when part of the pattern is not in any name: how it was inferred.
    pub inferred: Option<Text>,
    /// What kind of pool the names speak of.
    pub shape: PoolShape,
    /// Thread ids, oldest first.
    pub members: Vec<Pid>,
    /// Births in seconds since boot, oldest first, as long as `members`.
    pub births: Vec<f64>,
    /// How many members are in each state, most first.
    pub states: Vec<(char, u64)>,
    /// The varying number of the names, where there is exactly one: lowest, highest, how many distinct.
    pub numbers: Option<NumberSpan>,
    /// Stacks of the members that were found.
    pub stacks: GroupStacks,
    /// What the births say.
    pub cadence: CadenceReport,
    /// Set when the members could not be told apart by name and were split by this.
    pub split_by: Option<Text>,
}

impl ThreadGroup {
    /// How many threads.
    #[must_use]
    pub fn count(&self) -> usize {
        self.members.len()
    }
}

/// The numbers found in a group's names. A number that the end of a cut-off name may have shortened does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberSpan {
    /// Lowest.
    pub low: u64,
    /// Highest.
    pub high: u64,
    /// How many different ones.
    pub distinct: u64,
    /// Do the numbers grow with the births?
    pub in_birth_order: bool,
}

/// Stacks of a group, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupStacks {
    /// How many members' stacks were found.
    pub found: u64,
    /// Usable bytes reserved by them.
    pub reserved: Bytes,
    /// Charged to the commit limit.
    pub committed: Bytes,
    /// In use; `None` when not read.
    pub touched: Option<Bytes>,
    /// The size most of them have, each.
    pub each: Bytes,
    /// How many have exactly that size.
    pub each_count: u64,
}
