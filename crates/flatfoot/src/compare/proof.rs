//! Is a finding fixed? The leak as a case file has it, against what its process does now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use detect::cadence::{self, Window};
use detect::compare::{
    After, Before, FiringSource, Proof, due, next_due, prove, prove_growth, slope, survivors_per_firing,
};
use detect::eta::Rate;
use detect::groups::{GroupInput, group};
use model::{
    AccessLevel, Finding, FindingKind, FoundSchedule, HostReading, Impact, Look, Pid, ProcessKey,
    ProcessReading, ScheduleEntry, ScheduleWhen, Text, Thread, ThreadGroup,
};
use probe::{DescriptorDepth, Parts, SpaceDepth, ThreadDepth};

use crate::analyse::{Analyser, identity};
use crate::failure::{Code, Failure};
use crate::present::Term;
use crate::source::{Ask, CaseSource, OfHost, Source};
use crate::visit::{self, Plan, Told};

/// The longest that `--for auto` watches.
const LONGEST_S: f64 = 600.0;
/// Growth without firings is watched for so long, unless told otherwise.
const GROWTH_S: f64 = 300.0;
/// Firings that `--for auto` waits for.
const FIRINGS: f64 = 4.0;
/// A thread younger than this may be at work; of slow rhythms five minutes at most.
const AT_WORK_S: (f64, f64) = (5.0, 300.0);
/// Looks at threads: births that live shorter than this are only seen by the numbers in their names.
const SHORTEST_LOOK_S: f64 = 0.05;

/// The leak, as the case file has it.
pub(crate) struct Leak {
    pub(crate) finding: Finding,
    pub(crate) case: String,
    identity: String,
    key: ProcessKey,
    /// Its threads then: with them names fold to the same pattern again.
    threads: Vec<Thread>,
    /// When the case was read, in Unix seconds.
    read_unix_s: f64,
    /// Highest number in its names.
    number: u64,
    /// CPU seconds per second over its life until then.
    cpu: f64,
}

/// The answer, with what it rests on.
pub(crate) struct Answer {
    pub(crate) proof: Proof,
    /// The processes that were asked.
    pub(crate) pids: Vec<Pid>,
    pub(crate) label: String,
    /// Since when things count, in Unix seconds.
    pub(crate) since_unix_s: f64,
    pub(crate) watched_s: f64,
    /// Growth per second now, for what has no firings.
    pub(crate) rate: Option<Rate>,
    /// The schedule that tells when the cause fires.
    pub(crate) schedule: Option<ScheduleEntry>,
    pub(crate) remarks: Vec<String>,
    pub(crate) impact: Impact,
}

/// Finds the case of a finding: a file, or an id (or its beginning) of one in the state directory.
pub(crate) fn find_case(id: &str, cases: Option<PathBuf>) -> Result<PathBuf> {
    let path = Path::new(id);
    if store::looks_like_case(path) {
        return Ok(path.to_owned());
    }
    let mut found: Vec<PathBuf> = Vec::new();
    if let Some(dir) = &cases
        && id.len() >= 4
        && id.bytes().all(|b| b.is_ascii_hexdigit())
    {
        let named = |name: &str| name.starts_with(id) && name.ends_with(store::CASE_SUFFIX);
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        found.extend(entries.filter(|e| e.file_name().to_str().is_some_and(named)).map(|e| e.path()));
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let dir = cases.map_or_else(|| "the state directory".to_owned(), |dir| dir.display().to_string());
            let message = format!("no case of finding {id} in {dir}");
            let hint = "give the case file itself: flatfoot compare --finding FILE; diagnose keeps one, and prints SAVED";
            Err(Failure::new(Code::Failed, message, hint).into())
        }
        _ => Err(Failure::usage(format!("{id} begins the ids of {} cases", found.len()), "give more digits")
            .into()),
    }
}

