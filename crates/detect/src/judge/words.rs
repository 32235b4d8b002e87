//! One sentence that explains a verdict, with the figures it rests on and, where it is open, what would decide.

use model::{Bytes, State, Verdict, show};

use super::LEAST_SAMPLES;
use super::gates::Gate;
use super::known::Known;
use super::look::Look;
use super::series::Unit;

fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes => show::bytes(Bytes(value.abs() as u64)),
        Unit::Count => show::count(value.abs().round() as u64),
    }
}

fn speed(unit: Unit, per_s: f64) -> String {
    match unit {
        Unit::Bytes => show::byte_rate(per_s),
        Unit::Count => show::rate(per_s),
    }
}

pub(super) fn learning(samples: u64, left_s: f64) -> String {
    let when = if left_s > 0.0 { format!(", in {}", show::duration(left_s)) } else { String::new() };
    format!("{samples} samples are too few to judge: {LEAST_SAMPLES} are needed{when}")
}

/// Why the look says what it says. `last`: the newest value.
pub(super) fn why(look: &Look, last: f64) -> String {
    let unit = look.unit;
    let growth = amount(unit, look.growth);
    let window = show::duration(look.window);
    let rate = speed(unit, look.rate);
    match look.state {
        State::Learning => "nothing can be said of it yet".to_owned(),
        State::Flat => format!(
            "stays near {}: its floor moved by less than the {} that count, over {window}",
            amount(unit, look.level),
            amount(unit, look.need)
        ),
        State::Periodic => match look.known {
            Some(Known::Yesterday) => {
                format!("rose by {growth} over {window}, as at the same hours of the day before")
            }
            Some(Known::Load) => {
                format!("rose by {growth} over {window}, and the load with it: nothing is left without that")
            }
            _ => format!("goes up and comes back within the {window} seen"),
        },
        State::Steps => format!("went from level to level in a few steps over {window}, and stays"),
        State::WarmUp => match look.known {
            Some(Known::Full(bound)) => {
                format!("grew to {} and has filled its bound of {}", amount(unit, last), amount(unit, bound))
            }
            _ => format!("rose early in the {window} seen and slows down or has settled, as warm-up and caches do"),
        },
        State::Growing => format!("rises by {rate}, {growth} over {window}, but {}", open(look)),
        State::Leak => {
            let stands = if look.known == Some(Known::Stands) { " beyond load and yesterday" } else { "" };
            format!("rises by {rate}{stands}, {growth} over {window}, and neither gives back nor slows down")
        }
        State::Stopped => match &look.ended_by {
            Some(what) => format!("grew until {what}, and no more since"),
            None => "was a leak, and has stopped growing".to_owned(),
        },
    }
}

/// What keeps growth from being a leak, and what would decide.
fn open(look: &Look) -> String {
    if let Some(Known::Fills(bound)) = look.known {
        return format!("may only fill its bound of {}: beyond that it would be a leak", amount(look.unit, bound));
    }
    let longer = show::duration(look.window);
    let reason = match look.failed.first() {
        None => "a cache that fills or the rise of a day's load looks the same for hours",
        Some(Gate::Small) => "by less than counts yet",
        Some(Gate::Story) => "a few steps or a plateau tell it as well",
        Some(Gate::Unsure) => "the trend hardly stands out from the scatter",
        Some(Gate::Wanders) => "may as well wander up and down",
        Some(Gate::Spread) => "a few jumps carry it all",
        Some(Gate::GivesBack) => "gave much of it back on the way",
        Some(Gate::Stopped | Gate::Slows) => "it slows down",
    };
    format!("{reason}; another {longer} would decide")
}

/// Growth that no look has refused, which has not lasted long enough.
pub(super) fn not_yet(verdict: &mut Verdict, look: &Look, left_s: f64) {
    verdict.recheck_after_s = Some(left_s);
    verdict.why = format!(
        "rises by {}, {} over {}, without giving back; a cache that fills or the rise of a day's load looks the \
         same so far: it is a leak if it still rises in {}",
        speed(look.unit, look.rate),
        amount(look.unit, look.growth),
        show::duration(look.window),
        show::duration(left_s)
    );
}

/// Adds the rhythm.
pub(super) fn with_cadence(verdict: &mut Verdict) {
    if let Some(train) = verdict.cadence.first()
        && verdict.state.is_growth()
    {
        verdict.why.push_str(&format!("; {} every {}", each(train.per_event), show::period(train.period_s)));
    }
}

fn each(per_event: f64) -> String {
    if per_event > 1.05 { format!("{per_event:.1} more") } else { "one more".to_owned() }
}
