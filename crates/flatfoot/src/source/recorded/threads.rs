//! Who was there at a moment: the list of the newest look before it, and the births and ends since.

use std::collections::{BTreeMap, HashMap};

use model::{EventKind, Pid, ProcessKey, ProcessNo, ProcessReading, Reading, Thread, Ticks};
use store::history::{Found, Happened};

use crate::analyse::EndedThread;
use crate::source::Life;

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

/// What was written down of a process's ends.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Ends {
    /// In their order.
    pub(super) threads: Vec<EndedThread>,
    /// Those that were counted only.
    pub(super) missed: u64,
}

/// The ends that were written down, by process.
pub(super) fn ends(events: &[Happened], booted_unix_s: f64) -> HashMap<ProcessNo, Ends> {
    let mut ends: HashMap<ProcessNo, Ends> = HashMap::new();
    for happened in events {
        match &happened.event.what {
            EventKind::ThreadEnded { start, name, .. } => {
                ends.entry(happened.event.process).or_default().threads.push(EndedThread {
                    start: *start,
                    name: name.clone(),
                    at_boot_s: happened.at_unix_ms as f64 / 1e3 - booted_unix_s,
                });
            }
            EventKind::ThreadsMissed { ended, .. } => {
                ends.entry(happened.event.process).or_default().missed += ended;
            }
            _ => {}
        }
    }
    ends
}

/// A birth.
pub(super) fn life((process, happened): (ProcessKey, &Happened)) -> Option<Life> {
    let EventKind::ThreadBorn { tid, start, name } = &happened.event.what else { return None };
    let thread = Thread { tid: *tid, start: *start, name: name.clone(), ..Thread::default() };
    Some(Life { process, thread })
}

#[cfg(test)]
mod tests {
    use model::Event;
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
        let missed = event(9, EventKind::ThreadsMissed { born: 5, ended: 4 });
        let ends = ends(&[&events[..], &[missed]].concat(), -1.0);
        let gone =
            |start: u64, at_boot_s: f64| EndedThread { start: Ticks(start), name: "x".into(), at_boot_s };
        let own = Ends { threads: vec![gone(1, 1.003), gone(5, 1.007)], missed: 4 };
        assert_eq!(ends.get(&ProcessNo(7)), Some(&own));
        assert_eq!(ends.len(), 1, "a birth is no end");
    }
}
