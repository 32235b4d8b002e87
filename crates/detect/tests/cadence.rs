//! How often the cadence is right, and how often it is seen where there is none: counted over generated
//! births, 1,000 seeds a scenario. The thresholds are the product's promises; `--no-capture` prints the counts.

#![allow(clippy::print_stdout)] // the counts are for a reader of --no-capture

mod common;

use common::Rng;
use detect::cadence::{Window, report};
use detect::eta::rate_from_births;
use model::{BirthKind, CadenceReport};

const SEEDS: u64 = 1_000;

/// Births as /proc tells them: sorted, cut to ticks of 10 ms, inside the window.
fn observed(mut births: Vec<f64>, start_s: f64, end_s: f64) -> (Vec<f64>, Window) {
    births.retain(|birth| (start_s..=end_s).contains(birth));
    for birth in &mut births {
        *birth = (*birth * 100.0).floor() / 100.0;
    }
    births.sort_by(f64::total_cmp);
    let window =
        Window { start_s, end_s, resolution_s: 0.01, booted_unix_s: 1_354_000_000.37, utc_offset_s: 3_600 };
    (births, window)
}

/// Counts over all seeds in how many the scenario's outcome is as wanted.
fn count(name: &str, mut wanted: impl FnMut(&mut Rng) -> bool) -> u64 {
    let good = (0..SEEDS).filter(|&seed| wanted(&mut Rng::new(name, seed))).count() as u64;
    println!("{name}: {good} of {SEEDS}");
    good
}

/// A fixed-rate train: each beat deviates from the grid by itself.
fn fixed_rate(rng: &mut Rng, start_s: f64, period: f64, beats: u64, jitter: f64) -> Vec<f64> {
    (0..beats).map(|k| start_s + period * (k as f64 + jitter * rng.normal())).collect()
}

/// A fixed-delay train: each beat follows the one before, deviations add up.
fn fixed_delay(rng: &mut Rng, start_s: f64, period: f64, beats: u64, jitter: f64) -> Vec<f64> {
    let mut time = start_s;
    (0..beats)
        .map(|_| {
            time += period * (1.0 + jitter * rng.normal()).max(0.2);
            time
        })
        .collect()
}

fn poisson(rng: &mut Rng, from: f64, to: f64, mean_gap: f64) -> Vec<f64> {
    let mut births = Vec::new();
    let mut time = from + rng.exponential(mean_gap);
    while time < to && births.len() < 20_000 {
        births.push(time);
        time += rng.exponential(mean_gap);
    }
    births
}

fn has_period(report: &CadenceReport, period: f64, within: f64) -> bool {
    report.kind == BirthKind::Regular
        && report.cadences.iter().any(|train| (train.period_s / period - 1.0).abs() <= within)
}

/// One train, that period, nearly everything explained.
fn is_just(report: &CadenceReport, period: f64, within: f64) -> bool {
    has_period(report, period, within) && report.cadences.len() == 1 && report.explained > 0.9
}

#[test]
fn steady_trains_from_a_twentieth_of_a_second_to_a_day() {
    let right = count("fixed rate, 1 % jitter", |rng| {
        let period = rng.log_between(0.05, 86_400.0);
        let start = rng.between(10.0, 1e6);
        let beats = rng.whole(20, 300);
        let first = start + rng.unit() * period;
        let births = fixed_rate(rng, first, period, beats, 0.01);
        let (births, window) = observed(births, start, start + period * (beats as f64 + 1.0));
        is_just(&report(&births, &window), period, 0.005)
    });
    assert!(right >= 990, "{right}");
}

/// Jitter uniform in ±1 %. The period of five beats can be known to 0.18 % (one standard error) then.
#[test]
fn five_births_are_enough() {
    let right = count("five births, ±1 %", |rng| {
        let period = rng.log_between(1.0, 86_400.0);
        let start = rng.between(10.0, 1e6);
        let births: Vec<f64> =
            (0..5).map(|k| start + period * (f64::from(k) + 0.5 + rng.between(-0.01, 0.01))).collect();
        let (births, window) = observed(births, start, start + 5.2 * period);
        is_just(&report(&births, &window), period, 0.005)
    });
    assert!(right >= 970, "{right}");
}

