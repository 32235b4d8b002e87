//! A process's row: what it is, since when it is known, and when it ended.

use std::collections::BTreeMap;

use model::{
    BootId, Column, Event, EventKind, Identity, Incarnation, Pid, ProcessKey, ProcessNo, Text, Ticks,
};
use rusqlite::Connection;

use super::varint::{Input, put, put_bytes};

/// What a store knows of a process beside its figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Its number in this store.
    pub process: ProcessNo,
    /// What it is, as of its last exec.
    pub incarnation: Incarnation,
    /// When it was first seen, in milliseconds since boot.
    pub seen_boot_ms: u64,
    /// When it ended; `None` while it lives, or when nobody saw its end.
    pub ended_boot_ms: Option<u64>,
}

impl Known {
    /// Its row, to be compressed.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        put(&mut out, u64::from(self.process.0));
        put(&mut out, self.seen_boot_ms);
        put(&mut out, self.ended_boot_ms.map_or(0, |ended| ended.saturating_add(1)));
        put_incarnation(&mut out, &self.incarnation);
        out
    }

    pub(crate) fn read(content: &[u8], id: i64) -> Option<Self> {
        let mut input = Input::new(content);
        let process = ProcessNo(u32::try_from(input.number()?).ok()?);
        if i64::from(process.0) != id {
            return None;
        }
        let seen_boot_ms = input.number()?;
        let ended_boot_ms = input.number()?.checked_sub(1);
        let incarnation = take_incarnation(&mut input)?;
        Some(Self { process, incarnation, seen_boot_ms, ended_boot_ms })
    }
}

fn put_option(out: &mut Vec<u8>, text: Option<&Text>) {
    out.push(u8::from(text.is_some()));
    if let Some(text) = text {
        put_bytes(out, text.as_str().as_bytes());
    }
}

#[allow(clippy::option_option)] // a broken text, and none
fn take_option(input: &mut Input<'_>) -> Option<Option<Text>> {
    match input.byte()? {
        0 => Some(None),
        _ => Some(Some(take_text(input)?)),
    }
}

pub(super) fn take_text(input: &mut Input<'_>) -> Option<Text> {
    Some(Text::from_bytes(input.bytes()?))
}

pub(super) fn put_boot(out: &mut Vec<u8>, boot: BootId) {
    out.extend_from_slice(&boot.0.to_le_bytes());
}

pub(super) fn take_boot(input: &mut Input<'_>) -> Option<BootId> {
    Some(BootId(u128::from_le_bytes(input.take(16)?.try_into().ok()?)))
}

pub(super) fn put_incarnation(out: &mut Vec<u8>, incarnation: &Incarnation) {
    let Incarnation { key, name, started_unix_s, identity, uid, parent, denied } = incarnation;
    put_boot(out, key.boot);
    put(out, u64::from(key.pid.0));
    put(out, key.start.0);
    put_bytes(out, name.as_str().as_bytes());
    out.extend_from_slice(&started_unix_s.to_le_bytes());
    let Identity { unit, container, command } = identity;
    put_option(out, unit.as_ref());
    put_option(out, container.as_ref());
    put_bytes(out, command.as_str().as_bytes());
    put(out, u64::from(*uid));
    put(out, u64::from(parent.0));
    put(out, denied.len() as u64);
    out.extend(denied.iter().map(|column| column.code()));
}

pub(super) fn take_incarnation(input: &mut Input<'_>) -> Option<Incarnation> {
    let key = ProcessKey {
        boot: take_boot(input)?,
        pid: Pid(u32::try_from(input.number()?).ok()?),
        start: Ticks(input.number()?),
    };
    let name = take_text(input)?;
    let started_unix_s = f64::from_le_bytes(input.take(8)?.try_into().ok()?);
    let identity =
        Identity { unit: take_option(input)?, container: take_option(input)?, command: take_text(input)? };
    let uid = u32::try_from(input.number()?).ok()?;
    let parent = Pid(u32::try_from(input.number()?).ok()?);
    let denied = input.bytes()?.iter().filter_map(|code| Column::from_code(*code)).collect();
    Some(Incarnation { key, name, started_unix_s, identity, uid, parent, denied })
}

/// Does an event change a process's row?
pub(super) fn is_of_incarnation(what: &EventKind) -> bool {
    matches!(what, EventKind::ProcessSeen(_) | EventKind::ProcessRenamed(_) | EventKind::ProcessEnded)
}

/// What an event says of a process that is known.
pub(super) fn apply(known: &mut BTreeMap<ProcessNo, Known>, event: &Event) {
    match &event.what {
        EventKind::ProcessSeen(incarnation) => {
            let known = known.entry(event.process).or_insert_with(|| Known {
                process: event.process,
                seen_boot_ms: event.at_boot_ms,
                ..Known::default()
            });
            known.incarnation = (**incarnation).clone();
        }
        EventKind::ProcessRenamed(incarnation) => {
            if let Some(known) = known.get_mut(&event.process) {
                known.incarnation = (**incarnation).clone();
            }
        }
        EventKind::ProcessEnded => {
            if let Some(known) = known.get_mut(&event.process) {
                known.ended_boot_ms = Some(event.at_boot_ms);
            }
        }
        _ => {}
    }
}

/// Notes how many processes have a row, so that one that is lost without a trace is missed.
pub(super) fn count_incarnations(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO meta VALUES('processes', (SELECT CAST(count(*) AS TEXT) FROM incarnation))",
        [],
    )?;
    Ok(())
}
