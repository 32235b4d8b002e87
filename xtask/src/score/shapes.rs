//! Labelled series of a given length, each with parameters drawn at random: leaks, what is healthy, and what
//! no statistics can decide. The lists and their parameters are the judge's test and are not tuned to it.

use std::f64::consts::TAU;

use detect::judge::Unit;

use super::parts::{
    Train, events, forgetful, high_water, jumps, noise, pool, saw, scattered, staircase, walk,
};
use super::random::Random;

pub(super) const LEAK: [&str; 14] = [
    "lin",
    "slow_noise",
    "step",
    "two_cadence",
    "lin_saw",
    "accel",
    "midstart",
    "warm_then_leak",
    "lin_wave",
    "lin_gaps",
    "burst_retain",
    "step_bytes",
    "saw_major_leak",
    "step_gaps",
];
pub(super) const HEALTHY: [&str; 18] = [
    "const",
    "warmup",
    "cachefill",
    "saw",
    "saw_nested",
    "burst",
    "rwalk",
    "ou",
    "onestep",
    "fewsteps",
    "wave",
    "pool",
    "poolload",
    "ratchet",
    "recovered",
    "const_gaps",
    "logfill",
    "int_const",
];
/// Never looked at while the judge was tuned.
pub(super) const UNSEEN_LEAK: [&str; 5] =
    ["lin_jerky", "lin_ratevar", "leak_pauses", "leak_rw", "sqrt_leakish"];
pub(super) const UNSEEN_HEALTHY: [&str; 8] = [
    "warm_hyp",
    "warm_2exp",
    "warm_jerky",
    "warm_logistic",
    "asym_burst",
    "rw_reflect",
    "gc_adaptive",
    "cache_jerky",
];
/// Stand-ins of other kinds than the unseen ones, for tuning; not scored.
pub(super) const TUNING_LEAK: [&str; 5] = ["poisson", "lin_ou", "slowing", "step_sizes", "phases"];
pub(super) const TUNING_HEALTHY: [&str; 3] = ["fills_slots", "warm_smooth", "ou_slow"];
/// The same to the eye as a leak, for now.
pub(super) const UNDECIDABLE: [&str; 4] =
    ["warmup_young", "cachefill_young", "wave_rising", "saw_major_young"];

/// MiB: the generator's amounts of memory are in it.
pub(super) const MIB: f64 = 1_048_576.0;

/// A generated series.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) unit: Unit,
    /// What it truly grows by at the end, per second, where that is one number.
    pub(super) rate: Option<f64>,
}

/// Length and interval, in seconds: at least 64 samples stay where most are lost.
pub(super) const LENGTHS: [(&str, f64, f64); 4] =
    [("2 min", 120.0, 0.5), ("10 min", 600.0, 2.0), ("1 h", 3_600.0, 10.0), ("24 h", 86_400.0, 10.0)];

