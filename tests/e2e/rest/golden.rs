//! The text of each view on one stable program, as golden files; what varies from run to run is filtered out.

use crate::support::{Flatfoot, Leaker};

/// Names in `tests/e2e/snapshots`; pids, times, addresses and what depends on the machine replaced.
fn settings(pid: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(&format!(r"\b{pid}\b"), "[PID]");
    settings.add_filter(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "[TIME]");
    settings
}

/// A leak that has ended, so that nothing grows between two looks: 60 threads, one each 50 ms.
fn leaked() -> Leaker {
    let program = Leaker::start("leak", &["threads-unjoined", "50", "60", "pool-#-thread-1"]);
    program.wait_for_tasks(61, 60.0);
    program
}

#[test]
fn diagnose() {
    let program = leaked();
    let flatfoot = Flatfoot::new();
    let text = flatfoot.run(&["diagnose", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    settings.add_filter(r"(?m)^(LIMIT +).*$", "$1[LIMITS]");
    settings.add_filter(r"(?m)^(SAVED +).*/([0-9a-f]{8})\.flatfoot \(.*?,", "$1[STATE]/$2.flatfoot ([SIZE],");
    settings.add_filter(r"read from /proc for .* of CPU", "read from /proc for [TIME], [TIME] of CPU");
    settings.add_filter(r"±\d[\d.]* ", "±[SPREAD] ");
    settings.add_filter(r"one every 0\.0[45]\d* s|one more every 0\.0[45]\d* s", "one more every [50 ms]");
    settings.add_filter(r"0\.0[45]\d* s\b", "[50 ms]");
    settings.add_filter(r"\b\d+(\.\d)? (ms|s)\b", "[DURATION]");
    settings.bind(|| insta::assert_snapshot!("diagnose", text));
}

#[test]
fn threads() {
    let program = leaked();
    let text = Flatfoot::new().run(&["threads", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    settings.add_filter(r"\+[\d.,]+/(s|min)", "[BIRTHS]");
    settings.add_filter(r"0\.0[45]\d* s", "[50 ms]");
    settings.bind(|| insta::assert_snapshot!("threads", columns(&text)));
}

#[test]
fn map() {
    let program = Leaker::start("shape", &["calloc-read", "32M"]);
    let text = Flatfoot::new().run(&["map", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    // The C library's own size is the distribution's matter.
    settings.add_filter(r"(?m)^((file|vdso|total|main heap)\b).*$", "$1 [SIZES]");
    settings.bind(|| insta::assert_snapshot!("map", columns(&text)));
}

#[test]
fn top_once() {
    let program = leaked();
    let text = Flatfoot::new().run(&["top", "--once", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    settings.add_filter(r"(?m)^( *\[PID\] +leak +)\S+ +\S+ +\S+( +61).*$", "$1[SIZES]$2 [REST]");
    settings.bind(|| insta::assert_snapshot!("top", columns(&text)));
}

#[test]
fn doctor() {
    let text = Flatfoot::new().run(&["doctor"]).stdout;
    let mut settings = settings("0");
    settings.add_filter(r"flatfoot \S+ on Linux \S+", "flatfoot [VERSION] on Linux [KERNEL]");
    // What is found is the machine's matter; the names of the checks and their order are ours.
    settings.add_filter(r"(?m)^(ok|limited|missing) +(reading /proc|processes of others|touched bytes|overcommit|cgroups|schedules|kernel log|case files) .*$", "[STATE] $2: [FOUND]");
    settings.add_filter(r"(?m)^ +hint: .*\n", "");
    settings.bind(|| insta::assert_snapshot!("doctor", text));
}

/// Blanks between columns as two: their widths follow the widest cell, which varies.
fn columns(text: &str) -> String {
    let line = |line: &str| {
        let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        cells.join("  ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
