//! Signals that are for the command: what flatfoot gets is passed on to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

/// What is passed on.
pub(super) const PASSED: [i32; 6] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2];

/// What came.
pub(super) struct Signals(Vec<(i32, Arc<AtomicBool>)>);

impl Signals {
    /// From now on these signals are noted instead of ending flatfoot.
    pub(super) fn listen(signals: &[i32]) -> Self {
        let note = |signal: &i32| {
            let flag = Arc::new(AtomicBool::new(false));
            let _ = signal_hook::flag::register(*signal, Arc::clone(&flag));
            (*signal, flag)
        };
        Self(signals.iter().map(note).collect())
    }

    /// What came since this was asked last.
    pub(super) fn take(&self) -> Vec<i32> {
        let came =
            |(signal, flag): &(i32, Arc<AtomicBool>)| flag.swap(false, Ordering::Relaxed).then_some(*signal);
        self.0.iter().filter_map(came).collect()
    }
}

/// Did the terminal send this to the whole group of processes in the foreground, and so to the command, too?
pub(super) fn is_from_terminal(signal: i32) -> bool {
    let in_foreground = || {
        let terminal = std::fs::File::open("/dev/tty").ok()?;
        let group = rustix::termios::tcgetpgrp(terminal).ok()?;
        Some(group == rustix::process::getpgrp())
    };
    matches!(signal, SIGINT | SIGQUIT) && in_foreground().unwrap_or(false)
}
