//! What keys and the mouse do to the view.

use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::app::{App, Request, Screen};
use super::keys::{self, Action};
use super::layout::Areas;
use super::palette::Role;
use super::prompt::{Asked, Outcome};
use crate::cli::TopOrder;
use crate::moment;

/// The orders, as `o` goes through them, and what they are called.
const ORDERS: [(TopOrder, &str); 5] = [
    (TopOrder::Growth, "growth"),
    (TopOrder::Commit, "committed memory"),
    (TopOrder::Rss, "resident memory"),
    (TopOrder::Untouched, "memory promised and not used"),
    (TopOrder::Threads, "threads"),
];

/// The clocks, as they were when a key was pressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) monotonic_s: f64,
    pub(crate) unix_s: f64,
}

impl App {
    /// A key was pressed.
    pub(crate) fn key(&mut self, key: &KeyEvent, now: Now) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        if key.modifiers.contains(KeyModifiers::ALT) {
            // Esc and the key after it came at once, as they do over a slow link.
            self.key(&KeyEvent::from(KeyCode::Esc), now);
            return self.key(&KeyEvent::new(key.code, key.modifiers - KeyModifiers::ALT), now);
        }
        let action = keys::action(key);
        if self.prompt().is_some()
            && !matches!(action, Some(Action::Quit | Action::Suspend) if is_control(key))
        {
            return self.typed(key, now);
        }
        self.forget_message();
        if let Some(action) = action {
            self.act(action, now);
        }
    }

    fn act(&mut self, action: Action, now: Now) {
        match action {
            Action::Quit => self.ask(Request::Quit),
            Action::Suspend => self.ask(Request::Suspend),
            Action::Redraw => self.ask(Request::Redraw),
            Action::Help => {
                let screen = if self.screen() == Screen::Help { Screen::Main } else { Screen::Help };
                self.open(screen);
            }
            Action::Map => self.open(Screen::Map),
            Action::Threads => self.open(Screen::Threads),
            Action::Details => self.open(Screen::Details),
            Action::Save => self.keep(false),
            Action::Report => self.keep(true),
            Action::Freeze => self.freeze(now.monotonic_s),
            Action::Mouse => self.turn_mouse(),
            Action::Filter => {
                self.open(Screen::Main);
                self.ask_for(Asked::Filter);
            }
            Action::GoTo => self.ask_for(Asked::Time),
            Action::Jump(by_s) => self.jump(by_s, now.unix_s, now.monotonic_s),
            Action::Order { back } => self.next_order(back, now),
            Action::Back if self.screen() != Screen::Main => self.open(Screen::Main),
            Action::Back if !self.filter().is_empty() => self.set_filter("", now.monotonic_s),
            Action::Back => {}
            Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::First
            | Action::Last
            | Action::Left
            | Action::Right => self.step(action, now),
        }
    }

    fn step(&mut self, action: Action, now: Now) {
        if self.screen() != Screen::Main {
            match action {
                Action::Up => self.pager.step(-1),
                Action::Down => self.pager.step(1),
                Action::PageUp => self.pager.page(-1),
                Action::PageDown => self.pager.page(1),
                Action::First => self.pager.first(),
                Action::Last => self.pager.end(),
                Action::Left => self.pager.sideways(-1),
                Action::Right => self.pager.sideways(1),
                _ => {}
            }
            return self.touch();
        }
        let now_s = now.monotonic_s;
        match action {
            Action::Up => self.select(|list| list.step(-1), now_s),
            Action::Down => self.select(|list| list.step(1), now_s),
            Action::PageUp => self.select(|list| list.page(-1), now_s),
            Action::PageDown => self.select(|list| list.page(1), now_s),
            Action::Last => self.select(|list| list.step(isize::MAX), now_s),
            Action::First => self.select_first(now_s),
            _ => {}
        }
    }

    fn next_order(&mut self, back: bool, now: Now) {
        let at = ORDERS.iter().position(|(order, _)| *order == self.order()).unwrap_or(0);
        let by = if back { ORDERS.len() - 1 } else { 1 };
        if let Some((order, words)) = ORDERS.get((at + by) % ORDERS.len()) {
            self.set_order(*order, now.monotonic_s);
            self.say(format!("sorted by {words}"), Role::Plain);
        }
    }

    /// A key for the prompt.
    fn typed(&mut self, key: &KeyEvent, now: Now) {
        let Some(prompt) = self.prompt_mut() else { return };
        let outcome = prompt.key(key);
        let (asked, text) = (prompt.asked, prompt.text.clone());
        self.touch();
        match (asked, outcome) {
            (Asked::Filter, Outcome::Typing) => self.set_filter(&text, now.monotonic_s),
            (Asked::Filter, Outcome::Done) | (Asked::Time, Outcome::Given) => {
                self.close_prompt();
            }
            (Asked::Filter, Outcome::Given) => {
                self.close_prompt();
                let before = self.filter_before();
                // Esc takes back what was typed; on an untouched prompt it clears the filter.
                let kept = if before == text { String::new() } else { before };
                self.set_filter(&kept, now.monotonic_s);
            }
            (Asked::Time, Outcome::Typing) => self.forget_message(),
            (Asked::Time, Outcome::Done) => match moment::parse(&text, &moment::now(now.unix_s)) {
                Ok(unix_s) => {
                    self.close_prompt();
                    self.go_to((unix_s * 1e3) as i64, now.unix_s, now.monotonic_s);
                }
                Err(error) => self.say(error, Role::Bad),
            },
        }
    }

    /// The mouse did something, over these parts of the main screen.
    pub(crate) fn mouse(&mut self, mouse: MouseEvent, areas: &Areas, now: Now) {
        let wheel = |by: isize, app: &mut Self| {
            if app.screen() == Screen::Main {
                app.select(|list| list.step(by), now.monotonic_s);
            } else {
                app.pager.step(by * 3);
                app.touch();
            }
        };
        match mouse.kind {
            MouseEventKind::ScrollUp => wheel(-1, self),
            MouseEventKind::ScrollDown => wheel(1, self),
            MouseEventKind::Down(MouseButton::Left) if self.screen() == Screen::Main => {
                let list = areas.processes;
                let inside = mouse.column >= list.left() && mouse.column < list.right();
                if inside && mouse.row > list.top() && mouse.row < list.bottom() {
                    let at = self.list.first() + usize::from(mouse.row - list.top() - 1);
                    let by = at as isize - self.list.at() as isize;
                    self.select(|list| list.step(by), now.monotonic_s);
                }
            }
            _ => {}
        }
    }
}

fn is_control(key: &KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL)
}
