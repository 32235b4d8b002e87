//! Which ticks of a block have something: stretches of ticks, as most processes live for all of them and what is read
//! at every sixth tick is still a short list.
//!
//! On disk: how many stretches, then for each the ticks since the one before and its length.

use super::varint::{Input, put};

/// Ascending ticks, as stretches that neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    /// All but the last, first and one past the last tick of each.
    earlier: Vec<(u32, u32)>,
    start: u32,
    end: u32,
}

impl Runs {
    /// Adds a tick after all others; one that is not after them is ignored.
    #[inline]
    pub(crate) fn push(&mut self, tick: u32) {
        self.push_run(tick, tick + 1);
    }

    /// Adds a stretch after all others.
    pub(crate) fn push_run(&mut self, start: u32, end: u32) {
        if start == self.end && self.end > self.start {
            self.end = end;
        } else if start >= self.end && end > start {
            if self.end > self.start {
                self.earlier.push((self.start, self.end));
            }
            (self.start, self.end) = (start, end);
        }
    }

    /// One past the last tick; 0 when there is none.
    #[inline]
    pub(crate) const fn end(&self) -> u32 {
        self.end
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        let last = (self.end > self.start).then_some((self.start, self.end));
        self.earlier.iter().copied().chain(last)
    }

    /// Each tick.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = u32> + Clone {
        self.iter().flat_map(|(start, end)| start..end)
    }

    /// How many ticks lie from one to the next, mostly; `None` where there are too few to tell.
    pub(crate) fn stride(&self) -> Option<u32> {
        let runs = self.iter().count() as u32;
        let count = self.count();
        if count < 3 {
            return None;
        }
        // Next to each other are all but the first of each stretch.
        if (count - runs) * 2 >= count - 1 {
            return Some(1);
        }
        let mut apart: Vec<u32> = self.ticks().zip(self.ticks().skip(1)).map(|(a, b)| b - a).collect();
        let middle = apart.len() / 2;
        Some(*apart.select_nth_unstable(middle).1)
    }

    pub(crate) fn contains(&self, tick: u32) -> bool {
        if tick >= self.start {
            return tick < self.end;
        }
        let after = self.earlier.partition_point(|(start, _)| *start <= tick);
        after.checked_sub(1).and_then(|at| self.earlier.get(at)).is_some_and(|(_, end)| tick < *end)
    }

    /// How many ticks.
    pub(crate) fn count(&self) -> u32 {
        self.iter().map(|(start, end)| end - start).sum()
    }

    /// Bytes on the heap, nearly.
    pub(crate) fn heap(&self) -> usize {
        self.earlier.capacity() * size_of::<(u32, u32)>()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put(out, self.iter().count() as u64);
        let mut at = 0;
        for (start, end) in self.iter() {
            put(out, u64::from(start - at));
            put(out, u64::from(end - start));
            at = end;
        }
    }

    /// Reads stretches of ticks below `most`.
    pub(crate) fn read(input: &mut Input<'_>, most: u32) -> Option<Self> {
        let count = input.at_most(u64::from(most))?;
        let mut runs = Self::default();
        let mut at = 0_u32;
        for _ in 0..count {
            let start = at.checked_add(input.at_most(u64::from(most))? as u32)?;
            let end = start.checked_add(input.at_most(u64::from(most))? as u32)?;
            // Only the first may begin where the one before ended, which is nowhere.
            if end <= start || end > most || (start == at && at > 0) {
                return None;
            }
            runs.push_run(start, end);
            at = end;
        }
        Some(runs)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stride_is_what_most_ticks_are_apart() {
        let stride = |ticks: &[u32]| {
            let mut runs = Runs::default();
            for tick in ticks {
                runs.push(*tick);
            }
            runs.stride()
        };
        assert_eq!(stride(&[0, 1, 2, 3]), Some(1));
        assert_eq!(stride(&[0, 1, 2, 50, 51]), Some(1));
        assert_eq!(stride(&[0, 6, 12, 18, 60]), Some(6));
        assert_eq!(stride(&[0, 6]), None);
    }

    proptest! {
        #[test]
        fn any_ticks_come_back(ticks in proptest::collection::btree_set(0_u32..200, 0..100)) {
            let mut runs = Runs::default();
            for tick in &ticks { runs.push(*tick); }
            let mut out = Vec::new();
            runs.write(&mut out);
            let read = Runs::read(&mut Input::new(&out), 200).unwrap();
            prop_assert_eq!(&read, &runs);
            prop_assert_eq!(read.ticks().collect::<BTreeSet<_>>(), ticks.clone());
            prop_assert_eq!(read.count() as usize, ticks.len());
            for tick in 0..210 {
                prop_assert_eq!(read.contains(tick), ticks.contains(&tick));
            }
        }

        #[test]
        fn any_bytes_are_runs_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(runs) = Runs::read(&mut Input::new(&bytes), 100) {
                prop_assert!(runs.ticks().all(|tick| tick < 100));
                prop_assert!(runs.ticks().is_sorted());
            }
        }
    }
}
