//! The objects that a recorder prints, one a line: what `flatfoot schema` says of `record` and `watch`.
//!
//! ```text
//! {"schema":"flatfoot.record/1","at":"2026-03-01T09:12:40Z","event":"started","store":"/var/…","interval_s":10.0,"damage":[]}
//! {"schema":"flatfoot.watch/1","at":"2026-03-01T09:12:40Z","event":"threads","born":12,"ended":0,"example":"worker-7"}
//! ```

use model::{Finding, Pid, Text, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::watch::{Change, Who};

/// One line of `flatfoot record --json`.
pub(crate) type RecordLine = Line<RecordEvent>;
/// One line of `flatfoot watch --json`.
pub(crate) type WatchLine = Line<WatchEvent>;

/// One line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Line<E> {
    /// `flatfoot.record/1` or `flatfoot.watch/1`.
    pub(crate) schema: &'static str,
    /// When, in UTC.
    pub(crate) at: String,
    #[serde(flatten)]
    pub(crate) what: Said<E>,
}

/// What is said: something that only this command says, or what both do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Said<E> {
    /// By this command.
    Own(E),
    /// By both.
    Shared(Box<SharedEvent>),
}

/// What both commands say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum SharedEvent {
    /// The judgement of a series changed.
    Verdict {
        process: ProcessName,
        /// The series that names the cause.
        column: String,
        /// Other series of the process that it explains.
        with: Vec<String>,
        /// The state that was said before.
        before: String,
        verdict: Box<Verdict>,
    },
    /// A closer look found something.
    Finding { finding: Box<Finding> },
    /// The wall clock was set by so many seconds.
    ClockSet { by_s: f64 },
    /// Nothing is known of so many seconds: the host was suspended, or the recorder stopped.
    Slept { for_s: f64 },
}

/// Whom it concerns.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProcessName {
    pid: u32,
    name: Text,
    /// Its unit or container.
    label: Option<Text>,
}

/// What only `record` says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum RecordEvent {
    /// Recording began.
    Started {
        /// The file.
        store: String,
        interval_s: f64,
        /// What was found damaged in it.
        damage: Vec<String>,
    },
    /// Ticks come at another interval from now on.
    Interval { interval_s: f64, asked_s: f64 },
    /// The store cannot be written.
    Failing { error: String, hint: Option<String> },
    /// It can be written again, after so many ticks.
    Resumed { ticks: u64 },
    /// Recording ended.
    Stopped {
        ticks: u64,
        seconds: f64,
        /// Processes at the end.
        processes: usize,
        own_cpu_s: f64,
        /// Causes that are leaks at the end, and those that grow.
        leaks: usize,
        growing: usize,
        ticks_in_trouble: u64,
    },
}

/// What only `watch` says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum WatchEvent {
    /// Watching began.
    Started { pid: Pid, interval_s: f64 },
    /// Threads were born or ended since they were told of last.
    Threads {
        born: u64,
        ended: u64,
        /// The name of the one that was born last.
        example: Option<Text>,
    },
    /// Watching ended.
    Stopped {
        /// Did the process end?
        target_ended: bool,
        seconds: f64,
        /// Threads, all the time.
        born: u64,
        ended: u64,
        /// Were there looks enough to judge slow growth?
        judged: bool,
    },
}

impl From<&Change> for SharedEvent {
    fn from(change: &Change) -> Self {
        Self::Verdict {
            process: ProcessName::from(&change.who),
            column: change.column.name(),
            with: change.with.iter().map(|column| column.name()).collect(),
            before: change.before.word().into(),
            verdict: Box::new(change.verdict.clone()),
        }
    }
}

impl From<&Who> for ProcessName {
    fn from(who: &Who) -> Self {
        Self { pid: who.pid, name: who.name.clone(), label: who.label.clone() }
    }
}
