//! What flatfoot can see here, and what would let it see more.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::Term;

/// `flatfoot doctor --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DoctorDocument {
    /// `flatfoot.doctor/1`.
    pub(crate) schema: &'static str,
    /// Version of flatfoot.
    pub(crate) version: &'static str,
    /// Kernel release.
    pub(crate) kernel: String,
    /// Each thing that was tried.
    pub(crate) checks: Vec<Check>,
}

/// One thing that was tried.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Check {
    /// What.
    pub(crate) name: &'static str,
    /// How it went.
    pub(crate) state: CheckState,
    /// What was found.
    pub(crate) found: String,
    /// What would help; null when nothing is needed.
    pub(crate) hint: Option<String>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckState {
    /// All is there.
    Good,
    /// It works, with less detail.
    Limited,
    /// It does not work.
    Missing,
}

impl DoctorDocument {
    /// As text.
    pub(crate) fn text(&self, term: Term) -> String {
        let mut out = format!("flatfoot {} on Linux {}\n", self.version, self.kernel);
        let width = self.checks.iter().map(|c| c.name.len()).max().unwrap_or(0);
        for check in &self.checks {
            let (word, painted) = match check.state {
                CheckState::Good => ("ok", term.green("ok")),
                CheckState::Limited => ("limited", term.yellow("limited")),
                CheckState::Missing => ("missing", term.red("missing")),
            };
            let pad = 8usize.saturating_sub(word.len());
            let _ = writeln!(out, "{painted}{:pad$} {:<width$}  {}", "", check.name, check.found);
            if let Some(hint) = &check.hint {
                let _ = writeln!(out, "         {:<width$}  {} {hint}", "", term.bold("hint:"));
            }
        }
        out
    }
}
