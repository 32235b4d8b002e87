use model::{BootId, Bytes, Column, Event, EventKind, Identity, Pid, TickRow, Ticks};

use super::*;

/// A tick at a second, with data, resident, shared and threads of processes by number, and what happened.
fn tick(second: u64, rows: &[(u32, [u64; 4])], events: Vec<(u32, EventKind)>) -> Tick {
    let columns = [Column::Threads, Column::Resident, Column::Data, Column::Shared];
    let of = |[data, resident, shared, threads]: [u64; 4]| [threads, resident, data, shared];
    Tick {
        at_unix_ms: 1_760_000_000_000 + second as i64 * 1_000,
        at_boot_ms: 1_000_000 + second * 1_000,
        rows: rows.iter().map(|(no, _)| TickRow { process: ProcessNo(*no), values: 4 }).collect(),
        values: rows.iter().flat_map(|(_, values)| columns.into_iter().zip(of(*values))).collect(),
        events: events
            .into_iter()
            .map(|(no, what)| Event { at_boot_ms: 1_000_000 + second * 1_000, process: ProcessNo(no), what })
            .collect(),
        ..Tick::default()
    }
}

fn seen(pid: u32, name: &str, command: &str) -> EventKind {
    EventKind::ProcessSeen(Box::new(Incarnation {
        key: ProcessKey { boot: BootId(7), pid: Pid(pid), start: Ticks(u64::from(pid) * 10) },
        name: name.into(),
        started_unix_s: 1_759_999_000.0,
        identity: Identity { command: command.into(), ..Identity::default() },
        ..Incarnation::default()
    }))
}

fn rows_of(board: &Board, by: TopOrder, filter: &str, spark: usize) -> Vec<BoardRow> {
    board.order(by, filter).into_iter().filter_map(|no| board.row(no, spark)).collect()
}

fn names(board: &Board, by: TopOrder, filter: &str) -> Vec<String> {
    rows_of(board, by, filter, 8).iter().map(|row| row.row.process.name.to_string()).collect()
}

#[test]
fn rows_are_the_newest_figures_in_the_order_asked_for() {
    let mut board = Board::default();
    let who =
        vec![(1, seen(30, "java", "java -jar /opt/shop.jar")), (2, seen(31, "mysqld", "/usr/sbin/mysqld"))];
    board.take(&tick(
        0,
        &[(1, [4 << 30, 1 << 30, 1 << 20, 40]), (2, [1 << 30, 900 << 20, 100 << 20, 60])],
        who,
    ));
    assert_eq!(
        names(&board, TopOrder::Growth, ""),
        ["java", "mysqld"],
        "nothing grows: by what is untouched"
    );
    assert_eq!(names(&board, TopOrder::Threads, ""), ["mysqld", "java"]);
    assert_eq!(names(&board, TopOrder::Commit, "SHOP"), ["java"], "commands count, and case does not");
    assert_eq!(names(&board, TopOrder::Commit, "31"), ["mysqld"]);
    let java = &rows_of(&board, TopOrder::Commit, "java", 8)[0];
    assert_eq!(
        (java.id.as_str(), java.row.process.label.as_ref().map(ToString::to_string)),
        ("30-300", Some("shop.jar".into()))
    );
    assert_eq!(java.row.untouched_bytes, (4 << 30) - ((1 << 30) - (1 << 20)), "shared pages are not private");
    assert_eq!(
        (board.find("30"), board.find("30-300"), board.find("30-301")),
        (Some(ProcessNo(1)), Some(ProcessNo(1)), None)
    );
}

