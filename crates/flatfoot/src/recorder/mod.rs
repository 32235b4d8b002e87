//! The recorder: samples the host at an interval, keeps every tick in a store, watches all series for growth, and says
//! when that changes.
//!
//! ```text
//! Sampler ── Tick ──► HistoryWriter      (safe when `tick` returns, whatever ends the recorder then)
//!               └───► Watch ── changes ──► Reporter (a line or a JSON object each), and a deep look into the store
//! ```
//!
//! A recorder runs for months beside work that matters more: it has a low priority, gives way when a tick costs more
//! than its share, never makes up for ticks that were late, and records its own cost like everything else.

mod closer;
mod lines;
mod pace;
mod place;
#[cfg(test)]
mod replay;
mod report;
mod service;
mod told;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use model::{Event, EventKind, Look, ProcessNo, Tick};
use probe::{Clock, ProcRoot, Sampler, SamplerOptions};
use store::history::{HistoryWriter, Retention};

use crate::commands::VERSION;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::Term;
pub(crate) use closer::Closer;
pub(crate) use lines::{RecordLine, WatchEvent, WatchLine};
pub(crate) use pace::Pace;
pub(crate) use place::{default_store, store_to_read};
pub(crate) use report::Reporter;
pub(crate) use service::{NICE, be_humble};
pub(crate) use watch::{Change, Watch};

/// How to record.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The store.
    pub(crate) path: std::path::PathBuf,
    /// Seconds between ticks.
    pub(crate) interval_s: f64,
    /// How long to record; for ever when it is not said.
    pub(crate) for_s: Option<f64>,
    /// How long and how much is kept.
    pub(crate) retention: Retention,
    /// How to say what is found.
    pub(crate) term: Term,
}

/// What the allocator holds and nobody uses is given back so often: looks at everybody leave pages behind.
const TIDY_APART_S: f64 = 600.0;

/// Is the store failing, and how many ticks had to wait in memory?
#[derive(Debug, Default)]
struct Trouble {
    failing: bool,
    lost: u64,
}

/// Who is heard, and who tells it to end.
struct Around<'a> {
    reporter: Reporter,
    /// Is it to end?
    ends: &'a dyn Fn() -> bool,
    /// Is what is pending to be written?
    flush: &'a AtomicBool,
    notify: service::Notify,
    /// Its priority.
    nice: i32,
}

/// Records until it is told to end.
pub(crate) fn run(settings: &Settings) -> Result<Code> {
    interrupt::listen();
    let flush = on_hangup();
    let around = Around {
        reporter: Reporter::new(settings.term, "flatfoot.record/1"),
        ends: &interrupt::asked,
        flush: &flush,
        notify: service::Notify::from_environment(),
        nice: NICE,
    };
    record(settings, around, "flatfoot record")?;
    Ok(Code::Clean)
}

/// The same in a thread of another command: it says nothing, to nobody, and ends when `stop` is set.
pub(crate) fn run_quietly(settings: &Settings, stop: &AtomicBool, command: &str) -> Result<()> {
    let around = Around {
        reporter: Reporter::silent(settings.term),
        ends: &|| stop.load(Ordering::Relaxed),
        flush: &AtomicBool::new(false),
        notify: service::Notify::default(),
        // The threads beside it have a lower one: it is to be on time.
        nice: 0,
    };
    record(settings, around, command)
}

