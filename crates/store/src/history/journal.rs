//! A row of the journal: one tick, as what it adds to the one before. What was not yet flushed is read from these.
//!
//! Content, before zstd: the tick's number, whether it stands by itself, its times; a list of rows (process, and
//! its columns when they are not those of its last tick); a list of what each value adds to its last (as in `stream`,
//! the trailing zeros left out); events.

use std::io;

use model::{Column, ProcessNo, Tick, TickRow};
use rusqlite::Connection;

use super::events::{MAX_EVENTS, put_event, take_event};
use super::frame::{Packer, Unpacker};
use super::pending::{Pending, contradiction};
use super::tables::MAX_VALUES;
use super::varint::{Input, put, put_bytes, unzigzag, zigzag};

/// Writes rows; filled by [`Pending::push`].
pub(crate) struct RowWriter {
    packer: Packer,
    head: Vec<u8>,
    rows: Vec<u8>,
    values: Vec<u8>,
    zeros: u64,
    is_key: bool,
    scratch: Vec<u8>,
}

impl RowWriter {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            packer: Packer::quick()?,
            head: Vec::new(),
            rows: Vec::new(),
            values: Vec::new(),
            zeros: 0,
            is_key: false,
            scratch: Vec::new(),
        })
    }

    pub(super) fn begin(&mut self, number: u64, is_key: bool, tick: &Tick) {
        self.head.clear();
        self.rows.clear();
        self.values.clear();
        self.zeros = 0;
        self.is_key = is_key;
        put(&mut self.head, number);
        put(&mut self.head, u64::from(is_key));
        put(&mut self.head, zigzag(tick.at_unix_ms));
        put(&mut self.head, tick.at_boot_ms);
        put(&mut self.head, tick.took_us);
        put(&mut self.head, tick.late_us);
        put(&mut self.head, tick.rows.len() as u64);
    }

    #[inline]
    pub(super) fn process(&mut self, process: ProcessNo, before: Option<ProcessNo>) {
        put(&mut self.rows, u64::from(process.0 - before.map_or(0, |before| before.0)));
    }

    #[inline]
    pub(super) fn shape(&mut self, same: bool, values: &[(Column, u64)]) {
        if same {
            self.rows.push(0);
            return;
        }
        put(&mut self.rows, values.len() as u64 + 1);
        self.rows.extend(values.iter().map(|(column, _)| column.code()));
    }

    #[inline]
    pub(super) fn value(&mut self, base: u64, value: u64) {
        if value == base {
            self.zeros += 1;
            return;
        }
        if self.zeros > 0 {
            self.values.push(0);
            put(&mut self.values, self.zeros);
            self.zeros = 0;
        }
        put(&mut self.values, zigzag(value.wrapping_sub(base) as i64));
    }

    pub(super) fn end(&mut self, tick: &Tick) {
        put_bytes(&mut self.head, &self.rows);
        put_bytes(&mut self.head, &self.values);
        put(&mut self.head, tick.events.len() as u64);
        for event in &tick.events {
            put_event(&mut self.head, event, &mut self.scratch);
        }
    }

    /// The row as it lies in the journal.
    pub(crate) fn packed(&mut self) -> io::Result<&[u8]> {
        self.packer.pack(&self.head)
    }
}

/// What was read from a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// The tick is read; does it stand by itself?
    Tick { is_key: bool },
    /// It cannot be understood without one before, which is missing.
    NeedsKey,
    /// It is no row of this number.
    Malformed,
}

/// Reads the content of a row, which follows what is pending: unless `adjacent`, only one that stands by itself is read.
pub(crate) fn read(content: &[u8], number: u64, pending: &Pending, adjacent: bool, tick: &mut Tick) -> Row {
    tick.clear();
    match try_read(content, number, pending, adjacent, tick) {
        Some((true, is_key)) => Row::Tick { is_key },
        Some((false, _)) => Row::NeedsKey,
        None => Row::Malformed,
    }
}

