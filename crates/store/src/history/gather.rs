//! Series, gathered block by block: each point of them, or one for each stretch of time.

use model::{Column, ProcessNo};
use rusqlite::Connection;

use super::block::{Head, TimesIn};
use super::chunk::Chunk;
use super::question::{Tools, blob};
use super::reader::{HistoryReader, State};
use super::series::{Gap, GapKind, Point, Series};
use super::stream::Values;
use super::tables::chunk_id;
use super::window::Window;

impl HistoryReader {
    #[allow(clippy::too_many_arguments)] // one block of one question
    pub(super) fn gather(
        &self,
        db: &Connection,
        state: &State,
        head: &Head,
        process: ProcessNo,
        window: Window,
        gathered: &mut [Gatherer],
        tools: &mut Tools,
    ) {
        let Tools { frame, unpacker, times, content, column_content } = tools;
        let select = "SELECT times FROM block WHERE id = ?";
        let read = blob(db, select, i64::from(head.id), frame).ok().flatten();
        let Some(found) = read
            .and_then(|frame| unpacker.unpack_into(frame, times))
            .and_then(|()| TimesIn::read(times, head.id))
        else {
            self.lose(format!("block {}, times", head.id));
            mark_damaged(gathered);
            return;
        };
        if !found.processes.contains(process.0) {
            return;
        }
        let Some(times) = found.boot_times(head.ticks) else {
            self.lose(format!("block {}, times", head.id));
            mark_damaged(gathered);
            return;
        };
        let id = chunk_id(head.id, process.0);
        let read = blob(db, "SELECT data FROM chunk WHERE id = ?", id, frame).ok().flatten();
        let chunk = read.and_then(|blob| Chunk::read(blob, process, head.id, head.ticks, unpacker, content));
        let epoch = state.epoch_ms(head);
        for gatherer in gathered.iter_mut() {
            let Some(chunk) = &chunk else {
                gatherer.damaged = true;
                continue;
            };
            let Some(column) =
                chunk.columns.iter().find(|column| Some(column.column) == gatherer.series.column)
            else {
                continue;
            };
            gatherer.begin(head, epoch, column.seen.stride());
            let Some(mut last) = chunk.values(column, unpacker, column_content) else {
                gatherer.damaged = true;
                self.lose(format!("block {}, process {}, {}", head.id, process.0, column.column.name()));
                continue;
            };
            let mut spread = column.spread.clone();
            for (start, end) in column.seen.iter() {
                let times = times.get(start as usize..end as usize).unwrap_or_default();
                if gatherer.run(window, start, times, &mut last, &mut spread).is_none() {
                    gatherer.damaged = true;
                    self.lose(format!("block {}, process {}, {}", head.id, process.0, column.column.name()));
                    break;
                }
            }
        }
        if chunk.is_none() {
            self.lose(format!("block {}, process {}", head.id, process.0));
        }
    }
}

fn mark_damaged(gathered: &mut [Gatherer]) {
    for gatherer in gathered {
        gatherer.damaged = true;
    }
}

pub(super) fn gather_pending(state: &State, process: ProcessNo, window: Window, gathered: &mut [Gatherer]) {
    let pending = &state.pending;
    let Some(slot) = pending.slot(process) else { return };
    let head = pending.head(u32::MAX);
    let Some(times) = pending.times.read_back().boot_times(pending.ticks) else { return };
    let epoch = state.epoch_ms(&head);
    for gatherer in gathered {
        let Some(cell) = slot.cells.iter().find(|cell| Some(cell.column) == gatherer.series.column) else {
            continue;
        };
        gatherer.begin(&head, epoch, cell.seen.stride());
        let mut values = cell.last.values();
        for (start, end) in cell.seen.iter() {
            let times = times.get(start as usize..end as usize).unwrap_or_default();
            // What was pushed here is sound.
            let _ = gatherer.run(window, start, times, &mut values, &mut None);
        }
    }
}

/// Points of what rests are up to five seconds apart, whatever the interval: so long a silence is no gap where ticks were
/// recorded all the time.
const RESTS_MS: i64 = 12_500;

/// Collects a series block by block.
pub(super) struct Gatherer {
    pub(super) series: Series,
    /// 0, or the time that the ticks of one point may lie in.
    every_ms: i64,
    boot: Option<model::BootId>,
    epoch_ms: i64,
    /// How far points may be apart without a gap.
    patience_ms: i64,
    damaged: bool,
    /// A boot began since the last point.
    reboot: bool,
    /// Of the block.
    pace_ms: u64,
    /// How many ticks of a block lie from one point to the next.
    stride: u32,
    /// Number of the block's first tick, and how many recorded ones each of its ticks stands for.
    ticks: (u64, u64),
    /// The number of the last point's tick.
    last_tick: u64,
}

impl Gatherer {
    pub(super) fn new(process: ProcessNo, column: Column, every_ms: i64) -> Self {
        Self {
            series: Series { process, column: Some(column), ..Series::default() },
            every_ms,
            boot: None,
            epoch_ms: 0,
            patience_ms: 0,
            damaged: false,
            reboot: false,
            pace_ms: 1,
            stride: 1,
            ticks: (0, 1),
            last_tick: 0,
        }
    }

