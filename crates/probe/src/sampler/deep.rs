//! What is read of suspects besides: kinds of resident memory every half minute, classes of memory every five, as long
//! as a budget of time allows. It is read as gently as a diagnosis reads (`budget`).

use model::{AddressSpace, Column, Measure, Pid, ProcessReading, Reading};

use super::slot::Slot;
use crate::classify::classify;
use crate::{Clock, Parts, Prober, SpaceDepth, ThreadDepth};

/// Seconds between two readings of the sums, and of the classes.
const SUMS_S: f64 = 30.0;
const CLASSES_S: f64 = 300.0;
/// The share of a processor that goes into suspects, and the most that is saved up, in seconds.
const SHARE: f64 = 0.001;
const MOST_SAVED_S: f64 = 0.2;

/// When a suspect was read last, in seconds since boot; before its first time long ago.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    sums_at: f64,
    classes_at: f64,
}

impl Default for Depth {
    fn default() -> Self {
        Self { sums_at: f64::NEG_INFINITY, classes_at: f64::NEG_INFINITY }
    }
}

/// Reads suspects within a budget.
#[derive(Debug)]
pub(super) struct Deep {
    prober: Prober,
    saved_s: f64,
}

impl Deep {
    pub(super) fn new(prober: Prober) -> Self {
        Self { prober, saved_s: MOST_SAVED_S / 2.0 }
    }

    /// A tick has come after so many seconds.
    pub(super) fn save(&mut self, passed_s: f64) {
        self.saved_s = (self.saved_s + passed_s * SHARE).min(MOST_SAVED_S);
    }

    /// Is it a suspect's turn?
    pub(super) fn is_due(&self, slot: &Slot, now_s: f64) -> bool {
        self.saved_s > 0.0 && slot.depth.as_ref().is_some_and(|depth| now_s - depth.sums_at >= SUMS_S)
    }

    /// Reads a suspect; the values are for two places in its row, as classes are the last of all columns.
    pub(super) fn read(&mut self, slot: &mut Slot, now_s: f64, sums: &mut Columns, classes: &mut Columns) {
        let Some(depth) = slot.depth.as_mut() else { return };
        let with_classes = now_s - depth.classes_at >= CLASSES_S;
        let began = Clock::cpu();
        depth.sums_at = now_s;
        let space = if with_classes { SpaceDepth::Touched } else { SpaceDepth::No };
        let threads = if with_classes { ThreadDepth::StacksOnly } else { ThreadDepth::No };
        let parts =
            Parts { statm: true, status: true, rollup: true, space, threads, jvm: false, ..Parts::default() };
        let found = self.prober.read(Pid(slot.pid), &parts);
        if let Reading::Value(process) = &found
            && process.key.start.0 == slot.start
        {
            take_sums(process, sums);
            if with_classes {
                depth.classes_at = now_s;
                take_classes(process, classes);
            }
        }
        self.saved_s -= Clock::cpu() - began;
    }
}

type Columns = Vec<(Column, u64)>;

fn take_sums(process: &ProcessReading, values: &mut Columns) {
    let status = process.status.value();
    let rollup = process.rollup.value();
    let anonymous = rollup.map(|rollup| rollup.anonymous).or(status.and_then(|status| status.rss_anon));
    let found = [
        (Column::Mappings, mappings(process.space.value())),
        (Column::PageTables, status.and_then(|status| status.page_tables).map(|bytes| bytes.0)),
        (Column::Anonymous, anonymous.map(|bytes| bytes.0)),
        (Column::Swapped, status.and_then(|status| status.swap).map(|bytes| bytes.0)),
        (Column::Pss, rollup.map(|rollup| rollup.pss.0)),
    ];
    values.extend(found.into_iter().filter_map(|(column, value)| Some((column, value?))));
}

fn mappings(space: Option<&AddressSpace>) -> Option<u64> {
    space.map(|space| space.mappings.len() as u64)
}

fn take_classes(process: &ProcessReading, values: &mut Columns) {
    if process.space.value().is_none() {
        return;
    }
    for (class, amounts) in classify(process).classes {
        let column = |measure| Column::Class(class, measure);
        values.extend([
            (column(Measure::Mappings), amounts.maps),
            (column(Measure::Reserved), amounts.reserved.0),
            (column(Measure::Committed), amounts.committed.0),
        ]);
        values.extend(amounts.touched.map(|touched| (column(Measure::Touched), touched.0)));
    }
    values.sort_unstable();
}
