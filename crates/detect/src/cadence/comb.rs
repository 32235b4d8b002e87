//! A comb laid over events: does a train of this period run through them, and could chance have made it?
//!
//! From a seed event the comb steps forward and backward by the period, takes the event nearest to each
//! expected beat within a tolerance, and corrects itself by part of what that event was off (the gain): a
//! small gain follows a fixed rate, a large one a fixed delay, whose deviations add up. The score is the
//! log-likelihood ratio of the beats that were met against a Poisson process as dense as the events around.

/// A period with the freedom its beats are given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comb {
    /// Seconds from beat to beat.
    pub(super) period: f64,
    /// An event this near to a beat, in seconds, belongs to it.
    pub(super) tolerance: f64,
    /// Share of an event's deviation that the next beats follow, 0 to 1.
    pub(super) gain: f64,
}

/// An event that was met by a beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    /// Index of the event.
    pub(super) event: usize,
    /// Which beat, counted from the seed.
    pub(super) beat: i64,
}

/// A stretch of beats that were mostly met.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The events met, oldest first.
    pub(super) hits: Vec<Hit>,
    /// Log-likelihood ratio against chance.
    pub(super) score: f64,
}

/// Share of the beats that must be met; a beat may be missed when its thread did end.
const LEAST_MET: f64 = 0.7;

/// When a run's ends are looked for, a missed beat costs this against 1 for a met one: what is met by less
/// than 55 % is not part of it.
const COST_OF_MISS: f64 = 1.2;

/// More missed beats in a row than this are a pause (office hours, a suspended machine) and cost no more.
const LONGEST_GAP: i64 = 8;

/// Events are this many times denser at the beats than between them: a crowd of births, where a comb meets
/// an event wherever it is laid, is not a train.
pub(super) const LEAST_CONTRAST: f64 = 3.0;

impl Comb {
    /// Lays the comb through the event `seed`. `mirrored` holds the times negated, newest first, so that
    /// stepping back is stepping forward in it.
    pub(super) fn lay(&self, times: &[f64], mirrored: &[f64], seed: usize, hits: &mut Vec<Hit>) {
        hits.clear();
        let last = times.len() - 1;
        self.step(mirrored, last - seed, |event, beat| hits.push(Hit { event: last - event, beat: -beat }));
        hits.reverse();
        hits.push(Hit { event: seed, beat: 0 });
        self.step(times, seed, |event, beat| hits.push(Hit { event, beat }));
    }

    /// Steps forward from the event `seed`, reporting each event met. One pass: missed beats are counted by
    /// division, so that a short period in a long window costs nothing.
    fn step(&self, times: &[f64], seed: usize, mut met: impl FnMut(usize, i64)) {
        let mut expected = times[seed] + self.period;
        let mut beat: i64 = 1;
        let mut next = seed + 1;
        while next < times.len() {
            if times[next] < expected - self.tolerance {
                next += 1;
            } else if times[next] > expected + self.tolerance {
                let missed = ((times[next] - self.tolerance - expected) / self.period).ceil().max(1.0);
                expected += missed * self.period;
                beat = beat.saturating_add(missed as i64);
            } else {
                let mut nearest = next;
                while nearest + 1 < times.len()
                    && (times[nearest + 1] - expected).abs() < (times[nearest] - expected).abs()
                {
                    nearest += 1;
                }
                met(nearest, beat);
                expected += self.gain * (times[nearest] - expected) + self.period;
                beat = beat.saturating_add(1);
                next = nearest + 1;
            }
        }
    }

    /// Finds the best stretch of the beats met and scores it. `None` when too few are met, when the events
    /// are hardly denser at the beats than between them, or when the score is not above `best`.
    pub(super) fn judge(&self, hits: &[Hit], events: usize, resolution_s: f64, best: f64) -> Option<Run> {
        let (from, to) = best_stretch(hits);
        let stretch = hits.get(from..to)?;
        let met = stretch.len();
        if met < 3 {
            return None;
        }
        let gaps = stretch.windows(2).map(missed_between);
        let missed: i64 = gaps.clone().map(|gap| gap.min(LONGEST_GAP)).sum();
        let pauses = gaps.filter(|&gap| gap > LONGEST_GAP).count();
        let beats = met as f64 + missed as f64;
        if (met as f64) < LEAST_MET * beats {
            return None;
        }

        let (first, last) = (stretch[0].event, stretch[met - 1].event);
        let around = last - first + 1;
        let seconds = (beats - 1.0) * self.period;
        // Times are whole ticks: a window that reaches k ticks to either side holds 2k + 1 of them.
        let ticks = 2.0 * (self.tolerance / resolution_s + 1e-6).floor() + 1.0;
        let width = (2.0 * self.tolerance).max(ticks * resolution_s);
        let chance = 1.0 - (-width * (around - 1) as f64 / seconds).exp();

        let between = (around - met) as f64 / (seconds - (beats - 1.0) * width).max(resolution_s);
        let at_beats = met as f64 / (beats * width);
        if at_beats < LEAST_CONTRAST * between {
            return None;
        }
        // Each end and each pause could have been put after any event: that choice is paid for.
        let choices = pauses + usize::from(first > 0) + usize::from(last + 1 < events);
        let score = likelihood_ratio((met - 1) as f64, beats - 1.0, chance)
            - choices as f64 * (events.max(1) as f64).ln();
        (score > best).then(|| Run { hits: stretch.to_vec(), score })
    }
}

