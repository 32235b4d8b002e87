//! What a recorder says: one line for each change, or one JSON object. Data goes to stdout, remarks to stderr.
//!
//! ```text
//! 2026-03-01T09:12:40Z  LEAK     java[3248] torquebox  threads, +1.0/min (with resident_bytes): a rise of 64 …
//! {"schema":"flatfoot.record/1","at":"2026-03-01T09:12:40Z","event":"verdict","process":{…},"column":"threads",…}
//! ```

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use model::{Bytes, Column, EventKind, Finding, State, Tick, show};
use probe::Clock;
use serde::Serialize;

use super::lines::{Line, RecordEvent, Said, SharedEvent};
use super::told::Told;
use super::watch::{Change, Watch, Who};
use crate::present::{self, Term, time::rfc3339};

/// Says things.
#[derive(Debug)]
pub(crate) struct Reporter {
    term: Term,
    schema: &'static str,
    told: Told,
    silent: bool,
}

impl Reporter {
    /// Says things of a document's kind: `flatfoot.record/1`.
    pub(crate) fn new(term: Term, schema: &'static str) -> Self {
        Self { term, schema, told: Told::default(), silent: false }
    }

    /// Says nothing at all.
    pub(crate) fn silent(term: Term) -> Self {
        Self { term, schema: "", told: Told::default(), silent: true }
    }

