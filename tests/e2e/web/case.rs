//! Case files: one of looks alone, and one with history.

use serde_json::Value;

use crate::client::Events;
use crate::server::{Server, chart, values};
use crate::support::{Flatfoot, Leaker, wait_for};

#[test]
fn a_case_of_looks_shows_what_it_holds() {
    let flatfoot = Flatfoot::new();
    let leaker = Leaker::start("leak", &["threads-unjoined", "200", "0", "pool-#-thread-1"]);
    leaker.wait_for_tasks(12, 30.0);
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("c.flatfoot");
    let case = case.to_str().expect("text");
    assert_eq!(flatfoot.run(&["save", &leaker.arg(), "--for", "3s", "-o", case]).status, 0);
    let pid = leaker.pid();
    drop(leaker);
    // What the commands say of it.
    let (_, said) = flatfoot.json(&["threads", case]);
    let count = said["threads"].as_u64().expect("a count");
    let server = Server::start(&flatfoot, &[case]);
    let about = server.json("api", "/api/v1");
    assert_eq!((&about["live"], &about["recorded"]["by"]), (&false.into(), &"case".into()), "{about:#}");
    Events::open(&server.address).wait("end");
    let list = wait_for("its process", 30.0, || {
        let list = server.json("processes", "/api/v1/processes");
        (list["total"] == 1).then_some(list)
    });
    let id = list["processes"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(list["processes"][0]["pid"], pid);
    let overview = wait_for("a judgement", 30.0, || {
        let overview = server.json("overview", "/api/v1/overview");
        (!overview["judged_at"].is_null()).then_some(overview)
    });
    assert_eq!(overview["charts"], Value::from(Vec::<Value>::new()), "no figures of the host over time");
    let judged_at = overview["judged_at"].as_f64().expect("a time");
    assert!(judged_at > 1.7e9, "the time of the last look: {judged_at}");
    let finding = overview["findings"][0]["id"].as_str().expect("an id").to_owned();
    let process = server.json("process", &format!("/api/v1/processes/{id}"));
    let threads = values(chart(&process, "threads"), "threads");
    assert!(threads.is_sorted() && threads.len() > 4 && threads[0] < count as f64, "{threads:?}");
    let page = server.json("threads-page", &format!("/api/v1/processes/{id}/threads"));
    assert_eq!((&page["threads"], &page["groups"]), (&said["threads"], &said["groups"]));
    let map = server.json("map-page", &format!("/api/v1/processes/{id}/map"));
    assert_eq!(
        (&map["histogram"][0]["size_bytes"], &map["histogram"][0]["count"]),
        (&(8 << 20).into(), &(count - 1).into())
    );
    assert_eq!(map["classes"], flatfoot.json(&["map", case]).1["classes"]);
    let page = server.json("finding", &format!("/api/v1/findings/{finding}"));
    assert_eq!(page["finding"]["subject"], "pool-*-thread-1");
    let back = server.get("/api/v1/download/case.flatfoot");
    assert_eq!(back.body, std::fs::read(case).expect("the case"), "the file as it is");
    assert_eq!(server.get("/api/v1/download/report.html").status, 200);
    server.error(404, "/api/v1/download/series.csv");
    server.error(404, "/api/v1/compare?a_from=1&a_to=2&b_from=2&b_to=3");
}

#[test]
fn a_case_with_history_is_a_store_that_is_over() {
    let flatfoot = Flatfoot::new();
    let leaker = Leaker::start("leak", &["threads-unjoined", "200", "0", "pool-#-thread-1"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (store, case) = (path("h.flatfoot"), path("c.flatfoot"));
    let run = flatfoot.run(&["record", "--store", &store, "--interval", "500ms", "--for", "10s"]);
    assert_eq!(run.status, 0, "{run:#?}");
    let run = flatfoot.run(&["save", &leaker.arg(), "--store", &store, "--since", "1h", "-o", &case]);
    assert_eq!(run.status, 0, "{run:#?}");
    let server = Server::start(&flatfoot, &[&case]);
    let about = server.json("api", "/api/v1");
    assert_eq!((&about["live"], &about["recorded"]["by"]), (&false.into(), &"case".into()), "{about:#}");
    let list = wait_for("its process", 30.0, || {
        let list = server.json("processes", "/api/v1/processes");
        (list["total"] == 1).then_some(list)
    });
    let id = list["processes"][0]["id"].as_str().expect("an id").to_owned();
    let process = server.json("process", &format!("/api/v1/processes/{id}?from=0"));
    let threads = values(chart(&process, "threads"), "threads");
    assert!(
        threads.len() > 2 && threads.is_sorted() && threads[0] < threads[threads.len() - 1],
        "{threads:?}"
    );
    // It lives on this host, and what is shown is the case.
    let page = server.json("threads-page", &format!("/api/v1/processes/{id}/threads"));
    assert_ne!(page["origin"], "this host");
    // The list of threads and their number are read one after the other.
    let (listed, counted) = (page["threads"].as_f64().expect("a count"), threads[threads.len() - 1]);
    assert!((listed - counted).abs() <= 1.0, "{listed} of {counted}");
    let memory = chart(&server.json("overview", "/api/v1/overview?from=0"), "memory").clone();
    assert!(!values(&memory, "committed").is_empty());
}
