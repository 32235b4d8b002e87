//! Reads what the view asks for, in threads beside it: drawing and keys never wait for a file.
//!
//! One reads the selected process and moments of the past, the other the whole host, case files and reports, so that what
//! takes long holds nobody up. Of questions of one kind that wait, only the newest is answered.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context as _, Result};
use model::{Bytes, Pid, show};
use probe::{Clock, SpaceDepth};
use store::history::HistoryReader;

use super::app::{Inspected, Judged, Request, Subject, Visited, When};
use super::event::{Event, spawn};
use crate::analyse::Analyser;
use crate::board::{self, Board};
use crate::commands::{html_report, keep};
use crate::failure::{Code, Failure};
use crate::moment::Span;
use crate::present::diagnosis::targets;
use crate::present::map::{MapDocument, sizes_text};
use crate::present::threads::ThreadsDocument;
use crate::present::{Term, time};
use crate::source::{Ask, CaseSource, LiveSource, OfHost, RecordedSource, Source};
use crate::views;

/// The past that a moment is judged by, unless more was asked for.
const DAY_S: f64 = 86_400.0;

/// Where what is read comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// This host; and its recorder's store, when there is one.
    Live { store: Option<PathBuf> },
    /// A store or a case file with history; `from_s`: since when it counts.
    Store { path: PathBuf, from_s: Option<f64> },
    /// A case file of looks.
    Case { path: PathBuf },
}

/// One of the threads that read.
pub(crate) struct Reader {
    jobs: Sender<Request>,
}

impl Reader {
    /// Starts it.
    pub(crate) fn start(name: &'static str, origin: Origin, send: Sender<Event>) -> Result<Self> {
        let (jobs, waiting) = channel();
        spawn(name, send.clone(), move || {
            while let Some(job) = newest(&waiting) {
                for job in job {
                    if send.send(answer(&origin, job)).is_err() {
                        return;
                    }
                }
            }
        })?;
        Ok(Self { jobs })
    }

    /// Asks for something.
    pub(crate) fn ask(&self, job: Request) {
        let _ = self.jobs.send(job);
    }
}

/// What waits, in its order, without what was asked for again later; waits until there is something.
fn newest(waiting: &Receiver<Request>) -> Option<Vec<Request>> {
    let mut jobs = vec![waiting.recv().ok()?];
    jobs.extend(waiting.try_iter());
    let mut kept: Vec<Request> = Vec::new();
    for job in jobs.into_iter().rev() {
        let again = |other: &Request| std::mem::discriminant(other) == std::mem::discriminant(&job);
        let once = !matches!(job, Request::Save { .. } | Request::Report { .. });
        if !(once && kept.iter().any(again)) {
            kept.push(job);
        }
    }
    kept.reverse();
    Some(kept)
}

fn answer(origin: &Origin, job: Request) -> Event {
    match job {
        Request::Inspect { when, of } => Event::Inspected(Box::new(inspect(origin, when, of))),
        Request::Diagnose { when, of } => {
            let judged = judge(origin, when, vec![of.pid]).map_err(said);
            Event::Diagnosed(when, of, Box::new(judged))
        }
        Request::Survey { when, pids } => {
            Event::Surveyed(when, Box::new(judge(origin, when, pids).map_err(said)))
        }
        Request::Visit { at_ms } => Event::Visited(at_ms, Box::new(visit(origin, at_ms).map_err(said))),
        Request::Follow { known_ms } => Event::Followed(Box::new(follow(origin, known_ms))),
        Request::Save { when, pid } => Event::Kept(save(origin, when, pid).map_err(said)),
        Request::Report { when, pid } => Event::Kept(report(origin, when, pid).map_err(said)),
        // The view's own.
        Request::Mouse(_) | Request::Redraw | Request::Suspend | Request::Quit => {
            Event::Kept(Err("nothing to read".to_owned()))
        }
    }
}

