//! The running host: what leaks comes first without a key, and each key does what the help says.

use crate::screen::{Screen, header, selected, selected_pid};
use crate::support::flatfoot::only_file;
use crate::support::{Flatfoot, Leaker, need};

fn leaking() -> Leaker {
    let leaker = Leaker::start("leak", &["threads-unjoined", "100", "0", "pool-#-thread-1"]);
    leaker.wait_for_tasks(41, 60.0);
    leaker
}

#[test]
fn what_leaks_comes_first_without_a_key_at_three_sizes() {
    need!("tmux");
    let (leaker, healthy) = (leaking(), Leaker::start("healthy", &["fixed-pool", "12"]));
    let flatfoot = Flatfoot::new();
    for size in [(80, 24), (120, 40), (200, 60)] {
        let screen = Screen::start(&flatfoot, &["top", &healthy.arg(), &leaker.arg()], size);
        let seen = screen.wait("the leak, its pattern and its finding", |text| {
            selected_pid(text) == Some(leaker.pid())
                && selected(text).contains("pool-*-thread-1")
                && text.contains(&format!("THREAD LEAK  leak[{}]", leaker.pid()))
                && text.lines().any(|line| line.contains("thread stack"))
        });
        // The pattern is among those of the process, too, and it promises more than it uses.
        assert!(seen.matches("pool-*-thread-1").count() >= 3, "{size:?}\n{seen}");
        assert!(
            header(&seen).contains(" live ") && seen.contains("RISK") && seen.contains("? help"),
            "{size:?}\n{seen}"
        );
        assert!(seen.contains(&healthy.arg()), "{size:?}: the healthy one is listed\n{seen}");
        assert_eq!(seen.lines().count(), usize::from(size.1), "{seen}");
    }
}

#[test]
fn the_whole_host_is_listed_and_a_filter_finds_the_leak() {
    need!("tmux");
    let leaker = leaking();
    let flatfoot = Flatfoot::new();
    // No command at all is the live view, too.
    let screen = Screen::start(&flatfoot, &[], (200, 60));
    screen.sees("processes");
    screen.keys(&["/"]);
    screen.sees("filter:");
    screen.letters(&leaker.arg());
    screen.wait("the leaker alone, judged", |text| {
        selected_pid(text) == Some(leaker.pid()) && selected(text).contains("pool-*-thread-1")
    });
    screen.keys(&["Enter"]);
    screen.sees("? help");
    screen.keys(&["Escape"]);
    screen.wait("everybody again", |text| {
        text.lines().any(|line| line.contains(" systemd ") || line.contains(" sh "))
    });
}

#[test]
fn keys_sort_filter_freeze_and_open_the_other_screens() {
    need!("tmux");
    let (leaker, healthy) = (leaking(), Leaker::start("healthy", &["fixed-pool", "12"]));
    let flatfoot = Flatfoot::new();
    let screen = Screen::start(&flatfoot, &["top", &healthy.arg(), &leaker.arg()], (120, 40));
    screen.wait("the leak first", |text| {
        selected_pid(text) == Some(leaker.pid())
            && text.contains("THREAD LEAK")
            && text.contains("thread stack")
    });

    screen.keys(&["o"]);
    screen.sees("▼COMMIT~");
    screen.keys(&["O"]);
    screen.sees("GROWING▼");
    screen.keys(&["j"]);
    screen.wait("the second one", |text| selected_pid(text) == Some(healthy.pid()));
    screen.keys(&["Home"]);
    screen.wait("the first one", |text| selected_pid(text) == Some(leaker.pid()));

    screen.keys(&["m"]);
    let map = screen.sees("SIZE EACH");
    assert!(map.contains(&format!("memory of leak[{}]", leaker.pid())) && map.contains("total"), "{map}");
    screen.keys(&["t"]);
    let threads = screen.sees("threads of leak");
    assert!(threads.contains("OLDEST"), "{threads}");
    screen.keys(&["d"]);
    let details = screen.sees("EVIDENCE");
    assert!(details.contains("diagnosis of leak") && details.contains("check:"), "{details}");
    screen.keys(&["Escape"]);
    screen.sees("GROWING▼");
    screen.keys(&["?"]);
    let help = screen.sees("as flatfoot threads");
    for key in ["filter", "sort", "freeze", "save", "report", "go to a time"] {
        assert!(help.contains(key), "{key}\n{help}");
    }
    screen.keys(&["?"]);

    screen.sees("GROWING▼");
    screen.keys(&["Space"]);
    let frozen = screen.sees("frozen");
    let before = leaker.tasks();
    leaker.wait_for_tasks(before + 20, 60.0);
    assert_eq!(selected(&screen.text()), selected(&frozen), "nothing moves");
    screen.keys(&["Space"]);
    screen.wait("it goes on", |text| header(text).contains(" live ") && selected(text) != selected(&frozen));
}

