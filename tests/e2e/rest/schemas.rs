//! Every document that --json prints is what `flatfoot schema` says of it.

use serde_json::Value;

use crate::facts::leaking;
use crate::support::{Flatfoot, Leaker};

struct Schemas(Value);

impl Schemas {
    fn of(flatfoot: &Flatfoot) -> Self {
        let run = flatfoot.run(&["schema"]);
        assert_eq!(run.status, 0);
        Self(run.json())
    }

    #[track_caller]
    fn assert_valid(&self, name: &str, document: &Value) {
        let validator =
            jsonschema::validator_for(&self.0[name]).unwrap_or_else(|e| panic!("schema {name}: {e}"));
        let errors: Vec<String> =
            validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}\n{document:#}");
        assert_eq!(document["schema"], format!("flatfoot.{name}/1"));
        assert!(
            document["impact"].is_object() || matches!(name, "doctor" | "saved"),
            "every document carries its impact"
        );
    }
}

#[test]
fn every_document_fits_its_schema() {
    let flatfoot = Flatfoot::new();
    let schemas = Schemas::of(&flatfoot);
    let program = leaking();
    let pid = program.arg();
    let (_, saved) = flatfoot.json(&["save", &pid]);
    schemas.assert_valid("saved", &saved);
    let case = saved["path"].as_str().expect("a path").to_owned();
    for target in [&pid, &case] {
        for (name, args) in [
            ("diagnosis", vec!["diagnose", target]),
            ("diagnosis", vec!["report", target]),
            ("map", vec!["map", target]),
            ("map", vec!["map", target, "--mappings"]),
            ("map", vec!["map", target, "--detail", "sizes"]),
            ("threads", vec!["threads", target]),
            ("top", vec!["top", "--once", target]),
        ] {
            let (_, document) = flatfoot.json(&args);
            schemas.assert_valid(name, &document);
        }
    }
    for (name, args) in [
        ("diagnosis", vec!["diagnose"]),
        ("top", vec!["top", "--once", "-n", "0"]),
        ("doctor", vec!["doctor"]),
    ] {
        let (_, document) = flatfoot.json(&args);
        schemas.assert_valid(name, &document);
    }
    let growing = Leaker::start("leak", &["fds", "50"]);
    let (_, document) = flatfoot.json(&["diagnose", &growing.arg(), "--for", "5s"]);
    schemas.assert_valid("diagnosis", &document);
}

#[test]
fn a_schema_refuses_what_does_not_fit() {
    let flatfoot = Flatfoot::new();
    let schemas = Schemas::of(&flatfoot);
    let program = Leaker::start("shape", &["many-threads", "2"]);
    let (_, mut document) = flatfoot.json(&["map", &program.arg()]);
    document["total"]["reserved_bytes"] = Value::from("much");
    let validator = jsonschema::validator_for(&schemas.0["map"]).expect("a schema");
    assert!(!validator.is_valid(&document), "so the other test can fail");
    let one = flatfoot.run(&["schema", "map"]).json();
    assert_eq!(one, schemas.0["map"], "one document's schema is the same alone");
}

#[test]
fn a_java_heap_fits_its_schema() {
    crate::support::need!("java", "/usr/share/java/quartz2.jar");
    let flatfoot = Flatfoot::new();
    let schemas = Schemas::of(&flatfoot);
    let leaker = Leaker::start("run-java.sh", &["many-pools", "20"]);
    let pid = leaker.arg();
    for (name, args) in [
        ("heap", vec!["heap", &pid, "--for", "0s"]),
        ("heap", vec!["heap", &pid, "--for", "1s", "--looks", "2"]),
        ("threads", vec!["threads", &pid, "--owners", "--access", "agent"]),
        ("top", vec!["top", "--once", &pid]),
    ] {
        let (_, document) = flatfoot.json(&args);
        schemas.assert_valid(name, &document);
    }
    let (_, top) = flatfoot.json(&["top", "--once", &pid]);
    assert_eq!(top["processes"][0]["jvm"]["heap_limit_bytes"], 512 << 20, "{top:#}");
    let (_, heap) = flatfoot.json(&["heap", &pid, "--for", "0s"]);
    let pools = heap["types"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["name"] == "java.util.concurrent.ThreadPoolExecutor$Worker");
    assert_eq!(pools.map(|row| &row["live"]), Some(&serde_json::json!(20)), "{heap:#}");
}

/// A line is a document each; they carry no impact, as what they do is said when they start.
#[test]
fn every_line_of_record_and_watch_fits_its_schema() {
    let flatfoot = Flatfoot::new();
    let schemas = Schemas::of(&flatfoot);
    let leaker = Leaker::start("leak", &["threads-unjoined", "50", "60", "pool-#-thread-1"]);
    let folder = tempfile::TempDir::new().expect("a folder");
    let store = folder.path().join("h.flatfoot");
    let store = store.to_str().expect("text");
    let watched = flatfoot.run(&["watch", &leaker.arg(), "--interval", "200ms", "--for", "6s", "--json"]);
    let recorded =
        flatfoot.run(&["record", "--json", "--interval", "200ms", "--for", "2s", "--store", store]);
    for (name, run, expected) in [
        ("watch", watched, &["started", "threads", "finding", "stopped"][..]),
        ("record", recorded, &["started", "finding", "stopped"]),
    ] {
        let validator = jsonschema::validator_for(&schemas.0[name]).expect("a schema");
        let mut events = Vec::new();
        for line in run.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let errors: Vec<String> =
                validator.iter_errors(&line).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}\n{line:#}");
            assert_eq!(line["schema"], format!("flatfoot.{name}/1"));
            let mut wrong = line.clone();
            wrong["event"] = Value::from("no such thing");
            assert!(!validator.is_valid(&wrong), "so this test can fail: {wrong:#}");
            events.push(line["event"].as_str().expect("text").to_owned());
        }
        for event in expected {
            assert!(events.iter().any(|one| one == event), "{name}: no {event} in {events:?}");
        }
    }
}
