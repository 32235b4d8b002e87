//! A recorder's store, opened as if it were the host at a moment of the past, with what was recorded before that moment.
//!
//! A view is made of one look (the state at the end of the window: the figures of the last tick over the newest deep look
//! before it, with the threads that were born and ended since) and of the points that growth is judged from.

mod points;
mod threads;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use detect::rules::Point;
use model::{
    BootId, Bytes, Cgroups, Column, Descriptors, HostReading, Incarnation, Look, MemInfo, Pid, ProcessKey,
    ProcessNo, ProcessReading, Reading, Stat, Statm, Text, Ticks,
};
use store::history::{Found, Happened, HistoryReader, Selection, Window, export};

use super::{Ask, HostPoint, Life, Past, Source, Watched};
use crate::analyse::Ended;
use crate::failure::{Code, Failure};
use crate::moment::Span;
use crate::present::time;
use crate::target::Spec;

/// USER_HZ: the kernel's unit of birth times is 10 ms on every Linux.
const TICKS_PER_SECOND: u64 = 100;
/// Threads of which a leak can be told: of processes with fewer no list is kept.
const MOST_PROCESSES: usize = 1 << 17;
/// Points of the host's own figures, at most: they are drawn, not judged.
const HOST_POINTS: usize = 1_024;

/// A store, and the time of it that is looked at.
pub(crate) struct RecordedSource {
    reader: HistoryReader,
    path: PathBuf,
    window: Window,
    found: Vec<Found>,
    remarks: Vec<String>,
}

impl RecordedSource {
    /// Opens a store or a case file with history. `span`: the time asked for, in Unix seconds; else all there is.
    pub(crate) fn open(path: &Path, span: Option<Span>) -> Result<Self> {
        let reader = HistoryReader::open(path)?;
        let coverage = reader.coverage()?;
        let (Some(first), Some(last)) = (coverage.first(), coverage.last()) else {
            let message = format!("{} holds no history", path.display());
            let hint = "flatfoot record fills it; a case file without history opens without --since";
            return Err(Failure::new(Code::Failed, message, hint).into());
        };
        let (begin, end) = (first.first_unix_ms, last.last_unix_ms);
        let window = match span {
            None => Window::new(begin, end.saturating_add(1)),
            Some(span) => {
                let ms = |unix_s: f64| (unix_s * 1e3) as i64;
                Window::new(ms(span.from).max(begin), ms(span.to).min(end).saturating_add(1))
            }
        };
        let mut remarks = Vec::new();
        if window.from_unix_ms >= window.until_unix_ms {
            let message = format!(
                "nothing was recorded then: {} holds {} to {}",
                path.display(),
                time::local(begin as f64 / 1e3),
                time::local(end as f64 / 1e3)
            );
            return Err(Failure::new(Code::Failed, message, "choose a time in between").into());
        }
        if let Some(span) = span
            && (span.from * 1e3) as i64 + 60_000 < begin
        {
            remarks.push(format!("recorded only since {}", time::local(begin as f64 / 1e3)));
        }
        // Times before another boot count from another zero: judged is the boot that the window ends in.
        let boot = coverage.iter().rev().find(|c| c.first_unix_ms < window.until_unix_ms).map(|c| c.boot);
        let mut found = reader.incarnations(window)?;
        found.retain(|one| Some(one.known.incarnation.key.boot) == boot);
        found.truncate(MOST_PROCESSES);
        if coverage.iter().any(|c| Some(c.boot) != boot && window.meets(c.first_unix_ms, c.last_unix_ms)) {
            remarks.push("the host was restarted meanwhile: judged is the time since then".to_owned());
        }
        Ok(Self { reader, path: path.to_owned(), window, found, remarks })
    }

    /// Does a file hold ticks, and not looks alone?
    pub(crate) fn has_history(path: &Path) -> bool {
        let covered = HistoryReader::open(path).and_then(|reader| reader.coverage());
        covered.is_ok_and(|covered| !covered.is_empty())
    }

