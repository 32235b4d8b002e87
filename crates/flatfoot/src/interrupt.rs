//! Ctrl-C and SIGTERM: long work asks here whether it should end; nothing exits from within a signal handler.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on the first Ctrl-C or SIGTERM asks for an end, and a second one ends at once.
pub(crate) fn listen() {
    let flag = ASKED.get_or_init(|| Arc::new(AtomicBool::new(false)));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The order matters: the second signal must find the flag set by the first.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(flag));
        let _ = signal_hook::flag::register(signal, Arc::clone(flag));
    }
}

/// The end of a terminal or login asks for an end, too, unless it was to be outlived (`nohup`).
pub(crate) fn listen_to_hangups() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let flag = ASKED.get_or_init(|| Arc::new(AtomicBool::new(false)));
    if ignored & 1 << (signal_hook::consts::SIGHUP - 1) == 0 {
        let _ = signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(flag));
    }
}

/// What Ctrl-C sets, for those who wait elsewhere; `None` before [`listen`].
pub(crate) fn flag() -> Option<&'static AtomicBool> {
    ASKED.get().map(AsRef::as_ref)
}

/// Asks for an end, as Ctrl-C does where a terminal's keys are not ours.
pub(crate) fn ask() {
    ASKED.get_or_init(|| Arc::new(AtomicBool::new(false))).store(true, Ordering::Relaxed);
}

/// Was an end asked for?
pub(crate) fn asked() -> bool {
    ASKED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Sleeps, in steps short enough that Ctrl-C is answered at once. Returns false when an end was asked for.
pub(crate) fn sleep(seconds: f64) -> bool {
    let until = probe::Clock::monotonic() + seconds;
    loop {
        let left = until - probe::Clock::monotonic();
        if asked() {
            return false;
        }
        if left <= 0.0 {
            return true;
        }
        probe::Clock::sleep(left.min(0.1));
    }
}
