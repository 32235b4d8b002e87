//! Case files: every command gives the same answer from one as on the live process; damaged ones say so.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::flatfoot::only_file;
use crate::support::{Flatfoot, Leaker};

/// A stopped leaker, and a case of it.
struct Saved {
    flatfoot: Flatfoot,
    program: Leaker,
    folder: tempfile::TempDir,
}

impl Saved {
    fn case(&self) -> PathBuf {
        self.folder.path().join("leak.flatfoot")
    }

    fn arg(&self) -> String {
        self.case().display().to_string()
    }
}

#[track_caller]
fn saved() -> Saved {
    let program = Leaker::start("leak", &["threads-unjoined", "50", "60", "pool-#-thread-1"]);
    program.wait_for_tasks(61, 60.0);
    program.freeze();
    let saved = Saved { flatfoot: Flatfoot::new(), program, folder: tempfile::tempdir().expect("a folder") };
    let run = saved.flatfoot.run(&["save", &saved.program.arg(), "-o", &saved.arg()]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert_eq!(run.stdout.trim(), saved.arg(), "stdout is the path alone");
    saved
}

/// What must be equal in a finding, live and from a case.
fn essence(diagnosis: &Value) -> Value {
    let findings = diagnosis["findings"].as_array().expect("findings");
    let keep = ["id", "kind", "confidence", "process", "subject", "count", "rate_per_s", "rate_interval", "reserved_bytes", "touched_bytes", "committed_bytes", "pool_shape"];
    findings
        .iter()
        .map(|f| {
            let mut kept: serde_json::Map<String, Value> = keep.iter().map(|k| ((*k).to_owned(), f[*k].clone())).collect();
            // The wall clock may have been set by a millisecond meanwhile: the period stands, the phase moves.
            let periods: Vec<&Value> = f["cadence"].as_array().expect("cadence").iter().map(|c| &c["period_s"]).collect();
            kept.insert("periods".into(), serde_json::json!(periods));
            kept.insert("claims".into(), f["evidence"].as_array().map(|e| e.iter().map(|e| e["reproduce"].clone()).collect()).unwrap_or_default());
            Value::Object(kept)
        })
        .collect()
}

#[test]
fn every_command_gives_the_same_answer_from_the_case() {
    let saved = saved();
    let (flatfoot, pid, case) = (&saved.flatfoot, saved.program.arg(), saved.arg());
    let (live_code, live) = flatfoot.diagnose(&pid);
    let (code, from_case) = flatfoot.diagnose(&case);
    assert_eq!(live["findings"].as_array().map(Vec::len), Some(1), "{live:#}");
    // Seconds passed between the two: a rate that the births' end bounds is not the same to the last digit.
    let mut differ = (essence(&live), essence(&from_case));
    for side in [&mut differ.0, &mut differ.1] {
        for finding in side.as_array_mut().expect("findings") {
            finding.as_object_mut().map(|f| (f.remove("rate_per_s"), f.remove("rate_interval")));
        }
    }
    assert_eq!(differ.0, differ.1);
    assert_eq!(live_code, code);
    assert!(from_case["origin"].as_str().is_some_and(|o| o.starts_with("leak.flatfoot, saved ")), "{from_case:#}");
    assert_eq!(live["origin"], "this host");

    let (_, live) = flatfoot.json(&["map", &pid, "--mappings"]);
    let (code, from_case) = flatfoot.json(&["map", &case, "--mappings"]);
    assert_eq!(code, 0);
    for part in ["classes", "total", "mappings", "committed_exact", "touched_from", "remarks", "process"] {
        assert_eq!(live[part], from_case[part], "{part}");
    }

    let (_, live) = flatfoot.json(&["threads", &pid]);
    let (code, from_case) = flatfoot.json(&["threads", &case]);
    assert_eq!(code, 0);
    for part in ["threads", "process", "remarks"] {
        assert_eq!(live[part], from_case[part], "{part}");
    }
    let groups = |document: &Value| -> Vec<Value> {
        let rows = document["groups"].as_array().expect("groups").iter();
        rows.map(|g| serde_json::json!([g["pattern"], g["count"], g["stack_reserved_bytes"], g["stack_touched_bytes"], g["states"], g["cadence"][0]["period_s"]])).collect()
    };
    assert_eq!(groups(&live), groups(&from_case));
    let list = |target: &str| flatfoot.run(&["threads", target, "--list"]).lines().len();
    assert_eq!(list(&pid), list(&case));

    let (_, live) = flatfoot.json(&["top", "--once", &pid]);
    let (code, from_case) = flatfoot.json(&["top", "--once", &case]);
    assert_eq!(code, 0);
    for field in ["process", "committed_bytes_approximate", "resident_bytes", "untouched_bytes", "threads"] {
        assert_eq!(live["processes"][0][field], from_case["processes"][0][field], "{field}");
    }

    let report = |target: &str| flatfoot.run(&["report", "--md", target]).stdout;
    let steady = |text: String| -> Vec<String> {
        text.lines().filter(|l| l.starts_with("## ") || l.starts_with("| Finding") || l.starts_with("| Process")).map(ToOwned::to_owned).collect()
    };
    let (live, from_case) = (steady(report(&pid)), steady(report(&case)));
    assert_eq!(live.len(), 3, "{live:?}");
    assert_eq!(live, from_case);
}

#[test]
fn the_case_outlives_the_process() {
    let Saved { flatfoot, program, folder } = saved();
    let pid = program.arg();
    drop(program);
    let case = folder.path().join("leak.flatfoot").display().to_string();
    for args in [vec!["diagnose", &case], vec!["diagnose", &case, &pid], vec!["diagnose", &case, "leak"], vec!["map", &case, &pid]] {
        let (code, document) = flatfoot.json(&args);
        assert!(matches!(code, 0 | 1 | 3), "{args:?}: {document:#}");
    }
    let run = flatfoot.run(&["map", &case, "4194999"]);
    assert_eq!(run.status, 4, "no such process in it: {run:#?}");
}

#[test]
fn a_case_file_is_its_owners_alone_and_nothing_is_overwritten() {
    let saved = saved();
    let mode = |path: &Path| std::fs::metadata(path).expect("its mode").permissions().mode() & 0o777;
    assert_eq!(mode(&saved.case()), 0o600);
    let before = std::fs::read(saved.case()).expect("the case");
    let run = saved.flatfoot.run(&["save", &saved.program.arg(), "-o", &saved.arg()]);
    assert_eq!(run.status, 5);
    assert!(run.stderr.contains("exists already") && run.stderr.contains("hint:"), "{run:#?}");
    assert_eq!(std::fs::read(saved.case()).expect("the case"), before, "untouched");

    // Without -o, and from diagnose: in the state folder, as private.
    let (_, document) = saved.flatfoot.json(&["save", &saved.program.arg()]);
    assert_eq!(document["schema"], "flatfoot.saved/1");
    assert_eq!(mode(Path::new(document["path"].as_str().expect("a path"))), 0o600);
    assert_eq!(mode(&saved.flatfoot.cases()), 0o700);
    let (_, diagnosis) = saved.flatfoot.diagnose(&saved.program.arg());
    let kept = diagnosis["saved"]["path"].as_str().expect("kept").to_owned();
    assert!(kept.ends_with(&format!("{}.flatfoot", diagnosis["findings"][0]["id"].as_str().expect("an id"))));
    assert_eq!(mode(Path::new(&kept)), 0o600);
    // A case is not saved again.
    let run = saved.flatfoot.run(&["save", &saved.arg()]);
    assert_eq!(run.status, 2, "{run:#?}");
}

#[test]
fn no_save_leaves_nothing() {
    let program = Leaker::start("leak", &["threads-unjoined", "50", "60", "pool-#-thread-1"]);
    program.wait_for_tasks(61, 60.0);
    let flatfoot = Flatfoot::new();
    let (_, diagnosis) = flatfoot.json(&["diagnose", &program.arg(), "--no-save"]);
    assert!(diagnosis["saved"].is_null());
    assert!(!flatfoot.cases().exists() || std::fs::read_dir(flatfoot.cases()).is_ok_and(|mut d| d.next().is_none()));
}

#[test]
fn a_watched_case_is_judged_as_it_was_live() {
    let program = Leaker::start("leak", &["fds", "50", "sockets"]);
    let flatfoot = Flatfoot::new();
    let (live_code, live) = flatfoot.json(&["diagnose", &program.arg(), "--for", "8s"]);
    let case = only_file(&flatfoot.cases(), ".flatfoot").display().to_string();
    let (code, from_case) = flatfoot.json(&["diagnose", &case]);
    assert_eq!((live_code, code), (3, 3));
    assert_eq!(live["looked_at"]["looks"], from_case["looked_at"]["looks"]);
    assert_eq!(essence(&live), essence(&from_case));
    assert_eq!(live["findings"][0]["limits"], from_case["findings"][0]["limits"]);
}

#[test]
fn a_case_of_the_whole_host_opens_everywhere() {
    let program = Leaker::start("leak", &["threads-unjoined", "50", "60", "pool-#-thread-1"]);
    program.wait_for_tasks(61, 60.0);
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("host.flatfoot").display().to_string();
    assert_eq!(flatfoot.run(&["save", "-o", &case]).status, 0);
    let (_, diagnosis) = flatfoot.diagnose(&case);
    let findings = diagnosis["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|f| f["process"]["pid"] == program.pid() && f["kind"] == "thread-leak"), "{diagnosis:#}");
    let (code, top) = flatfoot.json(&["top", "--once", &case, "-n", "0"]);
    assert!(code == 0 && top["processes"].as_array().is_some_and(|rows| rows.len() > 1), "{top:#}");
    let run = flatfoot.run(&["threads", &case, &program.arg()]);
    assert!(run.status == 0 && run.stdout.contains("pool-*-thread-1"), "{run:#?}");
    // Mappings were read of nobody: said, not shown as 0.
    let run = flatfoot.run(&["map", &case, &program.arg()]);
    assert_eq!(run.status, 5, "{run:#?}");
    assert!(run.stderr.contains("hint:"), "{run:#?}");
}

#[test]
fn damaged_case_files_say_what_is_wrong() {
    let saved = saved();
    let whole = std::fs::read(saved.case()).expect("the case");
    let folder = saved.folder.path();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].fill(0xa5);
    let mut random = whole.clone();
    random[..100].fill(0);
    let files = [
        file("empty.flatfoot", b""),
        file("text.flatfoot", b"hello, I am no database\n"),
        file("head.flatfoot", &whole[..100]),
        file("page.flatfoot", &whole[..4096]),
        file("half.flatfoot", &whole[..whole.len() / 2]),
        file("short.flatfoot", &whole[..whole.len() - 1]),
        file("flipped.flatfoot", &flipped),
        file("headless.flatfoot", &random),
        folder.display().to_string(),
    ];
    for path in &files {
        for command in ["diagnose", "map", "threads", "top", "report"] {
            let run = saved.flatfoot.run(&[command, path]);
            assert!(!run.stderr.contains("panicked"), "{command} {path}: {run:#?}");
            // What is left of a damaged file may be shown; it must then be said that something is lost.
            let said = run.stdout.contains("lost") || run.stdout.contains("damage") || run.stderr.contains("lost");
            let refused = run.status == 5 && run.stderr.contains("hint:");
            let harmless = path.ends_with("flipped.flatfoot") || path.ends_with("short.flatfoot");
            assert!(refused || said || (harmless && run.status <= 3), "{command} {path}: {run:#?}");
        }
    }
    for path in &files[..5] {
        assert_eq!(saved.flatfoot.run(&["diagnose", path]).status, 5, "{path}");
    }
    // Another program's database.
    let run = saved.flatfoot.run(&["diagnose", "/etc/passwd"]);
    assert_eq!(run.status, 5, "{run:#?}");
    // One that may not be read.
    std::fs::set_permissions(saved.case(), Permissions::from_mode(0o000)).expect("its mode");
    if File::open(saved.case()).is_err() {
        assert_eq!(saved.flatfoot.run(&["diagnose", &saved.arg()]).status, 5);
    }
}
