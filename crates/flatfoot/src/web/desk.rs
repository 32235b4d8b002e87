//! What each reading thread works with: the file it reads, opened once, and what all threads know together.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use model::{Finding, Pid, ProcessKey, ProcessNo};
use probe::Clock;
use schemars::JsonSchema;
use serde::Serialize;
use store::history::{Covered, Found, HistoryReader, Known, Window};

use super::answer::{Problem, Result};
use super::charts::Grid;
use super::events::Teller;
use super::looks::{self, Looks};
use super::pool::lock;
use super::query::Asked;
use super::served::{self, By, Served};
use crate::analyse::{Analyser, Diagnosis, HostSummary};
use crate::board::{self, Board};
use crate::commands::Outcome;
use crate::moment::Span;
use crate::source::{CaseSource, RecordedSource, Source};

/// An hour is what is shown when nobody says.
const USUAL_MS: i64 = 3_600_000;
/// Making the list of everybody takes no more than this share of the time: a month has many that lived for a moment.
const LISTED_SHARE: f64 = 20.0;
/// What a judgement looks back.
const DAY_S: f64 = 86_400.0;

/// What all threads know.
pub(super) struct Common {
    pub(super) served: Served,
    pub(super) teller: Teller,
    /// The processes as of the newest tick.
    pub(super) board: Mutex<Board>,
    pub(super) looks: Looks,
    judged: Mutex<Option<Arc<Judged>>>,
    /// How often it was judged.
    judgements: AtomicU64,
    /// Why it could not be judged when it was tried last.
    trouble: Mutex<Option<String>>,
    /// Does the time go on?
    pub(super) live: AtomicBool,
    /// Is the server to end?
    pub(super) ending: AtomicBool,
}

/// A judgement of everything.
pub(super) struct Judged {
    pub(super) at_unix_s: f64,
    pub(super) outcome: Outcome,
    /// When each finding of a process was first and last judged so, by its id.
    pub(super) seen: HashMap<(String, Pid), (f64, f64)>,
}

impl Judged {
    pub(super) fn diagnosis(&self) -> &Diagnosis {
        &self.outcome.diagnosis
    }
}

impl Common {
    pub(super) fn new(served: Served, teller: Teller) -> Self {
        let live = served.by == By::Page;
        Self {
            served,
            teller,
            board: Mutex::default(),
            looks: Looks::default(),
            judged: Mutex::default(),
            judgements: AtomicU64::new(0),
            trouble: Mutex::default(),
            live: AtomicBool::new(live),
            ending: AtomicBool::new(false),
        }
    }

    pub(super) fn judged(&self) -> Option<Arc<Judged>> {
        lock(&self.judged).clone()
    }

    /// What was judged, or why nothing could be: the last judgement then stands.
    pub(super) fn take_judged(&self, judged: anyhow::Result<Judged>) {
        let trouble = judged.as_ref().err().map(|error| format!("not judged now: {error:#}"));
        if trouble.is_some() && trouble == *lock(&self.trouble) {
            return;
        }
        *lock(&self.trouble) = trouble;
        if let Ok(judged) = judged {
            *lock(&self.judged) = Some(Arc::new(judged));
        }
        self.judgements.fetch_add(1, Ordering::Relaxed);
    }

    /// What could not be judged, a line each.
    pub(super) fn not_judged(&self) -> Vec<String> {
        let known = self.judged().map(|judged| judged.diagnosis().not_judged.clone()).unwrap_or_default();
        lock(&self.trouble).clone().into_iter().chain(known).collect()
    }

    /// Changes with each judgement: part of what answers are kept by.
    pub(super) fn judgements(&self) -> u64 {
        self.judgements.load(Ordering::Relaxed)
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// The host's figures of a board, over what the newest judgement knows of the host.
    pub(super) fn host(&self, board: &Board) -> HostSummary {
        let figures = board.host();
        let mut host = self.judged().map(|judged| judged.diagnosis().host.clone()).unwrap_or_default();
        if host.name.is_empty() && self.served.by != By::Case {
            host.name = self.served.host.as_str().into();
        }
        host.at = crate::present::time::rfc3339(board.at_unix_s());
        host.memory_bytes = figures.total.or(host.memory_bytes);
        host.available_bytes = figures.available.or(host.available_bytes);
        host.committed_bytes = figures.committed.or(host.committed_bytes);
        host.commit_limit_bytes = figures.commit_limit.or(host.commit_limit_bytes);
        host
    }
}

/// A time that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Range {
    /// Unix seconds.
    pub(crate) from: f64,
    /// Unix seconds.
    pub(crate) to: f64,
}

