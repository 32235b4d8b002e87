//! /proc/PID/smaps: each line of maps, followed by what is resident of it and by its flags.
//!
//! ```text
//! 7f67db000000-7f67db030000 rw-p 00000000 00:00 0
//! Size:                192 kB
//! Rss:                 168 kB
//! …
//! VmFlags: rd wr mr mw me ac sd
//! ```
//!
//! Some twenty-five lines per mapping, always the same ones in the same order on one kernel, each of 28 bytes: sixteen
//! for the field's name, eight for the number, ` kB` (fs/proc/task_mmu.c, __show_smap). So the parser notes where in a
//! block the lines lie that it wants, and from then on looks there, checking the names; a block that is different (a
//! number of nine digits, another kernel's fixture) is read line by line.

use memchr::memchr;
use model::{AddressSpace, Bytes, MappingDetail, Reading, VmFlags};

use super::maps;
use super::maps::hex;
use crate::Absence;

/// What is wanted of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Rss,
    Pss,
    SharedClean,
    SharedDirty,
    PrivateClean,
    PrivateDirty,
    Anonymous,
    Huge,
    SharedHugetlb,
    PrivateHugetlb,
    Swap,
}

/// The field of a line, by the sixteen bytes it begins with.
fn field_of(line: &[u8]) -> Option<Field> {
    Some(match line.first_chunk::<16>()? {
        b"Rss:            " => Field::Rss,
        b"Pss:            " => Field::Pss,
        b"Shared_Clean:   " => Field::SharedClean,
        b"Shared_Dirty:   " => Field::SharedDirty,
        b"Private_Clean:  " => Field::PrivateClean,
        b"Private_Dirty:  " => Field::PrivateDirty,
        b"Anonymous:      " => Field::Anonymous,
        b"AnonHugePages:  " => Field::Huge,
        b"Shared_Hugetlb: " => Field::SharedHugetlb,
        b"Private_Hugetlb:" => Field::PrivateHugetlb,
        b"Swap:           " => Field::Swap,
        _ => return None,
    })
}

/// Where a wanted line lies in a block.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: usize,
    key: [u8; 16],
    field: Field,
}

/// The blocks of this kernel: where the wanted lines lie, and where the flags begin.
#[derive(Debug, Default)]
struct Layout {
    places: Vec<Place>,
    flags: usize,
}

/// What has been read so far.
#[derive(Debug)]
pub struct Parser {
    maps: maps::Parser,
    details: Vec<MappingDetail>,
    /// Rss + Swap + hugetlb of each mapping.
    touched: Vec<u64>,
    layout: Option<Layout>,
    /// Does the block that is being read belong to the last mapping of the list?
    current: bool,
    /// The block's length so far and its places, when it is the first one and read to learn the layout.
    learning: Option<Layout>,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            maps: maps::Parser::new("smaps"),
            details: Vec::with_capacity(maps::ROOM),
            touched: Vec::with_capacity(maps::ROOM),
            layout: None,
            current: false,
            learning: None,
        }
    }
}

