//! Address spaces: mappings as the kernel listed them, and the classes they fall into.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bytes, Reading, Text, ThreadStack};

/// One line of /proc/PID/maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /// `rwxp`, as bits.
    pub perms: Perms,
    /// Offset into the file.
    pub offset: u64,
    /// Device of the file, `major << 32 | minor`.
    pub device: u64,
    /// Inode of the file; 0 for anonymous memory.
    pub inode: u64,
    /// Index into [`AddressSpace::names`]; 0 is always the empty name.
    pub name: u32,
}

impl Mapping {
    /// Its size.
    #[must_use]
    pub fn size(&self) -> Bytes {
        Bytes(self.end.saturating_sub(self.start))
    }
}

/// Permissions of a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Perms(pub u8);

impl Perms {
    /// May be read.
    pub const READ: u8 = 1;
    /// May be written.
    pub const WRITE: u8 = 2;
    /// May be executed.
    pub const EXEC: u8 = 4;
    /// Shared with whoever else maps it, rather than copied on write.
    pub const SHARED: u8 = 8;

    /// May it be read?
    #[must_use]
    pub const fn read(self) -> bool {
        self.0 & Self::READ != 0
    }
    /// May it be written?
    #[must_use]
    pub const fn write(self) -> bool {
        self.0 & Self::WRITE != 0
    }
    /// May it be executed?
    #[must_use]
    pub const fn exec(self) -> bool {
        self.0 & Self::EXEC != 0
    }
    /// Is it shared?
    #[must_use]
    pub const fn shared(self) -> bool {
        self.0 & Self::SHARED != 0
    }
    /// Neither readable, writable nor executable.
    #[must_use]
    pub const fn none(self) -> bool {
        self.0 & (Self::READ | Self::WRITE | Self::EXEC) == 0
    }
    /// As in /proc/PID/maps: `rw-p`.
    #[must_use]
    pub fn letters(self) -> String {
        let pick = |set: bool, letter| if set { letter } else { '-' };
        [
            pick(self.read(), 'r'),
            pick(self.write(), 'w'),
            pick(self.exec(), 'x'),
            if self.shared() { 's' } else { 'p' },
        ]
        .iter()
        .collect()
    }
}

/// The mappings of a process. The vectors beside `mappings` are as long as it, entry by entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddressSpace {
    /// In address order, not overlapping.
    pub mappings: Vec<Mapping>,
    /// Names of mappings, each once; `names[0]` is empty.
    pub names: Vec<Text>,
    /// Bytes touched in each mapping, from PAGEMAP_SCAN (or from smaps, see `touched_from`).
    pub touched: Reading<Vec<u64>>,
    /// Where `touched` comes from.
    pub touched_from: TouchedFrom,
    /// Ranges inside mappings that were made guards by MADV_GUARD_INSTALL (glibc ≥ 2.42), in address order.
    pub guards: Vec<(u64, u64)>,
    /// What the stretches of a mapping hold that contains several stacks: cut at guards and at the tops of stacks, in
    /// address order. Only for such mappings, and only when pages were counted one by one.
    pub stretches: Vec<Stretch>,
    /// Names (indices, ascending) that end in ` (deleted)` and are files of exactly that name: the kernel writes a
    /// removed file `x` the same way.
    pub named_deleted: Vec<u32>,
    /// What smaps says of each mapping.
    pub details: Reading<Vec<MappingDetail>>,
}

/// A part of a mapping with what is in use of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// First address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /// Bytes touched in it.
    pub touched: u64,
}

impl AddressSpace {
    /// The name of a mapping: a path, `[heap]`, or empty.
    #[must_use]
    pub fn name(&self, mapping: &Mapping) -> &str {
        self.names.get(mapping.name as usize).map_or("", Text::as_str)
    }

    /// The index of the mapping that holds an address.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<usize> {
        let after = self.mappings.partition_point(|m| m.start <= address);
        let index = after.checked_sub(1)?;
        (address < self.mappings[index].end).then_some(index)
    }
}

