//! The host's processes at a moment, as the live view and the page list them: kept up to date by ticks, whether they come
//! from a sampler just now or from a recorder's store.
//!
//! ```text
//! ticks ──► Board ──► rows in the order asked for, each with a sparkline
//!             ▲
//! findings ───┘       what a diagnosis concluded: what grows, how fast, which limit is next
//! ```

mod figures;
mod growth;
mod past;
mod spark;

use std::collections::{BTreeMap, HashMap};

use model::{Finding, Incarnation, Limit, Look, ProcessKey, ProcessNo, ProcessRef, Tick};
use serde::Serialize;

use crate::analyse::Analyser;
use crate::cli::TopOrder;
use crate::present::time::rfc3339;
use crate::present::top::{NextLimit, TopRow};
use crate::source::named;
use figures::Figures;
pub(crate) use figures::{HostFigures, Memory};
pub(crate) use growth::{Growing, next_limit, row, surest, threads_per_s, weight};
pub(crate) use past::at;
pub(crate) use spark::Spark;
use spark::{Pace, Ring};

/// Processes that are kept after their end, so that a list does not jump under a reader's eyes.
const MOST_ENDED: usize = 64;

/// The processes of a host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    at_unix_ms: i64,
    at_boot_ms: u64,
    host: HostFigures,
    members: BTreeMap<ProcessNo, Member>,
    learned: HashMap<ProcessKey, Learned>,
    pace: Pace,
}

/// One process.
#[derive(Clone, Debug)]
struct Member {
    who: Box<Incarnation>,
    figures: Figures,
    memory: Ring,
    threads: Ring,
    ended: bool,
}

/// What a diagnosis concluded of a process.
#[derive(Clone, Debug, Default)]
struct Learned {
    finding: Option<Finding>,
    limit: Option<NextLimit>,
}

/// A process as it is listed.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct BoardRow {
    /// `PID-START`, START in clock ticks since boot: never the same for two processes of a boot.
    pub(crate) id: String,
    /// Its figures.
    #[serde(flatten)]
    pub(crate) row: TopRow,
    /// Has it ended?
    pub(crate) ended: bool,
    /// What it looked like before.
    pub(crate) spark: Spark,
}

impl Board {
    /// Takes the next tick. Ticks of another boot begin anew.
    pub(crate) fn take(&mut self, tick: &Tick) {
        if tick.at_boot_ms < self.at_boot_ms {
            self.members.clear();
        }
        (self.at_unix_ms, self.at_boot_ms) = (tick.at_unix_ms, tick.at_boot_ms);
        for event in &tick.events {
            match &event.what {
                model::EventKind::ProcessSeen(who) | model::EventKind::ProcessRenamed(who) => {
                    self.meet(event.process, who);
                }
                _ => {}
            }
        }
        for (no, values) in tick.by_process() {
            if no == ProcessNo::HOST {
                self.host.take(values);
            } else if let Some(member) = self.members.get_mut(&no) {
                member.figures.take(values);
            }
        }
        for event in &tick.events {
            if event.what == model::EventKind::ProcessEnded
                && let Some(member) = self.members.get_mut(&event.process)
            {
                member.ended = true;
            }
        }
        self.forget();
        self.draw();
    }

    /// Takes a look of a case file as if it were a tick.
    pub(crate) fn take_look(&mut self, look: &Look) {
        let before = (self.at_unix_ms, self.at_boot_ms);
        (self.at_unix_ms, self.at_boot_ms) = ((look.at_unix_s * 1e3) as i64, (look.at_boot_s * 1e3) as u64);
        if self.at_unix_ms < before.0 {
            (self.at_unix_ms, self.at_boot_ms) = before;
        }
        self.host.take_reading(&look.host);
        for reading in look.processes.iter().filter(|one| !one.stat.is_kernel_thread()) {
            let known = self.members.iter().find(|(_, member)| member.who.key == reading.key);
            let no = known.map_or_else(|| self.next_no(), |(no, _)| *no);
            let seconds = reading.stat.start.seconds(look.host.ticks_per_second);
            let who = past::incarnation(reading, look.host.unix_from_boot(seconds));
            self.meet(no, &who);
            if let Some(member) = self.members.get_mut(&no) {
                member.figures = Figures::of(reading);
            }
        }
        self.draw();
    }

    /// The moment of the last tick.
    pub(crate) fn at_unix_s(&self) -> f64 {
        self.at_unix_ms as f64 / 1e3
    }

    /// The host at that moment.
    pub(crate) fn host(&self) -> &HostFigures {
        &self.host
    }

    /// Takes over what a diagnosis concluded of the board before.
    pub(crate) fn remember(&mut self, before: Self) {
        self.learned = before.learned;
    }

    /// How many processes there are.
    pub(crate) fn len(&self) -> usize {
        self.members.values().filter(|member| !member.ended).count()
    }

    /// Takes what a diagnosis concluded; of everybody: what was concluded before is forgotten.
    pub(crate) fn learn(&mut self, analyser: &Analyser, findings: &[Finding], everybody: bool) {
        if everybody {
            self.learned.clear();
        }
        let mut found = surest(findings.to_vec());
        for (key, tracked) in &analyser.processes {
            let finding = found.remove(&key.pid);
            let limits: Vec<Limit> = analyser.limits_at(tracked, threads_per_s(finding.as_ref()));
            self.learned.insert(*key, Learned { finding, limit: next_limit(&limits) });
        }
    }

