//! The view's loop: what happened, what is to be done, one drawing.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use model::{Pid, Tick};
use probe::Clock;
use signal_hook::consts::{SIGCONT, SIGINT, SIGQUIT};

use super::act::Now;
use super::app::{App, Request, Start, When};
use super::draw::Look;
use super::event::{self, Event};
use super::layout;
use super::reading::{Origin, Reader};
use super::sampling;
use super::terminal::{self, Screen};
use crate::cli::TopOrder;
use crate::failure::{Code, Failure};
use crate::interrupt;

/// Events that are taken in before the next drawing: keys that are held down must not hold it up for ever.
const AT_ONCE: usize = 64;
/// How long the end waits for a file that is being written.
const KEEPING_S: f64 = 10.0;
/// A wait without end, in seconds.
const LONG_S: f64 = 3_600.0;

/// What the view is to show.
pub(crate) struct Plan {
    pub(crate) place: Place,
    /// These processes alone; everybody when empty.
    pub(crate) only: Vec<Pid>,
    pub(crate) order: TopOrder,
    pub(crate) interval_s: f64,
    pub(crate) look: Look,
}

/// What is opened.
pub(crate) enum Place {
    Live {
        store: Option<PathBuf>,
    },
    /// From and to in Unix seconds.
    Store {
        path: PathBuf,
        from_s: Option<f64>,
        to_s: Option<f64>,
    },
    Case {
        path: PathBuf,
    },
}

/// Shows it until somebody quits.
pub(crate) fn run(plan: Plan) -> Result<Code> {
    let (send, events) = channel();
    let (origin, when, host) = match plan.place {
        Place::Live { store } => {
            let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
            (Origin::Live { store }, When::Live, name)
        }
        Place::Store { path, from_s, to_s } => {
            let at_ms = to_s.map_or(i64::MAX, |to| (to * 1e3) as i64);
            let name = name_of(&path);
            (Origin::Store { path, from_s }, When::Past(at_ms), name)
        }
        Place::Case { path } => {
            let name = name_of(&path);
            (Origin::Case { path }, When::Case, name)
        }
    };
    let has_past = !matches!(origin, Origin::Live { store: None } | Origin::Case { .. });
    let app = App::new(Start { when, has_past, order: plan.order, only: plan.only, host });
    event::listen_to_signals(send.clone()).context("listening to signals")?;
    let near = Reader::start("reader", origin.clone(), send.clone())?;
    let far = Reader::start("surveyor", origin, send.clone())?;
    // Whoever comes back to now finds what happened meanwhile.
    let give_back = match when {
        When::Live => Some(sampling::start(plan.interval_s, send.clone())?),
        _ => None,
    };
    terminal::restore_on_panic();
    let screen = Screen::take(plan.look).map_err(|error| {
        let hint = "flatfoot top --once prints the table";
        Failure::new(Code::Failed, format!("the terminal cannot be used: {error}"), hint)
    })?;
    event::listen_to_keys(send).context("reading the terminal")?;
    let mut view = View { app, screen, near, far, give_back };
    let code = view.go(&events);
    let keeping = view.app.keeping();
    drop(view);
    if code.is_ok() {
        finish(&events, keeping);
    }
    // Whoever still reads stops at the next process.
    interrupt::ask();
    code
}

