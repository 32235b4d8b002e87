//! What is recorded of a host over time: ticks of figures, and the events between them.
//!
//! The recorder fills these, the store keeps them, and they come back as they were written, so that what is judged
//! from a store is what was judged live. Figures are raw (cumulative counters stay cumulative): rates are derived when
//! they are read. A figure that was not read in a tick is simply not in it.

use serde::{Deserialize, Serialize};

use crate::{BootId, Pid, ProcessKey, Text, Ticks};

mod column;
mod hex;

pub use column::{Column, Measure};

/// A process's number within one store: small, never reused there, given in order of first sight. 0 is the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProcessNo(pub u32);

impl ProcessNo {
    /// The host itself, whose figures are kept as if it were a process.
    pub const HOST: Self = Self(0);
}

/// One process from its start to its end, as it is known in a store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incarnation {
    /// Pid, birth and boot: never the same for two processes.
    #[serde(with = "hex::key")]
    pub key: ProcessKey,
    /// `comm`.
    pub name: Text,
    /// When it was born, in Unix seconds as the clock stood when it was first seen.
    pub started_unix_s: f64,
    /// What stays the same over its restarts.
    pub identity: Identity,
    /// Real user id.
    pub uid: u32,
    /// Its parent when it was first seen.
    pub parent: Pid,
    /// Columns that the kernel refused to tell of it.
    pub denied: Vec<Column>,
}

/// What a process is, whatever pid it has: the same after a restart and on another host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// The systemd unit, without a template's instance when that is a number.
    pub unit: Option<Text>,
    /// The container's id.
    pub container: Option<Text>,
    /// The command line with arguments apart by spaces, bounded to 4,096 bytes.
    pub command: Text,
}

/// What was read of the host and of every process at one moment. Made to be filled again without allocating.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tick {
    /// When it began: milliseconds since 1970, as the wall clock stood.
    pub at_unix_ms: i64,
    /// When it began: milliseconds since boot, suspend included; never set back within a boot.
    pub at_boot_ms: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// How much later it began than it was meant to, in microseconds.
    pub late_us: u64,
    /// Whose figures follow, in ascending order of `process`; the ranges are in the order of `values`.
    pub rows: Vec<TickRow>,
    /// The figures of all rows, one row's after another's, each row's in ascending order of column.
    pub values: Vec<(Column, u64)>,
    /// What happened since the tick before, oldest first.
    pub events: Vec<Event>,
}

/// One process in a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickRow {
    /// Which process.
    pub process: ProcessNo,
    /// How many of `values` are its own.
    pub values: u32,
}

impl Tick {
    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        let Self { at_unix_ms, at_boot_ms, took_us, late_us, rows, values, events } = self;
        (*at_unix_ms, *at_boot_ms, *took_us, *late_us) = (0, 0, 0, 0);
        rows.clear();
        values.clear();
        events.clear();
    }

    /// Each process with its figures.
    pub fn by_process(&self) -> impl Iterator<Item = (ProcessNo, &[(Column, u64)])> {
        let mut rest = self.values.as_slice();
        self.rows.iter().map(move |row| {
            let (own, others) = rest.split_at((row.values as usize).min(rest.len()));
            rest = others;
            (row.process, own)
        })
    }
}