fn try_read(
    content: &[u8],
    number: u64,
    pending: &Pending,
    adjacent: bool,
    tick: &mut Tick,
) -> Option<(bool, bool)> {
    let mut input = Input::new(content);
    if input.number()? != number {
        return None;
    }
    let is_key = input.at_most(1)? == 1;
    if !is_key && !adjacent {
        return Some((false, false));
    }
    tick.at_unix_ms = input.signed()?;
    tick.at_boot_ms = input.number()?;
    tick.took_us = input.number()?;
    tick.late_us = input.number()?;
    let count = input.at_most(u64::from(u32::MAX))?;
    let mut rows = Input::new(input.bytes()?);
    let mut values = Input::new(input.bytes()?);
    let mut zeros = 0_u64;
    let mut step = |last: u64| -> Option<u64> {
        if zeros > 0 {
            zeros -= 1;
            return Some(last);
        }
        if values.is_empty() {
            return Some(last);
        }
        let step = values.number()?;
        if step == 0 {
            zeros = values.number()?.checked_sub(1)?;
            return Some(last);
        }
        Some(last.wrapping_add(unzigzag(step) as u64))
    };
    let mut process = 0_u32;
    for row in 0..count {
        let gap = u32::try_from(rows.number()?).ok()?;
        if row > 0 && gap == 0 {
            return None;
        }
        process = process.checked_add(gap)?;
        let slot = pending.slot(ProcessNo(process)).filter(|slot| !is_key && slot.rows.end() > pending.key);
        let width = rows.number()?;
        let first = tick.values.len();
        if width == 0 {
            let slot = slot?;
            for cell in slot.cells.iter().filter(|cell| cell.seen.end() == slot.rows.end()) {
                tick.values.push((cell.column, step(cell.last.last())?));
            }
        } else {
            for code in rows.take(usize::try_from(width - 1).ok()?)? {
                let column = Column::from_code(*code)?;
                let cell = slot
                    .and_then(|slot| slot.cells.iter().find(|cell| cell.column == column))
                    .filter(|cell| cell.seen.end() > pending.key);
                tick.values.push((column, step(cell.map_or(0, |cell| cell.last.last()))?));
            }
        }
        if tick.values.len() > MAX_VALUES {
            return None;
        }
        let values = (tick.values.len() - first) as u32;
        tick.rows.push(TickRow { process: ProcessNo(process), values });
    }
    let events = input.at_most(MAX_EVENTS as u64)?;
    for _ in 0..events {
        if let Some(event) = take_event(&mut input)? {
            tick.events.push(event);
        }
    }
    Some((true, is_key))
}

/// Adds the rows of the journal from `from` on to what is pending; how many were lost.
pub(super) fn replay(
    db: &Connection,
    unpacker: &mut Unpacker,
    pending: &mut Pending,
    row: &mut RowWriter,
    from: Option<u64>,
    mut seen: impl FnMut(&Tick),
) -> rusqlite::Result<u64> {
    let mut expected = from.unwrap_or(pending.first_tick);
    let mut adjacent = true;
    let mut lost = 0;
    let mut tick = Tick::default();
    let mut select = db.prepare_cached("SELECT id, data FROM journal WHERE id >= ? ORDER BY id")?;
    let mut rows = select.query([expected as i64])?;
    while let Some(found) = rows.next()? {
        let id = found.get::<_, i64>(0)? as u64;
        if id > expected {
            lost += id - expected;
            adjacent = false;
        }
        expected = id + 1;
        let data = found.get_ref(1)?.as_blob().unwrap_or_default();
        let read = unpacker
            .unpack(data)
            .map_or(Row::Malformed, |content| read(content, id, pending, adjacent, &mut tick));
        match read {
            Row::Tick { is_key } if contradiction(&tick).is_none() && !pending.is_another(&tick) => {
                if pending.ticks == 0 {
                    pending.first_tick = id;
                }
                pending.push_as(&tick, row, is_key);
                adjacent = true;
                seen(&tick);
            }
            _ => {
                adjacent = false;
                lost += 1;
            }
        }
    }
    Ok(lost)
}
