//! What the generated series are put together from: noise, saw teeth, trains of steps, pools.

use super::random::Random;

/// White and slow noise of deviation `s`, with a spike upwards once in a hundred samples.
pub(super) fn noise(r: &mut Random, n: usize, s: f64) -> Vec<f64> {
    let f = (-1.0 / r.uniform(2.0, 10.0)).exp();
    let mix = r.uniform(0.2, 0.8);
    let fresh = (1.0 - f * f).sqrt();
    let mut slow = r.normal();
    (0..n)
        .map(|k| {
            if k > 0 {
                slow = f * slow + fresh * r.normal();
            }
            let spike = if r.chance(0.01) { r.exponential(4.0 * s) } else { 0.0 };
            s * (mix.sqrt() * r.normal() + (1.0 - mix).sqrt() * slow) + spike
        })
        .collect()
}

/// A collector's teeth: rises by about `height` within about `period`, then falls to the floor.
pub(super) fn saw(r: &mut Random, t: &[f64], period: f64, height: f64) -> Vec<f64> {
    let end = t.last().copied().unwrap_or(0.0);
    let mut edges = vec![-r.uniform(0.0, period)];
    while edges[edges.len() - 1] < end {
        let next = edges[edges.len() - 1] + period * (1.0 + 0.15 * r.normal()).max(0.3);
        edges.push(next);
    }
    edges.push(edges[edges.len() - 1] + period);
    let shape: Vec<(f64, f64)> = edges
        .iter()
        .map(|_| (height * (1.0 + 0.15 * r.normal()), height * r.uniform(0.0, 0.1)))
        .collect();
    t.iter()
        .map(|&at| {
            let k = edges.partition_point(|&e| e <= at).saturating_sub(1).min(edges.len() - 2);
            let share = (at - edges[k]) / (edges[k + 1] - edges[k]);
            shape[k].1 + shape[k].0 * share
        })
        .collect()
}

/// How a train of steps goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Train {
    pub(super) period: f64,
    /// Deviation as a share of the period.
    pub(super) jitter: f64,
    /// Deviations add up.
    pub(super) renewal: bool,
}

/// The train's events, sorted.
pub(super) fn events(r: &mut Random, end: f64, train: Train) -> Vec<f64> {
    let phase = r.uniform(0.0, train.period);
    let (mut current, mut k, mut found) = (phase, 0.0, Vec::new());
    loop {
        let beat = if train.renewal { current } else { phase + k * train.period };
        if beat > end {
            break;
        }
        let at = if train.renewal { beat } else { beat + train.jitter * train.period * r.normal() };
        if at > 0.0 {
            found.push(at);
        }
        k += 1.0;
        current += train.period * (1.0 + train.jitter * r.normal()).max(0.2);
    }
    found.sort_by(f64::total_cmp);
    found
}

/// How many of the events were by each time, times their size.
pub(super) fn staircase(t: &[f64], events: &[f64], size: f64) -> Vec<f64> {
    t.iter().map(|&at| size * events.partition_point(|&e| e <= at) as f64).collect()
}

/// Rises by random (exponential) jumps at the given sorted times, to `height`.
pub(super) fn jumps(r: &mut Random, t: &[f64], at: &[f64], height: f64) -> Vec<f64> {
    let sizes: Vec<f64> = at.iter().map(|_| r.exponential(1.0)).collect();
    let total: f64 = sizes.iter().sum::<f64>().max(1e-12);
    let mut sums = vec![0.0];
    for size in sizes {
        sums.push(sums[sums.len() - 1] + size);
    }
    t.iter().map(|&now| height * sums[at.partition_point(|&e| e <= now)] / total).collect()
}

/// Things that come at `load` × `leave` a sample and leave each with probability `leave`.
pub(super) fn pool(r: &mut Random, load: &[f64], leave: f64) -> Vec<f64> {
    let mut count = r.poisson(load.first().copied().unwrap_or(0.0));
    load.iter()
        .map(|&mean| {
            count += r.poisson(mean * leave) - r.binomial(count, leave.min(1.0));
            count
        })
        .collect()
}

/// Sum of independent normal steps.
pub(super) fn walk(r: &mut Random, n: usize) -> Vec<f64> {
    let mut at = 0.0;
    (0..n)
        .map(|_| {
            at += r.normal();
            at
        })
        .collect()
}

/// Noise that forgets within `tau` samples, deviation 1.
pub(super) fn forgetful(r: &mut Random, n: usize, tau: f64) -> Vec<f64> {
    let f = (-1.0 / tau).exp();
    let fresh = (1.0 - f * f).sqrt();
    let mut at = r.normal();
    (0..n)
        .map(|k| {
            if k > 0 {
                at = f * at + fresh * r.normal();
            }
            at
        })
        .collect()
}

/// Sorted uniform times.
pub(super) fn scattered(r: &mut Random, count: usize, low: f64, high: f64) -> Vec<f64> {
    let mut at: Vec<f64> = (0..count).map(|_| r.uniform(low, high)).collect();
    at.sort_by(f64::total_cmp);
    at
}

/// The largest so far.
pub(super) fn high_water(values: &[f64]) -> Vec<f64> {
    let mut highest = f64::NEG_INFINITY;
    values
        .iter()
        .map(|&v| {
            highest = highest.max(v);
            highest
        })
        .collect()
}
