//! One look: floors in, a state out, with what it rests on.

use model::{RateChange, State, Verdict};

use super::contest::contest;
use super::floors::{Floors, reduce};
use super::gates::{self, Gate};
use super::known::{self, Known};
use super::linear::range;
use super::rate::rate;
use super::series::{Series, Unit};
use super::stories::{Family, Shape};
use super::{Context, LEAST_SAMPLES, change, words};

/// What one look at floors found.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) state: State,
    pub(super) unit: Unit,
    /// The gates that growth did not pass.
    pub(super) failed: Vec<Gate>,
    /// What is known besides the series, and decided.
    pub(super) known: Option<Known>,
    pub(super) growth: f64,
    /// When the growth began: the knot of a late start, or the beginning of what was seen.
    pub(super) since: f64,
    pub(super) rate: f64,
    pub(super) rate_error: f64,
    /// The level, and the least growth that matters there.
    pub(super) level: f64,
    pub(super) need: f64,
    /// How long the judged floors last.
    pub(super) window: f64,
    pub(super) change: Option<RateChange>,
    /// What happened at the change that ended the growth.
    pub(super) ended_by: Option<String>,
}

/// Judges a whole series by one look at its end: for what was recorded. What is watched is judged by a
/// [`super::Tracker`], as looking again and again makes false alarms.
#[must_use]
pub fn judge(series: &Series, context: &Context) -> Verdict {
    let samples = series.points.len() as u64;
    let span = series.span();
    if samples < LEAST_SAMPLES {
        return learning(samples, span);
    }
    let Some(floors) = reduce(series) else { return learning(samples, span) };
    let look = look(&floors, series.unit, context);
    let last = series.points.last().map_or(0.0, |point| point.1);
    let mut told = verdict(&look, samples, span, last, context);
    if series.unit == Unit::Count && look.state.is_growth() {
        let mut stairs = super::staircase::Staircase::default();
        let first = series.points.first().map_or(0.0, |point| point.0);
        for pair in series.points.windows(2) {
            let between = f64::midpoint(pair[0].0, pair[1].0) - first;
            stairs.push(between, pair[1].1, super::staircase::MOST);
        }
        let (trains, explained) = stairs.cadence(span, span / (samples - 1) as f64);
        told.cadence = if explained >= 0.5 { trains } else { Vec::new() };
        words::with_cadence(&mut told);
    }
    told
}

/// Too few samples.
pub(super) fn learning(samples: u64, window_s: f64) -> Verdict {
    let each = if samples > 1 { window_s / (samples - 1) as f64 } else { 0.0 };
    let left = LEAST_SAMPLES.saturating_sub(samples) as f64 * each;
    Verdict {
        samples,
        window_s,
        why: words::learning(samples, left),
        recheck_after_s: (left > 0.0).then_some(left),
        ..Verdict::default()
    }
}

/// A look as it is told.
pub(super) fn verdict(look: &Look, samples: u64, window_s: f64, last: f64, context: &Context) -> Verdict {
    let mut verdict = Verdict {
        samples,
        window_s,
        state: look.state,
        growth: look.growth,
        changes: look.change.clone().into_iter().collect(),
        ..Verdict::default()
    };
    if look.state.is_growth() {
        let margin = crate::stats::Z95 * look.rate_error;
        let interval = (look.rate - margin, look.rate + margin);
        verdict.rate_per_s = Some(look.rate);
        verdict.rate_interval = Some(interval);
        verdict.since_s = Some(look.since);
        if let Some(limit) = context.limit {
            (verdict.eta_s, verdict.eta_interval_s) =
                crate::eta::reach(last, limit, look.rate, Some(interval));
        }
    }
    if matches!(look.state, State::Growing | State::WarmUp) {
        verdict.recheck_after_s = Some(look.window);
    }
    verdict.why = words::why(look, last);
    verdict
}

/// Judges floors.
pub(super) fn look(floors: &Floors, unit: Unit, context: &Context) -> Look {
    let mut floors = floors.clone();
    if !context.floor_is_exact {
        floors.envelope();
    }
    let need = context.least_growth.unwrap_or_else(|| unit.least_growth(floors.level));
    let mut look = plain(&floors, need);
    look.unit = unit;
    if look.state.is_growth() {
        known::settle(&mut look, &floors, context);
    }
    if look.growth.abs() >= need {
        look.change = change::find(&floors, context);
    }
    let ended =
        |change: &RateChange| change.before_per_s > 0.0 && change.after_per_s < 0.1 * change.before_per_s;
    if let (State::WarmUp | State::Steps, Some(change)) = (look.state, &look.change)
        && ended(change)
        && change.known.is_some()
    {
        look.state = State::Stopped;
        look.ended_by.clone_from(&change.known);
    }
    look
}

/// By the floors alone.
pub(super) fn plain(floors: &Floors, need: f64) -> Look {
    let window = match (floors.at.first(), floors.at.last()) {
        (Some(first), Some(last)) => last - first,
        _ => 0.0,
    };
    let mut look = Look { level: floors.level, need, window, ..Look::default() };
    let Some(contest) = contest(&floors.value) else { return look };
    let mut passed = false;
    if let Some(grows) = &contest.grows {
        look.failed = gates::test(floors, grows, contest.lead, need);
        passed = look.failed.is_empty();
        (look.rate, look.rate_error) = rate(floors, grows, contest.rival.as_ref());
        look.growth = grows.growth;
        let first = match grows.shape {
            Shape::FlatLine(knot) => knot,
            _ => 0,
        };
        look.since = floors.at.get(first).copied().unwrap_or_default();
    }
    let failed = |gate| look.failed.contains(&gate);
    let rest = {
        let mean = super::linear::mean(&floors.value);
        let residuals = floors.value.iter().zip(&contest.fitted).map(|(v, f)| v - mean - f);
        (residuals.map(|r| r * r).sum::<f64>() / floors.value.len() as f64).sqrt()
    };
    let still = range(&floors.value) < need || range(&contest.fitted) < need.max(3.0 * rest);
    let ends = failed(Gate::Stopped) || failed(Gate::Slows);
    look.state = if passed {
        State::Leak
    } else if contest.family == Family::Grow && ends && !failed(Gate::Small) {
        State::WarmUp
    } else if contest.family != Family::Wave && still {
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
