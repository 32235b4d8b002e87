//! Case files: every command gives the same answer from one as on the live process; damaged ones say so.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::facts::leaking;
use crate::support::flatfoot::only_file;
use crate::support::{Flatfoot, Leaker};

/// A leaker, and a case of it.
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
fn save(program: Leaker) -> Saved {
    let saved = Saved { flatfoot: Flatfoot::new(), program, folder: tempfile::tempdir().expect("a folder") };
    let run = saved.flatfoot.run(&["save", &saved.program.arg(), "-o", &saved.arg()]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert_eq!(run.stdout.trim(), saved.arg(), "stdout is the path alone");
    saved
}

fn saved() -> Saved {
    save(leaking())
}

/// Asserts that parts of two documents are there, and equal.
#[track_caller]
fn assert_same(live: &Value, from_case: &Value, parts: &[&str]) {
    for part in parts {
        assert!(live.get(part).is_some(), "{part} is there");
        assert_eq!(live[part], from_case[part], "{part}");
    }
}

#[test]
fn the_case_that_diagnose_keeps_holds_the_same_findings() {
    let program = leaking();
    let flatfoot = Flatfoot::new();
    let (live_code, live) = flatfoot.diagnose(&program.arg());
    assert_eq!(live["findings"].as_array().map(Vec::len), Some(1), "{live:#}");
    let case = live["saved"]["path"].as_str().expect("the case kept");
    let (code, from_case) = flatfoot.diagnose(case);
    assert_eq!(live_code, code);
    // The same readings, and so the same words and figures throughout.
    assert_same(&live, &from_case, &["findings", "host", "looked_at", "nearest_limit", "died_before"]);
    assert_eq!(live["origin"], "this host");
    assert!(from_case["origin"].as_str().is_some_and(|o| o.contains(".flatfoot, saved ")), "{from_case:#}");
}

#[test]
fn a_saved_leak_is_the_one_that_is_live() {
    let saved = saved();
    let (_, live) = saved.flatfoot.diagnose(&saved.program.arg());
    let (_, from_case) = saved.flatfoot.diagnose(&saved.arg());
    let (live, from_case) = (&live["findings"][0], &from_case["findings"][0]);
    assert_same(live, from_case, &["id", "kind", "confidence", "process", "subject", "pool_shape"]);
    let period = |finding: &Value| finding["cadence"][0]["period_s"].as_f64().expect("a period");
    assert!((period(live) / period(from_case) - 1.0).abs() < 0.02);
    assert!(live["count"].as_u64() >= from_case["count"].as_u64(), "it goes on meanwhile");

    let head = |target: &str| -> Vec<String> {
        let report = saved.flatfoot.run(&["report", "--md", target]).stdout;
        let steady =
            |line: &&str| ["## ", "| Finding |", "| Process started |"].iter().any(|s| line.starts_with(s));
        report.lines().filter(steady).map(ToOwned::to_owned).collect()
    };
    let (live, from_case) = (head(&saved.program.arg()), head(&saved.arg()));
    assert_eq!(live.len(), 3, "{live:?}");
    assert_eq!(live, from_case);
}

#[test]
fn map_threads_and_top_of_a_case_are_those_of_the_process() {
    let program = leaking();
    program.freeze();
    let saved = save(program);
    let (flatfoot, pid, case) = (&saved.flatfoot, saved.program.arg(), saved.arg());

    let (_, mut live) = flatfoot.json(&["map", &pid, "--mappings"]);
    let (code, mut from_case) = flatfoot.json(&["map", &case, "--mappings"]);
    assert_eq!(code, 0);
    // The share in pages of libraries changes with every other process that comes and goes.
    for document in [&mut live, &mut from_case] {
        without_pss(&mut document["total"]);
        document["classes"].as_array_mut().expect("classes").iter_mut().for_each(without_pss);
    }
    let parts = ["classes", "total", "mappings", "committed_exact", "touched_from", "remarks", "process"];
    assert_same(&live, &from_case, &parts);

    let (_, live) = flatfoot.json(&["threads", &pid]);
    let (code, from_case) = flatfoot.json(&["threads", &case]);
    assert_eq!(code, 0);
    assert_same(&live, &from_case, &["threads", "process", "remarks"]);
    let (live, from_case) = (&live["groups"], &from_case["groups"]);
    assert_eq!(live.as_array().map(Vec::len), from_case.as_array().map(Vec::len));
    for (live, from_case) in
        live.as_array().into_iter().flatten().zip(from_case.as_array().into_iter().flatten())
    {
        // The rhythm is judged by the time since the last birth, which went on.
        let parts =
            ["pattern", "count", "pool_shape", "states", "first_birth", "last_birth", "stack_reserved_bytes"];
        assert_same(live, from_case, &parts);
        assert_same(live, from_case, &["stack_touched_bytes", "stack_bytes_each", "inferred", "split_by"]);
    }
    let list = |target: &str| flatfoot.run(&["threads", target, "--list"]).stdout;
    assert_eq!(list(&pid), list(&case));

    let (_, live) = flatfoot.json(&["top", "--once", &pid]);
    let (code, from_case) = flatfoot.json(&["top", "--once", &case]);
    assert_eq!(code, 0);
    let parts = [
        "pid",
        "name",
        "started",
        "committed_bytes_approximate",
        "resident_bytes",
        "untouched_bytes",
        "threads",
    ];
    assert_same(&live["processes"][0], &from_case["processes"][0], &parts);
}

#[track_caller]
fn without_pss(row: &mut Value) {
    let pss = row.as_object_mut().and_then(|row| row.remove("pss_bytes"));
    assert!(pss.is_some_and(|pss| pss.is_u64()), "it was read: {row}");
}

#[test]
fn the_case_outlives_the_process() {
    let Saved { flatfoot, program, folder } = saved();
    let pid = program.arg();
    drop(program);
    let case = folder.path().join("leak.flatfoot").display().to_string();
    for args in [
        vec!["diagnose", &case],
        vec!["diagnose", &case, &pid],
        vec!["diagnose", &case, "leak"],
        vec!["map", &case, &pid],
    ] {
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
    let program = leaking();
    let flatfoot = Flatfoot::new();
    let (_, diagnosis) = flatfoot.json(&["diagnose", &program.arg(), "--no-save"]);
    assert!(diagnosis["saved"].is_null());
    assert!(
        !flatfoot.cases().exists()
            || std::fs::read_dir(flatfoot.cases()).is_ok_and(|mut d| d.next().is_none())
    );
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
    assert_eq!(live["findings"].as_array().map(Vec::len), Some(1), "{live:#}");
    assert_same(&live, &from_case, &["findings", "nearest_limit"]);
}

#[test]
fn a_case_of_the_whole_host_opens_everywhere() {
    let program = leaking();
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("host.flatfoot").display().to_string();
    assert_eq!(flatfoot.run(&["save", "-o", &case]).status, 0);
    let (_, diagnosis) = flatfoot.diagnose(&case);
    let findings = diagnosis["findings"].as_array().expect("findings");
    assert!(
        findings.iter().any(|f| f["process"]["pid"] == program.pid() && f["kind"] == "thread-leak"),
        "{diagnosis:#}"
    );
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
        for command in [&["diagnose"][..], &["map"], &["threads"], &["top"], &["report", "--md"]] {
            let run = saved.flatfoot.run(&[command, &[path.as_str()]].concat());
            let command = command[0];
            assert!(!run.stderr.contains("panicked"), "{command} {path}: {run:#?}");
            // What is left of a damaged file may be shown; it must then be said that something is lost.
            let said =
                run.stdout.contains("lost") || run.stdout.contains("damage") || run.stderr.contains("lost");
            let refused = run.status == 5 && run.stderr.contains("hint:");
            let harmless = path.ends_with("flipped.flatfoot") || path.ends_with("short.flatfoot");
            assert!(refused || said || (harmless && run.status <= 3), "{command} {path}: {run:#?}");
        }
    }
    // Where nothing is left, nothing was found either, and nothing may be called unsuspicious.
    for path in &files[..5] {
        for command in ["diagnose", "top"] {
            let run = saved.flatfoot.run(&[command, path]);
            assert_eq!((run.status, run.stdout.as_str()), (5, ""), "{command} {path}: {run:#?}");
        }
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
