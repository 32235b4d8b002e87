//! Growth over a watched time (`--for`): a plain, conservative rule, until the statistical core comes.
//!
//! What it must not call growth is more than what it must: caches that fill and stop, warm-up that slows
//! down, steps at the start, saw teeth of a garbage collector, pools that breathe, noise. So it looks at the
//! series' *floor* (the least value of each of a few blocks: what a collector or an idle pool gives back does
//! not count), and each of these must hold:
//!
//! 1. **Both halves rise**: the floor's slope (Theil–Sen) is above 0 in the first and in the second half.
//! 2. **The floor is left behind**: the least value of the second half is above the median of the first by
//!    `min_step`, by three times the scatter around the trend, and by half a tooth when the series is a saw:
//!    where a tooth lasts almost a whole number of looks, its floor seems to creep up by up to a third of it.
//! 3. **It rises most of the time**: 70 % of the steps between blocks go up, and what goes down is less than
//!    a fifth of what goes up.
//! 4. **It does not slow down**: the second half's slope is at least half of the first's, and the last
//!    third's at least half of the whole's. A cache that fills and a warm-up fail here; a leak, steady or
//!    with the load, passes.
//! 5. **It is no single step**: no one block carries more than 40 % of the rise.
//! 6. **The slope is sure**: the lower end of its 95 % interval is above 0.
//!
//! An unfilled cache passes: no statistics can tell it from a leak before it is full, and so the finding
//! made of this says "possible".

use crate::stats::{Slope, median, theil_sen};

/// What a series of looks says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Growth {
    /// Fewer than two usable points.
    TooShort,
    /// Does not rise, or by less than the smallest step that counts.
    Flat,
    /// Two to five points, the last above all others: no more can be said, not even a rate's interval.
    Rises {
        /// Units per second, from the first point to the last.
        rate: f64,
    },
    /// Rises in both halves, and its floor rises with it.
    Growing {
        /// Units per second (Theil–Sen).
        rate: f64,
        /// 95 % interval of the rate; its lower end is above 0.
        interval: (f64, f64),
    },
    /// Rose early and much slower or not at all later, or in one step: warm-up, a cache that filled.
    Settling,
    /// Goes up and down, or rises too little against its scatter: no judgement.
    Noisy,
}

/// Fewer points have no halves that could rise.
const LEAST_FOR_HALVES: usize = 6;

/// Blocks that the series is reduced to, at most.
const MOST_BLOCKS: usize = 16;

/// Points that a block should hold, so that its least value is a floor.
const POINTS_PER_BLOCK: usize = 4;

/// Rule 2: the rise of the floor, in multiples of the scatter.
const ABOVE_SCATTER: f64 = 3.0;

/// Rule 2: the rise of the floor, in heights of a saw's tooth; and the share of the whole range that a fall
/// must have to end a tooth.
const ABOVE_TOOTH: f64 = 0.5;
const TOOTH: f64 = 0.25;

/// Rule 3: share of the block-to-block steps that go up, and fall allowed against rise.
const MOSTLY_UP: f64 = 0.7;
const FALL_AGAINST_RISE: f64 = 0.2;

/// Rule 4: a later slope against an earlier one.
const NOT_SLOWER: f64 = 0.5;

/// Rule 5: the largest single rise against the whole.
const ONE_STEP: f64 = 0.4;

/// Judges a series of (seconds, value), oldest first; `min_step` is the smallest rise that counts, in the
/// value's unit. Points that are not finite or not later than the one before are left out.
#[must_use]
pub fn two_window(points: &[(f64, f64)], min_step: f64) -> Growth {
    let points = usable(points);
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Growth::TooShort };
    if points.len() < 2 {
        return Growth::TooShort;
    }
    let rise = last.1 - first.1;
    if points.len() < LEAST_FOR_HALVES {
        return few(&points, rise, min_step);
    }

    let blocks = (points.len() / POINTS_PER_BLOCK).clamp(LEAST_FOR_HALVES, MOST_BLOCKS);
    let floor = floor(&points, blocks);
    let half = floor.len() / 2;
    let (early, late) = (&floor[..half], &floor[half..]);
    let end = &floor[floor.len() - (floor.len() / 3).max(2)..];
    let slopes = (theil_sen(&floor), theil_sen(early), theil_sen(late), theil_sen(end));
    let (Some(whole), Some(early_slope), Some(late_slope), Some(end_slope)) = slopes else {
        return Growth::Noisy;
    };
    let slows =
        late_slope.slope < NOT_SLOWER * early_slope.slope || end_slope.slope < NOT_SLOWER * whole.slope;
    let climbed = climb(early, late);
    if climbed < min_step {
        return Growth::Flat;
    }
    let steps = Steps::of(&floor);
    if climbed <= ABOVE_SCATTER * scatter(&floor, &whole) {
        return if steps.largest > ONE_STEP * steps.up { Growth::Settling } else { Growth::Noisy };
    }
    if steps.largest > ONE_STEP * steps.up {
        return Growth::Settling;
    }
    if climbed < ABOVE_TOOTH * tooth(&points) {
        return Growth::Noisy;
    }
    if steps.share_up < MOSTLY_UP || steps.down > FALL_AGAINST_RISE * steps.up {
        // A plateau's small ups and downs are no rise, yet what came before it was one.
        return if slows { Growth::Settling } else { Growth::Noisy };
    }
    if slows {
        return Growth::Settling;
    }
    if early_slope.slope <= 0.0 || late_slope.slope <= 0.0 || whole.low <= 0.0 {
        return Growth::Noisy;
    }
    Growth::Growing { rate: whole.slope, interval: (whole.low, whole.high) }
}

