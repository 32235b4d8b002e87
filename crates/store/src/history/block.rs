//! A block: some consecutive ticks of one boot, and when each of them was.

use model::BootId;

use super::frame::{seal, unseal};
use super::runs::Runs;
use super::stream::{Stream, Values};
use super::tables::{MAX_BLOCK_ID, MAX_TICKS};
use super::varint::{Input, put, unzigzag, zigzag};

/// What a block says of itself: sealed, not compressed, read for every block when a store is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its key.
    pub(crate) id: u32,
    /// The number of its first tick, counted from the store's beginning.
    pub(crate) first_tick: u64,
    /// How many ticks were recorded in its time.
    pub(crate) recorded: u64,
    /// How many it has: as many, or fewer when they were reduced.
    pub(crate) ticks: u32,
    /// 0 when they are as recorded, else the time that each stands for.
    pub(crate) step_ms: u64,
    /// The boot that its times count from.
    pub(crate) boot: BootId,
    /// Between ticks as they were meant to be; 0 when nobody said.
    pub(crate) interval_ms: u64,
    /// Time since boot of its first recorded tick and of its last.
    pub(crate) first_ms: u64,
    pub(crate) last_ms: u64,
    /// The wall clock less the time since boot, at the last tick.
    pub(crate) epoch_ms: i64,
    /// The store's own clock at the last tick, see `age`.
    pub(crate) age_ms: u64,
    /// How many chunks.
    pub(crate) processes: u32,
}

impl Head {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(80);
        for number in [
            u64::from(self.id),
            self.first_tick,
            self.recorded,
            u64::from(self.ticks),
            self.step_ms,
            (self.boot.0 >> 64) as u64,
            self.boot.0 as u64,
            self.interval_ms,
            self.first_ms,
            self.last_ms.wrapping_sub(self.first_ms),
            zigzag(self.epoch_ms),
            self.age_ms,
            u64::from(self.processes),
        ] {
            put(&mut out, number);
        }
        seal(&mut out);
        out
    }

    /// Reads the head of the block of this key.
    pub(crate) fn read(bytes: &[u8], id: i64) -> Option<Self> {
        let mut input = Input::new(unseal(bytes)?);
        let head = Self {
            id: input.at_most(u64::from(MAX_BLOCK_ID))? as u32,
            first_tick: input.at_most(1 << 48)?,
            recorded: input.at_most(1 << 48)?,
            ticks: input.at_most(u64::from(MAX_TICKS))? as u32,
            step_ms: input.at_most(1 << 40)?,
            boot: BootId((u128::from(input.number()?) << 64) | u128::from(input.number()?)),
            interval_ms: input.number()?,
            first_ms: input.number()?,
            last_ms: input.number()?,
            epoch_ms: unzigzag(input.number()?),
            age_ms: input.number()?,
            processes: input.at_most(u64::from(u32::MAX))? as u32,
        };
        let last_ms = head.first_ms.wrapping_add(head.last_ms);
        let sound = i64::from(head.id) == id && head.ticks > 0 && last_ms >= head.first_ms;
        sound.then_some(Self { last_ms, ..head })
    }

    /// How far its ticks are apart, in milliseconds.
    pub(crate) fn pace_ms(&self) -> u64 {
        let mean = (self.last_ms - self.first_ms).checked_div(u64::from(self.ticks - 1)).unwrap_or(0);
        let meant = if self.step_ms > 0 { self.step_ms } else { self.interval_ms };
        if meant > 0 { meant } else { mean.max(1) }
    }

    /// The number of the tick after its last.
    pub(crate) const fn end_tick(&self) -> u64 {
        self.first_tick + self.recorded
    }
}

/// When each tick of a block was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    /// Milliseconds from the tick before; from boot for the first.
    steps: Stream,
    /// The wall clock less the time since boot, in milliseconds.
    epochs: Stream,
    last_ms: u64,
}

impl Times {
    pub(crate) fn push(&mut self, boot_ms: u64, unix_ms: i64) {
        self.steps.push(boot_ms.wrapping_sub(self.last_ms));
        self.epochs.push((unix_ms as u64).wrapping_sub(boot_ms));
        self.last_ms = boot_ms;
    }

    pub(crate) fn epoch_ms(&self) -> i64 {
        self.epochs.last() as i64
    }

    pub(crate) fn heap(&self) -> usize {
        self.steps.heap() + self.epochs.heap()
    }

    /// The content of `times`: block, processes, and both streams.
    pub(crate) fn write(&self, block: u32, processes: &Runs, out: &mut Vec<u8>) {
        out.clear();
        put(out, u64::from(block));
        processes.write(out);
        self.steps.write(out);
        self.epochs.write(out);
    }

    pub(crate) fn read_back(&self) -> TimesIn<'_> {
        TimesIn {
            processes: Runs::default(),
            steps: self.steps.values(),
            epochs: self.epochs.values(),
            last_ms: 0,
        }
    }
}

/// The blob `times` being read.
#[derive(Clone, Debug)]
pub(crate) struct TimesIn<'a> {
    /// Numbers of the processes that have a chunk.
    pub(crate) processes: Runs,
    steps: Values<'a>,
    epochs: Values<'a>,
    last_ms: u64,
}

impl<'a> TimesIn<'a> {
    /// Reads the content of the `times` of this block.
    pub(crate) fn read(content: &'a [u8], block: u32) -> Option<Self> {
        let mut input = Input::new(content);
        if input.number()? != u64::from(block) {
            return None;
        }
        let processes = Runs::read(&mut input, u32::MAX)?;
        Some(Self {
            processes,
            steps: Values::read(&mut input)?,
            epochs: Values::read(&mut input)?,
            last_ms: 0,
        })
    }

    /// Since boot and since 1970, in milliseconds, of the next tick; the caller knows how many there are.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<(u64, i64)> {
        self.last_ms = self.last_ms.wrapping_add(self.steps.next()?);
        Some((self.last_ms, self.last_ms.wrapping_add(self.epochs.next()?) as i64))
    }

    /// Times since boot of all ticks.
    pub(crate) fn boot_times(mut self, ticks: u32) -> Option<Vec<u64>> {
        let mut times = Vec::new();
        self.steps.append(ticks, &mut times)?;
        let mut at = 0_u64;
        for time in &mut times {
            at = at.wrapping_add(*time);
            *time = at;
        }
        Some(times)
    }
}

/// How long each tick took and how late it was, in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Costs {
    took: Stream,
    late: Stream,
}

impl Costs {
    pub(crate) fn push(&mut self, took_us: u64, late_us: u64) {
        self.took.push(took_us);
        self.late.push(late_us);
    }

    pub(crate) fn write(&self, block: u32, out: &mut Vec<u8>) {
        out.clear();
        put(out, u64::from(block));
        self.took.write(out);
        self.late.write(out);
    }

    pub(crate) fn read_back(&self) -> CostsIn<'_> {
        CostsIn { took: self.took.values(), late: self.late.values() }
    }
}

/// The blob `costs` being read.
#[derive(Clone, Debug)]
pub(crate) struct CostsIn<'a> {
    took: Values<'a>,
    late: Values<'a>,
}

impl<'a> CostsIn<'a> {
    pub(crate) fn read(content: &'a [u8], block: u32) -> Option<Self> {
        let mut input = Input::new(content);
        if input.number()? != u64::from(block) {
            return None;
        }
        Some(Self { took: Values::read(&mut input)?, late: Values::read(&mut input)? })
    }

    pub(crate) fn next(&mut self) -> Option<(u64, u64)> {
        Some((self.took.next()?, self.late.next()?))
    }
}
