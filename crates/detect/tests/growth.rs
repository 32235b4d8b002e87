//! How often the growth rule finds leaks, and how often it accuses the healthy: counted over generated
//! series, 1,000 seeds a shape. `--no-capture` prints the counts.

#![allow(clippy::print_stdout)] // the counts are for a reader of --no-capture

mod common;

use std::f64::consts::TAU;

use common::Rng;
use detect::growth::{Growth, two_window};

const SEEDS: u64 = 1_000;

/// What a shape draws for each series: its level, its noise and the size of its movement.
struct Draw {
    level: f64,
    noise: f64,
    size: f64,
    looks: u64,
}

/// Counts in how many series of a shape growth is seen. The shape gives the value at u, the share of the
/// time that has passed (0 to 1).
fn growing<Shape: FnMut(&mut Rng, f64) -> f64>(
    name: &str,
    mut shape: impl FnMut(&mut Rng, &Draw) -> Shape,
) -> u64 {
    let mut kinds = [0_u64; 4];
    for seed in 0..SEEDS {
        let mut rng = Rng::new(name, seed);
        let level = rng.between(100.0, 2_000.0);
        let draw = Draw {
            level,
            noise: level * rng.log_between(1e-3, 1e-2),
            size: level * rng.between(0.1, 0.6),
            looks: rng.whole(24, 200),
        };
        let mut value = shape(&mut rng, &draw);
        let mut correlated = 0.0;
        let points: Vec<(f64, f64)> = (0..draw.looks)
            .map(|k| {
                correlated = 0.7 * correlated + 0.7 * rng.normal();
                let u = k as f64 / (draw.looks - 1) as f64;
                (k as f64 * 5.0, draw.level + value(&mut rng, u) + draw.noise * correlated)
            })
            .collect();
        // As the rules do: 1 % of the level at least.
        kinds[match two_window(&points, 0.01 * draw.level) {
            Growth::Growing { .. } => 0,
            Growth::Settling => 1,
            Growth::Flat => 2,
            _ => 3,
        }] += 1;
    }
    println!("{name}: growing {}, settling {}, flat {}, noisy {}", kinds[0], kinds[1], kinds[2], kinds[3]);
    kinds[0]
}

/// A saw's height at u: rises by `height` in each of `teeth`, with its own phase.
fn saw(u: f64, teeth: f64, phase: f64, height: f64) -> f64 {
    height * (u * teeth + phase).fract()
}

#[test]
fn leaks_are_found() {
    let steady = growing("steady leak", |_, draw| {
        let size = draw.size;
        move |_: &mut Rng, u: f64| size * u
    });
    assert!(steady >= 970, "{steady}");

    let steps = growing("leak in steps", |rng, draw| {
        let (size, steps, phase) = (draw.size, rng.between(16.0, 60.0), rng.unit());
        move |_: &mut Rng, u: f64| size * (u * steps + phase).floor() / steps
    });
    assert!(steps >= 900, "{steps}");

    let under_saw = growing("leak under a saw", |rng, draw| {
        let (size, teeth, phase) = (draw.size, rng.between(25.0, 60.0), rng.unit());
        let height = size * rng.between(0.1, 0.5);
        move |_: &mut Rng, u: f64| size * u + saw(u, teeth, phase, height)
    });
    assert!(under_saw >= 700, "{under_saw}");

    let faster = growing("leak that speeds up", |rng, draw| {
        let (size, power) = (draw.size, rng.between(1.2, 2.0));
        move |_: &mut Rng, u: f64| size * u.powf(power)
    });
    assert!(faster >= 750, "{faster}");
}

