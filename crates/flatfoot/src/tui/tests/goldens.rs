//! Whole screens, as golden files.

use ratatui::style::{Color, Modifier};

use super::{HOST, ended, founding, inspected, judged, press, screen, seen, start, text};
use crate::tui::app::{App, When};
use crate::tui::{Glyphs, Look, Palette};

const UNICODE: Look = Look { glyphs: Glyphs::Unicode, palette: Palette { colors: true } };
const ASCII: Look = Look { glyphs: Glyphs::Ascii, palette: Palette { colors: false } };

fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    // The time zone is the machine's.
    settings.add_filter(r"\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d|HH:MM:SS)", "YYYY-MM-DD HH:MM:SS");
    settings.add_filter(r"\d\d:\d\d:\d\d", "HH:MM:SS");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn the_founding_case_at_four_sizes() {
    for (width, height) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        check(&format!("founding_{width}x{height}"), &text(&mut founding(), UNICODE, width, height));
    }
}

#[test]
fn the_founding_case_in_ascii_and_without_colour() {
    let mut app = founding();
    check("founding_ascii", &text(&mut app, ASCII, 80, 24));
    let terminal = screen(&mut app, ASCII, 80, 24);
    for cell in terminal.backend().buffer().content() {
        assert!(cell.symbol().bytes().all(|b| (b' '..=b'~').contains(&b)), "{cell:?}");
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "no colour");
    }
    let selected = &terminal.backend().buffer()[(20, 2)];
    assert!(selected.modifier.contains(Modifier::REVERSED), "who is selected is seen without colour");
}

#[test]
fn a_finding_is_red_and_nothing_else_tells_it_alone() {
    let mut app = founding();
    let terminal = screen(&mut app, UNICODE, 80, 24);
    let buffer = terminal.backend().buffer();
    let row =
        (0..24).find(|y| (0..6).map(|x| buffer[(x, *y)].symbol()).collect::<String>() == "THREAD").unwrap();
    assert_eq!(buffer[(0, row)].fg, Color::Red);
    assert!(buffer.content().iter().all(|cell| cell.bg == Color::Reset), "the background is the user's");
}

#[test]
fn screens_over_the_whole_terminal() {
    let mut app = founding();
    press(&mut app, "m");
    check("map", &text(&mut app, UNICODE, 80, 24));
    press(&mut app, "t");
    check("threads", &text(&mut app, UNICODE, 80, 24));
    text(&mut app, UNICODE, 40 + 20, 24);
    press(&mut app, "<Right>");
    check("threads_sideways", &text(&mut app, UNICODE, 60, 24));
    press(&mut app, "d");
    check("details_reading", &text(&mut app, UNICODE, 80, 24));
    app.took_diagnosed(When::Live, super::subject(&HOST[0]), Ok(judged(vec![super::leak()])));
    check("details", &text(&mut app, UNICODE, 80, 24));
    press(&mut app, "<Esc>?");
    check("help", &text(&mut app, UNICODE, 80, 24));
}

#[test]
fn prompts_and_messages_take_the_last_line() {
    let mut app = founding();
    press(&mut app, "/mysq");
    check("filter", &text(&mut app, UNICODE, 80, 24));
    press(&mut app, "<Enter>");
    press(&mut app, "g09:61<Enter>");
    check("go_to_wrong", &text(&mut app, UNICODE, 80, 24));
    press(&mut app, "<Esc>/zzz<Enter>");
    check("filter_fits_nobody", &text(&mut app, UNICODE, 80, 24));
}

#[test]
fn nothing_is_known_yet() {
    check("first_moment", &text(&mut App::new(start()), UNICODE, 80, 24));
    let mut app = App::new(start());
    app.at(0.0);
    app.ticked(&super::tick(&[], 0, true), 0.0);
    app.took_survey(When::Live, Ok(judged(Vec::new())), 0.0);
    check("empty_host", &text(&mut app, UNICODE, 80, 24));
}

#[test]
fn what_failed_is_said() {
    let mut app = seen(HOST);
    app.at(20.0);
    app.took_survey(When::Live, Err("listing /proc: permission denied".to_owned()), 20.0);
    let mut read = inspected(&HOST[0]);
    read.map = Err("/proc/3248/maps: denied (run flatfoot with sudo, or as the process's user)".to_owned());
    read.threads = Err("/proc/3248/task: denied".to_owned());
    app.took_inspected(read, 20.0);
    check("denied", &text(&mut app, UNICODE, 80, 24));
    let (mut app, mut read) = (seen(HOST), inspected(&HOST[0]));
    read.map = Err("not recorded until then: a recorder looks closer at what it suspects alone".to_owned());
    read.threads =
        Err("not recorded until then: a recorder looks closer at what it suspects alone".to_owned());
    app.took_inspected(read, 20.0);
    for width in [80, 200] {
        assert_eq!(
            text(&mut app, UNICODE, width, 24).matches("not recorded until then").count(),
            1,
            "said once"
        );
    }
}

#[test]
fn who_ended_and_what_is_frozen_is_marked() {
    let mut app = founding();
    press(&mut app, "<Down><Home>");
    press(&mut app, "<Down>k");
    app.ticked(&ended(HOST, 21, 0), 21.0);
    check("ended", &text(&mut app, UNICODE, 80, 24));
    press(&mut app, " ");
    check("frozen", &text(&mut app, UNICODE, 80, 24));
}

#[test]
fn too_small_a_terminal_says_so() {
    check("too_small", &text(&mut founding(), UNICODE, 59, 14));
    // However small it is, nothing breaks.
    for width in 1..70 {
        for height in 1..20 {
            text(&mut founding(), ASCII, width, height);
        }
    }
}

#[test]
fn no_name_reaches_the_terminal_raw() {
    let mut app = founding();
    for keys in ["", "m", "t", "d", "<Esc><Down><Down><Down><Down>"] {
        press(&mut app, keys);
        for look in [UNICODE, ASCII] {
            let shown = text(&mut app, look, 200, 60);
            let raw = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
            assert_eq!(shown.chars().find(raw), None, "{shown}");
        }
    }
    let shown = text(&mut app, UNICODE, 200, 60);
    assert!(shown.contains(r"a\x1b[2Jb\u{202e}c") || shown.contains("a\\u{1b}[2J"), "written out: {shown}");
}
