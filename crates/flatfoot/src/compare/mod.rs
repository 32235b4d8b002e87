//! Comparing two observations: windows, runs, hosts or case files; and asking whether a finding is fixed.

mod observed;
mod pairs;
pub(crate) mod proof;
mod side;

pub(crate) use observed::{Metric, Observed, PatternSeen, Unit};
pub(crate) use pairs::{Compared, Difference, FindingChange, compare};
pub(crate) use side::Side;