/// Beats without an event between two that met one.
pub(super) fn missed_between(pair: &[Hit]) -> i64 {
    pair[1].beat.saturating_sub(pair[0].beat).saturating_sub(1).max(0)
}

/// The contiguous stretch of hits with the highest sum, where a met beat counts 1 and a missed one costs
/// [`COST_OF_MISS`] (Kadane's maximum subarray), as a half-open range.
fn best_stretch(hits: &[Hit]) -> (usize, usize) {
    let mut best = (0, 0);
    let mut best_sum = 0.0;
    let mut start = 0;
    let mut sum = 0.0;
    for (i, _) in hits.iter().enumerate() {
        if i > 0 {
            sum -= COST_OF_MISS * missed_between(&hits[i - 1..=i]).min(LONGEST_GAP) as f64;
        }
        if sum < 0.0 {
            sum = 0.0;
            start = i;
        }
        sum += 1.0;
        if sum > best_sum {
            best_sum = sum;
            best = (start, i + 1);
        }
    }
    best
}

/// Log-likelihood ratio of `met` of `beats`, at their own share, against a share of `chance`; 0 when chance
/// alone would meet as many.
fn likelihood_ratio(met: f64, beats: f64, chance: f64) -> f64 {
    let chance = chance.clamp(1e-4, 0.98);
    let share = (met / beats.max(1.0)).clamp(1e-3, 0.999);
    if share <= chance {
        return 0.0;
    }
    met * (share / chance).ln() + (beats - met) * ((1.0 - share) / (1.0 - chance)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay(comb: Comb, times: &[f64], seed: usize) -> Vec<Hit> {
        let mirrored: Vec<f64> = times.iter().rev().map(|time| -time).collect();
        let mut hits = Vec::new();
        comb.lay(times, &mirrored, seed, &mut hits);
        hits
    }

    #[test]
    fn beats_are_met_in_both_directions_and_missed_ones_counted() {
        let times = [0.0, 10.0, 13.0, 20.5, 40.0];
        let comb = Comb { period: 10.0, tolerance: 1.0, gain: 0.1 };
        let hits = lay(comb, &times, 1);
        let met: Vec<(usize, i64)> = hits.iter().map(|hit| (hit.event, hit.beat)).collect();
        assert_eq!(met, [(0, -1), (1, 0), (3, 1), (4, 3)]);
    }

    #[test]
    fn a_stretch_ends_where_most_beats_are_missed() {
        let beats = [0, 40, 41, 42, 43, 44, 45, 46, 90];
        let hits: Vec<Hit> = beats.iter().enumerate().map(|(event, &beat)| Hit { event, beat }).collect();
        assert_eq!(best_stretch(&hits), (1, 8));
        assert_eq!(best_stretch(&[]), (0, 0));
    }

    #[test]
    fn a_full_train_scores_and_a_crowd_does_not() {
        let train: Vec<f64> = (0..20).map(f64::from).collect();
        let comb = Comb { period: 1.0, tolerance: 0.04, gain: 0.1 };
        let run = comb.judge(&lay(comb, &train, 0), train.len(), 0.01, 0.0).unwrap();
        assert_eq!(run.hits.len(), 20);
        assert!(run.score > 40.0, "{}", run.score);

        let crowd: Vec<f64> = (0..400).map(|k| 0.05 * f64::from(k)).collect();
        assert!(comb.judge(&lay(comb, &crowd, 0), crowd.len(), 0.01, 0.0).is_none());
    }

    #[test]
    fn extreme_times_end() {
        let times = [0.0, 1e-9, 1e18, 1e18 + 1000.0];
        let comb = Comb { period: 0.04, tolerance: 0.01, gain: 0.8 };
        assert!(lay(comb, &times, 0).len() <= 4);
    }
}
