//! From marks to what leaked: a series of each thing that can be counted, judged by its rule.

use std::collections::{BTreeMap, BTreeSet};

use detect::growth::Growth;
use detect::names;
use model::{Pid, Text, Thread, Ticks};

use super::allow::{Allowances, Said};
use super::counts::{self, Verdict};
use super::document::{Allowed, Leak, Process, Row, Rule};
use super::mark::{Key, Mark};
use super::memory::{self, Subject};
use super::tree;

/// Rounds of work that counts need.
const LEAST_ROUNDS: usize = 3;
/// Java heaps are judged by what collections left: so many are needed, as points are.
const LEAST_COLLECTIONS: usize = 6;

/// What was concluded.
#[allow(clippy::struct_field_names)] // as the document calls it
#[derive(Default)]
pub(super) struct Judged {
    pub(super) leaks: Vec<Leak>,
    /// The threads of each leak that is one of threads, by its place among the leaks.
    pub(super) threads: BTreeMap<usize, (Key, Vec<Thread>)>,
    pub(super) allowed: Vec<Allowed>,
    pub(super) rows: Vec<Row>,
    pub(super) not_judged: Vec<String>,
    pub(super) rules_not_judged: Vec<Rule>,
}

/// Judges marks: the baseline, and one after each round.
pub(super) fn judge(marks: &[Mark], root: Pid, by_hand: bool, allow: &mut Allowances) -> Judged {
    let mut judging = Judging { marks, root, by_hand, allow, found: Judged::default() };
    if marks.len() < 2 {
        judging.found.rules_not_judged = Rule::ALL.to_vec();
        judging.found.not_judged.push("no round was completed: nothing could be compared".to_owned());
        return judging.found;
    }
    let lasting = judging.lasting();
    for key in &lasting {
        judging.threads(*key);
        judging.descriptors(*key);
    }
    judging.children();
    for key in &lasting {
        judging.memory(*key);
    }
    judging.rounds_missing(&lasting);
    judging.found
}

/// Something that was counted at each mark.
struct Series {
    rule: Rule,
    process: Process,
    subject: Text,
    /// For the sentence, where the subject alone would not read well.
    named: String,
    values: Vec<u64>,
    survivors: Option<Vec<u64>>,
}

struct Judging<'a> {
    marks: &'a [Mark],
    root: Pid,
    by_hand: bool,
    allow: &'a mut Allowances,
    found: Judged,
}

