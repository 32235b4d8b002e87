//! Names that try to break a reader or a terminal: line breaks, escape sequences, `) R 1`, invalid UTF-8, HTML.

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, Run, wait_until};

const KINDS: [&str; 7] = ["newline", "escape", "utf8", "paren", "backslash", "html", "empty"];
/// One for each kind, and the main thread.
const THREADS: usize = 8;

/// Nothing that a terminal would act on, but the line feeds between our own lines.
#[track_caller]
fn assert_harmless(run: &Run, what: &str) {
    for text in [&run.stdout, &run.stderr] {
        let bad = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(bad, None, "{what}: {text:?}");
    }
    assert!(!run.stderr.contains("panicked"), "{what}: {run:#?}");
}

#[test]
fn no_name_reaches_the_terminal_raw() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display().to_string();
    let case = folder.path().join("hostile.flatfoot");
    let flatfoot = Flatfoot::new();
    for kind in KINDS {
        let program = Leaker::start("shape", &["hostile", kind, &path]);
        let pid = program.arg();
        assert_eq!(program.tasks(), THREADS);
        let _ = std::fs::remove_file(&case);
        let case = case.display().to_string();
        for args in [
            vec!["diagnose", &pid, "-v"],
            vec!["threads", &pid, "--all"],
            vec!["threads", &pid, "--list"],
            vec!["map", &pid],
            vec!["map", &pid, "--mappings"],
            vec!["map", &pid, "--sizes"],
            vec!["top", "--once", &pid],
            vec!["report", "--md", &pid],
            vec!["save", &pid, "-o", &case],
            vec!["threads", &case, "--all"],
            vec!["map", &case, "--mappings"],
        ] {
            let run = flatfoot.run(&args);
            assert_eq!(run.status, 0, "{kind} {args:?}: {run:#?}");
            assert_harmless(&run, &format!("{kind} {args:?}"));
        }
        assert_eq!(
            flatfoot.run(&["threads", &pid, "--list"]).lines().len(),
            THREADS + 1,
            "a line for each thread"
        );
    }
}

/// A thread's state, behind a name that may hold anything.
fn state(program: &Leaker, tid: u32) -> Option<u8> {
    let stat = std::fs::read(format!("/proc/{}/task/{tid}/stat", program.pid())).ok()?;
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(end + 2).copied()
}

#[test]
fn counts_are_right_and_json_is_valid_whatever_the_name() {
    let flatfoot = Flatfoot::new();
    for kind in KINDS {
        let program = Leaker::start("shape", &["hostile", kind]);
        // The program is ready once they are started; on a busy machine the last may still be on its way to its wait.
        wait_until("all wait", 60.0, || {
            program.tids().into_iter().all(|tid| state(&program, tid) == Some(b'S'))
        });
        let (code, threads) = flatfoot.json(&["threads", &program.arg()]);
        assert_eq!((code, &threads["threads"]), (0, &Value::from(THREADS)), "{kind}: {threads:#}");
        let sum: u64 =
            threads["groups"].as_array().expect("groups").iter().filter_map(|g| g["count"].as_u64()).sum();
        assert_eq!(sum, THREADS as u64, "{kind}: every thread is in one group");
        let states: Vec<&Value> =
            threads["groups"].as_array().expect("groups").iter().map(|g| &g["states"]).collect();
        assert!(states.iter().all(|s| **s == serde_json::json!([["S", 1]])), "{kind}: all wait: {states:?}");
        for command in ["diagnose", "map"] {
            let (code, document) = flatfoot.json(&[command, &program.arg()]);
            assert_eq!(code, 0, "{kind} {command}: {document:#}");
        }
    }
    let utf8 = Leaker::start("shape", &["hostile", "utf8"]);
    let (_, threads) = flatfoot.json(&["threads", &utf8.arg()]);
    assert_eq!(threads["process"]["name"], "bad\\xff\\xfe\\xc3utf8", "what is no UTF-8 is written out");
}

#[test]
fn a_leak_with_a_hostile_name_breaks_no_markdown() {
    // A pattern that would be a table's next column, a heading and a tag.
    let program = Leaker::start("leak", &["threads-unjoined", "100", "0", "<b>|`#\n"]);
    program.wait_for_tasks(41, 60.0);
    let flatfoot = Flatfoot::new();
    let report = flatfoot.run(&["report", "--md", &program.arg()]);
    assert_harmless(&report, "Markdown");
    let (_, diagnosis) = flatfoot.diagnose(&program.arg());
    assert_eq!(diagnosis["findings"].as_array().map(Vec::len), Some(1), "{diagnosis:#}");
    let tables: Vec<&str> = report.stdout.lines().filter(|l| l.starts_with('|')).collect();
    assert!(tables.len() > 8, "{}", report.stdout);
    let mut columns = 0;
    for line in tables {
        // Columns are parted by bars that are not escaped; every row has as many as its head.
        let bars = line.replace("\\|", "").matches('|').count();
        if line.starts_with("| | |") || line.starts_with("| # |") {
            columns = bars;
        }
        assert_eq!(bars, columns, "{line}");
    }
    assert!(!report.stdout.contains("<b>"), "HTML is escaped: {}", report.stdout);
}