#[test]
fn a_case_file_and_a_report_are_written_and_their_paths_said() {
    need!("tmux");
    let leaker = leaking();
    let flatfoot = Flatfoot::new();
    let screen = Screen::start(&flatfoot, &["top", &leaker.arg()], (120, 40));
    screen.wait("the leak", |text| selected_pid(text) == Some(leaker.pid()) && text.contains("THREAD LEAK"));
    screen.keys(&["s"]);
    let said = screen.sees("saved /");
    let case = only_file(&flatfoot.cases(), ".flatfoot");
    assert!(said.contains(&case.display().to_string()), "{said}");
    screen.keys(&["r"]);
    let said = screen.sees("report /");
    let page = only_file(&flatfoot.cases(), ".html");
    assert!(said.contains(&page.display().to_string()), "{said}");
    let page = std::fs::read_to_string(page).expect("the report");
    assert!(page.contains("pool-*-thread-1") && page.ends_with("</html>\n"), "{}", page.len());
    // What was kept opens anywhere, and says the same.
    let (code, diagnosis) = flatfoot.json(&["diagnose", &case.display().to_string()]);
    assert_eq!(code, 1, "{diagnosis:#}");
    assert_eq!(diagnosis["findings"][0]["process"]["pid"], leaker.pid());
}

#[test]
fn a_healthy_program_is_not_named() {
    need!("tmux");
    let healthy = Leaker::start("healthy", &["fixed-pool", "40"]);
    let flatfoot = Flatfoot::new();
    let screen = Screen::start(&flatfoot, &["top", &healthy.arg()], (120, 40));
    let seen = screen.wait("its verdict and its patterns", |text| {
        text.contains("Nothing suspicious") && text.contains("thread stack")
    });
    assert!(seen.contains("NOT JUDGED") && !seen.contains("LEAK"), "{seen}");
}

#[test]
fn who_ends_stays_in_sight_and_is_marked() {
    need!("tmux");
    let (leaker, healthy) = (leaking(), Leaker::start("healthy", &["fixed-pool", "12"]));
    let pid = leaker.pid();
    let flatfoot = Flatfoot::new();
    let screen = Screen::start(&flatfoot, &["top", &leaker.arg(), &healthy.arg()], (120, 40));
    screen.wait("both, and the leak read", |text| {
        selected_pid(text) == Some(pid) && text.contains(&healthy.arg()) && text.contains("thread stack")
    });
    screen.keys(&["j", "k"]);
    screen.wait("the leak", |text| selected_pid(text) == Some(pid));
    drop(leaker);
    let seen = screen.wait("its end", |text| selected(text).contains("ended"));
    assert_eq!(selected_pid(&seen), Some(pid), "{seen}");
    assert!(seen.contains("thread stack"), "what was read of it stands\n{seen}");
}

#[test]
fn no_name_drives_the_terminal() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    let programs = ["newline", "escape", "utf8", "backslash", "html", "empty"]
        .map(|kind| Leaker::start("shape", &["hostile", kind]));
    let pids: Vec<String> = programs.iter().map(Leaker::arg).collect();
    let mut args = vec!["top"];
    args.extend(pids.iter().map(String::as_str));
    let screen = Screen::start(&flatfoot, &args, (120, 40));
    let raw = screen.record();
    for _ in &programs {
        let seen = screen.wait("patterns", |text| text.contains("PATTERN"));
        assert!(
            seen.starts_with("flatfoot") && seen.contains("? help"),
            "everything is in its place\n{seen}"
        );
        screen.keys(&["t"]);
        screen.sees("OLDEST");
        screen.keys(&["Escape"]);
        screen.sees("? help");
        screen.keys(&["j"]);
    }
    let seen = screen.text();
    assert!(seen.contains(r"\u{1b}[31mred"), "written out\n{seen}");
    // Of the sequences, only those that we send: red is 38;5;1 there, never 31.
    let raw = std::fs::read(raw).expect("what was written");
    assert!(!raw.windows(5).any(|bytes| bytes == b"\x1b[31m"), "a name's own sequence");
    assert!(raw.windows(4).any(|bytes| bytes == b"\x1b[1m" || bytes == b"[38;"), "ours are there");
}