impl Judging<'_> {
    fn rounds(&self) -> usize {
        self.marks.len().saturating_sub(1)
    }

    fn least_rounds(&self) -> usize {
        if self.by_hand { 1 } else { LEAST_ROUNDS }
    }

    /// Processes that were there at each mark, the server first.
    fn lasting(&mut self) -> Vec<Key> {
        let Some(first) = self.marks.first() else { return Vec::new() };
        let is_lasting = |key: &&Key| self.marks.iter().all(|mark| mark.processes.contains_key(*key));
        let mut keys: Vec<Key> = first.processes.keys().filter(is_lasting).copied().collect();
        keys.sort_by_key(|key| (key.0 != self.root, *key));
        let gone: Vec<String> = first
            .processes
            .iter()
            .filter(|(key, _)| !keys.contains(key))
            .map(|((pid, _), seen)| format!("{}[{pid}]", seen.reading.stat.name))
            .collect();
        if !gone.is_empty() {
            let them = if gone.len() == 1 { "it" } else { "they" };
            self.found.not_judged.push(format!(
                "{}: {them} ended during the rounds; what followed is judged as children only",
                gone.join(", ")
            ));
        }
        if self.marks.iter().any(|mark| mark.below.len() >= super::mark::MOST) {
            self.found.not_judged.push(format!(
                "threads, descriptors and memory of more than {} processes: the others are only counted",
                super::mark::MOST
            ));
        }
        keys
    }

    fn process(&self, key: Key) -> Process {
        let seen = self.marks.last().and_then(|mark| mark.processes.get(&key));
        Process { pid: key.0, name: seen.map(|seen| seen.reading.stat.name.clone()).unwrap_or_default() }
    }

    /// Threads by pattern. All that were ever seen are folded together, so that a pattern means the same at each mark.
    fn threads(&mut self, key: Key) {
        let process = self.process(key);
        let mut all: BTreeMap<(Pid, Ticks), Text> = BTreeMap::new();
        let mut at: Vec<BTreeSet<(Pid, Ticks)>> = Vec::new();
        for mark in self.marks {
            let reading = mark.processes.get(&key).map(|seen| &seen.reading);
            let Some(threads) = reading.and_then(|reading| reading.threads.value()) else {
                let why = reading.and_then(|reading| reading.threads.absence()).unwrap_or_default();
                self.not_read(Rule::Thread, &process, &why);
                return;
            };
            at.push(threads.iter().map(|thread| (thread.tid, thread.start)).collect());
            for thread in threads {
                all.insert((thread.tid, thread.start), thread.name.clone());
            }
        }
        let ids: Vec<(Pid, Ticks)> = all.keys().copied().collect();
        let names: Vec<&str> = all.values().map(Text::as_str).collect();
        let last = at.last().cloned().unwrap_or_default();
        for group in names::fold(&names) {
            let members: BTreeSet<(Pid, Ticks)> =
                group.members.iter().filter_map(|member| ids.get(*member)).copied().collect();
            let count = |there: &BTreeSet<(Pid, Ticks)>| {
                members.iter().filter(|member| there.contains(*member)).count() as u64
            };
            let values: Vec<u64> = at.iter().map(count).collect();
            // Who is there at the end was born in the round at whose end it was there first.
            let survivors = at
                .windows(2)
                .map(|pair| {
                    let born = |member: &&(Pid, Ticks)| {
                        last.contains(*member)
                            && pair.get(1).is_some_and(|now| now.contains(*member))
                            && pair.first().is_some_and(|before| !before.contains(*member))
                    };
                    members.iter().filter(born).count() as u64
                })
                .collect();
            let subject = Text::from(group.pattern.as_str());
            let unnamed = subject == process.name;
            let series = Series {
                rule: Rule::Thread,
                process: process.clone(),
                named: if unnamed {
                    format!("threads named {subject}, as the process")
                } else {
                    subject.to_string()
                },
                subject,
                values,
                survivors: Some(survivors),
            };
            if let Some(place) = self.count(series) {
                let first = at.first().cloned().unwrap_or_default();
                let new = |thread: &&Thread| {
                    let id = (thread.tid, thread.start);
                    members.contains(&id) && !first.contains(&id)
                };
                let threads = self.marks.last().and_then(|mark| mark.processes.get(&key));
                let threads = threads.and_then(|seen| seen.reading.threads.value());
                let leaked = threads.into_iter().flatten().filter(new).cloned().collect();
                self.found.threads.insert(place, (key, leaked));
            }
        }
    }

    fn descriptors(&mut self, key: Key) {
        let process = self.process(key);
        let mut at: Vec<BTreeMap<Text, u64>> = Vec::new();
        for mark in self.marks {
            let reading = mark.processes.get(&key).map(|seen| &seen.reading);
            let Some(all) = reading.and_then(|reading| reading.descriptors.value()) else {
                let why = reading.and_then(|reading| reading.descriptors.absence()).unwrap_or_default();
                self.not_read(Rule::Descriptor, &process, &why);
                return;
            };
            at.push(if all.kinds.is_empty() {
                BTreeMap::from([(Text::from("any"), all.total)])
            } else {
                all.kinds.iter().map(|kind| (kind.kind.clone(), kind.count)).collect()
            });
        }
        let kinds: BTreeSet<&Text> = at.iter().flat_map(BTreeMap::keys).collect();
        for kind in kinds {
            self.count(Series {
                rule: Rule::Descriptor,
                process: process.clone(),
                subject: kind.clone(),
                named: if kind.as_str() == "any" {
                    "descriptors".to_owned()
                } else {
                    format!("{kind} descriptors")
                },
                values: at.iter().map(|kinds| kinds.get(kind).copied().unwrap_or(0)).collect(),
                survivors: None,
            });
        }
    }

    /// Everybody below the server, by name; who ended and was not waited for, apart.
    fn children(&mut self) {
        let mut all: BTreeMap<Key, (Text, bool)> = BTreeMap::new();
        for member in self.marks.iter().flat_map(|mark| &mark.below) {
            all.insert(member.key(), (member.name.clone(), member.state == 'Z'));
        }
        let process = self
            .marks
            .last()
            .and_then(|mark| mark.processes.keys().find(|key| key.0 == self.root))
            .map(|key| self.process(*key))
            .unwrap_or_default();
        for zombies in [false, true] {
            let (ids, names): (Vec<Key>, Vec<&str>) = all
                .iter()
                .filter(|(_, (_, zombie))| *zombie == zombies)
                .map(|(key, (name, _))| (*key, name.as_str()))
                .unzip();
            for group in names::fold(&names) {
                let members: BTreeSet<Key> =
                    group.members.iter().filter_map(|member| ids.get(*member)).copied().collect();
                let there =
                    |mark: &Mark| mark.below.iter().filter(|one| members.contains(&one.key())).count() as u64;
                let first: BTreeSet<Key> = self
                    .marks
                    .first()
                    .map(|mark| mark.below.iter().map(tree::Member::key).collect())
                    .unwrap_or_default();
                let series = Series {
                    rule: Rule::Child,
                    process: process.clone(),
                    subject: group.pattern.as_str().into(),
                    named: format!(
                        "{} processes{}",
                        Text::from(group.pattern.as_str()),
                        if zombies { " (ended, and never waited for)" } else { "" }
                    ),
                    values: self.marks.iter().map(there).collect(),
                    survivors: Some(self.born(&members)),
                };
                if let Some(place) = self.count(series)
                    && let (Some(leak), Some(last)) = (self.found.leaks.get_mut(place), self.marks.last())
                {
                    let left = last
                        .below
                        .iter()
                        .filter(|one| members.contains(&one.key()) && !first.contains(&one.key()));
                    let reading =
                        |one: &tree::Member| last.processes.get(&one.key()).map(|seen| &seen.reading);
                    leak.survivors =
                        left.map(|one| tree::survivor(one, reading(one), last.at_boot_s)).collect();
                }
            }
        }
    }

    /// Of those that are there at the end: how many came in each round.
    fn born(&self, members: &BTreeSet<Key>) -> Vec<u64> {
        let there = |mark: &Mark| -> BTreeSet<Key> {
            mark.below.iter().map(tree::Member::key).filter(|key| members.contains(key)).collect()
        };
        let at: Vec<BTreeSet<Key>> = self.marks.iter().map(there).collect();
        let Some(last) = at.last() else { return Vec::new() };
        at.windows(2)
            .map(|pair| match pair {
                [before, now] => now.difference(before).filter(|key| last.contains(key)).count() as u64,
                _ => 0,
            })
            .collect()
    }

    /// Judges counts; the place of the leak, if it is one.
    fn count(&mut self, series: Series) -> Option<usize> {
        let Series { rule, process, subject, named, values, survivors } = series;
        let rises = counts::rises(&values);
        let verdict = counts::judge(&values, survivors.as_deref(), self.least_rounds());
        let total = values.last().copied().unwrap_or(0) as f64 - values.first().copied().unwrap_or(0) as f64;
        let words = counts::words(&rises, &named, self.by_hand);
        let leak = Leak {
            rule,
            kind: rule.kind(),
            process,
            subject,
            summary: words,
            per_round: rises.iter().map(|rise| *rise as f64).collect(),
            total,
            bytes: false,
            allowed_less: None,
            created_by: Vec::new(),
            survivors: Vec::new(),
        };
        let leaks = match verdict {
            Verdict::Flat => None,
            Verdict::Settles => {
                // Named, so that nobody who looks at the table wonders; the list may know it, too.
                self.allow.of(rule, leak.subject.as_str(), total, most(&rises));
                None
            }
            Verdict::TooFew => {
                let said = self.allow.of(rule, leak.subject.as_str(), total, most(&rises));
                if !matches!(said, Said::Allowed(_)) {
                    self.found.not_judged.push(format!(
                        "{}: {} rounds decide (--rounds {})",
                        leak.summary, LEAST_ROUNDS, LEAST_ROUNDS
                    ));
                }
                None
            }
            Verdict::Leaks => self.leak(leak.clone(), most(&rises)),
        };
        if rises.iter().any(|rise| *rise != 0) {
            self.row(&leak, values.iter().map(|value| Some(*value as f64)).collect(), leaks.is_some());
        }
        leaks
    }

    /// Adds a leak, unless it is allowed.
    fn leak(&mut self, mut leak: Leak, most: f64) -> Option<usize> {
        match self.allow.of(leak.rule, leak.subject.as_str(), leak.total, most) {
            Said::Allowed(by) => {
                self.found.allowed.push(Allowed { summary: leak.summary, by });
                return None;
            }
            Said::Less(by) => leak.allowed_less = Some(by),
            Said::Nothing => {}
        }
        self.found.leaks.push(leak);
        Some(self.found.leaks.len() - 1)
    }

    fn row(&mut self, leak: &Leak, values: Vec<Option<f64>>, leaks: bool) {
        self.found.rows.push(Row {
            rule: leak.rule,
            process: leak.process.clone(),
            subject: leak.subject.clone(),
            values,
            bytes: leak.bytes,
            leaks,
        });
    }

    fn memory(&mut self, key: Key) {
        let process = self.process(key);
        let seen: Vec<_> = self.marks.iter().filter_map(|mark| mark.processes.get(&key)).collect();
        if let Some(why) = seen.iter().find_map(|seen| seen.no_memory.clone()) {
            self.not_read(Rule::Memory, &process, &why);
            return;
        }
        let is_jvm = seen.iter().any(|seen| seen.reading.jvm.value().is_some());
        let threads_leak =
            self.found.leaks.iter().any(|leak| leak.rule == Rule::Thread && leak.process == process);
        let subjects: BTreeSet<Subject> = seen.iter().flat_map(|seen| seen.memory.keys().copied()).collect();
        for subject in subjects {
            // Each thread brings mappings, address space and an arena of malloc: one cause, one finding.
            if threads_leak && matches!(subject, memory::MAPPINGS | memory::RESERVED) {
                continue;
            }
            let values: Vec<Option<f64>> =
                seen.iter().map(|seen| seen.memory.get(subject).copied()).collect();
            let known: Vec<f64> = values.iter().flatten().copied().collect();
            if known.len() < values.len() {
                self.not_read(Rule::Memory, &process, &format!("{subject} is not known at each mark"));
                continue;
            }
            self.figure(&process, subject, &known, is_jvm);
        }
        if is_jvm {
            self.java_heap(&process, &seen.iter().map(|seen| seen.heap).collect::<Vec<_>>());
        }
    }

    fn figure(&mut self, process: &Process, subject: Subject, values: &[f64], runtime: bool) {
        let growth = memory::judge(subject, values, runtime);
        let rises: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let total = values.last().copied().unwrap_or(0.0) - values.first().copied().unwrap_or(0.0);
        let (rate, leaks) = match growth {
            Growth::Growing { rate, .. } => (rate, true),
            Growth::Rises { rate } => (rate, false),
            _ => (0.0, false),
        };
        let leak = Leak {
            rule: Rule::Memory,
            kind: kind_of(subject),
            process: process.clone(),
            subject: subject.into(),
            summary: memory::words(subject, rate),
            total,
            bytes: !memory::is_count(subject),
            per_round: rises.clone(),
            allowed_less: None,
            created_by: Vec::new(),
            survivors: Vec::new(),
        };
        let most = rises.iter().copied().fold(0.0, f64::max);
        let place = if leaks { self.leak(leak.clone(), most) } else { None };
        if matches!(growth, Growth::Rises { .. }) {
            self.allow.of(Rule::Memory, subject, total, most);
            self.found.not_judged.push(format!("{}: {} rounds decide", leak.summary, memory::LEAST_ROUNDS));
        }
        if leaks || !matches!(growth, Growth::Flat | Growth::TooShort) {
            self.row(&leak, values.iter().copied().map(Some).collect(), place.is_some());
        }
    }

    /// What is alive in a Java heap is known after collections of its old part: only such marks count.
    fn java_heap(&mut self, process: &Process, heaps: &[Option<(u64, f64)>]) {
        let mut fresh: Vec<f64> = Vec::new();
        let mut before = None;
        for (collections, live) in heaps.iter().flatten() {
            if before.is_some_and(|before| *collections > before) {
                fresh.push(*live);
            }
            before = Some(*collections);
        }
        if fresh.len() >= LEAST_COLLECTIONS {
            self.figure(process, memory::JAVA_HEAP, &fresh, true);
        } else {
            self.found.not_judged.push(format!(
                "the Java heap of {}[{}]: its old part was collected in {} of {} rounds, {LEAST_COLLECTIONS} would do: flatfoot heap watches it",
                process.name,
                process.pid,
                fresh.len(),
                self.rounds()
            ));
        }
    }

    fn not_read(&mut self, rule: Rule, process: &Process, why: &str) {
        self.found.not_judged.push(format!("{} of {}[{}]: {why}", rule.plural(), process.name, process.pid));
        if process.pid == self.root && !self.found.rules_not_judged.contains(&rule) {
            self.found.rules_not_judged.push(rule);
        }
    }

    /// What the number of rounds leaves open.
    fn rounds_missing(&mut self, lasting: &[Key]) {
        let rounds = self.rounds();
        if rounds < self.least_rounds() {
            for rule in [Rule::Thread, Rule::Descriptor, Rule::Child] {
                if !self.found.rules_not_judged.contains(&rule) {
                    self.found.rules_not_judged.push(rule);
                }
            }
            self.found.not_judged.push(format!(
                "threads, descriptors and children: {rounds} of the {LEAST_ROUNDS} rounds that they need"
            ));
        }
        if rounds < memory::LEAST_ROUNDS && !lasting.is_empty() {
            if !self.found.rules_not_judged.contains(&Rule::Memory) {
                self.found.rules_not_judged.push(Rule::Memory);
            }
            self.found.not_judged.push(format!(
                "memory: {rounds} of the {} rounds that it needs: --rounds {}",
                memory::LEAST_ROUNDS,
                memory::LEAST_ROUNDS
            ));
        }
        self.found.rules_not_judged.sort_unstable();
    }
}

fn most(rises: &[i64]) -> f64 {
    rises.iter().copied().max().unwrap_or(0) as f64
}

fn kind_of(subject: Subject) -> model::FindingKind {
    use model::FindingKind;
    match subject {
        "native-heap" => FindingKind::NativeHeapLeak,
        memory::JAVA_HEAP => FindingKind::JavaHeapLeak,
        "metaspace" => FindingKind::MetaspaceLeak,
        "files" => FindingKind::MappedFileGrowth,
        "shared-memory" => FindingKind::SharedMemoryGrowth,
        memory::RESERVED => FindingKind::ReservationLeak,
        _ => FindingKind::MemoryGrowth,
    }
}
