//! What keys, ticks and answers do.

use model::Pid;
use proptest::prelude::*;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{HOST, at, ended, founding, inspected, judged, press, seen, start, subject, text, tick, wants};
use crate::board::Board;
use crate::cli::TopOrder;
use crate::tui::Look;
use crate::tui::app::{App, Request, Screen, Visited, When};

fn current(app: &App) -> u32 {
    app.current().map_or(0, |row| row.row.process.pid.0)
}

#[test]
fn the_first_one_is_read_without_a_key_and_the_host_is_judged_at_once() {
    let mut app = App::new(start());
    assert_eq!(wants(&mut app, 0.0), [Request::Survey { when: When::Live, pids: Vec::new() }]);
    app.ticked(&tick(HOST, 0, true), 0.1);
    let inspect = Request::Inspect { when: When::Live, of: subject(&HOST[0]) };
    assert_eq!(wants(&mut app, 0.1), [inspect]);
    assert_eq!(wants(&mut app, 9.0), [], "nothing is asked twice while it is read");
    assert!(app.due_s().is_infinite(), "and nothing wakes the view up");
}

#[test]
fn a_process_is_read_again_after_a_pause_that_fits_what_it_cost() {
    let mut app = founding();
    assert_eq!(wants(&mut app, 22.2), []);
    assert_eq!(wants(&mut app, 22.4).len(), 1);
    let mut slow = inspected(&HOST[0]);
    slow.took_s = 0.5;
    app.took_inspected(slow, 23.0);
    assert_eq!(wants(&mut app, 32.9), []);
    assert_eq!(wants(&mut app, 33.1).len(), 1);
}

#[test]
fn the_selection_rests_before_it_is_read() {
    let mut app = founding();
    press(&mut app, "jjj");
    assert_eq!(wants(&mut app, 21.1), [], "who is passed by is not read");
    let asked = wants(&mut app, 21.2);
    assert!(matches!(&asked[..], [Request::Inspect { of, .. }] if of.pid.0 == current(&app)), "{asked:?}");
}

#[test]
fn an_answer_for_another_one_is_not_shown() {
    let mut app = founding();
    press(&mut app, "j");
    let now = current(&app);
    assert!(app.inspected().is_none());
    app.took_inspected(inspected(&HOST[0]), 21.5);
    assert!(app.inspected().is_none(), "{now} is selected");
}

#[test]
fn who_was_selected_stays_so_wherever_it_goes() {
    let mut app = seen(HOST);
    assert_eq!(current(&app), 3248);
    press(&mut app, "j");
    let selected = current(&app);
    assert_ne!(selected, 3248);
    for order in 0..5 {
        press(&mut app, "o");
        assert_eq!(current(&app), selected, "{order}");
    }
    press(&mut app, "<Home>");
    press(&mut app, "oooo");
    assert_eq!((app.order(), current(&app)), (TopOrder::Threads, 3248), "the first again, whoever that is");
}

#[test]
fn without_a_selection_the_first_is_followed() {
    let mut app = seen(HOST);
    press(&mut app, "o");
    let mut findings = vec![super::leak()];
    findings[0].process.pid = Pid(912);
    app.at(20.0);
    app.took_survey(When::Live, Ok(judged(findings)), 20.0);
    press(&mut app, "O");
    assert_eq!(current(&app), 912, "who leaks comes first");
}

#[test]
fn who_ended_stays_selected_and_is_not_read_any_more() {
    let mut app = founding();
    press(&mut app, "jk");
    wants(&mut app, 22.0);
    app.took_inspected(inspected(&HOST[0]), 22.0);
    app.ticked(&ended(HOST, 22, 0), 22.0);
    assert_eq!(current(&app), 3248);
    assert!(app.current().is_some_and(|row| row.ended));
    assert_eq!(wants(&mut app, 99.0).iter().filter(|r| matches!(r, Request::Inspect { .. })).count(), 0);
    let mut gone = inspected(&HOST[0]);
    gone.threads = Err("process 3248 ended while it was read".to_owned());
    gone.map = Err("process 3248 ended while it was read".to_owned());
    app.took_inspected(gone, 22.5);
    assert!(app.inspected().is_some_and(|read| read.map.is_ok()), "what was read of it stands");
    press(&mut app, "s");
    assert!(app.message().is_some_and(|(said, _)| said.contains("ended")));
    press(&mut app, "j");
    assert!((0..app.len()).all(|at| app.row(at, 0).is_some_and(|row| !row.ended)), "then it is gone");
}

