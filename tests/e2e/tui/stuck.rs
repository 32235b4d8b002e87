//! A terminal that takes nothing any more, or is gone: the view ends nevertheless.

use std::os::unix::process::ExitStatusExt as _;

use rustix::process::{Pid, Signal, kill_process};

use crate::pty::Pty;
use crate::support::Flatfoot;

#[test]
fn a_signal_ends_a_view_whose_terminal_takes_nothing() {
    let flatfoot = Flatfoot::new();
    for signal in [Signal::TERM, Signal::HUP] {
        let errors = tempfile::tempfile().expect("a file");
        let mut pty = Pty::start(&flatfoot, &["top"], errors);
        pty.reads("help");
        assert!(!pty.has_its_modes(), "the view has it");
        pty.gets_stuck();
        kill_process(Pid::from_child(&pty.flatfoot), signal).expect("a signal to our own child");
        let status = pty.ends();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        assert!(pty.has_its_modes(), "a shell can be used again");
    }
}

#[test]
fn a_terminal_that_is_gone_ends_it_without_a_panic() {
    let flatfoot = Flatfoot::new();
    for stuck in [false, true] {
        // Its errors have nowhere to go either: a pipe that nobody reads.
        let mut pty = Pty::start(&flatfoot, &["top"], closed_pipe());
        pty.reads("help");
        if stuck {
            pty.gets_stuck();
        }
        pty.hang_up();
        let status = pty.ends();
        // Whoever finds out first decides: a signal (129), a write (5), or the reading of keys (0, as with q). 101 is a panic.
        assert!(matches!(status.code(), Some(129 | 5 | 0)), "{stuck}: {status}");
    }
}

fn closed_pipe() -> std::fs::File {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    std::os::fd::OwnedFd::from(writer).into()
}
