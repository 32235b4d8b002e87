//! How commands end: exit codes, and errors that say what failed and what to do.

use std::fmt::{self, Write as _};

use crate::present::Term;

/// The exit codes that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Nothing suspicious.
    Clean,
    /// A finding that is likely or confirmed.
    Found,
    /// Wrong usage.
    Usage,
    /// Only possible findings.
    Possible,
    /// The target ended.
    Ended,
    /// Something failed or was denied.
    Failed,
    /// What `check` ends with: 0, 23, 125 to 127, or the command's own.
    Exit(u8),
}

impl Code {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Usage => 2,
            Self::Possible => 3,
            Self::Ended => 4,
            Self::Failed => 5,
            Self::Exit(code) => code,
        }
    }
}

/// A failure for people: one sentence, and a hint.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Code::Usage, message, hint)
    }

    /// Any error of a command, as one that can be shown.
    pub(crate) fn from_any(error: anyhow::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(failure) => return failure,
            Err(error) => error,
        };
        let hint = error.downcast_ref::<store::Error>().and_then(store::Error::hint).map(ToString::to_string);
        Self { code: Code::Failed, message: format!("{error:#}"), hint }
    }

    /// As printed on stderr.
    pub(crate) fn shown(&self, term: Term) -> String {
        let mut out = format!("{} {}\n", term.red("error:"), self.message);
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "{} {hint}", term.bold(" hint:"));
        }
        out
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
