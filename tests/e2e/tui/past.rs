//! What was recorded, and case files: jumps in time, and the same views.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::screen::{Screen, header, selected, selected_pid};
use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, need, wait_until};

/// The number in the THREADS column of the selected row: the fourth after the pid and the name.
fn threads(screen: &str) -> Option<u64> {
    let heads = screen.lines().find(|line| line.contains("THREADS") && line.contains("PID"))?;
    let end = heads.find("THREADS")? + "THREADS".len();
    // Both lines have one cell for each letter up to there but for the marks, which are a letter each, too.
    let column = heads.get(..end)?.chars().count();
    let cell: String = selected(screen).chars().take(column).collect();
    cell.split_whitespace().next_back()?.replace(',', "").parse().ok()
}

/// Records for so long what a leaker does; its pid.
#[track_caller]
fn recorded(flatfoot: &Flatfoot, store: &Path, seconds: u32) -> u32 {
    let leaker = Leaker::start("leak", &["threads-detached", "100", "0", "pool-#-thread-1"]);
    leaker.wait_for_tasks(41, 60.0);
    let (time, store) = (format!("{seconds}s"), store.display().to_string());
    let run = flatfoot.run(&["record", "--store", &store, "--interval", "100ms", "--for", &time]);
    assert_eq!(run.status, 0, "{run:#?}");
    leaker.pid()
}

#[test]
fn a_recorded_leak_is_there_after_its_end_and_keys_go_back_in_time() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot");
    let pid = recorded(&flatfoot, &store, 6);
    let store = store.display().to_string();
    let screen = Screen::start(&flatfoot, &["top", &pid.to_string(), "--store", &store], (120, 40));
    let end = screen.wait("the leak as it was recorded", |text| {
        selected_pid(text) == Some(pid) && text.contains("THREAD LEAK") && text.contains("pool-*-thread-1")
    });
    assert!(header(&end).contains("newest") && end.contains("[ ] minute"), "{end}");
    let at_the_end = threads(&end).expect("a number of threads");

    screen.keys(&["["]);
    let begin = screen.wait("the begin of the recording", |text| {
        header(text).contains("recorded")
            && !header(text).contains("newest")
            && threads(text).is_some_and(|n| n < at_the_end)
    });
    let at_the_begin = threads(&begin).expect("a number of threads");
    assert!(
        at_the_begin + 30 <= at_the_end,
        "six seconds of a birth each 100 ms: {at_the_begin} to {at_the_end}"
    );
    assert!(begin.contains("where the recording begins") || begin.contains("recorded"), "{begin}");

    screen.keys(&["]"]);
    screen.wait("the end again", |text| header(text).contains("newest") && threads(text) == Some(at_the_end));
    screen.keys(&["g"]);
    screen.sees("go to:");
    screen.letters("25:00");
    screen.keys(&["Enter"]);
    screen.sees("no moment");
    screen.keys(&["C-u"]);
    screen.letters("1h");
    screen.keys(&["Enter"]);
    screen.wait("the begin, as nothing is older", |text| threads(text) == Some(at_the_begin));
    screen.keys(&["]"]);
    screen.wait("the end once more", |text| threads(text) == Some(at_the_end));
    screen.keys(&["m"]);
    // The recorder looks closer at what it suspects when it finds the time.
    screen.wait("its memory, or that nothing was read of it", |text| {
        text.contains("memory of leak")
            && (text.contains("SIZE EACH") || text.contains("not recorded until then"))
    });
    screen.keys(&["d"]);
    screen.sees("EVIDENCE");
    screen.keys(&["q"]);
    screen.sees("exit=0");
}

#[test]
fn a_store_that_grows_is_followed() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot").display().to_string();
    let leaker = Leaker::start("leak", &["threads-detached", "100", "0", "pool-#-thread-1"]);
    let record = ["record", "--store", &store, "--interval", "200ms"];
    let mut recorder = flatfoot.command(&record).spawn().expect("the recorder starts");
    wait_until("a store", 30.0, || flatfoot.run(&["top", "--store", &store, "--once"]).status == 0);
    let screen = Screen::start(&flatfoot, &["top", &leaker.arg(), "--store", &store], (120, 40));
    let first = screen.wait("the leaker", |text| selected_pid(text) == Some(leaker.pid()));
    let first = threads(&first).expect("threads");
    screen.wait("more of them without a key", |text| threads(text).is_some_and(|n| n >= first + 20));
    drop(screen);
    kill_process(Pid::from_child(&recorder), Signal::TERM).expect("a signal to our own child");
    assert_eq!(collect(&mut recorder).status, 0);
}

#[test]
fn from_now_a_key_goes_back_into_the_recorders_store_and_another_returns() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    std::fs::create_dir_all(flatfoot.cases()).expect("a folder for the store");
    let pid = recorded(&flatfoot, &flatfoot.cases().join("history.flatfoot"), 3);
    let screen = Screen::start(&flatfoot, &["top"], (120, 40));
    screen.wait("now", |text| header(text).contains(" live ") && selected_pid(text).is_some());
    screen.keys(&["["]);
    screen.wait("then", |text| header(text).contains(" recorded "));
    screen.keys(&["/"]);
    screen.letters(&pid.to_string());
    screen.keys(&["Enter"]);
    screen.wait("who has ended meanwhile", |text| selected_pid(text) == Some(pid));
    screen.keys(&["Escape", "]"]);
    screen.wait("now again", |text| header(text).contains(" live "));
}

#[test]
fn a_case_file_is_shown_as_the_host_was() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("case.flatfoot").display().to_string();
    let pid = {
        let leaker = Leaker::start("leak", &["threads-unjoined", "100", "0", "pool-#-thread-1"]);
        leaker.wait_for_tasks(41, 60.0);
        let run = flatfoot.run(&["save", &leaker.arg(), "-o", &case]);
        assert_eq!(run.status, 0, "{run:#?}");
        leaker.pid()
    };
    for size in [(80, 24), (200, 60)] {
        let screen = Screen::start(&flatfoot, &["top", &case], size);
        let seen = screen.wait("the saved leak", |text| {
            selected_pid(text) == Some(pid) && text.contains("THREAD LEAK") && text.contains("thread stack")
        });
        assert!(seen.contains("case file") && seen.contains("pool-*-thread-1"), "{seen}");
        screen.keys(&["["]);
        screen.sees("no times between");
        screen.keys(&["s"]);
        screen.sees("a case file already");
    }
}
