//! A thread a minute, looked at every 5 s: how long until it is named; and the cadences of births.

use detect::cadence::{self, Window};
use detect::judge::{Tracker, Unit};
use model::{BirthKind, State};

use super::parts::{Train, events, staircase};
use super::random::Random;
use super::wilson::Share;

/// Seconds until a thread leak of this period is named, looked at every so many seconds; sorted, and how
/// many were named at all within `longest` seconds.
pub(super) fn delays(seeds: std::ops::Range<u64>, period: f64, interval: f64, longest: f64) -> (Vec<f64>, Share) {
    let mut found = Vec::new();
    let mut named = Share::default();
    for seed in seeds {
        let r = &mut Random::new(&[21, period as u64, interval as u64, seed]);
        let jitter = r.uniform(0.0, 0.05);
        let train = events(r, longest, Train { period, jitter, renewal: r.clone().chance(0.4) });
        let t: Vec<f64> = (0..(longest / interval) as usize).map(|k| k as f64 * interval).collect();
        let base = r.whole(15, 200) as f64;
        let mut tracker = Tracker::new(Unit::Count, interval);
        let at = t.iter().zip(staircase(&t, &train, 1.0)).find_map(|(&at, count)| {
            tracker.push(at, base + count);
            (tracker.state() == State::Leak).then_some(at)
        });
        named.add(at.is_some());
        found.extend(at);
    }
    found.sort_by(f64::total_cmp);
    (found, named)
}

/// Births whose times are known to a hundredth: is the cadence right, to half a percent?
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cadences {
    pub(super) five: Share,
    pub(super) mixed: Share,
    pub(super) falsely: Share,
}

fn rounded(births: &[f64]) -> Vec<f64> {
    births.iter().map(|birth| (birth * 100.0).round() / 100.0).collect()
}

fn window(end_s: f64) -> Window {
    Window { start_s: 0.0, end_s, resolution_s: 0.01, booted_unix_s: 0.0, utc_offset_s: 0 }
}

pub(super) fn cadences(seeds: std::ops::Range<u64>) -> Cadences {
    let mut all = Cadences::default();
    for seed in seeds {
        let r = &mut Random::new(&[22, seed]);
        let period = r.log_uniform(2.0, 3_600.0);
        let first = r.uniform(0.0, period);
        let births: Vec<f64> =
            (0..5).map(|k| first + period * (f64::from(k) + 0.01 * r.normal())).collect();
        let report = cadence::report(&rounded(&births), &window(births[4] + 0.5 * period));
        // What five beats at 1 % tell of the period is 0.01 / √10 of it at best: within three of that.
        let near = |got: f64, period: f64, within: f64| (got / period - 1.0).abs() <= within;
        all.five.add(report.cadences.first().is_some_and(|c| near(c.period_s, period, 0.01)));

        let (fast, slow) = (r.uniform(0.0, 60.0), r.uniform(0.0, 900.0));
        let mut births: Vec<f64> = (0..120).map(|k| fast + 60.0 * (f64::from(k) + 0.01 * r.normal())).collect();
        births.extend((0..8).map(|k| slow + 900.0 * f64::from(k) + 0.6 * r.normal()));
        births.sort_by(f64::total_cmp);
        let report = cadence::report(&rounded(&births), &window(7_230.0));
        let has = |period: f64| report.cadences.iter().any(|c| near(c.period_s, period, 0.005));
        all.mixed.add(has(60.0) && has(900.0));

        let many = r.whole(5, 120);
        let mut births: Vec<f64> = (0..many).map(|_| r.uniform(0.0, 7_200.0)).collect();
        births.sort_by(f64::total_cmp);
        all.falsely.add(cadence::report(&rounded(&births), &window(7_200.0)).kind == BirthKind::Regular);
    }
    all
}
