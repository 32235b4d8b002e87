//! The figures of a process and of the host that a list shows.

use model::{Bytes, Column, HostReading, ProcessReading, Statm};
use serde::Serialize;

use crate::present::top::JvmRow;

/// Committed (approximate), resident, and the gap between the two: private writable memory that is not in use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) committed: Bytes,
    pub(crate) resident: Bytes,
    pub(crate) untouched: Bytes,
}

impl Memory {
    pub(crate) fn of(statm: Option<&Statm>) -> Self {
        let Some(statm) = statm else { return Self::default() };
        let private = statm.resident.saturating_sub(statm.shared);
        Self {
            committed: statm.data,
            resident: statm.resident,
            untouched: statm.data.saturating_sub(private),
        }
    }
}

/// The newest figures of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) threads: u64,
    statm: Statm,
    heap: Option<(u64, Option<u64>)>,
    threads_started: Option<u64>,
}

impl Figures {
    pub(super) fn of(reading: &ProcessReading) -> Self {
        let jvm = reading.jvm.value();
        Self {
            threads: reading.stat.threads,
            statm: reading.statm.value().copied().unwrap_or_default(),
            heap: jvm.map(|jvm| (jvm.heap_used().0, jvm.heap_limit().map(|limit| limit.0))),
            threads_started: jvm.and_then(|jvm| jvm.threads).map(|threads| threads.started),
        }
    }

    pub(super) fn take(&mut self, values: &[(Column, u64)]) {
        for (column, value) in values {
            match column {
                Column::Threads => self.threads = *value,
                Column::Virtual => self.statm.size = Bytes(*value),
                Column::Resident => self.statm.resident = Bytes(*value),
                Column::Data => self.statm.data = Bytes(*value),
                Column::Shared => self.statm.shared = Bytes(*value),
                Column::HeapUsed => self.heap = Some((*value, self.heap.and_then(|(_, limit)| limit))),
                Column::HeapLimit => self.heap = Some((self.heap.map_or(0, |(used, _)| used), Some(*value))),
                Column::ThreadsStarted => self.threads_started = Some(*value),
                _ => {}
            }
        }
    }

    /// Columns that a list shows.
    pub(super) const COLUMNS: [Column; 8] = [
        Column::Threads,
        Column::Virtual,
        Column::Resident,
        Column::Data,
        Column::Shared,
        Column::HeapUsed,
        Column::HeapLimit,
        Column::ThreadsStarted,
    ];

    /// Is something not known yet that every process has?
    pub(super) fn is_partial(&self) -> bool {
        self.threads == 0 || self.statm.data.0 == 0
    }

    pub(super) fn memory(&self) -> Memory {
        Memory::of(Some(&self.statm))
    }

    pub(super) fn jvm(&self) -> Option<JvmRow> {
        self.heap.map(|(used, limit)| JvmRow {
            heap_used_bytes: used,
            heap_limit_bytes: limit,
            threads_started: self.threads_started,
        })
    }
}

/// The newest figures of the host; `None` for what was not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct HostFigures {
    pub(crate) committed: Option<u64>,
    pub(crate) commit_limit: Option<u64>,
    pub(crate) total: Option<u64>,
    pub(crate) available: Option<u64>,
    pub(crate) tasks: Option<u64>,
    pub(crate) processes: Option<u64>,
}

impl HostFigures {
    pub(super) const COLUMNS: [Column; 6] = [
        Column::HostCommitted,
        Column::HostCommitLimit,
        Column::HostTotal,
        Column::HostAvailable,
        Column::HostTasks,
        Column::HostProcesses,
    ];

    pub(super) fn take(&mut self, values: &[(Column, u64)]) {
        for (column, value) in values {
            let of = match column {
                Column::HostCommitted => &mut self.committed,
                Column::HostCommitLimit => &mut self.commit_limit,
                Column::HostTotal => &mut self.total,
                Column::HostAvailable => &mut self.available,
                Column::HostTasks => &mut self.tasks,
                Column::HostProcesses => &mut self.processes,
                _ => continue,
            };
            *of = Some(*value);
        }
    }

    pub(super) fn take_reading(&mut self, host: &HostReading) {
        if let Some(memory) = host.memory.value() {
            self.committed = Some(memory.committed.0);
            self.commit_limit = Some(memory.commit_limit.0);
            self.total = Some(memory.total.0);
            self.available = Some(memory.available.0);
        }
        self.tasks = host.tasks.value().copied().or(self.tasks);
    }
}
