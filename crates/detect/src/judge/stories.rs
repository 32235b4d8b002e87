//! The stories a series of block floors may tell: constant, a line, a plateau reached in several ways, a late
//! start, waves, and waves on a line. All but the steps ([`super::steps`]) are linear in their parameters once
//! the shape's own (a knot, a time constant) is fixed, so that each is a small orthonormal basis, made once
//! per number of blocks; the fit of all of them is a few hundred scalar products.

use std::sync::OnceLock;

/// What a story says of the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Nothing happens.
    Flat,
    /// It rises on.
    Grow,
    /// It rose and has stopped, or nearly.
    Plateau,
    /// It rises ever slower.
    Slow,
    /// It comes back.
    Wave,
    /// It went from level to level.
    Step,
}

/// One story's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Constant,
    Line,
    /// Rises until this block, then stays.
    LineFlat(usize),
    /// Stays until this block, then rises.
    FlatLine(usize),
    /// Stays, rises between these blocks, stays.
    Ramp(usize, usize),
    /// 1 − exp(−u/τ).
    Saturating(f64),
    /// ln(1 + u/c).
    Logarithm(f64),
    /// u/(u + c).
    Hyperbola(f64),
    /// u to this power.
    Power(f64),
    /// A warm-up with a line on it.
    SaturatingLine(f64),
    /// Waves of so many cycles.
    Wave(f64),
    /// Waves on a line.
    WaveLine(f64),
}

/// A story with its basis.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) shape: Shape,
    pub(super) family: Family,
    /// Parameters paid for.
    pub(super) parameters: f64,
    /// A plateau so late, or so slow, that it is hardly a plateau: costs extra, or it would excuse any line.
    pub(super) young: bool,
    /// Where its vectors begin in [`Table::vectors`], in vectors.
    first: usize,
    /// How many they are, besides the constant.
    pub(super) size: usize,
    /// The triangle that leads from orthonormal back to the story's own coefficients.
    pub(super) triangle: [[f64; 3]; 3],
}

/// All stories for one number of blocks.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) blocks: usize,
    pub(super) stories: Vec<Story>,
    vectors: Vec<f64>,
}

/// Most blocks that a table is made for.
pub(super) const MOST: usize = 64;

const LOGARITHMS: [f64; 12] = [0.001, 0.002, 0.0035, 0.006, 0.01, 0.017, 0.03, 0.05, 0.075, 0.11, 0.18, 0.3];
const HYPERBOLAS: [f64; 10] = [0.008, 0.013, 0.02, 0.035, 0.05, 0.075, 0.1, 0.14, 0.2, 0.4];
const POWERS: [f64; 3] = [1.5, 2.0, 3.0];
/// Time constants: 0.02 × 1.3^k.
const TIME_CONSTANTS: i32 = 18;
/// Of these, the first so many also with a line.
const WITH_LINE: i32 = 11;
/// Waves: 1.5 to 8 cycles in quarters.
const WAVES: std::ops::RangeInclusive<u32> = 6..=32;

/// The table for this many blocks, made at its first use; `None` outside 8 to 64.
pub(super) fn table(blocks: usize) -> Option<&'static Table> {
    static TABLES: [OnceLock<Table>; MOST + 1] = [const { OnceLock::new() }; MOST + 1];
    (super::floors::LEAST_BLOCKS..=MOST)
        .contains(&blocks)
        .then(|| TABLES[blocks].get_or_init(|| Table::new(blocks)))
}

impl Table {
    fn new(n: usize) -> Self {
        let mut table = Self { blocks: n, stories: Vec::new(), vectors: Vec::new() };
        let u: Vec<f64> = (0..n).map(|k| k as f64 / (n - 1) as f64).collect();
        table.add(Shape::Constant, Family::Flat, 1.0, false, &[]);
        table.add(Shape::Line, Family::Grow, 2.0, false, &[of(&u, |x| x)]);
        for c in 3..n - 3 {
            let late = c as f64 > 0.75 * n as f64;
            table.add(Shape::LineFlat(c), Family::Plateau, 3.0, late, &[of(&u, |x| x.min(u[c]))]);
            table.add(Shape::FlatLine(c), Family::Grow, 3.0, false, &[of(&u, |x| (x - u[c]).max(0.0))]);
        }
        for a in (1..n - 4).step_by(2) {
            for c in (a + 3..n - 2).step_by(2) {
                let late = c as f64 > 0.75 * n as f64;
                let ramp = of(&u, |x| (x - u[a]).clamp(0.0, u[c] - u[a]));
                table.add(Shape::Ramp(a, c), Family::Plateau, 4.0, late, &[ramp]);
            }
        }
        for k in 0..TIME_CONSTANTS {
            let tau = 0.02 * 1.3_f64.powi(k);
            let rise = of(&u, |x| 1.0 - (-x / tau).exp());
            table.add(Shape::Saturating(tau), Family::Plateau, 3.0, tau > 0.6, std::slice::from_ref(&rise));
            if k < WITH_LINE {
                let line = of(&u, |x| x);
                table.add(Shape::SaturatingLine(tau), Family::Grow, 4.0, false, &[rise, line]);
            }
        }
        for c in LOGARITHMS {
            let rise = of(&u, |x| (x / c).ln_1p());
            table.add(Shape::Logarithm(c), Family::Slow, 3.0, c > 0.05, &[rise]);
        }
        for c in HYPERBOLAS {
            table.add(Shape::Hyperbola(c), Family::Slow, 3.0, c > 0.15, &[of(&u, |x| x / (x + c))]);
        }
        for p in POWERS {
            table.add(Shape::Power(p), Family::Grow, 3.0, false, &[of(&u, |x| x.powf(p))]);
        }
        for quarters in WAVES {
            let f = f64::from(quarters) / 4.0;
            let turn = std::f64::consts::TAU * f;
            let (sine, cosine) = (of(&u, |x| (turn * x).sin()), of(&u, |x| (turn * x).cos()));
            table.add(Shape::Wave(f), Family::Wave, 4.0, false, &[sine.clone(), cosine.clone()]);
            let line = of(&u, |x| x);
            table.add(Shape::WaveLine(f), Family::Grow, 5.0, false, &[sine, cosine, line]);
        }
        table
    }

