//! Colour, as far as the terminal and the user want it. Output reads as well without.

use std::io::IsTerminal as _;

use crate::cli::{ColorChoice, Output};

/// How to print.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // the flags of the command line, each by itself
pub(crate) struct Term {
    color: bool,
    /// Results only.
    pub(crate) quiet: bool,
    /// Statistics and sources, too.
    pub(crate) verbose: bool,
    /// JSON instead of text.
    pub(crate) json: bool,
}

impl Term {
    pub(crate) fn from_args(output: &Output) -> Self {
        let wanted = match output.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
                std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
            }
        };
        Self {
            color: wanted && !output.json,
            quiet: output.quiet,
            verbose: output.verbose,
            json: output.json,
        }
    }

    /// Is there to be colour?
    pub(crate) const fn has_color(self) -> bool {
        self.color
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }
}
