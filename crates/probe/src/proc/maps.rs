//! /proc/PID/maps: the list of mappings.
//!
//! ```text
//! 7f67db000000-7f67db030000 rw-p 00000000 00:00 0
//! 7f67df000000-7f67dfbc7000 rw-p 00001000 fe:01 1573011                    /usr/lib/jvm/…/classes.jsa
//! ```
//!
//! Fields (kernel: fs/proc/task_mmu.c, show_vma_header_prefix): addresses in hex, at least eight digits; permissions;
//! offset in hex; device major:minor in hex; inode in decimal; a space; and, from column 73 on, the name with each
//! newline written as `\012`.
//!
//! The reader works on whatever the kernel handed out in one call, allocates nothing per line (a name is looked up
//! once, and most lines have none or the one before), and has one quick way for the line that nearly all are: twelve
//! digits each and no file.

use std::collections::HashMap;

use memchr::memchr;
use model::{AddressSpace, Mapping, Perms, Text};

use crate::Absence;

pub(crate) mod hex;

/// More mappings than this are refused: a list of that length would take a quarter of a gigabyte here, and a kernel
/// that allows them (vm.max_map_count) was told so by hand.
const MOST: usize = 4 << 20;

/// What follows the permissions of memory without a file and without a name.
const PLAIN: &[u8; 19] = b" 00000000 00:00 0 \n";

/// The mappings read so far.
#[derive(Debug)]
pub struct Parser {
    mappings: Vec<Mapping>,
    names: Names,
    last_end: u64,
    lines: usize,
    file: &'static str,
}

/// Mappings for which there is room from the start: more than the default limit (max_map_count) lets a process have.
/// Memory that is not written costs nothing but its address space; a list that grows by doubling writes each of its
/// pages twice or three times, and a page that is written first costs as much as reading ten mappings.
pub(super) const ROOM: usize = 1 << 16;

impl Default for Parser {
    fn default() -> Self {
        Self::new("maps")
    }
}

impl Parser {
    /// A parser that names this file in its errors.
    #[must_use]
    pub(crate) fn new(file: &'static str) -> Self {
        Self { mappings: Vec::with_capacity(ROOM), names: Names::default(), last_end: 0, lines: 0, file }
    }

    /// Takes the whole lines at the beginning of `bytes` and says how many bytes they were: the rest is to be given
    /// again with what follows it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, Absence> {
        let mut at = 0;
        loop {
            at += self.plain_lines(&bytes[at..]);
            let rest = &bytes[at..];
            let Some(length) = memchr(b'\n', rest) else { return Ok(at) };
            self.header(&rest[..length])?;
            at += length + 1;
        }
    }

    /// Takes the lines at the beginning that are nameless memory with twelve digits in each address; says how many
    /// bytes they were. All in one loop: handing a mapping around costs as much as reading it.
    fn plain_lines(&mut self, bytes: &[u8]) -> usize {
        let mut lines = 0;
        // Most mappings begin where the one before ended, in the same words.
        let mut last_text = [0; 12];
        for line in bytes.as_chunks::<49>().0 {
            let Some((addresses, rest)) = line.split_first_chunk::<25>() else { break };
            let Some((letters, tail)) = rest.split_first_chunk::<5>() else { break };
            let (Some(start_text), Some(end_text)) = (addresses.first_chunk(), addresses.last_chunk()) else {
                break;
            };
            let range = if *start_text == last_text && addresses[12] == b'-' {
                hex::twelve(end_text).map(|end| (self.last_end, end))
            } else {
                hex::range(addresses)
            };
            let [b' ', letters @ ..] = *letters else { break };
            let (Some((start, end)), Some(perms)) = (range, perms(letters)) else { break };
            if tail != PLAIN || start < self.last_end || start >= end || self.mappings.len() == MOST {
                break;
            }
            self.last_end = end;
            last_text = *end_text;
            self.mappings.push(Mapping { start, end, perms, ..Mapping::default() });
            lines += 1;
        }
        self.lines += lines;
        lines * 49
    }

    /// The line that `bytes` begins with, newline included, when it is a plain one that goes on in address order; how
    /// long it is.
    #[inline]
    pub(crate) fn plain_line(&mut self, bytes: &[u8]) -> Option<usize> {
        let line = bytes.first_chunk::<49>()?;
        let (addresses, rest) = line.split_first_chunk::<25>()?;
        let ([b' ', letters @ ..], tail) = rest.split_first_chunk::<5>()? else { return None };
        let (start, end) = hex::range(addresses)?;
        let perms = perms(*letters)?;
        if tail != PLAIN || start < self.last_end || start >= end || self.mappings.len() == MOST {
            return None;
        }
        self.lines += 1;
        self.last_end = end;
        self.mappings.push(Mapping { start, end, perms, ..Mapping::default() });
        Some(line.len())
    }

    /// One line without its newline. `true` when it became a mapping, `false` when it only repeats what was listed.
    #[inline(never)]
    pub(crate) fn header(&mut self, line: &[u8]) -> Result<bool, Absence> {
        self.lines += 1;
        let (mapping, name) = fields(line).map_err(|field| self.malformed(field))?;
        let name = self.names.index(name);
        self.push(Mapping { name, ..mapping })
    }

    /// The last one that was taken.
    pub(crate) fn count(&self) -> usize {
        self.mappings.len()
    }

    /// An error on the current line.
    pub(crate) fn malformed(&self, field: &str) -> Absence {
        Absence::malformed(self.file, self.lines, field)
    }

    /// Counts a line that is not a mapping's.
    pub(crate) fn skip_lines(&mut self, lines: usize) {
        self.lines += lines;
    }

    /// Keeps the list in order and free of overlaps. The kernel goes on, in each call, after the last address it
    /// gave; a mapping that grew or was merged in between starts below that address and is listed once more.
    fn push(&mut self, mut mapping: Mapping) -> Result<bool, Absence> {
        if mapping.end <= mapping.start {
            return Err(self.malformed("address range"));
        }
        if mapping.start < self.last_end {
            if mapping.end <= self.last_end {
                return Ok(false);
            }
            mapping.start = self.last_end;
        }
        if self.mappings.len() == MOST {
            return Err(self.malformed("more mappings than flatfoot reads"));
        }
        self.last_end = mapping.end;
        self.mappings.push(mapping);
        Ok(true)
    }

    /// The list; `rest` is what was left of the last lines, which must be nothing.
    pub fn finish(self, rest: &[u8]) -> Result<AddressSpace, Absence> {
        if !rest.is_empty() {
            return Err(Absence::malformed(self.file, self.lines + 1, "cut off"));
        }
        Ok(AddressSpace { mappings: self.mappings, names: self.names.list, ..AddressSpace::default() })
    }
}