/// Jitter normal with σ = 1 %. Five such beats give the period's slope a standard error of 0.32 %, so no
/// method is within 0.5 % more often than 89 %; within three standard errors (0.95 %) it must be.
#[test]
fn five_births_with_normal_jitter_are_recognised() {
    let mut close = 0;
    let right = count("five births, σ 1 %", |rng| {
        let period = rng.log_between(1.0, 86_400.0);
        let start = rng.between(10.0, 1e6);
        let births = fixed_rate(rng, start + 0.5 * period, period, 5, 0.01);
        let (births, window) = observed(births, start, start + 5.2 * period);
        let found = report(&births, &window);
        close += u64::from(is_just(&found, period, 0.005));
        is_just(&found, period, 0.0095)
    });
    println!("  of these within 0.5 %: {close}");
    assert!(right >= 970, "{right}");
    assert!(close >= 850, "{close}");
}

#[test]
fn fixed_delay_with_a_wandering_phase() {
    let right = count("fixed delay, 1–15 % jitter", |rng| {
        let period = rng.log_between(0.2, 3_600.0);
        let jitter = rng.between(0.01, 0.15);
        let start = rng.between(10.0, 1e6);
        let beats = rng.whole(20, 400);
        let births = fixed_delay(rng, start, period, beats, jitter);
        let end = births[births.len() - 1] + 0.5 * period;
        let (births, window) = observed(births, start, end);
        let found = report(&births, &window);
        // The mean of n intervals is known to jitter/√n.
        let within = (3.5 * jitter / (beats as f64).sqrt()).max(0.005);
        has_period(&found, period, within) && found.explained > 0.8
    });
    assert!(right >= 970, "{right}");
}

#[test]
fn missing_beats_and_strays() {
    let right = count("15 % missing, 15 % strays", |rng| {
        let period = rng.log_between(0.5, 3_600.0);
        let beats = rng.whole(20, 300);
        let end = 100.0 + period * beats as f64;
        let mut births = fixed_rate(rng, 100.0, period, beats, 0.01);
        births.retain(|_| !rng.chance(0.15));
        births.extend(poisson(rng, 100.0, end, period / 0.15));
        let (births, window) = observed(births, 90.0, end);
        has_period(&report(&births, &window), period, 0.005)
    });
    assert!(right >= 980, "{right}");
}

#[test]
fn a_minute_and_a_quarter_of_an_hour_mixed() {
    let right = count("60 s + 900 s", |rng| {
        let beats = rng.whole(75, 1_500);
        let end = 500.0 + 60.0 * beats as f64;
        // Half of them share the second, as crontabs do; the others have phases of their own.
        let offset = if rng.chance(0.5) { 0.0 } else { rng.between(0.0, 60.0) };
        let lead = 60.0 * rng.whole(0, 14) as f64;
        let slow = (end - 500.0 - offset - lead) / 900.0;
        let mut births = fixed_rate(rng, 500.0, 60.0, beats, 0.001);
        births.extend(fixed_rate(rng, 500.0 + offset + lead, 900.0, slow as u64 + 1, 0.0001));
        let (births, window) = observed(births, 400.0, end);
        let found = report(&births, &window);
        has_period(&found, 60.0, 0.005) && has_period(&found, 900.0, 0.005) && found.explained > 0.95
    });
    assert!(right >= 970, "{right}");
}

#[test]
fn several_births_at_each_beat() {
    let right = count("2 to 8 births a beat", |rng| {
        let period = rng.log_between(2.0, 3_600.0);
        let beats = rng.whole(8, 200);
        let each = rng.whole(2, 8);
        let mut births = Vec::new();
        for beat in fixed_rate(rng, 50.0, period, beats, 0.002) {
            for _ in 0..each {
                births.push(beat + rng.between(0.0, 0.03));
            }
        }
        let (births, window) = observed(births, 10.0, 50.0 + period * beats as f64);
        let found = report(&births, &window);
        is_just(&found, period, 0.005)
            && (found.cadences[0].per_event - each as f64).abs() < 0.2
            && found.cadences[0].events.abs_diff(beats) <= 1
    });
    assert!(right >= 970, "{right}");
}

#[test]
fn the_issues_own_periods() {
    for (period, beats) in [(1.0, 20), (2.0, 10), (60.0, 1_550), (0.5, 10), (0.7, 1_000), (5.001, 400)] {
        let right = count(&format!("{period} s, {beats} births"), |rng| {
            let start = 1_000.0 + rng.unit();
            // A timer's lateness: mostly a few milliseconds, sometimes many.
            let births: Vec<f64> =
                (0..beats).map(|k| start + period * f64::from(k) + rng.exponential(0.004)).collect();
            let end = start + period * f64::from(beats);
            let (births, window) = observed(births, start - rng.between(0.5, 9.0), end);
            is_just(&report(&births, &window), period, 0.005)
        });
        assert!(right >= 995, "{period}: {right}");
    }
}

