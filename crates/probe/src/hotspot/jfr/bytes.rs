//! The words that a chunk of a flight recording is written in: numbers of one to nine bytes, strings of five kinds.

use model::Text;

/// Why a recording makes no sense: what was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

/// A place in a chunk.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A string, or where in the constant pool it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Text(Text),
    Pooled(i64),
    Nothing,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// From an offset on; at the end when it lies beyond.
    pub(super) fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, at: offset.min(bytes.len()) }
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let end = self.at.checked_add(count).ok_or(Broken("a length"))?;
        let taken = self.bytes.get(self.at..end).ok_or(Broken("the end is missing"))?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// Seven bits a byte, lowest first, the top bit saying that more follow; the ninth byte has all its eight.
    pub(super) fn number(&mut self) -> Result<i64, Broken> {
        let mut value = 0_u64;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value as i64);
            }
        }
        Ok((value | u64::from(self.byte()?) << 56) as i64)
    }

    /// How many of something follow, of which each takes a byte at least.
    pub(super) fn count(&mut self) -> Result<usize, Broken> {
        let count = usize::try_from(self.number()?).map_err(|_| Broken("a count"))?;
        if count > self.left() { Err(Broken("a count")) } else { Ok(count) }
    }

    /// The size of an event, of which `most` bytes are there at most: its own and that of its type are in it.
    pub(super) fn event_size(&mut self, most: usize) -> Result<usize, Broken> {
        let size = usize::try_from(self.number()?).map_err(|_| Broken("an event's size"))?;
        if (2..=most).contains(&size) { Ok(size) } else { Err(Broken("an event's size")) }
    }

    pub(super) fn word(&mut self) -> Result<Word, Broken> {
        let text = match self.byte()? {
            0 => return Ok(Word::Nothing),
            1 => Text::default(),
            2 => return Ok(Word::Pooled(self.number()?)),
            3 => {
                let length = self.count()?;
                Text::from_bytes(self.take(length)?)
            }
            4 => {
                let length = self.count()?;
                let units: Result<Vec<u16>, Broken> =
                    (0..length).map(|_| self.number().map(|unit| unit as u16)).collect();
                Text::from(String::from_utf16_lossy(&units?))
            }
            5 => {
                let length = self.count()?;
                Text::from(self.take(length)?.iter().map(|byte| char::from(*byte)).collect::<String>())
            }
            _ => return Err(Broken("a string")),
        };
        Ok(Word::Text(text))
    }
}
