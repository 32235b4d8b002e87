//! Watches every series that a leak would show in, and says when the judgement changes.
//!
//! Each series has a [`Tracker`]: some hundred bytes while nothing moves. Series of one process that grow for one cause
//! are one change. Once the judgement says more than Growing, the process is looked at in full, as `diagnose` does, so
//! that the store holds the evidence of that moment.

use std::collections::{BTreeMap, HashMap, VecDeque};

use detect::judge::{Context, Tracker, Unit, related};
use model::{Column, EventKind, Incarnation, Pid, ProcessNo, SeriesVerdict, State, Text, Tick};

/// What is watched: what a leak is made of, and how it is counted.
const WATCHED: [(Column, Unit); 8] = [
    (Column::Threads, Unit::Count),
    (Column::Descriptors, Unit::Count),
    (Column::Children, Unit::Count),
    (Column::Zombies, Unit::Count),
    (Column::Resident, Unit::Bytes),
    (Column::Data, Unit::Bytes),
    (Column::HeapLive, Unit::Bytes),
    (Column::Metaspace, Unit::Bytes),
];

/// Points closer together than this tell a judge nothing more.
const LEAST_APART_S: f64 = 5.0;
/// Suspects are one in a hundred, but a few on a small host too.
const LEAST_SUSPECTS: usize = 8;
/// A process is looked at in full so often at most, and so many with one tick.
const LOOKS_APART_S: f64 = 3_600.0;
const LOOKS_A_TICK: usize = 2;
/// So many threads more are worth a look at their births.
const MORE_THREADS: u64 = 8;

/// A change of judgement.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) at_unix_s: f64,
    pub(crate) process: ProcessNo,
    pub(crate) who: Who,
    /// The series that names the cause, and what it says.
    pub(crate) column: Column,
    pub(crate) verdict: model::Verdict,
    /// Other series of the process that it explains.
    pub(crate) with: Vec<Column>,
    pub(crate) before: State,
}

/// What a process is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Who {
    pub(crate) pid: u32,
    pub(crate) name: Text,
    pub(crate) label: Option<Text>,
}

impl Who {
    fn of(incarnation: &Incarnation) -> Self {
        let identity = &incarnation.identity;
        let short = |text: &Text| Text::from(text.as_str().chars().take(24).collect::<String>());
        let unit = identity
            .unit
            .as_ref()
            .map(|unit| Text::from(unit.as_str().strip_suffix(".service").unwrap_or(unit.as_str())));
        let container = identity
            .container
            .as_ref()
            .map(|id| Text::from(id.as_str().chars().take(12).collect::<String>()));
        Self {
            pid: incarnation.key.pid.0,
            name: incarnation.name.clone(),
            label: unit.or(container).as_ref().map(short),
        }
    }
}

/// One process's series.
#[derive(Debug, Default)]
struct Process {
    who: Who,
    last_s: f64,
    series: Vec<(Column, Tracker)>,
    /// What was said of each cause last.
    said: Vec<(Column, State, bool)>,
    /// Threads at first, and how many of them are worth a look.
    threads: Option<(u64, u64)>,
    looked_s: Option<f64>,
    /// Has a closer look a finding of it?
    found: bool,
    /// Does somebody look at it?
    wanted: bool,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Watch {
    processes: BTreeMap<ProcessNo, Process>,
    /// Processes to be looked at in full: some with each tick, the first first.
    suspicious: VecDeque<ProcessNo>,
    /// Are the suspects others than when they were asked for last?
    others: bool,
    apart_s: f64,
    ticks: u64,
    first_s: Option<f64>,
    last_s: f64,
}

impl Watch {
    /// For ticks that come so many seconds apart. Faster than one each second is for who wants it closer; else points
    /// more often than each five seconds tell a judge nothing more.
    pub(crate) fn new(interval_s: f64) -> Self {
        // A tick that comes a little early counts.
        let apart_s = if interval_s < 1.0 { interval_s * 0.5 } else { LEAST_APART_S - 0.1 };
        Self {
            processes: BTreeMap::new(),
            suspicious: VecDeque::new(),
            others: false,
            apart_s,
            ticks: 0,
            first_s: None,
            last_s: 0.0,
        }
    }

    /// The same with every point taken.
    pub(crate) fn closely(interval_s: f64) -> Self {
        Self { apart_s: interval_s * 0.5, ..Self::new(interval_s) }
    }

