//! Records of rings and reports, one by one (the layout is in `agent/layout.rs`). Whoever runs in the target may have
//! written them: lengths are checked against what is there, and what makes no sense ends the reading.

use model::Text;

/// A record: its kind and payload.
pub(super) type Record<'a> = (u32, &'a [u8]);

/// The records in these bytes, up to the first that is not one. One that is still being written (kind 0) is passed over.
pub(super) fn records(mut bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        loop {
            let mut head = Cursor::new(bytes);
            let (length, kind) = (head.u32()? as usize, head.u32()?);
            if length < 8 || length % 8 != 0 || length > bytes.len() {
                return None;
            }
            let (record, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            if kind != 0 {
                return Some((kind, record.get(8..)?));
            }
        }
    })
}

/// Reads numbers and strings; `None` at the end.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (found, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*found)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_ne_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_ne_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_ne_bytes)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        let (found, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(found)
    }

    pub(super) fn text(&mut self) -> Option<Text> {
        self.bytes().map(text)
    }

    /// A list: its length, then each. A length that the bytes can't hold ends with what there is.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(read(self)?);
        }
        Some(found)
    }
}

/// Strings come as Java's modified UTF-8: 0 as two bytes, characters beyond the basic plane as two surrogates of three
/// bytes each.
pub(super) fn text(bytes: &[u8]) -> Text {
    if std::str::from_utf8(bytes).is_ok() {
        return Text::from_bytes(bytes);
    }
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().map(|byte| u16::from(*byte));
    while let Some(first) = rest.next() {
        let mut next = || rest.next().unwrap_or(0) & 0x3f;
        units.push(match first {
            0xc0..=0xdf => ((first & 0x1f) << 6) | next(),
            0xe0..=0xef => ((first & 0x0f) << 12) | (next() << 6) | next(),
            _ => first,
        });
    }
    Text::from(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_and_lying_records_end_the_reading() {
        let record = |length: u32, kind: u32, rest: &[u8]| {
            [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), rest].concat()
        };
        let good = record(16, 3, b"12345678");
        let unfinished = record(16, 0, b"abcdefgh");
        let bytes = [good.clone(), unfinished, good.clone()].concat();
        assert_eq!(records(&bytes).collect::<Vec<_>>(), [(3, &b"12345678"[..]); 2]);
        for wrong in [record(0, 3, b""), record(7, 3, b""), record(12, 3, b"1234"), record(u32::MAX, 3, b"")]
        {
            let bytes = [good.clone(), wrong, good.clone()].concat();
            assert_eq!(records(&bytes).count(), 1);
        }
    }

    #[test]
    fn java_writes_utf8_in_its_own_way() {
        assert_eq!(text(b"plain").as_str(), "plain");
        assert_eq!(text("größer".as_bytes()).as_str(), "größer");
        assert_eq!(text(b"a\xc0\x80b").as_str(), "a\0b");
        assert_eq!(text(b"\xed\xa0\xbd\xed\xb8\x80").as_str(), "😀");
    }
}