/// The series of this shape and seed.
#[allow(clippy::too_many_lines, clippy::many_single_char_names)] // a list of shapes; letters as in their formulas
pub(super) fn make(shape: &str, length: f64, dt: f64, seed: u64) -> Made {
    let name = shape.bytes().fold(7_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
    let r = &mut Random::new(&[name, length as u64, (dt * 1_000.0) as u64, seed]);
    let n = (length / dt) as usize;
    let mut t: Vec<f64> = (0..n).map(|k| (k as f64 * dt + r.uniform(-0.02, 0.02) * dt).max(0.0)).collect();
    t.sort_by(f64::total_cmp);
    let level = r.uniform(100.0, 2_000.0);
    let s = level * 10_f64.powf(r.uniform(-3.0, -2.0));
    let mut g = level * r.uniform(0.05, 0.6);
    let u: Vec<f64> = t.iter().map(|at| at / length).collect();
    let nz = noise(r, n, s);
    let mut unit = Unit::Bytes;
    let mut rate = None;
    let ends = t[n - 1];
    let on = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { u.iter().map(|&x| f(x)).collect() };
    let plus = |parts: &[&[f64]]| -> Vec<f64> {
        (0..n).map(|k| level + parts.iter().map(|part| part[k]).sum::<f64>()).collect()
    };
    let scaled = |values: &[f64], by: f64| -> Vec<f64> { values.iter().map(|v| v * by).collect() };
    let linear = |g: f64| on(&|x| g * x);

    let mut y = match shape {
        "lin" | "lin_gaps" => {
            rate = Some(g / length);
            plus(&[&linear(g), &nz])
        }
        "slow_noise" => {
            let s = level * r.uniform(0.004, 0.01);
            g = s * r.uniform(3.0, 6.0);
            rate = Some(g / length);
            plus(&[&linear(g), &noise(r, n, s)])
        }
        "step" | "step_gaps" => {
            unit = Unit::Count;
            let period = (length / r.uniform(6.0, 60.0)).max(1.5 * dt);
            let jitter = r.uniform(0.0, 0.08);
            let renewal = r.chance(0.4);
            let stairs = staircase(&t, &events(r, ends, Train { period, jitter, renewal }), 1.0);
            rate = Some(1.0 / period);
            let base = r.whole(15, 200) as f64;
            let transient = r.chance(0.5);
            let extra: Vec<f64> = (0..n)
                .map(|_| {
                    let some = r.poisson(0.3);
                    if transient && r.chance(0.3) { some } else { 0.0 }
                })
                .collect();
            (0..n).map(|k| base + stairs[k] + extra[k]).collect()
        }
        "two_cadence" => {
            unit = Unit::Count;
            let period = (length / r.uniform(30.0, 90.0)).max(3.0 * dt);
            let times = r.whole(4, 16) as f64;
            let jitter = r.uniform(0.0, 0.05);
            let fast = events(r, ends, Train { period, jitter, renewal: false });
            let jitter = r.uniform(0.0, 0.05) / times;
            let size = r.whole(1, 5) as f64;
            let slow = events(r, ends, Train { period: period * times, jitter, renewal: false });
            rate = Some(1.0 / period + size / (period * times));
            let base = r.whole(15, 200) as f64;
            let (a, b) = (staircase(&t, &fast, 1.0), staircase(&t, &slow, size));
            (0..n).map(|k| base + a[k] + b[k]).collect()
        }
        "lin_saw" => {
            let height = level * r.uniform(0.1, 0.5);
            let period = (length / r.uniform(8.0, 60.0)).max(3.0 * dt);
            g = height * r.uniform(0.4, 3.0);
            rate = Some(g / length);
            plus(&[&saw(r, &t, period, height), &linear(g), &scaled(&nz, 0.3)])
        }
        "saw_major_leak" => {
            let height = level * r.uniform(0.1, 0.4);
            let minor = (length / r.uniform(30.0, 60.0)).max(3.0 * dt);
            let small = saw(r, &t, minor, height * 0.3);
            let major = length / r.uniform(5.0, 9.0);
            let large = saw(r, &t, major, height);
            g = height * r.uniform(1.0, 3.0);
            rate = Some(g / length);
            plus(&[&small, &large, &linear(g), &scaled(&nz, 0.3)])
        }
        "accel" => {
            let p = r.uniform(1.5, 3.0);
            rate = Some(g * p / length);
            plus(&[&on(&|x| g * x.powf(p)), &nz])
        }
        "midstart" => {
            let start = r.uniform(0.3, 0.6);
            rate = Some(g / (1.0 - start) / length);
            plus(&[&on(&|x| g * (x - start).max(0.0) / (1.0 - start)), &nz])
        }
        "warm_then_leak" => {
            let tau = r.uniform(0.03, 0.12);
            let warm = level * r.uniform(0.1, 0.5);
            rate = Some(g / length);
            plus(&[&on(&|x| warm * (1.0 - (-x / tau).exp()) + g * x), &nz])
        }
        "lin_wave" => {
            let height = g * r.uniform(0.2, 0.8) / 2.0;
            let (f, phase) = (r.uniform(2.0, 6.0), r.unit());
            rate = Some(g / length);
            plus(&[&on(&|x| g * x + height * (TAU * (x * f + phase)).sin()), &nz])
        }
        "burst_retain" => {
            let period = length / r.uniform(8.0, 30.0);
            let shift = r.uniform(0.0, period);
            let height = level * r.uniform(0.1, 0.4);
            let on_for = r.uniform(0.1, 0.4);
            rate = Some(g / length);
            let retained = on(&|x| g * (x * length / period).floor() * period / length);
            let bursts = on(&|x| {
                let phase = ((x * length + shift) % period) / period;
                if phase < on_for { height } else { 0.0 }
            });
            plus(&[&retained, &bursts, &nz])
        }
        "step_bytes" => {
            let period = (length / r.uniform(6.0, 40.0)).max(3.0 * dt);
            let jitter = r.uniform(0.0, 0.08);
            let renewal = r.chance(0.4);
            let stairs = staircase(&t, &events(r, ends, Train { period, jitter, renewal }), 1.0);
            let last = stairs[n - 1].max(1.0);
            rate = Some(g / last / period);
            plus(&[&scaled(&stairs, g / last), &scaled(&nz, 0.3)])
        }
        "const" | "const_gaps" => plus(&[&nz]),
        "int_const" => {
            unit = Unit::Count;
            let (base, mean) = (r.whole(10, 200) as f64, r.uniform(0.0, 1.5));
            (0..n).map(|_| base + r.poisson(mean)).collect()
        }
        "warmup" | "warmup_young" => {
            let tau = if shape == "warmup" { r.uniform(0.04, 0.35) } else { r.uniform(0.6, 2.0) };
            plus(&[&on(&|x| g * (1.0 - (-x / tau).exp())), &nz])
        }
        "cachefill" => {
            let c = r.uniform(0.15, 0.7);
            plus(&[&on(&|x| g * (x / c).min(1.0)), &nz])
        }
        "cachefill_young" => {
            let c = r.uniform(1.1, 3.0);
            plus(&[&on(&|x| g * x / c), &nz])
        }
        "logfill" => {
            let c = 10_f64.powf(r.uniform(-2.5, -1.0));
            plus(&[&on(&|x| g * (x / c).ln_1p() / (1.0 / c).ln_1p()), &nz])
        }
        "saw" => {
            let height = level * r.uniform(0.1, 0.5);
            let period = (length / r.uniform(8.0, 60.0)).max(3.0 * dt);
            plus(&[&saw(r, &t, period, height), &scaled(&nz, 0.3)])
        }
        "saw_nested" => {
            let height = level * r.uniform(0.1, 0.5);
            let minor = (length / r.uniform(30.0, 60.0)).max(3.0 * dt);
            let small = saw(r, &t, minor, height * 0.3);
            let major = length / r.uniform(2.2, 8.0);
            plus(&[&small, &saw(r, &t, major, height), &scaled(&nz, 0.3)])
        }
        "saw_major_young" => {
            let height = level * r.uniform(0.1, 0.5);
            let minor = (length / r.uniform(30.0, 60.0)).max(3.0 * dt);
            plus(&[&saw(r, &t, minor, height * 0.3), &linear(height), &scaled(&nz, 0.3)])
        }
        "burst" => {
            let period = length / r.uniform(3.0, 30.0);
            let (shift, on_for) = (r.uniform(0.0, period), r.uniform(0.05, 0.5));
            let bursts = on(&|x| if ((x * length + shift) % period) / period < on_for { g } else { 0.0 });
            plus(&[&bursts, &nz])
        }
        "rwalk" => {
            let w = walk(r, n);
            plus(&[&scaled(&w, g / (n as f64).sqrt()), &scaled(&nz, 0.3)])
        }
        "ou" => {
            let tau = n as f64 * r.uniform(0.02, 0.15);
            let o = forgetful(r, n, tau);
            plus(&[&scaled(&o, g * 0.3), &scaled(&nz, 0.3)])
        }
        "onestep" => {
            let c = r.uniform(0.1, 0.9);
            plus(&[&on(&|x| if x > c { g } else { 0.0 }), &nz])
        }
        "fewsteps" => {
            let many = r.whole(2, 4) as usize;
            let at = scattered(r, many, 0.05, 0.95);
            let heights: Vec<f64> = at.iter().map(|_| g * r.uniform(0.2, 1.0)).collect();
            let sum = on(&|x| at.iter().zip(&heights).filter(|(c, _)| x > **c).map(|(_, h)| h).sum());
            plus(&[&sum, &nz])
        }
        "wave" => {
            let (f, phase) = (r.uniform(1.5, 5.0), r.unit());
            plus(&[&on(&|x| g / 2.0 * (TAU * (x * f + phase)).sin()), &nz])
        }
        "wave_rising" => {
            let (f, phase) = (r.uniform(0.1, 0.4), r.uniform(0.05, 0.25));
            plus(&[&on(&|x| g / 2.0 * (TAU * (x * f - phase)).sin()), &nz])
        }
        "pool" => {
            unit = Unit::Count;
            let mean = r.uniform(0.5, 20.0);
            let leave = 1.0 / (n as f64 * r.uniform(0.01, 0.08));
            let base = r.whole(10, 50) as f64;
            pool(r, &vec![mean; n], leave).iter().map(|c| base + c).collect()
        }
        "poolload" => {
            unit = Unit::Count;
            let (f, phase) = (r.uniform(1.5, 5.0), r.unit());
            let load = on(&|x| 10.0 + 8.0 * (TAU * (x * f + phase)).sin());
            let base = r.whole(10, 50) as f64;
            pool(r, &load, 1.0 / (n as f64 * 0.03)).iter().map(|c| base + c).collect()
        }
        "ratchet" => {
            let z = high_water(&noise(r, n, 1.0));
            plus(&[&scaled(&z, g * 0.2), &scaled(&nz, 0.2)])
        }
        "recovered" => {
            let c = r.uniform(0.3, 0.7);
            let after = if r.chance(0.5) { 0.0 } else { g };
            plus(&[&on(&|x| if x < c { g * x / c } else { after }), &nz])
        }
        "lin_jerky" => {
            let many = r.uniform(15.0, 80.0) as usize;
            let at = scattered(r, many, 0.0, length);
            rate = Some(g / length);
            plus(&[&jumps(r, &t, &at, g), &scaled(&nz, 0.5)])
        }
        "lin_ratevar" => {
            let (depth, f, phase) = (r.uniform(0.3, 0.9), r.uniform(2.0, 6.0), r.unit());
            rate = Some(g / length);
            plus(&[&cumulated(&on(&|x| 1.0 + depth * (TAU * (x * f + phase)).sin()), g), &nz])
        }
        "leak_pauses" => {
            let (f, phase, share) = (r.uniform(3.0, 8.0), r.unit(), r.uniform(0.3, 0.7));
            rate = Some(g / length);
            let active = on(&|x| if (x * f + phase) % 1.0 < share { 1.0 } else { 0.0 });
            plus(&[&cumulated(&active, g), &nz])
        }
        "leak_rw" => {
            let w = walk(r, n);
            rate = Some(g / length);
            plus(&[&linear(g), &scaled(&w, g * 0.12 / (n as f64).sqrt()), &scaled(&nz, 0.5)])
        }
        "sqrt_leakish" => {
            rate = Some(g * 0.7 / length);
            plus(&[&on(&|x| g * x.powf(0.7)), &nz])
        }
        "warm_hyp" => {
            let c = r.uniform(0.02, 0.12);
            plus(&[&on(&|x| g * x / (x + c)), &nz])
        }
        "warm_2exp" => {
            let (a, b) = (r.uniform(0.01, 0.05), r.uniform(0.1, 0.3));
            plus(&[&on(&|x| g * (0.6 * (1.0 - (-x / a).exp()) + 0.4 * (1.0 - (-x / b).exp()))), &nz])
        }
        "warm_jerky" => {
            let tau = r.uniform(0.05, 0.25);
            let many = r.uniform(8.0, 40.0) as usize;
            let mut at: Vec<f64> = (0..many).map(|_| r.exponential(tau * length)).collect();
            at.sort_by(f64::total_cmp);
            plus(&[&jumps(r, &t, &at, g), &scaled(&nz, 0.5)])
        }
        "warm_logistic" => {
            let (c, w) = (r.uniform(0.1, 0.5), r.uniform(0.02, 0.08));
            plus(&[&on(&|x| g / (1.0 + (-(x - c) / w).exp())), &nz])
        }
        "cache_jerky" => {
            let filled = keys_filled(r);
            let share = on(&|x| g * filled.partition_point(|&f| f <= x) as f64 / KEYS as f64);
            plus(&[&share, &scaled(&nz, 0.5)])
        }
        "asym_burst" => {
            let many = r.uniform(3.0, 12.0) as usize;
            let at = scattered(r, many, 0.0, length);
            let decay = length * r.uniform(0.02, 0.1);
            let heights: Vec<f64> = at.iter().map(|_| g * r.uniform(0.3, 1.0)).collect();
            let sum = on(&|x| {
                let now = x * length;
                let past = at.iter().zip(&heights).filter(|(a, _)| now > **a);
                past.map(|(a, h)| h * (-(now - a) / decay).exp()).sum()
            });
            plus(&[&sum, &nz])
        }
        "rw_reflect" => {
            let a = 0.5;
            let w: Vec<f64> = walk(r, n)
                .iter()
                .map(|w| ((w / (n as f64).sqrt() + a).rem_euclid(4.0 * a) - 2.0 * a).abs() * g)
                .collect();
            plus(&[&w, &scaled(&nz, 0.3)])
        }
        "gc_adaptive" => {
            let height = level * r.uniform(0.1, 0.4);
            let many = r.whole(1, 4) as usize;
            let at = scattered(r, many, 0.02, 0.6);
            let period = (length / r.uniform(20.0, 60.0)).max(3.0 * dt);
            let teeth = saw(r, &t, period, height);
            (0..n)
                .map(|k| {
                    let resized = at.partition_point(|&c| c < u[k]) as f64;
                    level + teeth[k] * (1.0 + 0.4 * resized) + height * 0.3 * resized + nz[k] * 0.3
                })
                .collect()
        }
        "poisson" => {
            unit = Unit::Count;
            let many = r.uniform(15.0, 80.0);
            rate = Some(many / length);
            let count = r.poisson(many) as usize;
            let at = scattered(r, count, 0.0, length);
            let base = r.whole(15, 200) as f64;
            staircase(&t, &at, 1.0).iter().map(|v| base + v).collect()
        }
        "lin_ou" => {
            let tau = n as f64 * r.uniform(0.02, 0.15);
            let o = forgetful(r, n, tau);
            rate = Some(g / length);
            plus(&[&linear(g), &scaled(&o, g * r.uniform(0.03, 0.1)), &scaled(&nz, 0.3)])
        }
        "slowing" => {
            // The rate falls evenly to this share of what it was.
            let last = r.uniform(0.55, 0.9);
            rate = Some(g * last / length);
            plus(&[&on(&|x| g * (x - 0.5 * (1.0 - last) * x * x)), &nz])
        }
        "step_sizes" => {
            let many = r.uniform(12.0, 60.0);
            let at: Vec<f64> = (0..many as usize).map(|k| (k as f64 + 0.5) / many * length).collect();
            rate = Some(g / length);
            plus(&[&jumps(r, &t, &at, g), &scaled(&nz, 0.3)])
        }
        "phases" => {
            let many = r.whole(4, 10) as usize;
            let at = scattered(r, many, 0.0, 1.0);
            let rates: Vec<f64> = (0..=many).map(|_| r.uniform(0.3, 1.7)).collect();
            rate = Some(g / length);
            plus(&[&cumulated(&on(&|x| rates[at.partition_point(|&a| a <= x)]), g), &nz])
        }
        "fills_slots" => {
            unit = Unit::Count;
            let (slots, tau) = (r.whole(10, 60), r.uniform(0.08, 0.3));
            let mut at: Vec<f64> = (0..slots).map(|_| r.exponential(tau * length)).collect();
            at.sort_by(f64::total_cmp);
            let base = r.whole(15, 200) as f64;
            staircase(&t, &at, 1.0).iter().map(|v| base + v).collect()
        }
        "warm_smooth" => {
            let c = r.uniform(0.2, 0.75);
            let smooth = |x: f64| {
                let v = (x / c).min(1.0);
                g * v * v * (3.0 - 2.0 * v)
            };
            plus(&[&on(&smooth), &nz])
        }
        "ou_slow" => {
            let tau = n as f64 * r.uniform(0.15, 0.6);
            let o = forgetful(r, n, tau);
            plus(&[&scaled(&o, g * 0.3), &scaled(&nz, 0.3)])
        }
        _ => vec![level; n],
    };
    match unit {
        Unit::Count => y.iter_mut().for_each(|v| *v = v.round()),
        Unit::Bytes => {
            for v in &mut y {
                *v *= MIB;
            }
            rate = rate.map(|rate| rate * MIB);
        }
    }
    let points = lose(r, &t, &y, length, shape.ends_with("gaps"));
    Made { points, unit, rate }
}

/// One sample in a hundred is lost; of shapes with gaps far more, and a whole stretch.
fn lose(r: &mut Random, t: &[f64], y: &[f64], length: f64, gaps: bool) -> Vec<(f64, f64)> {
    let lost = if gaps { r.uniform(0.2, 0.5) } else { 0.01 };
    let from = r.uniform(0.2, 0.7) * length;
    let to = from + r.uniform(0.05, 0.15) * length;
    t.iter()
        .zip(y)
        .filter(|(at, _)| !(r.chance(lost) || gaps && **at > from && **at < to))
        .map(|(at, value)| (*at, *value))
        .collect()
}

fn cumulated(values: &[f64], height: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = values
        .iter()
        .map(|v| {
            sum += v;
            sum
        })
        .collect();
    let total = sum.max(1e-12);
    sums.iter().map(|s| height * s / total).collect()
}

const KEYS: usize = 400;

/// A bounded cache filled by requests with skewed keys: when each key came first, as shares of the time.
fn keys_filled(r: &mut Random) -> Vec<f64> {
    let per_key = r.uniform(6.0, 20.0);
    let requests = r.poisson(per_key * KEYS as f64) as usize;
    let skew = r.uniform(0.3, 0.9);
    let mut sums = vec![0.0];
    for key in 1..=KEYS {
        sums.push(sums[key - 1] + 1.0 / (key as f64).powf(skew));
    }
    let total = sums[KEYS];
    let mut seen = vec![false; KEYS + 1];
    let mut first = Vec::new();
    for request in 0..requests {
        let drawn = r.unit() * total;
        let key = sums.partition_point(|&s| s <= drawn).min(KEYS);
        if !seen[key] {
            seen[key] = true;
            first.push(request as f64 / requests as f64);
        }
    }
    first
}
