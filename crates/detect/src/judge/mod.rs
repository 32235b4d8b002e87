//! The judge: what a series of readings does, and whether that is a leak.
//!
//! Tests for a trend (Mann–Kendall, least squares, `predict_linear`) call 20 to 44 % of healthy series leaks:
//! warm-ups, caches, pools and random walks all have trends. So the judge asks which *story* fits best. The
//! way: a series → block [`floors`] → the [`contest`] of [`stories`] and [`steps`] → [`gates`] → a
//! [`model::Verdict`] with one sentence that explains it ([`words`]). A [`Tracker`] does the same point by point
//! in bounded memory, and calls nothing a leak that has not held while the time of observation doubled:
//! looking again and again is what makes false alarms.

mod change;
mod contest;
mod context;
mod drift;
mod floors;
mod gates;
mod known;
mod ladder;
mod linear;
mod look;
mod rate;
mod related;
mod series;
mod staircase;
mod steps;
mod stories;
mod tracker;
mod window;
mod words;

pub use context::Context;
pub use look::judge;
pub use related::{Related, related};
pub use series::{Series, Unit};
pub use tracker::{Tracker, replay};

/// Fewer samples than this are [`model::State::Learning`].
pub const LEAST_SAMPLES: u64 = 64;
