//! Leaked threads: who was born since, who is still there, and how often the cause fired.

use anyhow::Result;
use detect::cadence::{self, Window};
use detect::compare::{After, Before, FiringSource, Proof, due, next_due, prove, survivors_per_firing};
use detect::creators::fits_cut;
use model::{
    AccessLevel, FoundSchedule, HostReading, Impact, Look, Pid, ProcessKey, ProcessReading, ScheduleEntry,
    ScheduleWhen, Text, Thread, Ticks,
};
use probe::{Parts, ThreadDepth};

use super::seen::Seen;
use super::{Answer, How, Leak, label};
use crate::present::Term;
use crate::source::{Ask, OfHost, Source};
use crate::visit::{self, Plan, Told};

/// The longest that `--for auto` watches.
const LONGEST_S: f64 = 600.0;
/// Firings that `--for auto` waits for.
const FIRINGS: f64 = 4.0;
/// A thread younger than this may be at work; of slow rhythms five minutes at most.
const AT_WORK_S: (f64, f64) = (5.0, 300.0);
/// Looks at threads: births that live shorter than this are only seen by the numbers in their names.
const SHORTEST_LOOK_S: f64 = 0.05;

/// What the threads of one process tell.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    births: u64,
    numbers: Option<u64>,
    aged: u64,
    survivors: u64,
}

/// Watches the threads and decides.
pub(super) fn answer(leak: &Leak, source: &mut dyn Source, pids: Vec<Pid>, how: How) -> Result<Answer> {
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
        for life in source.lives(&self.pids)? {
            self.seen.add(life);
        }
        Ok(())
    }

    fn answer(&self) -> Answer {
        let mut told = Counted::default();
        let mut since = f64::INFINITY;
        for (key, process) in &self.seen.names {
            let from = self.since(key, process);
            since = since.min(from);
            let one = self.told(*key, from);
            told.births += one.births;
            told.aged += one.aged;
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
        // Each of these may miss some, and none counts what was not: the last number is that of the last thread that a
        // look saw.
        let counts = [
            (self.starts(), FiringSource::Starts),
            (told.births, FiringSource::Births),
            (told.numbers.unwrap_or(0), FiringSource::Numbers),
        ];
        let most = counts.into_iter().max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 0);
        let firings = most.or_else(|| was_due.map(|n| (n, FiringSource::Schedule)));
        let after = After {
            firings,
            aged: told.aged,
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

    fn told(&self, key: ProcessKey, since: f64) -> Counted {
        let Some(seen) = self.seen.threads.get(&key) else { return Counted::default() };
        let pattern = self.leak.finding.subject.as_str();
        let at_work_s = self.period_s.clamp(AT_WORK_S.0, AT_WORK_S.1);
        let mut told = Counted::default();
        let mut numbered: Vec<(Ticks, Option<u64>)> = Vec::new();
        for (id, thread) in seen.iter().filter(|(_, thread)| fits_cut(pattern, thread.name.as_str())) {
            numbered.push((thread.start, number(thread)));
            let born = self.host.unix_from_boot(thread.start.seconds(self.host.ticks_per_second));
            if born <= since {
                continue;
            }
            told.births += 1;
            let alive = self.seen.alive.get(&key).is_some_and(|alive| alive.contains(id));
            let is_aged = self.now.1 - born > at_work_s;
            told.aged += u64::from(is_aged);
            told.survivors += u64::from(is_aged && alive);
        }
        told.numbers = given_out(numbered, if key == self.leak.key { self.leak.number } else { 0 });
        told
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

/// How many numbers were given out after `before`, where names are numbered in the order of their births.
fn given_out(mut numbered: Vec<(Ticks, Option<u64>)>, before: u64) -> Option<u64> {
    numbered.sort_unstable();
    let numbers: Vec<u64> = numbered.iter().filter_map(|(_, number)| *number).collect();
    if numbers.len() < numbered.len() || !numbers.is_sorted() {
        return None;
    }
    Some(numbers.last()?.saturating_sub(before))
}

/// The first number in a name: `pool-17-thread-1` is of pool 17.
fn number(thread: &Thread) -> Option<u64> {
    let name = thread.name.as_str();
    let from = name.find(|c: char| c.is_ascii_digit())?;
    let digits = name[from..].split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
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
}