/// The same with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) from_ms: i64,
    /// The first millisecond after it.
    pub(super) to_ms: i64,
    /// From tick to tick.
    pub(super) pace_ms: i64,
    /// The newest tick.
    pub(super) last_ms: i64,
    /// Does it go on with what is recorded?
    pub(super) open: bool,
}

impl Stretch {
    pub(super) fn range(&self) -> Range {
        Range { from: self.from_ms as f64 / 1e3, to: self.to_ms as f64 / 1e3 }
    }

    pub(super) fn grid(&self, pixels: usize) -> Grid {
        Grid::new(self.from_ms, self.to_ms, pixels, self.pace_ms)
    }

    /// What is read for a grid of it.
    pub(super) fn window(&self, grid: &Grid) -> Window {
        Window::new(grid.read_from_ms(), self.to_ms)
    }

    /// Until when what was read last stands.
    pub(super) fn known_until_ms(&self) -> i64 {
        self.last_ms
    }

    /// The moment it ends at; `None` for now.
    pub(super) fn moment_ms(&self) -> Option<i64> {
        (!self.open).then_some(self.to_ms)
    }

    /// Whose events are asked for.
    pub(super) fn events(&self) -> Window {
        Window::new(self.from_ms, self.to_ms)
    }

    /// How long an answer about it is good for others.
    pub(super) fn keep_s(&self, grid: &Grid) -> f64 {
        if self.open { (grid.step_ms() / 4e3).clamp(1.0, 15.0) } else { 30.0 }
    }
}

/// Everybody, as of a tick.
struct List {
    last_ms: i64,
    /// So long it is good enough.
    until_s: f64,
    found: Rc<Vec<Found>>,
}

/// One thread's desk.
pub(super) struct Desk {
    pub(super) common: Arc<Common>,
    reader: Option<HistoryReader>,
    found: Option<List>,
}

impl Desk {
    pub(super) fn new(common: Arc<Common>) -> Self {
        Self { common, reader: None, found: None }
    }

    /// The file, as it is now.
    pub(super) fn reader(&mut self) -> Result<&HistoryReader> {
        if self.reader.is_none() {
            self.reader = Some(self.common.served.open()?);
        }
        self.reader.as_ref().ok_or_else(|| Problem::internal(&"the store is not open"))
    }

    /// Ticks there are, oldest first.
    pub(super) fn coverage(&mut self) -> Result<Vec<Covered>> {
        match self.reader()?.coverage() {
            Ok(coverage) => Ok(coverage),
            Err(error) => {
                // Opened anew by the next who asks: it may have been replaced.
                self.reader = None;
                Err(error.into())
            }
        }
    }

    /// The time that is asked for.
    pub(super) fn stretch(&mut self, asked: Asked) -> Result<Stretch> {
        let coverage = self.coverage()?;
        let (Some(first), Some(last)) = (coverage.first(), coverage.last()) else {
            return Ok(self.stretch_of_looks(asked));
        };
        Ok(stretch(asked, first.first_unix_ms, last.last_unix_ms, served::pace_ms(&coverage)))
    }

    fn stretch_of_looks(&self, asked: Asked) -> Stretch {
        let judged = self.common.judged();
        let at_ms = (lock(&self.common.board).at_unix_s() * 1e3) as i64;
        let watched_ms = judged.map_or(0, |judged| (judged.diagnosis().looked_at.watched_s * 1e3) as i64);
        stretch(asked, at_ms.saturating_sub(watched_ms.max(1_000)), at_ms, 1)
    }

    /// Everybody who was there at any time, by their numbers; of a long list as it was a moment ago.
    pub(super) fn found(&mut self) -> Result<Rc<Vec<Found>>> {
        if let Some(list) = self.found.as_ref().filter(|list| Clock::monotonic() < list.until_s) {
            return Ok(Rc::clone(&list.found));
        }
        self.find()
    }

    /// The same as it is now.
    fn find(&mut self) -> Result<Rc<Vec<Found>>> {
        let last_ms = self.coverage()?.last().map_or(0, |last| last.last_unix_ms);
        if let Some(list) = self.found.as_ref().filter(|list| list.last_ms == last_ms) {
            return Ok(Rc::clone(&list.found));
        }
        // What it cost, and not how long others were before it: on a busy host the list would be old for a minute.
        let began_s = Clock::cpu_of_thread();
        let found = Rc::new(self.reader()?.incarnations(Window::ALL)?);
        let until_s = Clock::monotonic() + LISTED_SHARE * (Clock::cpu_of_thread() - began_s);
        self.found = Some(List { last_ms, until_s, found: Rc::clone(&found) });
        Ok(found)
    }

