//! Births gathered into events: several threads that one beat starts are one event of that weight.

/// Distinct moments at which something was born, oldest first, with how many were born at each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Events {
    /// Seconds since boot, strictly rising.
    pub(super) times: Vec<f64>,
    /// Births at each of them, as long as `times`.
    pub(super) weights: Vec<u32>,
}

/// A gap counts as "between beats" when it is at least this many times the next smaller one.
const CLEAR_JUMP: f64 = 8.0;

/// At least this share of the gaps, and three of them, lie between beats: fewer large gaps among many small
/// ones are pauses of one fast train.
const LEAST_SHARE_BETWEEN: f64 = 0.005;

impl Events {
    /// Gathers sorted, finite births; those at most `within_s` after the one before join its event.
    pub(super) fn gather(births: &[f64], within_s: f64) -> Self {
        let mut events = Self::default();
        let mut previous = f64::NEG_INFINITY;
        for &birth in births {
            match events.weights.last_mut() {
                Some(weight) if birth - previous <= within_s => *weight = weight.saturating_add(1),
                _ => {
                    events.times.push(birth);
                    events.weights.push(1);
                }
            }
            previous = birth;
        }
        events
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// The events `range`, as a set of their own.
    pub(super) fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self { times: self.times[range.clone()].to_vec(), weights: self.weights[range].to_vec() }
    }
}

/// The gap below which births belong to one beat, when the gaps fall clearly into small and large ones: the
/// widest jump in the sorted gaps decides. `None` when they don't.
pub(super) fn beat_gap(births: &[f64], resolution_s: f64) -> Option<f64> {
    // Gaps below the resolution are all alike; without this floor, 0 would make every jump infinite.
    let mut gaps: Vec<f64> = births.windows(2).map(|pair| (pair[1] - pair[0]).max(resolution_s)).collect();
    gaps.sort_by(f64::total_cmp);
    let widest = gaps
        .windows(2)
        .enumerate()
        .filter(|(i, _)| (gaps.len() - 1 - i) as f64 >= (LEAST_SHARE_BETWEEN * gaps.len() as f64).max(3.0))
        .max_by(|a, b| (a.1[1] / a.1[0]).total_cmp(&(b.1[1] / b.1[0])))?
        .1;
    // The threshold stays near the small side: a beat's own births follow at once or not at all.
    (widest[1] / widest[0] >= CLEAR_JUMP).then(|| widest[0] + 0.25 * resolution_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn births_of_one_beat_are_one_event() {
        let births = [1.0, 1.0, 1.01, 61.0, 61.02, 121.0, 181.0];
        let gap = beat_gap(&births, 0.01).unwrap();
        let events = Events::gather(&births, gap);
        assert_eq!(events.times, [1.0, 61.0, 121.0, 181.0]);
        assert_eq!(events.weights, [3, 2, 1, 1]);
    }

    #[test]
    fn even_gaps_have_no_beat_gap() {
        let births: Vec<f64> = (0..20).map(|k| f64::from(k) * 1.3).collect();
        assert_eq!(beat_gap(&births, 0.01), None);
        assert_eq!(beat_gap(&[5.0; 9], 0.01), None);
        assert_eq!(beat_gap(&[], 0.01), None);
    }
}