impl Parser {
    /// Takes the whole lines at the beginning of `bytes` and says how many bytes they were.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, Absence> {
        let mut at = 0;
        loop {
            if let Some(length) = self.maps.plain_line(&bytes[at..]) {
                at += length;
                self.begin(true);
                at += self.block(&bytes[at..]);
                continue;
            }
            let Some(length) = memchr(b'\n', &bytes[at..]) else { return Ok(at) };
            let line = &bytes[at..at + length];
            at += length + 1;
            // A field begins with a capital, an address never does.
            if line.first().is_some_and(u8::is_ascii_uppercase) {
                self.field(line)?;
            } else {
                self.header(line)?;
                at += self.block(&bytes[at..]);
            }
        }
    }

    /// The mappings, their details, and what smaps itself says is in use of each.
    pub fn finish(self, rest: &[u8]) -> Result<(AddressSpace, Vec<u64>), Absence> {
        let mut space = self.maps.finish(rest)?;
        space.details = Reading::Value(self.details);
        Ok((space, self.touched))
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Absence> {
        let listed = self.maps.header(line)?;
        self.begin(listed);
        Ok(())
    }

    /// A block begins; of the last mapping, or of one that is not in the list.
    #[inline]
    fn begin(&mut self, listed: bool) {
        self.current = listed;
        if listed {
            self.details.push(MappingDetail::default());
            self.touched.push(0);
        }
        debug_assert_eq!(self.maps.count(), self.details.len());
        if self.layout.is_none() {
            self.learning = Some(Layout::default());
        }
    }

    /// Takes a whole block that looks like those before it; 0 when it doesn't, or isn't all there.
    fn block(&mut self, bytes: &[u8]) -> usize {
        let Some(layout) = &self.layout else { return 0 };
        let Some(flags) = bytes.get(layout.flags..) else { return 0 };
        let Some(length) = memchr(b'\n', flags) else { return 0 };
        let Some(letters) = flags[..length].strip_prefix(b"VmFlags:") else { return 0 };
        let mut detail = MappingDetail { flags: vm_flags(letters), ..MappingDetail::default() };
        let mut touched = 0;
        for place in &layout.places {
            let Some(line) = bytes.get(place.offset..).and_then(<[u8]>::first_chunk::<28>) else { return 0 };
            let Some((key, rest)) = line.split_first_chunk::<16>() else { return 0 };
            let Some((digits, unit)) = rest.split_first_chunk::<8>() else { return 0 };
            if *key != place.key || unit != b" kB\n" {
                return 0;
            }
            // Most are, and a detail begins with zeros.
            if *digits == *b"       0" {
                continue;
            }
            let Some(kib) = hex::eight_columns(*digits) else { return 0 };
            store(&mut detail, &mut touched, place.field, kib);
        }
        if self.current {
            if let Some(last) = self.details.last_mut() {
                *last = detail;
            }
            if let Some(last) = self.touched.last_mut() {
                *last = touched;
            }
        }
        // Some 25 lines; exact line numbers in errors are those of the first blocks only.
        self.maps.skip_lines(layout.flags / 28 + 1);
        layout.flags + length + 1
    }

    /// One line of a block that is read line by line.
    fn field(&mut self, line: &[u8]) -> Result<(), Absence> {
        self.maps.skip_lines(1);
        if let Some(letters) = line.strip_prefix(b"VmFlags:") {
            if self.current
                && let Some(last) = self.details.last_mut()
            {
                last.flags = vm_flags(letters);
            }
            if let Some(layout) = self.learning.take() {
                self.layout = Some(layout);
            }
            return Ok(());
        }
        let field = field_of(line);
        if let Some(learned) = &mut self.learning {
            if let (Some(field), Some(key)) = (field, line.first_chunk::<16>()) {
                learned.places.push(Place { offset: learned.flags, key: *key, field });
            }
            learned.flags += line.len() + 1;
        }
        let Some(field) = field else { return Ok(()) };
        let text = line[16..].trim_ascii_start();
        let kib = hex::leading_decimal(text)
            .filter(|(_, digits)| &text[*digits..] == b" kB")
            .map(|(kib, _)| kib)
            .ok_or_else(|| self.maps.malformed("size in kB"))?;
        if self.current
            && let (Some(detail), Some(touched)) = (self.details.last_mut(), self.touched.last_mut())
        {
            store(detail, touched, field, kib);
        }
        Ok(())
    }
}

/// A whole file: the mappings with their details, and what is in use of each.
pub fn parse(bytes: &[u8]) -> Result<(AddressSpace, Vec<u64>), Absence> {
    let mut parser = Parser::default();
    let taken = parser.feed(bytes)?;
    parser.finish(&bytes[taken..])
}

#[inline]
fn store(detail: &mut MappingDetail, touched: &mut u64, field: Field, kib: u64) {
    let bytes = Bytes::from_kib(kib);
    match field {
        Field::Rss => {
            detail.rss = bytes;
            *touched = touched.saturating_add(bytes.0);
        }
        Field::Pss => detail.pss = bytes,
        Field::SharedClean => detail.shared_clean = bytes,
        Field::SharedDirty => detail.shared_dirty = bytes,
        Field::PrivateClean => detail.private_clean = bytes,
        Field::PrivateDirty => detail.private_dirty = bytes,
        Field::Anonymous => detail.anonymous = bytes,
        Field::Huge => detail.huge = bytes,
        // Not in Rss.
        Field::SharedHugetlb | Field::PrivateHugetlb => *touched = touched.saturating_add(bytes.0),
        Field::Swap => {
            detail.swap = bytes;
            *touched = touched.saturating_add(bytes.0);
        }
    }
}

/// ` rd wr mr mw me ac sd `; what flatfoot has no use for is left out.
fn vm_flags(letters: &[u8]) -> VmFlags {
    let mut flags = 0;
    // A space before each pair.
    for three in letters.chunks_exact(3) {
        flags |= match [three[1], three[2]] {
            [b'a', b'c'] => VmFlags::ACCOUNTED,
            [b'n', b'r'] => VmFlags::NO_RESERVE,
            [b'n', b'h'] => VmFlags::NO_HUGE,
            [b'g', b'd'] => VmFlags::GROWS_DOWN,
            [b'h', b't'] => VmFlags::HUGETLB,
            [b'g', b'u'] => VmFlags::GUARDED,
            [b'l', b'o'] => VmFlags::LOCKED,
            [b'i', b'o'] => VmFlags::IO,
            _ => 0,
        };
    }
    VmFlags(flags)
}

#[cfg(test)]
mod tests;