/// Reads the leak from its case: the finding with this id, or the surest one.
pub(crate) fn leak(path: &Path, id: &str) -> Result<Leak> {
    let mut source = CaseSource::open(path)?;
    let mut analyser = Analyser::default();
    let mut read_unix_s = 0.0;
    source.looks(&Ask::once(Vec::new(), Parts::everything()), &mut |look: Look| {
        read_unix_s = look.at_unix_s;
        analyser.push(look);
        Ok(())
    })?;
    analyser.group_threads();
    let findings = analyser.judge().findings;
    let wanted = |finding: &&Finding| path == Path::new(id) || finding.id.starts_with(id);
    let Some(finding) = findings.iter().find(wanted).cloned() else {
        let message = format!("{} holds no finding {id}", path.display());
        return Err(Failure::new(Code::Failed, message, "flatfoot diagnose FILE shows what is in it").into());
    };
    let Some(tracked) = analyser.by_pid(finding.process.pid) else {
        return Err(Failure::new(Code::Failed, "the case lost its process", "save it again").into());
    };
    let members = tracked.groups.iter().find(|group| group.pattern == finding.subject);
    let of_pattern = |thread: &&Thread| members.is_some_and(|group| group.members.contains(&thread.tid));
    let threads = tracked.reading.threads.value().into_iter().flatten().filter(of_pattern).cloned().collect();
    let number = members.and_then(|group| group.numbers).map_or(0, |numbers| numbers.high);
    let ticks = analyser.host.ticks_per_second.max(1) as f64;
    let age_s = (tracked.now_boot_s - tracked.reading.stat.start.0 as f64 / ticks).max(1.0);
    let used = (tracked.reading.stat.utime.0 + tracked.reading.stat.stime.0) as f64 / ticks;
    Ok(Leak {
        identity: identity(&tracked.reading),
        key: tracked.reading.key,
        threads,
        read_unix_s,
        number,
        cpu: used / age_s,
        case: path.display().to_string(),
        finding,
    })
}

/// The processes that are now what the leak's process was: the named ones, else those of the same unit, container or command.
pub(crate) fn processes(leak: &Leak, source: &mut dyn Source, named: Vec<Pid>) -> Result<Vec<Pid>> {
    if !named.is_empty() {
        return Ok(named);
    }
    let mut found = Vec::new();
    let parts = Parts { cmdline: true, cgroups: true, ..Parts::overview() };
    source.looks(&Ask { host: OfHost::Boot, ..Ask::once(Vec::new(), parts) }, &mut |look: Look| {
        found.extend(look.processes.iter().filter(|p| identity(p) == leak.identity).map(|p| p.key.pid));
        Ok(())
    })?;
    if found.is_empty() {
        let message = format!("nothing runs here that is {}", leak.identity.replacen(':', " ", 1));
        let hint = format!(
            "name the process that took its place: flatfoot compare --finding {} PID",
            leak.finding.id
        );
        return Err(Failure::new(Code::Ended, message, hint).into());
    }
    Ok(found)
}

/// How to find out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// How long to watch; `None` for as long as the rhythm asks for.
    pub(crate) watch_s: Option<f64>,
    /// May a JVM be asked when its jobs are due?
    pub(crate) level: AccessLevel,
    pub(crate) term: Term,
}

/// Watches the processes and decides.
pub(crate) fn answer(leak: &Leak, source: &mut dyn Source, pids: Vec<Pid>, how: How) -> Result<Answer> {
    if leak.finding.kind == FindingKind::ThreadLeak {
        threads(leak, source, pids, how)
    } else {
        growth(leak, source, pids, how.watch_s.unwrap_or(GROWTH_S))
    }
}

/// Threads seen in some look, by process and then by id and birth.
#[derive(Default)]
struct Seen {
    threads: BTreeMap<ProcessKey, BTreeMap<(Pid, model::Ticks), Thread>>,
    /// When a JVM's count of started threads rose: in seconds since boot, and by how many.
    starts: BTreeMap<ProcessKey, Starts>,
    /// Those of the newest look.
    alive: BTreeMap<ProcessKey, Vec<(Pid, model::Ticks)>>,
    names: BTreeMap<ProcessKey, ProcessReading>,
}

/// A JVM's count of started threads over the looks.
#[derive(Clone, Debug, Default)]
struct Starts {
    last: Option<u64>,
    rises: Vec<f64>,
}