    /// Gram–Schmidt, twice for the digits; the constant comes first and is not stored, as the values that
    /// are fitted have their mean taken out.
    fn add(&mut self, shape: Shape, family: Family, parameters: f64, young: bool, columns: &[Vec<f64>]) {
        let n = self.blocks;
        let first = self.vectors.len() / n;
        let mut triangle = [[0.0; 3]; 3];
        for (j, column) in columns.iter().enumerate() {
            let mean = column.iter().sum::<f64>() / n as f64;
            let mut rest: Vec<f64> = column.iter().map(|x| x - mean).collect();
            for _ in 0..2 {
                for (i, line) in triangle.iter_mut().enumerate().take(j) {
                    let basis = &self.vectors[(first + i) * n..(first + i + 1) * n];
                    let share = dot(basis, &rest);
                    line[j] += share;
                    rest.iter_mut().zip(basis).for_each(|(r, b)| *r -= share * b);
                }
            }
            let length = dot(&rest, &rest).sqrt().max(f64::MIN_POSITIVE);
            triangle[j][j] = length;
            self.vectors.extend(rest.iter().map(|r| r / length));
        }
        self.stories.push(Story {
            shape,
            family,
            parameters,
            young,
            first,
            size: columns.len(),
            triangle,
        });
    }

    fn basis(&self, story: &Story, at: usize) -> &[f64] {
        &self.vectors[(story.first + at) * self.blocks..(story.first + at + 1) * self.blocks]
    }

    /// Orthonormal coefficients of values whose mean was taken out.
    pub(super) fn coefficients(&self, story: &Story, centered: &[f64]) -> [f64; 3] {
        let mut found = [0.0; 3];
        for (at, c) in found.iter_mut().enumerate().take(story.size) {
            *c = dot(self.basis(story, at), centered);
        }
        found
    }

    /// The fitted story, mean 0.
    pub(super) fn fitted(&self, story: &Story, coefficients: &[f64; 3]) -> Vec<f64> {
        let mut sum = vec![0.0; self.blocks];
        for (at, c) in coefficients.iter().enumerate().take(story.size) {
            sum.iter_mut().zip(self.basis(story, at)).for_each(|(s, b)| *s += c * b);
        }
        sum
    }
}

impl Story {
    /// The coefficients of the story's own columns.
    pub(super) fn own(&self, orthonormal: &[f64; 3]) -> [f64; 3] {
        let mut own = [0.0; 3];
        for j in (0..self.size).rev() {
            let known: f64 = (j + 1..self.size).map(|k| self.triangle[j][k] * own[k]).sum();
            own[j] = (orthonormal[j] - known) / self.triangle[j][j];
        }
        own
    }
}

fn of(u: &[f64], shape: impl Fn(f64) -> f64) -> Vec<f64> {
    u.iter().map(|&x| shape(x)).collect()
}

/// Four sums at a time: the compiler makes one vector of them, which it may not do for a single sum.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_told_back_by_its_own_coefficients() {
        let table = table(32).unwrap();
        let u: Vec<f64> = (0..32).map(|k| f64::from(k) / 31.0).collect();
        for story in table.stories.iter().filter(|s| matches!(s.shape, Shape::WaveLine(_))) {
            let Shape::WaveLine(f) = story.shape else { continue };
            let turn = std::f64::consts::TAU * f;
            let values = of(&u, |x| 2.0 * (turn * x).sin() - (turn * x).cos() + 5.0 * x);
            let mean = values.iter().sum::<f64>() / 32.0;
            let centered: Vec<f64> = values.iter().map(|v| v - mean).collect();
            let found = table.coefficients(story, &centered);
            let own = story.own(&found);
            for (got, want) in own.iter().zip([2.0, -1.0, 5.0]) {
                assert!((got - want).abs() < 1e-8, "{f}: {own:?}");
            }
            let fitted = table.fitted(story, &found);
            assert!(fitted.iter().zip(&centered).all(|(a, b)| (a - b).abs() < 1e-9), "{f}");
        }
    }
}
