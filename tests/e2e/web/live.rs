//! A host as it is: what leaks is found while the page is open, and every view tells what is there.

use serde_json::{Value, json};

use crate::client::Events;
use crate::server::{Server, assert_valid, chart, id_of, values};
use crate::support::{Flatfoot, Leaker, wait_for};

/// Seconds from birth to birth.
const PERIOD_S: f64 = 0.25;

/// Leaks a thread each 250 ms, and goes on.
fn leaker() -> Leaker {
    Leaker::start("leak", &["threads-unjoined", "250", "0", "pool-#-thread-1"])
}

/// What is told of something that grows lies between what was there before and what is there after, as soon as it is read
/// anew: what was read a moment ago is told to others, too, and on a busy machine that is a long moment.
#[track_caller]
fn between(leaker: &Leaker, what: &str, mut ask: impl FnMut() -> u64) {
    wait_for(what, 60.0, || {
        let before = leaker.tasks() as u64;
        let told = ask();
        let after = leaker.tasks() as u64;
        assert!(told <= after, "{what}: {told} is not in {before}..={after}");
        (told >= before).then_some(())
    });
}

/// The finding about a process, when there is one.
fn finding_of(overview: &Value, pid: u32) -> Option<Value> {
    let findings = overview["findings"].as_array().expect("findings");
    findings.iter().find(|finding| finding["process"]["pid"] == pid).cloned()
}

fn is_told(event: &Value, finding: &Value) -> bool {
    let wanted = json!({"id": finding["id"], "pid": finding["process"]["pid"]});
    event["findings"].as_array().expect("findings").contains(&wanted)
}

#[test]
fn a_leak_is_told_to_an_open_page() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "500ms"]);
    let mut events = Events::open(&server.address);
    let first = events.wait("findings");
    assert_valid("findings", &first);
    let (leaker, twin) = (leaker(), leaker());
    let (finding, same) = loop {
        let told = events.wait("findings");
        let overview = server.json("overview", "/api/v1/overview");
        let of = |one: &Leaker| finding_of(&overview, one.pid()).filter(|finding| is_told(&told, finding));
        if let (Some(finding), Some(same)) = (of(&leaker), of(&twin)) {
            break (finding, same);
        }
        // Each one that is told is there when it is asked for.
        let pids = told["findings"].as_array().expect("findings").iter().map(|one| &one["pid"]);
        let ours: Vec<&Value> =
            pids.filter(|pid| [leaker.pid(), twin.pid()].iter().any(|own| *pid == own)).collect();
        assert!(
            ours.iter().all(|pid| finding_of(&overview, pid.as_u64().expect("a pid") as u32).is_some()),
            "{told}"
        );
    };
    assert_eq!(finding["id"], same["id"], "two processes of one program");
    assert!(!is_told(&first, &finding), "it was not there at first");
    assert_eq!((&finding["kind"], &finding["subject"]), (&"thread-leak".into(), &"pool-*-thread-1".into()));
    let tick = events.wait("tick");
    assert_valid("tick", &tick);
    assert!(tick["processes"].as_u64() > Some(1) && tick["committed_bytes"].as_u64() > Some(0), "{tick}");
}