/// Each minute in office hours: pauses don't hide it.
#[test]
fn office_hours() {
    let right = count("each minute from 9 to 17", |rng| {
        let days = rng.whole(2, 6);
        let mut births = Vec::new();
        for day in 0..days {
            for minute in 0..480 {
                births.push(86_400.0 * day as f64 + 60.0 * f64::from(minute) + 3e5 + rng.exponential(0.02));
            }
        }
        let (births, window) = observed(births, 2.9e5, 3e5 + 86_400.0 * (days - 1) as f64 + 29_000.0);
        is_just(&report(&births, &window), 60.0, 0.001)
    });
    assert!(right >= 990, "{right}");
}

/// After threads of its own start-up, the leak begins, perhaps late in the process's life.
#[test]
fn a_leak_that_began_late() {
    let right = count("late beginning", |rng| {
        let period = rng.log_between(1.0, 600.0);
        let beats = rng.whole(12, 200);
        let begin = 1_000.0 + period * rng.between(1.0, 500.0);
        let mut births: Vec<f64> = (0..rng.whole(0, 6)).map(|_| 1_000.0 + rng.exponential(2.0)).collect();
        births.extend(fixed_rate(rng, begin, period, beats, 0.01));
        let (births, window) = observed(births, 999.0, begin + period * beats as f64);
        has_period(&report(&births, &window), period, 0.005)
    });
    assert!(right >= 970, "{right}");
}

fn false_cadences(name: &str, mut births: impl FnMut(&mut Rng) -> (Vec<f64>, f64, f64)) {
    let mut kinds = [0_u64; 3];
    let wrong = count(name, |rng| {
        let (births, start, end) = births(rng);
        let (births, window) = observed(births, start, end);
        let found = report(&births, &window);
        match found.kind {
            BirthKind::TooFew => kinds[0] += 1,
            BirthKind::Irregular => kinds[1] += 1,
            BirthKind::Burst => kinds[2] += 1,
            BirthKind::Regular => {}
        }
        if found.kind == BirthKind::Regular {
            println!("  {} births: {:?}", births.len(), found.cadences);
        }
        found.kind == BirthKind::Regular
    });
    println!("  too few {}, irregular {}, burst {}", kinds[0], kinds[1], kinds[2]);
    assert!(wrong * 200 <= SEEDS, "{name}: {wrong} of {SEEDS} false cadences");
}

#[test]
fn poisson_births_have_no_cadence() {
    for (low, high) in [(5, 8), (9, 20), (21, 100), (101, 400)] {
        false_cadences(&format!("Poisson, {low} to {high} births"), |rng| {
            let wanted = rng.whole(low, high) as f64;
            let mean_gap = rng.log_between(0.1, 3_600.0);
            let end = 100.0 + wanted * mean_gap;
            (poisson(rng, 100.0, end, mean_gap), 100.0, end)
        });
    }
}

#[test]
fn dense_poisson_births_have_no_cadence() {
    false_cadences("Poisson, every 2 to 100 ms", |rng| {
        let mean_gap = rng.log_between(0.002, 0.1);
        let end = 100.0 + rng.between(100.0, 1_000.0) * mean_gap;
        (poisson(rng, 100.0, end, mean_gap), 100.0, end)
    });
}

#[test]
fn a_pool_that_grew_has_no_cadence() {
    false_cadences("pool started in a loop", |rng| {
        let each = rng.log_between(0.0001, 0.03);
        let mut time = 100.0 + rng.between(0.1, 20.0);
        let births: Vec<f64> = (0..rng.whole(5, 300))
            .map(|_| {
                time += each * rng.between(0.5, 2.0);
                time
            })
            .collect();
        (births, 100.0, time + rng.log_between(5.0, 1e5))
    });
    false_cadences("pool grown by demand", |rng| {
        let first = 100.0 + rng.between(0.1, 20.0);
        let mean_gap = rng.log_between(0.01, 2.0);
        let births: Vec<f64> = poisson(rng, first, first + 1_000.0, mean_gap)
            .into_iter()
            .take(rng.whole(5, 200) as usize)
            .collect();
        let end = births[births.len() - 1] + rng.log_between(1.0, 1e5);
        (births, 100.0, end)
    });
    false_cadences("pools grown in several bursts", |rng| {
        let end = 100.0 + rng.log_between(60.0, 1e5);
        let mut births = Vec::new();
        for _ in 0..rng.whole(2, 12) {
            let mut time = rng.between(100.0, end);
            let each = rng.log_between(0.0005, 0.1);
            for _ in 0..rng.whole(1, 30) {
                time += rng.exponential(each);
                births.push(time);
            }
        }
        (births, 100.0, end)
    });
}

