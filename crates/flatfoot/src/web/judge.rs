//! Judges what is recorded, beside all requests: when there is a new look at a suspect, and else each minute.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use model::{Confidence, Pid};
use probe::Clock;
use store::history::{HistoryReader, Window};

use super::desk::{Common, Judged};
use super::events::{FindingsEvent, Told};
use super::pool::lock;
use super::served::By;
use crate::moment::Span;
use crate::source::{CaseSource, RecordedSource, Source};
use crate::views;

/// A day is judged.
const DAY_S: f64 = 86_400.0;
/// Without anything new.
const APART_S: f64 = 60.0;
/// How long the first look is waited for.
const FIRST_S: f64 = 3.0;
/// Findings whose times are remembered.
const MOST_SEEN: usize = 4_096;
/// And never more often; of a large store it takes longer, and is done the more seldom.
const LEAST_S: f64 = 2.0;
const SHARE: f64 = 10.0;

/// Until the server ends.
pub(super) fn judge(common: &Common) {
    let mut judge = Judge::default();
    while !common.ending.load(Ordering::Relaxed) {
        let now_s = Clock::monotonic();
        match judge.is_due(common, now_s) {
            Ok(true) => {
                let began_s = Clock::cpu_of_thread();
                let judged = judge.judge(common);
                judge.took_s = Clock::cpu_of_thread() - began_s;
                judge.last_s = Some(Clock::monotonic());
                if let Err(error) = judged {
                    judge.fail(common, error);
                }
            }
            Ok(false) => {}
            Err(error) => judge.fail(common, error),
        }
        Clock::sleep(if judge.last_s.is_none() { 0.05 } else { 0.25 });
    }
}

#[derive(Default)]
struct Judge {
    reader: Option<HistoryReader>,
    /// When it was judged last, and what that cost.
    last_s: Option<f64>,
    took_s: f64,
    /// The newest tick and look that were judged.
    tick_ms: i64,
    look: u64,
    /// What was said last: which finding of which process, and how sure.
    told: Vec<(String, Pid, Confidence)>,
    began_s: Option<f64>,
    seen: HashMap<(String, Pid), (f64, f64)>,
}

impl Judge {
    fn is_due(&mut self, common: &Common, now_s: f64) -> Result<bool> {
        let Some(last_s) = self.last_s else {
            // The recorder's first look comes just after its first tick.
            let began_s = *self.began_s.get_or_insert(now_s);
            let waits = common.served.by == By::Page && now_s - began_s < FIRST_S;
            return Ok(!waits || self.newest(common)?.1 > 0);
        };
        let since_s = now_s - last_s;
        if common.served.only_looks || since_s < LEAST_S.max(SHARE * self.took_s) {
            return Ok(false);
        }
        let (tick_ms, look) = self.newest(common)?;
        Ok(look != self.look || (tick_ms != self.tick_ms && since_s >= APART_S))
    }

    /// It is said, and tried again.
    fn fail(&mut self, common: &Common, error: anyhow::Error) {
        self.reader = None;
        self.tick_ms = i64::MIN;
        common.take_judged(Err(error));
    }

    /// The newest tick, and the newest look.
    fn newest(&mut self, common: &Common) -> Result<(i64, u64)> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(common.served.open()?),
        };
        let tick_ms = reader.coverage()?.last().map_or(0, |last| last.last_unix_ms);
        let look = reader.looks(Window::ALL)?.iter().map(|look| look.id + 1).max().unwrap_or(0);
        Ok((tick_ms, look))
    }

    fn judge(&mut self, common: &Common) -> Result<()> {
        let path = &common.served.path;
        (self.tick_ms, self.look) = self.newest(common)?;
        let source: Box<dyn Source> = if common.served.only_looks {
            Box::new(CaseSource::open(path)?)
        } else {
            let to = self.tick_ms as f64 / 1e3;
            Box::new(RecordedSource::open(path, Some(Span { from: to - DAY_S, to: to + 1.0 }))?)
        };
        let outcome = views::diagnosis(source, Vec::new())?;
        let at_unix_s = match self.tick_ms {
            _ if common.is_live() => Clock::wall(),
            // Of looks alone the last is what is judged.
            0 => outcome.analyser.at_unix_s(),
            tick_ms => tick_ms as f64 / 1e3,
        };
        let findings = &outcome.diagnosis.findings;
        if self.seen.len() > MOST_SEEN {
            let is_there = |(id, pid): &(String, Pid)| {
                findings.iter().any(|finding| finding.id == *id && finding.process.pid == *pid)
            };
            self.seen.retain(|of, _| is_there(of));
        }
        for finding in findings {
            let of = (finding.id.clone(), finding.process.pid);
            let seen = self.seen.entry(of).or_insert((at_unix_s, at_unix_s));
            seen.1 = at_unix_s;
        }
        let mut told: Vec<(String, Pid, Confidence)> =
            findings.iter().map(|f| (f.id.clone(), f.process.pid, f.confidence)).collect();
        told.sort_unstable();
        let news = FindingsEvent {
            judged_at: at_unix_s,
            findings: findings.iter().map(|f| Told { id: f.id.clone(), pid: f.process.pid.0 }).collect(),
        };
        {
            let mut board = lock(&common.board);
            board.learn(&outcome.analyser, findings, true);
        }
        let is_new = self.last_s.is_none() || told != self.told;
        self.told = told;
        common.take_judged(Ok(Judged { at_unix_s, outcome, seen: self.seen.clone() }));
        if is_new {
            common.teller.send_modify(|all| all.findings = Some(Arc::new(news)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use model::{BootId, Event, EventKind, ProcessNo, Tick};
    use store::About;
    use store::history::{HistoryWriter, Retention};
    use tokio::sync::watch;

    use super::*;
    use crate::web::events::News;
    use crate::web::served::Served;

    #[test]
    fn what_cannot_be_judged_is_said_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.flatfoot");
        let mut writer = HistoryWriter::open(&path, &About::default(), Retention::default()).unwrap();
        let started = EventKind::RecorderStarted { version: "0".into(), boot: BootId(1), interval_ms: 1_000 };
        for second in 0..5_u64 {
            let at_boot_ms = 1_000 * (second + 1);
            let event = Event { at_boot_ms, process: ProcessNo::HOST, what: started.clone() };
            let events = if second == 0 { vec![event] } else { Vec::new() };
            let at_unix_ms = 1_760_000_000_000 + at_boot_ms as i64;
            writer.tick(&Tick { at_unix_ms, at_boot_ms, events, ..Tick::default() }).unwrap();
        }
        writer.close().unwrap();
        let (served, _) = Served::choose(None, Some(&path), 1.0).unwrap();
        let common = Common::new(served, watch::channel(News::default()).0);
        let aside = folder.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        let mut judge = Judge::default();
        for _ in 0..3 {
            let error = judge.judge(&common).unwrap_err();
            judge.fail(&common, error);
        }
        let said = common.not_judged();
        assert!(
            said.len() == 1 && said[0].starts_with("not judged now: ") && said[0].contains("h.flatfoot"),
            "{said:?}"
        );
        assert_eq!(common.judgements(), 1, "what is kept stays good while nothing changes");
        std::fs::rename(&aside, &path).unwrap();
        judge.judge(&common).unwrap();
        assert!(
            common.judged().is_some()
                && !common.not_judged().iter().any(|line| line.starts_with("not judged now"))
        );
    }
}
