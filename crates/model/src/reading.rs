//! Absence is a type: a value that is missing says why, and is never a silent zero.

use serde::{Deserialize, Serialize};

/// What was read, or why it was not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// It was read.
    Value(T),
    /// The kernel refused; what would have helped.
    Denied(Need),
    /// The process or thread ended before it could be read.
    Gone,
    /// This kernel, or this kind of process, does not have it.
    Unsupported,
    /// Nobody asked for it in this look (or it was left out to keep within a budget).
    #[default]
    Skipped,
    /// It was there and made no sense; which file, which line, which field.
    Malformed(String),
}

/// The right that was missing for a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Being the target's user, or CAP_SYS_PTRACE for another's process.
    PtraceAccess,
    /// Root, or CAP_DAC_READ_SEARCH, for a file that only its owner may read.
    ReadAnyFile,
    /// CAP_SYSLOG for the kernel's log.
    KernelLog,
}

impl Need {
    /// What to do about it, as the end of a sentence: "… ; run flatfoot with sudo, as the …".
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::PtraceAccess => "sudo, the process's own user, or CAP_SYS_PTRACE shows it",
            Self::ReadAnyFile => "sudo, the file's owner, or CAP_DAC_READ_SEARCH shows it",
            Self::KernelLog => "sudo or CAP_SYSLOG shows it",
        }
    }
}

impl<T> Reading<T> {
    /// The value, when there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The value, when there is one; gives up the reason.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Was the kernel's answer "no"?
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied(_))
    }

    /// Turns the value into another, keeping the reason of an absence.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Value(value) => Reading::Value(change(value)),
            Self::Denied(need) => Reading::Denied(need),
            Self::Gone => Reading::Gone,
            Self::Unsupported => Reading::Unsupported,
            Self::Skipped => Reading::Skipped,
            Self::Malformed(why) => Reading::Malformed(why),
        }
    }

    /// A reference to the value, keeping the reason of an absence.
    pub fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Value(value) => Reading::Value(value),
            Self::Denied(need) => Reading::Denied(*need),
            Self::Gone => Reading::Gone,
            Self::Unsupported => Reading::Unsupported,
            Self::Skipped => Reading::Skipped,
            Self::Malformed(why) => Reading::Malformed(why.clone()),
        }
    }

    /// Why there is no value, as the end of a sentence; `None` when there is one.
    #[must_use]
    pub fn absence(&self) -> Option<String> {
        match self {
            Self::Value(_) => None,
            Self::Denied(need) => Some(format!("denied: {}", need.remedy())),
            Self::Gone => Some("the process ended".to_owned()),
            Self::Unsupported => Some("not offered here".to_owned()),
            Self::Skipped => Some("not read".to_owned()),
            Self::Malformed(why) => Some(format!("unreadable: {why}")),
        }
    }
}
