//! What is asked of a store: series, thinned or whole, charts, events, who was there.

use std::collections::BTreeMap;

use model::{Column, ProcessNo};
use rusqlite::{Connection, OptionalExtension};

use super::block::Head;
use super::events;
use super::frame::Unpacker;
use super::gather::{Gatherer, gather_pending};
use super::incarnation::{Known, apply};
use super::reader::HistoryReader;
use super::series::{Found, Happened, Pixel, Point, Reduced, Series};
use super::tables::{HISTORY_SCHEMA, MAX_INCARNATIONS};
use super::window::Window;
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
        self.gather_all(process, columns, window, 0)
    }

    /// As [`series`](Self::series), of about so many points at most: each stands for the ticks of a stretch of time, up
    /// to the last of them, with their least and greatest value. A gap that lies within a stretch may not be told.
    ///
    /// What did not change is passed over: of a host's processes most cost next to nothing.
    pub fn thinned(
        &self,
        process: ProcessNo,
        columns: &[Column],
        window: Window,
        most: usize,
    ) -> Result<Vec<Series>, Error> {
        let (from, until) = self.covered(window)?;
        let most = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
        let every_ms = (until.saturating_sub(from) / most).saturating_add(1);
        self.gather_all(process, columns, window, every_ms.max(1))
    }

    /// The last value of some columns of a process in a time, and when it was; as far back as it is.
    pub fn last(
        &self,
        process: ProcessNo,
        columns: &[Column],
        window: Window,
    ) -> Result<Vec<Option<(i64, u64)>>, Error> {
        let mut last = vec![None; columns.len()];
        if self.schema < HISTORY_SCHEMA {
            return Ok(last);
        }
        let mut tools = Tools::new(self)?;
        self.within(|db, state| {
            let pending = std::iter::once(None);
            for head in pending.chain(state.blocks.iter().rev().map(Some)) {
                let missing: Vec<usize> = (0..columns.len()).filter(|at| last[*at].is_none()).collect();
                if missing.is_empty() {
                    break;
                }
                let mut gathered: Vec<Gatherer> =
                    missing.iter().map(|at| Gatherer::new(process, columns[*at], i64::MAX)).collect();
                match head {
                    None => gather_pending(state, process, window, &mut gathered),
                    Some(head) => {
                        let (first, last) = state.span(head);
                        if window.meets(first, last) {
                            self.gather(db, state, head, process, window, &mut gathered, &mut tools);
                        }
                    }
                }
                for (at, gatherer) in missing.into_iter().zip(gathered) {
                    last[at] = gatherer.series.points.last().map(|point| (point.at_unix_ms, point.value));
                }
            }
            Ok(())
        })?;
        Ok(last)
    }

    fn gather_all(
        &self,
        process: ProcessNo,
        columns: &[Column],
        window: Window,
        every_ms: i64,
    ) -> Result<Vec<Series>, Error> {
        let mut gathered: Vec<Gatherer> =
            columns.iter().map(|column| Gatherer::new(process, *column, every_ms)).collect();
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
        let (from, until) = self.covered(window)?;
        let reduce = |(series, column): (Series, &Column)| Reduced {
            column: *column,
            pixels: reduce(&series.points, from, until, pixels),
            gaps: series.gaps,
        };
        Ok(series.into_iter().zip(columns).map(reduce).collect())
    }

    /// From when to when there is something in a time.
    fn covered(&self, window: Window) -> Result<(i64, i64), Error> {
        let covered = self.coverage()?;
        let first = covered.first().map_or(0, |first| first.first_unix_ms);
        let end = covered.last().map_or(0, |last| last.last_unix_ms.saturating_add(1));
        Ok((window.from_unix_ms.max(first), window.until_unix_ms.min(end)))
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
    pub(super) times: Vec<u8>,
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
