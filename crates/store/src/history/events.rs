//! Events as bytes: exact, small, and read past a kind that a later flatfoot added.
//!
//! Each is its kind, the length of what follows, and its fields.

use model::{Event, EventKind, Pid, ProcessNo, Ticks};

use super::incarnation::{put_boot, put_incarnation, take_boot, take_incarnation, take_text};
use super::varint::{Input, put, put_bytes, zigzag};

/// Most events of a block.
pub(crate) const MAX_EVENTS: usize = 1 << 20;

/// Appends an event.
pub(crate) fn put_event(out: &mut Vec<u8>, event: &Event, scratch: &mut Vec<u8>) {
    scratch.clear();
    let body = scratch;
    put(body, event.at_boot_ms);
    put(body, u64::from(event.process.0));
    let kind = match &event.what {
        EventKind::ProcessSeen(incarnation) => {
            put_incarnation(body, incarnation);
            0
        }
        EventKind::ProcessEnded => 1,
        EventKind::ProcessRenamed(incarnation) => {
            put_incarnation(body, incarnation);
            2
        }
        EventKind::ThreadBorn { tid, start, name } | EventKind::ThreadEnded { tid, start, name } => {
            put(body, u64::from(tid.0));
            put(body, start.0);
            put_bytes(body, name.as_str().as_bytes());
            if matches!(event.what, EventKind::ThreadBorn { .. }) { 3 } else { 4 }
        }
        EventKind::ThreadsMissed { born, ended } => {
            put(body, *born);
            put(body, *ended);
            5
        }
        EventKind::RecorderStarted { version, boot, interval_ms } => {
            put_bytes(body, version.as_str().as_bytes());
            put_boot(body, *boot);
            put(body, *interval_ms);
            6
        }
        EventKind::RecorderStopped => 7,
        EventKind::ClockSet { by_ms } => {
            put(body, zigzag(*by_ms));
            8
        }
        EventKind::Slept { for_ms } => {
            put(body, *for_ms);
            9
        }
        EventKind::Mark { text } => {
            put_bytes(body, text.as_str().as_bytes());
            10
        }
    };
    out.push(kind);
    put_bytes(out, body);
}

/// The next event; the inner `None` is one of a kind that is not known here.
#[allow(clippy::option_option)] // a broken one, and one that is sound and strange
pub(crate) fn take_event(input: &mut Input<'_>) -> Option<Option<Event>> {
    let kind = input.byte()?;
    let mut body = Input::new(input.bytes()?);
    let at_boot_ms = body.number()?;
    let process = ProcessNo(u32::try_from(body.number()?).ok()?);
    let what = match kind {
        0 => EventKind::ProcessSeen(Box::new(take_incarnation(&mut body)?)),
        1 => EventKind::ProcessEnded,
        2 => EventKind::ProcessRenamed(Box::new(take_incarnation(&mut body)?)),
        3 | 4 => {
            let tid = Pid(u32::try_from(body.number()?).ok()?);
            let (start, name) = (Ticks(body.number()?), take_text(&mut body)?);
            if kind == 3 {
                EventKind::ThreadBorn { tid, start, name }
            } else {
                EventKind::ThreadEnded { tid, start, name }
            }
        }
        5 => EventKind::ThreadsMissed { born: body.number()?, ended: body.number()? },
        6 => EventKind::RecorderStarted {
            version: take_text(&mut body)?,
            boot: take_boot(&mut body)?,
            interval_ms: body.number()?,
        },
        7 => EventKind::RecorderStopped,
        8 => EventKind::ClockSet { by_ms: body.signed()? },
        9 => EventKind::Slept { for_ms: body.number()? },
        10 => EventKind::Mark { text: take_text(&mut body)? },
        _ => return Some(None),
    };
    Some(Some(Event { at_boot_ms, process, what }))
}

/// The content of a block's `events`: each with the tick of the block that it came with.
pub(crate) fn write(block: u32, events: &[(u32, Event)], out: &mut Vec<u8>) {
    out.clear();
    put(out, u64::from(block));
    let mut scratch = Vec::new();
    for (tick, event) in events {
        put(out, u64::from(*tick));
        put_event(out, event, &mut scratch);
    }
}

/// Reads what [`write()`] wrote.
pub(crate) fn read(content: &[u8], block: u32) -> Option<Vec<(u32, Event)>> {
    let mut input = Input::new(content);
    if input.number()? != u64::from(block) {
        return None;
    }
    let mut events = Vec::new();
    while !input.is_empty() {
        let tick = u32::try_from(input.number()?).ok()?;
        if let Some(event) = take_event(&mut input)? {
            if events.len() == MAX_EVENTS {
                return None;
            }
            events.push((tick, event));
        }
    }
    Some(events)
}