impl Seen {
    fn take(&mut self, process: ProcessReading, at_boot_s: f64) {
        if let Some(started) = process.jvm.value().and_then(|jvm| jvm.threads).map(|threads| threads.started)
        {
            let starts = self.starts.entry(process.key).or_default();
            let more = starts.last.map_or(0, |last| started.saturating_sub(last));
            // Many at once are one burst of a pool, not many firings.
            if more > 0 {
                starts.rises.push(at_boot_s);
            }
            starts.last = Some(started);
        }
        let all = self.threads.entry(process.key).or_default();
        let now: Vec<Thread> = process.threads.value().cloned().unwrap_or_default();
        self.alive.insert(process.key, now.iter().map(|t| (t.tid, t.start)).collect());
        for thread in now {
            all.insert((thread.tid, thread.start), thread);
        }
        self.names.insert(process.key, ProcessReading { threads: model::Reading::Skipped, ..process });
    }
}

/// What the threads of one process tell.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    births: u64,
    numbers: Option<u64>,
    survivors: u64,
}

fn threads(leak: &Leak, source: &mut dyn Source, pids: Vec<Pid>, how: How) -> Result<Answer> {
    let period_s = leak.finding.cadence.first().map_or(60.0, |train| train.period_s);
    let mut watch = Watch {
        leak,
        pids,
        period_s,
        seen: Seen::default(),
        host: HostReading::default(),
        now: (0.0, 0.0),
        inside: None,
        remarks: Vec::new(),
        impact: Impact::default(),
    };
    watch.look(source, 0.0)?;
    if how.level >= AccessLevel::Agent && source.is_live() {
        watch.ask_inside(source, how.level, how.term);
    }
    let answer = watch.answer();
    let open = matches!(answer.proof, Proof::NotProven { .. });
    let longest = how.watch_s.unwrap_or_else(|| (FIRINGS * period_s + AT_WORK_S.0).min(LONGEST_S));
    if !open || !source.is_live() || longest <= 0.0 || crate::interrupt::asked() {
        return Ok(answer);
    }
    watch.look(source, longest)?;
    Ok(watch.answer())
}

/// A leak's process under watch.
struct Watch<'a> {
    leak: &'a Leak,
    pids: Vec<Pid>,
    period_s: f64,
    seen: Seen,
    host: HostReading,
    /// First and newest look, in Unix seconds.
    now: (f64, f64),
    /// What the process itself says that it runs.
    inside: Option<ScheduleEntry>,
    remarks: Vec<String>,
    impact: Impact,
}

