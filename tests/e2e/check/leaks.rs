//! What leaks by the request, with exact counts.

use serde_json::json;

use crate::served::{REQUESTS, Served, only};

/// Five rounds of twelve requests, each of which leaks so many.
#[track_caller]
fn leaks(mode: &[&str], rule: &str, subject: &str, each: i64) {
    let served = Served::new();
    let (code, said) = served.json(&[], mode);
    assert_eq!(code, 23, "{said:#}");
    assert_eq!((&said["verdict"], &said["exit_code"]), (&json!("leak"), &json!(23)), "{said:#}");
    let leak = only(&said);
    assert_eq!((&leak["rule"], &leak["subject"]), (&json!(rule), &json!(subject)), "{leak:#}");
    let per_round = REQUESTS * each;
    assert_eq!(leak["per_round"], json!(vec![per_round as f64; 5]), "{leak:#}");
    let row = &said["table"][0]["values"];
    // Two rounds of warm-up came before.
    let before = row[0].as_f64().expect("a baseline");
    assert!(before >= 2.0 * per_round as f64, "{row}");
    assert_eq!(row[5], json!(before + 5.0 * per_round as f64), "{row}");
    let summary = leak["summary"].as_str().expect("a sentence");
    assert!(summary.starts_with(&format!("{per_round} more ")), "{summary}");
    assert!(summary.ends_with("after each round"), "{summary}");
}

#[test]
fn threads_by_pattern() {
    leaks(&["thread"], "thread", "pool-*-thread-1", 1);
}

#[test]
fn threads_without_a_name_of_their_own() {
    leaks(&["thread", "server"], "thread", "server", 1);
}

#[test]
fn descriptors_by_kind() {
    leaks(&["fd"], "descriptor", "file", 1);
    leaks(&["pipe"], "descriptor", "pipe", 2);
}

#[test]
fn children_alive_and_dead() {
    leaks(&["child"], "child", "server", 1);
    leaks(&["zombie"], "child", "server", 1);
}

#[test]
fn heap_by_the_round() {
    let served = Served::new();
    let (code, said) = served.json(&[], &["heap", "65536"]);
    assert_eq!(code, 23, "{said:#}");
    let leak = only(&said);
    assert_eq!((&leak["rule"], &leak["subject"]), (&json!("memory"), &json!("native-heap")), "{leak:#}");
    assert_eq!(leak["kind"], "native-heap-leak");
    let total = leak["total"].as_f64().expect("bytes");
    let leaked = (5 * REQUESTS * 65_536) as f64;
    assert!((total - leaked).abs() < 0.1 * leaked, "{total} of {leaked}");
}

#[test]
fn the_sample_of_the_manual() {
    let served = Served::new();
    let run = served.check(&[], &["thread"]);
    assert_eq!(run.status, 23, "{run:#?}");
    assert!(run.lines().contains(&"FAIL thread leak: 12 more pool-*-thread-1 after each round"), "{run:#?}");
    assert!(run.stdout.contains("ready pid="), "the server's own output is passed on: {run:#?}");
    assert!(run.stdout.contains("\nWATCHED "), "{run:#?}");
}

#[test]
fn under_parallel_work() {
    let served = Served::new();
    let work = served.asking(REQUESTS, 4);
    let (code, said) = served.json(&["--work", &work, "--rounds", "3"], &["thread"]);
    assert_eq!(code, 23, "{said:#}");
    assert_eq!(only(&said)["per_round"], json!([12.0, 12.0, 12.0]), "{said:#}");
    assert_eq!(said["rules_not_judged"], json!(["memory"]), "three rounds are too few for it: {said:#}");
}

#[test]
fn a_server_behind_a_wrapper() {
    let served = Served::new();
    let script = format!("{} {} thread; exit 0", Served::program(), served.socket());
    let mut args = served.args(&["--json", "--rounds", "3"], &[]);
    let at = args.iter().position(|arg| arg == "--").expect("--");
    args.truncate(at + 1);
    args.extend(["sh".to_owned(), "-c".to_owned(), script]);
    let run = served.flatfoot.run(&args);
    served.nobody_is_left();
    let said = run.json();
    assert_eq!(run.status, 23, "{said:#}");
    assert_eq!(only(&said)["process"]["name"], "server", "{said:#}");
    assert_eq!(said["process"]["name"], "sh", "{said:#}");
}

#[test]
fn too_few_rounds_are_not_judged() {
    let served = Served::new();
    let (code, said) = served.json(&["--rounds", "2"], &["thread"]);
    assert_eq!(code, 0, "{said:#}");
    assert_eq!(said["rules_not_judged"], json!(["thread", "descriptor", "child", "memory"]), "{said:#}");
    let why = said["not_judged"].to_string();
    assert!(why.contains("12 more pool-*-thread-1 after each round: 3 rounds decide"), "{why}");
}