/// How touched bytes were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TouchedFrom {
    /// Not counted.
    #[default]
    Nothing,
    /// Page by page, the zero page left out (PAGEMAP_SCAN, Linux ≥ 6.7).
    PagemapScan,
    /// smaps: Rss + Swap + huge pages of hugetlbfs. The kernel leaves the zero page out of Rss, as PAGEMAP_SCAN's count
    /// does; unlike it, Swap includes pages of shared memory that were swapped out and are in no page table.
    Smaps,
}

/// What /proc/PID/smaps says of one mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingDetail {
    /// Resident.
    pub rss: Bytes,
    /// Resident, shared pages divided by their number of users.
    pub pss: Bytes,
    /// Private and dirty.
    pub private_dirty: Bytes,
    /// Private and clean.
    pub private_clean: Bytes,
    /// Shared and dirty.
    pub shared_dirty: Bytes,
    /// Shared and clean.
    pub shared_clean: Bytes,
    /// Not backed by a file.
    pub anonymous: Bytes,
    /// In transparent huge pages.
    pub huge: Bytes,
    /// Swapped out.
    pub swap: Bytes,
    /// VmFlags.
    pub flags: VmFlags,
}

/// The VmFlags that flatfoot uses, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VmFlags(pub u16);

impl VmFlags {
    /// `ac`: charged to the commit limit.
    pub const ACCOUNTED: u16 = 1;
    /// `nr`: MAP_NORESERVE.
    pub const NO_RESERVE: u16 = 2;
    /// `nh`: no huge pages (what MAP_STACK means).
    pub const NO_HUGE: u16 = 4;
    /// `gd`: grows down.
    pub const GROWS_DOWN: u16 = 8;
    /// `ht`: hugetlb.
    pub const HUGETLB: u16 = 16;
    /// `gu`: holds MADV_GUARD_INSTALL guards.
    pub const GUARDED: u16 = 32;
    /// `lo`: locked.
    pub const LOCKED: u16 = 64;
    /// `io`: device memory.
    pub const IO: u16 = 128;

    /// Is a flag set?
    #[must_use]
    pub const fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

/// /proc/PID/smaps_rollup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rollup {
    /// Resident.
    pub rss: Bytes,
    /// Proportional.
    pub pss: Bytes,
    /// Private and dirty.
    pub private_dirty: Bytes,
    /// Anonymous.
    pub anonymous: Bytes,
    /// Swapped out.
    pub swap: Bytes,
}

/// What memory is for. Classes do not overlap; together with `Unexplained` they sum to the process's total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemoryClass {
    /// Stacks of threads, the main thread's included.
    ThreadStack,
    /// The JVM's object heap.
    JavaHeap,
    /// Class metadata, and the compressed class space.
    Metaspace,
    /// Compiled code, interpreter and stubs.
    CodeCache,
    /// The class data sharing archive.
    CdsArchive,
    /// The brk heap.
    MainHeap,
    /// malloc's further arenas (glibc's 64 MiB heaps).
    MallocArena,
    /// Direct buffers, large malloc blocks and anonymous memory of other use.
    Anonymous,
    /// Files mapped privately: programs, libraries, their data.
    FilePrivate,
    /// Files mapped shared.
    FileShared,
    /// Files that were removed and are still mapped.
    FileDeleted,
    /// System V and POSIX shared memory, shared anonymous memory.
    SharedMemory,
    /// memfd_create files.
    Memfd,
    /// Devices.
    Device,
    /// The kernel's own pages in the process: vdso, vvar, vsyscall.
    Vdso,
    /// Guard pages next to stacks.
    Guard,
    /// Address space set aside and not accessible (PROT_NONE) that is not a guard and not part of another class.
    Reserved,
    /// What the kernel counts and no mapping explains.
    Unexplained,
}