/// Workers live until they were idle for a while; load comes in waves. Only survivors are seen.
#[test]
fn elastic_pools_have_no_cadence() {
    false_cadences("elastic pool", |rng| {
        let end = 100.0 + rng.log_between(60.0, 20_000.0);
        let mean_gap = (end - 100.0) / rng.between(30.0, 1_000.0);
        let (wave, phase, depth) =
            ((end - 100.0) / rng.between(1.5, 20.0), rng.unit(), rng.between(0.2, 1.0));
        let life = rng.log_between(0.02, 1.0) * (end - 100.0);
        let mut births = poisson(rng, 100.0, end, mean_gap);
        births.retain(|birth| {
            let load = 0.5 + 0.5 * (std::f64::consts::TAU * (birth / wave + phase)).sin();
            rng.chance(1.0 - depth + depth * load) && birth + rng.exponential(life) > end
        });
        (births, 100.0, end)
    });
}

/// Births that decelerate: a pool that warms up.
#[test]
fn a_warming_pool_has_no_cadence() {
    false_cadences("warming pool", |rng| {
        let life = rng.log_between(10.0, 1e5);
        let tau = life * rng.between(0.02, 0.5);
        let births = (0..rng.whole(5, 200)).map(|_| 100.0 + rng.exponential(tau)).collect();
        (births, 100.0, 100.0 + life)
    });
}

#[test]
fn births_faster_than_the_ticks_are_known_by_their_rate_only() {
    let right = count("each 5 to 30 ms", |rng| {
        let period = rng.log_between(0.005, 0.03);
        let beats = rng.whole(400, 3_000);
        let births = fixed_delay(rng, 100.0, period, beats, 0.02);
        let end = births[births.len() - 1] + period;
        let (births, window) = observed(births, 99.0, end);
        let found = report(&births, &window);
        is_just(&found, period, 0.02) && found.cadences[0].phase_s.is_none()
    });
    assert!(right >= 970, "{right}");
}

#[test]
fn bursts_are_called_bursts() {
    let right = count("burst", |rng| {
        let life = rng.log_between(100.0, 1e6);
        let births = (0..rng.whole(8, 200)).map(|_| 102.0 + rng.exponential(0.01 * life)).collect();
        let (births, window) = observed(births, 100.0, 100.0 + life);
        report(&births, &window).kind == BirthKind::Burst
    });
    assert!(right >= 970, "{right}");
}

/// The rate's 95 % interval holds the true rate about as often as it says.
#[test]
fn the_rates_interval_holds_the_truth() {
    let held = count("interval, irregular births", |rng| {
        let mean_gap = rng.log_between(0.5, 600.0);
        let end = 100.0 + rng.between(10.0, 200.0) * mean_gap;
        let (births, window) = observed(poisson(rng, 100.0, end, mean_gap), 100.0, end);
        let rate = rate_from_births(&births, &window, &report(&births, &window));
        rate.is_none_or(|rate| (rate.low..=rate.high).contains(&mean_gap.recip()))
    });
    assert!(held >= 930, "{held}");
    let held = count("interval, fixed rate with missed beats", |rng| {
        let period = rng.log_between(1.0, 3_600.0);
        let (beats, lost) = (rng.whole(30, 300), rng.between(0.0, 0.2));
        let mut births = fixed_rate(rng, 100.0 + 0.1 * period, period, beats, 0.01);
        births.retain(|_| !rng.chance(lost));
        let (births, window) = observed(births, 90.0, 100.0 + period * beats as f64);
        let rate = rate_from_births(&births, &window, &report(&births, &window));
        let truth = (1.0 - lost) / period;
        // A share lost that is too small to show needs a hair of slack: no beat missed gives no error.
        rate.is_some_and(|rate| (rate.low * 0.99..=rate.high * 1.01).contains(&truth))
    });
    assert!(held >= 900, "{held}");
}