#[test]
fn every_view_tells_what_is_there() {
    let flatfoot = Flatfoot::new();
    let leaker = leaker();
    let server = Server::start(&flatfoot, &["--interval", "250ms"]);
    // So many that their rhythm is known.
    leaker.wait_for_tasks(48, 90.0);
    let (pid, id) = (leaker.pid(), id_of(leaker.pid()));
    let about = server.json("api", "/api/v1");
    assert_eq!((&about["live"], &about["recorded"]["by"]), (&Value::from(true), &"page".into()), "{about:#}");
    let ssh = format!("ssh -L {0}:127.0.0.1:{0} ", server.address.rsplit_once(':').expect("a port").1);
    assert!(about["ssh"].as_str().is_some_and(|line| line.starts_with(&ssh)), "{about:#}");
    let process = wait_for("the finding", 60.0, || {
        let process = server.json("process", &format!("/api/v1/processes/{id}?pixels=64"));
        (!process["findings"].as_array().expect("findings").is_empty()).then_some(process)
    });
    let finding = process["findings"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(process["process"]["id"], id);
    assert_eq!((&process["process"]["pid"], &process["process"]["name"]), (&pid.into(), &"leak".into()));
    let command = process["process"]["command"].as_str().expect("a command");
    assert!(command.ends_with("threads-unjoined 250 0 pool-#-thread-1"), "{command}");
    assert_eq!(process["process"]["ended"], Value::Null);
    let grown = values(chart(&process, "threads"), "threads");
    assert!(grown.is_sorted() && grown[0] < grown[grown.len() - 1], "{grown:?}");
    // The row is as of the tick before at worst: some births.
    let listed = process["row"]["threads"].as_f64().expect("a number");
    assert!(grown.last().is_some_and(|last| (listed - last).abs() <= 8.0), "{process:#}");
    let limits: Vec<&Value> =
        chart(&process, "threads")["limits"].as_array().expect("limits").iter().collect();
    assert!(limits.iter().any(|limit| limit["name"] == "pid_max" && limit["unit"] == "tasks"), "{limits:#?}");
    for (name, series) in [("descriptors", "descriptors"), ("children", "alive"), ("cpu", "cpu")] {
        assert!(!values(chart(&process, name), series).is_empty(), "{name}");
    }
    let by_pid = server.json("process", &format!("/api/v1/processes/{pid}?pixels=64"));
    assert_eq!(process["process"], by_pid["process"], "by its pid alone");

    let list = server.json("processes", &format!("/api/v1/processes?filter={pid}&spark=20&rows=500"));
    let row = list["processes"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["id"] == id)
        .expect("its row")
        .clone();
    assert_eq!(
        (&row["growing"], &row["spark"]["unit"]),
        (&"threads pool-*-thread-1".into(), &"count".into())
    );
    assert!(row["spark"]["values"].as_array().is_some_and(|values| !values.is_empty() && values.len() <= 20));
    let one = server.json("processes", "/api/v1/processes?rows=1&by=threads");
    assert_eq!(one["processes"].as_array().map(Vec::len), Some(1));
    assert!(one["total"].as_u64() > Some(1) && one["matching"].as_u64() >= one["total"].as_u64(), "{one:#}");
    let none = server.json("processes", "/api/v1/processes?filter=no%20such%20process%20%F0%9F%A6%B6");
    assert_eq!((&none["matching"], &none["processes"]), (&0.into(), &Value::from(Vec::<Value>::new())));

    threads_are_told(&server, &id, &leaker);
    map_is_told(&server, &id, &leaker);
    finding_is_told(&server, &finding, &id);
    overview_is_told(&server);
    taken_away(&flatfoot, &server, &id, &finding);
}

/// Patterns, births and their rhythm.
#[track_caller]
fn threads_are_told(server: &Server, id: &str, leaker: &Leaker) {
    let mut page = Value::Null;
    between(leaker, "threads", || {
        page = server.json("threads-page", &format!("/api/v1/processes/{id}/threads"));
        page["threads"].as_u64().expect("a number")
    });
    let threads = page["threads"].as_u64().expect("a number");
    assert_eq!(page["births_left_out"], 0);
    let place =
        page["groups"].as_array().expect("groups").iter().position(|g| g["pattern"] == "pool-*-thread-1");
    let place = place.expect("the pattern");
    // All but the first, and one that was read before it had its name.
    let count = page["groups"][place]["count"].as_u64().expect("a number");
    assert!((threads - 2..threads).contains(&count), "{count} of {threads}");
    let births = page["births"].as_array().expect("births");
    let there = births.iter().filter(|birth| birth["ended"].is_null());
    assert!(there.clone().count() as u64 >= threads && births.len() as u64 <= threads + 2, "{births:#?}");
    let own: Vec<f64> =
        there.filter(|birth| birth["pattern"] == place).filter_map(|birth| birth["at"].as_f64()).collect();
    assert!(own.len() as u64 >= count, "{births:#?}");
    // The kernel's own times, to a hundredth; a busy machine gives some of them late.
    let regular = own.windows(2).filter(|pair| (pair[1] - pair[0] - PERIOD_S).abs() < 0.05).count();
    assert!(regular * 2 > own.len(), "{own:?}");
    let rhythm = &page["schedules"][0];
    assert_eq!(rhythm["pattern"], place, "{:#}", page["groups"]);
    assert!((rhythm["period_s"].as_f64().expect("a period") - PERIOD_S).abs() < 0.01, "{rhythm}");
    assert_eq!(page["stacks"], Value::Null, "reading alone sees no stack");
}

/// Sizes of mappings, and the mappings one by one, each stack with its thread.
#[track_caller]
fn map_is_told(server: &Server, id: &str, leaker: &Leaker) {
    let mut page = Value::Null;
    between(leaker, "stacks", || {
        page = server.json("map-page", &format!("/api/v1/processes/{id}/map?sort=size&rows=3"));
        // And that of the first thread.
        page["histogram"][0]["count"].as_u64().expect("a number") + 1
    });
    let first = &page["histogram"][0];
    assert_eq!(
        (&first["size_bytes"], &first["class"]),
        (&(8_u64 << 20).into(), &"thread stack".into()),
        "{first}"
    );
    assert_eq!(first["sum_bytes"].as_u64(), first["count"].as_u64().map(|count| count * (8 << 20)));
    assert!(page["mappings"]["total"].as_u64() >= first["count"].as_u64(), "{page:#}");
    assert_eq!(page["mappings"]["rows"].as_array().map(Vec::len), Some(3));
    // Of one look, as it is a moment later.
    let stacks = format!("/api/v1/processes/{id}/map?class=thread%20stack&size=8388608&rows=1000");
    let stacks = server.json("map-page", &stacks);
    assert_eq!(stacks["mappings"]["matching"], stacks["histogram"][0]["count"]);
    let named = stacks["mappings"]["rows"].as_array().expect("rows").iter();
    assert!(
        named.clone().all(|row| row["thread"]["name"].as_str().is_some_and(|name| name.starts_with("pool-")))
    );
    assert_eq!(stacks["mappings"]["matching"], named.count());
    let files = server.json("map-page", &format!("/api/v1/processes/{id}/map?filter=libc&rows=10"));
    let rows = files["mappings"]["rows"].as_array().expect("rows");
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row["name"].as_str().is_some_and(|n| n.contains("libc")))
    );
    let past_the_end = server.json("map-page", &format!("/api/v1/processes/{id}/map?offset=100000"));
    assert_eq!(past_the_end["mappings"]["rows"], Value::from(Vec::<Value>::new()));
}

