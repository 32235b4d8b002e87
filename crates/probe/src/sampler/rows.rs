//! What of a process goes into a tick: its figures, those that cost a file each as often as they are due.

use model::{Column, Event, EventKind, Pid, ProcessNo, Tick, TickRow, Ticks};

use super::moments::Moment;
use super::record::{Sizes, parse_io};
use super::slot::Slot;
use super::threads::Of;
use super::{SUSPECTS_S, Sampler, TASKS_A_TICK, jvm, ticks_in, who};
use crate::Clock;
use crate::proc::{self, PidDir};

impl Sampler {
    pub(super) fn host_row(&mut self, processes: usize, tick: &mut Tick) {
        let first = tick.values.len();
        self.host.memory(&mut tick.values);
        tick.values.push((Column::HostTasks, self.load.tasks));
        tick.values.push((Column::HostProcesses, processes as u64));
        if let Some(stall) = self.host.memory_stall_us() {
            tick.values.push((Column::HostMemoryStall, stall));
        }
        tick.values.push((Column::OwnCpu, (Clock::cpu() * 1e6) as u64));
        let own = std::process::id();
        if let Some(slot) = self.slots.iter().find(|slot| slot.pid == own && self.root.is_live()) {
            tick.values
                .push((Column::OwnResident, slot.sample.resident_pages.saturating_mul(self.page_size)));
        }
        let values = (tick.values.len() - first) as u32;
        tick.rows.push(TickRow { process: ProcessNo::HOST, values });
    }

    /// The rows of all processes, with what is read less often.
    pub(super) fn rows(&mut self, now: &Moment, tick: &mut Tick) {
        let (slow, now_ms) = (self.slow_ticks(), now.boot_ms());
        let last_ms = self.last.map_or(now_ms, |last| last.boot_ms());
        let since_ms = self.since_ms(now);
        self.lister.left = TASKS_A_TICK;
        let mut slots = std::mem::take(&mut self.slots);
        for slot in &mut slots {
            let in_turn = (u64::from(slot.no.0) + self.ticks).is_multiple_of(slow);
            let is_new = std::mem::take(&mut slot.is_new);
            let periodic = is_new || in_turn;
            // Children are counted without being told by their parent: also of one that rests.
            if !slot.has_sample && slot.sizes.is_none() && slot.children == slot.children_told {
                continue;
            }
            let before_ms = if is_new { since_ms } else { last_ms };
            self.renamed(slot, now, &mut tick.events);
            let born_ms = slot.start.saturating_mul(1000) / self.ticks_per_second.max(1);
            let threads = slot.sample.threads;
            if slot.has_sample && slot.tasks.are_due(threads, self.ticks, periodic) {
                let of = Of {
                    root: &self.root,
                    no: slot.no,
                    pid: slot.pid,
                    sample: &slot.sample,
                    tick: self.ticks,
                    now_ms,
                    before_ms,
                    ticks_per_second: self.ticks_per_second,
                    is_new: self.ticks > 0 && born_ms >= before_ms,
                };
                slot.tasks.look(&of, &mut self.lister, &mut tick.events);
            }
            let first = tick.values.len();
            self.row(slot, periodic, now.boot_s, &mut tick.values);
            let values = (tick.values.len() - first) as u32;
            tick.rows.push(TickRow { process: slot.no, values });
        }
        self.slots = slots;
    }