    /// The moment that is looked at, in Unix milliseconds.
    fn end_ms(&self) -> i64 {
        self.window.until_unix_ms - 1
    }

    /// Who is asked for, and is there at the end of the window; who ended before is only asked for by name.
    fn wanted<'a>(&'a self, pids: &'a [Pid]) -> impl Iterator<Item = &'a Found> {
        let lives = |one: &Found| one.known.ended_boot_ms.is_none() || one.last_unix_ms > self.end_ms();
        self.found.iter().filter(move |one| match pids {
            [] => lives(one),
            pids => pids.contains(&one.known.incarnation.key.pid),
        })
    }

    fn last(&self, process: ProcessNo, columns: &[Column]) -> Result<Vec<Option<u64>>> {
        let last = self.reader.last(process, columns, self.window)?;
        Ok(last.into_iter().map(|last| last.map(|(_, value)| value)).collect())
    }

    /// The newest deep look that has a process, if there is one before the end of the window.
    fn deep(&self, pids: &[Pid]) -> Result<HashMap<ProcessKey, (i64, ProcessReading)>> {
        let mut deep: HashMap<ProcessKey, (i64, ProcessReading)> = HashMap::new();
        let before = Window::new(i64::MIN, self.window.until_unix_ms);
        for at in self.reader.looks(before)? {
            // One that can't be read costs that look; what it held of a process an older one may tell.
            let Ok(stored) = self.reader.look(at.id) else { continue };
            for reading in stored.look.processes {
                if pids.is_empty() || pids.contains(&reading.key.pid) {
                    let reading = match deep.remove(&reading.key) {
                        Some((_, older)) => over(reading, older),
                        None => reading,
                    };
                    deep.insert(reading.key, (at.at_unix_ms, reading));
                }
            }
        }
        Ok(deep)
    }

    /// The host at the end of the window, and as the newest deep look has what is never in a tick.
    fn host(&self, boot: BootId, booted_unix_s: f64) -> Result<HostReading> {
        let before = Window::new(i64::MIN, self.window.until_unix_ms);
        let deep = self.reader.looks(before)?.last().copied();
        let mut host = deep
            .and_then(|at| self.reader.look(at.id).ok())
            .map(|stored| stored.look.host)
            .unwrap_or_default();
        let columns = [
            Column::HostCommitted,
            Column::HostCommitLimit,
            Column::HostTotal,
            Column::HostAvailable,
            Column::HostFree,
            Column::HostSwapTotal,
            Column::HostSwapFree,
            Column::HostTasks,
        ];
        let last = self.last(ProcessNo::HOST, &columns)?;
        let bytes = |at: usize| Bytes(last[at].unwrap_or(0));
        if last[2].is_some() {
            host.memory = Reading::Value(MemInfo {
                committed: bytes(0),
                commit_limit: bytes(1),
                total: bytes(2),
                available: bytes(3),
                free: bytes(4),
                swap_total: bytes(5),
                swap_free: bytes(6),
                ..host.memory.value().copied().unwrap_or_default()
            });
        }
        if let Some(tasks) = last[7] {
            host.tasks = Reading::Value(tasks);
        }
        host.boot = boot;
        host.booted_unix_s = booted_unix_s;
        host.uptime_s = self.end_ms() as f64 / 1e3 - booted_unix_s;
        host.ticks_per_second = TICKS_PER_SECOND;
        Ok(host)
    }

    /// Unix time of the boot, by the clock that the recorder's times go by.
    fn booted_unix_s(&self) -> f64 {
        let of = |one: &Found| (one.first_unix_ms as f64 - one.known.seen_boot_ms as f64) / 1e3;
        self.found.last().map_or(0.0, of)
    }
}

impl Source for RecordedSource {
    fn is_live(&self) -> bool {
        false
    }

    fn origin(&self) -> String {
        let at = |ms: i64| time::local(ms as f64 / 1e3);
        format!("{}, {} to {}", self.path.display(), at(self.window.from_unix_ms), at(self.end_ms()))
    }