    fn begin(&mut self, head: &Head, epoch_ms: i64, stride: Option<u32>) {
        let recorded_per_tick = head.recorded.div_ceil(u64::from(head.ticks)).max(1);
        // What was read at every sixth tick is there in every reduced one.
        self.stride = stride.unwrap_or(if recorded_per_tick > 1 { 1 } else { self.stride });
        self.pace_ms = head.pace_ms();
        self.ticks = (head.first_tick, recorded_per_tick);
        self.reboot |= self.boot.is_some_and(|boot| boot != head.boot);
        self.boot = Some(head.boot);
        self.epoch_ms = epoch_ms;
        let pace_ms = self.pace_ms.saturating_mul(u64::from(self.stride));
        self.patience_ms = (pace_ms.saturating_mul(5) / 2).min(1 << 40) as i64;
    }

    /// Adds the values of consecutive ticks; `None` when they cannot be read.
    #[allow(clippy::needless_pass_by_value)] // a borrow that is there or not
    fn run(
        &mut self,
        window: Window,
        first: u32,
        times: &[u64],
        values: &mut Values<'_>,
        spread: &mut Option<(Values<'_>, Values<'_>)>,
    ) -> Option<()> {
        if let Some((under, over)) = spread {
            for (tick, at) in (first..).zip(times) {
                let value = values.next()?;
                let (low, high) = (value.wrapping_sub(under.next()?), value.wrapping_add(over.next()?));
                self.push(window, (tick, tick), (*at, *at), (value, low, high));
            }
            return Some(());
        }
        if self.every_ms == 0 {
            for (tick, at) in (first..).zip(times) {
                let value = values.next()?;
                self.push(window, (tick, tick), (*at, *at), (value, value, value));
            }
            return Some(());
        }
        // Stretch by stretch: what does not change in one is one step.
        let mut rest = times;
        let mut tick = first;
        while let Some(begin) = rest.first() {
            let end = self.stretch_end(window, *begin);
            // Times that run backwards, in a file that lies, are no reason to stay here.
            let count = rest.partition_point(|at| *at < end).max(1);
            let (now, later) = rest.split_at(count);
            let folded = values.fold(count as u32)?;
            let last = tick + (count as u32 - 1);
            self.push(window, (tick, last), (*begin, now.last().copied().unwrap_or(*begin)), folded);
            (rest, tick) = (later, last + 1);
        }
        Some(())
    }

    /// Where the stretch ends that a moment since boot lies in, or the window begins or ends within it.
    fn stretch_end(&self, window: Window, at_boot_ms: u64) -> u64 {
        let at = self.epoch_ms.saturating_add_unsigned(at_boot_ms);
        let mut end = at.div_euclid(self.every_ms).saturating_add(1).saturating_mul(self.every_ms);
        for edge in [window.from_unix_ms, window.until_unix_ms] {
            if edge > at {
                end = end.min(edge);
            }
        }
        // Where a clock is at its end, tick by tick.
        u64::try_from(end.saturating_sub(self.epoch_ms)).unwrap_or(0)
    }

    /// Adds what the ticks from one to another, both inclusive, amount to: the last, the least, the greatest value.
    #[inline]
    fn push(
        &mut self,
        window: Window,
        ticks: (u32, u32),
        at_boot_ms: (u64, u64),
        (value, low, high): (u64, u64, u64),
    ) {
        let begin_unix_ms = self.epoch_ms.saturating_add_unsigned(at_boot_ms.0);
        let at_unix_ms = self.epoch_ms.saturating_add_unsigned(at_boot_ms.1);
        if !window.contains(at_unix_ms) {
            return;
        }
        let number = |tick: u32| self.ticks.0 + u64::from(tick) * self.ticks.1;
        let (first, last) = (number(ticks.0), number(ticks.1));
        let places = self.series.points.len();
        if let Some(before) = self.series.points.last_mut() {
            let apart = begin_unix_ms.saturating_sub(before.at_unix_ms);
            let why = match (self.damaged, self.reboot) {
                (true, _) => Some(GapKind::Damaged),
                (_, true) => Some(GapKind::Reboot),
                _ if apart <= self.patience_ms => None,
                // Were there about as many ticks as there should have been?
                _ if first.saturating_sub(self.last_tick).saturating_mul(self.pace_ms) / self.ticks.1
                    > apart.cast_unsigned() / 2 =>
                {
                    (apart > RESTS_MS).then_some(GapKind::Absent)
                }
                _ => Some(GapKind::NotRecorded),
            };
            if let Some(why) = why {
                self.series.gaps.push(Gap {
                    before: places,
                    from_unix_ms: before.at_unix_ms,
                    until_unix_ms: begin_unix_ms,
                    why,
                });
            } else if self.every_ms > 0
                && before.at_unix_ms.div_euclid(self.every_ms) == at_unix_ms.div_euclid(self.every_ms)
            {
                let (low, high) = (low.min(before.low), high.max(before.high));
                *before = Point { at_unix_ms, value, low, high };
                self.last_tick = last;
                return;
            }
        }
        (self.reboot, self.damaged) = (false, false);
        self.last_tick = last;
        self.series.points.push(Point { at_unix_ms, value, low, high });
    }
}
