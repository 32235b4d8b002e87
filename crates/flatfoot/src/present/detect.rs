//! The judgement of a series, as text and as a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use detect::judge::Unit;
use model::{Bytes, State, Verdict, show};
use schemars::JsonSchema;
use serde::Serialize;

use super::Term;

/// `flatfoot detect --json`; a line each when there are several series.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DetectDocument {
    /// `flatfoot.detect/1`.
    pub(crate) schema: &'static str,
    /// The file it was read from; - is stdin.
    pub(crate) source: String,
    /// What names the series, as in Prometheus.
    pub(crate) labels: BTreeMap<String, String>,
    /// What it counts: bytes, count.
    pub(crate) unit: &'static str,
    /// The limit that `eta_s` is for.
    pub(crate) limit: Option<f64>,
    /// What it says. Times are the series' own seconds.
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

impl DetectDocument {
    pub(crate) fn new(
        source: &str,
        labels: BTreeMap<String, String>,
        unit: Unit,
        limit: Option<f64>,
        verdict: Verdict,
    ) -> Self {
        let unit = if unit == Unit::Bytes { "bytes" } else { "count" };
        Self { schema: "flatfoot.detect/1", source: source.to_owned(), labels, unit, limit, verdict }
    }

    /// For people.
    pub(crate) fn text(&self, term: Term) -> String {
        let verdict = &self.verdict;
        let word = verdict.state.word().replace('_', " ").to_uppercase();
        let word = match verdict.state {
            State::Leak => term.red(&word),
            State::Growing => term.bold(&word),
            _ => word,
        };
        let mut out = format!("{word}  {}\n  {}\n", self.name(), verdict.why);
        if let (Some(rate), Some((low, high))) = (verdict.rate_per_s, verdict.rate_interval) {
            let _ = writeln!(out, "  rate     {} (95 %: {} to {})", self.speed(rate), self.speed(low), self.speed(high));
        }
        for train in &verdict.cadence {
            let period = show::period(train.period_s);
            let _ = writeln!(out, "  cadence  one every {period}, {} events", show::count(train.events));
        }
        for change in &verdict.changes {
            let known = change.known.as_deref().map_or(String::new(), |what| format!(" ({what})"));
            let (before, after) = (self.speed(change.before_per_s), self.speed(change.after_per_s));
            let _ = writeln!(out, "  changed  at {:.0} s from {before} to {after}{known}", change.at_s);
        }
        if let (Some(eta), Some(limit)) = (verdict.eta_s, self.limit) {
            let _ = writeln!(out, "  limit    {} in {}", self.amount(limit), show::duration(eta));
        }
        let (samples, window) = (show::count(verdict.samples), show::duration(verdict.window_s));
        let _ = writeln!(out, "  judged   {samples} samples over {window}");
        out
    }

    fn name(&self) -> String {
        if self.labels.is_empty() {
            return self.source.clone();
        }
        let labels: Vec<String> = self.labels.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
        format!("{{{}}}", labels.join(", "))
    }

    fn speed(&self, per_s: f64) -> String {
        if self.unit == "bytes" { show::byte_rate(per_s) } else { show::rate(per_s) }
    }

    fn amount(&self, value: f64) -> String {
        if self.unit == "bytes" { show::bytes(Bytes(value as u64)) } else { show::count(value as u64) }
    }
}
