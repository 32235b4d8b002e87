//! One figure over the ticks of a block: what each value adds to the one before it, where nothing was added as a
//! count. An idle process costs next to nothing, and zstd finds the rest.
//!
//! `5 5 5 9` is `0a 00 02 08`: 5 (zigzag 10), twice no change, 4 more (zigzag 8). Trailing zeros are left out.
//! Where all steps are multiples of a page (`shift` 12) or of a kilobyte (10), they are counted in those.

use super::varint::{Input, put, unzigzag, zigzag};

/// Values being written, in little memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    bytes: Vec<u8>,
    last: u64,
    zeros: u32,
    shift: u8,
}

impl Stream {
    /// A stream whose steps are likely to be multiples of `1 << shift`.
    pub(crate) fn with_shift(shift: u8) -> Self {
        Self { shift, ..Self::default() }
    }

    /// The last value; 0 before the first.
    #[inline]
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    #[inline]
    pub(crate) fn push(&mut self, value: u64) {
        if value == self.last {
            self.zeros += 1;
        } else {
            self.push_step(value);
        }
    }

    fn push_step(&mut self, value: u64) {
        let step = value.wrapping_sub(self.last) as i64;
        if self.shift > 0 && step & ((1 << self.shift) - 1) != 0 {
            self.unshift();
        }
        if self.zeros > 0 {
            self.bytes.push(0);
            put(&mut self.bytes, u64::from(self.zeros));
            self.zeros = 0;
        }
        put(&mut self.bytes, zigzag(step >> self.shift));
        self.last = value;
    }

    /// A step came that is no multiple: writes all again in single units. At most once for each stream.
    #[cold]
    fn unshift(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.len() * 2);
        let mut input = Input::new(&self.bytes);
        while let Some(step) = input.number() {
            if step == 0 {
                bytes.push(0);
                put(&mut bytes, input.number().unwrap_or_default());
            } else {
                put(&mut bytes, zigzag(unzigzag(step) << self.shift));
            }
        }
        self.bytes = bytes;
        self.shift = 0;
    }

    /// Bytes that it takes on disk, before compression.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends the stream with its shift and length.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put(out, ((self.bytes.len() as u64) << 4) | u64::from(self.shift));
        out.extend_from_slice(&self.bytes);
    }

    /// What was pushed so far; the caller knows how many values.
    pub(crate) fn values(&self) -> Values<'_> {
        Values { input: Input::new(&self.bytes), last: 0, zeros: 0, shift: self.shift }
    }
}

/// Values being read; never ends by itself: after the last step it repeats the last value.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a> {
    input: Input<'a>,
    last: u64,
    zeros: u64,
    shift: u8,
}

impl<'a> Values<'a> {
    /// Reads what [`Stream::write`] wrote.
    pub(crate) fn read(input: &mut Input<'a>) -> Option<Self> {
        let head = input.number()?;
        let bytes = input.take(usize::try_from(head >> 4).ok()?)?;
        Some(Self { input: Input::new(bytes), last: 0, zeros: 0, shift: (head & 15) as u8 })
    }

    /// The next value; `None` when the bytes are malformed.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<u64> {
        if self.zeros > 0 {
            self.zeros -= 1;
        } else if !self.input.is_empty() {
            let step = self.input.number()?;
            if step == 0 {
                self.zeros = self.input.number()?.checked_sub(1)?;
            } else {
                self.last = self.last.wrapping_add((unzigzag(step) << self.shift) as u64);
            }
        }
        Some(self.last)
    }

    /// The last, the least and the greatest of the next so many values, of one at least.
    pub(crate) fn fold(&mut self, count: u32) -> Option<(u64, u64, u64)> {
        let first = self.next()?;
        let (mut low, mut high) = (first, first);
        let mut left = u64::from(count.saturating_sub(1));
        while left > 0 {
            let same = if self.input.is_empty() { left } else { left.min(self.zeros) };
            if same > 0 {
                self.zeros = self.zeros.saturating_sub(same);
                left -= same;
            } else {
                let value = self.next()?;
                (low, high) = (low.min(value), high.max(value));
                left -= 1;
            }
        }
        Some((self.last, low, high))
    }

    /// The next so many values, appended.
    pub(crate) fn append(&mut self, count: u32, values: &mut Vec<u64>) -> Option<()> {
        let mut left = count as usize;
        values.reserve(left);
        while left > 0 {
            let same = if self.input.is_empty() { left } else { left.min(self.zeros as usize) };
            if same > 0 {
                values.resize(values.len() + same, self.last);
                self.zeros = self.zeros.saturating_sub(same as u64);
                left -= same;
            } else {
                values.push(self.next()?);
                left -= 1;
            }
        }
        Some(())
    }
}

