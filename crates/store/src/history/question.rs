//! What is asked of a store: series, charts, events, who was there.

use std::collections::BTreeMap;

use model::{Column, ProcessNo};
use rusqlite::{Connection, OptionalExtension};

use super::block::{Head, TimesIn};
use super::chunk::Chunk;
use super::events;
use super::frame::Unpacker;
use super::incarnation::Known;
use super::reader::{HistoryReader, State};
use super::series::{Found, Gap, GapKind, Happened, Pixel, Point, Reduced, Series};
use super::tables::{HISTORY_SCHEMA, MAX_INCARNATIONS, chunk_id};
use super::window::Window;
use super::writer::apply;
use crate::database::scan;
use crate::error::Error;

impl HistoryReader {
    /// Some columns of a process over a time, in the order in which they are asked for. A column that was never
    /// recorded has no points.
    pub fn series(
        &self,
        process: ProcessNo,
        columns: &[Column],
        window: Window,
    ) -> Result<Vec<Series>, Error> {
        let mut gathered: Vec<Gatherer> =
            columns.iter().map(|column| Gatherer::new(process, *column)).collect();
        if self.schema < HISTORY_SCHEMA {
            return Ok(gathered.into_iter().map(|gatherer| gatherer.series).collect());
        }
        let mut tools = Tools::new(self)?;
        self.within(|db, state| {
            for head in &state.blocks {
                let (first, last) = state.span(head);
                if window.meets(first, last) {
                    self.gather(db, state, head, process, window, &mut gathered, &mut tools);
                }
            }
            gather_pending(state, process, window, &mut gathered);
            Ok(())
        })?;
        Ok(gathered.into_iter().map(|gatherer| gatherer.series).collect())
    }

    /// Some columns of a process as a chart of so many pixels shows them.
    pub fn reduced(
        &self,
        process: ProcessNo,
        columns: &[Column],
        window: Window,
        pixels: usize,
    ) -> Result<Vec<Reduced>, Error> {
        let series = self.series(process, columns, window)?;
        let covered = self.coverage()?;
        let from = window.from_unix_ms.max(covered.first().map_or(0, |first| first.first_unix_ms));
        let until =
            window.until_unix_ms.min(covered.last().map_or(0, |last| last.last_unix_ms.saturating_add(1)));
        let reduce = |(series, column): (Series, &Column)| Reduced {
            column: *column,
            pixels: reduce(&series.points, from, until, pixels),
            gaps: series.gaps,
        };
        Ok(series.into_iter().zip(columns).map(reduce).collect())
    }

    /// What happened in a time, oldest first.
    pub fn events(&self, window: Window) -> Result<Vec<Happened>, Error> {
        let mut happened = Vec::new();
        if self.schema < HISTORY_SCHEMA {
            return Ok(happened);
        }
        let mut tools = Tools::new(self)?;
        self.within(|db, state| {
            let mut add = |head: &Head, events: &[(u32, model::Event)]| {
                let epoch = state.epoch_ms(head);
                for (_, event) in events {
                    let at_unix_ms = epoch.saturating_add_unsigned(event.at_boot_ms);
                    if window.contains(at_unix_ms) {
                        happened.push(Happened { at_unix_ms, boot: head.boot, event: event.clone() });
                    }
                }
            };
            for head in &state.blocks {
                let (first, last) = state.span(head);
                // An event may be older than the tick that it came with.
                if !window.meets(first.saturating_sub(head.pace_ms() as i64 * 2), last) {
                    continue;
                }
                match Self::block_events(db, head, &mut tools) {
                    Some(events) => add(head, &events),
                    None => self.lose(format!("block {}, events", head.id)),
                }
            }
            if state.pending.ticks > 0 {
                add(&state.pending.head(u32::MAX), &state.pending.events);
            }
            Ok(())
        })?;
        Ok(happened)
    }

    /// The processes that were there in a time, by their numbers.
    pub fn incarnations(&self, window: Window) -> Result<Vec<Found>, Error> {
        if self.schema < HISTORY_SCHEMA {
            return Ok(Vec::new());
        }
        let mut tools = Tools::new(self)?;
        self.within(|db, state| {
            let all = 0..=i64::from(u32::MAX);
            let mut damaged = Vec::new();
            let rows = scan(db, "SELECT id, data FROM incarnation", all, MAX_INCARNATIONS, |row| {
                let id: i64 = row.get(0).unwrap_or(-1);
                let data = row.get_ref(1).ok().and_then(|data| data.as_blob().ok()).unwrap_or_default();
                let known = tools.unpacker.unpack(data).and_then(|content| Known::read(content, id));
                if known.is_none() {
                    damaged.push(id);
                }
                known
            });
            if let Some(error) = rows.error {
                self.lose(format!("the list of processes: {error}"));
            }
            for id in damaged {
                self.lose(format!("process {id} of the store"));
            }
            let counted = self.looks.meta("processes").ok().flatten();
            if counted.is_some_and(|counted| counted.as_str() != rows.rows.len().to_string()) {
                self.lose("the list of processes is not whole");
            }
            let mut known: BTreeMap<ProcessNo, Known> = rows
                .rows
                .into_iter()
                .filter_map(|(_, known)| known.map(|known| (known.process, known)))
                .collect();
            for (_, event) in &state.pending.events {
                apply(&mut known, event);
            }
            let found = known.into_values().filter_map(|known| {
                let boot = state.boots.iter().rev().find(|boot| boot.id == known.incarnation.key.boot)?;
                let first_unix_ms = boot.epoch_ms.saturating_add_unsigned(known.seen_boot_ms);
                let last_ms = known.ended_boot_ms.unwrap_or(boot.last_ms);
                let last_unix_ms = boot.epoch_ms.saturating_add_unsigned(last_ms);
                window.meets(first_unix_ms, last_unix_ms).then_some(Found {
                    known,
                    first_unix_ms,
                    last_unix_ms,
                })
            });
            Ok(found.collect())
        })
    }