/// Something that happened at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was noticed or, where the kernel tells, when it happened: milliseconds since boot.
    pub at_boot_ms: u64,
    /// Whom it concerns.
    pub process: ProcessNo,
    /// What.
    pub what: EventKind,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// A process was seen for the first time.
    ProcessSeen(Box<Incarnation>),
    /// A process is gone.
    ProcessEnded,
    /// A process took another name or command line (exec).
    ProcessRenamed(Box<Incarnation>),
    /// A thread was born.
    ThreadBorn {
        /// Its id.
        tid: Pid,
        /// Its birth, in ticks since boot.
        start: Ticks,
        /// `comm` when it was first seen.
        name: Text,
    },
    /// A thread is gone.
    ThreadEnded {
        /// Its id.
        tid: Pid,
        /// Its birth.
        start: Ticks,
        /// `comm` when it was last seen.
        name: Text,
    },
    /// Threads were born or ended that were not read one by one.
    ThreadsMissed {
        /// How many births at least.
        born: u64,
        /// How many ends at least.
        ended: u64,
    },
    /// Recording began.
    RecorderStarted {
        /// flatfoot's version.
        version: Text,
        /// The boot it records.
        #[serde(with = "hex::boot")]
        boot: BootId,
        /// Milliseconds between ticks.
        interval_ms: u64,
    },
    /// Recording ended in order.
    RecorderStopped,
    /// The wall clock was set.
    ClockSet {
        /// By how many milliseconds; below 0 when it was set back.
        by_ms: i64,
    },
    /// The host slept, or the recorder was stopped: nothing is known of that time.
    Slept {
        /// How long, in milliseconds.
        for_ms: u64,
    },
    /// Something a person or a tool wants to be remembered: a deploy, a restart.
    Mark {
        /// What.
        text: Text,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryClass;

    #[test]
    fn a_tick_gives_each_process_its_own() {
        let tick = Tick {
            rows: vec![
                TickRow { process: ProcessNo::HOST, values: 1 },
                TickRow { process: ProcessNo(4), values: 2 },
            ],
            values: vec![(Column::HostFree, 9), (Column::Cpu, 1), (Column::Threads, 2)],
            ..Tick::default()
        };
        let rows: Vec<_> = tick.by_process().collect();
        assert_eq!(rows[1], (ProcessNo(4), &[(Column::Cpu, 1), (Column::Threads, 2)][..]));
    }

    /// One event of each kind; the match is what a kind that is added makes fail until it is here.
    fn every_kind() -> Vec<EventKind> {
        let incarnation = || {
            Box::new(Incarnation {
                key: ProcessKey { boot: BootId(u128::MAX - 1), pid: Pid(7), start: Ticks(u64::MAX) },
                name: "java".into(),
                started_unix_s: 1_760_000_000.125,
                identity: Identity { unit: Some("a.service".into()), ..Identity::default() },
                uid: 1_000,
                parent: Pid(1),
                denied: vec![Column::ReadBytes, Column::Class(MemoryClass::JavaHeap, Measure::Touched)],
            })
        };
        let thread = || (Pid(9), Ticks(1 << 60), Text::from("pool-1"));
        let mut kinds = vec![EventKind::ProcessSeen(incarnation())];
        loop {
            let (tid, start, name) = thread();
            kinds.push(match kinds.last() {
                Some(EventKind::ProcessSeen(_)) => EventKind::ProcessEnded,
                Some(EventKind::ProcessEnded) => EventKind::ProcessRenamed(incarnation()),
                Some(EventKind::ProcessRenamed(_)) => EventKind::ThreadBorn { tid, start, name },
                Some(EventKind::ThreadBorn { .. }) => EventKind::ThreadEnded { tid, start, name },
                Some(EventKind::ThreadEnded { .. }) => EventKind::ThreadsMissed { born: u64::MAX, ended: 2 },
                Some(EventKind::ThreadsMissed { .. }) => EventKind::RecorderStarted {
                    version: "0.1.0".into(),
                    boot: BootId(0x0b5d_3c1e_8d2f_4c57_9a43_7e1f_0c2b_6d98),
                    interval_ms: 10_000,
                },
                Some(EventKind::RecorderStarted { .. }) => EventKind::RecorderStopped,
                Some(EventKind::RecorderStopped) => EventKind::ClockSet { by_ms: -5 },
                Some(EventKind::ClockSet { .. }) => EventKind::Slept { for_ms: 3 },
                Some(EventKind::Slept { .. }) => EventKind::Mark { text: "a \"deploy\"\n".into() },
                Some(EventKind::Mark { .. }) | None => return kinds,
            });
        }
    }

    #[test]
    fn every_kind_of_event_survives_json() {
        let kinds = every_kind();
        assert_eq!(kinds.len(), 11);
        for what in kinds {
            let event = Event { at_boot_ms: 60_000, process: ProcessNo(4), what };
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
            let value = serde_json::to_value(&event).unwrap();
            assert_eq!(serde_json::from_value::<Event>(value).unwrap(), event, "{json}");
        }
    }

    #[test]
    fn a_boot_is_32_hex_digits_and_nothing_else() {
        let read = |boot: &str| {
            let json =
                format!(r#"{{"event":"recorder_started","version":"1","boot":{boot},"interval_ms":1}}"#);
            serde_json::from_str::<EventKind>(&json).ok()
        };
        let digits = "0b5d3c1e8d2f4c579a437e1f0c2b6d98";
        let started = read(&format!("\"{digits}\"")).unwrap();
        assert!(serde_json::to_string(&started).unwrap().contains(digits));
        let signed = format!("\"+{}\"", &digits[1..]);
        for wrong in ["\"\"", "7", "null", "\"é5d3c1e8d2f4c579a437e1f0c2b6d98\"", &signed] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