#[test]
fn a_filter_is_tried_while_it_is_typed_and_taken_back_with_esc() {
    let mut app = seen(HOST);
    let everybody = app.len();
    press(&mut app, "/MYSQ");
    assert_eq!((app.len(), current(&app)), (1, 912));
    press(&mut app, "<Esc>");
    assert_eq!((app.len(), app.filter()), (everybody, ""));
    press(&mut app, "/java<Enter>");
    assert_eq!((app.len(), app.prompt().is_none()), (1, true));
    press(&mut app, "<Esc>");
    assert_eq!(app.len(), everybody);
    press(&mut app, "/q");
    assert_eq!(
        wants(&mut app, 21.0).iter().filter(|r| **r == Request::Quit).count(),
        0,
        "a letter, not a key"
    );
    press(&mut app, "<C-c>");
    assert!(wants(&mut app, 21.0).contains(&Request::Quit));
}

#[test]
fn frozen_nothing_moves_and_then_all_is_as_it_is_now() {
    let mut app = founding();
    press(&mut app, " ");
    let before = text(&mut app, Look::default(), 80, 24);
    app.take_dirty();
    for second in 21..40 {
        app.ticked(&tick(HOST, second, false), second as f64);
    }
    assert!(!app.take_dirty(), "nothing is drawn");
    assert_eq!(wants(&mut app, 200.0), [], "and nothing read");
    // The board itself goes on; what is shown of it is drawn when somebody asks for it.
    press(&mut app, " ");
    assert!(app.take_dirty());
    assert_ne!(text(&mut app, Look::default(), 80, 24), before);
}

#[test]
fn drawn_is_only_what_changed() {
    let mut app = founding();
    assert!(app.take_dirty());
    assert!(!app.take_dirty());
    app.at(20.4);
    assert!(!app.take_dirty(), "time alone changes nothing");
    app.ticked(&tick(HOST, 21, false), 21.0);
    assert!(app.take_dirty());
}

#[test]
fn files_are_asked_for_and_their_paths_said() {
    let mut app = founding();
    press(&mut app, "sr");
    let asked = wants(&mut app, 21.0);
    let (when, pid) = (When::Live, Pid(3248));
    assert_eq!(asked, [Request::Save { when, pid }, Request::Report { when, pid }]);
    assert_eq!(app.keeping(), 2);
    app.took_kept(Ok("saved /x.flatfoot (20 KiB)".to_owned()));
    assert!(text(&mut app, Look::default(), 80, 24).contains("saved /x.flatfoot (20 KiB)"));
    app.took_kept(Err("the disk is full".to_owned()));
    assert_eq!(app.keeping(), 0);
}

#[test]
fn over_what_was_recorded_keys_jump_and_come_back_to_now() {
    let now_ms = |seconds: i64| (super::BEGIN_S + seconds) * 1_000;
    let mut app = founding();
    press(&mut app, "[");
    assert_eq!(wants(&mut app, 21.0), [Request::Visit { at_ms: Some(now_ms(21 - 60)) }]);
    press(&mut app, "[{");
    let asked = wants(&mut app, 21.0);
    assert_eq!(asked.last(), Some(&Request::Visit { at_ms: Some(now_ms(21 - 120 - 3_600)) }), "jumps add up");
    let mut board = Board::default();
    board.take(&tick(&HOST[..2], 0, true));
    let visited = Visited { board, at_ms: now_ms(-600), first_ms: now_ms(-9_000), last_ms: now_ms(15) };
    app.took_visited(Some(now_ms(21 - 120 - 3_600)), Ok(visited), 22.0);
    assert_eq!((app.when(), app.len()), (When::Past(now_ms(-600)), 2));
    assert_eq!(current(&app), 3248, "who was selected still is");
    app.ticked(&tick(HOST, 22, false), 22.0);
    assert_eq!(app.len(), 2, "now goes on unseen");
    assert!(
        wants(&mut app, 23.0).contains(&Request::Survey { when: When::Past(now_ms(-600)), pids: Vec::new() })
    );
    press(&mut app, "gnow<Enter>");
    assert_eq!((app.when(), app.len()), (When::Live, HOST.len()));
    press(&mut app, "]");
    assert!(app.message().is_some_and(|(said, _)| said.contains("now")), "there is nothing after now");
}

#[test]
fn without_a_store_jumping_says_what_would_fill_one() {
    let mut app = App::new(crate::tui::app::Start { has_past: false, ..start() });
    press(&mut app, "[");
    assert!(app.message().is_some_and(|(said, _)| said.contains("flatfoot record")));
    assert!(!wants(&mut app, 0.0).iter().any(|r| matches!(r, Request::Visit { .. })));
}