    /// The process of an id: `PID-START`, or a bare pid. Boots and a pid's reuse give several: the newest of those that were
    /// there in the time that is looked at.
    pub(super) fn process(&mut self, id: &str, stretch: Option<&Stretch>) -> Result<Found> {
        let (pid, start) = parse_id(id)?;
        if self.common.served.only_looks {
            let hint = "/api/v1/processes lists who was looked at";
            return self
                .looked(id)
                .ok_or_else(|| Problem::not_there(format!("no process {id} is in the case"), hint));
        }
        let fits = |one: &&Found| {
            let key = one.known.incarnation.key;
            key.pid == pid && start.is_none_or(|start| key.start.0 == start)
        };
        let was_there = |one: &Found| {
            stretch.is_none_or(|stretch| stretch.events().meets(one.first_unix_ms, one.last_unix_ms))
        };
        let newest = |found: &[Found]| {
            let newest = |one: &&Found| (was_there(one), one.first_unix_ms, one.known.process);
            found.iter().filter(fits).max_by_key(newest).cloned()
        };
        let known = newest(&self.found()?);
        // Who is new is not yet in a list of a moment ago.
        let known = match known {
            Some(known) => Some(known),
            None => newest(&self.find()?),
        };
        known.ok_or_else(|| {
            Problem::not_there(
                format!("no process {id} was recorded"),
                "/api/v1/processes lists who is there",
            )
        })
    }

    /// The process table at a moment; `None` for now.
    pub(super) fn with_board<T>(
        &mut self,
        moment_ms: Option<i64>,
        ask: impl FnOnce(&Board) -> T,
    ) -> Result<T> {
        match moment_ms {
            Some(moment_ms) if !self.common.served.only_looks => {
                let mut board = board::at(self.reader()?, moment_ms)?;
                if let Some(judged) = self.common.judged() {
                    board.learn(&judged.outcome.analyser, &judged.diagnosis().findings, true);
                }
                Ok(ask(&board))
            }
            _ => Ok(ask(&lock(&self.common.board))),
        }
    }

    /// The host at a moment; `None` for now.
    pub(super) fn host(&mut self, moment_ms: Option<i64>) -> Result<HostSummary> {
        let common = Arc::clone(&self.common);
        self.with_board(moment_ms, |board| common.host(board))
    }

    /// Findings about a process.
    pub(super) fn findings_of(&self, key: ProcessKey) -> Vec<Finding> {
        let Some(judged) = self.common.judged() else { return Vec::new() };
        let is_there = judged.outcome.analyser.processes.contains_key(&key);
        let about = |finding: &&Finding| is_there && finding.process.pid == key.pid;
        judged.diagnosis().findings.iter().filter(about).cloned().collect()
    }

    /// A look at a process as it is now, or as it was at the end of a time that is over; and where that comes from.
    pub(super) fn look(&mut self, one: &Found, stretch: &Stretch) -> Result<(Arc<Analyser>, String)> {
        let key = one.known.incarnation.key;
        if stretch.open && self.lives_here(one) {
            return Ok((self.common.looks.live(key)?, "this host".to_owned()));
        }
        let mut source = self.source(Some(stretch))?;
        let seen = looks::look(source.as_mut(), key.pid)?;
        if !seen.processes.contains_key(&key) {
            let hint = "choose a time at which it lived";
            return Err(Problem::not_there(format!("{} was not there then", key.pid), hint));
        }
        Ok((Arc::new(seen), source.origin()))
    }

    /// What was recorded, up to the end of a time and from a day before it; of a file of looks all of them.
    pub(super) fn source(&self, stretch: Option<&Stretch>) -> Result<Box<dyn Source>> {
        let path = &self.common.served.path;
        if self.common.served.only_looks {
            return Ok(Box::new(CaseSource::open(path)?));
        }
        let span = stretch.map(|stretch| {
            let range = stretch.range();
            Span { from: range.from.min(range.to - DAY_S), to: range.to }
        });
        Ok(Box::new(RecordedSource::open(path, span)?))
    }

    /// Is it a process that lives on this host now?
    fn lives_here(&self, one: &Found) -> bool {
        self.common.is_live()
            && one.known.ended_boot_ms.is_none()
            && one.known.incarnation.key.boot == self.common.served.boot
            && self.common.served.by != By::Case
    }