impl Watch<'_> {
    fn look(&mut self, source: &mut dyn Source, watch_s: f64) -> Result<()> {
        let parts = Parts {
            threads: ThreadDepth::Basic,
            cmdline: true,
            cgroups: true,
            jvm: true,
            ..Parts::overview()
        };
        let ask = Ask {
            watch_s,
            interval_s: self.interval_s(),
            host: if watch_s > 0.0 { OfHost::Clocks } else { OfHost::Surroundings },
            ..Ask::once(self.pids.clone(), parts)
        };
        source.looks(&ask, &mut |mut look: Look| {
            if self.now.0 == 0.0 {
                self.now.0 = look.at_unix_s;
            }
            self.now.1 = look.at_unix_s;
            if matches!(look.host.schedules, model::Reading::Skipped) {
                look.host.schedules = std::mem::take(&mut self.host.schedules);
            }
            self.host = look.host;
            self.impact.add(look.impact);
            let at_boot_s = look.at_boot_s;
            look.processes.into_iter().for_each(|process| self.seen.take(process, at_boot_s));
            Ok(())
        })?;
        Ok(())
    }

    fn answer(&self) -> Answer {
        let mut told = Counted::default();
        let mut since = f64::INFINITY;
        for (key, process) in &self.seen.names {
            let from = self.since(key, process);
            since = since.min(from);
            let one = self.told(*key, process, from);
            told.births += one.births;
            told.survivors += one.survivors;
            told.numbers = match (told.numbers, one.numbers) {
                (Some(a), Some(b)) => Some(a + b),
                (a, b) => a.or(b),
            };
        }
        let schedule = self.schedule();
        let offset = self.host.utc_offset_s;
        let was_due = schedule
            .as_ref()
            .and_then(|entry| due(&entry.when, (since, self.now.1), offset))
            .filter(|n| *n > 0);
        let firings = match told.numbers {
            Some(numbers) if numbers >= told.births => Some((numbers, FiringSource::Numbers)),
            _ if told.births > 0 => Some((told.births, FiringSource::Births)),
            _ if self.starts() > 0 => Some((self.starts(), FiringSource::Starts)),
            _ => was_due.map(|n| (n, FiringSource::Schedule)),
        };
        let after = After {
            firings,
            survivors: told.survivors,
            next_unix_s: schedule.as_ref().and_then(|entry| next_due(&entry.when, self.now.1, offset)),
        };
        let before = Before { survived: survivors_per_firing(&self.leak.finding) };
        let mut remarks = self.remarks.clone();
        if self.seen.names.keys().any(|key| *key == self.leak.key) {
            remarks.push(
                "the process has not been restarted since: what leaked before is still there".to_owned(),
            );
        }
        Answer {
            proof: prove(before, after),
            pids: self.seen.names.keys().map(|key| key.pid).collect(),
            label: label(&self.seen.names),
            since_unix_s: since,
            watched_s: self.now.1 - self.now.0,
            rate: None,
            schedule,
            remarks,
            impact: self.impact.clone(),
        }
    }

    /// Threads that a JVM started in the rhythm of the leak, and that ended before a look saw them.
    fn starts(&self) -> u64 {
        let Some(train) = self.leak.finding.cadence.first() else { return 0 };
        let mut firings = 0;
        for (key, starts) in &self.seen.starts {
            let window = Window {
                start_s: starts.rises.first().copied().unwrap_or(0.0),
                end_s: self.now.1 - self.host.booted_unix_s,
                resolution_s: self.interval_s(),
                booted_unix_s: self.host.booted_unix_s,
                utc_offset_s: self.host.utc_offset_s,
            };
            let found = cadence::report(&starts.rises, &window).cadences;
            let same =
                found.iter().find(|own| (own.period_s - train.period_s).abs() <= 0.05 * train.period_s);
            // Births of threads that stay are counted by themselves.
            if self.seen.names.contains_key(key) {
                firings += same.map_or(0, |own| own.events);
            }
        }
        firings
    }

    fn interval_s(&self) -> f64 {
        (self.period_s / 50.0).clamp(SHORTEST_LOOK_S, 1.0)
    }

    /// Asks the JVMs themselves what they run at which times.
    fn ask_inside(&mut self, source: &dyn Source, level: AccessLevel, term: Term) {
        let Some(root) = source.root() else { return };
        let jobs: Vec<&Text> =
            self.leak.finding.schedules.iter().filter_map(|found| found.what.as_ref()).collect();
        for reading in self.seen.names.values().filter(|reading| reading.jvm.value().is_some()).take(1) {
            let plan = Plan { root, reading, level, waits: Vec::new(), walk_s: None, term };
            let Told { inside, impact } = visit::visit(&plan);
            self.impact.add(impact);
            self.remarks.extend(inside.missing);
            let found: Vec<&FoundSchedule> =
                inside.owners.iter().flat_map(|owner| &owner.schedules).collect();
            let named = found.iter().find(|found| jobs.contains(&&found.what));
            let mut several: Vec<&&FoundSchedule> =
                found.iter().filter(|found| found.expression.is_some()).collect();
            several.dedup_by_key(|found| (&found.what, &found.expression));
            let only = if several.len() == 1 { several.first().copied() } else { None };
            self.inside = named.or(only).and_then(|found| {
                Some(ScheduleEntry {
                    source: Text::from(format!(
                        "{} of {}[{}]",
                        found.kind, reading.stat.name, reading.key.pid
                    )),
                    when: ScheduleWhen::Quartz(found.expression.clone()?),
                    what: found.what.clone(),
                })
            });
        }
    }

    /// Since when births count: since the case was read, or the process began after that.
    fn since(&self, key: &ProcessKey, process: &ProcessReading) -> f64 {
        let started = self.host.unix_from_boot(process.stat.start.seconds(self.host.ticks_per_second));
        if *key == self.leak.key { self.leak.read_unix_s } else { started }
    }

    fn told(&self, key: ProcessKey, process: &ProcessReading, since: f64) -> Counted {
        let Some(seen) = self.seen.threads.get(&key) else { return Counted::default() };
        let same_process = key == self.leak.key;
        let mut all: Vec<Thread> = seen.values().cloned().collect();
        let added = self.leak.threads.iter().filter(|thread| !seen.contains_key(&(thread.tid, thread.start)));
        let strangers: Vec<(Pid, model::Ticks)> =
            added.clone().map(|thread| (thread.tid, thread.start)).collect();
        all.extend(added.cloned());
        let ticks = self.host.ticks_per_second;
        let group = group(&GroupInput {
            pid: key.pid,
            threads: &all,
            stacks: &[],
            process_name: &process.stat.name,
            ticks_per_second: ticks,
            booted_unix_s: self.host.booted_unix_s,
            utc_offset_s: self.host.utc_offset_s,
            process_start_s: process.stat.start.seconds(ticks),
            now_boot_s: self.now.1 - self.host.booted_unix_s,
        });
        let Some(group) = group.into_iter().find(|group| group.pattern == self.leak.finding.subject) else {
            return Counted::default();
        };
        let at_work_s = self.period_s.clamp(AT_WORK_S.0, AT_WORK_S.1);
        let mut told = Counted::default();
        for thread in all.iter().filter(|thread| group.members.contains(&thread.tid)) {
            let id = (thread.tid, thread.start);
            let born = self.host.unix_from_boot(thread.start.seconds(ticks));
            if strangers.contains(&id) || born <= since {
                continue;
            }
            told.births += 1;
            let alive = self.seen.alive.get(&key).is_some_and(|alive| alive.contains(&id));
            told.survivors += u64::from(alive && self.now.1 - born > at_work_s);
        }
        told.numbers = self.numbers(&group, same_process, &strangers, &all);
        told
    }

    /// How many numbers were given out since, where names are numbered in the order of their births.
    fn numbers(
        &self,
        group: &ThreadGroup,
        same_process: bool,
        strangers: &[(Pid, model::Ticks)],
        all: &[Thread],
    ) -> Option<u64> {
        group.numbers.filter(|numbers| numbers.in_birth_order)?;
        let own = all.iter().filter(|thread| !strangers.contains(&(thread.tid, thread.start)));
        let highest = own.filter(|thread| group.members.contains(&thread.tid)).filter_map(number).max()?;
        Some(if same_process { highest.saturating_sub(self.leak.number) } else { highest })
    }

    /// The host's schedule that the finding was matched with, if it is still there and still the same.
    fn schedule(&self) -> Option<ScheduleEntry> {
        if self.inside.is_some() {
            return self.inside.clone();
        }
        let entries = self.host.schedules.value()?;
        let of_finding = self.leak.finding.schedules.iter().filter_map(|found| found.source.as_ref());
        let mut sources = of_finding.clone();
        sources.find_map(|source| entries.iter().find(|entry| entry.source == *source)).cloned()
    }
}