fn usable(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(points.len());
    for &(at, value) in points {
        let later = kept.last().is_none_or(|previous| at > previous.0);
        if at.is_finite() && value.is_finite() && later {
            kept.push((at, value));
        }
    }
    kept
}

/// Two to five points.
fn few(points: &[(f64, f64)], rise: f64, min_step: f64) -> Growth {
    let (first, last) = (points[0], points[points.len() - 1]);
    let falls = points.windows(2).any(|pair| pair[1].1 < pair[0].1);
    match (rise >= min_step && rise > 0.0, falls) {
        (true, false) => Growth::Rises { rate: rise / (last.0 - first.0) },
        (true, true) => Growth::Noisy,
        (false, _) => Growth::Flat,
    }
}

/// Typical height of a saw's teeth: the median of the large falls from look to look. 0 for fewer than two.
fn tooth(points: &[(f64, f64)]) -> f64 {
    let values = points.iter().map(|point| point.1);
    let range = values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min);
    let falls: Vec<f64> =
        points.windows(2).map(|pair| pair[0].1 - pair[1].1).filter(|fall| *fall > TOOTH * range).collect();
    if falls.len() < 2 { 0.0 } else { median(&falls).unwrap_or(0.0) }
}

/// The least value of each block of points, at the block's mean time.
fn floor(points: &[(f64, f64)], blocks: usize) -> Vec<(f64, f64)> {
    (0..blocks)
        .map(|k| &points[k * points.len() / blocks..(k + 1) * points.len() / blocks])
        .filter(|block| !block.is_empty())
        .map(|block| {
            let at = block.iter().map(|point| point.0).sum::<f64>() / block.len() as f64;
            let least = block.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
            (at, least)
        })
        .collect()
}

/// How far the later half's least value lies above the earlier half's median.
fn climb(early: &[(f64, f64)], late: &[(f64, f64)]) -> f64 {
    let values: Vec<f64> = early.iter().map(|point| point.1).collect();
    let least = late.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    least - median(&values).unwrap_or(least)
}

/// Typical deviation from the line through the floor: 1.4826 times the median of the absolute ones, which is
/// the standard deviation for normal noise.
fn scatter(floor: &[(f64, f64)], slope: &Slope) -> f64 {
    let levels: Vec<f64> = floor.iter().map(|point| point.1 - slope.slope * point.0).collect();
    let level = median(&levels).unwrap_or(0.0);
    let deviations: Vec<f64> = levels.iter().map(|value| (value - level).abs()).collect();
    1.4826 * median(&deviations).unwrap_or(0.0)
}

/// Rises and falls from block to block.
struct Steps {
    up: f64,
    down: f64,
    /// The largest rise, counted for the typical time between blocks: looks that came late make no step.
    largest: f64,
    share_up: f64,
}

impl Steps {
    fn of(floor: &[(f64, f64)]) -> Self {
        let steps: Vec<f64> = floor.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        let up = steps.iter().filter(|step| **step > 0.0);
        let gaps: Vec<f64> = floor.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        let typical = median(&gaps).unwrap_or(0.0);
        let in_time = steps.iter().zip(&gaps).map(|(step, gap)| step * (typical / gap).min(1.0));
        Self {
            up: up.clone().sum(),
            down: -steps.iter().filter(|step| **step < 0.0).sum::<f64>(),
            largest: in_time.fold(0.0, f64::max),
            share_up: up.count() as f64 / steps.len().max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_say_little() {
        assert_eq!(two_window(&[], 1.0), Growth::TooShort);
        assert_eq!(two_window(&[(0.0, 5.0)], 1.0), Growth::TooShort);
        assert_eq!(two_window(&[(0.0, 5.0), (0.0, 9.0)], 1.0), Growth::TooShort);
        assert_eq!(two_window(&[(0.0, 5.0), (10.0, 9.0)], 1.0), Growth::Rises { rate: 0.4 });
        assert_eq!(two_window(&[(0.0, 5.0), (10.0, 5.5)], 1.0), Growth::Flat);
        assert_eq!(two_window(&[(0.0, 5.0), (5.0, 3.0), (10.0, 9.0)], 1.0), Growth::Noisy);
        assert_eq!(two_window(&[(0.0, f64::NAN), (10.0, 5.5)], 1.0), Growth::TooShort);
        assert_eq!(two_window(&[(0.0, 5.0), (10.0, 5.0)], 0.0), Growth::Flat);
    }

    #[test]
    fn a_line_grows_at_its_rate() {
        let points: Vec<_> = (0..64).map(|k| (f64::from(k), 100.0 + 3.0 * f64::from(k))).collect();
        let Growth::Growing { rate, interval } = two_window(&points, 4.0) else { panic!("not growing") };
        assert!((rate - 3.0).abs() < 1e-9 && interval.0 <= 3.0 && interval.1 >= 3.0);
        assert_eq!(two_window(&points, 1_000.0), Growth::Flat, "less than counts");
    }

    /// Sixty-four looks at a slow rise, and one jump that is far larger than all of it.
    #[test]
    fn one_jump_is_no_growth_however_the_rest_rises() {
        let jump = |k: i32| if k < 33 { 0.0 } else { 60.0 };
        let points: Vec<_> = (0..64).map(|k| (f64::from(k), f64::from(k) + jump(k))).collect();
        assert_eq!(two_window(&points, 4.0), Growth::Settling);
    }

    #[test]
    fn looks_that_came_late_make_no_step_of_a_steady_rise() {
        let times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0];
        let points: Vec<_> = times.iter().map(|t| (*t, 100.0 + 5.0 * t)).collect();
        assert!(matches!(two_window(&points, 4.0), Growth::Growing { .. }), "{:?}", two_window(&points, 4.0));
    }
}