#[track_caller]
fn finding_is_told(server: &Server, finding: &str, id: &str) {
    let page = server.json("finding", &format!("/api/v1/findings/{}?process={id}", &finding[..6]));
    assert_eq!((&page["finding"]["id"], &page["process_id"]), (&finding.into(), &id.into()));
    assert!(page["finding"]["evidence"].as_array().is_some_and(|evidence| evidence.len() >= 3), "{page:#}");
    assert!(page["text"][0].as_str().is_some_and(|line| line.starts_with("THREAD LEAK  leak[")), "{page:#}");
    assert_eq!(page["charts"][0]["name"], "threads");
    let growth = &page["charts"][0]["growth"];
    assert!((growth["rate_per_s"].as_f64().expect("a rate") - 1.0 / PERIOD_S).abs() < 0.2, "{growth}");
    assert!(!values(&page["charts"][0], "threads").is_empty());
}

#[track_caller]
fn overview_is_told(server: &Server) {
    let page = server.json("overview", "/api/v1/overview?pixels=32");
    let memory = chart(&page, "memory");
    for series in ["committed", "used", "limit"] {
        assert!(values(memory, series).iter().all(|bytes| *bytes > 1e6), "{series}: {memory:#}");
    }
    let attribution = chart(&page, "attribution");
    assert_eq!(attribution["stacked"], true);
    let series = attribution["series"].as_array().expect("series");
    assert!(series.len() >= 3 && series.len() <= 10, "{attribution:#}");
    assert_eq!(series[series.len() - 2]["name"], "others");
    assert_eq!(series[series.len() - 1]["name"], "unexplained");
    assert!(page["judged_at"].as_f64() > Some(1.6e9) && page["host"]["cpus"].as_u64() > Some(0), "{page:#}");
}