/// The first number in a name: `pool-17-thread-1` is of pool 17.
fn number(thread: &Thread) -> Option<u64> {
    let name = thread.name.as_str();
    let from = name.find(|c: char| c.is_ascii_digit())?;
    let digits = name[from..].split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn label(processes: &BTreeMap<ProcessKey, ProcessReading>) -> String {
    let names = processes.values().map(|process| format!("{}[{}]", process.stat.name, process.key.pid));
    names.collect::<Vec<_>>().join(", ")
}

fn growth(leak: &Leak, source: &mut dyn Source, pids: Vec<Pid>, watch_s: f64) -> Result<Answer> {
    let mut analyser = Analyser::default();
    let parts = Parts {
        space: SpaceDepth::Touched,
        descriptors: DescriptorDepth::Kinds,
        jvm: true,
        status: true,
        cmdline: true,
        cgroups: true,
        ..Parts::overview()
    };
    let ask = Ask { watch_s, interval_s: (watch_s / 63.0).max(0.1), ..Ask::once(pids, parts) };
    let mut seen = (0.0, 0.0);
    source.looks(&ask, &mut |look: Look| {
        if seen.0 == 0.0 {
            seen.0 = look.at_unix_s;
        }
        seen.1 = look.at_unix_s;
        analyser.push(look);
        Ok(())
    })?;
    analyser.group_threads();
    let findings = analyser.judge().findings;
    let again = findings
        .iter()
        .find(|finding| finding.kind == leak.finding.kind && finding.subject == leak.finding.subject);
    let before = leak.finding.rate_per_s.map(|per_s| {
        let (low, high) = leak.finding.rate_interval.unwrap_or((per_s, per_s));
        Rate { per_s, low, high }
    });
    let mut now: Option<Rate> = None;
    let mut cpu = 0.0;
    for tracked in analyser.processes.values() {
        let points: Vec<(f64, f64)> =
            tracked.history().iter().filter_map(|p| Some((p.at_boot_s, figure(&leak.finding, p)?))).collect();
        if let Some(rate) = slope(&points) {
            let sum = now.unwrap_or(Rate { per_s: 0.0, low: 0.0, high: 0.0 });
            now = Some(Rate {
                per_s: sum.per_s + rate.per_s,
                low: sum.low + rate.low,
                high: sum.high + rate.high,
            });
        }
        cpu += tracked.cpu_per_s(analyser.host.ticks_per_second).unwrap_or(0.0);
    }
    let fixed = match (before, again) {
        (_, Some(_)) => Some(false),
        (Some(before), None) => prove_growth(before, now, Some((leak.cpu, cpu))),
        (None, None) => None,
    };
    let mut remarks = Vec::new();
    if fixed.is_none() && now.is_some_and(|rate| rate.low <= 0.0) {
        remarks.push(format!(
            "it does not grow now, but works less than before ({:.1} % of a processor, was {:.1} %): quiet time proves nothing",
            cpu * 100.0,
            leak.cpu * 100.0
        ));
    }
    let readings = analyser.processes.iter().map(|(key, tracked)| (*key, tracked.reading.clone())).collect();
    let proof = match fixed {
        Some(true) => Proof::Fixed { firings: 0, source: FiringSource::Births },
        Some(false) => Proof::NotFixed { survivors: 0, firings: None },
        None => Proof::NotProven { firings: 0, needed: 0, next_unix_s: None },
    };
    Ok(Answer {
        proof,
        pids: analyser.processes.keys().map(|key| key.pid).collect(),
        label: label(&readings),
        since_unix_s: seen.0,
        watched_s: seen.1 - seen.0,
        rate: now,
        schedule: None,
        remarks,
        impact: analyser.impact(),
    })
}

/// The figure that a finding is about.
fn figure(finding: &Finding, point: &detect::rules::Point) -> Option<f64> {
    match finding.kind {
        FindingKind::DescriptorLeak => point.descriptors.map(|n| n as f64),
        FindingKind::ChildProcessLeak => point.children.map(|(alive, dead)| (alive + dead) as f64),
        FindingKind::JavaHeapLeak => point.jvm.as_ref().and_then(|jvm| jvm.live),
        FindingKind::KernelMemoryGrowth => point.page_tables.map(|b| b.0 as f64),
        FindingKind::ReservationLeak => point.virtual_size.map(|b| b.0 as f64),
        _ => {
            let class = point.classes.iter().find(|(class, _)| class.label() == finding.subject.as_str());
            class.and_then(|(_, amounts)| amounts.touched).or(point.resident).map(|b| b.0 as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pools_number_is_the_first_in_the_name() {
        let of = |name: &str| number(&Thread { name: name.into(), ..Thread::default() });
        assert_eq!(of("pool-17-thread-1"), Some(17));
        assert_eq!(of("Timer-3"), Some(3));
        assert_eq!(of("main"), None);
        assert_eq!(of("x-99999999999999999999999"), None);
    }

    #[test]
    fn a_case_is_found_by_its_id_or_its_file() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["7c1e09d2.flatfoot", "7c1f0000.flatfoot", "notes.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let find = |id: &str| {
            find_case(id, Some(dir.path().to_owned())).map(|path| path.file_name().unwrap().to_owned())
        };
        assert_eq!(find("7c1e").unwrap(), "7c1e09d2.flatfoot");
        assert!(find("7c1").is_err(), "too short");
        assert!(find("ffff").unwrap_err().to_string().contains("no case of finding ffff"));
        std::fs::write(dir.path().join("7c1eaaaa.flatfoot"), "").unwrap();
        assert!(find("7c1e").unwrap_err().to_string().contains("2 cases"));
    }
}
