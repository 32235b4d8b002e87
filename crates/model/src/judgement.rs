//! What a series of readings says: the states of the judgement, and what it rests on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cadence, Column, ProcessNo};

/// What a series does, in one word.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Too few samples to say anything.
    #[default]
    Learning,
    /// Stays where it is, or changes by less than counts.
    Flat,
    /// Goes up and comes back: a load's waves, a collector's teeth.
    Periodic,
    /// Went from level to level, a few times: resizes, deploys.
    Steps,
    /// Rose, and slows down or has settled: warm-up, a cache that filled.
    WarmUp,
    /// Rises, and what was seen does not decide yet whether that is a leak.
    Growing,
    /// Rises without giving back, in a way that nothing healthy does.
    Leak,
    /// Was a leak, and has stopped rising.
    Stopped,
}

impl State {
    /// As in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Flat => "flat",
            Self::Periodic => "periodic",
            Self::Steps => "steps",
            Self::WarmUp => "warm_up",
            Self::Growing => "growing",
            Self::Leak => "leak",
            Self::Stopped => "stopped",
        }
    }

    /// Does the thing still grow, as far as was seen?
    #[must_use]
    pub fn is_growth(self) -> bool {
        matches!(self, Self::Growing | Self::Leak)
    }
}

/// A moment at which the rate of growth changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateChange {
    /// When, in the series' own seconds.
    pub at_s: f64,
    /// Units per second before it.
    pub before_per_s: f64,
    /// Units per second after it.
    pub after_per_s: f64,
    /// 95 % interval of after minus before.
    pub difference_interval: (f64, f64),
    /// The restart or deploy that it fell on; null when the time was found in the series alone.
    pub known: Option<String>,
}

/// The judgement of one series. All times are in the series' own seconds, all amounts in its unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// In one word.
    pub state: State,
    /// In one sentence, with the figures it rests on and, where it is open, what would decide.
    pub why: String,
    /// Present rate of growth, units per second; null while nothing grows.
    pub rate_per_s: Option<f64>,
    /// 95 % interval of the rate.
    pub rate_interval: Option<(f64, f64)>,
    /// How much the floor rose over the judged window; below 0 when it fell.
    pub growth: f64,
    /// When the present growth began.
    pub since_s: Option<f64>,
    /// Where the rate changed, oldest first.
    pub changes: Vec<RateChange>,
    /// The rhythm of counted steps, strongest first.
    pub cadence: Vec<Cadence>,
    /// Samples in the judged window.
    pub samples: u64,
    /// Length of the judged window, in seconds.
    pub window_s: f64,
    /// How long the judgement has been the same, in seconds, looking again and again.
    pub held_s: f64,
    /// A leak that held while the time of observation doubled.
    pub confirmed: bool,
    /// Seconds until it is worth judging again; null when it will not change by waiting.
    pub recheck_after_s: Option<f64>,
    /// Seconds until the given limit is reached; null without a limit, or when nothing grows towards it.
    pub eta_s: Option<f64>,
    /// The same for the rate's upper and lower bound: earliest, latest (null: perhaps never).
    pub eta_interval_s: Option<(f64, Option<f64>)>,
}

/// The judgement of one column of one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesVerdict {
    /// Which process.
    #[schemars(with = "u32")]
    pub process: ProcessNo,
    /// Which figure of it.
    #[schemars(with = "String")]
    pub column: Column,
    /// What it says.
    pub verdict: Verdict,
}
