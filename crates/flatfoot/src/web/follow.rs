//! Follows what is recorded: each tick goes to the board and to the pages that are open.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::Tick;
use probe::Clock;
use store::history::{HistoryReader, Window};

use super::desk::Common;
use super::events::TickEvent;
use super::pool::lock;
use super::served::{By, is_late, is_recorded_now, pace_ms};
use crate::board::{self, Board};

/// Until the server ends.
pub(super) fn follow(common: &Common) {
    let mut follower = Follower { reader: None, last_ms: i64::MIN };
    while !common.ending.load(Ordering::Relaxed) {
        let wait_s = follower.turn(common).unwrap_or_else(|_| {
            // Opened anew: it may have been replaced, or be damaged for a while.
            follower.reader = None;
            1.0
        });
        Clock::sleep(wait_s);
    }
}

struct Follower {
    reader: Option<HistoryReader>,
    /// The newest tick that was taken.
    last_ms: i64,
}

impl Follower {
    /// Takes what is new; seconds until something may be.
    fn turn(&mut self, common: &Common) -> anyhow::Result<f64> {
        if common.served.only_looks {
            if self.last_ms == i64::MIN {
                self.last_ms = 0;
                *lock(&common.board) = looked(common)?;
                common.live.store(false, Ordering::Relaxed);
                common.teller.send_modify(|news| news.ended = true);
            }
            return Ok(0.5);
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(common.served.open()?),
        };
        let coverage = reader.coverage()?;
        let Some(last) = coverage.last() else { return Ok(0.5) };
        // What happened is read only when it may have been the end.
        let goes_on = !is_late(&coverage) || is_recorded_now(reader, &coverage)?;
        let is_live = common.served.by != By::Case && goes_on;
        let (newest_ms, before_ms) = (last.last_unix_ms, self.last_ms);
        let clock_set = newest_ms < before_ms;
        if self.last_ms == i64::MIN || clock_set {
            let mut now = board::at(reader, newest_ms)?;
            if let Some(judged) = common.judged() {
                now.learn(&judged.outcome.analyser, &judged.diagnosis().findings, true);
            }
            *lock(&common.board) = now;
        } else if newest_ms > before_ms {
            let mut ticks = reader.ticks(Window::new(before_ms + 1, newest_ms + 1))?;
            let mut tick = Tick::default();
            while ticks.read(&mut tick)? {
                lock(&common.board).take(&tick);
            }
        }
        self.last_ms = newest_ms;
        if newest_ms != before_ms || is_live != common.is_live() {
            common.live.store(is_live, Ordering::Relaxed);
            let tick = tick_event(common);
            common.teller.send_modify(|news| {
                news.tick = Some(Arc::new(tick));
                news.ended = !is_live;
            });
        }
        Ok((pace_ms(&coverage) as f64 / 4e3).clamp(0.05, 0.5))
    }
}

/// A case file without ticks: its looks, one by one.
fn looked(common: &Common) -> anyhow::Result<Board> {
    let mut board = Board::default();
    let case = store::CaseReader::open(&common.served.path)?;
    for stored in case.looks().flatten() {
        board.take_look(&stored.look);
    }
    if let Some(judged) = common.judged() {
        board.learn(&judged.outcome.analyser, &judged.diagnosis().findings, true);
    }
    Ok(board)
}

fn tick_event(common: &Common) -> TickEvent {
    let board = lock(&common.board);
    let host = board.host();
    TickEvent {
        at: board.at_unix_s(),
        committed_bytes: host.committed,
        available_bytes: host.available,
        tasks: host.tasks,
        processes: host.processes.or_else(|| Some(board.len() as u64)),
    }
}
