//! What stands out, and how: by colour where there is one, and by attributes that a terminal without colours has, too.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    /// Less important.
    Dim,
    /// Heads and labels.
    Strong,
    /// A likely or confirmed finding, a failure.
    Bad,
    /// A possible finding, a state that is not the usual one.
    Warn,
    /// All is well.
    Good,
    /// What is interactive: keys, prompts.
    Accent,
    /// The selected row.
    Selected,
}

/// With colours or without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Palette {
    pub(crate) colors: bool,
}

impl Palette {
    /// How a role looks. The sixteen colours that every terminal's theme has, never a background of our own: what is
    /// readable on the user's background is the user's choice.
    pub(crate) const fn style(self, role: Role) -> Style {
        let (color, modifier) = match role {
            Role::Plain => (None, Modifier::empty()),
            Role::Dim => (None, Modifier::DIM),
            Role::Strong => (None, Modifier::BOLD),
            Role::Bad => (Some(Color::Red), Modifier::BOLD),
            Role::Warn => (Some(Color::Yellow), Modifier::BOLD),
            Role::Good => (Some(Color::Green), Modifier::empty()),
            Role::Accent => (Some(Color::Cyan), Modifier::BOLD),
            Role::Selected => (None, Modifier::REVERSED),
        };
        let style = Style::new().add_modifier(modifier);
        match color {
            Some(color) if self.colors => style.fg(color),
            _ => style,
        }
    }
}