    /// The processes that fit a filter (part of name, label, command or pid), in an order. Cheap beside [`row`](Self::row):
    /// what is not shown need not be made. Who has ended comes last.
    pub(crate) fn order(&self, by: TopOrder, filter: &str) -> Vec<ProcessNo> {
        let filter = filter.to_lowercase();
        let mut order: Vec<(bool, f64, u64, u32, ProcessNo)> = self
            .members
            .iter()
            .filter(|(_, member)| filter.is_empty() || member.fits(&filter))
            .map(|(no, member)| {
                let memory = member.figures.memory();
                let first = match by {
                    TopOrder::Growth => self.finding(member).map_or(0.0, weight),
                    TopOrder::Commit => memory.committed.0 as f64,
                    TopOrder::Rss => memory.resident.0 as f64,
                    TopOrder::Untouched => memory.untouched.0 as f64,
                    TopOrder::Threads => member.figures.threads as f64,
                };
                (member.ended, first, memory.untouched.0, member.who.key.pid.0, *no)
            })
            .collect();
        order.sort_by(|a, b| {
            (a.0.cmp(&b.0)).then(b.1.total_cmp(&a.1)).then(b.2.cmp(&a.2)).then(a.3.cmp(&b.3))
        });
        order.into_iter().map(|(.., no)| no).collect()
    }

    /// One process with its last `spark` values at most; `None` when it is not there any more.
    pub(crate) fn row(&self, no: ProcessNo, spark: usize) -> Option<BoardRow> {
        let member = self.members.get(&no)?;
        let key = member.who.key;
        let finding = self.finding(member);
        let threads = finding.is_some_and(|finding| finding.kind == model::FindingKind::ThreadLeak);
        let limit = self.learned.get(&key).and_then(|learned| learned.limit.clone());
        let spark = if threads {
            member.threads.last("count", self.pace, spark)
        } else {
            member.memory.last("bytes", self.pace, spark)
        };
        Some(BoardRow {
            id: id(key),
            row: TopRow {
                jvm: member.figures.jvm(),
                ..row(member.process(), member.figures.memory(), member.figures.threads, finding, limit)
            },
            ended: member.ended,
            spark,
        })
    }

    /// The process of an id, or of a bare pid the newest.
    pub(crate) fn find(&self, id: &str) -> Option<ProcessNo> {
        let fits = |member: &&Member| match id.split_once('-') {
            Some(_) => self::id(member.who.key) == id,
            None => member.who.key.pid.to_string() == id,
        };
        let newest = |(_, member): &(&ProcessNo, &Member)| member.who.key.start;
        self.members.iter().filter(|(_, member)| fits(member)).max_by_key(newest).map(|(no, _)| *no)
    }

    /// Has it ended, or is it not known any more?
    pub(crate) fn has_ended(&self, no: ProcessNo) -> bool {
        self.members.get(&no).is_none_or(|member| member.ended)
    }

    /// Who it is.
    pub(crate) fn who(&self, no: ProcessNo) -> Option<&Incarnation> {
        self.members.get(&no).map(|member| &*member.who)
    }

    fn finding(&self, member: &Member) -> Option<&Finding> {
        self.learned.get(&member.who.key)?.finding.as_ref()
    }

    fn meet(&mut self, no: ProcessNo, who: &Incarnation) {
        match self.members.get_mut(&no) {
            Some(member) => *member.who = who.clone(),
            None => {
                let member = Member {
                    who: Box::new(who.clone()),
                    figures: Figures::default(),
                    memory: Ring::default(),
                    threads: Ring::default(),
                    ended: false,
                };
                self.members.insert(no, member);
            }
        }
    }

    fn next_no(&self) -> ProcessNo {
        ProcessNo(self.members.last_key_value().map_or(1, |(no, _)| no.0.saturating_add(1)))
    }

    /// The ended ones but the newest.
    fn forget(&mut self) {
        let ended: Vec<ProcessNo> =
            self.members.iter().filter(|(_, member)| member.ended).map(|(no, _)| *no).collect();
        for no in ended.iter().take(ended.len().saturating_sub(MOST_ENDED)) {
            if let Some(member) = self.members.remove(no) {
                self.learned.remove(&member.who.key);
            }
        }
    }

    fn draw(&mut self) {
        if !self.pace.is_due(self.at_boot_ms) {
            return;
        }
        if self.pace.is_full() {
            self.pace.halve();
            for member in self.members.values_mut() {
                member.memory.halve();
                member.threads.halve();
            }
        }
        for member in self.members.values_mut().filter(|member| !member.ended) {
            member.memory.push(member.figures.memory().committed.0 >> 10);
            member.threads.push(member.figures.threads);
        }
        self.pace.drawn();
    }
}

impl Member {
    fn fits(&self, lowercase: &str) -> bool {
        let Incarnation { key, name, identity, .. } = &*self.who;
        let has = |text: &str| text.to_lowercase().contains(lowercase);
        has(name.as_str())
            || key.pid.to_string().contains(lowercase)
            || has(identity.command.as_str())
            || identity.unit.as_ref().is_some_and(|unit| has(unit.as_str()))
            || identity.container.as_ref().is_some_and(|container| has(container.as_str()))
    }

    fn process(&self) -> ProcessRef {
        ProcessRef {
            pid: self.who.key.pid,
            name: self.who.name.clone(),
            started: rfc3339(self.who.started_unix_s),
            label: crate::analyse::label(&named(&self.who)),
        }
    }
}

/// The id of a process in the page's API.
pub(crate) fn id(key: ProcessKey) -> String {
    format!("{}-{}", key.pid, key.start.0)
}

#[cfg(test)]
mod tests;