#[test]
fn a_store_is_followed_at_its_end_and_nowhere_else() {
    let mut app = App::new(crate::tui::app::Start { when: When::Past(i64::MAX), ..start() });
    assert_eq!(wants(&mut app, 0.0), [Request::Visit { at_ms: None }]);
    let visited = |second: u64| {
        let mut board = Board::default();
        board.take(&tick(HOST, second, true));
        let at_ms = (super::BEGIN_S + second as i64) * 1_000;
        Visited { board, at_ms, first_ms: 0, last_ms: at_ms }
    };
    app.took_visited(None, Ok(visited(5)), 1.0);
    assert!(app.is_at_end());
    let asked = wants(&mut app, 4.0);
    assert!(asked.contains(&Request::Follow { known_ms: (super::BEGIN_S + 5) * 1_000 }), "{asked:?}");
    app.took_followed(Some(visited(8)), at(4.0));
    assert_eq!(app.when(), When::Past((super::BEGIN_S + 8) * 1_000));
    press(&mut app, "[");
    assert!(!app.is_at_end());
    app.took_followed(Some(visited(9)), at(5.0));
    assert_eq!(app.when(), When::Past((super::BEGIN_S + 8) * 1_000), "on the way elsewhere");
}

#[test]
fn a_case_of_looks_has_no_times_between() {
    let mut app = App::new(crate::tui::app::Start { when: When::Case, has_past: false, ..start() });
    assert_eq!(wants(&mut app, 0.0), [Request::Visit { at_ms: None }]);
    press(&mut app, "[");
    assert!(app.message().is_some_and(|(said, _)| said.contains("no times")));
}

#[test]
fn the_screens_open_and_close() {
    let mut app = founding();
    for (key, screen) in
        [("m", Screen::Map), ("t", Screen::Threads), ("d", Screen::Details), ("?", Screen::Help)]
    {
        press(&mut app, key);
        assert_eq!(app.screen(), screen);
    }
    press(&mut app, "<Esc>");
    assert_eq!(app.screen(), Screen::Main);
    press(&mut app, "<Enter>");
    assert_eq!(app.screen(), Screen::Details);
    let asked = wants(&mut app, 21.0);
    assert!(asked.contains(&Request::Diagnose { when: When::Live, of: subject(&HOST[0]) }), "{asked:?}");
}

/// A moment of what was recorded, with the first two of the host in it.
fn moment(seconds: i64) -> Visited {
    let mut board = Board::default();
    board.take(&tick(&HOST[..2], 0, true));
    let ms = |seconds: i64| (super::BEGIN_S + seconds) * 1_000;
    Visited { board, at_ms: ms(seconds), first_ms: ms(-9_000), last_ms: ms(15) }
}

/// The moment that was asked for last.
fn asked_moment(app: &mut App, now_s: f64) -> i64 {
    let moment = |request| match request {
        Request::Visit { at_ms } => at_ms,
        _ => None,
    };
    wants(app, now_s).into_iter().filter_map(moment).next_back().expect("a moment")
}

/// It is opened.
fn arrive(app: &mut App, now_s: f64) {
    let at_ms = asked_moment(app, now_s);
    app.took_visited(Some(at_ms), Ok(moment(at_ms / 1_000 - super::BEGIN_S)), now_s);
}

#[test]
fn a_diagnosis_is_asked_for_anew_at_another_moment() {
    let mut app = founding();
    press(&mut app, "d");
    app.took_diagnosed(When::Live, subject(&HOST[0]), Ok(judged(vec![super::leak()])));
    press(&mut app, "[");
    arrive(&mut app, 22.0);
    let asked = wants(&mut app, 22.0);
    assert!(asked.contains(&Request::Diagnose { when: app.when(), of: subject(&HOST[0]) }), "{asked:?}");
    press(&mut app, "gnow<Enter>");
    let asked = wants(&mut app, 23.0);
    assert!(asked.contains(&Request::Diagnose { when: When::Live, of: subject(&HOST[0]) }), "{asked:?}");
}

#[test]
fn who_is_read_about_stays_so_when_somebody_else_comes_first() {
    let mut app = founding();
    for key in ["m", "t", "d"] {
        press(&mut app, "<Home>");
        press(&mut app, key);
        let mut findings = vec![super::leak()];
        findings[0].process.pid = Pid(912);
        app.at(100.0);
        app.took_survey(When::Live, Ok(judged(findings)), 100.0);
        assert_eq!(current(&app), 3248, "{key}");
        press(&mut app, "<Esc>");
        app.at(200.0);
        app.took_survey(When::Live, Ok(judged(vec![super::leak()])), 200.0);
    }
}

