//! Targets that are not there: ended before, ended meanwhile, never existed.

use crate::support::{Flatfoot, Leaker, Run, wait_until};

/// Says what happened and what to do, in two lines on stderr, and nothing on stdout.
#[track_caller]
fn assert_explained(run: &Run, code: i32) {
    assert_eq!(run.status, code, "{run:#?}");
    assert!(run.stderr.contains("error:") && run.stderr.contains("hint:"), "{run:#?}");
    assert_eq!(run.stdout, "", "stdout is data");
    assert!(!run.stderr.contains("panicked"), "{run:#?}");
}

#[test]
fn a_process_that_ended_before() {
    let program = Leaker::start("shape", &["exits", "1"]);
    wait_until("it ends", 30.0, || matches!(program.state(), Some('Z') | None));
    let pid = program.arg();
    drop(program);
    let flatfoot = Flatfoot::new();
    for command in ["diagnose", "map", "threads", "save", "report", "top"] {
        let mut args = vec![command, &pid];
        if command == "report" {
            args.push("--md");
        }
        assert_explained(&flatfoot.run(&args), 4);
    }
    assert_eq!(
        std::fs::read_dir(flatfoot.cases()).map_or(0, Iterator::count),
        0,
        "nothing half-written is left"
    );
}

#[test]
fn a_process_that_ends_while_it_is_watched_is_judged_by_what_was_seen() {
    let program = Leaker::start("shape", &["exits", "1500", "500"]);
    let flatfoot = Flatfoot::new();
    let (code, diagnosis) = flatfoot.json(&["diagnose", &program.arg(), "--for", "20s"]);
    let said = diagnosis["not_judged"].to_string();
    assert!(said.contains("ended while it was watched"), "{diagnosis:#}");
    assert!(diagnosis["looked_at"]["watched_s"].as_f64() < Some(10.0));
    assert_eq!(code, 4, "nothing was suspicious so far, and the target ended");
}

#[test]
fn a_process_that_ends_during_the_look_gives_an_answer_or_says_that_it_ended() {
    // Looks that begin earlier and later in its life; none may panic, hang or invent.
    let flatfoot = Flatfoot::new();
    for life_ms in [1, 5, 10, 20, 40, 80, 160] {
        for command in ["diagnose", "map", "threads"] {
            let program = Leaker::start("shape", &["exits", &life_ms.to_string(), "3000"]);
            let run = flatfoot.run(&[command, &program.arg(), "--json"]);
            match run.status {
                0 => drop(run.json()),
                4 => assert_explained(&run, 4),
                5 => assert!(run.stderr.contains("hint:"), "{command} after {life_ms} ms: {run:#?}"),
                other => panic!("{command} after {life_ms} ms: {other} {run:#?}"),
            }
            assert!(!run.stderr.contains("panicked"), "{run:#?}");
        }
    }
}

#[test]
fn a_zombie_has_ended() {
    let program = Leaker::start("shape", &["exits", "1"]);
    wait_until("it ends", 30.0, || program.state() == Some('Z'));
    for command in ["diagnose", "map", "threads"] {
        assert_explained(&Flatfoot::new().run(&[command, &program.arg()]), 4);
    }
}

#[test]
fn targets_that_never_existed() {
    let flatfoot = Flatfoot::new();
    for (args, code) in [
        (vec!["diagnose", "4194999"], 4),
        (vec!["diagnose", "no-such-program-anywhere"], 4),
        (vec!["diagnose", "--unit", "no-such-unit"], 4),
        (vec!["diagnose", "--container", "0123456789abcdef"], 4),
        (vec!["diagnose", "99999999999999999999"], 2),
        (vec!["map", "0"], 4),
        (vec!["map"], 2),
        (vec!["threads"], 2),
        (vec!["map", "./not-there.flatfoot"], 5),
        (vec!["map", "/etc/hostname"], 5),
        (vec!["schema", "no-such-document"], 2),
        (vec!["man", "no-such-command"], 2),
    ] {
        let run = flatfoot.run(&args);
        assert_explained(&run, code);
    }
}

#[test]
fn a_thread_of_the_kernel_is_none_of_our_business_and_says_so() {
    if !std::fs::read_to_string("/proc/2/comm").is_ok_and(|c| c.trim() == "kthreadd") {
        eprintln!("NOT TESTED: no kernel threads in this pid namespace");
        return;
    }
    let flatfoot = Flatfoot::new();
    assert_explained(&flatfoot.run(&["map", "2"]), 5);
    let (code, diagnosis) = flatfoot.diagnose("2");
    assert_eq!((code, &diagnosis["findings"]), (0, &serde_json::json!([])));
}

#[test]
fn several_targets_and_names() {
    let one = Leaker::start("shape", &["many-threads", "3"]);
    let two = Leaker::start("leak", &["threads-unjoined", "100000"]);
    let flatfoot = Flatfoot::new();
    let (_, diagnosis) = flatfoot.json(&["diagnose", &one.arg(), &two.arg(), &one.arg()]);
    assert_eq!(diagnosis["looked_at"]["processes"], 2, "each once");
    // By name: every process of it, ours among them.
    let (_, top) = flatfoot.json(&["top", "--once", "shape", "-n", "0"]);
    let rows = top["processes"].as_array().expect("processes");
    assert!(rows.iter().any(|r| r["pid"] == one.pid()), "{top:#}");
    assert!(rows.iter().all(|r| r["name"] == "shape"), "{top:#}");
    // Two that fit are too many for a command that shows one.
    let run = flatfoot.run(&["map", &one.arg(), &two.arg()]);
    assert_explained(&run, 2);
    assert!(run.stderr.contains(&one.arg()) && run.stderr.contains(&two.arg()), "names both: {run:#?}");
}
