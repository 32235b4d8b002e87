//! Blobs of bytes in one zstd frame with a checksum, bounded both ways, and short ones with a hash.

use std::io;

use zstd::bulk;
use zstd::zstd_safe::{CParameter, compress_bound, get_frame_content_size};

use super::tables::MAX_CONTENT;

/// zstd's own default.
const LEVEL: i32 = 3;

/// Compresses; keeps zstd's tables and the buffer from one blob to the next.
pub(crate) struct Packer {
    zstd: bulk::Compressor<'static>,
    packed: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        Self::of_level(LEVEL)
    }

    /// For what lives an hour at most.
    pub(crate) fn quick() -> io::Result<Self> {
        Self::of_level(1)
    }

    fn of_level(level: i32) -> io::Result<Self> {
        let mut zstd = bulk::Compressor::new(level)?;
        zstd.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self { zstd, packed: Vec::new() })
    }

    /// The frame of some content.
    pub(crate) fn pack(&mut self, content: &[u8]) -> io::Result<&[u8]> {
        if content.len() > MAX_CONTENT {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "more than a blob may hold"));
        }
        self.packed.clear();
        self.packed.reserve(compress_bound(content.len()));
        self.zstd.compress_to_buffer(content, &mut self.packed)?;
        Ok(&self.packed)
    }
}

/// Decompresses what anybody may have written.
pub(crate) struct Unpacker {
    zstd: bulk::Decompressor<'static>,
    content: Vec<u8>,
}

impl Unpacker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: bulk::Decompressor::new()?, content: Vec::new() })
    }

    /// The content of a frame; `None` when it is damaged or too large.
    pub(crate) fn unpack(&mut self, frame: &[u8]) -> Option<&[u8]> {
        let mut content = std::mem::take(&mut self.content);
        let sound = self.unpack_into(frame, &mut content);
        self.content = content;
        sound.map(|()| self.content.as_slice())
    }

    /// As [`unpack`](Self::unpack), into a buffer of the caller's.
    pub(crate) fn unpack_into(&mut self, frame: &[u8], content: &mut Vec<u8>) -> Option<()> {
        let size = usize::try_from(get_frame_content_size(frame).ok()??).ok()?;
        // zstd makes at most 2^15 of one byte or so; what claims more lies.
        if size > MAX_CONTENT || size / (1 << 16) > frame.len() {
            return None;
        }
        content.clear();
        content.reserve(size);
        self.zstd.decompress_to_buffer(frame, content).ok()?;
        Some(())
    }
}

/// FNV-1a of 64 bits: tells a changed bit in what is too short for a frame.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Appends the hash of what is there.
pub(crate) fn seal(bytes: &mut Vec<u8>) {
    let hash = hash(bytes);
    bytes.extend_from_slice(&hash.to_le_bytes());
}

/// What was sealed; `None` when it was changed since.
pub(crate) fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (content, sum) = bytes.split_last_chunk::<8>()?;
    (hash(content) == u64::from_le_bytes(*sum)).then_some(content)
}