/// Report, case file and figures.
#[track_caller]
fn taken_away(flatfoot: &Flatfoot, server: &Server, id: &str, finding: &str) {
    let report = server.get(&format!("/api/v1/download/report.html?process={id}"));
    assert_eq!(report.status, 200);
    let pid = id.split('-').next().expect("a pid");
    let file = format!("attachment; filename=\"flatfoot-leak-{pid}.html\"");
    assert_eq!(report.header("content-disposition"), file);
    assert!(
        report.text().contains("pool-*-thread-1") && report.text().contains("THREAD LEAK"),
        "{}",
        report.text()
    );
    let folder = tempfile::tempdir().expect("a folder");
    for (name, redact) in [("whole", "0"), ("redacted", "1")] {
        let case = server.get(&format!("/api/v1/download/case.flatfoot?process={id}&redact={redact}"));
        assert_eq!(case.status, 200, "{}", case.text());
        let path = folder.path().join(format!("{name}.flatfoot"));
        std::fs::write(&path, &case.body).expect("written");
        let (code, said) = flatfoot.json(&["diagnose", path.to_str().expect("text")]);
        assert_eq!(code, 1, "{said:#}");
        assert_eq!(said["findings"][0]["subject"], "pool-*-thread-1", "{said:#}");
        if name == "whole" {
            assert_eq!(said["findings"][0]["id"], finding);
        }
    }
    // The last that were born may be in no tick yet.
    let csv = wait_for("the threads in the figures", 30.0, || {
        let csv = server.get(&format!("/api/v1/download/series.csv?process={id}"));
        let threads = csv
            .text()
            .lines()
            .filter_map(|line| line.split_once(",threads,")?.1.parse::<u64>().ok())
            .next_back();
        (threads > Some(24)).then_some(csv)
    });
    assert!(csv.header("content-type").starts_with("text/csv"), "{:?}", csv.headers);
    let text = csv.text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("time,figure,value"));
    let last = lines.filter_map(|line| line.split_once(",threads,")).next_back().expect("threads");
    assert!(last.1.parse::<u64>().is_ok_and(|threads| threads > 24), "{last:?}");
    assert!(last.0.parse::<f64>().is_ok_and(|at| at > 1.6e9), "{last:?}");
}

/// `to` beyond the newest tick goes on as none does: no answer of a moment ago is the newest for half a minute.
#[test]
fn what_is_asked_for_until_some_time_to_come_goes_on() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "250ms"]);
    let at = || server.json("processes", "/api/v1/processes?to=99999999999")["at"].as_f64();
    let first = at();
    wait_for("a newer answer", 20.0, || (at() > first).then_some(()));
}

/// Findings of one id are of one program, and each process has its own.
#[test]
fn two_processes_of_one_program_are_told_apart() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "250ms"]);
    let twins = [leaker(), leaker()];
    let id = wait_for("both findings", 60.0, || {
        let overview = server.json("overview", "/api/v1/overview");
        let [one, other] = twins.each_ref().map(|twin| finding_of(&overview, twin.pid()));
        let (one, other) = (one?, other?);
        assert_eq!(one["id"], other["id"]);
        Some(one["id"].as_str().expect("an id").to_owned())
    });
    let of = |more: &str| server.json("finding", &format!("/api/v1/findings/{id}{more}"));
    for twin in &twins {
        for process in [id_of(twin.pid()), twin.pid().to_string()] {
            let page = of(&format!("?process={process}"));
            assert_eq!(page["finding"]["process"]["pid"], twin.pid());
            assert_eq!(page["process_id"], id_of(twin.pid()));
            let head = page["text"][0].as_str().expect("a line");
            assert!(head.contains(&format!("leak[{}]", twin.pid())), "{head}");
        }
    }
    // The surest of all that have it, which may be another test's.
    assert_eq!(of("")["finding"]["id"], id.as_str());
    let error = server.error(404, &format!("/api/v1/findings/{id}?process={}", server.pid()));
    let said = error["error"].as_str().expect("text");
    assert!(said.ends_with(&format!("of process {}", server.pid())), "{said}");
}

#[test]
fn two_times_are_laid_over_each_other() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "250ms"]);
    let leaker = leaker();
    leaker.wait_for_tasks(30, 60.0);
    let id = id_of(leaker.pid());
    let whole = wait_for("births on both sides of the middle", 30.0, || {
        let process = server.json("process", &format!("/api/v1/processes/{id}?pixels=4096"));
        (values(chart(&process, "threads"), "threads").len() > 8).then_some(process)
    });
    let (from, to) =
        (whole["range"]["from"].as_f64().expect("from"), whole["range"]["to"].as_f64().expect("to"));
    let middle = f64::midpoint(from, to);
    let path = format!(
        "/api/v1/compare?process={id}&a_from={from}&a_to={middle}&b_from={middle}&b_to={to}&pixels=64"
    );
    let page = server.json("compare-page", &path);
    assert_eq!((&page["before"]["name"], &page["after"]["name"]), (&"before".into(), &"after".into()));
    let chart = chart(&page, "threads");
    let (before, after) = (values(chart, "before"), values(chart, "after"));
    assert!(
        before.is_sorted() && after.is_sorted() && before.last() <= after.first(),
        "{before:?} {after:?}"
    );
    assert!(before.first() < after.last(), "{before:?} {after:?}");
    assert!(chart["times"][0].as_f64().is_some_and(|at| at < 1.0), "counted from each beginning: {chart:#}");
    let all = server.json("compare-page", &path.replace(&format!("process={id}&"), ""));
    assert!(!values(self::chart(&all, "committed"), "after").is_empty());
    server.error(400, "/api/v1/compare?a_from=1&a_to=2");
}

