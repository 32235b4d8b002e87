//! What grows on the heap, named by class; and heaps that only look as if they grew.

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, need, wait_until};

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

fn holders<'a>(said: &'a Value, class: &str) -> &'a Value {
    let held = said["held"].as_array().map_or(&[][..], Vec::as_slice);
    held.iter().find(|one| one["class"] == class).unwrap_or_else(|| panic!("{class}: {said:#}"))
}

/// Watched with a walk at the end, kept, and opened again.
#[test]
fn java_objects_are_found_with_who_holds_them_also_in_a_case() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::with("run-java.sh", &["heap", "100", "64K"], small);
    let flatfoot = Flatfoot::new();
    let case = flatfoot.cases().with_file_name("kept.flatfoot");
    let file = case.to_str().expect("a plain path");
    let walk = ["--access", "agent", "--heap-walk", "--pause", "20s", "--for", "8s", "-o", file];
    let (code, said) = flatfoot.json(&[&["heap", &leaker.arg()][..], &walk].concat());
    assert_eq!(
        kinds(&said),
        [("java-heap-leak".to_owned(), "leakcase.Memory$Session".to_owned())],
        "{said:#}"
    );
    let path = "static leakcase.Memory.SESSIONS → java.util.HashMap.table → java.util.HashMap$Node[] → java.util.HashMap$Node.value";
    assert_eq!(said["types"][0]["retained_by"], path, "{said:#}");
    let first = &holders(&said, "leakcase.Memory$Session")["holders"][0];
    assert_eq!(first["by"]["class"], "java.util.HashMap$Node");
    assert_eq!(first["by"]["name"], "value");
    // The walk comes after the last count; some were added meanwhile.
    let counted = said["types"][0]["live"].as_u64().expect("a count");
    assert!((counted..counted + 6_400).contains(&first["count"].as_u64().expect("a count")), "{said:#}");
    assert_eq!(said["impact"]["level"], "agent");
    assert!(said["impact"]["done"].to_string().contains("to walk its heap"), "{said:#}");
    assert_eq!(said["saved"]["path"], file);
    drop(leaker);
    let (again, kept) = flatfoot.json(&["heap", file]);
    assert_eq!(again, code);
    for part in ["jvm", "looks", "collections", "types", "loaders", "buffers", "held", "flags", "findings"] {
        assert_eq!(kept[part], said[part], "{part}");
    }
}

#[test]
fn java_direct_buffers_are_counted_in_bytes_by_the_agent() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::start("run-java.sh", &["direct-buffers", "200", "64K"]);
    let flatfoot = Flatfoot::new();
    let args = ["heap", &leaker.arg(), "--for", "0s", "--no-save"];
    let mut without = Value::Null;
    wait_until("a first buffer", 30.0, || {
        without = flatfoot.json(&args).1;
        without["buffers"][0]["source"] == "histogram"
    });
    let missing = without["not_judged"].to_string();
    assert!(missing.contains("bytes in direct buffers"), "{missing}");
    let (_, said) =
        flatfoot.json(&[&args[..], &["--access", "agent", "--heap-walk", "--pause", "20s"]].concat());
    let pool = &said["buffers"][0];
    assert_eq!(pool["source"], "agent", "{said:#}");
    let (count, bytes) = (pool["count"].as_u64().unwrap_or(0), pool["bytes"].as_u64().unwrap_or(0));
    assert!(count > 0 && bytes == count * 65_536, "{pool}");
    assert!(!said["not_judged"].to_string().contains("bytes in direct buffers"), "{said:#}");
    let by = &holders(&said, "java.nio.DirectByteBuffer")["holders"][0];
    assert_eq!(by["by"]["class"], "leakcase.Memory$Upload", "{said:#}");
    assert_eq!(by["by"]["name"], "body");
    assert_eq!(by["bytes"].as_u64(), by["count"].as_u64().map(|count| count * 65_536), "{by}");
}

#[test]
fn java_heap_is_saved_before_a_restart() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::with("run-java.sh", &["heap", "100", "64K"], small);
    let flatfoot = Flatfoot::new();
    let case = flatfoot.cases().with_file_name("saved.flatfoot");
    let file = case.to_str().expect("a plain path");
    let pid = leaker.arg();
    let refused = flatfoot.run(&["save", &pid, "--heap", "-o", file]);
    assert_eq!(refused.status, 2, "reading alone does not count objects");
    let args = ["save", &pid, "--access", "attach", "--heap", "--for", "8s", "--pause", "20s", "-o", file];
    let (code, saved) = flatfoot.json(&args);
    assert_eq!((code, &saved["looks"]), (0, &Value::from(4)), "{saved:#}");
    drop(leaker);
    let (_, kept) = flatfoot.json(&["heap", file]);
    assert_eq!(kept["types"][0]["name"], "leakcase.Memory$Session", "{kept:#}");
    assert_eq!(kept["types"][0]["suspect"], true);
    assert_eq!(kept["impact"]["level"], "attach");
    // The rest of the process is in it, too.
    let (_, map) = flatfoot.json(&["map", file]);
    assert_eq!(map["schema"], "flatfoot.map/1");
}

#[test]
fn a_java_heap_is_not_walked_without_being_asked_or_beyond_the_budget() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::start("run-java.sh", &["heap", "100", "64K"]);
    let flatfoot = Flatfoot::new();
    let pid = leaker.arg();
    for args in [
        &["heap", &pid, "--heap-walk"][..],
        &["heap", &pid, "--access", "read"],
        &["diagnose", &pid, "--heap-walk"],
        &["threads", &pid, "--owners", "--heap-walk"],
        &["threads", &pid, "--owners", "--access", "agent", "--pause-budget", "1s"],
    ] {
        assert_eq!(flatfoot.run(args).status, 2, "{args:?}");
    }
    let args = ["threads", &pid, "--owners", "--access", "agent", "--heap-walk", "--pause-budget", "1ms"];
    let (_, said) = flatfoot.json(&args);
    assert!(said["remarks"].to_string().contains("a walk over its heap would stop it"), "{said:#}");
    assert!(said["owners"].as_array().is_some_and(|owners| !owners.is_empty()), "{said:#}");
    assert_eq!(said["impact"]["longest_pause_s"], 0.0, "{said:#}");
}
