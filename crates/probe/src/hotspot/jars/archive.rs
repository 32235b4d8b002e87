//! A jar's table of contents and its few small texts. Nothing is unpacked but these, and archives inside it that are
//! compressed (a war's libraries), each up to a bound.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use miniz_oxide::inflate::decompress_to_vec_with_limit;
use rawzip::{
    CompressionMethod, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator,
};

use super::{Findings, MOST_POMS, MOST_TEXT, texts};

/// Entries of a table of contents; large applications in one jar have some 60,000.
const MOST_ENTRIES: usize = 200_000;
/// Bytes of an archive that is compressed inside another, before and after.
const MOST_UNPACKED: usize = 32 << 20;
/// How far back the end of the table of contents is looked for: behind it there may be a comment.
const MOST_COMMENT: u64 = (1 << 16) + 4096;

/// An archive in a file, in a part of it or in memory.
pub(super) struct Archive {
    zip: ZipArchive<Window>,
}

impl Archive {
    /// `left`: how many bytes may be read, of this and of others.
    pub(super) fn of_file(file: File, size: u64, left: &Arc<AtomicU64>) -> Option<Self> {
        Self::open(Window { bytes: Bytes::File(Arc::new(file)), start: 0, size, left: left.clone() })
    }

    fn open(window: Window) -> Option<Self> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let size = window.size;
        let zip = ZipLocator::new()
            .max_search_space(MOST_COMMENT)
            .locate_in_reader(window, &mut buffer, size)
            .ok()?;
        Some(Self { zip })
    }

    /// The archive of this name in it.
    pub(super) fn nested(&self, name: &[u8]) -> Option<Self> {
        let mut found = None;
        self.each(|path, method, entry| {
            if path == name {
                found = Some((method, entry));
            }
            found.is_none()
        });
        let (method, entry) = found?;
        let outer = self.zip.get_ref();
        let (start, end) = self.zip.get_entry(entry).ok()?.compressed_data_range();
        // Most are kept as they are, so that their parts can be read where they lie.
        if method == CompressionMethod::STORE {
            return Self::open(outer.part(start, end));
        }
        let bytes: Arc<[u8]> = self.unpack(method, entry, MOST_UNPACKED, true)?.into();
        let size = bytes.len() as u64;
        Self::open(Window { bytes: Bytes::Memory(bytes), start: 0, size, left: outer.left.clone() })
    }

    /// What its manifest and Maven's files in it say.
    pub(super) fn findings(&self) -> Findings {
        let (mut manifest, mut poms) = (None, Vec::new());
        self.each(|path, method, entry| {
            if manifest.is_none() && path.eq_ignore_ascii_case(b"META-INF/MANIFEST.MF") {
                manifest = Some((method, entry));
            } else if poms.len() < MOST_POMS
                && path.starts_with(b"META-INF/maven/")
                && path.ends_with(b"/pom.properties")
            {
                poms.push((method, entry));
            }
            true
        });
        let text = |(method, entry)| self.unpack(method, entry, MOST_TEXT, false);
        let poms: Vec<Vec<u8>> = poms.into_iter().filter_map(text).collect();
        texts(manifest.and_then(text).as_deref(), &poms)
    }

    /// Calls `visit` for each entry until it says false, the table ends or makes no sense.
    fn each(&self, mut visit: impl FnMut(&[u8], CompressionMethod, ZipArchiveEntryWayfinder) -> bool) {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let mut entries = self.zip.entries(&mut buffer);
        for _ in 0..MOST_ENTRIES {
            let Ok(Some(entry)) = entries.next_entry() else { return };
            if !visit(entry.file_path().as_bytes(), entry.compression_method(), entry.wayfinder()) {
                return;
            }
        }
    }

    /// At most `most` bytes of an entry; `whole`: nothing when it has more.
    fn unpack(
        &self,
        method: CompressionMethod,
        entry: ZipArchiveEntryWayfinder,
        most: usize,
        whole: bool,
    ) -> Option<Vec<u8>> {
        let (start, end) = self.zip.get_entry(entry).ok()?.compressed_data_range();
        let length = end.checked_sub(start)?;
        if whole && length > most as u64 {
            return None;
        }
        // What is claimed may be much more than there is.
        let there = length.min(most as u64).min(self.zip.get_ref().size.saturating_sub(start));
        let mut packed = vec![0; usize::try_from(there).ok()?];
        self.zip.get_ref().read_exact_at(&mut packed, start).ok()?;
        match method {
            CompressionMethod::STORE => Some(packed),
            CompressionMethod::DEFLATE => match decompress_to_vec_with_limit(&packed, most) {
                Ok(bytes) => Some(bytes),
                // Its beginning is enough for a text: signed jars have manifests of megabytes.
                Err(error) => (!whole).then_some(error.output),
            },
            _ => None,
        }
    }
}

/// A part of a file or of memory, as if it were all there is.
#[derive(Debug)]
struct Window {
    bytes: Bytes,
    start: u64,
    size: u64,
    /// Bytes that may still be read, of this and all those it is part of.
    left: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Bytes {
    File(Arc<File>),
    Memory(Arc<[u8]>),
}

impl Window {
    /// From `start` to `end` within this one, never more.
    fn part(&self, start: u64, end: u64) -> Self {
        let (start, end) = (start.min(self.size), end.min(self.size));
        Self {
            bytes: self.bytes.clone(),
            start: self.start.saturating_add(start),
            size: end.saturating_sub(start),
            left: self.left.clone(),
        }
    }
}

impl ReaderAt for Window {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let there = self.size.saturating_sub(offset).min(buffer.len() as u64);
        let buffer = buffer.get_mut(..there as usize).unwrap_or_default();
        let at = self.start.saturating_add(offset);
        if buffer.is_empty() {
            return Ok(0);
        }
        let spend = |left: u64| left.checked_sub(there);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
            return Err(io::Error::from(io::ErrorKind::QuotaExceeded));
        }
        match &self.bytes {
            Bytes::File(file) => file.read_at(buffer, at),
            Bytes::Memory(bytes) => bytes.as_ref().read_at(buffer, at),
        }
    }
}
