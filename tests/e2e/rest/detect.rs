//! flatfoot detect: any series, judged from a file or stdin.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Flatfoot;
use crate::support::flatfoot::{Run, collect};

/// 240 looks, 10 s apart.
fn csv(value: impl Fn(f64) -> f64) -> String {
    (0..240).fold("seconds,value\n".to_owned(), |mut text, k| {
        let _ = writeln!(text, "{},{}", k * 10, value(f64::from(k) * 10.0));
        text
    })
}

fn threads(at: f64) -> f64 {
    40.0 + (at / 60.0).floor()
}

fn detect(text: &str, args: &[&str]) -> Run {
    let flatfoot = Flatfoot::new();
    let mut all = vec!["detect", "-"];
    all.extend(args);
    let mut child = flatfoot.command(&all).stdin(Stdio::piped()).spawn().expect("flatfoot starts");
    let mut stdin = child.stdin.take().expect("its stdin");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    collect(&mut child)
}

#[test]
fn a_thread_a_minute_is_a_leak_with_its_cadence_and_its_end() {
    let run = detect(&csv(threads), &["--unit", "count", "--limit", "400", "--json"]);
    assert_eq!(run.status, 1, "{run:#?}");
    let said = run.json();
    assert_eq!((said["schema"].as_str(), said["state"].as_str()), (Some("flatfoot.detect/1"), Some("leak")));
    let rate = said["rate_per_s"].as_f64().expect("a rate");
    assert!((rate * 60.0 - 1.0).abs() < 0.02, "{said:#}");
    let (low, high) = (said["rate_interval"][0].as_f64(), said["rate_interval"][1].as_f64());
    assert!(low < Some(1.0 / 60.0) && high > Some(1.0 / 60.0), "{said:#}");
    let period = said["cadence"][0]["period_s"].as_f64().expect("a cadence");
    assert!((period - 60.0).abs() < 0.3, "{said:#}");
    // 79 of 400 are there, one more each minute.
    let eta = said["eta_s"].as_f64().expect("when it ends");
    assert!((eta / (321.0 * 60.0) - 1.0).abs() < 0.03, "{said:#}");
    let schema = Flatfoot::new().run(&["schema", "detect"]).json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&said), "{said:#}");

    let text = detect(&csv(threads), &["--unit", "count"]).stdout;
    assert!(text.starts_with("LEAK  -\n") && text.contains("one every 60.0 s"), "{text}");
}

#[test]
fn what_stays_is_flat_and_few_samples_are_not_judged() {
    let flat = detect(&csv(|_| 5e8), &["--json"]);
    assert_eq!((flat.status, &flat.json()["state"]), (0, &Value::from("flat")));
    let few = detect("0,1\n10,2\n20,3\n", &["--json"]);
    assert_eq!((few.status, &few.json()["state"]), (3, &Value::from("learning")));
    assert_eq!(few.json()["why"], "3 samples are too few to judge: 64 are needed, in 10 m 10 s");
}

#[test]
fn a_known_maximum_is_only_filled() {
    let filling = csv(|at| 1e8 + 1e5 * at);
    assert_eq!(detect(&filling, &["--json"]).json()["state"], "leak");
    let bounded = detect(&filling, &["--maximum", "1e9", "--json"]);
    assert_eq!((bounded.status, &bounded.json()["state"]), (3, &Value::from("growing")));
}

#[test]
fn several_series_are_a_line_each() {
    let values = |step: f64| -> Vec<Value> {
        (0..200).map(|k| serde_json::json!([1_354_000_000 + 10 * k, (1e9 + step * f64::from(k)).to_string()])).collect()
    };
    let answer = serde_json::json!({"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"job": "flat"}, "values": values(0.0)},
        {"metric": {"job": "leaks"}, "values": values(1e7)},
    ]}});
    let run = detect(&answer.to_string(), &["--json"]);
    assert_eq!(run.status, 1);
    let lines: Vec<Value> =
        run.lines().iter().map(|line| serde_json::from_str(line).expect("a document")).collect();
    let said: Vec<_> = lines.iter().map(|l| (l["labels"]["job"].as_str(), l["state"].as_str())).collect();
    assert_eq!(said, [(Some("flat"), Some("flat")), (Some("leaks"), Some("leak"))]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let wrong = detect("0,1\n10,much\n", &[]);
    assert_eq!(wrong.status, 5);
    assert!(wrong.stderr.contains("-:2: the value \"much\" is no number"), "{wrong:#?}");
    assert!(wrong.stderr.contains("hint:"), "{wrong:#?}");
    let flatfoot = Flatfoot::new();
    let missing = flatfoot.run(&["detect", "/nonexistent/series.csv"]);
    assert_eq!(missing.status, 5);
    assert!(missing.stderr.contains("/nonexistent/series.csv"), "{missing:#?}");
    assert_eq!(flatfoot.run(&["detect"]).status, 2, "no file");
    assert_eq!(flatfoot.run(&["detect", "-", "--limit", "-1"]).status, 2, "no limit");
}