#[test]
fn what_a_diagnosis_found_comes_first_and_tells_what_grows() {
    let mut board = Board::default();
    let who = vec![(1, seen(30, "big", "big")), (2, seen(31, "leaks", "leaks"))];
    board.take(&tick(0, &[(1, [9 << 30, 1 << 20, 0, 4]), (2, [1 << 20, 1 << 20, 0, 60])], who));
    let process = ProcessRef { pid: Pid(31), ..ProcessRef::default() };
    let finding = Finding { process, rate_per_s: Some(0.5), ..crate::present::testing::finding("pool-*") };
    let mut analyser = Analyser::default();
    let key = ProcessKey { boot: BootId(7), pid: Pid(31), start: Ticks(310) };
    let stat = model::Stat { start: Ticks(310), ..model::Stat::default() };
    let reading = model::ProcessReading { key, stat, ..model::ProcessReading::default() };
    analyser.push(Look { processes: vec![reading], ..Look::default() });
    board.learn(&analyser, &[finding], true);
    let rows = rows_of(&board, TopOrder::Growth, "", 8);
    assert_eq!(rows[0].row.growing.as_deref(), Some("threads pool-*"));
    assert_eq!((rows[0].row.threads_per_minute, rows[0].spark.unit), (Some(30.0), "count"));
    assert_eq!((rows[1].row.growing.as_deref(), rows[1].spark.unit), (None, "bytes"));
    board.learn(&Analyser::default(), &[], true);
    assert_eq!(rows_of(&board, TopOrder::Growth, "", 8)[0].row.growing, None, "what does not grow any more");
}

#[test]
fn who_ended_stays_for_a_while_and_a_sparkline_tells_the_way() {
    let mut board = Board::default();
    board.take(&tick(0, &[(1, [1 << 20, 0, 0, 1])], vec![(1, seen(30, "a", "a"))]));
    for second in 1..4 {
        board.take(&tick(second, &[(1, [(second + 1) << 20, 0, 0, 1])], Vec::new()));
    }
    board.take(&tick(4, &[], vec![(1, EventKind::ProcessEnded)]));
    board.take(&tick(4, &[(0, [0; 4]), (200, [1 << 10, 0, 0, 1])], vec![(200, seen(9, "small", "small"))]));
    let rows = rows_of(&board, TopOrder::Commit, "", 3);
    assert_eq!((rows[0].ended, rows[1].ended, board.len()), (false, true, 1), "the living come first");
    let mib = |n: u64| Bytes(n << 20).0 as f64;
    assert_eq!(rows[1].spark.values, [mib(2), mib(3), mib(4)], "the last three, none of them after its end");
    for no in 2..100 {
        board.take(&tick(
            5 + u64::from(no),
            &[(no, [0; 4])],
            vec![(no, seen(100 + no, "b", "b")), (no, EventKind::ProcessEnded)],
        ));
    }
    assert!(board.find("30").is_none() && rows_of(&board, TopOrder::Growth, "", 0).len() == MOST_ENDED + 1);
}

#[test]
fn a_moment_of_a_store_is_the_board_of_that_moment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.flatfoot");
    let about = store::About::default();
    let mut writer =
        store::history::HistoryWriter::open(&path, &about, store::history::Retention::default()).unwrap();
    let started = EventKind::RecorderStarted { version: "0".into(), boot: BootId(7), interval_ms: 1_000 };
    let events = vec![(0, started), (1, seen(30, "rests", "rests")), (2, seen(31, "ends", "ends"))];
    writer.tick(&tick(0, &[(1, [7 << 20, 1 << 20, 4_096, 3]), (2, [1 << 20, 0, 0, 1])], events)).unwrap();
    for second in 1..300 {
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        match second {
            ..200 => rows.push((2, [(second + 1) << 20, 0, 0, 1])),
            200 => events.push((2, EventKind::ProcessEnded)),
            250 => {
                events.push((3, seen(32, "new", "new")));
                rows.push((3, [1 << 20, 0, 0, 9]));
            }
            _ => {}
        }
        writer.tick(&tick(second, &rows, events)).unwrap();
    }
    writer.flush().unwrap();
    let reader = store::history::HistoryReader::open(&path).unwrap();
    let moment = |second: i64| at(&reader, 1_760_000_000_000 + second * 1_000).unwrap();

    let board = moment(150);
    assert_eq!(names(&board, TopOrder::Commit, ""), ["ends", "rests"]);
    assert_eq!(rows_of(&board, TopOrder::Commit, "", 8)[0].row.committed_bytes_approximate, 151 << 20);
    let board = moment(290);
    assert_eq!(names(&board, TopOrder::Threads, ""), ["new", "rests"], "who ended is not there");
    let rests = &rows_of(&board, TopOrder::Threads, "rests", 8)[0];
    assert_eq!((rests.row.threads, rests.row.resident_bytes), (3, 1 << 20), "recorded long before");
    assert!((board.at_unix_s() - 1_760_000_290.0).abs() < 0.1);
    assert_eq!(moment(-500).len(), 0, "before anything was recorded");
}
