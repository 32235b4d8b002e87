//! Reduction of a series to block floors: the least value of each of a few equal spans of time. What a
//! collector or an idle pool gives back does not count; what is never given back does.

use super::series::Series;

/// Blocks that a series is reduced to, at most.
pub(super) const MOST_BLOCKS: usize = 32;

/// Fewer blocks hold no story.
pub(super) const LEAST_BLOCKS: usize = 8;

/// Samples per block, at least on average.
const SAMPLES_PER_BLOCK: usize = 4;

/// A series as block floors.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Floors {
    /// The blocks' middles, in seconds; evenly spaced.
    pub(super) at: Vec<f64>,
    /// The least value of each.
    pub(super) value: Vec<f64>,
    /// The mean of each block, which the envelope leaves as it is.
    pub(super) mean: Vec<f64>,
    /// Typical value of the series, for the least growth that counts.
    pub(super) level: f64,
    /// Samples behind them.
    pub(super) samples: u64,
}

/// Block floors over the whole series; `None` for fewer samples than [`LEAST_BLOCKS`] blocks need.
pub(super) fn reduce(series: &Series) -> Option<Floors> {
    let points = &series.points;
    let blocks = (points.len() / SAMPLES_PER_BLOCK).clamp(LEAST_BLOCKS, MOST_BLOCKS);
    let (first, last) = (points.first()?, points.last()?);
    let width = (last.0 - first.0) / blocks as f64;
    if points.len() < LEAST_BLOCKS || !(width > 0.0 && width.is_finite()) {
        return None;
    }
    let mut least = vec![f64::INFINITY; blocks];
    let mut sums = vec![(0.0, 0.0); blocks];
    for &(at, value) in points.iter() {
        let block = (((at - first.0) / width) as usize).min(blocks - 1);
        least[block] = least[block].min(value);
        sums[block] = (sums[block].0 + value, sums[block].1 + 1.0);
    }
    let mut mean: Vec<f64> =
        sums.iter().map(|(sum, count)| if *count > 0.0 { sum / count } else { f64::INFINITY }).collect();
    fill(&mut least);
    fill(&mut mean);
    let at = (0..blocks).map(|k| first.0 + (k as f64 + 0.5) * width).collect();
    let mut values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let middle = values.len() / 2;
    let (_, level, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(Floors { at, value: least, mean, level: *level, samples: points.len() as u64 })
}

/// Blocks without a sample (infinite) take the straight line between their neighbours.
pub(super) fn fill(values: &mut [f64]) {
    let mut known: Option<usize> = None;
    for k in 0..values.len() {
        if !values[k].is_finite() {
            continue;
        }
        match known {
            None => {
                let value = values[k];
                values[..k].fill(value);
            }
            Some(before) => {
                let (from, to, length) = (values[before], values[k], (k - before) as f64);
                for (step, value) in values[before + 1..k].iter_mut().enumerate() {
                    *value = from + (to - from) * (step + 1) as f64 / length;
                }
            }
        }
        known = Some(k);
    }
    if let Some(before) = known {
        let value = values[before];
        values[before..].fill(value);
    }
}

/// A fall of this share of the range ends a saw's tooth.
const TOOTH: f64 = 0.25;

/// So many falls make a saw.
const TEETH: usize = 3;

/// Fewer blocks are not reduced further.
const LEAST_FOR_ENVELOPE: usize = 20;

/// Blocks under which the envelope looks for the least.
const ENVELOPE: usize = 4;

impl Floors {
    /// Blocks shorter than a saw's teeth still show the teeth: then the lower envelope is taken, the least
    /// of each four neighbouring blocks. Returns whether it was.
    pub(super) fn envelope(&mut self) -> bool {
        let range = super::linear::range(&self.value);
        let falls = self.value.windows(2).filter(|pair| pair[1] - pair[0] < -TOOTH * range).count();
        if range <= 0.0 || falls < TEETH || self.value.len() < LEAST_FOR_ENVELOPE {
            return false;
        }
        self.value = self
            .value
            .windows(ENVELOPE)
            .map(|part| part.iter().copied().fold(f64::INFINITY, f64::min))
            .collect();
        self.at.truncate(self.value.len());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_blocks_lie_between_their_neighbours() {
        let hole = f64::INFINITY;
        let mut values = [hole, 2.0, hole, hole, 8.0, hole];
        fill(&mut values);
        assert_eq!(values, [2.0, 2.0, 4.0, 6.0, 8.0, 8.0]);
        let mut nothing = [hole; 2];
        fill(&mut nothing);
        assert_eq!(nothing, [hole; 2]);
    }
}
