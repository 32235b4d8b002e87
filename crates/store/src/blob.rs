//! Blobs: one JSON document in one zstd frame, within bounds both ways.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::bulk;
use zstd::zstd_safe::{CParameter, compress_bound, get_frame_content_size};

use crate::schema::{Budget, Kind, MAX_BLOB};

/// zstd's own default. 6 makes the case of a whole host an eighth smaller, and takes twice as long.
const LEVEL: i32 = 3;

/// Most commas in a document of model types. Each list element costs one, so it bounds what lists of small
/// objects become in memory (a `{}` of two bytes may stand for a struct of a hundred).
const MAX_COMMAS: usize = 1 << 19;

/// What most `core` documents look like: zstd starts each of them as if it had seen this one just before, which
/// halves the case of a whole host (1,000 processes: 870 to 410 KB). Part of schema 1: a changed byte here, and no
/// old file can be read. By hand: `zstd -d -D core.dictionary`.
const CORE_DICTIONARY: &[u8] = include_bytes!("core.dictionary");

/// Why a blob cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// Beyond a limit of the schema.
    #[error("{0}")]
    TooBig(&'static str),
    /// The compressed frame is broken.
    #[error("compressed data")]
    Frame(#[from] io::Error),
    /// The document is broken.
    #[error("JSON")]
    Json(#[from] serde_json::Error),
    /// The document is sound and its columns contradict each other.
    #[error("{0}")]
    Columns(String),
}

/// Compresses documents. Keeps its buffers and zstd's tables from one to the next: a look has one per process.
pub(crate) struct Packer {
    plain: bulk::Compressor<'static>,
    core: bulk::Compressor<'static>,
    json: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        let mut plain = bulk::Compressor::new(LEVEL)?;
        let mut core = bulk::Compressor::with_dictionary(LEVEL, CORE_DICTIONARY)?;
        for zstd in [&mut plain, &mut core] {
            // A flipped bit in a number is still a number: the frame's checksum tells.
            zstd.set_parameter(CParameter::ChecksumFlag(true))?;
        }
        Ok(Self { plain, core, json: Vec::new(), packed: Vec::new() })
    }

    /// The compressed document; an error when no reader would take it.
    pub(crate) fn pack(
        &mut self,
        document: &impl Serialize,
        kind: Kind,
        budget: &mut Budget,
    ) -> Result<&[u8], BlobError> {
        self.json.clear();
        serde_json::to_writer(&mut self.json, document)?;
        if self.json.len() > kind.max_json() || !budget.take_json(self.json.len()) {
            return Err(BlobError::TooBig("JSON"));
        }
        self.packed.clear();
        self.packed.reserve(compress_bound(self.json.len()));
        let zstd = if kind == Kind::Core { &mut self.core } else { &mut self.plain };
        zstd.compress_to_buffer(&self.json, &mut self.packed)?;
        if self.packed.len() > MAX_BLOB {
            return Err(BlobError::TooBig("compressed data"));
        }
        Ok(&self.packed)
    }
}

/// Reads blobs that anybody may have written.
pub(crate) struct Unpacker {
    plain: bulk::Decompressor<'static>,
    core: bulk::Decompressor<'static>,
    json: Vec<u8>,
}

impl Unpacker {
    pub(crate) fn new() -> io::Result<Self> {
        let plain = bulk::Decompressor::new()?;
        let core = bulk::Decompressor::with_dictionary(CORE_DICTIONARY)?;
        Ok(Self { plain, core, json: Vec::new() })
    }

    /// The document of model types in a blob.
    pub(crate) fn unpack<T: DeserializeOwned>(
        &mut self,
        blob: &[u8],
        kind: Kind,
        budget: &mut Budget,
    ) -> Result<T, BlobError> {
        let json = self.json(blob, kind, budget)?;
        if memchr::memchr_iter(b',', json).count() > MAX_COMMAS {
            return Err(BlobError::TooBig("list"));
        }
        Ok(serde_json::from_slice(json)?)
    }

    /// The document of columns in a blob; the columns bound their own lengths.
    pub(crate) fn unpack_columns<T: DeserializeOwned>(
        &mut self,
        blob: &[u8],
        kind: Kind,
        budget: &mut Budget,
    ) -> Result<T, BlobError> {
        Ok(serde_json::from_slice(self.json(blob, kind, budget)?)?)
    }

    fn json(&mut self, blob: &[u8], kind: Kind, budget: &mut Budget) -> Result<&[u8], BlobError> {
        // The frame's own claim is only an upper bound for the buffer: memory is touched as far as data comes.
        let size = match get_frame_content_size(blob) {
            Ok(Some(size)) => usize::try_from(size).unwrap_or(usize::MAX),
            Ok(None) | Err(_) => return Err(BlobError::Frame(io::ErrorKind::InvalidData.into())),
        };
        if size > kind.max_json() || !budget.take_json(size) {
            return Err(BlobError::TooBig("JSON"));
        }
        self.json.clear();
        if self.json.capacity() > (4 << 20).max(size) {
            self.json = Vec::new(); // one large process must not be paid for until the end
        }
        self.json.reserve(size);
        let zstd = if kind == Kind::Core { &mut self.core } else { &mut self.plain };
        zstd.decompress_to_buffer(blob, &mut self.json)?;
        Ok(&self.json)
    }
}
