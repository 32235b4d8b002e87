//! One process in one block: which ticks it was in, and each of its columns as a stream.
//!
//! Content, before zstd: process, block, its ticks (`runs`), how many columns; for each its code, its flags, its ticks when
//! they are neither the process's nor those of the column before, and its stream. In a block of reduced ticks each column
//! has two more streams: how far the least and the greatest value of the tick lie from the last one.
//!
//! The blob is that as a frame with its length before it. In a block of a day the long streams follow, each in a frame
//! of its own, which says again whose it is.

use std::io;

use model::{Column, ProcessNo};

use super::frame::{Packer, Unpacker};
use super::runs::Runs;
use super::stream::{Stream, Values};
use super::varint::{Input, put, put_bytes};

/// The ticks of a column are those of its process; of the column before; its own, which follow.
const TICKS_OF_PROCESS: u8 = 0;
const TICKS_OF_BEFORE: u8 = 1;
const TICKS_OWN: u8 = 2;
/// Two more streams follow.
const SPREAD: u8 = 4;
/// Its stream is in a frame of its own.
const APART: u8 = 8;

/// Streams of a merged block that are longer than this are apart: who wants one column of a month unpacks that alone.
pub(crate) const LONG_STREAM: usize = 512;
/// No stream is.
pub(crate) const TOGETHER: usize = usize::MAX;

/// A process in a block that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) process: ProcessNo,
    /// Ticks that it is in.
    pub(crate) rows: Runs,
    /// Its columns, ascending.
    pub(crate) cells: Vec<Cell>,
    /// How many of them its last tick had.
    pub(crate) width: u32,
}

/// A column of a process in a block that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) column: Column,
    /// Ticks that it was read in.
    pub(crate) seen: Runs,
    pub(crate) last: Stream,
    /// Last minus least, greatest minus last; in reduced blocks only.
    pub(crate) spread: Option<Box<(Stream, Stream)>>,
}

impl Cell {
    pub(crate) fn new(column: Column) -> Self {
        Self { column, seen: Runs::default(), last: Stream::with_shift(shift_of(column)), spread: None }
    }

    pub(crate) fn reduced(column: Column) -> Self {
        let spread = || Stream::with_shift(shift_of(column));
        Self { spread: Some(Box::new((spread(), spread()))), ..Self::new(column) }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        self.seen.heap() + self.last.heap()
    }
}

/// What the kernel counts in pages or kilobytes.
const fn shift_of(column: Column) -> u8 {
    match column {
        Column::Virtual | Column::Resident | Column::Data | Column::Shared => 12,
        Column::PageTables
        | Column::Anonymous
        | Column::Swapped
        | Column::Pss
        | Column::HostCommitted
        | Column::HostAvailable
        | Column::HostFree
        | Column::HostCached
        | Column::HostSlab
        | Column::HostSwapFree
        | Column::HostPageTables
        | Column::HostKernelStack => 10,
        _ => 0,
    }
}

impl Slot {
    /// The content of its chunk, in a buffer that is emptied first. Streams that are longer than `apart` are left to
    /// [`pack`](Self::pack).
    pub(crate) fn write(&self, block: u32, apart: usize, out: &mut Vec<u8>) {
        out.clear();
        put(out, u64::from(self.process.0));
        put(out, u64::from(block));
        self.rows.write(out);
        put(out, self.cells.len() as u64);
        let mut before = &self.rows;
        for cell in &self.cells {
            let ticks = if cell.seen == self.rows {
                TICKS_OF_PROCESS
            } else if cell.seen == *before {
                TICKS_OF_BEFORE
            } else {
                TICKS_OWN
            };
            let is_apart = cell.last.len() > apart;
            out.push(cell.column.code());
            out.push(
                ticks | if cell.spread.is_some() { SPREAD } else { 0 } | if is_apart { APART } else { 0 },
            );
            if ticks == TICKS_OWN {
                cell.seen.write(out);
            }
            if !is_apart {
                cell.last.write(out);
            }
            if let Some(spread) = &cell.spread {
                spread.0.write(out);
                spread.1.write(out);
            }
            before = &cell.seen;
        }
    }

    /// The chunk's blob: the length of its first frame, that frame, and one for each stream that is apart.
    pub(crate) fn pack(
        &self,
        block: u32,
        apart: usize,
        packer: &mut Packer,
        content: &mut Vec<u8>,
        blob: &mut Vec<u8>,
    ) -> io::Result<()> {
        blob.clear();
        self.write(block, apart, content);
        put_bytes(blob, packer.pack(content)?);
        for cell in self.cells.iter().filter(|cell| cell.last.len() > apart) {
            content.clear();
            put(content, u64::from(self.process.0));
            put(content, u64::from(block));
            content.push(cell.column.code());
            cell.last.write(content);
            put_bytes(blob, packer.pack(content)?);
        }
        Ok(())
    }