/// A whole file.
pub fn parse(bytes: &[u8]) -> Result<AddressSpace, Absence> {
    let mut parser = Parser::default();
    let taken = parser.feed(bytes)?;
    parser.finish(&bytes[taken..])
}

/// Any line: the mapping without its name's index, and the name. The error names the field.
fn fields(line: &[u8]) -> Result<(Mapping, &[u8]), &'static str> {
    let (start, line) = number(line, b'-', 16).ok_or("first address")?;
    let (end, line) = number(line, b' ', 16).ok_or("last address")?;
    let (letters, line) = line.split_first_chunk::<4>().ok_or("permissions")?;
    let perms = perms(*letters).ok_or("permissions")?;
    let line = line.strip_prefix(b" ").ok_or("permissions")?;
    let (offset, line) = number(line, b' ', 16).ok_or("offset")?;
    let (major, line) = number(line, b':', 8).ok_or("device")?;
    let (minor, line) = number(line, b' ', 8).ok_or("device")?;
    let (inode, digits) = hex::leading_decimal(line).ok_or("inode")?;
    let line = &line[digits..];
    // The kernel puts a space after the inode in any case; a fixture that passed an editor may have lost it.
    if line.first().is_some_and(|byte| *byte != b' ') {
        return Err("inode");
    }
    let name = line.iter().position(|byte| *byte != b' ').map_or(&[][..], |first| &line[first..]);
    Ok((Mapping { start, end, perms, offset, device: (major << 32) | minor, inode, name: 0 }, name))
}

/// A hex number of at most `most` digits and what comes after the character behind it.
#[inline]
fn number(text: &[u8], then: u8, most: usize) -> Option<(u64, &[u8])> {
    let (value, digits) = match text.first_chunk::<8>().and_then(|text| hex::eight(*text)) {
        Some(high) => match hex::leading(&text[8..]) {
            Some((low, digits)) if digits <= 8 => ((high << (4 * digits)) | low, 8 + digits),
            Some(_) => return None,
            None => (high, 8),
        },
        None => hex::leading(text)?,
    };
    let rest = text[digits..].strip_prefix(&[then])?;
    (digits <= most).then_some((value, rest))
}

/// `rwxp`.
#[inline]
fn perms(letters: [u8; 4]) -> Option<Perms> {
    const NONE: u32 = u32::from_le_bytes(*b"---p");
    /// By the bits, what differs from no permission at all.
    const DIFFERENCES: [u32; 16] = {
        let mut all = [0; 16];
        let set = *b"rwxs";
        let unset = NONE.to_le_bytes();
        let mut bits = 0;
        while bits < 16 {
            let mut place = 0;
            while place < 4 {
                if bits >> place & 1 == 1 {
                    all[bits] |= ((set[place] ^ unset[place]) as u32) << (8 * place);
                }
                place += 1;
            }
            bits += 1;
        }
        all
    };
    // One bit of each letter tells it from its absence; whether it is that letter, the comparison.
    let difference = u32::from_le_bytes(letters) ^ NONE;
    let bits =
        (difference >> 6 & 1) | (difference >> 13 & 2) | (difference >> 20 & 4) | (difference >> 21 & 8);
    (DIFFERENCES[bits as usize] == difference).then_some(Perms(bits as u8))
}

/// The names of mappings, each once.
#[derive(Debug)]
struct Names {
    list: Vec<Text>,
    indices: HashMap<Box<[u8]>, u32>,
    last: Vec<u8>,
    last_index: u32,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            list: vec![Text::default()],
            indices: HashMap::with_capacity(64),
            last: Vec::new(),
            last_index: 0,
        }
    }
}

impl Names {
    fn index(&mut self, name: &[u8]) -> u32 {
        if name.is_empty() {
            return 0;
        }
        if name == self.last {
            return self.last_index;
        }
        let index = match self.indices.get(name) {
            Some(index) => *index,
            None => {
                let index = u32::try_from(self.list.len()).unwrap_or(0);
                self.list.push(Text::from_bytes(name));
                self.indices.insert(name.into(), index);
                index
            }
        };
        self.last.clear();
        self.last.extend_from_slice(name);
        self.last_index = index;
        index
    }
}

#[cfg(test)]
mod tests;
