//! How long each step may take, and the flag that ends the wait early.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Refusal;
use crate::Clock;

/// How long to wait, and for how much.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// Seconds until the listener must be up.
    pub attach_s: f64,
    /// Seconds until a command must be answered.
    pub command_s: f64,
    /// Bytes of an answer that are kept; a longer one is an error.
    pub most_bytes: usize,
    /// Set by somebody else (Ctrl-C) to end the wait.
    pub cancel: Option<&'a AtomicBool>,
}

impl Default for Patience<'_> {
    fn default() -> Self {
        Self { attach_s: 5.0, command_s: 30.0, most_bytes: 64 << 20, cancel: None }
    }
}

impl Patience<'_> {
    pub(super) fn deadline(&self, after_s: f64) -> Deadline<'_> {
        Deadline { began: Clock::monotonic(), after_s, cancel: self.cancel }
    }
}

/// The end of one step's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline<'a> {
    began: f64,
    after_s: f64,
    cancel: Option<&'a AtomicBool>,
}

impl Deadline<'_> {
    /// How long to wait before looking at the flag again: what is left, at most a twentieth of a second.
    pub(super) fn slice(&self, what: &str) -> Result<f64, Refusal> {
        self.not_cancelled()?;
        let left = self.after_s - (Clock::monotonic() - self.began);
        if left > 0.0 {
            return Ok(left.min(0.05));
        }
        Err(Refusal::TimedOut { what: what.to_owned(), after_s: self.after_s.ceil() as u64 })
    }

    /// Was the wait ended from elsewhere?
    pub(super) fn not_cancelled(&self) -> Result<(), Refusal> {
        match self.cancel {
            Some(flag) if flag.load(Ordering::Relaxed) => Err(Refusal::Cancelled),
            _ => Ok(()),
        }
    }
}
