//! Births too close for single events: is their flow steadier than chance?

use model::Cadence;

use crate::stats::mean;

/// Births per block of time, on average: enough that Poisson counts would scatter visibly.
const PER_BLOCK: f64 = 10.0;

/// Blocks needed to judge.
const LEAST_BLOCKS: usize = 24;

/// Variance over mean of the blocks' counts (Fano factor) that a steady flow stays below. It is 1 for
/// Poisson births; with 24 blocks chance goes below 0.25 once in some 10,000 times.
const STEADY: f64 = 0.25;

/// A train of births whose single beats the ticks cannot show: only its rate is known, so the period's
/// error is that of the count, the jitter is a tick's, and there is no phase. `births` sorted, in seconds.
pub(super) fn steady_flow(births: &[f64], resolution_s: f64) -> Option<Cadence> {
    let (&first, &last) = (births.first()?, births.last()?);
    let span = last - first;
    let period = span / (births.len() - 1).max(1) as f64;
    if period <= 0.0 {
        return None;
    }
    // Whole ticks, so that each block holds as many of them.
    let block = (PER_BLOCK * period / resolution_s).ceil().max(1.0) * resolution_s;
    let blocks = (span / block).floor() as usize;
    if blocks < LEAST_BLOCKS || blocks > births.len() {
        return None;
    }
    let mut counts = vec![0.0; blocks];
    for birth in births {
        // Half a tick keeps a birth on a block's edge from falling to either side by rounding.
        let index = ((birth - first + 0.5 * resolution_s) / block) as usize;
        if let Some(count) = counts.get_mut(index) {
            *count += 1.0;
        }
    }
    let center = mean(&counts);
    let variance = counts.iter().map(|count| (count - center).powi(2)).sum::<f64>() / (blocks - 1) as f64;
    (variance < STEADY * center).then(|| Cadence {
        period_s: period,
        period_error_s: period * variance.sqrt().max(1.0) / births.len() as f64,
        jitter_s: resolution_s,
        phase_s: None,
        events: births.len() as u64,
        missed: 0,
        per_event: 1.0,
    })
}
