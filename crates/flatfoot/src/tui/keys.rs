//! Which key does what: one table for what is done, and one for what the help says.

use std::fmt::Write as _;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for on a screen; prompts take letters as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Quit,
    Suspend,
    Redraw,
    Help,
    Filter,
    Order {
        back: bool,
    },
    Map,
    Threads,
    Details,
    Save,
    Report,
    Freeze,
    Mouse,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Left,
    Right,
    Back,
    /// Jump by so many seconds over what was recorded.
    Jump(i64),
    GoTo,
}

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3_600;

/// What a key asks for.
pub(crate) fn action(key: &KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('z') => Some(Action::Suspend),
            KeyCode::Char('l') => Some(Action::Redraw),
            KeyCode::Char('f') => Some(Action::PageDown),
            KeyCode::Char('b') => Some(Action::PageUp),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Char('?') | KeyCode::F(1) => Action::Help,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char('o') => Action::Order { back: false },
        KeyCode::Char('O') => Action::Order { back: true },
        KeyCode::Char('m') => Action::Map,
        KeyCode::Char('t') => Action::Threads,
        KeyCode::Char('d') | KeyCode::Enter => Action::Details,
        KeyCode::Char('s') => Action::Save,
        KeyCode::Char('r') => Action::Report,
        KeyCode::Char(' ') => Action::Freeze,
        KeyCode::Char('M') => Action::Mouse,
        KeyCode::Up | KeyCode::Char('k') => Action::Up,
        KeyCode::Down | KeyCode::Char('j') => Action::Down,
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Home => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Left | KeyCode::Char('h') => Action::Left,
        KeyCode::Right | KeyCode::Char('l') => Action::Right,
        KeyCode::Esc | KeyCode::Backspace => Action::Back,
        KeyCode::Char('[') => Action::Jump(-MINUTE_S),
        KeyCode::Char(']') => Action::Jump(MINUTE_S),
        KeyCode::Char('{') => Action::Jump(-HOUR_S),
        KeyCode::Char('}') => Action::Jump(HOUR_S),
        KeyCode::Char('g') => Action::GoTo,
        _ => return None,
    })
}

/// What the footer shows of the main screen, the most useful first: it is cut where the width ends.
pub(crate) const FOOTER: &[(&str, &str)] = &[
    ("?", "help"),
    ("/", "filter"),
    ("o", "sort"),
    ("m", "map"),
    ("t", "threads"),
    ("d", "details"),
    ("s", "save"),
    ("r", "report"),
    ("q", "quit"),
    ("space", "freeze"),
    ("[ ]", "a minute back, on"),
    ("{ }", "an hour"),
    ("g", "go to a time"),
];

/// The same over what was recorded, where time comes first.
pub(crate) const FOOTER_PAST: &[(&str, &str)] = &[
    ("?", "help"),
    ("[ ]", "minute"),
    ("{ }", "hour"),
    ("g", "go to"),
    ("m", "map"),
    ("t", "threads"),
    ("d", "details"),
    ("q", "quit"),
    ("/", "filter"),
    ("o", "sort"),
    ("s", "save"),
    ("r", "report"),
];

/// The same of a text over the whole screen.
pub(crate) const FOOTER_TEXT: &[(&str, &str)] = &[
    ("Esc", "back"),
    ("arrows PgUp PgDn Home End", "move"),
    ("m", "map"),
    ("t", "threads"),
    ("d", "details"),
    ("q", "quit"),
];

/// The help, in its parts.
pub(crate) const HELP: &[(&str, &[(&str, &str)])] = &[
    (
        "PROCESSES",
        &[
            ("Up Down j k", "select; Home follows the first again"),
            ("PgUp PgDn End", "move by a screen, to the end"),
            ("/", "filter by name, pid or label; Esc clears it"),
            ("o O", "sort by the next or previous column"),
            ("space", "freeze what is shown; again goes on"),
        ],
    ),
    (
        "THE SELECTED PROCESS",
        &[
            ("d Enter", "all evidence, as flatfoot diagnose PID"),
            ("m", "memory by class and size, as flatfoot map"),
            ("t", "threads by pattern, as flatfoot threads"),
            ("s", "save a case file, for after a restart"),
            ("r", "write a report as an HTML file"),
        ],
    ),
    (
        "WHAT WAS RECORDED",
        &[
            ("[ ]", "a minute back, on"),
            ("{ }", "an hour back, on"),
            ("g", "go to a time: 09:00, 2h, 2026-03-01 09:00, now"),
        ],
    ),
    (
        "ELSE",
        &[
            ("M", "the mouse selects and scrolls; again gives it back"),
            ("Ctrl-L Ctrl-Z", "draw anew, stop for a while (fg comes back)"),
            ("Esc q", "back; quit"),
        ],
    ),
];

/// The help as a text: a part's title, then its keys.
pub(crate) fn help() -> String {
    let mut out = String::new();
    for (title, keys) in HELP {
        let _ = writeln!(out, "{title}");
        for (key, words) in *keys {
            let _ = writeln!(out, "  {key:<15}{words}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_footer_and_the_help_does_something() {
        let parts = HELP.iter().flat_map(|(_, keys)| keys.iter());
        for (keys, _) in FOOTER.iter().chain(FOOTER_PAST).chain(FOOTER_TEXT).chain(parts) {
            for name in keys.split(' ') {
                let (code, modifiers) = match name {
                    "space" => (KeyCode::Char(' '), KeyModifiers::NONE),
                    "Up" | "arrows" => (KeyCode::Up, KeyModifiers::NONE),
                    "Down" => (KeyCode::Down, KeyModifiers::NONE),
                    "PgUp" => (KeyCode::PageUp, KeyModifiers::NONE),
                    "PgDn" => (KeyCode::PageDown, KeyModifiers::NONE),
                    "Home" => (KeyCode::Home, KeyModifiers::NONE),
                    "End" => (KeyCode::End, KeyModifiers::NONE),
                    "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
                    "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
                    "Ctrl-L" => (KeyCode::Char('l'), KeyModifiers::CONTROL),
                    "Ctrl-Z" => (KeyCode::Char('z'), KeyModifiers::CONTROL),
                    letter => (KeyCode::Char(letter.chars().next().unwrap()), KeyModifiers::NONE),
                };
                assert!(action(&KeyEvent::new(code, modifiers)).is_some(), "{name}");
            }
        }
    }
}