    pub(super) fn block_events(
        db: &Connection,
        head: &Head,
        tools: &mut Tools,
    ) -> Option<Vec<(u32, model::Event)>> {
        let frame = blob(db, "SELECT events FROM block WHERE id = ?", i64::from(head.id), &mut tools.frame)
            .ok()??;
        events::read(tools.unpacker.unpack(frame)?, head.id)
    }

    #[allow(clippy::too_many_arguments)] // one block of one question
    fn gather(
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
                for (tick, at) in (start..).zip(times.get(start as usize..end as usize).unwrap_or_default()) {
                    let Some(value) = last.next() else {
                        gatherer.damaged = true;
                        break;
                    };
                    let (low, high) = match &mut spread {
                        None => (value, value),
                        Some((under, over)) => (
                            value.wrapping_sub(under.next().unwrap_or(0)),
                            value.wrapping_add(over.next().unwrap_or(0)),
                        ),
                    };
                    gatherer.push(window, tick, *at, value, low, high);
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

fn gather_pending(state: &State, process: ProcessNo, window: Window, gathered: &mut [Gatherer]) {
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
            for (tick, at) in (start..).zip(times.get(start as usize..end as usize).unwrap_or_default()) {
                if let Some(value) = values.next() {
                    gatherer.push(window, tick, *at, value, value, value);
                }
            }
        }
    }
}

/// Points of what rests are up to five seconds apart, whatever the interval: so long a silence is no gap where ticks were
/// recorded all the time.
const RESTS_MS: i64 = 12_500;

/// Collects a series block by block.
struct Gatherer {
    series: Series,
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
    fn new(process: ProcessNo, column: Column) -> Self {
        Self {
            series: Series { process, column: Some(column), ..Series::default() },
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

    #[inline]
    fn push(&mut self, window: Window, tick: u32, at_boot_ms: u64, value: u64, low: u64, high: u64) {
        let at_unix_ms = self.epoch_ms.saturating_add_unsigned(at_boot_ms);
        if !window.contains(at_unix_ms) {
            return;
        }
        let number = self.ticks.0 + u64::from(tick) * self.ticks.1;
        if let Some(before) = self.series.points.last() {
            let apart = at_unix_ms.saturating_sub(before.at_unix_ms);
            if self.reboot || self.damaged || apart > self.patience_ms {
                let why = match (self.damaged, self.reboot) {
                    (true, _) => GapKind::Damaged,
                    (_, true) => GapKind::Reboot,
                    // Were there about as many ticks as there should have been?
                    _ if number.saturating_sub(self.last_tick).saturating_mul(self.pace_ms)
                        / self.ticks.1
                        > apart.cast_unsigned() / 2 =>
                    {
                        GapKind::Absent
                    }
                    _ => GapKind::NotRecorded,
                };
                if why != GapKind::Absent || apart > RESTS_MS {
                    self.series.gaps.push(Gap {
                        before: self.series.points.len(),
                        from_unix_ms: before.at_unix_ms,
                        until_unix_ms: at_unix_ms,
                        why,
                    });
                }
            }
        }
        (self.reboot, self.damaged) = (false, false);
        self.last_tick = number;
        self.series.points.push(Point { at_unix_ms, value, low, high });
    }
}

fn reduce(points: &[Point], from: i64, until: i64, pixels: usize) -> Vec<Option<Pixel>> {
    let mut reduced = vec![None; pixels];
    let width = u128::from(until.saturating_sub(from).max(1).cast_unsigned());
    for point in points {
        let offset = u128::from(point.at_unix_ms.saturating_sub(from).max(0).cast_unsigned());
        let at = (offset * pixels as u128 / width) as usize;
        let Some(pixel) = reduced.get_mut(at) else { continue };
        let Point { low, high, value, .. } = *point;
        *pixel = Some(match *pixel {
            None => Pixel { low, high, last: value },
            Some(Pixel { low: l, high: h, .. }) => Pixel { low: low.min(l), high: high.max(h), last: value },
        });
    }
    reduced
}

/// Buffers of one question.
pub(super) struct Tools {
    pub(super) frame: Vec<u8>,
    pub(super) unpacker: Unpacker,
    times: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) column_content: Vec<u8>,
}

impl Tools {
    pub(super) fn new(reader: &HistoryReader) -> Result<Self, Error> {
        let unpacker = Unpacker::new().map_err(|error| Error::io(error, reader.path()))?;
        Ok(Self {
            frame: Vec::new(),
            unpacker,
            times: Vec::new(),
            content: Vec::new(),
            column_content: Vec::new(),
        })
    }
}

/// A blob by its key.
pub(super) fn blob<'a>(
    db: &Connection,
    select: &str,
    id: i64,
    into: &'a mut Vec<u8>,
) -> rusqlite::Result<Option<&'a [u8]>> {
    into.clear();
    let found = db
        .prepare_cached(select)?
        .query_row([id], |row| {
            into.extend_from_slice(row.get_ref(0)?.as_blob().unwrap_or_default());
            Ok(())
        })
        .optional()?;
    Ok(found.map(|()| into.as_slice()))
}
