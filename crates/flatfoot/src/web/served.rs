//! What is served: the store of a recorder, a case file, or what the server itself records while it runs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use anyhow::Result;
use model::{BootId, EventKind, Pid};
use probe::{Clock, Prober, ProcRoot};
use schemars::JsonSchema;
use serde::Serialize;
use store::history::{Covered, Happened, HistoryReader, Window};

use super::private::Private;
use crate::failure::{Code, Failure};
use crate::present::{Term, time};
use crate::recorder;

/// Who records what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// flatfoot record, in a process of its own.
    Recorder,
    /// This server, while it runs.
    Page,
    /// Nobody any more: it is a case file.
    Case,
}

/// What is served, to all threads.
#[derive(Debug)]
pub(super) struct Served {
    /// The file that is read.
    pub(super) path: PathBuf,
    pub(super) by: By,
    /// It has looks and no ticks.
    pub(super) only_looks: bool,
    /// This host's boot; a process of another one is not looked at live.
    pub(super) boot: BootId,
    /// What is worth knowing about it, a sentence each.
    pub(super) remarks: Vec<String>,
    /// Where to connect to from elsewhere.
    pub(super) ssh: Option<String>,
    /// The host's name.
    pub(super) host: String,
    /// Whom a reader looks at: for the recorder of this process.
    wanted: Arc<recorder::Wanted>,
}

/// Processes that readers may look at between two ticks; more are not remembered.
const MOST_WANTED: usize = 8;

/// When the newest tick of a recorder that did not say that it ends is so old, it was killed.
const SILENT_S: f64 = 30.0;

impl Served {
    /// The file that was named, the store that is being recorded, or one of the server's own.
    pub(super) fn choose(
        file: Option<&Path>,
        store: Option<&Path>,
        interval_s: f64,
    ) -> Result<(Self, Option<Recording>)> {
        let host = ProcRoot::open("/proc").ok().map(|root| Prober::new(root).host(false));
        let mut served = Self {
            path: PathBuf::new(),
            by: By::Case,
            only_looks: false,
            boot: host.as_ref().map(|host| host.boot).unwrap_or_default(),
            remarks: Vec::new(),
            ssh: None,
            wanted: Arc::default(),
            host: host.map(|host| host.name.as_str().to_owned()).unwrap_or_default(),
        };
        if let Some(path) = file.or(store) {
            let reader = open(path)?;
            // What is shown to be copied is good in any folder.
            served.path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            served.by = if reader.is_store() { By::Recorder } else { By::Case };
            let coverage = reader.coverage()?;
            served.only_looks = coverage.is_empty();
            if served.only_looks && served.by == By::Recorder {
                let hint = "flatfoot record fills it";
                return Err(Failure::new(
                    Code::Failed,
                    format!("{} holds nothing yet", path.display()),
                    hint,
                )
                .into());
            }
            served.remarks.extend(reader.damage().into_iter().map(|damage| format!("lost: {damage}")));
            if served.by == By::Recorder && !is_recorded_now(&reader, &coverage)? {
                let end = coverage.last().map_or(0, |last| last.last_unix_ms);
                served.remarks.push(format!(
                    "recorded until {}: nobody records into it now",
                    time::local(end as f64 / 1e3)
                ));
            }
            return Ok((served, None));
        }
        let usual = recorder::store_to_read();
        if usual.exists() {
            let recorded = open(&usual).and_then(|reader| Ok(is_recorded_now(&reader, &reader.coverage()?)?));
            match recorded {
                Ok(true) => {
                    served.path = usual;
                    served.by = By::Recorder;
                    return Ok((served, None));
                }
                Ok(false) => served.remarks.push(format!(
                    "nobody records into {} now; --store shows what is in it",
                    usual.display()
                )),
                Err(error) => served.remarks.push(format!("{error:#}")),
            }
        }
        let recording = Recording::start(interval_s, &served.wanted)?;
        served.path = recording.private.store();
        served.by = By::Page;
        Ok((served, Some(recording)))
    }