    pub(crate) fn began(&self, path: &Path, interval_s: f64, damage: &[store::Error]) -> Result<()> {
        let path = model::Text::from_bytes(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
        let damage: Vec<String> = damage.iter().map(ToString::to_string).collect();
        if self.term.json {
            let store = path.as_str().to_owned();
            return self.own(RecordEvent::Started { store, interval_s, damage });
        }
        self.remark(&format!("Recording into {path}, each {}. Ctrl-C ends it.", show::period(interval_s)));
        for one in damage {
            self.warning(&one);
        }
        Ok(())
    }

    /// A judgement changed. What a finding has told already is not told twice.
    pub(crate) fn change(&mut self, change: &Change) -> Result<()> {
        if self.silent || !self.told.is_news(change) {
            return Ok(());
        }
        if self.term.json {
            return self.shared(change.at_unix_s, change.into());
        }
        let verdict = &change.verdict;
        let word = match (verdict.state, verdict.confirmed) {
            (State::Leak, true) => self.term.red("LEAK    "),
            (State::Leak, false) => self.term.red("LEAK?   "),
            (State::Growing, _) => self.term.yellow("GROWING "),
            (State::Stopped, _) => self.term.green("STOPPED "),
            (state, _) => format!("{:8}", state.word().replace('_', " ").to_uppercase()),
        };
        let rate = verdict.rate_per_s.map(|rate| format!(", {}", rate_of(change.column, rate)));
        let with: Vec<String> = change.with.iter().map(|column| column.name()).collect();
        let with = if with.is_empty() { String::new() } else { format!(" (with {})", with.join(", ")) };
        present::print(&format!(
            "{}  {word} {}  {}{}{with}: {}\n",
            rfc3339(change.at_unix_s),
            name(&change.who),
            change.column.name(),
            rate.unwrap_or_default(),
            verdict.why
        ))
    }

    /// What a closer look found, unless a judgement said so already.
    pub(crate) fn finding(&mut self, finding: &Finding) -> Result<()> {
        if self.silent || !self.told.is_new_finding(finding) {
            return Ok(());
        }
        if self.term.json {
            return self.shared(Clock::wall(), SharedEvent::Finding { finding: Box::new(finding.clone()) });
        }
        let label = finding.process.label.as_ref().map(|label| format!(" {label}")).unwrap_or_default();
        present::print(&format!(
            "{}  {}  {}[{}]{label}  {}  {}\n",
            rfc3339(Clock::wall()),
            self.term.red(&finding.kind.title()),
            finding.process.name,
            finding.process.pid,
            present::diagnosis::headline(finding),
            finding.confidence.label(),
        ))
    }

    /// What happened to time itself; everything else is in the store.
    pub(crate) fn events(&self, tick: &Tick) -> Result<()> {
        for event in &tick.events {
            let (what, text) = match &event.what {
                EventKind::ClockSet { by_ms } => {
                    let by_s = *by_ms as f64 / 1e3;
                    (SharedEvent::ClockSet { by_s }, format!("the clock was set by {by_s:+.1} s"))
                }
                EventKind::Slept { for_ms } => {
                    let for_s = *for_ms as f64 / 1e3;
                    let text = format!(
                        "nothing is known of {}: the host slept, or the recorder was stopped or got no processor",
                        show::duration(for_s)
                    );
                    (SharedEvent::Slept { for_s }, text)
                }
                _ => continue,
            };
            if self.term.json {
                self.shared(tick.at_unix_ms as f64 / 1e3, what)?;
            } else {
                self.remark(&text);
            }
        }
        Ok(())
    }

    pub(crate) fn stretched(&self, interval_s: f64, asked_s: f64) -> Result<()> {
        if self.term.json {
            return self.own(RecordEvent::Interval { interval_s, asked_s });
        }
        let each = show::period(interval_s);
        if interval_s > asked_s {
            self.remark(&format!(
                "a tick costs more than its share of a processor: one each {each} from now on"
            ));
        } else {
            self.remark(&format!("ticks are cheap again: one each {each}"));
        }
        Ok(())
    }

    pub(crate) fn failing(&self, error: &store::Error) -> Result<()> {
        if self.term.json {
            let hint = error.hint().map(ToString::to_string);
            return self.own(RecordEvent::Failing { error: error.to_string(), hint });
        }
        self.warning(&format!("{error}; recording goes on, and is tried again with each tick"));
        if let Some(hint) = error.hint() {
            self.warning_hint(hint);
        }
        Ok(())
    }

    pub(crate) fn resumed(&self, ticks: u64) -> Result<()> {
        if self.term.json {
            return self.own(RecordEvent::Resumed { ticks });
        }
        self.remark(&format!("the store can be written again, after {ticks} ticks that it kept in memory"));
        Ok(())
    }

    pub(crate) fn ended(&self, watch: &Watch, troubled: u64) -> Result<()> {
        let (ticks, seconds, processes) = watch.totals();
        let standing = watch.standing();
        let of = |state| standing.get(&state).copied().unwrap_or(0);
        let cpu_s = Clock::cpu();
        if self.term.json {
            return self.own(RecordEvent::Stopped {
                ticks,
                seconds,
                processes,
                own_cpu_s: cpu_s,
                leaks: of(State::Leak),
                growing: of(State::Growing),
                ticks_in_trouble: troubled,
            });
        }
        self.remark(&format!(
            "Recorded {ticks} ticks of {processes} processes in {}: {} leaks, {} growing; own cost {cpu_s:.2} s of CPU",
            show::duration(seconds),
            of(State::Leak),
            of(State::Growing),
        ));
        Ok(())
    }

    /// What only one command says, as a JSON object of now.
    pub(crate) fn own<E: Serialize>(&self, event: E) -> Result<()> {
        self.line(Clock::wall(), Said::Own(event))
    }

    fn shared(&self, at_unix_s: f64, event: SharedEvent) -> Result<()> {
        self.line(at_unix_s, Said::<()>::Shared(Box::new(event)))
    }

    fn line<E: Serialize>(&self, at_unix_s: f64, what: Said<E>) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        let line = Line { schema: self.schema, at: rfc3339(at_unix_s), what };
        present::print(&format!("{}\n", serde_json::to_string(&line)?))
    }

    /// Said unless it was asked to be quiet.
    pub(crate) fn remark(&self, text: &str) {
        if !self.term.quiet && !self.silent {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// Said also to who wants it quiet.
    fn warning(&self, text: &str) {
        if self.silent {
            return;
        }
        let _ = writeln!(std::io::stderr().lock(), "{} {text}", self.term.yellow("warning:"));
    }

    fn warning_hint(&self, text: &str) {
        if self.silent {
            return;
        }
        let _ = writeln!(std::io::stderr().lock(), "{} {text}", self.term.bold("   hint:"));
    }
}

fn name(who: &Who) -> String {
    let label = who.label.as_ref().map(|label| format!(" {label}")).unwrap_or_default();
    format!("{}[{}]{label}", who.name, who.pid)
}

/// `+1.0/min` of things, `+2.0 MiB/h` of bytes.
fn rate_of(column: Column, per_s: f64) -> String {
    if column.name().ends_with("_bytes") {
        format!("+{}/h", show::bytes(Bytes((per_s.max(0.0) * 3_600.0) as u64)))
    } else {
        format!("+{}", show::rate(per_s).trim_start_matches('+'))
    }
}
