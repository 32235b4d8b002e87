//! What happens to the view, in one queue: keys, ticks, answers, signals.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use probe::Clock;
use ratatui::crossterm::event::{self, KeyEvent, MouseEvent};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, pipe};

use super::app::{Inspected, Judged, Subject, Visited, When};
use super::terminal;

/// Something that happened.
pub(crate) enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Resized,
    /// Nothing more can be typed.
    Closed,
    Signal(i32),
    /// The host was sampled. Its memory goes back to who fills it.
    Tick(Box<model::Tick>),
    Inspected(Box<Inspected>),
    Diagnosed(When, Subject, Box<Result<Judged, String>>),
    Surveyed(When, Box<Result<Judged, String>>),
    /// A moment that was asked for was opened.
    Visited(Option<i64>, Box<Result<Visited, String>>),
    /// The end of what was recorded moved on.
    Followed(Box<Option<Visited>>),
    Kept(Result<String, String>),
    /// One of our threads is gone.
    Failed(String),
}

/// Reads the terminal, in a thread: what it waits in can't wait for anything else.
pub(crate) fn listen_to_keys(send: Sender<Event>) -> io::Result<()> {
    spawn("keys", send.clone(), move || {
        loop {
            let what = match event::read() {
                Ok(event::Event::Key(key)) => Event::Key(key),
                Ok(event::Event::Mouse(mouse)) => Event::Mouse(mouse),
                Ok(event::Event::Resize(..)) => Event::Resized,
                Ok(_) => continue,
                Err(_) => Event::Closed,
            };
            let last = matches!(what, Event::Closed);
            if send.send(what).is_err() || last {
                return;
            }
        }
    })
}

/// Seconds in which the terminal must have been given back after the view was asked to end.
const GRACE_S: f64 = 2.0;

/// Listens to signals, in a thread: nothing is done in their handlers but a flag set and a byte written.
pub(crate) fn listen_to_signals(send: Sender<Event>) -> io::Result<()> {
    let (mut hear, tell) = UnixStream::pair()?;
    let mut flags = Vec::new();
    for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT] {
        let flag = Arc::new(AtomicBool::new(false));
        // The order matters: whoever hears the byte finds the flag set.
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
        pipe::register(signal, tell.try_clone()?)?;
        flags.push((signal, flag));
    }
    spawn("signals", send.clone(), move || {
        let mut byte = [0; 1];
        while hear.read_exact(&mut byte).is_ok() {
            for (signal, flag) in &flags {
                if !flag.swap(false, Ordering::SeqCst) {
                    continue;
                }
                if send.send(Event::Signal(*signal)).is_err() {
                    return;
                }
                if *signal != SIGCONT {
                    // A terminal that takes nothing any more (Ctrl-S, a link that is gone) holds the view in a write.
                    Clock::sleep(GRACE_S);
                    if terminal::restore_modes() {
                        let _ = emulate_default_handler(*signal);
                    }
                }
            }
        }
    })
}

/// Starts one of the view's threads; if it panics, the view ends and says so.
pub(crate) fn spawn(
    name: &'static str,
    send: Sender<Event>,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
                let _ = send.send(Event::Failed(format!("the thread {name} of flatfoot failed")));
            }
        })
        .map(drop)
}
