//! When a deep look was: beside the look itself, sealed, as the columns of schema 1 that say so have no checksum.

use model::BootId;

use super::frame::{seal, unseal};
use super::incarnation::{put_boot, take_boot};
use super::varint::{Input, put, zigzag};

/// The row of a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    pub(crate) id: u64,
    /// The store's own clock.
    pub(crate) age_ms: u64,
    pub(crate) boot: BootId,
    pub(crate) at_unix_ms: i64,
    pub(crate) processes: u64,
}

impl Looked {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        put(&mut out, self.id);
        put(&mut out, self.age_ms);
        put_boot(&mut out, self.boot);
        put(&mut out, zigzag(self.at_unix_ms));
        put(&mut out, self.processes);
        seal(&mut out);
        out
    }

    pub(crate) fn read(bytes: &[u8], id: u64) -> Option<Self> {
        let mut input = Input::new(unseal(bytes)?);
        let looked = Self {
            id: input.number()?,
            age_ms: input.number()?,
            boot: take_boot(&mut input)?,
            at_unix_ms: input.signed()?,
            processes: input.number()?,
        };
        (looked.id == id).then_some(looked)
    }
}
