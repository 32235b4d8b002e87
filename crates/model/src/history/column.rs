//! The figures that are recorded, with their codes on disk and their names in JSON.

use serde::{Deserialize, Serialize};

use crate::MemoryClass;

/// A figure of a process, or of the host, that is recorded over time.
///
/// On disk a column is its [`code`](Column::code); codes are never reused for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// User and system CPU time, in ticks since its start (stat 14 + 15).
    Cpu,
    /// Threads (stat 20).
    Threads,
    /// Address space, in bytes (stat 23).
    Virtual,
    /// Resident memory, in bytes (stat 24).
    Resident,
    /// Minor faults since its start (stat 10).
    MinorFaults,
    /// Major faults since its start (stat 12).
    MajorFaults,
    /// Data and stack, in bytes (statm 6): near to what it has committed.
    Data,
    /// Open descriptors.
    Descriptors,
    /// Living children.
    Children,
    /// Bytes read from storage since its start (io `read_bytes`).
    ReadBytes,
    /// Bytes written to storage since its start (io `write_bytes`).
    WrittenBytes,
    /// Threads seen to be born since recording began.
    ThreadsBorn,
    /// Threads seen to end since recording began.
    ThreadsEnded,
    /// Mappings.
    Mappings,
    /// Page tables, in bytes (status VmPTE).
    PageTables,
    /// Anonymous resident bytes (smaps_rollup or status RssAnon).
    Anonymous,
    /// Swapped bytes (status VmSwap).
    Swapped,
    /// Proportional set size, in bytes (smaps_rollup).
    Pss,
    /// A JVM's old generation as it stood after its last collection, in bytes.
    HeapLive,
    /// A JVM's heap in use at its last collection, in bytes.
    HeapUsed,
    /// A JVM's heap limit, in bytes.
    HeapLimit,
    /// A JVM's metaspace in use, in bytes.
    Metaspace,
    /// A JVM's loaded classes.
    Classes,
    /// A JVM's collections since its start.
    Collections,
    /// A JVM's collections of the old generation since its start.
    MajorCollections,
    /// Threads a JVM has started since its own start.
    ThreadsStarted,
    /// Zombie children.
    Zombies,
    /// Of the host: Committed_AS, in bytes.
    HostCommitted,
    /// Of the host: CommitLimit, in bytes.
    HostCommitLimit,
    /// Of the host: MemTotal, in bytes.
    HostTotal,
    /// Of the host: MemAvailable, in bytes.
    HostAvailable,
    /// Of the host: MemFree, in bytes.
    HostFree,
    /// Of the host: Cached, in bytes.
    HostCached,
    /// Of the host: Slab, in bytes.
    HostSlab,
    /// Of the host: SwapTotal, in bytes.
    HostSwapTotal,
    /// Of the host: SwapFree, in bytes.
    HostSwapFree,
    /// Of the host: PageTables, in bytes.
    HostPageTables,
    /// Of the host: KernelStack, in bytes.
    HostKernelStack,
    /// Of the host: tasks.
    HostTasks,
    /// Of the host: processes.
    HostProcesses,
    /// Of the host: microseconds that some task waited for memory (PSI, `some total`).
    HostMemoryStall,
    /// Of the host: the recorder's own CPU time, in microseconds since it began.
    OwnCpu,
    /// Of the host: the recorder's own resident bytes.
    OwnResident,
    /// Of what is resident, what others may share: files' pages and shared memory, in bytes (statm 3).
    Shared,
    /// Of a process: an amount of one class of its memory.
    Class(MemoryClass, Measure),
}

/// Which amount of a class of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Its mappings, counted.
    Mappings,
    /// Bytes of address space.
    Reserved,
    /// Bytes charged to the commit limit.
    Committed,
    /// Bytes in use.
    Touched,
}

/// From one list: the plain columns with their codes and names, and the code of each without a search, as a recorder
/// asks for it with every figure.
macro_rules! plain {
    ($($code:literal $column:ident $name:literal,)*) => {
        /// Plain columns with their names; the place in this list is the code on disk.
        const PLAIN: &[(Column, &str)] = &[$((Column::$column, $name),)*];

        impl Column {
            const fn plain_code(self) -> Option<u8> {
                match self {
                    $(Self::$column => Some($code),)*
                    Self::Class(..) => None,
                }
            }
        }
    };
}

// The code of a column never changes, so this list only ever grows at its end.
plain! {
    0 Cpu "cpu_ticks",
    1 Threads "threads",
    2 Virtual "virtual_bytes",
    3 Resident "resident_bytes",
    4 MinorFaults "minor_faults",
    5 MajorFaults "major_faults",
    6 Data "data_bytes",
    7 Descriptors "descriptors",
    8 Children "children",
    9 ReadBytes "read_bytes",
    10 WrittenBytes "written_bytes",
    11 ThreadsBorn "threads_born",
    12 ThreadsEnded "threads_ended",
    13 Mappings "mappings",
    14 PageTables "page_table_bytes",
    15 Anonymous "anonymous_bytes",
    16 Swapped "swapped_bytes",
    17 Pss "pss_bytes",
    18 HeapLive "heap_live_bytes",
    19 HeapUsed "heap_used_bytes",
    20 HeapLimit "heap_limit_bytes",
    21 Metaspace "metaspace_bytes",
    22 Classes "classes",
    23 Collections "collections",
    24 MajorCollections "major_collections",
    25 ThreadsStarted "threads_started",
    26 Zombies "zombies",
    27 HostCommitted "host_committed_bytes",
    28 HostCommitLimit "host_commit_limit_bytes",
    29 HostTotal "host_total_bytes",
    30 HostAvailable "host_available_bytes",
    31 HostFree "host_free_bytes",
    32 HostCached "host_cached_bytes",
    33 HostSlab "host_slab_bytes",
    34 HostSwapTotal "host_swap_total_bytes",
    35 HostSwapFree "host_swap_free_bytes",
    36 HostPageTables "host_page_table_bytes",
    37 HostKernelStack "host_kernel_stack_bytes",
    38 HostTasks "host_tasks",
    39 HostProcesses "host_processes",
    40 HostMemoryStall "host_memory_stall_us",
    41 OwnCpu "own_cpu_us",
    42 OwnResident "own_resident_bytes",
    43 Shared "shared_bytes",
}