/// An error in a line: what failed, and what to do.
fn said(error: anyhow::Error) -> String {
    let failure = Failure::from_any(error);
    match failure.hint {
        Some(hint) => format!("{} ({hint})", failure.message),
        None => failure.message,
    }
}

/// The source of a time.
fn open(origin: &Origin, when: When) -> Result<Box<dyn Source>> {
    let (path, from_s) = match (origin, when) {
        (Origin::Live { .. }, When::Live) => return Ok(Box::new(LiveSource::open()?)),
        (Origin::Case { path }, _) => return Ok(Box::new(CaseSource::open(path)?)),
        (Origin::Live { store: Some(path) }, _) => (path, None),
        (Origin::Store { path, from_s }, _) => (path, *from_s),
        (Origin::Live { store: None }, _) => return Err(nothing_recorded()),
    };
    let span = match when {
        When::Past(at_ms) => {
            let to = at_ms as f64 / 1e3;
            Some(Span { from: from_s.filter(|from| *from < to).unwrap_or(to - DAY_S), to })
        }
        _ => None,
    };
    Ok(Box::new(RecordedSource::open(path, span)?))
}

fn nothing_recorded() -> anyhow::Error {
    Failure::new(Code::Failed, "nothing is recorded on this host yet", "flatfoot record fills its store")
        .into()
}

fn inspect(origin: &Origin, when: When, of: Subject) -> Inspected {
    let began = Clock::monotonic();
    let read = open(origin, when).and_then(|mut source| match when {
        When::Live => in_one_look(source.as_mut(), of.pid),
        // Threads and mappings may have been recorded at different times.
        _ => Ok(in_turn(source.as_mut(), of.pid)),
    });
    let (threads, map, sizes) = read.unwrap_or_else(|error| {
        let error = said(error);
        (Err(error.clone()), Err(error), String::new())
    });
    Inspected { when, of, threads, map, sizes, took_s: Clock::monotonic() - began }
}

/// Threads, memory, and mappings of equal size as text.
type Read = (Result<ThreadsDocument, String>, Result<MapDocument, String>, String);

/// A process that runs is read once for both views: they fit each other, and its mappings are locked half as long.
fn in_one_look(source: &mut dyn Source, pid: Pid) -> Result<Read> {
    let mut analyser = views::look_at(source, pid, views::parts_of_threads(), OfHost::Clocks)?;
    analyser.group_threads();
    let tracked = analyser.by_pid(pid).ok_or_else(|| views::gone(pid))?;
    let threads = match tracked.reading.threads.value() {
        Some(threads) => Ok(views::threads_of(&analyser, tracked, threads.len() as u64, source.origin())),
        None => Err(said(views::no_threads(tracked).into())),
    };
    let map = views::map_of(&analyser, pid, source.origin()).map_err(said);
    Ok((threads, map, sizes(&analyser, pid)))
}

fn in_turn(source: &mut dyn Source, pid: Pid) -> Read {
    // What no look read is not to be had by other rights, as the hint for a live process says.
    let said = |error| {
        let said = said(error);
        if said.contains(": not read") {
            "not recorded until then: a recorder looks closer at what it suspects alone".to_owned()
        } else {
            said
        }
    };
    let threads = views::threads(source, pid).map_err(said);
    match views::map(source, pid, SpaceDepth::Touched) {
        Ok(mapped) => {
            let sizes = sizes(&mapped.analyser, pid);
            (threads, Ok(mapped.document), sizes)
        }
        Err(error) => (threads, Err(said(error)), String::new()),
    }
}

fn sizes(analyser: &Analyser, pid: Pid) -> String {
    let tracked = analyser.by_pid(pid);
    let known = tracked.and_then(|t| Some((t.reading.space.value()?, t.memory.as_ref()?)));
    known.map_or_else(String::new, |(space, memory)| sizes_text(space, memory))
}

