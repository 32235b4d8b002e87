//! The story of levels: constant pieces with one, two or three jumps between them, the best places found
//! exactly by dynamic programming over sums (Bellman 1961).

use super::stories::MOST;

/// Jumps tried, at most.
pub(super) const MOST_JUMPS: usize = 3;

/// The first and the last level last at least so many blocks.
const LEAST_AT_ENDS: usize = 2;

/// Best pieces for one number of jumps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    /// Sum of squared residuals.
    pub(super) squares: f64,
    /// First blocks of the levels after the first, rising; as many as there are jumps.
    pub(super) jumps: [usize; MOST_JUMPS],
}

/// Parameters paid for: a level, and for each jump its height and twice its place.
pub(super) fn parameters(jumps: usize) -> f64 {
    1.0 + 3.0 * jumps as f64
}

/// The best pieces with one, two and three jumps, of at most 64 values with the mean taken out.
pub(super) fn best(values: &[f64]) -> [Levels; MOST_JUMPS] {
    let n = values.len().min(MOST);
    let none = Levels { squares: f64::INFINITY, jumps: [0; MOST_JUMPS] };
    let mut found = [none; MOST_JUMPS];
    if n < 2 * LEAST_AT_ENDS {
        return found;
    }
    let (mut sum, mut square) = ([0.0; MOST + 1], [0.0; MOST + 1]);
    for (k, v) in values.iter().enumerate().take(n) {
        sum[k + 1] = sum[k] + v;
        square[k + 1] = square[k] + v * v;
    }
    let cost = |from: usize, to: usize| {
        let total: f64 = sum[to] - sum[from];
        (square[to] - square[from] - total * total / (to - from) as f64).max(0.0)
    };
    // cheapest[to]: the first `to` blocks in so many pieces; from[jump][to]: where the last of them began.
    let mut cheapest = [f64::INFINITY; MOST + 1];
    for (to, cheap) in cheapest.iter_mut().enumerate().take(n).skip(LEAST_AT_ENDS) {
        *cheap = cost(0, to);
    }
    let mut from = [[0_usize; MOST + 1]; MOST_JUMPS];
    for jump in 0..MOST_JUMPS {
        for at in LEAST_AT_ENDS..=n - LEAST_AT_ENDS {
            let total = cheapest[at] + cost(at, n);
            if total < found[jump].squares {
                found[jump].squares = total;
                found[jump].jumps[jump] = at;
            }
        }
        for back in (0..jump).rev() {
            found[jump].jumps[back] = from[back][found[jump].jumps[back + 1]];
        }
        let before = cheapest;
        cheapest = [f64::INFINITY; MOST + 1];
        for to in LEAST_AT_ENDS + jump + 1..n {
            for at in LEAST_AT_ENDS + jump..to {
                let total = before[at] + cost(at, to);
                if total < cheapest[to] {
                    cheapest[to] = total;
                    from[jump][to] = at;
                }
            }
        }
    }
    found
}

/// The values that these levels fit.
pub(super) fn fitted(values: &[f64], levels: &Levels, jumps: usize) -> Vec<f64> {
    let n = values.len();
    let mut edges = vec![0];
    edges.extend(levels.jumps.iter().take(jumps).map(|&at| at.min(n)));
    edges.push(n);
    let mut out = Vec::with_capacity(n);
    for pair in edges.windows(2) {
        let piece = values.get(pair[0]..pair[1]).unwrap_or_default();
        out.extend(std::iter::repeat_n(super::linear::mean(piece), piece.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_found_where_they_are() {
        let values: Vec<f64> =
            (0..32).map(|k| f64::from(u8::from(k >= 5) + 3 * u8::from(k >= 11) + u8::from(k >= 27))).collect();
        let found = best(&values);
        assert_eq!(found[2].jumps, [5, 11, 27]);
        assert!(found[2].squares < 1e-9);
        assert_eq!(found[0].jumps[0], 11, "the largest alone");
        assert!(fitted(&values, &found[2], 3).iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn the_search_is_exact() {
        let values: Vec<f64> = (0..12).map(|k| f64::from((k * 7919) % 13)).collect();
        let pieces = |from: usize, to: usize| {
            let mean = values[from..to].iter().sum::<f64>() / (to - from) as f64;
            values[from..to].iter().map(|v| (v - mean).powi(2)).sum::<f64>()
        };
        let mut least = f64::INFINITY;
        for a in 2..=10 {
            for b in a + 1..=10 {
                least = least.min(pieces(0, a) + pieces(a, b) + pieces(b, 12));
            }
        }
        assert!((best(&values)[1].squares - least).abs() < 1e-9);
    }
}