#[test]
fn what_is_healthy_is_not_spoken_of() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "250ms"]);
    let mut events = Events::open(&server.address);
    let twins = [
        Leaker::start("healthy", &["fixed-pool", "40"]),
        Leaker::start("healthy", &["renew", "600", "100", "pool-#-thread-1"]),
        Leaker::start("healthy", &["elastic", "12", "pool-1-thread-#"]),
    ];
    let leaker = leaker();
    // When the leak was found, the twins were judged as well, more than once.
    wait_for("the leak", 60.0, || finding_of(&server.json("overview", "/api/v1/overview"), leaker.pid()));
    for _ in 0..8 {
        events.wait("tick");
    }
    let overview = server.json("overview", "/api/v1/overview");
    for twin in &twins {
        assert_eq!(finding_of(&overview, twin.pid()), None);
        let process = server.json("process", &format!("/api/v1/processes/{}", id_of(twin.pid())));
        assert_eq!(process["findings"], Value::from(Vec::<Value>::new()), "{process:#}");
        assert_eq!(process["row"]["growing"], Value::Null);
    }
}

#[test]
fn who_ended_is_told_as_it_was_and_who_took_its_place() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "250ms"]);
    let args = ["threads-unjoined", "100", "20", "worker-#"];
    // Another name than all other tests' programs: restarts are known by it.
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("restarting");
    std::fs::copy(crate::support::built().join("leak"), &program).expect("a copy");
    let start = || {
        let mut command = std::process::Command::new(&program);
        command.args(args);
        Leaker::of(command)
    };
    let first = start();
    first.wait_for_tasks(21, 30.0);
    let id = id_of(first.pid());
    let threads = wait_for("its threads", 30.0, || {
        let process = server.get(&format!("/api/v1/processes/{id}"));
        let process = (process.status == 200).then(|| process.json())?;
        (process["row"]["threads"] == 21).then_some(process)
    });
    assert_eq!(threads["restarts"], Value::from(Vec::<Value>::new()));
    drop(first);
    let second = start();
    let again = id_of(second.pid());
    let process = wait_for("the end, and the restart", 30.0, || {
        let process = server.json("process", &format!("/api/v1/processes/{id}"));
        (!process["process"]["ended"].is_null() && process["restarts"] != Value::from(Vec::<Value>::new()))
            .then_some(process)
    });
    assert_eq!(process["restarts"][0]["id"], again);
    assert_eq!(process["row"]["threads"], 21, "its last row");
    let markers = chart(&process, "threads")["markers"].as_array().expect("markers").clone();
    for kind in ["end", "restart"] {
        assert!(markers.iter().any(|mark| mark["kind"] == kind), "{kind}: {markers:#?}");
    }
    let last = values(chart(&process, "threads"), "threads").last().copied();
    assert_eq!(last, Some(21.0), "and nothing after its end: {:#}", chart(&process, "threads"));
    server.error(404, "/api/v1/processes/4194304-1");
    server.error(400, "/api/v1/processes/x");
}

/// Only of suspects are the classes of memory recorded, and of whom a reader looks at.
#[test]
fn who_is_looked_at_is_recorded_closely() {
    let flatfoot = Flatfoot::new();
    let server = Server::start(&flatfoot, &["--interval", "500ms"]);
    let healthy = Leaker::start("healthy", &["fixed-pool", "40"]);
    let id = wait_for("the process", 30.0, || {
        let list = server.json("processes", &format!("/api/v1/processes?filter={}", healthy.pid()));
        let first = &list["processes"][0];
        (first["pid"] == healthy.pid()).then(|| first["id"].as_str().expect("an id").to_owned())
    });
    let path = format!("/api/v1/processes/{id}");
    let first = server.json("process", &path);
    assert_eq!(chart(&first, "memory")["stacked"], false, "nobody has looked at it: private and resident");
    wait_for("memory by class", 60.0, || {
        let process = server.json("process", &path);
        let memory = chart(&process, "memory");
        let stacks = memory["series"].as_array()?.iter().find(|series| series["name"] == "thread stack")?;
        let values: Vec<f64> = stacks["last"].as_array()?.iter().filter_map(Value::as_f64).collect();
        assert_eq!(memory["stacked"], true);
        // Forty stacks and the first one.
        (values.len() > 2 && values.iter().all(|bytes| *bytes > 39.0 * 65_536.0)).then_some(())
    });
}
