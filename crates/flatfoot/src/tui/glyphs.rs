//! Which characters are drawn: those of a UTF-8 terminal, or ASCII alone.
//!
//! Everything that reaches the screen goes through [`Glyphs::clean`], so a process named `a\x1b[2J` is drawn as
//! `a\x1b[2J` in letters and drives no terminal, and a terminal without UTF-8 never gets a byte above 126.

use std::borrow::Cow;

use model::Text;

/// The characters that are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Glyphs {
    #[default]
    Unicode,
    Ascii,
}

impl Glyphs {
    /// What was asked for, or what the locale says: the first of LC_ALL, LC_CTYPE and LANG that is set decides. The
    /// kernel's own console has no letters for a sparkline, whatever the locale.
    pub(crate) fn choose(ascii: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
            .unwrap_or_default()
            .to_ascii_lowercase();
        let console = variable("TERM").is_some_and(|term| term == "linux");
        if ascii || console || !(locale.contains("utf-8") || locale.contains("utf8")) {
            Self::Ascii
        } else {
            Self::Unicode
        }
    }

    /// A text as it may be shown.
    pub(crate) fn clean(self, text: &str) -> Cow<'_, str> {
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Cow::Borrowed(text);
        }
        let shown = Text::from(text).to_string();
        match self {
            Self::Unicode => Cow::Owned(shown),
            Self::Ascii => Cow::Owned(ascii(&shown)),
        }
    }

    /// Levels of a sparkline, the lowest first.
    pub(crate) const fn levels(self) -> &'static [&'static str] {
        match self {
            Self::Unicode => &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
            Self::Ascii => &["_", ".", "-", "=", "+", "*", "#"],
        }
    }

    /// A line across.
    pub(crate) const fn across(self) -> &'static str {
        match self {
            Self::Unicode => "─",
            Self::Ascii => "-",
        }
    }

    /// A line down.
    pub(crate) const fn down(self) -> &'static str {
        match self {
            Self::Unicode => "│",
            Self::Ascii => "|",
        }
    }

    /// Where a text was cut.
    pub(crate) const fn cut(self) -> &'static str {
        match self {
            Self::Unicode => "…",
            Self::Ascii => "~",
        }
    }

    /// Before what is selected.
    pub(crate) const fn pointer(self) -> &'static str {
        match self {
            Self::Unicode => "▶",
            Self::Ascii => ">",
        }
    }

    /// Beside the column that orders.
    pub(crate) const fn descending(self) -> &'static str {
        match self {
            Self::Unicode => "▼",
            Self::Ascii => "v",
        }
    }

    /// The full and the empty part of a bar.
    pub(crate) const fn bar(self) -> (&'static str, &'static str) {
        match self {
            Self::Unicode => ("█", "░"),
            Self::Ascii => ("#", "."),
        }
    }

    /// Where a prompt takes the next letter.
    pub(crate) const fn caret(self) -> &'static str {
        match self {
            Self::Unicode => "█",
            Self::Ascii => "_",
        }
    }
}

/// What our own texts use beside ASCII, as people write it without; anything else is a question mark.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            '×' => out.push('x'),
            '·' | '–' | '—' | '─' => out.push('-'),
            '…' => out.push_str("..."),
            '±' => out.push_str("+-"),
            '→' => out.push_str("->"),
            '←' => out.push_str("<-"),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            '≈' => out.push('~'),
            'µ' => out.push('u'),
            '✓' => out.push_str("ok"),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_locale_decides_unless_ascii_was_asked_for() {
        let with = |set: &'static [(&str, &str)]| {
            move |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        };
        let of = |set| Glyphs::choose(false, with(set));
        assert_eq!(of(&[("LANG", "de_DE.UTF-8")]), Glyphs::Unicode);
        assert_eq!(of(&[("LANG", "C.utf8")]), Glyphs::Unicode);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]), Glyphs::Ascii);
        assert_eq!(of(&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")]), Glyphs::Unicode);
        assert_eq!(of(&[]), Glyphs::Ascii);
        assert_eq!(of(&[("LANG", "C.UTF-8"), ("TERM", "linux")]), Glyphs::Ascii);
        assert_eq!(of(&[("LANG", "C.UTF-8"), ("TERM", "screen")]), Glyphs::Unicode);
        assert_eq!(Glyphs::choose(true, with(&[("LANG", "C.UTF-8")])), Glyphs::Ascii);
    }

    #[test]
    fn own_signs_have_their_ascii() {
        let clean = |text| Glyphs::Ascii.clean(text).into_owned();
        assert_eq!(clean("1,550 × pool-*-thread-1 · ±0.1 → 40…"), "1,550 x pool-*-thread-1 - +-0.1 -> 40...");
        assert_eq!(clean("日本"), "??");
        assert_eq!(Glyphs::Unicode.clean("日本"), "日本");
    }

    proptest! {
        #[test]
        fn nothing_that_drives_a_terminal_is_left(text in any::<String>()) {
            let hidden = |c: &char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c);
            prop_assert_eq!(Glyphs::Unicode.clean(&text).chars().find(hidden), None);
            prop_assert!(Glyphs::Ascii.clean(&text).bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
    }
}
