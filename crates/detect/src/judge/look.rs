//! One look at a whole series.

use model::{State, Verdict};

use super::contest::contest;
use super::floors::{Floors, reduce};
use super::gates::{self, Gate};
use super::linear::range;
use super::rate::rate;
use super::series::{Series, Unit};
use super::stories::Family;
use super::{Context, LEAST_SAMPLES};

/// What one look at floors found.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) state: State,
    pub(super) failed: Vec<Gate>,
    pub(super) growth: f64,
    pub(super) rate: f64,
    pub(super) rate_error: f64,
}

/// Judges a whole series by one look at its end.
#[must_use]
pub fn judge(series: &Series, context: &Context) -> Verdict {
    let samples = series.points.len() as u64;
    if samples < LEAST_SAMPLES {
        return learning(samples, series.span());
    }
    let Some(floors) = reduce(series) else { return learning(samples, series.span()) };
    let look = look(&floors, series.unit, context);
    let last = series.points.last().map_or(0.0, |point| point.1);
    verdict(&look, samples, series.span(), last, context)
}

/// Too few samples.
pub(super) fn learning(samples: u64, window_s: f64) -> Verdict {
    Verdict { samples, window_s, ..Verdict::default() }
}

/// A look as it is told.
pub(super) fn verdict(look: &Look, samples: u64, window_s: f64, last: f64, context: &Context) -> Verdict {
    let mut verdict =
        Verdict { samples, window_s, state: look.state, growth: look.growth, ..Verdict::default() };
    if look.state.is_growth() {
        let margin = crate::stats::Z95 * look.rate_error;
        let interval = (look.rate - margin, look.rate + margin);
        verdict.rate_per_s = Some(look.rate);
        verdict.rate_interval = Some(interval);
        if let Some(limit) = context.limit {
            (verdict.eta_s, verdict.eta_interval_s) =
                crate::eta::reach(last, limit, look.rate, Some(interval));
        }
    }
    verdict.why = format!("{:?}", look.failed);
    verdict
}

/// Judges floors.
pub(super) fn look(floors: &Floors, unit: Unit, context: &Context) -> Look {
    let mut floors = floors.clone();
    if !context.floor_is_exact {
        floors.envelope();
    }
    let need = context.least_growth.unwrap_or_else(|| unit.least_growth(floors.level));
    let Some(contest) = contest(&floors.value) else { return Look::default() };
    let mut look = Look::default();
    let mut passed = false;
    if let Some(grows) = &contest.grows {
        let measured = gates::test(&floors, grows, contest.lead, need);
        passed = measured.failed.is_empty();
        (look.rate, look.rate_error, _) = rate(&floors.at, &measured.trend, grows.shape);
        look.growth = grows.growth;
        look.failed = measured.failed;
    }
    let failed = |gate| look.failed.contains(&gate);
    let range_all = range(&floors.value);
    let rest: f64 = {
        let mean = super::linear::mean(&floors.value);
        let squares: f64 =
            floors.value.iter().zip(&contest.fitted).map(|(v, f)| (v - mean - f).powi(2)).sum();
        (squares / floors.value.len() as f64).sqrt()
    };
    look.state = if passed {
        State::Leak
    } else if contest.family == Family::Grow
        && (failed(Gate::Stopped) || failed(Gate::Slows))
        && !failed(Gate::Small)
    {
        State::WarmUp
    } else if contest.family != Family::Wave
        && (range_all < need || range(&contest.fitted) < need.max(3.0 * rest))
    {
        State::Flat
    } else {
        match contest.family {
            Family::Plateau | Family::Slow => State::WarmUp,
            Family::Step => State::Steps,
            Family::Flat => State::Flat,
            Family::Wave => State::Periodic,
            Family::Grow => State::Growing,
        }
    };
    look
}
