//! Who was there at a moment: the list of the newest look before it, and the births and ends since.

use std::collections::BTreeMap;

use model::{EventKind, Pid, ProcessReading, Reading, Thread, Ticks};
use store::history::{Found, Happened};

/// The threads of a process at the end of what `events` tell. Without a look that listed them they are known only of a
/// process whose whole life was recorded.
pub(super) fn at_the_end(
    one: &Found,
    deep: Option<&(i64, ProcessReading)>,
    events: &[Happened],
) -> Reading<Vec<Thread>> {
    let listed = deep.and_then(|(at, reading)| Some((*at, reading.threads.value()?)));
    let mut alive: BTreeMap<(Pid, Ticks), Thread> = BTreeMap::new();
    let since = match listed {
        Some((at, threads)) => {
            alive.extend(threads.iter().map(|thread| ((thread.tid, thread.start), thread.clone())));
            at
        }
        None => i64::MIN,
    };
    let mut told = listed.is_some();
    for happened in events.iter().filter(|h| h.event.process == one.known.process && h.at_unix_ms > since) {
        match &happened.event.what {
            EventKind::ThreadBorn { tid, start, name } => {
                told = true;
                let thread =
                    Thread { tid: *tid, start: *start, name: name.clone(), state: 'S', ..Thread::default() };
                alive.insert((*tid, *start), thread);
            }
            EventKind::ThreadEnded { tid, start, .. } => {
                alive.remove(&(*tid, *start));
            }
            _ => {}
        }
    }
    if told { Reading::Value(alive.into_values().collect()) } else { Reading::Skipped }
}

#[cfg(test)]
mod tests {
    use model::{Event, ProcessNo};
    use store::history::Known;

    use super::*;

    fn event(at_unix_ms: i64, what: EventKind) -> Happened {
        let event = Event { at_boot_ms: at_unix_ms.cast_unsigned(), process: ProcessNo(7), what };
        Happened { at_unix_ms, boot: model::BootId(1), event }
    }

    #[test]
    fn births_and_ends_since_the_look_are_added() {
        let known = Known { process: ProcessNo(7), ..Known::default() };
        let one = Found { known, first_unix_ms: 0, last_unix_ms: 9 };
        let thread =
            |tid: u32, start: u64| Thread { tid: Pid(tid), start: Ticks(start), ..Thread::default() };
        let listed = ProcessReading {
            threads: Reading::Value(vec![thread(1, 1), thread(2, 5)]),
            ..ProcessReading::default()
        };
        let born = |tid: u32, start: u64| EventKind::ThreadBorn {
            tid: Pid(tid),
            start: Ticks(start),
            name: "x".into(),
        };
        let ended = |tid: u32, start: u64| EventKind::ThreadEnded {
            tid: Pid(tid),
            start: Ticks(start),
            name: "x".into(),
        };
        let mut other = event(6, born(9, 9));
        other.event.process = ProcessNo(8);
        let events = [
            event(3, ended(1, 1)),
            event(6, born(3, 60)),
            event(7, ended(2, 5)),
            event(8, born(2, 80)),
            other,
        ];
        let ids = |reading: Reading<Vec<Thread>>| -> Vec<(u32, u64)> {
            reading.value().into_iter().flatten().map(|t| (t.tid.0, t.start.0)).collect()
        };
        assert_eq!(ids(at_the_end(&one, Some(&(5, listed)), &events)), [(1, 1), (2, 80), (3, 60)]);
        assert_eq!(ids(at_the_end(&one, None, &events)), [(2, 80), (3, 60)]);
        assert_eq!(at_the_end(&one, None, &events[..0]), Reading::Skipped);
    }
}