impl MemoryClass {
    /// Every class, in the order of tables.
    pub const ALL: [Self; 18] = [
        Self::ThreadStack,
        Self::JavaHeap,
        Self::Metaspace,
        Self::CodeCache,
        Self::CdsArchive,
        Self::MainHeap,
        Self::MallocArena,
        Self::Anonymous,
        Self::FilePrivate,
        Self::FileShared,
        Self::FileDeleted,
        Self::SharedMemory,
        Self::Memfd,
        Self::Device,
        Self::Vdso,
        Self::Guard,
        Self::Reserved,
        Self::Unexplained,
    ];

    /// As in tables and JSON: `thread stack`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ThreadStack => "thread stack",
            Self::JavaHeap => "java heap",
            Self::Metaspace => "metaspace",
            Self::CodeCache => "code cache",
            Self::CdsArchive => "cds archive",
            Self::MainHeap => "main heap",
            Self::MallocArena => "malloc arena",
            Self::Anonymous => "direct, other anon",
            Self::FilePrivate => "file",
            Self::FileShared => "file, shared",
            Self::FileDeleted => "file, deleted",
            Self::SharedMemory => "shared memory",
            Self::Memfd => "memfd",
            Self::Device => "device",
            Self::Vdso => "vdso",
            Self::Guard => "guard",
            Self::Reserved => "reserved only",
            Self::Unexplained => "unexplained",
        }
    }
}

/// Memory of one class, or of a whole process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// How many mappings (parts of split mappings count once each).
    pub maps: u64,
    /// Address space.
    pub reserved: Bytes,
    /// Charged to the commit limit.
    pub committed: Bytes,
    /// In use: present or swapped, the zero page left out. `None` when not read.
    pub touched: Option<Bytes>,
    /// Proportional set size. `None` when not read.
    pub pss: Option<Bytes>,
    /// Private dirty. `None` when not read.
    pub dirty: Option<Bytes>,
    /// Swapped out. `None` when not read.
    pub swap: Option<Bytes>,
}

impl Amounts {
    /// Adds another's amounts; an unknown part stays unknown only when both are.
    pub fn add(&mut self, other: &Self) {
        fn plus(a: Option<Bytes>, b: Option<Bytes>) -> Option<Bytes> {
            match (a, b) {
                (None, None) => None,
                (a, b) => Some(a.unwrap_or_default() + b.unwrap_or_default()),
            }
        }
        self.maps += other.maps;
        self.reserved += other.reserved;
        self.committed += other.committed;
        self.touched = plus(self.touched, other.touched);
        self.pss = plus(self.pss, other.pss);
        self.dirty = plus(self.dirty, other.dirty);
        self.swap = plus(self.swap, other.swap);
    }
}

/// A process's memory by class, derived from its mappings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryMap {
    /// Each class that occurs, in the order of [`MemoryClass::ALL`].
    pub classes: Vec<(MemoryClass, Amounts)>,
    /// Their sum: the process's totals.
    pub total: Amounts,
    /// Is `committed` exact (from VmFlags), or derived from permissions?
    pub committed_exact: bool,
    /// The class of each mapping, as long as the address space's `mappings`. A mapping that holds several
    /// (a merged run of stacks with guards inside) has its first class here; `classes` has the split amounts.
    pub class_of: Vec<MemoryClass>,
    /// Thread stacks that were found, in tid order.
    pub stacks: Vec<ThreadStack>,
    /// How many threads' stacks were not found, and why, in one sentence.
    pub stacks_missing: Option<(u64, Text)>,
    /// Which C library keeps its threads here: decides how stacks and arenas are found.
    pub libc: Libc,
}

impl MemoryMap {
    /// The amounts of a class; zero when it does not occur.
    #[must_use]
    pub fn of(&self, class: MemoryClass) -> Amounts {
        self.classes.iter().find(|(c, _)| *c == class).map(|(_, a)| *a).unwrap_or_default()
    }
}

/// The C library of a process, as far as its mappings tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Libc {
    /// glibc.
    Glibc,
    /// musl.
    Musl,
    /// Statically linked, or another.
    #[default]
    Unknown,
}
