//! Progress of long work, on stderr, and only when a person sees it.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that fills while a target is watched.
pub(crate) struct Countdown {
    bar: Option<ProgressBar>,
    total_s: f64,
}

impl Countdown {
    /// Starts a bar for `total_s` seconds; none for less than two seconds, or when stderr is no terminal.
    pub(crate) fn start(total_s: f64) -> Self {
        Self::start_with(total_s, "watching  {bar:30}  {pos} of {len} s, Ctrl-C judges what is seen so far")
    }

    /// The same in other words, a template of indicatif's.
    pub(crate) fn start_with(total_s: f64, template: &str) -> Self {
        let bar = (total_s >= 2.0 && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(total_s.ceil() as u64);
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, total_s }
    }

    /// So many seconds have passed.
    pub(crate) fn at(&self, elapsed_s: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position(elapsed_s.min(self.total_s) as u64);
        }
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