    /// Takes a tick; gives the judgements that changed with it.
    pub(crate) fn take(&mut self, tick: &Tick) -> Vec<Change> {
        let now_s = tick.at_boot_ms as f64 / 1e3;
        self.ticks += 1;
        self.first_s.get_or_insert(now_s);
        self.last_s = now_s;
        for event in &tick.events {
            match &event.what {
                EventKind::ProcessSeen(who) | EventKind::ProcessRenamed(who) => {
                    self.processes.entry(event.process).or_default().who = Who::of(who);
                }
                _ => {}
            }
        }
        let mut changes = Vec::new();
        for (no, values) in tick.by_process() {
            let Some(process) = self.processes.get_mut(&no) else { continue };
            // Rows that come more often than a judge needs: those with the slower figures are enough.
            let slow = values.iter().any(|(column, _)| *column == Column::Children);
            if !(slow && self.apart_s >= LEAST_APART_S) && now_s - process.last_s < self.apart_s {
                continue;
            }
            process.last_s = now_s;
            if process.has_multiplied(values) && !self.suspicious.contains(&no) {
                self.suspicious.push_back(no);
            }
            if process.take(now_s, values, self.apart_s) {
                let unix_s = tick.at_unix_ms as f64 / 1e3;
                process.changes(no, unix_s, &mut changes);
            }
        }
        for event in &tick.events {
            if event.what == EventKind::ProcessEnded {
                self.processes.remove(&event.process);
            }
        }
        self.others |= !changes.is_empty();
        changes
    }

    /// Those worth reading more of: what was said of comes first, then what moves most; one in a hundred at most.
    pub(crate) fn suspects(&mut self) -> Vec<ProcessNo> {
        self.others = false;
        let most = (self.processes.len() / 100).max(LEAST_SUSPECTS);
        let mut ranked: Vec<(State, usize, ProcessNo)> = self
            .processes
            .iter()
            .filter_map(|(no, process)| {
                let growing = process.series.iter().filter(|(_, one)| one.state().is_growth()).count();
                let states = process.series.iter().map(|(_, one)| one.state()).filter(|s| s.is_growth());
                let found = process.found.then_some(State::Leak);
                let wanted = process.wanted.then_some(State::Growing);
                Some((states.chain(found).chain(wanted).max()?, growing, *no))
            })
            .collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked.truncate(most);
        ranked.into_iter().map(|(_, _, no)| no).collect()
    }

    /// A closer look has findings of these: what they have of each class of memory is recorded from now on.
    pub(crate) fn found(&mut self, pids: &[Pid]) {
        for process in self.processes.values_mut().filter(|one| pids.contains(&Pid(one.who.pid))) {
            self.others |= !std::mem::replace(&mut process.found, true);
        }
    }

    /// Somebody looks at these, and wants to see them closely, as far as there are not more suspicious ones.
    pub(crate) fn wanted(&mut self, pids: &[Pid]) {
        for process in self.processes.values_mut().filter(|one| pids.contains(&Pid(one.who.pid))) {
            self.others |= !std::mem::replace(&mut process.wanted, true);
        }
    }

    /// Are the suspects others than when they were asked for last?
    pub(crate) fn has_others(&self) -> bool {
        self.others
    }

    /// Those to be looked at in full now: of whom something worse was said, and those whose threads have become many
    /// more, as births tell a leak at once. Who is too many for this tick comes with the next.
    pub(crate) fn take_suspicious(&mut self, changes: &[Change]) -> Vec<Pid> {
        let now_s = self.last_s;
        for change in changes.iter().filter(|change| change.verdict.state == State::Leak) {
            let Some(process) = self.processes.get_mut(&change.process) else { continue };
            if process.looked_s.is_none_or(|looked_s| now_s - looked_s >= LOOKS_APART_S) {
                process.looked_s = Some(now_s);
                if !self.suspicious.contains(&change.process) {
                    self.suspicious.push_back(change.process);
                }
            }
        }
        // Those that have ended meanwhile are not there any more.
        let mut pids = Vec::new();
        while pids.len() < LOOKS_A_TICK {
            let Some(no) = self.suspicious.pop_front() else { break };
            pids.extend(self.processes.get(&no).map(|process| Pid(process.who.pid)));
        }
        pids
    }

    /// Causes that grow now, by state: for a summary.
    pub(crate) fn standing(&self) -> HashMap<State, usize> {
        let mut counts = HashMap::new();
        for (_, state, _) in self.processes.values().flat_map(|process| &process.said) {
            *counts.entry(*state).or_default() += 1;
        }
        counts
    }

