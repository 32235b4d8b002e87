//! The command line itself: help, completions, manual pages, colour, pipes, Ctrl-C, exit codes.

use std::io::Read as _;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::facts::leaking;
use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, need, shell, wait_until};

const COMMANDS: [&str; 16] = [
    "diagnose",
    "top",
    "threads",
    "map",
    "save",
    "watch",
    "record",
    "report",
    "check",
    "compare",
    "detect",
    "doctor",
    "demo",
    "schema",
    "completions",
    "man",
];

#[test]
fn each_command_has_help_with_examples() {
    let flatfoot = Flatfoot::new();
    let root = flatfoot.run(&["--help"]);
    assert_eq!(root.status, 0);
    assert!(root.stdout.contains("Examples:") && root.stdout.contains("Exit codes:"), "{}", root.stdout);
    for command in COMMANDS {
        assert!(root.stdout.contains(&format!("  {command} ")), "{command} is listed");
        let run = flatfoot.run(&[command, "--help"]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{command}");
        assert!(
            run.stdout.contains("Usage:") && run.stdout.contains("Examples:"),
            "{command}: {}",
            run.stdout
        );
        let example = format!("  flatfoot {command}");
        assert!(run.stdout.contains(&example), "{command}: {}", run.stdout);
    }
    assert!(!root.stdout.contains("demo-child"), "what only demo uses is not shown");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_would_be_right() {
    let flatfoot = Flatfoot::new();
    for args in [
        vec!["no-such-command"],
        vec!["diagnose", "--for"],
        vec!["diagnose", "--for", "banana", "1"],
        vec!["diagnose", "--for", "0s", "1"],
        vec!["diagnose", "--interval", "1s", "1"],
        vec!["diagnose", "--access", "telepathy", "1"],
        vec!["map", "--by", "beauty", "1"],
        vec!["top", "-n", "many"],
        vec!["completions", "no-such-shell"],
        vec!["demo", "--period-ms", "1"],
        vec!["--no-such-flag"],
    ] {
        let run = flatfoot.run(&args);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{args:?}: {run:#?}");
        assert!(run.stderr.starts_with("error:"), "{args:?}: {run:#?}");
        assert!(run.stderr.contains("hint:") || run.stderr.contains("--help"), "{args:?}: {run:#?}");
    }
}

#[test]
fn completions_are_accepted_by_their_shells() {
    let flatfoot = Flatfoot::new();
    for (shell, words) in
        [("bash", "complete -F"), ("zsh", "#compdef flatfoot"), ("fish", "complete -c flatfoot")]
    {
        let run = flatfoot.run(&["completions", shell]);
        assert_eq!(run.status, 0);
        assert!(run.stdout.contains(words), "{shell}");
        assert!(COMMANDS.iter().all(|c| run.stdout.contains(c)), "{shell} knows every command");
        assert!(!run.stdout.contains("demo-child"), "{shell}: what only demo uses is not offered");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flatfoot.bash");
    std::fs::write(&file, flatfoot.run(&["completions", "bash"]).stdout).expect("a file");
    let path = file.display();
    let offered = shell::text(&format!(
        "bash -c '. {path}; COMP_WORDS=(flatfoot di); COMP_CWORD=1; _flatfoot flatfoot di flatfoot; echo ${{COMPREPLY[@]}}'"
    ));
    assert_eq!(offered.trim(), "diagnose");
}

#[test]
fn manual_pages_are_valid_roff() {
    let flatfoot = Flatfoot::new();
    for args in [vec!["man"], vec!["man", "diagnose"], vec!["man", "map"]] {
        let run = flatfoot.run(&args);
        assert_eq!(run.status, 0);
        assert!(run.stdout.contains(".TH flatfoot") && run.stdout.contains(".SH NAME"), "{args:?}");
    }
    need!("man");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flatfoot.1");
    std::fs::write(&file, flatfoot.run(&["man", "diagnose"]).stdout).expect("a file");
    let page = shell::text(&format!("man -l {} 2>&1", file.display()));
    assert!(page.contains("diagnose"), "{page}");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let program = leaking();
    let flatfoot = Flatfoot::new();
    let args = ["diagnose", &program.arg(), "--no-save"];
    assert!(!flatfoot.run(&args).stdout.contains('\u{1b}'), "not into a pipe");
    let always = flatfoot.run(&[&args[..], &["--color", "always"]].concat());
    assert!(always.stdout.contains("\u{1b}["), "{}", always.stdout);
    assert!(!flatfoot.run(&[&args[..], &["--color", "never"]].concat()).stdout.contains('\u{1b}'));
    // NO_COLOR speaks for `auto`; who writes `always` means it.
    let mut command = flatfoot.command(&args);
    let run = collect(&mut command.env("NO_COLOR", "1").spawn().expect("flatfoot"));
    assert!(!run.stdout.contains('\u{1b}'));
    // The words are the same.
    let plain: String = strip(&always.stdout);
    let title = plain.lines().next().unwrap_or_default();
    assert!(title.starts_with("THREAD LEAK"), "{title}");
}

fn strip(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match (inside, c) {
            (false, '\u{1b}') => inside = true,
            (false, c) => out.push(c),
            (true, c) => inside = !c.is_ascii_alphabetic(),
        }
    }
    out
}

#[test]
fn a_closed_pipe_is_no_error() {
    let program = Leaker::start("shape", &["many-maps", "20000"]);
    let flatfoot = Flatfoot::new();
    for args in [
        vec!["map", "--mappings"],
        vec!["map", "--mappings", "--json"],
        vec!["diagnose"],
        vec!["threads", "--list"],
    ] {
        let mut all = args.clone();
        let pid = program.arg();
        all.push(&pid);
        let mut child = flatfoot.command(&all).spawn().expect("flatfoot");
        // As `| head -1`: reads a little, and closes.
        let mut first = [0_u8; 1];
        let mut out = child.stdout.take().expect("its output");
        let _ = out.read(&mut first);
        drop(out);
        let run = collect(&mut child);
        assert!(matches!(run.status, 0 | 1 | 3), "{args:?}: {run:#?}");
        assert_eq!(run.stderr, "", "{args:?}");
    }
}

#[test]
fn ctrl_c_ends_the_watch_with_a_judgement_of_what_was_seen() {
    let program = Leaker::start("leak", &["fds", "50", "sockets"]);
    let flatfoot = Flatfoot::new();
    let mut child = flatfoot
        .command(&["diagnose", &program.arg(), "--for", "5m", "--interval", "200ms", "--json"])
        .spawn()
        .expect("flatfoot");
    wait_until("the watch begins", 60.0, || {
        std::fs::read_dir(flatfoot.cases()).is_ok_and(|mut d| d.next().is_some())
    });
    // Long enough that what was seen can be judged.
    std::thread::sleep(Duration::from_secs(8));
    kill_process(Pid::from_child(&child), Signal::INT).expect("Ctrl-C");
    let run = collect(&mut child);
    let diagnosis = run.json();
    assert_eq!(run.status, 3, "{diagnosis:#}");
    assert_eq!(diagnosis["findings"][0]["kind"], "descriptor-leak", "{diagnosis:#}");
    let watched = diagnosis["looked_at"]["watched_s"].as_f64().expect("how long");
    assert!((2.0..60.0).contains(&watched), "{watched} s, not five minutes");
    assert!(diagnosis["saved"]["path"].is_string(), "the evidence is kept: {diagnosis:#}");
}

#[test]
fn ctrl_c_at_save_keeps_a_case_that_opens() {
    let program = Leaker::start("leak", &["fds", "50", "sockets"]);
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("cut.flatfoot").display().to_string();
    let mut child =
        flatfoot.command(&["save", &program.arg(), "-o", &case, "--for", "5m"]).spawn().expect("flatfoot");
    wait_until("the case is begun", 60.0, || {
        std::fs::read_dir(folder.path()).is_ok_and(|mut d| d.next().is_some())
    });
    std::thread::sleep(Duration::from_secs(1));
    kill_process(Pid::from_child(&child), Signal::INT).expect("Ctrl-C");
    assert_eq!(collect(&mut child).status, 0);
    assert!(matches!(flatfoot.diagnose(&case).0, 0 | 3));
}

#[test]
fn quiet_and_verbose() {
    let program = leaking();
    let flatfoot = Flatfoot::new();
    let quiet = flatfoot.run(&["save", &program.arg(), "-q"]);
    assert_eq!((quiet.status, quiet.stderr.as_str()), (0, ""));
    let verbose = flatfoot.run(&["diagnose", &program.arg(), "-v", "--no-save"]).stdout;
    let plain = flatfoot.run(&["diagnose", &program.arg(), "--no-save"]).stdout;
    assert!(verbose.lines().count() > plain.lines().count(), "-v says more");
    assert!(verbose.contains("from /proc/"), "the sources: {verbose}");
}

#[test]
fn without_arguments_the_table_once() {
    let flatfoot = Flatfoot::new();
    let run = flatfoot.run::<&str>(&[]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("PID") && run.stdout.contains("NEXT LIMIT"), "{}", run.stdout);
    assert_eq!(flatfoot.run(&["--version"]).stdout.trim(), concat!("flatfoot ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_demo_finds_its_leak() {
    let flatfoot = Flatfoot::new();
    let run = flatfoot.run(&["demo", "--period-ms", "100"]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(run.stdout.contains("THREAD LEAK") && run.stdout.contains("pool-*-thread-1"), "{run:#?}");
    assert!(run.stdout.contains("CHECK") && run.stderr.contains("harmless child"), "{run:#?}");
}
