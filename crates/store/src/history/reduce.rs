//! What ticks become when one stands for several: the last one's time and values, the least and the greatest of all, and
//! of many events their number.

use std::collections::BTreeMap;

use model::{Column, Event, EventKind, ProcessNo};

use super::block::{Costs, Times};
use super::chunk::Cell;

/// The ticks that become one.
#[derive(Default)]
pub(super) struct Bucket {
    pub(super) key: Option<u64>,
    last: Option<((u64, i64), (u64, u64))>,
}

impl Bucket {
    pub(super) fn add(&mut self, key: Option<u64>, time: (u64, i64), cost: (u64, u64)) {
        self.key = key;
        let most = self.last.map_or((0, 0), |(_, cost)| cost);
        self.last = Some((time, (most.0.max(cost.0), most.1.max(cost.1))));
    }

    pub(super) fn end(&mut self, times: &mut Times, costs: &mut Costs) {
        if let Some((time, cost)) = self.last.take() {
            times.push(time.0, time.1);
            costs.push(cost.0, cost.1);
        }
    }
}

/// A column of a process, from one source after another.
pub(super) struct Joined {
    cell: Cell,
    /// Tick, last, least and greatest value of what is not yet in the cell.
    open: Option<(u32, u64, u64, u64)>,
}

impl Joined {
    pub(super) fn new(column: Column, reduced: bool) -> Self {
        Self { cell: if reduced { Cell::reduced(column) } else { Cell::new(column) }, open: None }
    }

    #[inline]
    pub(super) fn add(&mut self, tick: u32, value: u64, low: u64, high: u64) {
        match &mut self.open {
            Some((at, last, least, greatest)) if *at == tick => {
                *last = value;
                *least = low.min(*least);
                *greatest = high.max(*greatest);
            }
            _ => {
                self.put();
                self.open = Some((tick, value, low, high));
            }
        }
    }

    #[inline]
    fn put(&mut self) {
        let Some((tick, last, low, high)) = self.open.take() else { return };
        self.cell.seen.push(tick);
        self.cell.last.push(last);
        if let Some(spread) = &mut self.cell.spread {
            spread.0.push(last.wrapping_sub(low));
            spread.1.push(high.wrapping_sub(last));
        }
    }

    pub(super) fn end(mut self) -> Cell {
        self.put();
        self.cell
    }
}

/// Births and ends of threads become a number of each per process and tick; other events stay.
pub(super) fn count_threads(events: Vec<(u32, Event)>) -> Vec<(u32, Event)> {
    let mut counts: BTreeMap<(u32, ProcessNo), (u64, u64, u64)> = BTreeMap::new();
    let mut kept = Vec::new();
    for (tick, event) in events {
        let (born, ended) = match &event.what {
            EventKind::ThreadBorn { .. } => (1, 0),
            EventKind::ThreadEnded { .. } => (0, 1),
            EventKind::ThreadsMissed { born, ended } => (*born, *ended),
            _ => {
                kept.push((tick, event));
                continue;
            }
        };
        let count = counts.entry((tick, event.process)).or_default();
        *count = (event.at_boot_ms, count.1.saturating_add(born), count.2.saturating_add(ended));
    }
    kept.extend(counts.into_iter().map(|((tick, process), (at_boot_ms, born, ended))| {
        (tick, Event { at_boot_ms, process, what: EventKind::ThreadsMissed { born, ended } })
    }));
    kept.sort_by_key(|(tick, _)| *tick);
    kept
}