/// As [`plain`], for the classes of memory.
macro_rules! classes {
    ($($place:literal $class:ident,)*) => {
        /// Classes of memory by their place on disk.
        const CLASSES: &[MemoryClass] = &[$(MemoryClass::$class,)*];

        const fn place_of(class: MemoryClass) -> u8 {
            match class {
                $(MemoryClass::$class => $place,)*
            }
        }
    };
}

// Grows at its end, up to 32.
classes! {
    0 ThreadStack,
    1 JavaHeap,
    2 Metaspace,
    3 CodeCache,
    4 CdsArchive,
    5 MainHeap,
    6 MallocArena,
    7 Anonymous,
    8 FilePrivate,
    9 FileShared,
    10 FileDeleted,
    11 SharedMemory,
    12 Memfd,
    13 Device,
    14 Vdso,
    15 Guard,
    16 Reserved,
    17 Unexplained,
}

/// Names of the measures, in the order of their declaration, which is that of their codes.
const MEASURES: [(Measure, &str); 4] = [
    (Measure::Mappings, "mappings"),
    (Measure::Reserved, "reserved_bytes"),
    (Measure::Committed, "committed_bytes"),
    (Measure::Touched, "touched_bytes"),
];

/// Codes of classes begin here; four measures each.
const FIRST_CLASS: u8 = 128;

impl Column {
    /// Its code on disk.
    #[must_use]
    pub const fn code(self) -> u8 {
        match (self, self.plain_code()) {
            (_, Some(code)) => code,
            (Self::Class(class, measure), None) => {
                let measure = match measure {
                    Measure::Mappings => 0,
                    Measure::Reserved => 1,
                    Measure::Committed => 2,
                    Measure::Touched => 3,
                };
                FIRST_CLASS + place_of(class) * MEASURES.len() as u8 + measure
            }
            (_, None) => 0,
        }
    }

    /// The column of a code; `None` for one of a later version.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code.checked_sub(FIRST_CLASS).map(usize::from) {
            None => PLAIN.get(usize::from(code)).map(|(column, _)| *column),
            Some(at) => {
                let class = CLASSES.get(at / MEASURES.len())?;
                let (measure, _) = MEASURES.get(at % MEASURES.len())?;
                Some(Self::Class(*class, *measure))
            }
        }
    }

    /// As in JSON: `resident_bytes`, `java_heap.touched_bytes`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Class(class, measure) => {
                let measure = MEASURES.iter().find(|(m, _)| *m == measure).map_or("", |(_, name)| name);
                let class = class.label().replace(", ", "_").replace(' ', "_");
                format!("{class}.{measure}")
            }
            plain => {
                PLAIN.iter().find(|(column, _)| *column == plain).map_or("", |(_, name)| name).to_owned()
            }
        }
    }

    /// The column of a name as [`name`](Column::name) writes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (0..=u8::MAX).filter_map(Self::from_code).find(|column| column.name() == name)
    }

    /// Does it only ever rise while its process lives, so that its rate is what matters?
    #[must_use]
    pub fn is_cumulative(self) -> bool {
        matches!(
            self,
            Self::Cpu
                | Self::MinorFaults
                | Self::MajorFaults
                | Self::ReadBytes
                | Self::WrittenBytes
                | Self::ThreadsBorn
                | Self::ThreadsEnded
                | Self::Collections
                | Self::MajorCollections
                | Self::ThreadsStarted
                | Self::HostMemoryStall
                | Self::OwnCpu
        )
    }
}

impl Serialize for Column {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("no column is called {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_code_and_a_name_of_its_own() {
        for (place, (column, _)) in PLAIN.iter().enumerate() {
            assert_eq!(usize::from(column.code()), place, "codes are the places in the list");
        }
        assert_eq!(Column::OwnResident.code(), 42, "codes on disk never change");
        assert_eq!(Column::Class(MemoryClass::Unexplained, Measure::Touched).code(), 128 + 71);
        let columns: Vec<Column> = (0..=u8::MAX).filter_map(Column::from_code).collect();
        assert_eq!(columns.len(), PLAIN.len() + 4 * CLASSES.len());
        for column in &columns {
            assert_eq!(Column::from_code(column.code()), Some(*column));
            assert_eq!(Column::from_name(&column.name()), Some(*column), "{}", column.name());
        }
        assert_eq!(CLASSES, &MemoryClass::ALL, "a class that was added needs a code at the end of CLASSES");
    }
}
