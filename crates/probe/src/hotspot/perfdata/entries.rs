//! The file's layout (HotSpot: runtime/perfMemory.hpp, perfData.hpp).
//!
//! ```text
//!  0  ca fe c0 c0   magic              16  when counters were last added, ticks
//!  4  01            1 little endian    24  offset of the first entry
//!  5  02 00         version            28  number of entries
//!  7  01            accessible         32  entry: length, offset of its name, length of its vector (0: a number),
//!  8  bytes in use                         type (J, B), flags, unit, variability, offset of its data
//! ```
//!
//! The one who writes it is the target: every number in it is checked before it is used as a place.

use crate::Absence;

/// Bytes before the first entry.
pub(super) const PROLOGUE: usize = 32;

/// The most entries that are looked at; JVMs have some 200.
const MOST: usize = 16 * 1024;

/// The prologue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prologue {
    little: bool,
    /// Bytes in use.
    pub(super) used: u32,
    /// When its shape last changed.
    pub(super) changed: u64,
    first: u32,
    pub(super) entries: u32,
}

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Value<'a>,
}

/// What it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number of 8 bytes at this place.
    Number(usize),
    /// Text, to its first NUL.
    Text(&'a [u8]),
}

impl Prologue {
    /// Reads it; `Unsupported` while the JVM says that it may not be read yet.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Absence> {
        let wrong = |what: &str| Absence::Malformed(format!("hsperfdata: {what}"));
        let head: &[u8; PROLOGUE] = bytes.first_chunk().ok_or_else(|| wrong("cut off"))?;
        let [0xca, 0xfe, 0xc0, 0xc0, order, major, _, accessible, ..] = *head else {
            return Err(wrong("magic"));
        };
        if order > 1 {
            return Err(wrong("byte order"));
        }
        if major != 2 {
            return Err(wrong("version"));
        }
        if accessible != 1 {
            return Err(Absence::Unsupported);
        }
        let order = Order { little: order == 1 };
        Ok(Self {
            little: order.little,
            used: order.int(head, 8).ok_or_else(|| wrong("size"))?,
            changed: order.long(head, 16).ok_or_else(|| wrong("time"))?,
            first: order.int(head, 24).ok_or_else(|| wrong("offset"))?,
            entries: order.int(head, 28).ok_or_else(|| wrong("count"))?,
        })
    }

    /// The number at a place.
    pub(super) fn number(&self, bytes: &[u8], at: usize) -> Option<u64> {
        Order { little: self.little }.long(bytes, at)
    }

    /// The entries, as far as they make sense; one that doesn't ends the list, as nothing says where the next begins.
    pub(super) fn entries<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = Entry<'a>> {
        let order = Order { little: self.little };
        let mut at = self.first as usize;
        let mut left = (self.entries as usize).min(MOST);
        std::iter::from_fn(move || {
            while left > 0 {
                left -= 1;
                let length = order.int(bytes, at)? as usize;
                let record = bytes.get(at..at.checked_add(length)?)?;
                let begin = at;
                at += length.max(4);
                if let Some(entry) = entry(order, record, begin) {
                    return Some(entry);
                }
            }
            None
        })
    }
}

/// One entry; `None` for kinds that nobody knows.
fn entry(order: Order, record: &[u8], begin: usize) -> Option<Entry<'_>> {
    let name = record.get(order.int(record, 4)? as usize..)?;
    let name = name.split(|byte| *byte == 0).next()?;
    let length = order.int(record, 8)? as usize;
    let data = order.int(record, 16)? as usize;
    let value = match (record.get(12)?, length) {
        (b'J', 0) => {
            record.get(data..data.checked_add(8)?)?;
            Value::Number(begin.checked_add(data)?)
        }
        (b'B', 1..) => {
            let text = record.get(data..data.checked_add(length)?)?;
            Value::Text(text.split(|byte| *byte == 0).next()?)
        }
        _ => return None,
    };
    Some(Entry { name, value })
}

/// In which order the bytes of a number are.
#[derive(Clone, Copy)]
struct Order {
    little: bool,
}

impl Order {
    fn int(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four: [u8; 4] = *bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    }