    /// A reader looks at a process: what it has of each class of memory is recorded from now on, where this process records.
    pub(super) fn want(&self, pid: Pid) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if self.by == By::Page && wanted.len() < MOST_WANTED && !wanted.contains(&pid) {
            wanted.push(pid);
        }
    }

    /// Opens the file anew.
    pub(super) fn open(&self) -> Result<HistoryReader> {
        open(&self.path)
    }
}

fn open(path: &Path) -> Result<HistoryReader> {
    Ok(HistoryReader::open(path)?)
}

/// Milliseconds from tick to tick, as of the newest that were recorded.
pub(super) fn pace_ms(coverage: &[Covered]) -> i64 {
    let Some(last) = coverage.last() else { return 1_000 };
    if last.step_ms > 0 {
        return i64::try_from(last.step_ms).unwrap_or(i64::MAX);
    }
    let span = last.last_unix_ms.saturating_sub(last.first_unix_ms);
    let ticks = i64::try_from(last.ticks.saturating_sub(1)).unwrap_or(1).max(1);
    (span / ticks).max(1)
}

/// Is the newest tick younger than three intervals, and not the one with which the recorder ended?
pub(super) fn is_recorded_now(
    reader: &HistoryReader,
    coverage: &[Covered],
) -> std::result::Result<bool, store::Error> {
    let Some(last) = coverage.last().filter(|_| !is_older(coverage, 3.0, SILENT_S)) else { return Ok(false) };
    let newest = Window::new(last.last_unix_ms, last.last_unix_ms.saturating_add(1));
    let stopped = |happened: &Happened| happened.event.what == EventKind::RecorderStopped;
    Ok(!reader.events(newest)?.iter().any(stopped))
}

/// Should there be a newer tick by now?
pub(super) fn is_late(coverage: &[Covered]) -> bool {
    is_older(coverage, 1.5, 0.0)
}

/// Is the newest tick older than so many intervals, and than so many seconds?
fn is_older(coverage: &[Covered], intervals: f64, least_s: f64) -> bool {
    let age_s = |last: &Covered| Clock::wall() - last.last_unix_ms as f64 / 1e3;
    coverage
        .last()
        .is_none_or(|last| age_s(last) >= (intervals * pace_ms(coverage) as f64 / 1e3).max(least_s))
}

/// The recorder in this process.
pub(super) struct Recording {
    private: Private,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<Result<()>>>,
}

impl Recording {
    /// Waits for the first tick: a page is never empty.
    fn start(interval_s: f64, wanted: &Arc<recorder::Wanted>) -> Result<Self> {
        const FIRST_S: f64 = 30.0;
        let private = Private::make()?;
        let stop = Arc::new(AtomicBool::new(false));
        let settings = recorder::Settings {
            path: private.store(),
            interval_s,
            for_s: None,
            retention: private.retention(),
            term: Term::default(),
        };
        let asked = Arc::clone(&stop);
        let wanted = Arc::clone(wanted);
        let thread = std::thread::Builder::new()
            .name("flatfoot-record".to_owned())
            .spawn(move || recorder::run_quietly(&settings, &asked, &wanted, "flatfoot serve"))?;
        let mut recording = Self { private, stop, thread: Some(thread) };
        let until = Clock::monotonic() + FIRST_S;
        while Clock::monotonic() < until && !crate::interrupt::asked() {
            if recording.thread.as_ref().is_none_or(std::thread::JoinHandle::is_finished) {
                recording.end()?;
                break;
            }
            let reader = HistoryReader::open(&recording.private.store());
            if reader.and_then(|reader| reader.coverage()).is_ok_and(|coverage| !coverage.is_empty()) {
                return Ok(recording);
            }
            Clock::sleep(0.02);
        }
        let hint = "flatfoot doctor shows what can be read here";
        Err(Failure::new(Code::Failed, "nothing could be recorded", hint).into())
    }

    /// Where it is kept, in words.
    pub(super) fn place(&self) -> String {
        self.private.store().display().to_string()
    }

    /// Ends it; what it recorded is removed when this is dropped.
    pub(super) fn end(&mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(std::thread::JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => {
                Err(Failure::new(Code::Failed, "the recorder failed", "flatfoot record tells more").into())
            }
            None => Ok(()),
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
