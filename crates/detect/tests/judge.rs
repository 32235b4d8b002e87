//! The judge's statistics against SciPy's answers (fixtures/judge.py), and that no series breaks it.

use detect::judge::{Context, LEAST_SAMPLES, Series, Tracker, Unit, drift, judge, replay};
use detect::stats::{Line, median, poisson_interval, quantile, standard_deviation, theil_sen};
use model::State;
use proptest::prelude::*;
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/judge.json")).expect("the fixture")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

#[track_caller]
fn near(got: f64, want: &Value, within: f64, what: &str) {
    let want = want.as_f64().expect("a number");
    assert!((got - want).abs() <= within * want.abs().max(1e-3), "{what}: {got} for {want}");
}

#[test]
fn statistics_agree_with_scipy() {
    let fixture = fixture();
    let cases = fixture["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 40);
    for case in cases {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let line = Line::fit(&x, &y).expect("a line");
        near(line.slope, &case["slope"], 1e-9, "slope");
        near(line.intercept, &case["intercept"], 1e-8, "intercept");
        near(line.slope_error, &case["slope_error"], 1e-9, "error of the slope");
        near(median(&y).expect("a median"), &case["median"], 1e-12, "median");
        near(quantile(&y, 0.9).expect("a quantile"), &case["q90"], 1e-12, "quantile");
        near(standard_deviation(&y), &case["sd"], 1e-12, "deviation");
        let points: Vec<(f64, f64)> = x.into_iter().zip(y.iter().copied()).collect();
        let robust = theil_sen(&points).expect("a slope");
        near(robust.slope, &case["theil"], 1e-9, "Theil–Sen");
        // SciPy rounds the ends' ranks otherwise: a few slopes apart, of hundreds.
        let (low, high) = (case["theil_low"].as_f64().unwrap(), case["theil_high"].as_f64().unwrap());
        let apart = 0.2 * (high - low);
        assert!((robust.low - low).abs() <= apart, "low end {} for {low}", robust.low);
        assert!((robust.high - high).abs() <= apart, "high end {} for {high}", robust.high);
        near(drift(&y, 0.0), &case["drift"], 1e-6, "drift");
    }
    for case in fixture["poisson"].as_array().expect("counts") {
        let (low, high) = poisson_interval(case["count"].as_u64().expect("a count"));
        near(low, &case["low"], 2e-3, "Poisson, low");
        near(high, &case["high"], 2e-3, "Poisson, high");
    }
}

fn wild() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let value = prop_oneof![
        8 => -1e12_f64..1e12,
        2 => (0_u32..50).prop_map(f64::from),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(1e300), Just(-0.0), Just(5e-324)],
    ];
    let gap =
        prop_oneof![8 => 0.1_f64..100.0, 1 => Just(0.0), 1 => Just(-5.0), 1 => Just(1e9), 1 => Just(1e-9)];
    proptest::collection::vec((gap, value), 0..400).prop_map(|steps| {
        let mut at = 0.0;
        steps
            .into_iter()
            .map(|(gap, value)| {
                at += gap;
                (at, value)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_series_breaks_it(points in wild(), counts: bool) {
        let unit = if counts { Unit::Count } else { Unit::Bytes };
        let series = Series::new(&points, unit);
        let verdict = judge(&series, &Context { limit: Some(1e13), ..Context::default() });
        prop_assert!(!verdict.why.is_empty());
        prop_assert_eq!(verdict.state == State::Learning, verdict.samples < LEAST_SAMPLES || verdict.window_s <= 0.0);
        let watched = replay(&series, 10.0);
        prop_assert!(watched.bytes() <= 5_120, "{} bytes", watched.bytes());
        let verdict = watched.verdict(&Context::default());
        prop_assert!(!verdict.why.is_empty());
        prop_assert!(verdict.rate_per_s.is_none_or(f64::is_finite));
    }

    /// Asking in between changes nothing: what is replayed is what was seen live.
    #[test]
    fn looking_does_not_change_what_is_seen(points in wild()) {
        let mut asked = Tracker::new(Unit::Count, 10.0);
        for &(at, value) in &points {
            asked.push(at, value);
            let _ = asked.verdict(&Context::default());
        }
        let quiet = replay(&Series::new(&points, Unit::Count), 10.0);
        prop_assert_eq!(asked.verdict(&Context::default()), quiet.verdict(&Context::default()));
    }

    /// Another unit of time or a level added leave the state as it is.
    #[test]
    fn a_line_is_a_leak_at_any_scale(rise in 0.1_f64..2.0, interval in 0.1_f64..1e4, level in 1e8_f64..1e10) {
        let points: Vec<(f64, f64)> =
            (0..200).map(|k| (f64::from(k) * interval, level * (1.0 + rise * f64::from(k) / 200.0))).collect();
        let verdict = judge(&Series::new(&points, Unit::Bytes), &Context::default());
        prop_assert_eq!(verdict.state, State::Leak, "{}", verdict.why);
        let rate = level * rise / 200.0 / interval;
        prop_assert!((verdict.rate_per_s.unwrap() / rate - 1.0).abs() < 0.02);
    }
}

fn rising() -> Vec<(f64, f64)> {
    (0..360).map(|k| (f64::from(k) * 10.0, 1e9 + 1e6 * f64::from(k) + f64::from(k % 7) * 1e5)).collect()
}

#[test]
fn what_is_known_decides_what_the_series_cannot() {
    let points = rising();
    let series = Series::new(&points, Unit::Bytes);
    let state = |context: &Context| judge(&series, context).state;
    assert_eq!(state(&Context::default()), State::Leak);
    assert_eq!(state(&Context { maximum: Some(2e9), ..Context::default() }), State::Growing);
    assert_eq!(state(&Context { maximum: Some(1.36e9), ..Context::default() }), State::WarmUp, "full");
    assert_eq!(state(&Context { maximum: Some(1.2e9), ..Context::default() }), State::Leak, "no bound");
    let exact = Context { maximum: Some(2e9), floor_is_exact: true, ..Context::default() };
    assert_eq!(state(&exact), State::Leak, "after full collections");

    let yesterday: Vec<(f64, f64)> = points.iter().map(|(at, value)| (*at, value - 5e6)).collect();
    assert_eq!(state(&Context { yesterday: &yesterday, ..Context::default() }), State::Periodic);
    let quiet: Vec<(f64, f64)> = points.iter().map(|(at, _)| (*at, 1e9)).collect();
    assert_eq!(state(&Context { yesterday: &quiet, ..Context::default() }), State::Leak);
    let load: Vec<(f64, f64)> = points.iter().map(|(at, _)| (*at, 100.0 + at / 50.0)).collect();
    assert_eq!(state(&Context { load: &load, ..Context::default() }), State::Periodic);
    assert_eq!(state(&Context { load: &quiet, ..Context::default() }), State::Leak);
}

#[test]
fn growth_that_a_deploy_ended_has_stopped() {
    let points: Vec<(f64, f64)> = (0..360)
        .map(|k| (f64::from(k) * 10.0, 1e9 + 2e6 * f64::from(k.min(180)) + f64::from(k % 5) * 2e5))
        .collect();
    let series = Series::new(&points, Unit::Bytes);
    assert_eq!(judge(&series, &Context::default()).state, State::WarmUp);
    let deploys = [(1_800.0, "deploy 7")];
    let verdict = judge(&series, &Context { changes: &deploys, ..Context::default() });
    assert_eq!(verdict.state, State::Stopped);
    assert_eq!(verdict.why, "grew until deploy 7, and no more since");
}

#[test]
fn a_watched_leak_stops_when_it_is_mended() {
    let mut tracker = Tracker::new(Unit::Count, 5.0);
    let count = |at: f64| 40.0 + (at.min(3_600.0) / 60.0).floor();
    let mut named = None;
    for k in 0..8_000 {
        let at = f64::from(k) * 5.0;
        tracker.push(at, count(at));
        if named.is_none() && tracker.state() == State::Leak {
            named = Some(at);
        }
    }
    assert!(named.is_some_and(|at| at <= 480.0), "{named:?}");
    assert_eq!(tracker.state(), State::Stopped, "{:?}", tracker.verdict(&Context::default()));
    assert_eq!(tracker.verdict(&Context::default()).state, State::Stopped);
}