    /// A process of a file of looks, as if it had been recorded.
    fn looked(&self, id: &str) -> Option<Found> {
        let board = lock(&self.common.board);
        let no = board.find(id)?;
        let at_ms = (board.at_unix_s() * 1e3) as i64;
        let incarnation = board.who(no)?.clone();
        let judged = self.common.judged();
        let first_s = judged.map_or(0.0, |judged| judged.diagnosis().looked_at.watched_s);
        let known = Known { process: no, incarnation, ..Known::default() };
        Some(Found { known, first_unix_ms: at_ms - (first_s * 1e3) as i64, last_unix_ms: at_ms })
    }
}

/// What is asked for, cut to what there is: a time before the first tick would only be empty.
fn stretch(asked: Asked, first_ms: i64, last_ms: i64, pace_ms: i64) -> Stretch {
    let ms = |unix_s: f64| (unix_s * 1e3) as i64;
    let end_ms = last_ms.saturating_add(1);
    let open = asked.to.is_none_or(|to| ms(to) >= last_ms);
    let from_ms = asked.from.map(ms);
    let mut to_ms = asked.to.map_or(end_ms, ms);
    if open {
        to_ms = end_ms;
    }
    // Times at which nothing was recorded stay as they are: they are empty. So does a clock that is ahead.
    if let Some(from_ms) = from_ms.filter(|from_ms| *from_ms >= to_ms) {
        to_ms = asked.to.map_or(from_ms.saturating_add(1_000), ms);
    }
    let from_ms = from_ms.unwrap_or_else(|| to_ms.saturating_sub(USUAL_MS));
    let from_ms = if first_ms < to_ms { from_ms.max(first_ms) } else { from_ms };
    // A second at least.
    let from_ms = if asked.from.is_none() { from_ms.min(to_ms.saturating_sub(1_000)) } else { from_ms };
    Stretch { from_ms, to_ms, pace_ms, last_ms, open }
}

/// `3248-512000`, or `3248`.
fn parse_id(id: &str) -> Result<(Pid, Option<u64>)> {
    let wrong = || {
        let hint = "PID-START, as 3248-512000 (START: /proc/PID/stat, field 22), or a bare pid";
        Problem::not_understood(format!("{id:?} is no process's id"), hint)
    };
    let number = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten()
    };
    let (pid, start) = match id.split_once('-') {
        Some((pid, start)) => (pid, Some(number(start).ok_or_else(wrong)?)),
        None => (id, None),
    };
    let pid = number(pid).and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0).ok_or_else(wrong)?;
    Ok((Pid(pid), start))
}

/// A series of a process for a grid: thinned where there are many more points than columns.
pub(super) fn thinned(
    reader: &HistoryReader,
    no: ProcessNo,
    columns: &[model::Column],
    window: Window,
    grid: &Grid,
) -> Result<Vec<store::history::Series>> {
    Ok(reader.thinned(no, columns, window, grid.columns.saturating_mul(4))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_strictly() {
        assert_eq!(parse_id("3248-512000").unwrap(), (Pid(3_248), Some(512_000)));
        assert_eq!(parse_id("1").unwrap(), (Pid(1), None));
        for wrong in
            ["", "0", "-1", "1-", "-", "1-2-3", "+1", "1-+2", "4294967296", "x", "1-99999999999999999999"]
        {
            assert!(parse_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_time_is_the_last_hour_unless_it_is_said() {
        let of = |from: Option<f64>, to: Option<f64>| {
            let stretch = stretch(Asked { from, to }, 1_000_000, 9_000_000, 2_000);
            (stretch.from_ms, stretch.to_ms, stretch.open)
        };
        assert_eq!(of(None, None), (5_400_001, 9_000_001, true));
        assert_eq!(of(Some(2_000.0), None), (2_000_000, 9_000_001, true));
        assert_eq!(of(Some(0.0), None), (1_000_000, 9_000_001, true), "cut to what there is");
        assert_eq!(of(Some(2_000.0), Some(99_000.0)), (2_000_000, 9_000_001, true));
        assert_eq!(of(None, Some(2_000.0)), (1_000_000, 2_000_000, false), "all there is, when that is less");
        assert_eq!(of(Some(2.0), Some(3.0)), (2_000, 3_000, false), "nothing was recorded then");
        assert_eq!(of(Some(99_000.0), None), (99_000_000, 99_001_000, true), "a clock that is ahead");
        assert_eq!(of(Some(99_000.0), Some(99_002.0)), (99_000_000, 99_002_000, true));
        assert_eq!(of(None, Some(500.0)), (-3_100_000, 500_000, false));
    }
}