fn record(settings: &Settings, around: Around<'_>, command: &str) -> Result<()> {
    let Around { mut reporter, ends: is_ending, flush, notify, nice } = around;
    be_humble(nice);
    let mut writer = HistoryWriter::open(&settings.path, &about(command), settings.retention)?;
    let root = ProcRoot::open("/proc").map_err(no_proc)?;
    let known = writer.known().map(|known| (known.incarnation.key, known.process)).collect();
    let options = SamplerOptions {
        interval_s: settings.interval_s,
        next: writer.next_process(),
        known,
        ..SamplerOptions::default()
    };
    let mut sampler = Sampler::new(root, options).map_err(no_proc)?;
    let mut watch = Watch::new(settings.interval_s);
    let mut closer = Closer::new()?;
    let mut rounds = closer::Rounds::default();
    let mut tidy = closer::Rounds::apart(TIDY_APART_S);
    reporter.began(&settings.path, settings.interval_s, writer.damage())?;

    let mut pace = Pace::new(settings.interval_s, Clock::monotonic());
    let mut tick = Tick::default();
    let mut trouble = Trouble::default();
    let until = settings.for_s.map(|for_s| Clock::monotonic() + for_s);
    let mut first = true;
    loop {
        let late_s = pace.late_s(Clock::monotonic());
        let cpu = Clock::cpu_of_thread();
        sampler.tick(&mut tick).map_err(no_proc)?;
        tick.late_us = (late_s * 1e6) as u64;
        if first {
            let interval_ms = (settings.interval_s * 1e3) as u64;
            let what =
                EventKind::RecorderStarted { version: VERSION.into(), boot: sampler.boot(), interval_ms };
            tick.events.insert(0, of_host(&tick, what));
        }
        let ends = is_ending() || until.is_some_and(|until| Clock::monotonic() >= until);
        if ends {
            tick.events.push(of_host(&tick, EventKind::RecorderStopped));
        }
        keep(&mut writer, &tick, &mut trouble, &mut reporter)?;
        let changes = watch.take(&tick);
        for change in &changes {
            reporter.change(change)?;
        }
        // Evidence beside the figures: not in the tick that is the last, nor when nothing can be written.
        // A look at everybody is no part of a tick's own cost: ticks need not be further apart for it.
        let mut round_s = 0.0;
        if !ends && !trouble.failing {
            let looks: Vec<Option<Look>> = if rounds.is_due(Clock::monotonic()) {
                let began = Clock::cpu_of_thread();
                let look = closer.everybody();
                round_s = Clock::cpu_of_thread() - began;
                vec![look]
            } else {
                watch.take_suspicious(&changes).into_iter().map(|pid| closer.process(pid)).collect()
            };
            for look in looks.into_iter().flatten() {
                if let Err(error) = writer.look(&look) {
                    reporter.failing(&error)?;
                }
                let (of, news) = closer.news(look);
                watch.found(&of);
                for finding in news {
                    reporter.finding(&finding)?;
                }
            }
        }
        if watch.has_others() || first {
            sampler.suspects(&watch.suspects());
        }
        if tidy.is_due(Clock::monotonic()) {
            probe::sys::heap::give_back();
        }
        reporter.events(&tick)?;
        if flush.swap(false, Ordering::Relaxed) {
            let _ = writer.flush();
        }
        if std::mem::take(&mut first) {
            notify.say("READY=1");
        }
        if ends {
            break;
        }
        if let Some(interval_s) = pace.spent(Clock::cpu_of_thread() - cpu - round_s) {
            sampler.set_interval(interval_s);
            reporter.stretched(interval_s, settings.interval_s)?;
        }
        wait(&mut pace, until, flush, is_ending);
    }
    notify.say("STOPPING=1");
    let closed = writer.close();
    reporter.ended(&watch, trouble.lost)?;
    Ok(closed?)
}

/// Waits for the next tick's time; a signal ends the wait.
fn wait(pace: &mut Pace, until: Option<f64>, flush: &AtomicBool, is_ending: &dyn Fn() -> bool) {
    pace.next(Clock::monotonic());
    loop {
        let due = until.map_or(pace.due(), |until| pace.due().min(until));
        let left = due - Clock::monotonic();
        if left <= 0.0 || is_ending() || flush.load(Ordering::Relaxed) {
            if left > 0.0 {
                pace.now(Clock::monotonic());
            }
            return;
        }
        Clock::sleep(left.min(0.1));
    }
}

/// Puts a tick into the store. That the disk is full, or gone, is said once, and recording goes on: the store keeps in
/// memory what it could not write, and writes it when it can.
fn keep(
    writer: &mut HistoryWriter,
    tick: &Tick,
    trouble: &mut Trouble,
    reporter: &mut Reporter,
) -> Result<()> {
    match writer.tick(tick) {
        // What had to wait in memory is written with the next flush: now.
        Ok(()) => {
            if trouble.failing && writer.flush().is_ok() {
                trouble.failing = false;
                reporter.resumed(trouble.lost)?;
            }
        }
        Err(error) => {
            trouble.lost += 1;
            if !std::mem::replace(&mut trouble.failing, true) {
                reporter.failing(&error)?;
            }
        }
    }
    Ok(())
}

fn of_host(tick: &Tick, what: EventKind) -> Event {
    Event { at_boot_ms: tick.at_boot_ms, process: ProcessNo::HOST, what }
}

fn about(command: &str) -> store::About {
    store::About {
        version: VERSION.into(),
        created: crate::present::time::rfc3339(Clock::wall()).into(),
        command: command.into(),
        target: "host".into(),
    }
}

/// A hang-up asks a service for something harmless: what is pending is written.
fn on_hangup() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&flag));
    flag
}

#[allow(clippy::needless_pass_by_value)] // as map_err gives it
fn no_proc(error: std::io::Error) -> Failure {
    Failure::new(Code::Failed, format!("/proc: {error}"), "flatfoot needs /proc: mount -t proc proc /proc")
}