/// A place in a stream within a larger content, kept while others are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    at: usize,
    end: usize,
    last: u64,
    zeros: u64,
    shift: u8,
}

impl Cursor {
    /// Keeps a stream that was not yet read at the end of `content`.
    pub(crate) fn keep(values: &Values<'_>, content: &mut Vec<u8>) -> Self {
        let at = content.len();
        content.extend_from_slice(values.input.rest);
        Self { at, end: content.len(), last: values.last, zeros: values.zeros, shift: values.shift }
    }

    /// The next value; `None` when the bytes are malformed.
    pub(crate) fn next(&mut self, content: &[u8]) -> Option<u64> {
        let input = Input::new(content.get(self.at..self.end)?);
        let mut values = Values { input, last: self.last, zeros: self.zeros, shift: self.shift };
        let value = values.next();
        (self.last, self.zeros) = (values.last, values.zeros);
        self.at = self.end - values.input.rest.len();
        value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(values: &[u64], shift: u8) -> Vec<u8> {
        let mut stream = Stream::with_shift(shift);
        for value in values {
            stream.push(*value);
        }
        let mut out = Vec::new();
        stream.write(&mut out);
        out
    }

    proptest! {
        #[test]
        fn any_values_come_back(
            values in proptest::collection::vec(
                prop_oneof![Just(0_u64), Just(4_096), 0_u64..9, any::<u64>(), (0_u64..99).prop_map(|n| n << 12)],
                0..60,
            ),
            shift in prop_oneof![Just(0_u8), Just(10), Just(12)],
            cut in 0_u32..60,
        ) {
            let out = written(&values, shift);
            let mut read = Values::read(&mut Input::new(&out)).unwrap();
            let one_by_one: Vec<u64> = (0..values.len()).map(|_| read.next().unwrap()).collect();
            prop_assert_eq!(&one_by_one, &values);
            let mut read = Values::read(&mut Input::new(&out)).unwrap();
            let mut all = Vec::new();
            let cut = cut.min(values.len() as u32);
            read.append(cut, &mut all).unwrap();
            read.append(values.len() as u32 - cut, &mut all).unwrap();
            prop_assert_eq!(&all, &values);
            let mut read = Values::read(&mut Input::new(&out)).unwrap();
            let (before, after) = values.split_at(cut as usize);
            for part in [before, after].into_iter().filter(|part| !part.is_empty()) {
                let extremes = (*part.iter().min().unwrap(), *part.iter().max().unwrap());
                let folded = (*part.last().unwrap(), extremes.0, extremes.1);
                prop_assert_eq!(read.fold(part.len() as u32).unwrap(), folded);
            }
        }

        #[test]
        fn any_bytes_are_values_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(mut values) = Values::read(&mut Input::new(&bytes)) {
                let mut all = Vec::new();
                let _ = values.clone().fold(1_000);
                let _ = values.append(1_000, &mut all);
                prop_assert!(all.len() <= 1_000);
            }
        }
    }

    #[test]
    fn what_does_not_change_costs_its_first_value() {
        assert_eq!(written(&[5; 1_000], 0).len(), 1 + 1);
        assert_eq!(written(&[5, 5, 5, 9], 0), [4 << 4, 0x0a, 0, 2, 8]);
        assert_eq!(written(&[8_192; 9], 12), [(1 << 4) + 12, 4]);
    }
}