#[test]
fn an_answer_about_another_time_is_not_shown() {
    let mut app = founding();
    press(&mut app, "[");
    arrive(&mut app, 22.0);
    app.took_inspected(inspected(&HOST[0]), 22.1);
    assert!(app.inspected().is_none(), "that was now");
    app.took_diagnosed(When::Live, subject(&HOST[0]), Ok(judged(vec![super::leak()])));
    assert!(app.current().is_some_and(|row| row.row.growing.is_none()), "and so was that");
    let when = app.when();
    let asked = wants(&mut app, 22.3);
    assert!(asked.contains(&Request::Inspect { when, of: subject(&HOST[0]) }), "{asked:?}");
    app.took_inspected(crate::tui::app::Inspected { when, ..inspected(&HOST[0]) }, 22.5);
    assert!(app.inspected().is_some());
    press(&mut app, "gnow<Enter>");
    app.took_inspected(crate::tui::app::Inspected { when, ..inspected(&HOST[0]) }, 22.6);
    assert!(app.inspected().is_none(), "that was then");
}

#[test]
fn a_moment_that_was_left_before_it_was_opened_does_not_come_back() {
    let mut app = founding();
    press(&mut app, "[");
    let first = asked_moment(&mut app, 21.0);
    press(&mut app, "gnow<Enter>");
    app.took_visited(Some(first), Ok(moment(-39)), 22.0);
    assert_eq!((app.when(), app.len()), (When::Live, HOST.len()));
    // On the way to one moment another one is farther on, whenever the first is there.
    press(&mut app, "[[");
    app.took_visited(Some(first), Ok(moment(-39)), 22.0);
    press(&mut app, "[");
    arrive(&mut app, 23.0);
    assert_eq!(app.when(), When::Past((super::BEGIN_S + 21 - 180) * 1_000), "three minutes before now");
}

#[test]
fn what_comes_after_the_recording_is_now() {
    let mut app = founding();
    press(&mut app, "[");
    arrive(&mut app, 22.0);
    // The recording ended at 15 s.
    app.key(&KeyEvent::from(KeyCode::Char(']')), at(300.0));
    let asked = asked_moment(&mut app, 300.0);
    app.took_visited(Some(asked), Ok(moment(15)), 300.0);
    assert_eq!(app.when(), When::Live);
}

#[test]
fn a_moment_that_could_not_be_opened_ends_no_following() {
    let mut app = App::new(crate::tui::app::Start { when: When::Past(i64::MAX), ..start() });
    press(&mut app, "[");
    assert!(app.message().is_some_and(|(said, _)| said.contains("nothing was read yet")));
    wants(&mut app, 0.0);
    app.took_visited(None, Ok(moment(15)), 1.0);
    press(&mut app, "[");
    let asked = asked_moment(&mut app, 2.0);
    app.took_followed(None, at(3.5));
    app.took_visited(Some(asked), Err("the disk is gone".to_owned()), 4.0);
    assert!(app.is_at_end());
    assert!(wants(&mut app, 9.0).iter().any(|request| matches!(request, Request::Follow { .. })));
}

#[test]
fn a_recorder_that_stopped_is_told_by_the_age_of_its_newest_figures() {
    let mut app = App::new(crate::tui::app::Start { when: When::Past(i64::MAX), ..start() });
    wants(&mut app, 0.0);
    app.took_visited(None, Ok(moment(15)), 15.0);
    let header = |app: &mut App| text(app, Look::default(), 80, 24).lines().next().unwrap_or("").to_owned();
    app.took_followed(None, at(45.0));
    assert!(header(&mut app).contains("recorded, newest"), "a recorder writes each half minute");
    app.take_dirty();
    app.took_followed(None, at(15.0 + 3.0 * 3_600.0 + 65.0));
    assert!(app.take_dirty());
    assert!(header(&mut app).contains("newest, 3 h 1 m old"), "{}", header(&mut app));
    app.take_dirty();
    app.took_followed(None, at(15.0 + 3.0 * 3_600.0 + 67.0));
    assert!(!app.take_dirty(), "a minute is drawn once");
    for width in [60, 80] {
        assert!(text(&mut app, Look::default(), width, 24).contains("3 h 1 m old"), "{width}");
    }
    app.took_followed(Some(moment(20)), at(21.0));
    assert!(header(&mut app).contains("recorded, newest"));
}