    fn find(&mut self, spec: &Spec) -> Result<Vec<Pid>> {
        let fits = |one: &&Found| spec.fits(&named(&one.known.incarnation));
        let mut found: Vec<Pid> =
            self.found.iter().filter(fits).map(|one| one.known.incarnation.key.pid).collect();
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn detailed(&mut self) -> Result<Vec<Pid>> {
        let mut pids: Vec<Pid> = self
            .deep(&[])?
            .into_values()
            .filter(|(_, reading)| reading.space.value().is_some())
            .map(|(_, reading)| reading.key.pid)
            .collect();
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    fn looks(&mut self, ask: &Ask, on_look: &mut dyn FnMut(Look) -> Result<()>) -> Result<Watched> {
        let deep = self.deep(&ask.pids)?;
        let mut events: HashMap<ProcessNo, Vec<Happened>> = HashMap::new();
        for happened in self.reader.events(self.window)? {
            events.entry(happened.event.process).or_default().push(happened);
        }
        let booted_unix_s = self.booted_unix_s();
        let at_unix_s = self.end_ms() as f64 / 1e3;
        let boot = self.found.last().map(|one| one.known.incarnation.key.boot).unwrap_or_default();
        let mut look = Look {
            at_unix_s,
            at_boot_s: at_unix_s - booted_unix_s,
            host: self.host(boot, booted_unix_s)?,
            ..Look::default()
        };
        for one in self.wanted(&ask.pids) {
            let own = events.get(&one.known.process).map_or(&[][..], Vec::as_slice);
            let reading = self.reading(one, deep.get(&one.known.incarnation.key), own)?;
            look.processes.extend(reading);
        }
        let mut remarks = self.remarks.clone();
        remarks.extend(self.reader.damage().into_iter().map(|damage| format!("lost: {damage}")));
        on_look(look)?;
        Ok(Watched { remarks, ended: false })
    }

    fn lives(&mut self, pids: &[Pid]) -> Result<Vec<Life>> {
        let keys: HashMap<ProcessNo, ProcessKey> =
            self.wanted(pids).map(|one| (one.known.process, one.known.incarnation.key)).collect();
        let events = self.reader.events(self.window)?;
        Ok(events
            .iter()
            .filter_map(|h| Some((*keys.get(&h.event.process)?, h)))
            .filter_map(threads::life)
            .collect())
    }

    fn export(&self, pids: &[Pid], redact: bool, path: &Path, about: &store::About) -> Option<Result<u64>> {
        let processes: Vec<ProcessNo> = self.wanted(pids).map(|one| one.known.process).collect();
        let processes = (!pids.is_empty()).then_some(processes.as_slice());
        let selection = Selection { window: self.window, processes, redact };
        Some(export(&self.reader, selection, path, about).map(|saved| saved.bytes).map_err(Into::into))
    }

    fn past(&mut self, ask: &Ask) -> Result<Past> {
        let mut past = Past::default();
        let everybody = ask.pids.is_empty();
        let booted_unix_s = self.booted_unix_s();
        past.host = self.host_past()?;
        let mut ends = threads::ends(&self.reader.events(self.window)?, booted_unix_s);
        for one in self.wanted(&ask.pids) {
            let columns = points::columns(everybody);
            // What is judged are floors of stretches: not each tick of months.
            let series = self.reader.thinned(one.known.process, &columns, self.window, points::READ)?;
            let mut points: Vec<Point> = points::points(&series, booted_unix_s);
            let flat = everybody && !points::may_grow(&series);
            if flat {
                points = points::sketch(points);
            } else {
                let since = self.window.from_unix_ms.max(one.first_unix_ms) as f64 / 1e3 - booted_unix_s;
                let ends = ends.remove(&one.known.process).unwrap_or_default();
                let ended = Ended::recorded(since, ends.threads, ends.missed);
                past.ended.insert(one.known.incarnation.key, ended);
            }
            if points.len() > 1 {
                past.points.insert(one.known.incarnation.key, points);
            }
        }
        Ok(past)
    }
}

impl RecordedSource {
    /// The host's memory over the window.
    fn host_past(&self) -> Result<Vec<HostPoint>> {
        let columns =
            [Column::HostCommitted, Column::HostCommitLimit, Column::HostTotal, Column::HostAvailable];
        let series = self.reader.thinned(ProcessNo::HOST, &columns, self.window, HOST_POINTS)?;
        Ok(points::host(&series))
    }

    /// One process at the end of the window; `None` when no tick of the window has it.
    fn reading(
        &self,
        one: &Found,
        deep: Option<&(i64, ProcessReading)>,
        events: &[Happened],
    ) -> Result<Option<ProcessReading>> {
        let incarnation = &one.known.incarnation;
        let columns = [
            Column::Cpu,
            Column::Threads,
            Column::Virtual,
            Column::Resident,
            Column::Data,
            Column::Descriptors,
            Column::MinorFaults,
            Column::MajorFaults,
            Column::Shared,
        ];
        let last = self.last(one.known.process, &columns)?;
        if last[1].is_none() && deep.is_none() {
            return Ok(None);
        }
        let mut reading = deep.map_or_else(|| named(&one.known.incarnation), |(_, reading)| reading.clone());
        reading.key = incarnation.key;
        reading.at_s = 0.0;
        reading.took_s = 0.0;
        let stat = Stat {
            name: incarnation.name.clone(),
            state: 'S',
            parent: incarnation.parent,
            utime: Ticks(last[0].unwrap_or(reading.stat.utime.0 + reading.stat.stime.0)),
            stime: Ticks(0),
            threads: last[1].unwrap_or(reading.stat.threads),
            virtual_size: last[2].map_or(reading.stat.virtual_size, Bytes),
            resident: last[3].map_or(reading.stat.resident, Bytes),
            minor_faults: last[6].unwrap_or(reading.stat.minor_faults),
            major_faults: last[7].unwrap_or(reading.stat.major_faults),
            start: incarnation.key.start,
            ..reading.stat
        };
        if let Some(data) = last[4] {
            let known = reading.statm.value().copied().unwrap_or_default();
            reading.statm = Reading::Value(Statm {
                size: stat.virtual_size,
                resident: stat.resident,
                data: Bytes(data),
                shared: last[8].map_or(known.shared, Bytes),
                ..known
            });
        }
        if let Some(total) = last[5] {
            reading.descriptors = Reading::Value(Descriptors { total, ..Descriptors::default() });
        }
        reading.stat = stat;
        // A look before the end: what counts on was read too early to be compared with what is there at the end.
        if deep.is_some_and(|(at, _)| self.end_ms() - at > 1_000)
            && let Reading::Value(jvm) = &mut reading.jvm
        {
            jvm.threads = None;
        }
        reading.threads = threads::at_the_end(one, deep, events);
        Ok(Some(reading))
    }
}

/// Newer readings over older ones: what the newer look did not ask for is as it was.
fn over(mut newer: ProcessReading, older: ProcessReading) -> ProcessReading {
    // Threads and mappings of two moments don't fit each other, but each is the newest that is known.
    crate::analyse::keep_skipped(&mut newer, older);
    newer
}

/// What a process is called, as a reading that a description can be compared with.
pub(crate) fn named(incarnation: &Incarnation) -> ProcessReading {
    let identity = &incarnation.identity;
    let words = identity.command.as_str().split(' ').filter(|word| !word.is_empty());
    ProcessReading {
        key: incarnation.key,
        stat: Stat { name: incarnation.name.clone(), start: incarnation.key.start, ..Stat::default() },
        cmdline: Reading::Value(words.map(Text::from).collect()),
        cgroups: Reading::Value(Cgroups {
            unit: identity.unit.clone(),
            container: identity.container.clone(),
            ..Cgroups::default()
        }),
        ..ProcessReading::default()
    }
}
