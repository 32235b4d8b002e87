//! Terminals of other sizes and abilities.

use crate::screen::{Screen, selected};
use crate::support::{Flatfoot, Leaker, need};

#[test]
fn it_follows_the_size_and_says_when_that_is_too_small() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    let screen = Screen::start(&flatfoot, &["top"], (80, 24));
    screen.sees("? help");
    screen.resize((40, 10));
    let small = screen.sees("too small: 40x10");
    assert!(small.contains("60x14"), "{small}");
    screen.resize((200, 60));
    let wide =
        screen.wait("details beside the processes", |text| text.contains("│") && text.contains("NEXT LIMIT"));
    assert_eq!(wide.lines().count(), 60);
    screen.resize((60, 14));
    screen.wait("the least", |text| text.contains("GROWING") && !text.contains("NEXT LIMIT"));
    screen.keys(&["q"]);
    screen.sees("exit=0");
}

#[test]
fn without_utf_8_it_is_ascii_and_without_colour_plain() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    let healthy = Leaker::start("healthy", &["fixed-pool", "12"]);
    let pid = healthy.arg();
    for (args, environment, ascii, colors) in [
        (vec!["top", &pid], "LC_ALL=C.UTF-8", false, true),
        (vec!["top", &pid], "LC_ALL=C", true, true),
        (vec!["top", &pid, "--ascii"], "LC_ALL=C.UTF-8", true, true),
        (vec!["top", &pid], "LC_ALL=C.UTF-8 NO_COLOR=1", false, false),
        (vec!["top", &pid, "--color", "never", "--ascii"], "LC_ALL=C.UTF-8", true, false),
    ] {
        let screen = Screen::with(&flatfoot, &args, (80, 24), environment);
        let seen = screen.wait("everything", |text| {
            text.contains("Nothing suspicious") && text.contains("thread stack") && !selected(text).is_empty()
        });
        assert_eq!(seen.is_ascii(), ascii, "{args:?} {environment}\n{seen}");
        let colored = screen.colored();
        assert_eq!(has_colors(&colored), colors, "{args:?} {environment}\n{colored:?}");
        assert!(colored.contains("\u{1b}[7m"), "who is selected is seen anyway: {colored:?}");
    }
}

/// Is there a sequence that sets a colour?
fn has_colors(text: &str) -> bool {
    let sequences = text.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m'));
    let mut codes =
        sequences.flat_map(|(codes, _)| codes.split(';')).filter_map(|code| code.parse::<u8>().ok());
    codes.any(|code| matches!(code, 30..=38 | 40..=48 | 90..=97))
}

#[test]
fn where_there_is_no_terminal_it_is_a_table() {
    let flatfoot = Flatfoot::new();
    for args in [&[][..], &["top"], &["top", "--once"]] {
        let run = flatfoot.run(args);
        assert_eq!(run.status, 0, "{run:#?}");
        assert!(run.stdout.contains("NEXT LIMIT") && !run.stdout.contains('\u{1b}'), "{run:#?}");
    }
}

#[test]
fn on_a_terminal_once_is_a_table_and_so_is_a_dumb_one() {
    need!("tmux");
    let flatfoot = Flatfoot::new();
    for (args, environment) in [(&["top", "--once"][..], "LC_ALL=C.UTF-8"), (&["top"], "TERM=dumb")] {
        let screen = Screen::with(&flatfoot, args, (120, 60), environment);
        let seen = screen.sees("exit=0");
        assert!(seen.contains("COMMIT~") && seen.contains("before"), "{seen}");
    }
}
