//! What is known besides the series turns "cannot tell" into an answer: a bound that it fills, the same hours
//! of yesterday, the load.

use model::State;

use super::context::Context;
use super::floors::{Floors, fill};
use super::linear::{line, mean};
use super::look::{Look, plain};

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Known {
    /// It may fill up to its bound.
    Fills(f64),
    /// It has filled up to its bound.
    Full(f64),
    /// The same hours of yesterday went as this.
    Yesterday,
    /// It follows the load.
    Load,
    /// It grows against yesterday or load, too.
    Stands,
}

/// A bound counts as reached from this share of it on, and as none when it is exceeded by this.
const REACHED: f64 = 0.97;
const EXCEEDED: f64 = 1.01;

/// Settles what is growth by the series alone.
pub(super) fn settle(look: &mut Look, floors: &Floors, context: &Context) {
    if let Some(rest) = without_yesterday(floors, context.yesterday) {
        against(look, &rest, Known::Yesterday);
    }
    if look.state.is_growth()
        && let Some(rest) = without_load(floors, context.load)
    {
        against(look, &rest, Known::Load);
    }
    let last = floors.value.last().copied().unwrap_or_default();
    if look.state.is_growth()
        && let Some(bound) = context.maximum.filter(|bound| bound.is_finite() && *bound > 0.0)
        && last <= EXCEEDED * bound
        && !context.floor_is_exact
    {
        (look.state, look.known) = if last >= REACHED * bound {
            (State::WarmUp, Some(Known::Full(bound)))
        } else {
            (State::Growing, Some(Known::Fills(bound)))
        };
    }
}

/// Does it still grow once that is taken out?
fn against(look: &mut Look, rest: &Floors, by: Known) {
    if plain(rest, look.need).state.is_growth() {
        look.known = Some(Known::Stands);
    } else {
        look.state = State::Periodic;
        look.known = Some(by);
    }
}

/// Another series by this one's blocks: by the least or the mean of each; `None` when half of them or more
/// have nothing.
fn by_blocks(at: &[f64], points: &[(f64, f64)], least: bool) -> Option<Vec<f64>> {
    let width = at.get(1)? - at.first()?;
    let begin = at.first()? - 0.5 * width;
    let mut blocks = vec![(f64::INFINITY, 0.0, 0.0); at.len()];
    for &(time, value) in points {
        let place = (time - begin) / width;
        if value.is_finite()
            && place >= 0.0
            && let Some(block) = blocks.get_mut(place as usize)
        {
            *block = (block.0.min(value), block.1 + value, block.2 + 1.0);
        }
    }
    if 2 * blocks.iter().filter(|block| block.2 > 0.0).count() <= at.len() {
        return None;
    }
    let mut values: Vec<f64> = blocks
        .iter()
        .map(|(lowest, sum, count)| if *count == 0.0 || least { *lowest } else { sum / count })
        .collect();
    fill(&mut values);
    Some(values)
}

fn without_yesterday(floors: &Floors, yesterday: &[(f64, f64)]) -> Option<Floors> {
    let before = by_blocks(&floors.at, yesterday, true)?;
    let usual = mean(&before);
    let less = |values: &[f64]| values.iter().zip(&before).map(|(v, b)| v - b + usual).collect();
    Some(Floors { value: less(&floors.value), mean: less(&floors.mean), ..floors.clone() })
}

fn without_load(floors: &Floors, load: &[(f64, f64)]) -> Option<Floors> {
    let load = by_blocks(&floors.at, load, false)?;
    let each = line(&load, &floors.value).slope;
    if each <= 0.0 {
        return None;
    }
    let usual = mean(&load);
    let less = |values: &[f64]| values.iter().zip(&load).map(|(v, l)| v - each * (l - usual)).collect();
    Some(Floors { value: less(&floors.value), mean: less(&floors.mean), ..floors.clone() })
}
