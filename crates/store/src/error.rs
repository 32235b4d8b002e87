//! One error for the whole crate: which file, what is wrong with it, where in it, and what to do.

use std::error::Error as StdError;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use model::Text;

use crate::history::HISTORY_SCHEMA;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such file or directory.
    NotFound,
    /// It is something else than a case file.
    NotACase,
    /// It is something else than a store.
    NotAStore,
    /// Another recorder, of this pid, writes it; 0 when it did not say.
    InUse(u32),
    /// What was given to be stored contradicts itself.
    Invalid,
    /// A later flatfoot wrote it, with this schema.
    Newer(u32),
    /// It is a case file, and part of it is missing, changed or never was valid.
    Damaged,
    /// It holds more than flatfoot stores or reads.
    TooBig,
    /// A file of that name is there already.
    Exists,
    /// The file system is full, or a quota is used up.
    DiskFull,
    /// The file system is read-only.
    ReadOnly,
    /// The permissions forbid it.
    Denied,
    /// No directory for case files can be told: neither XDG_STATE_HOME nor HOME is set.
    NoHome,
    /// Anything else the system said; see the source.
    Io,
}

impl ErrorKind {
    fn what(self) -> String {
        match self {
            Self::NotFound => "no such file or directory".into(),
            Self::NotACase => "not a flatfoot case file".into(),
            Self::Newer(schema) => {
                format!("made by a newer flatfoot (schema {schema}, this one reads {HISTORY_SCHEMA})")
            }
            Self::NotAStore => "not a store of flatfoot's recorder".into(),
            Self::InUse(0) => "in use by another recorder".into(),
            Self::InUse(pid) => format!("in use by another recorder, pid {pid}"),
            Self::Invalid => "what was to be stored contradicts itself".into(),
            Self::Damaged => "damaged".into(),
            Self::TooBig => "holds more than a case file may".into(),
            Self::Exists => "exists already".into(),
            Self::DiskFull => "no space left on the device".into(),
            Self::ReadOnly => "the file system is read-only".into(),
            Self::Denied => "permission denied".into(),
            Self::NoHome => "neither XDG_STATE_HOME nor HOME is set".into(),
            Self::Io => "cannot be used".into(),
        }
    }

    fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound => "check the path; a case file ends in .flatfoot",
            Self::NotACase => "flatfoot save PID -o FILE makes a case file",
            Self::Newer(_) => "open it with the flatfoot that wrote it, or a later one (flatfoot --version)",
            Self::Damaged => "copy it again from where it was made; what can still be read is used",
            Self::TooBig => "save fewer processes or looks into one file",
            Self::Exists => "give another name with -o, or remove that file first",
            Self::DiskFull | Self::ReadOnly => "give a file elsewhere with -o, /dev/shm or -o - for example",
            Self::Denied => "give a directory of your own with -o, or use the file's owner or sudo",
            Self::NoHome => "set XDG_STATE_HOME, or name the file with -o",
            Self::NotAStore => "flatfoot record makes a store; name it with --store",
            Self::InUse(_) => "stop that recorder first, or record into another store with --store",
            Self::Io | Self::Invalid => return None,
        })
    }

    /// What to do when it is a store.
    fn hint_of_store(self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound => "check the path; flatfoot record makes a store",
            Self::Damaged => {
                "what can still be read is used; move the file away to begin anew, or export what is left of it"
            }
            Self::TooBig => "record fewer processes",
            Self::DiskFull => {
                "free some space, or lower the store's size: recording goes on by itself, and nothing recorded is lost"
            }
            Self::ReadOnly => "make the file system writable, or record into another store with --store",
            Self::Denied => "use the store's owner or sudo, or another store with --store",
            Self::Io => "check the disk (dmesg); recording goes on when it can be written again",
            other => return other.hint(),
        })
    }
}

/// An error with a case file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}{}", shown(path), kind.what(), place.as_ref().map(|p| format!(": {p}")).unwrap_or_default())]
pub struct Error {
    kind: ErrorKind,
    path: PathBuf,
    place: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    is_store: bool,
}

/// A path for a terminal.
fn shown(path: &Path) -> Text {
    Text::from_bytes(path.as_os_str().as_bytes())
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, path: &Path) -> Self {
        Self { kind, path: path.to_owned(), place: None, source: None, is_store: false }
    }

    /// Adds where in the file it is.
    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// What to do about it is what to do about a store.
    pub(crate) fn of_store(mut self) -> Self {
        self.is_store = true;
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn io(error: io::Error, path: &Path) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::AlreadyExists => ErrorKind::Exists,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            _ => ErrorKind::Io,
        };
        Self::new(kind, path).because(error)
    }

    pub(crate) fn sqlite(error: rusqlite::Error, path: &Path) -> Self {
        use rusqlite::ErrorCode as Code;
        let kind = match error.sqlite_error_code() {
            Some(Code::DiskFull) => ErrorKind::DiskFull,
            Some(Code::ReadOnly) => ErrorKind::ReadOnly,
            Some(Code::PermissionDenied | Code::AuthorizationForStatementDenied) => ErrorKind::Denied,
            Some(Code::TooBig | Code::OutOfMemory) => ErrorKind::TooBig,
            Some(
                Code::CannotOpen
                | Code::SystemIoFailure
                | Code::FileLockingProtocolFailed
                | Code::DatabaseBusy
                | Code::DatabaseLocked,
            ) => ErrorKind::Io,
            _ => ErrorKind::Damaged,
        };
        Self::new(kind, path).because(error)
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Which file or directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where in the file, as far as it is known: `look 1, process 3248 (java), space`.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What to do about it, as one sentence without a full stop.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        if self.is_store { self.kind.hint_of_store() } else { self.kind.hint() }
    }
}