#[test]
fn what_was_read_long_before_the_rest_says_when() {
    let mut app = founding();
    let shown = |app: &mut App| text(app, Look::default(), 80, 24);
    assert!(!shown(&mut app).contains("torquebox.jar at "));
    app.ticked(&tick(HOST, 30, false), 30.0);
    assert!(shown(&mut app).contains("torquebox.jar at "), "{}", shown(&mut app));
    press(&mut app, "t");
    assert!(shown(&mut app).contains("threads of java[3248] torquebox.jar, at "), "{}", shown(&mut app));
    press(&mut app, "d");
    assert!(!shown(&mut app).contains(", at "), "{}", shown(&mut app));
    app.took_diagnosed(When::Live, subject(&HOST[0]), Ok(judged(vec![super::leak()])));
    app.ticked(&tick(HOST, 40, false), 40.0);
    assert!(shown(&mut app).contains("diagnosis of java[3248] torquebox.jar, at "), "{}", shown(&mut app));
}

#[test]
fn the_help_is_read_to_its_end_on_the_smallest_screen() {
    let mut app = founding();
    press(&mut app, "?");
    assert!(!text(&mut app, Look::default(), 60, 14).contains("back; quit"));
    press(&mut app, "<End>");
    assert!(text(&mut app, Look::default(), 60, 14).contains("back; quit"));
    assert!(text(&mut app, Look::default(), 80, 24).contains("PROCESSES"), "all of it at the usual size");
}

#[test]
fn esc_and_a_key_that_come_at_once_are_two_keys() {
    let mut app = founding();
    let both = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT);
    press(&mut app, "m");
    app.key(&both('j'), at(21.0));
    assert_eq!(app.screen(), Screen::Main);
    assert_ne!(current(&app), 3248, "the next one");
    press(&mut app, "/mys");
    app.key(&both('t'), at(21.0));
    assert_eq!((app.filter(), app.screen()), ("", Screen::Threads));
}

#[test]
fn of_a_long_answer_the_end_is_seen() {
    let mut app = founding();
    press(&mut app, "/");
    press(&mut app, &"ab ".repeat(25));
    press(&mut app, "end");
    for width in [60, 80] {
        let shown = text(&mut app, Look::default(), width, 24);
        assert!(shown.lines().last().is_some_and(|line| line.contains("end█")), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is pressed and comes in: nothing breaks, the selection is in the list, and the loop never spins because
    /// something is due that nobody does.
    #[test]
    fn any_keys_in_any_order(steps in proptest::collection::vec((0..12u8, any::<u8>()), 0..80)) {
        const KEYS: &[&str] = &[
            "q", "?", "/", "o", "O", "m", "t", "d", "s", "r", " ", "M", "<Down>", "<End>", "<Home>", "<PgDn>", "<Esc>",
            "<Enter>", "[", "]", "{", "}", "g", "1", "h", "l", "k", "j", "<Right>", "\u{1b}", "é",
        ];
        let mut app = founding();
        let mut now_s = 20.0;
        for (what, which) in steps {
            now_s += f64::from(which) / 16.0;
            let process = &HOST[usize::from(which) % HOST.len()];
            match what {
                0 => app.ticked(&tick(HOST, now_s as u64, false), now_s),
                1 => app.ticked(&ended(HOST, now_s as u64, usize::from(which) % HOST.len()), now_s),
                2 => app.took_inspected(inspected(process), now_s),
                3 => app.took_survey(app.when(), Ok(judged(vec![super::leak()])), now_s),
                4 => app.took_diagnosed(app.when(), subject(process), Ok(judged(Vec::new()))),
                5 => {
                    let mut board = Board::default();
                    board.take(&tick(&HOST[..2], u64::from(which), true));
                    let at_ms = super::BEGIN_S * 1_000 + i64::from(which);
                    let last_ms = at_ms + i64::from(which % 2);
                    let visited = Visited { board, at_ms, first_ms: 0, last_ms };
                    app.took_visited(app.going_to_ms(), Ok(visited), now_s);
                }
                6 => app.took_followed(None, at(now_s)),
                7 => app.took_kept(Ok("saved".to_owned())),
                _ => press(&mut app, KEYS[usize::from(which) % KEYS.len()]),
            }
            let _ = wants(&mut app, now_s);
            prop_assert!(app.due_s() > now_s, "due at {} of {now_s}", app.due_s());
            if app.len() > 0 {
                prop_assert!(app.list.at() < app.len() && app.current().is_some());
            }
            text(&mut app, Look::default(), 60 + u16::from(which), 14 + u16::from(what));
        }
    }
}
