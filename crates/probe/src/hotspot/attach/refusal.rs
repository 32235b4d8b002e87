//! Why a JVM was not attached to, or did not answer: each cause with what to do about it.

use model::Need;
use rustix::io::Errno;

use crate::Absence;

/// Why nothing was asked of a JVM, or why it gave no answer. Unless it says otherwise nothing was sent to the target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a live process of this machine: a fixture, or /proc of another pid namespace.
    #[error("only a process of this machine, seen in flatfoot's own pid namespace, can be attached to")]
    NotHere,
    /// No libjvm.so is mapped.
    #[error("it is no HotSpot JVM: it maps no libjvm.so")]
    NotAJvm,
    /// IBM's JVM has a protocol of its own.
    #[error("it is an OpenJ9 JVM, which HotSpot's attach protocol would kill or miss")]
    OpenJ9,
    /// It was told to refuse.
    #[error("attaching is switched off in it ({0})")]
    AttachDisabled(String),
    /// SIGQUIT would kill it.
    #[error("it does not catch SIGQUIT{}, so the signal that opens its listener would end it",
        if *.reduced { " (-Xrs)" } else { "" })]
    SignalNotCaught {
        /// By -Xrs or -XX:+ReduceSignalUsage on the command line; else it may be starting still.
        reduced: bool,
    },
    /// All its threads block SIGQUIT.
    #[error("all its threads block SIGQUIT: it would not notice that it is asked")]
    SignalBlocked,
    /// It has not come far enough.
    #[error("it is still starting")]
    StillStarting,
    /// It would not answer, and get the signal when it goes on.
    #[error("it is stopped: {0}")]
    Stopped(String),
    /// The listener's thread might not start, which ends some JVMs.
    #[error(
        "too close to a limit for the thread that attaching starts in it: {what} is {limit}, in use {current}"
    )]
    NoHeadroom {
        /// `pids.max of /sys/fs/cgroup/…`, `max_map_count` …
        what: String,
        /// In use.
        current: u64,
        /// Of so many.
        limit: u64,
    },
    /// A right is missing.
    #[error("{what}: permission denied")]
    Denied {
        /// What was refused.
        what: String,
        /// What would help.
        need: Need,
    },
    /// A JVM talks only to its own user.
    #[error("it runs as user {uid}, group {gid}, and answers only to them")]
    OtherUser {
        /// Effective uid of the target.
        uid: u32,
        /// Effective gid of the target.
        gid: u32,
    },
    /// It ended, or another process has its pid.
    #[error("the process ended")]
    Gone,
    /// It did not answer in time.
    #[error("{what} took longer than {after_s} s")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        after_s: u64,
    },
    /// The user ended the wait.
    #[error("interrupted")]
    Cancelled,
    /// One caller at a time.
    #[error("{0} is attaching to it right now")]
    Busy(String),
    /// Nothing can be created in its /tmp.
    #[error("nothing can be created in its /tmp ({0})")]
    TmpNotWritable(String),
    /// Somebody put something else in the place of a file.
    #[error("{path} {what}: left alone")]
    Planted {
        /// As flatfoot reaches it.
        path: String,
        /// `is a link`, `belongs to user 1000` …
        what: String,
    },
    /// It answered, and not as a JVM does.
    #[error("its answer makes no sense: {0}")]
    Protocol(String),
    /// It refused a command.
    #[error("{command}: error {code}: {text}")]
    Command {
        /// As it was sent.
        command: String,
        /// The JVM's number.
        code: i32,
        /// The JVM's words, the first line.
        text: String,
    },
    /// The time that it would stand still for this is longer than allowed.
    #[error("{what} would stop it for up to {estimate_s:.1} s, and {budget_s:.1} s are allowed")]
    TooLong {
        /// What was to be done.
        what: String,
        /// Estimated.
        estimate_s: Seconds,
        /// Allowed.
        budget_s: Seconds,
    },
    /// Anything else.
    #[error("{doing}: {error}")]
    System {
        /// What was being done.
        doing: String,
        /// The kernel's answer.
        error: Errno,
    },
}

/// Milliseconds that show as seconds: an error that can be compared holds no float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Seconds {
    /// Rounded to milliseconds.
    #[must_use]
    pub fn from_s(seconds: f64) -> Self {
        Self((seconds * 1e3).round() as u64)
    }
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (self.0 as f64 / 1e3).fmt(f)
    }
}

impl Refusal {
    /// An error of a system call.
    pub(super) fn system(doing: impl Into<String>, error: Errno) -> Self {
        match error {
            Errno::SRCH => Self::Gone,
            Errno::ACCESS | Errno::PERM => Self::Denied { what: doing.into(), need: Need::PtraceAccess },
            error => Self::System { doing: doing.into(), error },
        }
    }

    /// A file of /proc that was needed.
    pub(super) fn absent(what: &str, absence: Absence) -> Self {
        match absence {
            Absence::Denied(need) => Self::Denied { what: what.to_owned(), need },
            Absence::Gone => Self::Gone,
            Absence::Unsupported => Self::System { doing: what.to_owned(), error: Errno::NOENT },
            Absence::Malformed(why) => Self::Protocol(why),
        }
    }

    /// What to do about it, as a sentence of its own.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotHere => "run flatfoot on the host, or in the target's container",
            Self::NotAJvm => "look at it without --access: threads, mappings and births need no JVM",
            Self::OpenJ9 => "use OpenJ9's own jcmd or jdmpview for its inside; reading from outside works",
            Self::AttachDisabled(_) => {
                "restart it without -XX:+DisableAttachMechanism; until then reading from outside works"
            }
            Self::SignalNotCaught { reduced: true } => {
                "with -Xrs it listens from its start, and something removed its socket in /tmp; restart it"
            }
            Self::SignalNotCaught { reduced: false } | Self::StillStarting => {
                "try again when it has started; if this stays, it handles signals by itself"
            }
            Self::SignalBlocked => "its starter blocked SIGQUIT; start it from a shell or a systemd unit",
            Self::Stopped(_) => "let it go on (kill -CONT, fg, thaw its cgroup), then try again",
            Self::NoHeadroom { .. } => "raise that limit (it can be done while it runs), then try again",
            Self::Denied { need, .. } => return need.remedy().to_owned(),
            Self::OtherUser { uid, .. } => {
                return format!("run flatfoot with sudo, or as that user: sudo -u '#{uid}' flatfoot …");
            }
            Self::Gone => "look for the process that took its place: flatfoot top",
            Self::TimedOut { .. } => {
                "it may be at a long safepoint or short of CPU; try again, or allow more time. A signal it \
                 got late makes it print a thread dump into its own output, no more"
            }
            Self::Cancelled => "nothing was left behind",
            Self::Busy(_) => "wait until the other one is done",
            Self::TmpNotWritable(_) => {
                "its listener lives in its own /tmp: free space there, or mount it writable"
            }
            Self::Planted { .. } => "look at who created it; remove it if nobody needs it, then try again",
            Self::Protocol(_) => "try again; if this stays, it is no JVM that flatfoot knows",
            Self::Command { .. } => "this JVM does not offer that",
            Self::TooLong { .. } => "allow a longer pause if it may stand still for that long",
            Self::System { .. } => "see the error of the system",
        }
        .to_owned()
    }
}
