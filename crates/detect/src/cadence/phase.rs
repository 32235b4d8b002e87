//! Where in the minute, hour or day a train stands: what ties it to a clock or a crontab.

use std::f64::consts::TAU;

use super::Window;
use super::fit::Timing;

/// Periods people write into schedules, in seconds: those that divide a second, a minute, an hour or a day, so that a train of
/// exactly that period falls on the same second of them for ever.
const HUMAN_PERIODS: [f64; 38] = [
    0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0, 120.0, 180.0,
    240.0, 300.0, 360.0, 600.0, 720.0, 900.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 14_400.0,
    21_600.0, 28_800.0, 43_200.0, 86_400.0, 90.0, 150.0, 450.0, 5_400.0,
];

/// The human period that this one is meant to be: within three standard errors, and within 1 % at most
/// (the error of five uneven beats would let a period mean anything).
pub(crate) fn human_period(period_s: f64, period_error_s: f64) -> Option<f64> {
    HUMAN_PERIODS.into_iter().min_by(|a, b| (a - period_s).abs().total_cmp(&(b - period_s).abs())).filter(
        |human| {
            let off = (human - period_s).abs();
            off <= (3.0 * period_error_s).max(1e-4 * human) && off <= 0.01 * human
        },
    )
}

/// The spread of the phase, from the first to the last beat, up to which it counts as standing.
const STANDING: f64 = 0.1;

/// Local second within the period at which the train's events fall (0 ≤ phase < period); `None` when the
/// period is no human one, or when the phase moved: a timer whose own work adds to each delay drifts away.
pub(super) fn standing(times: &[f64], timing: &Timing, window: &Window) -> Option<f64> {
    let period = human_period(timing.period, timing.period_error)?;
    let to_local = window.booted_unix_s + f64::from(window.utc_offset_s);
    // The offset alone is reduced first: adding 1.7e9 s to each time would cost digits.
    let offset = to_local.rem_euclid(period);
    let phases: Vec<f64> = times.iter().map(|time| (time + offset).rem_euclid(period)).collect();
    let center = circular_mean(&phases, period)?;
    let allowed = (STANDING * period).max(2.0 * window.resolution_s);
    let off = |phase: f64| (phase - center + period / 2.0).rem_euclid(period) - period / 2.0;
    // Beats that drift show it at the ends; the early and the late third are compared, so that one late
    // beat decides nothing.
    let third = (phases.len() / 3).max(1);
    let mean_off = |part: &[f64]| part.iter().map(|&phase| off(phase)).sum::<f64>() / part.len() as f64;
    let early = mean_off(&phases[..third]);
    let late = mean_off(&phases[phases.len() - third..]);
    let spread = (phases.iter().map(|&phase| off(phase).powi(2)).sum::<f64>() / phases.len() as f64).sqrt();
    let stands = (late - early).abs() <= allowed && spread <= allowed;
    // rem_euclid may give the period itself for a tiny negative number.
    stands.then_some(if center >= period { 0.0 } else { center })
}

/// Mean direction on a circle of the given length; `None` for no values, or when they point everywhere.
fn circular_mean(values: &[f64], length: f64) -> Option<f64> {
    let (mut sine, mut cosine) = (0.0, 0.0);
    for value in values {
        let (s, c) = (value / length * TAU).sin_cos();
        sine += s;
        cosine += c;
    }
    let n = values.len() as f64;
    (n > 0.0 && sine.hypot(cosine) > 0.3 * n).then(|| (sine.atan2(cosine) / TAU * length).rem_euclid(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(utc_offset_s: i32) -> Window {
        Window { start_s: 0.0, end_s: 1e5, resolution_s: 0.01, booted_unix_s: 1_000_000_020.0, utc_offset_s }
    }

    fn phase(first: f64, period: f64, utc_offset_s: i32) -> Option<f64> {
        let times: Vec<f64> = (0..20).map(|k| first + f64::from(k) * period).collect();
        standing(&times, &Timing { period, period_error: period * 1e-5, jitter: 0.0 }, &window(utc_offset_s))
    }

    /// Unix 1,000,000,020 is 01:47:00 UTC.
    #[test]
    fn phase_is_the_local_second_of_the_minute_hour_and_day() {
        let near =
            |got: Option<f64>, want: f64| assert!((got.unwrap() - want).abs() < 1e-3, "{got:?} {want}");
        near(phase(0.0, 60.0, 0), 0.0);
        near(phase(7.5, 60.0, 0), 7.5);
        near(phase(0.0, 3_600.0, 0), 47.0 * 60.0);
        near(phase(0.0, 3_600.0, 19_800), 17.0 * 60.0);
        near(phase(0.0, 86_400.0, 19_800), 7.0 * 3_600.0 + 17.0 * 60.0);
    }

    #[test]
    fn a_period_that_divides_nothing_has_no_phase() {
        assert_eq!(phase(0.0, 0.7, 0), None);
        assert_eq!(phase(0.0, 420.0, 0), None);
        assert_eq!(phase(0.0, 60.5, 0), None);
    }

    #[test]
    fn a_drifting_train_has_no_phase() {
        let times: Vec<f64> = (0..2_000).map(|k| f64::from(k) * 60.005).collect();
        let timing = Timing { period: 60.005, period_error: 1e-5, jitter: 0.0 };
        assert_eq!(standing(&times, &timing, &window(0)), None);
    }
}