    /// Has no series been judged yet?
    pub(crate) fn is_learning(&self) -> bool {
        let series = self.processes.values().flat_map(|process| &process.series);
        series.map(|(_, tracker)| tracker).all(|tracker| tracker.samples() < detect::judge::LEAST_SAMPLES)
    }

    /// Ticks taken, seconds from the first to the last, and processes now.
    pub(crate) fn totals(&self) -> (u64, f64, usize) {
        (self.ticks, self.last_s - self.first_s.unwrap_or(self.last_s), self.processes.len())
    }
}

impl Process {
    /// Has it at least eight threads more than at first, or twice as many more as when that was asked before?
    fn has_multiplied(&mut self, values: &[(Column, u64)]) -> bool {
        let threads = values.iter().find(|(column, _)| *column == Column::Threads);
        let Some((_, threads)) = threads else { return false };
        let (first, worth) = self.threads.get_or_insert((*threads, threads.saturating_add(MORE_THREADS)));
        let many = *threads >= *worth;
        if many {
            *worth = threads.saturating_add(threads.saturating_sub(*first).max(MORE_THREADS));
        }
        many
    }

    /// Says whether any judgement may have changed.
    fn take(&mut self, now_s: f64, values: &[(Column, u64)], apart_s: f64) -> bool {
        let mut changed = false;
        for (column, value) in values {
            let Some((_, unit)) = WATCHED.iter().find(|(watched, _)| watched == column) else { continue };
            let at = match self.series.iter().position(|(known, _)| known == column) {
                Some(at) => at,
                None => {
                    self.series.push((*column, Tracker::new(*unit, apart_s)));
                    self.series.len() - 1
                }
            };
            if let Some((_, tracker)) = self.series.get_mut(at) {
                changed |= tracker.push(now_s, *value as f64);
            }
        }
        changed
    }

    fn changes(&mut self, no: ProcessNo, unix_s: f64, changes: &mut Vec<Change>) {
        let interesting = self.series.iter().any(|(_, one)| one.state().is_growth()) || !self.said.is_empty();
        if !interesting {
            return;
        }
        let verdicts: Vec<SeriesVerdict> = self
            .series
            .iter()
            .map(|(column, tracker)| {
                // What a collector leaves is a floor already.
                let context = Context { floor_is_exact: *column == Column::HeapLive, ..Context::default() };
                SeriesVerdict { process: no, column: *column, verdict: tracker.verdict(&context) }
            })
            .collect();
        let mut said = Vec::new();
        for group in related(&verdicts) {
            let Some(leader) = verdicts.get(group.leader) else { continue };
            let now = (leader.column, leader.verdict.state, leader.verdict.confirmed);
            said.push(now);
            let before = self.said.iter().find(|(column, ..)| *column == leader.column);
            if before != Some(&now) {
                let with = group.explained.iter().filter_map(|k| Some(verdicts.get(*k)?.column)).collect();
                let before = before.map_or(State::Flat, |(_, state, _)| *state);
                changes.push(self.change(no, unix_s, leader, with, before));
            }
        }
        // What no longer grows, and was said to.
        for (column, state, _) in &self.said {
            let now = verdicts.iter().find(|one| one.column == *column);
            let grows = now.is_some_and(|one| one.verdict.state.is_growth());
            if let (false, State::Leak | State::Growing, Some(now)) = (grows, state, now) {
                changes.push(self.change(no, unix_s, now, Vec::new(), *state));
            }
        }
        self.said = said;
    }

    fn change(
        &self,
        process: ProcessNo,
        at_unix_s: f64,
        leader: &SeriesVerdict,
        with: Vec<Column>,
        before: State,
    ) -> Change {
        Change {
            at_unix_s,
            process,
            who: self.who.clone(),
            column: leader.column,
            verdict: leader.verdict.clone(),
            with,
            before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_forgotten_when_many_are_suspicious_at_once() {
        let mut watch = Watch::new(1.0);
        for no in 0..5 {
            let who = Who { pid: 100 + no, ..Who::default() };
            watch.processes.insert(ProcessNo(no), Process { who, ..Process::default() });
            watch.suspicious.push_back(ProcessNo(no));
        }
        watch.processes.remove(&ProcessNo(1));

        let looked: Vec<Vec<u32>> =
            (0..3).map(|_| watch.take_suspicious(&[]).into_iter().map(|pid| pid.0).collect()).collect();
        assert_eq!(looked, [vec![100, 102], vec![103, 104], vec![]], "pid 101 has ended");
    }
}
