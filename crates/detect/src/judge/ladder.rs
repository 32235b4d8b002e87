//! Blocks over the whole time of a series in bounded memory: when they are used up, neighbours are merged two
//! by two and each block lasts twice as long. The same points give the same blocks, whenever one looks.

use super::floors::{Floors, LEAST_BLOCKS, MOST_BLOCKS, fill};

/// What is kept of a block, less the ladder's base: single precision then holds a page of any process.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    least: f32,
    mean: f32,
}

/// A block that no sample fell into.
const EMPTY: Block = Block { least: f32::NAN, mean: f32::NAN };

/// Samples that a block of the floors must hold on average.
const SAMPLES_PER_BLOCK: f64 = 4.0;

/// Blocks of doubling length.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    start: f64,
    width: f64,
    base: f64,
    /// Never more than `most`; the last one is not complete yet.
    blocks: Vec<Block>,
    most: u16,
    /// Of the last block.
    count: u32,
    sum: f64,
    samples: u64,
}

impl Ladder {
    /// A ladder of `most` blocks (an even number) that begin with this width.
    pub(super) fn new(start: f64, width: f64, base: f64, most: u16) -> Self {
        let blocks = Vec::with_capacity(usize::from(most));
        Self { start, width, base, blocks, most, count: 0, sum: 0.0, samples: 0 }
    }

    /// Adds a point, not earlier than those before.
    pub(super) fn push(&mut self, at: f64, value: f64) {
        let most = usize::from(self.most);
        let place = |start: f64, width: f64| ((at - start) / width).max(0.0);
        while place(self.start, self.width) >= most as f64 {
            self.merge();
        }
        let place = place(self.start, self.width) as usize;
        if self.blocks.len() <= place {
            // A merge may have left the last block in the middle of things: its count goes with it.
            self.blocks.resize(place + 1, EMPTY);
            (self.count, self.sum) = (0, 0.0);
        }
        let value = value - self.base;
        self.count = self.count.saturating_add(1);
        self.sum += value;
        self.samples += 1;
        let (count, sum) = (self.count, self.sum);
        if let Some(block) = self.blocks.last_mut() {
            block.least = block.least.min(value as f32);
            block.mean = (sum / f64::from(count)) as f32;
        }
    }

    /// Two by two; an empty one adds nothing.
    fn merge(&mut self) {
        let odd = self.blocks.len() % 2 == 1;
        let merged: Vec<Block> = self
            .blocks
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => Block { least: a.least.min(b.least), mean: middle(a.mean, b.mean) },
                [a] => *a,
                _ => EMPTY,
            })
            .collect();
        self.blocks.clear();
        self.blocks.extend(merged);
        self.width *= 2.0;
        if !odd && let Some(last) = self.blocks.last() {
            // The last pair was whole: its mean is taken as that of as many samples as a pair has.
            let count = if self.count == 0 { 0 } else { 2 * self.count };
            (self.count, self.sum) = (count, f64::from(last.mean) * f64::from(count));
        }
    }

    /// When it begins.
    pub(super) fn start(&self) -> f64 {
        self.start
    }

    /// What its values are kept relative to.
    pub(super) fn base(&self) -> f64 {
        self.base
    }

    /// Samples that came in.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// The newest blocks as floors: 32 to 42 of them once there are samples enough. `None` before there are 8.
    pub(super) fn floors(&self) -> Option<Floors> {
        let have = self.blocks.len();
        let each = self.samples as f64 / have.max(1) as f64;
        let by_samples = (SAMPLES_PER_BLOCK / each.max(1e-9)).ceil() as usize;
        let group = (have / MOST_BLOCKS).max(by_samples).max(1);
        let many = have / group;
        if many < LEAST_BLOCKS {
            return None;
        }
        let from = have - many * group;
        let mut floors = Floors { samples: self.samples, ..Floors::default() };
        for (k, blocks) in self.blocks[from..].chunks(group).enumerate() {
            let least = blocks.iter().fold(f32::NAN, |least, block| least.min(block.least));
            let (sum, count) = blocks.iter().filter(|b| !b.mean.is_nan()).fold((0.0, 0.0), |sum, block| {
                (sum.0 + f64::from(block.mean), sum.1 + 1.0)
            });
            let middle = (from + k * group) as f64 + 0.5 * group as f64;
            floors.at.push(self.start + middle * self.width);
            let known = |value: f64| if value.is_nan() { f64::INFINITY } else { value + self.base };
            floors.value.push(known(f64::from(least)));
            floors.mean.push(known(sum / count));
        }
        fill(&mut floors.value);
        fill(&mut floors.mean);
        floors.level = crate::stats::median(&floors.value)?;
        floors.value.iter().all(|v| v.is_finite()).then_some(floors)
    }

    /// The same blocks in a longer ladder.
    pub(super) fn lengthened(&self, most: u16) -> Self {
        let mut longer = Self { most, blocks: Vec::with_capacity(usize::from(most)), ..*self };
        longer.blocks.extend(&self.blocks);
        // Each block becomes several of the same value, until a further split would not fit.
        while longer.blocks.len() * 2 <= usize::from(most) && longer.width > 0.0 {
            longer.blocks = longer.blocks.iter().flat_map(|block| [*block, *block]).collect();
            longer.width /= 2.0;
        }
        (longer.count, longer.sum) = (0, 0.0);
        longer
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
    }
}

fn middle(a: f32, b: f32) -> f32 {
    match (a.is_nan(), b.is_nan()) {
        (true, _) => b,
        (_, true) => a,
        _ => f32::midpoint(a, b),
    }
}
