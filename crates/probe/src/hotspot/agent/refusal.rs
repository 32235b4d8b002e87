//! Why the agent was not loaded, or could not do what it was asked: each cause with what to do about it.

use rustix::io::Errno;

use super::layout;
use crate::hotspot::attach;

/// Why there is no answer from the agent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Attaching, or a command, failed.
    #[error(transparent)]
    Attach(#[from] attach::Refusal),
    /// The JVM loads no agents while it runs.
    #[error("it loads no agents while it runs (-XX:-EnableDynamicAgentLoading)")]
    NotAllowed,
    /// Flatfoot has no agent for this processor.
    #[error("flatfoot has no agent for this processor")]
    NoLibrary,
    /// No directory of the target's takes it.
    #[error("the agent's file can be put nowhere in the target's file system: {0}")]
    NoPlace(String),
    /// JVM_StartThread was not found with certainty.
    #[error("{0}: where its libjvm.so starts threads can't be told")]
    NoSymbol(String),
    /// The JVM could not load it.
    #[error("it could not load the agent: {0}")]
    NotLoaded(String),
    /// The agent said no.
    #[error("the agent ended with code {code}: {}", words(*.code))]
    Agent {
        /// Of `agent/layout.rs`, or the JVM's own.
        code: i32,
    },
    /// A file of ours in the target's file system failed.
    #[error("{what}: {error}")]
    File {
        /// Which.
        what: String,
        /// The kernel's answer.
        error: Errno,
    },
    /// What the agent wrote is incomplete.
    #[error("the agent's report of {0} is incomplete")]
    Torn(&'static str),
}

impl Refusal {
    /// May another way of watching (JFR) still work?
    #[must_use]
    pub fn leaves_jfr(&self) -> bool {
        !matches!(self, Self::Attach(_))
    }

    /// What to do about it, as a sentence of its own.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Attach(refusal) => return refusal.hint(),
            Self::NotAllowed => "JFR tells births as well; for owners restart it without that option",
            Self::NoLibrary => "JFR tells births as well",
            Self::NoPlace(_) => {
                "a directory is needed that the target's user may write and that is not mounted noexec: \
                 mount one, or let JFR tell the births"
            }
            Self::NoSymbol(_) => {
                "its libjvm.so was replaced since it started; restart it, or let JFR tell the births"
            }
            Self::NotLoaded(_) => "a security module may forbid it; JFR tells births as well",
            Self::Agent { code: layout::STILL_USED | layout::AT_WORK } => {
                "try again: threads were being started"
            }
            Self::Agent { .. } | Self::Torn(_) => "try again; if this stays, JFR tells births as well",
            Self::File { error: Errno::NOSPC | Errno::DQUOT, .. } => "free space there: 2 MiB are enough",
            Self::File { .. } => "see the error of the system",
        }
        .to_owned()
    }
}

fn words(code: i32) -> String {
    let words = match code {
        layout::NO_JNI | layout::NO_JVMTI => "the JVM gave it no environment",
        layout::BAD_OPTIONS => "its options were not understood",
        layout::AT_WORK => "another command was at work",
        layout::NO_THREAD_CLASS => "this JVM's java.lang.Thread is unknown to it",
        layout::NO_BRIDGE => "its bridge class could not be defined",
        layout::NO_BINDING => "Thread.start0 could not be bound",
        layout::BAD_RING => "its file is not the one that it expected",
        layout::STILL_USED => "threads were still in the hook",
        layout::NO_MEMORY => "no memory",
        layout::NO_WALK => "its heap could not be walked",
        layout::NOT_HERE => "not built for this processor",
        _ => {
            let errno = |base: i32| {
                (base..base + 1000).contains(&code).then(|| Errno::from_raw_os_error(code - base))
            };
            let file = errno(layout::OPEN_FAILED).map(|error| format!("opening its file: {error}"));
            let map = errno(layout::MAP_FAILED).map(|error| format!("mapping its file: {error}"));
            let write = errno(layout::WRITE_FAILED).map(|error| format!("writing its report: {error}"));
            return file.or(map).or(write).unwrap_or_else(|| "unknown".to_owned());
        }
    };
    words.to_owned()
}
