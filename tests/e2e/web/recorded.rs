//! A recorder's store: while it records, and when it has ended.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use serde_json::Value;

use crate::client::Events;
use crate::server::{Server, chart, id_of, values};
use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, wait_for, wait_until};

struct Recorder(Child);

impl Recorder {
    #[track_caller]
    fn start(flatfoot: &Flatfoot, more: &[&str]) -> Self {
        let args = [&["record", "--json", "--interval", "250ms"], more].concat();
        Self(flatfoot.command(&args).spawn().expect("flatfoot record"))
    }

    #[track_caller]
    fn end(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("a signal to our own child");
        assert_eq!(collect(&mut self.0).status, 0);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_store_is_followed_while_it_is_recorded_and_told_when_it_is_over() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot");
    let store = store.to_str().expect("text");
    let mut recorder = Recorder::start(&flatfoot, &["--store", store]);
    let reader = || store::history::HistoryReader::open(store.as_ref()).and_then(|reader| reader.coverage());
    wait_until("a tick", 30.0, || reader().is_ok_and(|coverage| !coverage.is_empty()));
    let server = Server::start(&flatfoot, &["--store", store]);
    let mut events = Events::open(&server.address);
    let before = events.wait("tick");
    let leaker = Leaker::start("leak", &["threads-unjoined", "200", "40", "pool-#-thread-1"]);
    let id = id_of(leaker.pid());
    assert!(events.wait("tick")["at"].as_f64() > before["at"].as_f64());
    let about = server.json("api", "/api/v1");
    assert_eq!((&about["live"], &about["recorded"]["by"]), (&true.into(), &"recorder".into()), "{about:#}");
    leaker.wait_for_tasks(41, 60.0);
    let finding = wait_for("the finding", 60.0, || {
        let overview = server.json("overview", "/api/v1/overview");
        let findings = overview["findings"].as_array().expect("findings").clone();
        findings.into_iter().find(|finding| finding["process"]["pid"] == leaker.pid())
    });
    // A living process is looked at as it is now.
    let map = server.json("map-page", &format!("/api/v1/processes/{id}/map"));
    assert_eq!(map["origin"], "this host");
    wait_until("the last thread in a tick", 30.0, || {
        let process = server.json("process", &format!("/api/v1/processes/{id}"));
        process["row"]["threads"] == 41
    });
    drop(leaker);
    wait_until("its end", 30.0, || {
        let process = server.json("process", &format!("/api/v1/processes/{id}"));
        !process["process"]["ended"].is_null()
    });
    recorder.end();
    drop(events);
    drop(server);

    // Nobody records any more, which the recorder said; the process is gone.
    let server = Server::start(&flatfoot, &["--store", store]);
    let remark = server.started["remarks"][0].as_str().expect("a remark");
    assert!(remark.starts_with("recorded until "), "{remark}");
    let about = wait_for("that it is over", 60.0, || {
        let about = server.json("api", "/api/v1");
        (about["live"] == false).then_some(about)
    });
    assert!(about["recorded"]["interval_s"].as_f64().is_some_and(|s| s < 1.0), "{about:#}");
    Events::open(&server.address).wait("end");
    let whole = server.json("process", &format!("/api/v1/processes/{id}?from=0&pixels=4096"));
    let threads = values(chart(&whole, "threads"), "threads");
    assert_eq!(threads.last(), Some(&41.0), "{threads:?}");
    assert_eq!(whole["range"]["from"], about["recorded"]["from"], "cut to what was recorded");
    // As it was at a moment at which it lived.
    let at = whole["charts"][0]["times"].as_array().expect("times");
    let known = chart(&whole, "threads")["series"][0]["last"].as_array().expect("values").clone();
    let (first, last) = (known.iter().position(|v| !v.is_null()), known.iter().rposition(|v| !v.is_null()));
    let place = usize::midpoint(first.expect("a value"), last.expect("a value"));
    let (then, count) = (at[place].as_f64().expect("a time"), known[place].as_f64().expect("a count"));
    let threads = server.json("threads-page", &format!("/api/v1/processes/{id}/threads?to={then}"));
    // A column is as wide as a tick is long: one more may be born in it.
    let told = threads["threads"].as_f64().expect("a count");
    assert!((told - count).abs() <= 3.0 && told > 2.0, "{told} of {count}");
    assert_ne!(threads["origin"], "this host");
    let pid = &id[..id.find('-').unwrap_or(0)];
    let list = server.json("processes", &format!("/api/v1/processes?to={then}&filter={pid}&rows=1000"));
    assert!(list["processes"].as_array().expect("rows").iter().any(|row| row["id"] == id), "{list:#}");
    let now = server.json("processes", "/api/v1/processes?rows=1000");
    assert!(
        !now["processes"]
            .as_array()
            .expect("rows")
            .iter()
            .any(|row| row["id"] == id && row["ended"] == false)
    );
    let page = server.get(&format!("/api/v1/findings/{}", finding["id"].as_str().expect("an id")));
    // It ended: at the end of the store it does not leak any more.
    assert!(page.status == 404 || page.json()["finding"]["id"] == finding["id"], "{}", page.text());
    let times = format!("from={}&to={then}", whole["range"]["from"]);
    let report = server.get(&format!("/api/v1/download/report.html?process={id}&{times}"));
    assert_eq!(report.status, 200, "{}", report.text());
    assert!(report.text().contains(&format!("leak[{pid}]")), "{}", report.text());
    let command = chart(&whole, "threads")["command"].as_str().expect("a command").to_owned();
    assert!(command.starts_with("flatfoot threads ") && command.ends_with(store), "{command}");
    // Each chart's command shows the same, however long ago that was.
    let middle = f64::midpoint(
        about["recorded"]["from"].as_f64().expect("a time"),
        about["recorded"]["to"].as_f64().expect("a time"),
    );
    let compare = format!(
        "/api/v1/compare?process={id}&a_from=0&a_to={middle}&b_from={middle}&b_to={}",
        about["recorded"]["to"]
    );
    let compared = server.json("compare-page", &compare);
    let charts = |page: &Value| page["charts"].as_array().expect("charts").clone();
    for chart in charts(&whole).iter().chain(&charts(&compared)) {
        let command = chart["command"].as_str().expect("a command");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let run = flatfoot.run(&words);
        let is_missing =
            run.stderr.contains("nothing was recorded then") || run.stderr.contains("no process");
        assert!(!is_missing && run.status != 2, "{command}: {run:#?}");
    }
    assert!(charts(&compared)[0]["command"].as_str().is_some_and(|c| c.contains(&format!(" --only {pid} "))));
}

#[test]
fn the_usual_store_is_served_when_it_is_recorded_now() {
    let flatfoot = Flatfoot::new();
    let mut recorder = Recorder::start(&flatfoot, &[]);
    let usual = flatfoot.cases().join("history.flatfoot");
    wait_until("a store", 30.0, || {
        store::history::HistoryReader::open(&usual)
            .and_then(|reader| reader.coverage())
            .is_ok_and(|coverage| !coverage.is_empty())
    });
    let server = Server::start(&flatfoot, &[]);
    assert_eq!((server.path(), &server.started["by"]), (usual.to_str().expect("text"), &"recorder".into()));
    recorder.end();
    wait_until("that it is over", 20.0, || server.json("api", "/api/v1")["live"] == false);
    // Who looks at this host now is not shown what it was.
    let server = Server::start(&flatfoot, &[]);
    assert_eq!(server.started["by"], "page", "{:#}", server.started);
}
