//! The agent: who starts threads, and what the existing ones work for.

use probe::hotspot::attach::{Attachment, Refusal};

use super::{Plan, Told};

/// Loads it, asks about what is there, waits for births, and takes the hook out again.
pub(super) fn ask(_plan: &Plan<'_>, attachment: &mut Attachment, told: &mut Told) -> Result<(), Refusal> {
    super::threads(attachment, told)
}