/// Shown until the host's own name is known.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Files that are being written are not left half: their paths are said on the terminal that was given back. Whoever
/// does not want to wait says so with a signal.
fn finish(events: &Receiver<Event>, mut keeping: usize) {
    if keeping == 0 {
        return;
    }
    let mut stderr = io::stderr();
    let _ = writeln!(stderr, "writing what is to be kept; Ctrl-C gives it up");
    let until = Clock::monotonic() + KEEPING_S;
    while keeping > 0 {
        let left_s = (until - Clock::monotonic()).max(0.0);
        match events.recv_timeout(Duration::from_secs_f64(left_s)) {
            Ok(Event::Kept(Ok(said) | Err(said))) => {
                let _ = writeln!(stderr, "{}", model::Text::from(said));
                keeping -= 1;
            }
            Ok(Event::Signal(SIGCONT)) => {}
            Ok(Event::Signal(_)) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

struct View {
    app: App,
    screen: Screen,
    near: Reader,
    far: Reader,
    give_back: Option<Sender<Box<Tick>>>,
}

fn now() -> Now {
    Now { monotonic_s: Clock::monotonic(), unix_s: Clock::wall() }
}

impl View {
    fn go(&mut self, events: &Receiver<Event>) -> Result<Code> {
        loop {
            let now_s = Clock::monotonic();
            self.app.at(now_s);
            while let Some(request) = self.app.next_request() {
                if let Some(code) = self.answer(request)? {
                    return Ok(code);
                }
            }
            if self.app.take_dirty() {
                self.screen.draw(&mut self.app).map_err(lost)?;
            }
            let wait_s = (self.app.due_s() - Clock::monotonic()).clamp(0.0, LONG_S);
            let mut event = match events.recv_timeout(Duration::from_secs_f64(wait_s)) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(Code::Clean),
            };
            for _ in 0..AT_ONCE {
                let Some(one) = event.take() else { break };
                if let Some(code) = self.take(one)? {
                    return Ok(code);
                }
                event = events.try_recv().ok();
            }
            if let Some(one) = event
                && let Some(code) = self.take(one)?
            {
                return Ok(code);
            }
        }
    }

    /// Something happened; gives how to end, when it is to.
    fn take(&mut self, event: Event) -> Result<Option<Code>> {
        let app = &mut self.app;
        let now_s = Clock::monotonic();
        match event {
            Event::Key(key) => app.key(&key, now()),
            Event::Mouse(mouse) => {
                if let Some(areas) = layout::areas(self.screen.size().map_err(lost)?) {
                    app.mouse(mouse, &areas, now());
                }
            }
            Event::Resized => app.touch(),
            Event::Signal(SIGCONT) => {
                self.screen.resume(app.has_mouse()).map_err(lost)?;
                app.touch();
            }
            // As with q.
            Event::Closed | Event::Signal(SIGINT | SIGQUIT) => return Ok(Some(Code::Clean)),
            Event::Signal(signal) => {
                return Ok(Some(Code::Exit(128 + u8::try_from(signal).unwrap_or(0))));
            }
            Event::Tick(tick) => {
                app.ticked(&tick, now_s);
                if let Some(give_back) = &self.give_back {
                    let _ = give_back.send(tick);
                }
            }
            Event::Inspected(inspected) => app.took_inspected(*inspected, now_s),
            Event::Diagnosed(when, of, judged) => app.took_diagnosed(when, of, *judged),
            Event::Surveyed(when, survey) => app.took_survey(when, *survey, now_s),
            Event::Visited(asked, visited) => app.took_visited(asked, *visited, now_s),
            Event::Followed(visited) => app.took_followed(*visited, now()),
            Event::Kept(kept) => app.took_kept(kept),
            Event::Failed(why) => {
                let hint = "flatfoot top --once prints the table";
                return Err(Failure::new(Code::Failed, why, hint).into());
            }
        }
        Ok(None)
    }

    /// The view wants something done.
    fn answer(&mut self, request: Request) -> Result<Option<Code>> {
        match request {
            Request::Quit => return Ok(Some(Code::Clean)),
            Request::Suspend => {
                self.screen.suspend(self.app.has_mouse()).map_err(lost)?;
                self.app.touch();
            }
            Request::Redraw => {
                self.screen.forget().map_err(lost)?;
                self.app.touch();
            }
            Request::Mouse(wanted) => Screen::mouse(wanted).map_err(lost)?,
            Request::Survey { .. } | Request::Save { .. } | Request::Report { .. } => self.far.ask(request),
            Request::Inspect { .. }
            | Request::Diagnose { .. }
            | Request::Visit { .. }
            | Request::Follow { .. } => self.near.ask(request),
        }
        Ok(None)
    }
}

/// The terminal is gone: there is nobody left to show anything to.
fn lost(error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context("writing to the terminal")
}
