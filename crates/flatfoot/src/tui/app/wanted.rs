//! What the keys ask for, see `act`: screens, files, orders, filters, the cursor.

use super::super::keys;
use super::super::list::List;
use super::super::pager::Pager;
use super::super::palette::Role;
use super::super::prompt::{Asked, Prompt};
use super::heard::{REST_S, SURVEY_S};
use super::{App, Request, Screen, When};
use crate::cli::TopOrder;
use crate::present::Term;

impl App {
    /// Fills the text of the screen that is shown, as far as what it shows was read.
    pub(super) fn fill_pager(&mut self) {
        let term = Term::default();
        let reading = || "reading…".to_owned();
        let (text, wraps) = match self.screen {
            Screen::Main => return,
            Screen::Help => (keys::help(), true),
            Screen::Map => (
                match self.inspected().map(|inspected| (&inspected.map, &inspected.sizes)) {
                    Some((Ok(map), sizes)) => format!("{}\n{sizes}", map.text(term)),
                    Some((Err(error), _)) => error.clone(),
                    None => reading(),
                },
                false,
            ),
            Screen::Threads => (
                match self.inspected().map(|inspected| &inspected.threads) {
                    Some(Ok(threads)) => threads.text(term, true),
                    Some(Err(error)) => error.clone(),
                    None => reading(),
                },
                false,
            ),
            Screen::Details => {
                let id = self.current().map(|row| &row.id);
                let text = match &self.diagnosed {
                    Some((of, Ok(text))) if Some(of) == id => text.clone(),
                    Some((of, Err(error))) if Some(of) == id => error.clone(),
                    _ => reading(),
                };
                (text, true)
            }
        };
        self.pager.set(text, wraps);
    }

    pub(crate) fn ask(&mut self, request: Request) {
        self.requests.push_back(request);
    }

    pub(crate) fn say(&mut self, text: impl Into<String>, role: Role) {
        self.message = Some((text.into(), role));
        self.dirty = true;
    }

    pub(crate) fn forget_message(&mut self) {
        self.dirty |= self.message.take().is_some();
    }

    pub(crate) fn open(&mut self, screen: Screen) {
        if screen != self.screen {
            self.pager = Pager::default();
        }
        self.screen = screen;
        if matches!(screen, Screen::Map | Screen::Threads | Screen::Details) {
            // Whoever is read about stays so, even when somebody else comes first.
            self.selected = self.selected.or_else(|| self.listed.get(self.list.at()).copied());
        }
        if screen == Screen::Details
            && let Some(of) = self.subject()
        {
            if self.has_ended() {
                // What was said of it while it was there stands.
                if self.diagnosed.as_ref().is_none_or(|(id, _)| *id != of.id) {
                    self.diagnosed = Some((of.id, Err("it ended before it was looked at".to_owned())));
                }
            } else {
                self.diagnosed = self.diagnosed.take().filter(|(id, _)| *id == of.id);
                self.ask(Request::Diagnose { when: self.when, of });
            }
        }
        self.fill_pager();
        self.dirty = true;
    }

    pub(crate) fn keep(&mut self, report: bool) {
        let Some(of) = self.subject() else { return self.say("no process is selected", Role::Warn) };
        if self.has_ended() {
            return self
                .say(format!("process {} ended: there is nothing left to read of it", of.pid), Role::Warn);
        }
        let (when, pid) = (self.when, of.pid);
        self.keeping += 1;
        self.busy = Some(if report { "writing the report…" } else { "saving…" });
        self.ask(if report { Request::Report { when, pid } } else { Request::Save { when, pid } });
        self.dirty = true;
    }

    pub(crate) fn freeze(&mut self, now_s: f64) {
        self.frozen = !self.frozen;
        if self.frozen && self.when == When::Live {
            self.live = Some(self.board.clone());
        }
        if !self.frozen {
            if let (When::Live, Some(live)) = (self.when, self.live.take()) {
                self.board = live;
            }
            self.after_change(Self::arrange, now_s);
            self.inspect_at_s = self.inspect_at_s.min(now_s + REST_S);
            if self.when == When::Live && self.survey_at_s.is_infinite() {
                self.survey_at_s = now_s + SURVEY_S;
            }
        }
        self.dirty = true;
    }

    pub(crate) fn turn_mouse(&mut self) {
        self.mouse = !self.mouse;
        self.ask(Request::Mouse(self.mouse));
        let words = if self.mouse {
            "the mouse selects; M gives it back"
        } else {
            "the mouse is the terminal's again"
        };
        self.say(words, Role::Plain);
    }

    pub(crate) fn set_order(&mut self, order: TopOrder, now_s: f64) {
        self.order = order;
        self.after_change(Self::arrange, now_s);
    }

    pub(crate) fn set_filter(&mut self, filter: &str, now_s: f64) {
        filter.clone_into(&mut self.filter);
        self.after_change(Self::arrange, now_s);
    }

    pub(crate) fn ask_for(&mut self, asked: Asked) {
        let text = if asked == Asked::Filter { self.filter.clone() } else { String::new() };
        self.filter_before.clone_from(&self.filter);
        self.prompt = Some(Prompt::new(asked, &text));
        self.dirty = true;
    }

    pub(crate) fn prompt_mut(&mut self) -> Option<&mut Prompt> {
        self.prompt.as_mut()
    }

    pub(crate) fn close_prompt(&mut self) -> Option<Prompt> {
        self.dirty = true;
        self.prompt.take()
    }

    /// Moves the cursor; from then on the process that it is on is meant, wherever it goes.
    pub(crate) fn select(&mut self, step: impl FnOnce(&mut List), now_s: f64) {
        self.after_change(
            |app| {
                let ended = app.has_ended();
                step(&mut app.list);
                app.selected = app.listed.get(app.list.at()).copied();
                app.point();
                if ended && !app.has_ended() {
                    // Who ended was listed as long as it was selected.
                    app.arrange();
                }
            },
            now_s,
        );
    }

    /// The first of the list is meant from now on, whoever that is.
    pub(crate) fn select_first(&mut self, now_s: f64) {
        self.after_change(
            |app| {
                app.selected = None;
                app.arrange();
            },
            now_s,
        );
    }
}