fn judge(origin: &Origin, when: When, pids: Vec<Pid>) -> Result<Judged> {
    let outcome = views::diagnosis(open(origin, when)?, pids)?;
    // Printed for one process; of a whole host the view shows it in its own lines.
    let text = if outcome.everybody {
        String::new()
    } else {
        targets(&outcome.diagnosis, &outcome.names, Term::default())
    };
    Ok(Judged { diagnosis: outcome.diagnosis, analyser: outcome.analyser, text })
}

/// The store that has the past.
fn store(origin: &Origin) -> Option<&Path> {
    match origin {
        Origin::Live { store } => store.as_deref(),
        Origin::Store { path, .. } => Some(path),
        Origin::Case { .. } => None,
    }
}

fn visit(origin: &Origin, at_ms: Option<i64>) -> Result<Visited> {
    if let Origin::Case { path } = origin {
        return looks(path);
    }
    let path = store(origin).ok_or_else(nothing_recorded)?;
    let reader = HistoryReader::open(path)?;
    let coverage = reader.coverage()?;
    let (Some(first), Some(last)) = (coverage.first(), coverage.last()) else {
        return Err(nothing_recorded());
    };
    let (first_ms, last_ms) = (first.first_unix_ms, last.last_unix_ms);
    let at_ms = at_ms.unwrap_or(last_ms).clamp(first_ms, last_ms);
    let board = board::at(&reader, at_ms)?;
    Ok(Visited { board, at_ms, first_ms, last_ms })
}

/// The end of what was recorded, when that is not what is known.
fn follow(origin: &Origin, known_ms: i64) -> Option<Visited> {
    let reader = HistoryReader::open(store(origin)?).ok()?;
    let last_ms = reader.coverage().ok()?.last()?.last_unix_ms;
    drop(reader);
    if last_ms > known_ms { visit(origin, None).ok() } else { None }
}

/// A case file's looks as ticks.
fn looks(path: &Path) -> Result<Visited> {
    let mut source = CaseSource::open(path)?;
    let mut board = Board::default();
    let ask = Ask::once(Vec::new(), crate::source::parts_of_everybody());
    source.looks(&ask, &mut |look| {
        board.take_look(&look);
        Ok(())
    })?;
    let at_ms = (board.at_unix_s() * 1e3) as i64;
    Ok(Visited { board, at_ms, first_ms: at_ms, last_ms: at_ms })
}

fn save(origin: &Origin, when: When, pid: Pid) -> Result<String> {
    let saved = keep(open(origin, when)?.as_mut(), pid)?;
    Ok(format!("saved {} ({})", saved.path, show::bytes(Bytes(saved.bytes))))
}

/// A report beside the case files: the folder that one is in may not be ours to write.
fn report(origin: &Origin, when: When, pid: Pid) -> Result<String> {
    let page = html_report(views::diagnosis(open(origin, when)?, vec![pid])?, true)?;
    let env = |name| std::env::var_os(name);
    let folder = store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref())?;
    let stamp = time::rfc3339(Clock::wall()).replace([':', '-'], "");
    let path = folder.join(format!("{pid}-{stamp}.html"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(page.as_bytes()));
    written.with_context(|| format!("writing {}", path.display()))?;
    Ok(format!("report {} ({})", path.display(), show::bytes(Bytes(page.len() as u64))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_questions_of_a_kind_the_newest_is_answered_and_nothing_is_saved_less() {
        let (ask, waiting) = channel();
        let of = |pid| Subject { id: format!("{pid}-1"), pid: Pid(pid) };
        let inspect = |pid| Request::Inspect { when: When::Live, of: of(pid) };
        let save = |pid| Request::Save { when: When::Live, pid: Pid(pid) };
        for job in [inspect(1), save(1), Request::Visit { at_ms: None }, inspect(2), save(1), inspect(3)] {
            ask.send(job).unwrap();
        }
        let jobs = newest(&waiting).unwrap();
        assert_eq!(jobs, [save(1), Request::Visit { at_ms: None }, save(1), inspect(3)]);
    }
}
