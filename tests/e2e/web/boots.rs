//! A store over two boots: ids come again, and are of the boot that is looked at.

use std::path::Path;

use model::{
    BootId, Column, Event, EventKind, Incarnation, Pid, ProcessKey, ProcessNo, Tick, TickRow, Ticks,
};
use store::About;
use store::history::{HistoryWriter, Retention};

use crate::server::{Server, chart, values};
use crate::support::{Flatfoot, wait_for};

/// When each boot's first tick is, in Unix seconds.
const BOOTS_S: [i64; 2] = [1_760_000_000, 1_760_010_000];
const TICKS: u64 = 60;

/// Pid 2 with one start in both boots, as threads of the kernel and init have it.
fn fill(path: &Path) {
    let mut writer = HistoryWriter::open(path, &About::default(), Retention::default()).expect("a store");
    for (at, first_s) in BOOTS_S.into_iter().enumerate() {
        let (boot, no) = (BootId(at as u128 + 1), ProcessNo(at as u32 + 1));
        for second in 0..TICKS {
            let at_boot_ms = 5_000 + second * 1_000;
            let mut tick = Tick {
                at_unix_ms: first_s * 1_000 + second as i64 * 1_000,
                at_boot_ms,
                rows: vec![TickRow { process: no, values: 2 }],
                values: vec![(Column::Threads, 10 + at as u64), (Column::Data, 1 << 20)],
                ..Tick::default()
            };
            if second == 0 {
                let started = EventKind::RecorderStarted { version: "0".into(), boot, interval_ms: 1_000 };
                tick.events.push(Event { at_boot_ms, process: ProcessNo::HOST, what: started });
                let who = Incarnation {
                    key: ProcessKey { boot, pid: Pid(2), start: Ticks(3) },
                    name: format!("boot-{at}").as_str().into(),
                    started_unix_s: first_s as f64 - 5.0,
                    ..Incarnation::default()
                };
                let seen = EventKind::ProcessSeen(Box::new(who));
                tick.events.push(Event { at_boot_ms, process: no, what: seen });
            }
            writer.tick(&tick).expect("a tick");
        }
    }
    writer.close().expect("closed");
}

#[test]
fn an_id_is_of_the_boot_that_is_looked_at() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot");
    fill(&store);
    let server = Server::start(&flatfoot, &["--store", store.to_str().expect("text")]);
    wait_for("the table", 30.0, || {
        (server.json("processes", "/api/v1/processes")["total"] == 1).then_some(())
    });
    for (at, first_s) in BOOTS_S.into_iter().enumerate() {
        let (from, to) = (first_s + 10, first_s + 50);
        for id in ["2-3", "2"] {
            let page = server.json("process", &format!("/api/v1/processes/{id}?from={from}&to={to}"));
            assert_eq!(page["process"]["name"], format!("boot-{at}"), "{id}: {page:#}");
            let threads = values(chart(&page, "threads"), "threads");
            assert!(!threads.is_empty() && threads.iter().all(|n| *n == 10.0 + at as f64), "{threads:?}");
            assert_eq!(page["row"]["threads"], 10 + at, "{id}");
        }
        let list = server.json("processes", &format!("/api/v1/processes?to={to}"));
        assert_eq!(list["processes"][0]["name"], format!("boot-{at}"));
    }
    // Nobody says when, or both were there: the newest.
    for time in ["", "?from=0"] {
        let page = server.json("process", &format!("/api/v1/processes/2-3{time}"));
        assert_eq!(page["process"]["name"], "boot-1");
    }
    let page = server.json("overview", "/api/v1/overview?from=0");
    assert_eq!(chart(&page, "attribution")["gaps"][0]["why"], "the host was restarted");
}
