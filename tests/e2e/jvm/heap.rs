//! What grows on the heap, named by class; and heaps that only look as if they grew.

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, need};

/// A small young generation is collected often: between looks, too.
fn small(command: &mut std::process::Command) {
    command.env("JOPTS", "-Xms64m -Xmx256m -Xmn1m -XX:+UseSerialGC");
}

#[track_caller]
fn heap(leaker: &Leaker, seconds: &str) -> (i32, Value) {
    let flatfoot = Flatfoot::new();
    let (code, said) = flatfoot.json(&["heap", &leaker.arg(), "--for", seconds, "--looks", "6"]);
    assert_eq!(said["schema"], "flatfoot.heap/1");
    assert_eq!(said["impact"]["level"], "attach");
    assert!(said["impact"]["longest_pause_s"].as_f64() > Some(0.0), "{said:#}");
    (code, said)
}

fn kinds(said: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = said["findings"].as_array().cloned().unwrap_or_default();
    findings.iter().map(|finding| (text(&finding["kind"]), text(&finding["subject"]))).collect()
}

#[track_caller]
fn is_found(leaker: &Leaker, kind: &str, subject: &str) -> Value {
    let (code, said) = heap(leaker, "12s");
    assert_eq!(kinds(&said), [(kind.to_owned(), subject.to_owned())], "{said:#}");
    assert!(code == 3 || code == 1, "{code}");
    said
}

#[test]
fn java_objects_in_a_static_map() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::with("run-java.sh", &["heap", "100", "64K"], small);
    let said = is_found(&leaker, "java-heap-leak", "leakcase.Memory$Session");
    let first = &said["types"][0];
    assert_eq!(first["name"], "leakcase.Memory$Session");
    assert_eq!(first["suspect"], true);
    // 64 of them each 0.1 s.
    let rate = first["live_per_s"].as_f64().expect("a rate");
    assert!((rate / 640.0 - 1.0).abs() < 0.1, "{rate}");
}

#[test]
fn java_objects_in_thread_locals() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::with("run-java.sh", &["threadlocal", "50", "16K"], small);
    is_found(&leaker, "java-heap-leak", "leakcase.Memory$Trail");
}

#[test]
fn java_class_loaders_that_stay() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::start("run-java.sh", &["metaspace", "400"]);
    is_found(&leaker, "metaspace-leak", "leakcase.Redeploy$AppLoader");
}

#[test]
fn java_direct_buffers_with_what_holds_them() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::with("run-java.sh", &["direct-buffers", "100", "64K"], |command| {
        // Young collections come from other garbage: each buffer is a small object.
        command.env("JOPTS", "-Xms16m -Xmx64m -XX:NewSize=1m -XX:MaxNewSize=1m -XX:MaxDirectMemorySize=256m");
    });
    let (_, said) = heap(&leaker, "12s");
    let holders = said["types"].to_string();
    assert!(holders.contains("leakcase.Memory$Upload"), "{said:#}");
    // Without collections nothing may be claimed; with them it is.
    if said["collections"].as_u64() >= Some(2) {
        assert_eq!(
            kinds(&said),
            [("direct-buffer-leak".to_owned(), "direct buffers".to_owned())],
            "{said:#}"
        );
    } else {
        assert_eq!(kinds(&said), []);
    }
}

#[track_caller]
fn is_silent(args: &[&str], word: &str, options: &str) {
    let mut leaker = Leaker::with("run-java.sh", args, |command| {
        command.env("JOPTS", options);
    });
    leaker.line(word, 90.0);
    let (code, said) = heap(&leaker, "8s");
    assert_eq!(kinds(&said), [], "{options}: {said:#}");
    assert_eq!(code, 0);
}

#[test]
fn a_java_heap_under_load_is_silent_with_each_collector() {
    need!("java", "/usr/share/java/quartz2.jar");
    for collector in ["G1", "Parallel", "Serial", "Z", "Shenandoah"] {
        let options = format!("-Xms96m -Xmx96m -XX:+Use{collector}GC");
        is_silent(&["load", "40", "24"], "steady", &options);
    }
}

#[test]
fn a_full_java_cache_is_silent() {
    need!("java", "/usr/share/java/quartz2.jar");
    is_silent(&["cache", "5", "16K", "600"], "full", "-Xms64m -Xmx64m");
}

#[test]
fn java_redeployments_that_work_are_silent() {
    need!("java", "/usr/share/java/quartz2.jar");
    let options = "-Xms32m -Xmx64m -XX:MaxMetaspaceSize=24m";
    let leaker = Leaker::with("run-java.sh", &["redeploy", "200"], |command| {
        command.env("JOPTS", options);
    });
    let (_, said) = heap(&leaker, "10s");
    // Loaders come and go: what lies around between two collections is no leak.
    let found = kinds(&said);
    assert!(found.iter().all(|(kind, _)| kind != "java-heap-leak"), "{said:#}");
}
