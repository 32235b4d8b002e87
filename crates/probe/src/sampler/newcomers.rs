//! Who is new since the tick before, and who of a store's processes is not there any more.

use std::io;

use model::{Column, Event, EventKind, Pid, ProcessKey, ProcessNo};

use super::moments::Moment;
use super::record::{Sample, is_of_another_thread};
use super::slot::Slot;
use super::{LIST_AT_LEAST, MOST_PROBED, NEW_A_TICK, QUICK_S, Sampler, who};
use crate::proc::{self, PidDir};

impl Sampler {
    /// Takes in processes that came since the tick before; says whether there were any.
    pub(super) fn find_new(&mut self, now: &Moment, events: &mut Vec<Event>) -> io::Result<bool> {
        let slow = self.slow_ticks();
        self.check_threads_of_the_kernel(slow);
        let load = self.host.load().unwrap_or_default();
        // The kernel gives pids out in turn: who is new has one between the newest then and the newest now.
        let newer = match (self.load.newest, load.newest) {
            (Some(then), Some(now)) if self.ticks - self.listed_at < LIST_AT_LEAST => now.checked_sub(then),
            _ => None,
        };
        let mut listed = std::mem::take(&mut self.listed);
        match newer {
            Some(newer @ 0..=MOST_PROBED) => {
                let first = load.newest.unwrap_or(0) - newer + 1;
                listed.clear();
                listed.extend((first..first + newer).filter_map(|pid| u32::try_from(pid).ok()));
                if self.is_quick() {
                    std::mem::swap(&mut listed, &mut self.fresh);
                } else {
                    listed.append(&mut self.fresh);
                }
            }
            _ => {
                self.fresh.clear();
                self.listed_at = self.ticks;
                self.candidates.forget();
                self.lister.listing.restart(&self.root, &mut listed)?;
            }
        }
        let is_list = self.listed_at == self.ticks;
        self.load = load;
        // Somebody who ended may have left its pid to somebody new.
        let gone: Vec<u32> = self.slots.iter().filter(|slot| slot.gone).map(|slot| slot.pid).collect();
        let (mut found, first) = (0, self.slots.len());
        for pid in &listed {
            let is_known = (self.family.has(*pid) && !gone.contains(pid))
                || self.of_the_kernel.binary_search_by_key(pid, |(pid, _)| *pid).is_ok();
            if is_known {
                continue;
            }
            if found == NEW_A_TICK {
                // The next tick goes on, with a list.
                self.load.newest = None;
                break;
            }
            found += usize::from(self.admit(*pid, now, events));
        }
        if is_list && listed.is_sorted() {
            self.of_the_kernel.retain(|(pid, _)| listed.binary_search(pid).is_ok());
        }
        self.listed = listed;
        // Numbers that the store gave back are smaller.
        if self.slots.get(first..).is_some_and(|new| !new.is_sorted_by_key(|slot| slot.no)) || self.ticks == 0
        {
            self.slots.sort_by_key(|slot| slot.no);
        }
        Ok(found > 0)
    }

    /// Takes a process in; says whether it is one to record.
    pub(super) fn admit(&mut self, pid: u32, now: &Moment, events: &mut Vec<Event>) -> bool {
        let mut space = [0_u8; 2048];
        // Most numbers that were given out are threads', or gone: that is found without an allocation.
        let mut path = proc::NumberPath::default();
        let record = crate::sys::file::read_record(&self.root, path.set(pid, b"/stat"), &mut space);
        if record.ok().flatten().is_none_or(is_of_another_thread) {
            return false;
        }
        let Ok(dir) = PidDir::open(&self.root, Pid(pid)) else { return false };
        let record = crate::sys::file::read_record(&dir, c"stat", &mut space).ok().flatten();
        let Some(record) = record.filter(|record| !is_of_another_thread(record)) else { return false };
        let Some(sample) = Sample::parse(record) else {
            self.unread += 1;
            return false;
        };
        if sample.is_of_the_kernel() {
            if let Err(at) = self.of_the_kernel.binary_search_by_key(&pid, |(pid, _)| *pid) {
                self.of_the_kernel.insert(at, (pid, sample.start));
            }
            return false;
        }
        let incarnation = who::read(&dir, &sample, &self.base(now), &mut self.buffer);
        let mut slot = Slot::new(self.number(incarnation.key), pid, sample);
        slot.io_is_denied = incarnation.denied.contains(&Column::ReadBytes);
        let before_ms = self.since_ms(now);
        let born_ms = sample.start.saturating_mul(1000) / self.ticks_per_second.max(1);
        events.push(Event {
            at_boot_ms: born_ms.clamp(before_ms.min(now.boot_ms()), now.boot_ms()),
            process: slot.no,
            what: EventKind::ProcessSeen(Box::new(incarnation)),
        });
        self.slots.push(slot);
        true
    }

    /// Are ticks so close together that who is new waits for the next one?
    pub(super) fn is_quick(&self) -> bool {
        self.interval_s <= QUICK_S
    }

    /// Since when who is taken in with this tick may have been born.
    pub(super) fn since_ms(&self, now: &Moment) -> u64 {
        match &self.last {
            Some(_) if self.is_quick() && self.earlier_ms > 0 => self.earlier_ms,
            Some(last) => last.boot_ms(),
            None => now.boot_ms(),
        }
    }

    /// The number that a store gave it before, or a new one.
    pub(super) fn number(&mut self, key: ProcessKey) -> ProcessNo {
        if let Ok(at) = self.known.binary_search_by_key(&key, |(key, _)| *key) {
            return self.known.remove(at).1;
        }
        let no = ProcessNo(self.next);
        self.next = self.next.saturating_add(1);
        no
    }

    /// Of those that a store knew and that are not there any more, nobody saw the end: it is told now. A pid of another
    /// boot says nothing.
    pub(super) fn miss_known(&mut self, now: &Moment, events: &mut Vec<Event>) {
        if self.load.newest.is_none() && self.host.tells_newest() {
            // There are more to take in.
            return;
        }
        for (key, process) in std::mem::take(&mut self.known) {
            if key.boot == self.boot {
                events.push(Event { at_boot_ms: now.boot_ms(), process, what: EventKind::ProcessEnded });
            }
        }
    }

    pub(super) fn base(&self, now: &Moment) -> who::Base {
        who::Base {
            boot: self.boot,
            booted_unix_s: now.wall_s - now.boot_s,
            ticks_per_second: self.ticks_per_second,
        }
    }

    /// A thread of the kernel may end, and a process get its pid: looked at one after the other.
    pub(super) fn check_threads_of_the_kernel(&mut self, slow: u64) {
        let (root, ticks) = (&self.root, self.ticks);
        let turn = slow.saturating_mul(6).max(1);
        self.of_the_kernel.retain(|(pid, start)| {
            if ticks == 0 || u64::from(*pid) % turn != ticks % turn {
                return true;
            }
            let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 2048]);
            let name = path.set(*pid, b"/stat");
            let record = crate::sys::file::read_record(root, name, &mut space).ok().flatten();
            record.and_then(Sample::parse).is_some_and(|sample| sample.start == *start)
        });
    }
}
