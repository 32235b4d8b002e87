//! What the view starts from, wants done, and is told when that is done.

use model::Pid;

use crate::analyse::{Analyser, Diagnosis};
use crate::board::Board;
use crate::cli::TopOrder;
use crate::present::map::MapDocument;
use crate::present::threads::ThreadsDocument;

/// The time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Now, on this host.
    Live,
    /// A moment of what was recorded, in milliseconds since 1970.
    Past(i64),
    /// The looks of a case file.
    Case,
}

/// What is shown over the whole screen, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Main,
    Help,
    Map,
    Threads,
    Details,
}

/// A process that something is read of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// As the board names it.
    pub(crate) id: String,
    pub(crate) pid: Pid,
}

/// What the view wants done; what comes of it is told to it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Threads and memory of a process.
    Inspect {
        when: When,
        of: Subject,
    },
    /// All evidence about a process.
    Diagnose {
        when: When,
        of: Subject,
    },
    /// What leaks on the host, or in these processes.
    Survey {
        when: When,
        pids: Vec<Pid>,
    },
    /// A case file of a process.
    Save {
        when: When,
        pid: Pid,
    },
    /// A report of a process.
    Report {
        when: When,
        pid: Pid,
    },
    /// The host at a moment of the past, in milliseconds since 1970; at its end without one.
    Visit {
        at_ms: Option<i64>,
    },
    /// The end of what was recorded, once it is later than that.
    Follow {
        known_ms: i64,
    },
    Mouse(bool),
    Redraw,
    Suspend,
    Quit,
}

/// What was read of the selected process.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub(crate) when: When,
    pub(crate) of: Subject,
    pub(crate) threads: Result<ThreadsDocument, String>,
    pub(crate) map: Result<MapDocument, String>,
    /// Mappings of equal size, as text.
    pub(crate) sizes: String,
    pub(crate) took_s: f64,
}

/// What was concluded by a diagnosis, and from what.
pub(crate) struct Judged {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) analyser: Analyser,
    /// As the command line prints it.
    pub(crate) text: String,
}

/// A moment of the past, opened.
pub(crate) struct Visited {
    pub(crate) board: Board,
    pub(crate) at_ms: i64,
    /// From when to when there is something.
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

/// What the view starts from.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) when: When,
    /// Is there a recorder's store to jump into?
    pub(crate) has_past: bool,
    pub(crate) order: TopOrder,
    /// These processes alone; everybody when empty.
    pub(crate) only: Vec<Pid>,
    pub(crate) host: String,
}