    /// One process's figures, in ascending order of column.
    pub(super) fn row(
        &mut self,
        slot: &mut Slot,
        periodic: bool,
        now_s: f64,
        values: &mut Vec<(Column, u64)>,
    ) {
        let sample = slot.sample;
        let lives = !sample.is_dead();
        // What has neither run nor faulted since has hardly changed: each minute is enough to make sure.
        let active = periodic && lives && slot.is_active(self.ticks, self.slow_ticks());
        let sizes = slot.sizes.or_else(|| if active { self.statm(slot.pid) } else { None });
        let page = self.page_size;
        if slot.has_sample {
            values.extend([(Column::Cpu, sample.cpu), (Column::Threads, sample.threads)]);
        }
        // Without its first thread a process shows no sizes in its own record: another thread's directory does.
        let other = if !lives && sample.threads > 1 { self.sizes_of_other(slot.pid) } else { None };
        let (size, resident) = match (slot.sizes, slot.has_sample && lives, other) {
            (Some(sizes), ..) if sizes.size > 0 => (sizes.size.saturating_mul(page), sizes.resident),
            (None, true, _) => (sample.virtual_bytes, sample.resident_pages),
            (_, _, Some(other)) => (other.size.saturating_mul(page), other.resident),
            _ => (0, 0),
        };
        if size > 0 {
            values.push((Column::Virtual, size));
            values.push((Column::Resident, resident.saturating_mul(page)));
        }
        if slot.has_sample {
            values.push((Column::MinorFaults, sample.minor_faults));
            values.push((Column::MajorFaults, sample.major_faults));
        }
        let told = sizes.or(other).filter(|sizes| sizes.size > 0);
        if let Some(sizes) = told {
            values.push((Column::Data, sizes.data.saturating_mul(page)));
        }
        let tells_children = periodic || slot.children != slot.children_told;
        // Counting them is cheap from Linux 6.2 on, but not for everybody in each tick.
        let closely =
            slot.depth.is_some() && self.ticks.is_multiple_of(ticks_in(SUSPECTS_S, self.interval_s));
        if (periodic || closely)
            && lives
            && let Some(count) = self.descriptors(slot.pid)
        {
            values.push((Column::Descriptors, count));
        }
        if tells_children {
            values.push((Column::Children, u64::from(slot.children.0)));
        }
        if active
            && !slot.io_is_denied
            && let Some((read, written)) = self.io(slot.pid)
        {
            values.extend([(Column::ReadBytes, read), (Column::WrittenBytes, written)]);
        }
        let threads = (slot.tasks.born, slot.tasks.ended);
        if periodic || threads != slot.tasks.told {
            slot.tasks.told = threads;
            values.extend([(Column::ThreadsBorn, threads.0), (Column::ThreadsEnded, threads.1)]);
        }
        self.classes.clear();
        if lives && self.deep.is_due(slot, now_s) {
            self.deep.read(slot, now_s, values, &mut self.classes);
        }
        if periodic && lives {
            let name = sample.name;
            slot.jvm.read(&self.root, slot.pid, name.as_bytes(), &mut self.candidates, values);
        }
        if tells_children {
            slot.children_told = slot.children;
            values.push((Column::Zombies, u64::from(slot.children.1)));
        }
        if let Some(sizes) = told {
            values.push((Column::Shared, sizes.shared.saturating_mul(page)));
        }
        values.append(&mut self.classes);
    }

    /// When it took another name, it may be another program: who it is is read again.
    pub(super) fn renamed(&mut self, slot: &mut Slot, now: &Moment, events: &mut Vec<Event>) {
        if !slot.has_sample || slot.name == slot.sample.name || self.ticks < slot.named_until {
            return;
        }
        slot.name = slot.sample.name;
        slot.renames = slot.renames.saturating_add(1);
        slot.named_until = self.ticks + (1 << slot.renames.min(10));
        let Ok(dir) = PidDir::open(&self.root, Pid(slot.pid)) else { return };
        let incarnation = who::read(&dir, &slot.sample, &self.base(now), &mut self.buffer);
        if incarnation.key.start != Ticks(slot.start) {
            return;
        }
        slot.io_is_denied = incarnation.denied.contains(&Column::ReadBytes);
        slot.jvm = jvm::Jvm::default();
        let what = EventKind::ProcessRenamed(Box::new(incarnation));
        events.push(Event { at_boot_ms: now.boot_ms(), process: slot.no, what });
    }

    pub(super) fn statm(&self, pid: u32) -> Option<Sizes> {
        let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 256]);
        let name = path.set(pid, b"/statm");
        Sizes::parse(crate::sys::file::read_record(&self.root, name, &mut space).ok()??)
    }

    pub(super) fn sizes_of_other(&mut self, pid: u32) -> Option<Sizes> {
        let dir = PidDir::open(&self.root, Pid(pid)).ok()?;
        let tasks = dir.open_dir(c"task").ok()?;
        let mut numbers = std::mem::take(&mut self.listed);
        let found = self.lister.listing.numbers(&tasks, &mut numbers);
        let other = numbers.iter().rev().find(|tid| **tid != pid).copied();
        self.listed = numbers;
        found.ok()?;
        let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 256]);
        let name = path.set(other?, b"/statm");
        Sizes::parse(crate::sys::file::read_record(&tasks, name, &mut space).ok()??)
    }

    pub(super) fn descriptors(&self, pid: u32) -> Option<u64> {
        let mut path = proc::NumberPath::default();
        // 0 before Linux 6.2: there the number would cost a list, and a right.
        crate::sys::file::size(&self.root, path.set(pid, b"/fd")).ok().filter(|count| *count > 0)
    }

    pub(super) fn io(&self, pid: u32) -> Option<(u64, u64)> {
        let (mut path, mut space) = (proc::NumberPath::default(), [0_u8; 512]);
        parse_io(crate::sys::file::read_record(&self.root, path.set(pid, b"/io"), &mut space).ok()??)
    }
}
