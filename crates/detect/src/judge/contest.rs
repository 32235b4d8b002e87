//! The contest of stories: which tells the floors best for what it costs (BIC), the best that grows, and the
//! best that does not.

use super::drift::wandering;
use super::linear::range;
use super::steps;
use super::stories::{Family, Shape, Story, Table, dot, table};

/// What a story that is hardly a plateau costs extra.
const YOUNG: f64 = 6.0;

/// Residuals below this share of the range are the resolution of the floors, not the fit's merit.
const RESOLUTION: f64 = 2e-3;

/// Which waves, or which knot, was found among some thirty, the steady line was not: so much less likely they are
/// when the rate is asked for (twice the logarithm of their number).
const SEARCHED: f64 = 6.6;

/// How the contest went.
#[derive(Clone, Debug)]
pub(super) struct Contest {
    /// The family of the best story of all.
    pub(super) family: Family,
    /// Its values, mean 0.
    pub(super) fitted: Vec<f64>,
    /// The best story that grows, if any may.
    pub(super) grows: Option<Grows>,
    /// The steady line, or what it has beaten, with its share of the likelihood of both.
    pub(super) rival: Option<(Grows, f64)>,
    /// By how much the best growing story beats the best other one.
    pub(super) lead: f64,
}

/// The best growing story.
#[derive(Clone, Debug)]
pub(super) struct Grows {
    pub(super) shape: Shape,
    /// Its values, mean 0.
    pub(super) fitted: Vec<f64>,
    /// The part of it that comes and goes, to be taken out before the trend is judged.
    pub(super) wave: Option<Vec<f64>>,
    /// How much it rises over the window, waves apart.
    pub(super) growth: f64,
}

/// Lets the stories compete for these floors; `None` for fewer than 8 or more than 64.
pub(super) fn contest(values: &[f64]) -> Option<Contest> {
    let table = table(values.len())?;
    let n = values.len() as f64;
    let mean = super::linear::mean(values);
    let centered: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let total = dot(&centered, &centered);
    let least = (range(values) * RESOLUTION + 1e-9).powi(2);
    let price = n.ln();
    let bic = |squares: f64, parameters: f64| n * (squares / n).max(least).ln() + parameters * price;

    let (mut grows, mut plain, mut other) = (Best::default(), Best::default(), Best::default());
    for story in &table.stories {
        let found = table.coefficients(story, &centered);
        if must_rise(story) && found[story.size - 1] <= 0.0 {
            continue;
        }
        if matches!(story.shape, Shape::SaturatingLine(_)) && story.own(&found)[0] < 0.0 {
            continue;
        }
        let explained: f64 = found.iter().map(|c| c * c).sum();
        let young = if story.young { YOUNG } else { 0.0 };
        let score = bic((total - explained).max(0.0), story.parameters) + young;
        let best = if story.family == Family::Grow { &mut grows } else { &mut other };
        best.offer(score, story, found);
        if story.shape == Shape::Line {
            plain.offer(score, story, found);
        }
    }
    let levels = steps::best(&centered);
    let (jumps, by_levels) = (1..=steps::MOST_JUMPS)
        .map(|jumps| (jumps, bic(levels[jumps - 1].squares, steps::parameters(jumps))))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;

    // What a story leaves need not be scatter: a level that wanders leaves residuals that add up, and then
    // waves and steps explain what is no wave and no step. Each side may pay for that.
    let resolution = least.sqrt();
    let wanders = |fitted: &[f64], drifts: bool| {
        let rest: Vec<f64> = centered.iter().zip(fitted).map(|(v, f)| v - f).collect();
        (wandering(&rest, resolution, drifts) - price).max(0.0)
    };
    let of_story = |best: &Best, drifts: bool| match best.story {
        Some((story, found)) => wanders(&table.fitted(story, &found), drifts),
        None => 0.0,
    };
    let by_levels = by_levels - wanders(&steps::fitted(&centered, &levels[jumps - 1], jumps), false);
    other.score -= of_story(&other, false);
    grows.score -= of_story(&grows, true);
    plain.score -= of_story(&plain, true);
    if plain.score < grows.score {
        std::mem::swap(&mut grows, &mut plain);
    }
    let searched = |best: &Best| match best.story {
        Some((story, _)) if matches!(story.shape, Shape::WaveLine(_) | Shape::FlatLine(_)) => SEARCHED,
        _ => 0.0,
    };
    let behind = plain.score + searched(&plain) - grows.score - searched(&grows);
    let as_likely = 1.0 / (1.0 + (0.5 * behind).exp());
    let best_other = other.score.min(by_levels);
    let (family, fitted) = if by_levels < other.score && by_levels < grows.score {
        (Family::Step, steps::fitted(&centered, &levels[jumps - 1], jumps))
    } else {
        let best = if grows.score < other.score { &grows } else { &other };
        let (story, found) = best.story?;
        (story.family, table.fitted(story, &found))
    };
    Some(Contest {
        family,
        fitted,
        lead: best_other - grows.score,
        rival: match (grows.story, plain.story) {
            (Some((first, _)), Some((second, found))) if first.shape != second.shape => {
                Some((growth(table, second, &found), as_likely))
            }
            _ => None,
        },
        grows: grows.story.map(|(story, found)| growth(table, story, &found)),
    })
}

#[derive(Debug)]
struct Best<'a> {
    score: f64,
    story: Option<(&'a Story, [f64; 3])>,
}

impl Default for Best<'_> {
    fn default() -> Self {
        Self { score: f64::INFINITY, story: None }
    }
}

impl<'a> Best<'a> {
    fn offer(&mut self, score: f64, story: &'a Story, found: [f64; 3]) {
        if score < self.score {
            *self = Self { score, story: Some((story, found)) };
        }
    }
}

/// A plateau or a line tells of growth; falling, it tells something else, and another story must.
fn must_rise(story: &Story) -> bool {
    !matches!(story.shape, Shape::Constant | Shape::Wave(_))
}

fn growth(table: &Table, story: &Story, found: &[f64; 3]) -> Grows {
    let fitted = table.fitted(story, found);
    let ends = fitted.last().copied().unwrap_or(0.0) - fitted.first().copied().unwrap_or(0.0);
    if !matches!(story.shape, Shape::WaveLine(_)) {
        return Grows { shape: story.shape, fitted, wave: None, growth: ends };
    }
    let rise = story.own(found)[2];
    let last = (fitted.len() - 1) as f64;
    let wave = fitted.iter().enumerate().map(|(k, v)| v - rise * (k as f64 / last - 0.5)).collect();
    Grows { shape: story.shape, fitted, wave: Some(wave), growth: rise }
}
