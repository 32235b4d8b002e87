//! The text of each view on one stable program, as golden files; what varies from run to run is filtered out.

use crate::facts::leaking;
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

#[test]
fn diagnose() {
    let program = leaking();
    let flatfoot = Flatfoot::new();
    let text = flatfoot.run(&["diagnose", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    settings.add_filter(r"read from /proc for .* of CPU", "read from /proc for [TIME], [TIME] of CPU");
    // What the kernel's log says of other processes is not the program's.
    settings.add_filter(r"(?m)^DIED BEFORE .*\n", "");
    settings.add_filter(r"(?m)^(LIMIT +).*$", "$1[LIMITS]");
    settings.add_filter(r"(?m)^(SAVED +).*/([0-9a-f]{8})\.flatfoot \(.*?,", "$1[STATE]/$2.flatfoot ([SIZE],");
    settings.add_filter(r"(?m)^(NOW +).*(flatfoot save)", "$1[HOW URGENT] $2");
    settings.add_filter(r"(?m)It stops at .*$", "It stops at [LIMIT]");
    // Told only where it is much.
    settings.add_filter(r"(?m)^  \d  their stacks are .*\n", "");
    settings.add_filter(
        r"; [\d.,]+ \S+ of the host's commit charge lie outside this process",
        "; [REST OF THE HOST]",
    );
    settings.add_filter(r"(?m)^(TOO SMALL TO EXPLAIN IT +).*$", "$1[CLASSES]");
    settings.add_filter(r"±[<\d][\d.]* s", "±[SPREAD] s");
    settings.add_filter(r"0\.(10|09\d*|100) s", "[PERIOD]");
    settings.add_filter(r"\b\d+(\.\d+)? (ms|s)\b", "[TIME]");
    settings.add_filter(r"\b\d+(\.\d+)? [KM]iB and touch \d+ KiB", "[MEMORY] and touch [MEMORY]");
    settings.add_filter(r"\d+(\.\d+)? MiB promised, \d+ KiB used", "[MEMORY] promised, [MEMORY] used");
    settings.add_filter(r"\b\d\d (threads|births|names|stacks|of them|alive|of 8,192|× )", "[N] $1");
    settings.add_filter(r"\b\d\d of (\d\d|\[N\])", "[N] of [N]");
    settings.add_filter(r"numbers 1 to \d\d, \d\d|numbers 1 to \d\d, \[N\]", "numbers 1 to [N], [N]");
    settings.add_filter(r"all \d\d|all \[N\]", "all [N]");
    settings.add_filter(r"→ \d\d\b", "→ [N]");
    // No command is offered when a thread was born between the list of threads and that of mappings.
    settings.add_filter(r" {2,}check: pmap .*", "");
    settings.add_filter(r" {2,}check:", "  check:");
    settings.add_filter(r" {2,}likely", "  likely");
    settings.bind(|| insta::assert_snapshot!("diagnose", text));
}

#[test]
fn threads() {
    let program = leaking();
    let text = Flatfoot::new().run(&["threads", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    settings.add_filter(r"\+[\d.,]+/(s|min)", "[BIRTHS]");
    settings.add_filter(r"0\.(10|09\d*|100) s", "[PERIOD]");
    settings.add_filter(r"\b\d+s\b", "[AGE]");
    settings.add_filter(r"\b\d\d  ", "[N]  ");
    settings.add_filter(r"\b\d+ KiB  one-thread", "[TOUCHED]  one-thread");
    settings.add_filter(r"of \d\d names", "of [N] names");
    settings.bind(|| insta::assert_snapshot!("threads", columns(&text)));
}

#[test]
fn map() {
    let program = Leaker::start("shape", &["calloc-read", "32M"]);
    let text = Flatfoot::new().run(&["map", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    // What the C library and the environment take is not ours.
    settings.add_filter(r"(?m)^((file|vdso|total|main heap|thread stack)\b).*$", "$1 [SIZES]");
    settings.bind(|| insta::assert_snapshot!("map", columns(&text)));
}

#[test]
fn top_once() {
    let program = leaking();
    let text = Flatfoot::new().run(&["top", "--once", &program.arg()]).stdout;
    let mut settings = settings(&program.arg());
    settings.add_filter(r"(?m)^(\[PID\]  leak  ).*$", "$1[SIZES]");
    settings.bind(|| insta::assert_snapshot!("top", columns(&text)));
}

#[test]
fn doctor() {
    let text = Flatfoot::new().run(&["doctor"]).stdout;
    let mut settings = settings("0");
    settings.add_filter(r"flatfoot \S+ on Linux \S+", "flatfoot [VERSION] on Linux [KERNEL]");
    // What is found is the machine's matter; the names of the checks and their order are ours.
    settings.add_filter(r"(?m)^(ok|limited|missing) +(reading /proc|processes of others|touched bytes|overcommit|cgroups|schedules|kernel log|case files|recorder) .*$", "[STATE] $2: [FOUND]");
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
