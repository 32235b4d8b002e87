//! A diagnosis as one HTML file: to be attached to a ticket, opened anywhere, printed.
//!
//! Nothing in it is run and nothing is loaded: no script, no reference to another file, the charts are drawn here. What came
//! from outside goes in through [`writer::Html`] alone, which escapes it.

mod births;
mod chart;
mod finding;
mod host;
mod icicle;
mod lives;
mod memory;
mod past;
mod scale;
mod writer;

use model::{Finding, FindingKind, Pid, ProcessRef};

use super::redact::Redactor;
use super::{diagnosis as words, report};
use crate::analyse::{Analyser, Diagnosis, Tracked};
use writer::Html;

/// Processes with charts.
const MOST_PROCESSES: usize = 6;
/// Nothing but what is in the file may be used, and nothing of it may run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// What the report is made of.
pub(crate) struct Report<'a> {
    /// What was concluded, redacted already.
    pub(crate) diagnosis: &'a Diagnosis,
    /// What it was concluded from, for the charts.
    pub(crate) analyser: &'a Analyser,
    /// The processes that were asked for; nobody for a whole host.
    pub(crate) names: &'a [String],
    /// For what of the readings is shown besides; `None` to show all of it.
    pub(crate) redactor: Option<&'a Redactor>,
}

impl Report<'_> {
    /// The document.
    pub(crate) fn html(&self) -> String {
        let mut html = Html::default();
        let title = format!("flatfoot on {}", self.diagnosis.host.name);
        html.own("<!DOCTYPE html>\n");
        html.within("html", &[("lang", "en")], |html| {
            html.within("head", &[], |html| {
                html.void("meta", &[("charset", "utf-8")]);
                html.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
                html.void(
                    "meta",
                    &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")],
                );
                html.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
                html.say("title", &[], &title);
                html.within("style", &[], |html| html.own(include_str!("style.css")));
            });
            html.within("body", &[], |html| {
                html.within("header", &[], |html| self.head(html, &title));
                html.within("main", &[], |html| self.body(html));
                html.within("footer", &[], |html| self.foot(html));
            });
        });
        html.finish()
    }

    fn head(&self, html: &mut Html, title: &str) {
        let findings = &self.diagnosis.findings;
        html.say("h1", &[], title);
        html.say("p", &[], &report::looked_at(self.diagnosis));
        html.say("p", &[("class", "dim")], &report::memory_of(&self.diagnosis.host));
        if findings.is_empty() {
            html.say("p", &[("class", "lead")], &report::nothing(self.diagnosis, self.names));
        }
        if findings.len() > 1 {
            html.within("nav", &[("aria-label", "Findings")], |html| {
                html.within("ul", &[], |html| {
                    for (at, finding) in findings.iter().enumerate() {
                        html.within("li", &[], |html| contents(html, at, finding));
                    }
                });
            });
        }
    }

    fn body(&self, html: &mut Html) {
        let mut drawn: Vec<Pid> = Vec::new();
        for (at, finding) in self.diagnosis.findings.iter().enumerate() {
            let pid = finding.process.pid;
            html.within("section", &[("class", "finding"), ("id", &anchor(at))], |html| {
                finding::summary(html, finding, &self.diagnosis.host);
                let tracked = self.analyser.by_pid(pid);
                if let Some(tracked) = tracked {
                    self.births(html, finding, tracked);
                }
                finding::created(html, finding, tracked);
                icicle::stacks(html, finding);
                finding::reasons(html, finding);
                let Some(tracked) = tracked.filter(|_| !drawn.contains(&pid)) else { return };
                if drawn.len() >= MOST_PROCESSES {
                    let more = format!("Charts: flatfoot report {pid} -o {pid}.html");
                    html.say("p", &[("class", "dim")], &more);
                    return;
                }
                drawn.push(pid);
                self.process(html, tracked);
            });
        }
        // Who was asked for is shown, suspicious or not; a case file of few was asked for those.
        let many = self.names.is_empty() && self.analyser.processes.len() > MOST_PROCESSES;
        for tracked in self.analyser.processes.values().filter(|_| !many) {
            if drawn.len() < MOST_PROCESSES && !drawn.contains(&tracked.reading.key.pid) {
                drawn.push(tracked.reading.key.pid);
                html.within("section", &[], |html| {
                    html.say("h2", &[], &words::called(&self.called(self.analyser.process_ref(tracked))));
                    self.process(html, tracked);
                });
            }
        }
        if many || host::has_past(self.analyser) {
            html.within("section", &[], |html| {
                html.say("h2", &[], "The host");
                host::memory(html, self.analyser);
                if many {
                    host::processes(html, self.analyser, |process| self.called(process));
                }
            });
        }
    }

    fn births(&self, html: &mut Html, finding: &Finding, tracked: &Tracked) {
        if finding.kind != FindingKind::ThreadLeak {
            return;
        }
        if let Some(births) =
            lives::Births::of(finding, tracked, &self.analyser.host, |text| self.plain(text))
        {
            html.within("div", &[("class", "charts")], |html| {
                html.within("div", &[], |html| births::threads(html, finding, &births));
                html.within("div", &[], |html| births::raster(html, finding, &births));
            });
        }
    }

    fn process(&self, html: &mut Html, tracked: &Tracked) {
        let host = &self.analyser.host;
        html.within("div", &[("class", "charts")], |html| {
            if let Some(memory) = &tracked.memory {
                html.within("div", &[], |html| memory::classes(html, memory));
            }
            html.within("div", &[], |html| past::memory(html, tracked.history(), host));
            past::figures(html, tracked.history(), host);
        });
        past::classes(html, tracked.censuses(), host);
    }

    fn foot(&self, html: &mut Html) {
        let diagnosis = self.diagnosis;
        html.say("h2", &[], "Around it");
        let died = diagnosis.died_before.iter().map(|death| {
            let when = death.when.as_ref().map_or_else(String::new, |when| format!("{when} "));
            format!("{when}{} ({})", death.what, death.source)
        });
        finding::list(html, "Died before", died);
        finding::list(html, "Not judged", diagnosis.not_judged.iter().cloned());
        html.say("h3", &[], "Impact");
        html.say("p", &[], &words::impact(&diagnosis.impact, &diagnosis.origin));
        html.say("h3", &[], "Redacted");
        match self.redactor {
            None => html.say("p", &[], "Nothing: this report was made with --no-redact."),
            Some(redactor) => {
                let redacted = redactor.redacted();
                html.say("p", &[], redacted.what);
                html.say("p", &[], &report::different(&redacted));
            }
        }
        let made = format!("Made by flatfoot {} ({}).", diagnosis.version, diagnosis.schema);
        html.say("p", &[], &made);
    }

    /// A process as it is called here.
    fn called(&self, mut process: ProcessRef) -> ProcessRef {
        if let Some(redactor) = self.redactor {
            redactor.process(&mut process, self.analyser);
        }
        process
    }

    fn plain(&self, text: &str) -> String {
        self.redactor.map_or_else(|| text.to_owned(), |redactor| redactor.text(text))
    }
}

/// Where a finding begins.
fn anchor(at: usize) -> String {
    format!("finding-{}", at + 1)
}

fn contents(html: &mut Html, at: usize, finding: &Finding) {
    let target = format!("#{}", anchor(at));
    let name = format!("{}: {}, {}", finding.kind.title(), words::process(finding), words::headline(finding));
    html.say("a", &[("href", &target)], &name);
}
