//! What a verdict and a watched series cost: CPU time of this process, and bytes.

use detect::judge::{Context, Series, Tracker, Unit, judge};

use super::shapes;
use super::streams;

/// Figures of one run.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(super) struct Cost {
    /// Microseconds of CPU for a verdict on 64 samples, and on 360.
    pub(super) verdict_us: f64,
    pub(super) verdict_of_360_us: f64,
    /// Nanoseconds of CPU for a point that a watching judge takes, all its looks included.
    pub(super) point_ns: f64,
    /// Bytes of a series that nothing happens in, and the most of one that moves.
    pub(super) idle_bytes: usize,
    pub(super) full_bytes: usize,
}

fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

pub(super) fn measure(rounds: u32) -> Cost {
    let verdicts = |dt: f64| {
        let made: Vec<_> = shapes::LEAK
            .iter()
            .filter(|shape| !shape.starts_with("step") && **shape != "two_cadence")
            .chain(shapes::HEALTHY.iter().filter(|shape| !shape.starts_with("pool")))
            .map(|shape| shapes::make(shape, 3_600.0, dt, 1))
            .collect();
        let all: Vec<_> = made.iter().map(|made| Series::new(&made.points, Unit::Bytes)).collect();
        let round = || all.iter().map(|series| judge(series, &Context::default()).samples).sum::<u64>();
        // The table of stories is made once.
        std::hint::black_box(round());
        let begin = cpu_s();
        for _ in 0..rounds {
            std::hint::black_box(round());
        }
        (cpu_s() - begin) * 1e6 / f64::from(rounds) / all.len() as f64
    };
    let mut cost = Cost { verdict_us: verdicts(52.0), verdict_of_360_us: verdicts(10.0), ..Cost::default() };
    let (mut points, mut seconds) = (0, 0.0);
    for (leak, shape) in [(true, "lin"), (true, "thr60"), (true, "thr10"), (false, "saw"), (false, "pool")] {
        let stream = streams::make(leak, shape, 1);
        let begin = cpu_s();
        let mut tracker = Tracker::new(stream.unit, streams::INTERVAL);
        for &(at, value) in &stream.points {
            tracker.push(at, value);
        }
        seconds += cpu_s() - begin;
        points += stream.points.len();
        cost.full_bytes = cost.full_bytes.max(tracker.bytes());
    }
    cost.point_ns = seconds * 1e9 / points.max(1) as f64;
    for unit in [Unit::Bytes, Unit::Count] {
        let mut tracker = Tracker::new(unit, 10.0);
        for k in 0..10_000 {
            tracker.push(f64::from(k) * 10.0, 100.0 + f64::from(k % 3));
        }
        cost.idle_bytes = cost.idle_bytes.max(tracker.bytes());
    }
    cost
}
