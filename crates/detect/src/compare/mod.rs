//! Before and after: did a rate change, is a leak fixed, is it the same leak elsewhere?
//!
//! Two observations are seldom of equal length or quality, so nothing is said from the difference of two numbers alone:
//! rates are compared by their intervals, and "fixed" is told in [`proof`] by firings that left nothing behind, never
//! by quiet time: a schedule that fires more seldom hides a leak and mends nothing.

mod firings;
mod proof;
mod rates;
mod signature;

pub use firings::{due, next_due};
pub use proof::{After, Before, FiringSource, Proof, prove, prove_growth, survivors_per_firing};
pub use rates::{Change, compare, slope};
pub use signature::{Signature, SignatureMatch};