#[test]
fn the_healthy_are_not_accused() {
    let mut wrong = Vec::new();
    let mut check = |name: &'static str, count: u64, allowed: u64| {
        if count > allowed {
            wrong.push((name, count, allowed));
        }
    };

    check("flat", growing("flat", |_, _| |_: &mut Rng, _: f64| 0.0), 2);
    let count = growing("saw", |rng, draw| {
        // Three looks a tooth: seen more seldom, a saw can look like anything, a leak included.
        let teeth = rng.between(3.0, (draw.looks as f64 / 3.0).min(60.0));
        let (phase, height) = (rng.unit(), draw.size);
        move |_: &mut Rng, u: f64| saw(u, teeth, phase, height)
    });
    check("saw", count, 5);
    let count = growing("nested saw", |rng, draw| {
        let (teeth, phase, height) = (rng.between(20.0, 60.0), rng.unit(), draw.size);
        let (large, large_phase) = (rng.between(2.2, 8.0), rng.unit());
        move |_: &mut Rng, u: f64| saw(u, teeth, phase, 0.3 * height) + saw(u, large, large_phase, height)
    });
    check("nested saw", count, 5);
    let count = growing("cache that fills", |rng, draw| {
        let (full, size) = (rng.between(0.05, 0.75), draw.size);
        move |_: &mut Rng, u: f64| size * (u / full).min(1.0)
    });
    check("cache that fills", count, 5);
    let count = growing("warm-up", |rng, draw| {
        let (tau, size) = (rng.between(0.03, 0.5), draw.size);
        move |_: &mut Rng, u: f64| size * (1.0 - (-u / tau).exp())
    });
    check("warm-up", count, 5);
    let count = growing("slowing fill", |rng, draw| {
        let (c, size) = (rng.log_between(0.003, 0.1), draw.size);
        move |_: &mut Rng, u: f64| size * (1.0 + u / c).ln() / (1.0 + 1.0 / c).ln()
    });
    check("slowing fill", count, 5);
    let count = growing("one step", |rng, draw| {
        let (at, size) = (rng.between(0.02, 0.95), draw.size);
        move |_: &mut Rng, u: f64| if u > at { size } else { 0.0 }
    });
    check("one step", count, 5);
    let count = growing("few steps", |rng, draw| {
        let steps: Vec<(f64, f64)> = (0..rng.whole(2, 3))
            .map(|_| (rng.between(0.02, 0.95), draw.size * rng.between(0.2, 1.0)))
            .collect();
        move |_: &mut Rng, u: f64| steps.iter().filter(|(at, _)| u > *at).map(|(_, size)| size).sum()
    });
    check("few steps", count, 10);
    let count = growing("waves", |rng, draw| {
        let (waves, phase, size) = (rng.between(1.5, 6.0), rng.unit(), draw.size);
        move |_: &mut Rng, u: f64| size * (TAU * (waves * u + phase)).sin()
    });
    check("waves", count, 5);
    let count = growing("breathing pool", |rng, draw| {
        let (size, tau) = (draw.size, rng.between(3.0, 20.0));
        let mut load = rng.normal();
        move |rng: &mut Rng, _: f64| {
            load += -load / tau + (2.0 / tau).sqrt() * rng.normal();
            0.3 * size * load
        }
    });
    check("breathing pool", count, 10);
    let count = growing("bursts", |rng, draw| {
        let (bursts, phase, share, size) =
            (rng.between(3.0, 30.0), rng.unit(), rng.between(0.05, 0.5), draw.size);
        move |_: &mut Rng, u: f64| if (u * bursts + phase).fract() < share { size } else { 0.0 }
    });
    check("bursts", count, 5);
    assert!(wrong.is_empty(), "accused (of {SEEDS}, allowed): {wrong:?}");
}

/// A random walk is growth for a while as often as not: it is counted, and bounded loosely.
#[test]
fn a_random_walk_is_seldom_accused() {
    let count = growing("random walk", |_, draw| {
        let (size, mut at) = (draw.size, 0.0);
        move |rng: &mut Rng, _: f64| {
            at += 0.1 * size * rng.normal();
            at
        }
    });
    assert!(count <= 50, "{count}");
}
