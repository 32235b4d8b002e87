//! What may grow.

use serde_json::json;

use crate::served::{Served, only};

fn listed(text: &str) -> (Served, String) {
    let served = Served::new();
    let file = served.file("leaks.allow");
    std::fs::write(&file, text).expect("a list");
    let path = file.display().to_string();
    (served, path)
}

#[test]
fn what_is_listed_passes_and_what_nothing_needed_is_named() {
    let (served, list) = listed("# of ours\nthread pool-*  # elastic\nchild sh\n");
    let (code, said) = served.json(&["--allow", &list], &["thread"]);
    assert_eq!((code, &said["verdict"]), (0, &json!("pass")), "{said:#}");
    assert_eq!(said["allowed"][0]["summary"], "12 more pool-*-thread-1 after each round", "{said:#}");
    assert_eq!(said["allowed"][0]["by"], format!("{list}:2 (thread pool-*)"));
    assert_eq!(said["unused_allowances"], json!([format!("{list}:3 (child sh)")]), "{said:#}");
}

#[test]
fn more_than_is_listed_fails() {
    let (served, list) = listed("thread pool-*-thread-1 <= 59\n");
    let run = served.check(&["--allow", &list], &["thread"]);
    assert_eq!(run.status, 23, "{run:#?}");
    assert!(
        run.stdout.contains(&format!("more than {list}:1 (thread pool-*-thread-1 <= 59) allows: 60 in all")),
        "{run:#?}"
    );
    let (served, list) = listed("thread pool-*-thread-1 <= 12/round\n");
    assert_eq!(served.check(&["--allow", &list], &["thread"]).status, 0);
}

#[test]
fn memory_by_the_round() {
    let (served, list) = listed("memory native-heap <= 1MiB/round\n");
    let (code, said) = served.json(&["--allow", &list], &["heap", "65536"]);
    assert_eq!(code, 0, "{said:#}");
    let (served, list) = listed("memory native-heap <= 500KiB/round\n");
    let (code, said) = served.json(&["--allow", &list], &["heap", "65536"]);
    assert_eq!(code, 23, "{said:#}");
    assert!(only(&said)["allowed_less"].as_str().is_some_and(|by| by.contains(":1 ")), "{said:#}");
}

#[test]
fn an_error_names_its_line_before_anything_is_started() {
    let (served, list) = listed("thread x\n\nthread y <= lots\n");
    let run = served.check(&["--allow", &list], &["thread"]);
    assert_eq!(run.status, 125, "{run:#?}");
    assert_eq!(run.stdout, "", "{run:#?}");
    assert!(run.stderr.starts_with(&format!("error: {list}:3: no bound \"lots\"\n hint: ")), "{run:#?}");
    assert!(!served.file("socket").exists(), "nothing was started");
}