    fn long(self, bytes: &[u8], at: usize) -> Option<u64> {
        let eight: [u8; 8] = *bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u64::from_le_bytes(eight) } else { u64::from_be_bytes(eight) })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with these numbers and texts, in either order of bytes.
    pub(crate) fn file(little: bool, numbers: &[(&str, u64)], texts: &[(&str, &str)]) -> Vec<u8> {
        let int = |n: usize| if little { (n as u32).to_le_bytes() } else { (n as u32).to_be_bytes() };
        let long = |n: u64| if little { n.to_le_bytes() } else { n.to_be_bytes() };
        let mut body = Vec::new();
        let mut push = |name: &str, vector: usize, kind: u8, data: &[u8]| {
            let offset = (20 + name.len() + 1).next_multiple_of(8);
            let length = (offset + data.len()).next_multiple_of(8);
            let mut record = [int(length), int(20), int(vector)].concat();
            record.extend_from_slice(&[kind, 0, 1, 1]);
            record.extend_from_slice(&int(offset));
            record.extend_from_slice(name.as_bytes());
            record.resize(offset, 0);
            record.extend_from_slice(data);
            record.resize(length, 0);
            body.extend_from_slice(&record);
        };
        for (name, number) in numbers {
            push(name, 0, b'J', &long(*number));
        }
        for (name, text) in texts {
            push(name, text.len() + 1, b'B', &[text.as_bytes(), &[0]].concat());
        }
        let mut bytes = vec![0xca, 0xfe, 0xc0, 0xc0, u8::from(little), 2, 0, 1];
        bytes.extend_from_slice(&int(PROLOGUE + body.len()));
        bytes.extend_from_slice(&int(0));
        bytes.extend_from_slice(&long(7));
        bytes.extend_from_slice(&int(PROLOGUE));
        bytes.extend_from_slice(&int(numbers.len() + texts.len()));
        bytes.extend_from_slice(&body);
        bytes.resize(bytes.len() + 64, 0);
        bytes
    }

    #[test]
    fn both_orders_of_bytes() {
        for little in [true, false] {
            let bytes = file(little, &[("a.b", 258), ("c", u64::MAX)], &[("t", "text")]);
            let prologue = Prologue::parse(&bytes).unwrap();
            assert_eq!((prologue.changed, prologue.entries), (7, 3));
            let found: Vec<_> = prologue.entries(&bytes).collect();
            let number = |at: usize| match found[at].value {
                Value::Number(place) => prologue.number(&bytes, place),
                Value::Text(_) => None,
            };
            assert_eq!((found[0].name, number(0)), (&b"a.b"[..], Some(258)));
            assert_eq!((found[1].name, number(1)), (&b"c"[..], Some(u64::MAX)));
            assert_eq!(found[2], Entry { name: b"t", value: Value::Text(b"text") });
        }
    }

    #[test]
    fn what_is_not_a_file_of_a_jvm_says_what_is_wrong() {
        let good = file(true, &[("a", 1)], &[]);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Prologue::parse(&bytes).unwrap_err()
        };
        let wrong = |what: &str| Absence::Malformed(format!("hsperfdata: {what}"));
        assert_eq!(with(0, 0), wrong("magic"));
        assert_eq!(with(4, 2), wrong("byte order"));
        assert_eq!(with(5, 1), wrong("version"));
        assert_eq!(with(7, 0), Absence::Unsupported, "not yet");
        assert_eq!(Prologue::parse(&good[..31]), Err(wrong("cut off")));
    }

    #[test]
    fn an_entry_that_reaches_outside_ends_the_list() {
        let mut bytes = file(true, &[("a", 1), ("b", 2)], &[]);
        bytes[PROLOGUE + 3] = 0x7f;
        let prologue = Prologue::parse(&bytes).unwrap();
        assert_eq!(prologue.entries(&bytes).count(), 0);
        let mut bytes = file(true, &[("a", 1), ("b", 2)], &[]);
        // Data outside its entry: that one alone is left out.
        bytes[PROLOGUE + 16] = 0xff;
        assert_eq!(prologue.entries(&bytes).map(|entry| entry.name).collect::<Vec<_>>(), [b"b"]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(
            at in proptest::collection::vec((0_usize..400, any::<u8>()), 0..20),
            end in 0_usize..400,
        ) {
            let mut bytes = file(true, &[("a", 1), ("b", 2), ("c", 3)], &[("t", "text"), ("u", "")]);
            bytes.resize(400, 0xff);
            for (at, byte) in at {
                bytes[at] = byte;
            }
            bytes.truncate(end);
            if let Ok(prologue) = Prologue::parse(&bytes) {
                for entry in prologue.entries(&bytes) {
                    if let Value::Number(place) = entry.value {
                        prop_assert!(prologue.number(&bytes, place).is_some());
                    }
                }
            }
        }
    }
}
