//! How births follow each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One regular train of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cadence {
    /// Seconds from one event to the next.
    pub period_s: f64,
    /// Standard error of the period, in seconds.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub period_error_s: f64,
    /// Standard deviation of the events around the regular train, in seconds.
    pub jitter_s: f64,
    /// Where in the period the events fall, counted from the Unix epoch: for 60 s the second of the minute,
    /// for 3,600 s the second of the hour. `None` when the period does not divide a minute, an hour or a day
    /// well enough for the phase to stand still.
    pub phase_s: Option<f64>,
    /// How many events belong to it.
    pub events: u64,
    /// How many of its beats were missed (no survivor) between the first and the last event.
    pub missed: u64,
    /// Threads (or other things) born at each beat; 1 for most.
    pub per_event: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's skip_serializing_if wants a reference
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// What the births of a group say, as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CadenceReport {
    /// Regular trains, strongest first; empty when there is none.
    pub cadences: Vec<Cadence>,
    /// Share of all births that the trains explain, 0 to 1.
    pub explained: f64,
    /// What kind of births these are.
    pub kind: BirthKind,
}

/// What kind of births a group has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BirthKind {
    /// Too few to say.
    #[default]
    TooFew,
    /// One or more regular trains.
    Regular,
    /// Spread over the time, without a rhythm.
    Irregular,
    /// (Nearly) all in one short burst: a pool that grew to its size.
    Burst,
}
