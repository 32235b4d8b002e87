//! Days as a recorder sees them: 24 h at 10 s, with amounts and times as they are on hosts, not as shares of
//! the window.

use std::f64::consts::TAU;

use detect::judge::Unit;

use super::parts::{
    Train, events, forgetful, high_water, jumps, noise, pool, saw, scattered, staircase, walk,
};
use super::random::Random;
use super::shapes::MIB;

/// Seconds in a day, and between samples.
pub(super) const DAY: f64 = 86_400.0;
pub(super) const INTERVAL: f64 = 10.0;

pub(super) const LEAK: [&str; 11] = [
    "lin", "thr10", "thr60", "thr300", "thr900", "thr60_900", "saw", "warm_leak", "mid", "diurnal_leak", "jerky",
];
pub(super) const HEALTHY: [&str; 18] = [
    "const", "warm", "warm_hyp", "warm_jerky", "cache", "log", "saw", "saw_major", "rw", "ou", "onestep",
    "fewsteps", "diurnal", "pool", "pool_diurnal", "ratchet", "burst", "recovered",
];

/// A day.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) unit: Unit,
    /// When its leak began.
    pub(super) onset: f64,
}

/// The day of this shape and seed.
#[allow(clippy::too_many_lines, clippy::many_single_char_names)] // a list of shapes; letters as in their formulas
pub(super) fn make(leak: bool, shape: &str, seed: u64) -> Stream {
    let name = shape.bytes().fold(11_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
    let r = &mut Random::new(&[if leak { 7 } else { 8 }, name, seed]);
    let n = (DAY / INTERVAL) as usize;
    let mut t: Vec<f64> = (0..n).map(|k| k as f64 * INTERVAL + r.uniform(-0.2, 0.2)).collect();
    let begin = t[0];
    t.iter_mut().for_each(|at| *at -= begin);
    let level = r.uniform(100.0, 2_000.0);
    let s = level * 10_f64.powf(r.uniform(-3.0, -2.0));
    let nz = noise(r, n, s);
    let mut unit = Unit::Bytes;
    let mut onset = 0.0;
    let on = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { t.iter().map(|&x| f(x)).collect() };
    let plus = |parts: &[&[f64]]| -> Vec<f64> {
        (0..n).map(|k| level + nz[k] + parts.iter().map(|part| part[k]).sum::<f64>()).collect()
    };
    let scaled = |values: &[f64], by: f64| -> Vec<f64> { values.iter().map(|v| v * by).collect() };
    let hour = 3_600.0;
    let mut y = if leak {
        let mut k = r.log_uniform(0.01, 0.5) * level;
        let line = |k: f64| on(&|x| k * x / hour);
        match shape {
            "lin" => plus(&[&line(k)]),
            "saw" => {
                let (period, height) = (r.log_uniform(30.0, 300.0), level * r.uniform(0.1, 0.5));
                plus(&[&saw(r, &t, period, height), &line(k)])
            }
            "warm_leak" => {
                let (warm, tau) = (level * r.uniform(0.1, 0.5), r.log_uniform(60.0, 1_200.0));
                plus(&[&on(&|x| warm * (1.0 - (-x / tau).exp())), &line(k)])
            }
            "mid" => {
                onset = r.uniform(2.0, 12.0) * hour;
                plus(&[&on(&|x| k * (x - onset).max(0.0) / hour)])
            }
            "diurnal_leak" => {
                k = r.log_uniform(0.02, 0.1) * level;
                let (height, phase) = (level * r.uniform(0.05, 0.15), r.unit());
                plus(&[&on(&|x| height * (TAU * (x / DAY + phase)).sin()), &line(k)])
            }
            "jerky" => {
                let many = ((k * 24.0 / (level * 0.005)) as usize + 20).min(3_000);
                let at = scattered(r, many, 0.0, DAY);
                plus(&[&jumps(r, &t, &at, k * 24.0)])
            }
            threads => {
                unit = Unit::Count;
                let base = r.whole(15, 200) as f64;
                let transient = r.chance(0.5);
                let mut sum: Vec<f64> = (0..n)
                    .map(|_| {
                        let some = r.poisson(0.3);
                        base + if transient && r.chance(0.3) { some } else { 0.0 }
                    })
                    .collect();
                for period in threads.trim_start_matches("thr").split('_') {
                    let period: f64 = period.parse().unwrap_or(60.0);
                    let (jitter, renewal) = (r.uniform(0.0, 0.05), r.chance(0.4));
                    let train = events(r, DAY, Train { period, jitter, renewal });
                    sum.iter_mut().zip(staircase(&t, &train, 1.0)).for_each(|(s, v)| *s += v);
                }
                sum
            }
        }
    } else {
        let g = level * r.uniform(0.05, 0.6);
        match shape {
            "warm" => {
                let tau = r.log_uniform(20.0, 7_200.0);
                plus(&[&on(&|x| g * (1.0 - (-x / tau).exp()))])
            }
            "warm_hyp" => {
                let c = r.log_uniform(20.0, 3_600.0);
                plus(&[&on(&|x| g * x / (x + c))])
            }
            "warm_jerky" => {
                let many = r.uniform(10.0, 60.0) as usize;
                let tau = r.log_uniform(60.0, 3_600.0);
                let mut at: Vec<f64> = (0..many).map(|_| r.exponential(tau)).collect();
                at.sort_by(f64::total_cmp);
                plus(&[&jumps(r, &t, &at, g)])
            }
            "cache" => {
                let full = r.log_uniform(120.0, 28_800.0);
                plus(&[&on(&|x| g * (x / full).min(1.0))])
            }
            "log" => {
                let c = r.log_uniform(30.0, 1_800.0);
                plus(&[&on(&|x| g * (x / c).ln_1p() / (DAY / c).ln_1p())])
            }
            "saw" => {
                let period = r.log_uniform(30.0, 900.0);
                plus(&[&saw(r, &t, period, g)])
            }
            "saw_major" => {
                let (minor, major) = (r.log_uniform(30.0, 300.0), r.log_uniform(600.0, 14_400.0));
                plus(&[&saw(r, &t, minor, 0.3 * g), &saw(r, &t, major, g)])
            }
            "rw" => plus(&[&scaled(&walk(r, n), g * 0.5 / (n as f64).sqrt())]),
            "ou" => {
                let tau = r.log_uniform(10.0, 500.0);
                plus(&[&scaled(&forgetful(r, n, tau), g * 0.2)])
            }
            "onestep" => {
                let c = r.unit() * DAY;
                plus(&[&on(&|x| if x > c { g } else { 0.0 })])
            }
            "fewsteps" => {
                let many = r.whole(2, 7) as usize;
                let at = scattered(r, many, 0.0, DAY);
                let heights: Vec<f64> = at.iter().map(|_| g * 0.4 * r.uniform(0.2, 1.0)).collect();
                plus(&[&on(&|x| at.iter().zip(&heights).filter(|(c, _)| x > **c).map(|(_, h)| h).sum())])
            }
            "diurnal" => {
                let phase = r.unit();
                plus(&[&on(&|x| g / 2.0 * (TAU * (x / DAY + phase)).sin())])
            }
            "pool" | "pool_diurnal" => {
                unit = Unit::Count;
                let mean = r.uniform(2.0, 30.0);
                let leave = INTERVAL / r.log_uniform(60.0, 1_800.0);
                let phase = r.unit();
                let swing = if shape == "pool" { 0.0 } else { 0.7 };
                let load = on(&|x| mean * (1.0 + swing * (TAU * (x / DAY + phase)).sin()));
                let base = r.whole(10, 50) as f64;
                pool(r, &load, leave).iter().map(|c| base + c).collect()
            }
            "ratchet" => {
                let z = high_water(&noise(r, n, 1.0));
                plus(&[&scaled(&z, g * 0.2)])
            }
            "burst" => {
                let period = r.log_uniform(300.0, 21_600.0);
                let (shift, on_for) = (r.uniform(0.0, period), r.uniform(0.05, 0.5));
                plus(&[&on(&|x| if ((x + shift) % period) / period < on_for { g } else { 0.0 })])
            }
            "recovered" => {
                let c = r.uniform(0.02, 0.5) * DAY;
                let after = if r.chance(0.5) { 0.0 } else { g };
                plus(&[&on(&|x| if x < c { g * x / c } else { after })])
            }
            _ => plus(&[]),
        }
    };
    match unit {
        Unit::Count => y.iter_mut().for_each(|v| *v = v.round()),
        Unit::Bytes => y.iter_mut().for_each(|v| *v *= MIB),
    }
    Stream { points: t.into_iter().zip(y).collect(), unit, onset }
}
