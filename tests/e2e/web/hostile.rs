//! Ten thousand processes with names that try to be something else.

use std::path::Path;

use model::{
    BootId, Column, Event, EventKind, Identity, Incarnation, Pid, ProcessKey, ProcessNo, Tick, TickRow, Ticks,
};
use store::About;
use store::history::{HistoryWriter, Retention};

use crate::client::ask;
use crate::server::Server;
use crate::support::{Flatfoot, Leaker, wait_for};

const PROCESSES: u32 = 10_000;
const NAMES: [&str; 8] = [
    "<script>alert(1)",
    "\"><img src=x>",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "a\r\nSet-Cookie: b",
    "</title><svg/>",
    "'; --",
    "\u{202e}gpj.exe",
    "\0\u{1}\u{7f}\u{9b}",
];

/// A store of five ticks, with all of them leaking threads.
fn fill(path: &Path) {
    let mut writer = HistoryWriter::open(path, &About::default(), Retention::default()).expect("a store");
    let boot = BootId(7);
    for second in 0..5_u64 {
        let mut events = Vec::new();
        if second == 0 {
            let what = EventKind::RecorderStarted { version: "0".into(), boot, interval_ms: 1_000 };
            events.push(Event { at_boot_ms: 1_000_000, process: ProcessNo::HOST, what });
            events.extend((1..=PROCESSES).map(|no| {
                let name = NAMES[no as usize % NAMES.len()];
                let identity = Identity {
                    unit: (no % 3 == 0).then(|| format!("{name}{no}.service").into()),
                    command: format!("/bin/{name} <b>{no}</b> --token={name}").into(),
                    ..Identity::default()
                };
                let key = ProcessKey { boot, pid: Pid(no + 100), start: Ticks(u64::from(no)) };
                let who = Incarnation {
                    key,
                    name: name.into(),
                    identity,
                    started_unix_s: 1.76e9,
                    ..Incarnation::default()
                };
                Event {
                    at_boot_ms: 1_000_000,
                    process: ProcessNo(no),
                    what: EventKind::ProcessSeen(Box::new(who)),
                }
            }));
        }
        let tick = Tick {
            at_unix_ms: 1_760_001_000_000 + second as i64 * 1_000,
            at_boot_ms: 1_000_000 + second * 1_000,
            rows: (1..=PROCESSES).map(|no| TickRow { process: ProcessNo(no), values: 3 }).collect(),
            values: (1..=PROCESSES)
                .flat_map(|no| {
                    [
                        (Column::Threads, 3 + second),
                        (Column::Resident, 1 << 20),
                        (Column::Data, u64::from(no) << 12),
                    ]
                })
                .collect(),
            events,
            ..Tick::default()
        };
        writer.tick(&tick).expect("a tick");
    }
    writer.close().expect("closed");
}

#[test]
fn ten_thousand_hostile_names_inject_nothing() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("<b>h.flatfoot");
    fill(&store);
    let server = Server::start(&flatfoot, &["--store", store.to_str().expect("text")]);
    let list = wait_for("all of them", 60.0, || {
        let list = server.json("processes", "/api/v1/processes?rows=1000&spark=120");
        (list["total"] == PROCESSES).then_some(list)
    });
    assert_eq!(list["processes"].as_array().map(Vec::len), Some(1_000));
    let mut seen = 0;
    for page in 0..10 {
        let answer = server.get(&format!("/api/v1/processes?by=commit&rows=1000&offset={}", page * 1_000));
        assert_eq!((answer.status, answer.header("x-content-type-options")), (200, "nosniff"));
        // Nothing that a terminal would act on, should somebody look at it with curl.
        assert_eq!(answer.body.iter().find(|byte| **byte < b' '), None, "page {page}");
        seen += answer.json()["processes"].as_array().expect("rows").len();
    }
    assert_eq!(seen, PROCESSES as usize);
    let found = server.json("processes", "/api/v1/processes?filter=%3Cscript%3E&rows=0");
    assert_eq!(found["matching"], PROCESSES / 8);
    for id in ["101-1", "102-2", "103-3", "104-4", "108-8"] {
        let process = server.json("process", &format!("/api/v1/processes/{id}?from=0"));
        assert_eq!(process["process"]["id"], id);
        for file in ["report.html", "case.flatfoot", "series.csv"] {
            let answer = server.get(&format!("/api/v1/download/{file}?process={id}&redact=0"));
            assert_eq!(answer.status, 200, "{file} of {id}: {}", answer.text());
            let name = answer.header("content-disposition");
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let name = name.strip_prefix("attachment; filename=\"").and_then(|name| name.strip_suffix('"'));
            assert!(name.is_some_and(|name| name.chars().all(plain)), "{file} of {id}: {name:?}");
            assert!(!answer.headers.contains_key("set-cookie"));
            if file == "report.html" {
                let text = answer.text();
                assert!(
                    !text.contains("<script") && !text.contains("<img") && !text.contains("<svg/>"),
                    "{id}: {text}"
                );
            }
        }
    }
    let about = server.json("api", "/api/v1");
    assert!(about["origin"].as_str().is_some_and(|origin| origin.contains("<b>h.flatfoot")));
}

#[test]
fn what_is_asked_for_comes_back_as_text_alone() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &[]);
    for path in
        ["/%3Cscript%3E", "/<script>alert(1)</script>", "/api/v1/<svg/onload=1>", "/api/v1/processes/%3Cb%3E"]
    {
        let answer = ask(&server.address, &format!("GET {path}"), &[]);
        assert!(answer.status == 404 || answer.status == 400, "{path}: {answer:?}");
        if answer.body.is_empty() {
            // No path at all: what HTTP itself refuses.
            continue;
        }
        assert_eq!(
            (answer.header("content-type"), answer.header("x-content-type-options")),
            ("application/json", "nosniff")
        );
    }
    let process = Leaker::start("shape", &["hostile", "html"]);
    let threads = wait_for("its threads", 30.0, || {
        let answer = server.get(&format!("/api/v1/processes/{}/threads", process.pid()));
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(threads.header("content-type"), "application/json");
    assert_eq!(threads.json()["threads"], 8);
}
