//! A window that moves with time: the last 30 minutes, 2 or 8 hours, and before it how far the floor moved
//! within such windows. A leak that begins on the twentieth day shows here long before it shows in all that
//! was seen.

use super::floors::{Floors, fill};

/// Blocks of a window.
const BLOCKS: usize = 32;

/// A window moves by this many blocks from look to look: an eighth of it.
const STRIDE: u64 = 4;

/// Blocks of one of the quarters that history is kept in.
const QUARTER: u64 = 8;

/// Quarters kept: the sixteen windows before the present one, and the present one's own four.
const QUARTERS: usize = 68;

/// How many times further than ever before within such a window it must have moved.
const FURTHER: f64 = 2.0;

/// One moving window.
#[derive(Clone, Debug)]
pub(super) struct Window {
    start: f64,
    width: f64,
    base: f64,
    /// Number of the block that is being filled.
    now: u64,
    least: f32,
    sum: f64,
    count: u32,
    /// The newest complete blocks (least, mean, samples), by number modulo their number.
    ring: [(f32, f32, u16); BLOCKS],
    /// The least of each of the newest complete quarters, by number modulo their number.
    quarters: [f32; QUARTERS],
    quarter: f32,
}

impl Window {
    /// A window of this length, empty.
    pub(super) fn new(start: f64, length: f64, base: f64) -> Self {
        Self {
            start,
            width: length / BLOCKS as f64,
            base,
            now: 0,
            least: f32::NAN,
            sum: 0.0,
            count: 0,
            ring: [(f32::NAN, f32::NAN, 0); BLOCKS],
            quarters: [f32::NAN; QUARTERS],
            quarter: f32::NAN,
        }
    }

    /// Its length, in seconds.
    pub(super) fn length(&self) -> f64 {
        self.width * BLOCKS as f64
    }

    /// Adds a point; true when the window is due for a look, at most once per stride however much time has
    /// passed.
    pub(super) fn push(&mut self, at: f64, value: f64) -> bool {
        let place = ((at - self.start) / self.width).max(0.0) as u64;
        let due = place / STRIDE > self.now / STRIDE && place >= BLOCKS as u64;
        // After a long silence nothing of the window is left; its blocks need not be walked one by one.
        let skipped = place.saturating_sub(self.now);
        let walk = skipped.min((QUARTERS as u64 + 1) * QUARTER);
        for step in 0..walk {
            self.close(self.now);
            self.now += 1;
            if step + 1 == walk {
                self.now = place;
            }
        }
        let value = value - self.base;
        self.least = self.least.min(value as f32);
        self.sum += value;
        self.count = self.count.saturating_add(1);
        due
    }

    fn close(&mut self, block: u64) {
        let mean = (self.sum / f64::from(self.count)) as f32;
        self.ring[(block % BLOCKS as u64) as usize] =
            (self.least, mean, u16::try_from(self.count).unwrap_or(u16::MAX));
        self.quarter = self.quarter.min(self.least);
        (self.least, self.sum, self.count) = (f32::NAN, 0.0, 0);
        if (block + 1).is_multiple_of(QUARTER) {
            self.quarters[(block / QUARTER % QUARTERS as u64) as usize] = self.quarter;
            self.quarter = f32::NAN;
        }
    }

    /// The complete blocks of the window as floors.
    pub(super) fn floors(&self) -> Option<Floors> {
        if self.now < BLOCKS as u64 {
            return None;
        }
        let mut floors = Floors::default();
        for block in self.now - BLOCKS as u64..self.now {
            let (least, mean, count) = self.ring[(block % BLOCKS as u64) as usize];
            let known = |value: f32| if value.is_nan() { f64::INFINITY } else { f64::from(value) + self.base };
            floors.at.push(self.start + (block as f64 + 0.5) * self.width);
            floors.value.push(known(least));
            floors.mean.push(known(mean));
            floors.samples += u64::from(count);
        }
        fill(&mut floors.value);
        fill(&mut floors.mean);
        floors.level = crate::stats::median(&floors.value)?;
        floors.value.iter().all(|v| v.is_finite()).then_some(floors)
    }

    /// Is growth by so much within the window new: twice as far as within any window before, and to where it
    /// never was?
    pub(super) fn is_new(&self, floors: &Floors, growth: f64) -> bool {
        let first = self.now.saturating_sub(BLOCKS as u64) / QUARTER;
        let from = (self.now / QUARTER).saturating_sub(QUARTERS as u64);
        let history: Vec<f64> = (from..first)
            .map(|quarter| f64::from(self.quarters[(quarter % QUARTERS as u64) as usize]) + self.base)
            .collect();
        let moved = history.windows(5).map(|part| (part[4] - part[0]).abs()).fold(0.0, f64::max);
        let highest = history.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let last = &floors.value[floors.value.len().saturating_sub(4)..];
        growth >= FURTHER * moved && super::linear::mean(last) > highest
    }
}
