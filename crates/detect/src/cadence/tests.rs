//! What a report says of plain cases, and that no input breaks it. How often it is right is counted in
//! tests/cadence.rs.

use proptest::prelude::*;

use super::*;

fn window(end_s: f64) -> Window {
    // 2012-11-27 07:06:40 UTC, in Paris.
    Window { start_s: 0.0, end_s, resolution_s: 0.01, booted_unix_s: 1_354_000_000.0, utc_offset_s: 3_600 }
}

fn train(first_s: f64, period_s: f64, beats: u32) -> Vec<f64> {
    (0..beats).map(|k| ((first_s + f64::from(k) * period_s) * 100.0).round() / 100.0).collect()
}

#[test]
fn the_founding_case_reads_as_a_crontab_would() {
    // The first full minute after boot is 20 s later.
    let births = train(20.03, 60.0, 1_550);
    let report = report(&births, &window(20.0 + 1_550.0 * 60.0));
    assert_eq!(report.kind, BirthKind::Regular);
    assert_eq!(report.explained, 1.0);
    let cadence = report.cadences[0];
    assert!((cadence.period_s - 60.0).abs() < 1e-6, "{cadence:?}");
    assert!(cadence.period_error_s < 1e-5 && cadence.jitter_s < 0.01, "{cadence:?}");
    assert!((cadence.phase_s.unwrap() - 0.03).abs() < 0.01, "{cadence:?}");
    assert_eq!((cadence.events, cadence.missed, cadence.per_event), (1_550, 0, 1.0));
}

#[test]
fn a_phase_in_the_hour_is_local() {
    // Boot was at :06:40 in each zone of whole hours; half an hour off moves the phase by as much.
    let births = train(1_000.0, 3_600.0, 12);
    let in_paris = window(50_000.0);
    let in_kolkata = Window { utc_offset_s: 19_800, ..in_paris };
    let phase = |window: &Window| report(&births, window).cadences[0].phase_s.unwrap();
    assert!((phase(&in_paris) - 1_400.0).abs() < 0.01);
    assert!((phase(&in_kolkata) - 3_200.0).abs() < 0.01);
}

#[test]
fn missed_beats_are_counted() {
    let mut births = train(50.0, 10.0, 40);
    for index in [30, 20, 19, 5] {
        births.remove(index);
    }
    let cadence = report(&births, &window(460.0)).cadences[0];
    assert_eq!((cadence.events, cadence.missed), (36, 4));
}

#[test]
fn one_in_fifteen_beats_may_belong_to_two_trains() {
    let mut births = train(60.0, 60.0, 120);
    births.extend(train(900.05, 900.0, 8));
    births.sort_by(f64::total_cmp);
    let report = report(&births, &window(7_300.0));
    let periods: Vec<u64> = report.cadences.iter().map(|train| train.period_s.round() as u64).collect();
    assert_eq!(periods, [60, 900]);
    assert_eq!(report.cadences.iter().map(|train| train.events).sum::<u64>(), 128);
    assert_eq!(report.explained, 1.0);
}

#[test]
fn four_births_are_too_few_and_two_hundred_at_once_are_a_burst() {
    assert_eq!(report(&train(1.0, 60.0, 4), &window(300.0)).kind, BirthKind::TooFew);
    assert_eq!(report(&[7.0; 200], &window(300.0)).kind, BirthKind::Burst);
    assert_eq!(report(&[], &window(300.0)).kind, BirthKind::TooFew);
    // Started one after the other in a loop: regular, but only a pool's growth.
    assert_eq!(report(&train(2.0, 0.1, 40), &window(300.0)).kind, BirthKind::Burst);
}

#[test]
fn a_train_that_ended_long_ago_is_regular_when_it_lasted() {
    let births = train(100.0, 60.0, 600);
    assert_eq!(report(&births, &window(200_000.0)).kind, BirthKind::Regular);
}

proptest! {
    /// Any birth times, in any order and of any size, give a report whose figures make sense.
    #[test]
    fn any_births_are_survived(
        births in prop::collection::vec(prop_oneof![
            any::<f64>(), 0.0..1e3_f64, (0_u32..50).prop_map(f64::from), Just(f64::MAX), Just(5.0),
        ], 0..200),
        start_s in any::<f64>(), end_s in any::<f64>(), resolution_s in any::<f64>(),
        booted_unix_s in any::<f64>(), utc_offset_s in any::<i32>(),
    ) {
        let window = Window { start_s, end_s, resolution_s, booted_unix_s, utc_offset_s };
        let report = report(&births, &window);
        prop_assert!((0.0..=1.0).contains(&report.explained));
        prop_assert_eq!(report.kind == BirthKind::Regular, !report.cadences.is_empty());
        let mut held = 0.0;
        for train in &report.cadences {
            prop_assert!(train.period_s > 0.0 && train.period_s.is_finite(), "{:?}", train);
            prop_assert!(train.period_error_s >= 0.0 && train.jitter_s >= 0.0, "{:?}", train);
            prop_assert!(train.phase_s.is_none_or(|phase| (0.0..=86_400.0).contains(&phase)), "{:?}", train);
            held += train.events as f64 * train.per_event;
        }
        prop_assert!(held <= births.len() as f64 + 1e-6);
    }

    /// Moving boot and the births together, or waiting a little, changes nothing.
    #[test]
    fn a_report_does_not_depend_on_when_the_host_was_booted(ticks in 0_u32..10_000_000, beats in 5_u32..60) {
        let shift = f64::from(ticks) / 100.0;
        let births = train(30.0, 7.5, beats);
        let moved: Vec<f64> = births.iter().map(|birth| birth + shift).collect();
        let end = 30.0 + 7.5 * f64::from(beats);
        let here = report(&births, &window(end));
        let there = report(&moved, &Window { start_s: shift, ..window(end + shift) });
        prop_assert_eq!(here.kind, there.kind);
        prop_assert!((here.cadences[0].period_s - there.cadences[0].period_s).abs() < 1e-6);
        prop_assert_eq!(here.cadences[0].events, there.cadences[0].events);
    }
}
