//! A panic leaves the terminal as it was: this test program is run once more, in a terminal of its own, and panics there
//! in the middle of the view.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{InputModes, LocalModes, OutputModes, Winsize, tcgetattr, tcsetwinsize};

use super::founding;
use crate::tui::Look;
use crate::tui::terminal::{Screen, restore_on_panic};

/// A terminal: whoever reads what is written to it, and the terminal itself.
fn terminal() -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs =
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&theirs, size).unwrap();
    (ours.into(), theirs)
}

/// What the child does, in its own terminal.
#[test]
#[ignore = "run by the test below, in a terminal"]
fn panics_while_the_view_is_shown() {
    restore_on_panic();
    let mut screen = Screen::take(Look::default()).unwrap();
    screen.draw(&mut founding()).unwrap();
    panic!("in the middle of the view");
}

#[test]
fn the_terminal_is_given_back_before_a_panic_is_told() {
    let (mut ours, theirs) = terminal();
    let before = tcgetattr(&theirs).unwrap();
    let stream = || theirs.try_clone().unwrap();
    let name = "tui::tests::panics::panics_while_the_view_is_shown";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", name])
        .stdin(stream())
        .stdout(stream())
        .stderr(stream())
        .spawn()
        .unwrap();
    // What it writes fits into no pipe: it is read until it is at its end.
    let reader = std::thread::spawn(move || {
        let (mut written, mut some) = (Vec::new(), [0; 4_096]);
        while let Ok(bytes @ 1..) = ours.read(&mut some) {
            written.extend_from_slice(&some[..bytes]);
        }
        String::from_utf8_lossy(&written).into_owned()
    });
    assert!(!child.wait().unwrap().success(), "it did panic");
    let after = tcgetattr(&theirs).unwrap();
    drop(theirs);
    let written = reader.join().unwrap();

    let place = |what: &str| written.find(what).unwrap_or_else(|| panic!("no {what:?} in {written:?}"));
    let (taken, drawn) = (place("\u{1b}[?1049h"), place("torquebox"));
    let (given_back, cursor) = (place("\u{1b}[?1049l"), place("\u{1b}[?25h"));
    let told = place("in the middle of the view");
    assert!(taken < drawn && drawn < given_back && given_back < told && cursor < told, "{written:?}");
    for mode in [LocalModes::ECHO, LocalModes::ICANON, LocalModes::ISIG] {
        assert!(after.local_modes.contains(mode), "{mode:?}");
    }
    assert!(after.output_modes.contains(OutputModes::OPOST) && after.input_modes.contains(InputModes::ICRNL));
    assert_eq!(after.local_modes, before.local_modes);
}
