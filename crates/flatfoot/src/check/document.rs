//! What a check tells: the document that --json prints, and that text, JUnit and annotations are made from.

use model::{CreatedBy, FindingKind, Impact, Pid, Text};
use schemars::JsonSchema;
use serde::Serialize;

/// How it went, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Nothing leaked of what was judged.
    #[default]
    Pass,
    /// Something leaked.
    Leak,
    /// The command, the work or the server failed; whether it leaked stands beside it.
    Failed,
    /// Ended by Ctrl-C or SIGTERM.
    Interrupted,
}

/// How it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// Work again and again against a server.
    #[default]
    Rounds,
    /// A process between marks by hand.
    Marks,
    /// One command from its start to its end.
    Whole,
}

/// What can leak: a testcase each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    /// Threads, by name pattern.
    Thread,
    /// Descriptors, by kind.
    Descriptor,
    /// Child processes, by name.
    Child,
    /// Memory, by class.
    Memory,
}

impl Rule {
    pub(crate) const ALL: [Self; 4] = [Self::Thread, Self::Descriptor, Self::Child, Self::Memory];

    /// `thread`, as in allow-lists.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Descriptor => "descriptor",
            Self::Child => "child",
            Self::Memory => "memory",
        }
    }

    /// `threads`.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Thread => "threads",
            Self::Descriptor => "descriptors",
            Self::Child => "children",
            Self::Memory => "memory",
        }
    }

    pub(crate) fn kind(self) -> FindingKind {
        match self {
            Self::Thread => FindingKind::ThreadLeak,
            Self::Descriptor => FindingKind::DescriptorLeak,
            Self::Child => FindingKind::ChildProcessLeak,
            Self::Memory => FindingKind::MemoryGrowth,
        }
    }
}

/// A check.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Document {
    /// `flatfoot.check/1`.
    pub(crate) schema: &'static str,
    /// flatfoot's version.
    pub(crate) version: &'static str,
    /// How it went.
    pub(crate) verdict: Verdict,
    /// What flatfoot ends with: 0, 23 for a leak, or that of what failed.
    pub(crate) exit_code: u8,
    /// How it was asked.
    pub(crate) way: Way,
    /// The server or the command, as it was started; null with --pid.
    pub(crate) command: Option<Text>,
    /// The work.
    pub(crate) work: Option<Text>,
    /// The process at the top of what was watched.
    pub(crate) process: Option<Process>,
    /// What was watched, as a sentence.
    pub(crate) watched: String,
    /// Rounds that were asked for; 0 for a whole command.
    pub(crate) rounds_asked: u32,
    /// Rounds that were done.
    pub(crate) rounds_done: u32,
    /// Runs of the work before the baseline.
    pub(crate) warm_up: u32,
    /// Seconds that growth had to survive.
    pub(crate) linger_s: f64,
    /// Seconds that it took.
    pub(crate) took_s: f64,
    /// What failed; null when nothing did.
    pub(crate) failure: Option<Failed>,
    /// What leaked.
    pub(crate) findings: Vec<Leak>,
    /// What grew as the allow-list allows.
    pub(crate) allowed: Vec<Allowed>,
    /// Entries of the allow-list that nothing needed.
    pub(crate) unused_allowances: Vec<String>,
    /// What was counted at the baseline and after each round, of what changed.
    pub(crate) table: Vec<Row>,
    /// Rules of which nothing was judged.
    pub(crate) rules_not_judged: Vec<Rule>,
    /// What was not judged, and what would decide it.
    pub(crate) not_judged: Vec<String>,
    /// What else is worth knowing.
    pub(crate) notes: Vec<String>,
    /// What was done to the target.
    pub(crate) impact: Impact,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Process {
    /// Its pid.
    pub(crate) pid: Pid,
    /// Its `comm`.
    pub(crate) name: Text,
}

/// What failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Failed {
    /// As a sentence.
    pub(crate) what: String,
    /// Its status, or 128 and the signal; 125 where it has none.
    pub(crate) exit_code: u8,
    /// Its last lines of output, where flatfoot saw them.
    pub(crate) last_lines: Vec<Text>,
}

/// Something that leaked.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Leak {
    /// The rule.
    pub(crate) rule: Rule,
    /// The kind of leak, as in other documents.
    pub(crate) kind: FindingKind,
    /// Where.
    pub(crate) process: Process,
    /// A pattern of thread names or of process names, a kind of descriptors, a class of memory.
    pub(crate) subject: Text,
    /// As a sentence: `12 more pool-*-thread-1 after each round`.
    pub(crate) summary: String,
    /// Growth of each round.
    pub(crate) per_round: Vec<f64>,
    /// Of all rounds, in things or bytes.
    pub(crate) total: f64,
    /// Is it in bytes?
    pub(crate) bytes: bool,
    /// An entry of the allow-list that fits, and allows less.
    pub(crate) allowed_less: Option<String>,
    /// Who made them, surest first.
    pub(crate) created_by: Vec<CreatedBy>,
    /// The processes themselves, for children.
    pub(crate) survivors: Vec<Survivor>,
}

/// A process that is left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Survivor {
    /// Its pid.
    pub(crate) pid: Pid,
    /// Its `comm`.
    pub(crate) name: Text,
    /// Its command line, a blank between the words; its name where it has none.
    pub(crate) command: Text,
    /// Z: it ended, and nobody waited for it.
    pub(crate) state: char,
    /// Seconds since it was started.
    pub(crate) age_s: f64,
}

/// Growth that is allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Allowed {
    /// What grew.
    pub(crate) summary: String,
    /// `leaks.allow:3`.
    pub(crate) by: String,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// The rule.
    pub(crate) rule: Rule,
    /// Where.
    pub(crate) process: Process,
    /// What was counted.
    pub(crate) subject: Text,
    /// At the baseline, and after each round; null where it was not known.
    pub(crate) values: Vec<Option<f64>>,
    /// In bytes?
    pub(crate) bytes: bool,
    /// Did it leak?
    pub(crate) leaks: bool,
}
