//! What is typed: a filter, or a time to go to.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Letters that are taken.
const MOST: usize = 80;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Filter,
    Time,
}

/// A question that is being answered.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    pub(crate) asked: Asked,
    pub(crate) text: String,
}

/// What became of it with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on; the text may have changed.
    Typing,
    Done,
    Given,
}

impl Prompt {
    /// Asks, with an answer to begin with.
    pub(crate) fn new(asked: Asked, text: &str) -> Self {
        Self { asked, text: text.to_owned() }
    }

    /// What stands before the answer, and what after it.
    pub(crate) const fn words(&self) -> (&'static str, &'static str) {
        match self.asked {
            Asked::Filter => ("filter: ", "Enter keeps it, Esc clears it"),
            Asked::Time => ("go to: ", "09:00, 2h (ago), 2026-03-01, \"2026-03-01 09:00\", now"),
        }
    }

    /// Takes a key.
    pub(crate) fn key(&mut self, key: &KeyEvent) -> Outcome {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Outcome::Done,
            KeyCode::Esc => return Outcome::Given,
            KeyCode::Char('u') if control => self.text.clear(),
            KeyCode::Char('w') if control => {
                let kept = self.text.trim_end().rfind(' ').map_or(0, |blank| blank + 1);
                self.text.truncate(kept);
            }
            KeyCode::Backspace => {
                self.text.pop();
            }
            KeyCode::Char(c) if !control && !c.is_control() && self.text.chars().count() < MOST => {
                self.text.push(c);
            }
            _ => {}
        }
        Outcome::Typing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_taken_and_taken_back() {
        let mut prompt = Prompt::new(Asked::Filter, "");
        let mut key = |code, modifiers| {
            let outcome = prompt.key(&KeyEvent::new(code, modifiers));
            (outcome, prompt.text.clone())
        };
        for c in "java torq".chars() {
            key(KeyCode::Char(c), KeyModifiers::NONE);
        }
        assert_eq!(key(KeyCode::Backspace, KeyModifiers::NONE).1, "java tor");
        assert_eq!(key(KeyCode::Char('w'), KeyModifiers::CONTROL).1, "java ");
        assert_eq!(key(KeyCode::Char('u'), KeyModifiers::CONTROL).1, "");
        assert_eq!(key(KeyCode::Char('Q'), KeyModifiers::SHIFT).1, "Q");
        assert_eq!(key(KeyCode::Enter, KeyModifiers::NONE).0, Outcome::Done);
        assert_eq!(key(KeyCode::Esc, KeyModifiers::NONE).0, Outcome::Given);
    }
}