    /// How many values.
    pub(crate) fn samples(&self) -> u64 {
        self.cells.iter().map(|cell| u64::from(cell.seen.count())).sum()
    }
}

/// A chunk being read.
#[derive(Clone, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) rows: Runs,
    pub(crate) columns: Vec<ChunkColumn<'a>>,
    /// The frames of the streams that are apart, in the order of their columns.
    apart: Vec<&'a [u8]>,
    process: ProcessNo,
    block: u32,
}

/// A column of it.
#[derive(Clone, Debug)]
pub(crate) struct ChunkColumn<'a> {
    pub(crate) column: Column,
    pub(crate) seen: Runs,
    last: Last<'a>,
    pub(crate) spread: Option<(Values<'a>, Values<'a>)>,
}

/// Where the values are.
#[derive(Clone, Debug)]
enum Last<'a> {
    Here(Values<'a>),
    /// In the frame at this place.
    Apart(usize),
}

impl<'a> Chunk<'a> {
    /// Reads the blob of the chunk of this process and block, of so many ticks; `None` when it is anything else.
    pub(crate) fn read(
        blob: &'a [u8],
        process: ProcessNo,
        block: u32,
        ticks: u32,
        unpacker: &mut Unpacker,
        content: &'a mut Vec<u8>,
    ) -> Option<Self> {
        let mut input = Input::new(blob);
        unpacker.unpack_into(input.bytes()?, content)?;
        let mut apart = Vec::new();
        while !input.is_empty() {
            apart.push(input.bytes()?);
            if apart.len() > 256 {
                return None;
            }
        }
        Self::read_content(content, process, block, ticks, apart)
    }

    fn read_content(
        content: &'a [u8],
        process: ProcessNo,
        block: u32,
        ticks: u32,
        apart: Vec<&'a [u8]>,
    ) -> Option<Self> {
        let mut input = Input::new(content);
        if input.number()? != u64::from(process.0) || input.number()? != u64::from(block) {
            return None;
        }
        let rows = Runs::read(&mut input, ticks)?;
        let count = input.at_most(256)?;
        let mut columns = Vec::with_capacity(count as usize);
        let mut before = rows.clone();
        let mut frames = 0;
        for _ in 0..count {
            let code = input.byte()?;
            let flags = input.byte()?;
            let seen = match flags & 3 {
                TICKS_OF_PROCESS => rows.clone(),
                TICKS_OF_BEFORE => before.clone(),
                TICKS_OWN => Runs::read(&mut input, ticks)?,
                _ => return None,
            };
            let last = if flags & APART == 0 {
                Last::Here(Values::read(&mut input)?)
            } else {
                frames += 1;
                Last::Apart(frames - 1)
            };
            let spread = if flags & SPREAD == 0 {
                None
            } else {
                Some((Values::read(&mut input)?, Values::read(&mut input)?))
            };
            before.clone_from(&seen);
            // One that a later flatfoot added is passed over.
            if let Some(column) = Column::from_code(code) {
                columns.push(ChunkColumn { column, seen, last, spread });
            }
        }
        let sound = frames == apart.len() && columns.is_sorted_by(|a, b| a.column < b.column);
        sound.then_some(Self { rows, columns, apart, process, block })
    }

    /// The values of one of its columns; where they lie apart, they are unpacked into `content`.
    pub(crate) fn values<'b>(
        &self,
        column: &ChunkColumn<'b>,
        unpacker: &mut Unpacker,
        content: &'b mut Vec<u8>,
    ) -> Option<Values<'b>> {
        match &column.last {
            Last::Here(values) => Some(values.clone()),
            Last::Apart(place) => {
                unpacker.unpack_into(self.apart.get(*place)?, content)?;
                let mut input = Input::new(content);
                let sound = input.number()? == u64::from(self.process.0)
                    && input.number()? == u64::from(self.block)
                    && input.byte()? == column.column.code();
                if sound { Values::read(&mut input) } else { None }
            }
        }
    }
}

/// For fuzzing: reads any bytes as a chunk, values and all.
#[doc(hidden)]
#[must_use]
pub fn read_any_chunk(content: &[u8]) -> usize {
    let mut input = Input::new(content);
    let (Some(process), Some(block)) = (input.number(), input.number()) else { return 0 };
    let (process, block) = (ProcessNo(process as u32), block as u32);
    let Some(chunk) = Chunk::read_content(content, process, block, 1_000, Vec::new()) else { return 0 };
    let mut values = Vec::new();
    for column in chunk.columns {
        let Last::Here(last) = column.last else { continue };
        let mut streams = vec![last];
        streams.extend(column.spread.map(|spread| [spread.0, spread.1]).into_iter().flatten());
        for mut stream in streams {
            let _ = stream.append(column.seen.count(), &mut values);
        }
    }
    values.len()
}
