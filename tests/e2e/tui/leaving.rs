//! However the view ends, the terminal is as it was before.

use rustix::process::{Pid, Signal, kill_process};

use crate::screen::Screen;
use crate::support::{Flatfoot, need};

/// What the shell printed before is there, the cursor, its echo and its lines.
#[track_caller]
fn is_as_before(screen: &Screen, code: &str) {
    let seen = screen.wait("the shell again", |text| text.contains("exit=") && text.contains("cread"));
    assert!(seen.contains("before") && seen.contains(&format!("exit={code}")), "{seen}");
    assert!(!seen.contains("? help"), "nothing is left of the view\n{seen}");
    let modes: Vec<&str> = seen.split([' ', '\n', ';']).collect();
    for mode in ["echo", "icanon", "isig", "opost", "icrnl"] {
        assert!(modes.contains(&mode), "{mode}\n{seen}");
    }
    assert_eq!((screen.about("cursor_flag").as_str(), screen.about("alternate_on").as_str()), ("1", "0"));
    assert_eq!(screen.about("mouse_any_flag"), "0");
}

#[test]
fn a_key_ends_it() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    for key in ["q", "C-c"] {
        let screen = Screen::start(&flatfoot, &["top"], (80, 24));
        screen.sees("? help");
        assert_eq!((screen.about("cursor_flag").as_str(), screen.about("alternate_on").as_str()), ("0", "1"));
        // With the mouse in our hands it is given back, too.
        screen.keys(&["M"]);
        screen.sees("the mouse selects");
        assert_eq!(screen.about("mouse_any_flag"), "1");
        screen.keys(&[key]);
        is_as_before(&screen, "0");
    }
}

#[test]
fn a_signal_ends_it() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    for (signal, code) in [(Signal::TERM, "143"), (Signal::HUP, "129"), (Signal::INT, "0")] {
        let screen = Screen::start(&flatfoot, &["top"], (80, 24));
        screen.sees("? help");
        let pid = Pid::from_raw(screen.flatfoot().cast_signed()).expect("a pid");
        kill_process(pid, signal).expect("a signal");
        is_as_before(&screen, code);
    }
}

#[test]
fn it_stops_and_comes_back() {
    need!("tmux", "bash");
    let flatfoot = Flatfoot::new();
    let screen = Screen::shell(
        &flatfoot,
        &["timeout", "--foreground", "600", "bash", "--norc", "--noprofile", "-i"],
        (80, 24),
    );
    screen.letters(concat!("PS1='ready> '; cd /; ", env!("CARGO_BIN_EXE_flatfoot"), " top"));
    screen.keys(&["Enter"]);
    screen.sees("? help");
    // What was drawn is drawn anew, too, when somebody asks for it.
    screen.keys(&["C-l"]);
    screen.sees("? help");
    screen.keys(&["M"]);
    screen.sees("the mouse selects");
    screen.keys(&["C-z"]);
    let stopped = screen.wait("the shell", |text| text.contains("Stopped") && text.contains("ready>"));
    assert!(!stopped.contains("? help"), "{stopped}");
    assert_eq!((screen.about("cursor_flag").as_str(), screen.about("alternate_on").as_str()), ("1", "0"));
    assert_eq!(screen.about("mouse_any_flag"), "0");
    screen.letters("fg");
    screen.keys(&["Enter"]);
    screen.wait("the view again, with its mouse", |text| {
        text.starts_with("flatfoot") && screen.about("mouse_any_flag") == "1"
    });
    screen.keys(&["q"]);
    screen.wait("the shell again", |text| text.contains("Stopped") && !text.contains("? help"));
    screen.letters("echo code=$?");
    screen.keys(&["Enter"]);
    screen.sees("code=0");
}
