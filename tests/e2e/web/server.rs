//! `flatfoot serve`, started as a user would, and its documents with their schemas.

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::{Answer, get};
use crate::support::{Flatfoot, wait_for};

/// A server on a free port; ended when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// `127.0.0.1:40123`.
    pub(crate) address: String,
    /// What it said when it began.
    pub(crate) started: Value,
}

impl Server {
    #[track_caller]
    pub(crate) fn start(flatfoot: &Flatfoot, more: &[&str]) -> Self {
        Self::on(flatfoot, "127.0.0.1:0", more)
    }

    #[track_caller]
    pub(crate) fn on(flatfoot: &Flatfoot, listen: &str, more: &[&str]) -> Self {
        let args = [&["serve", "--json", "--listen", listen], more].concat();
        let mut child = flatfoot.command(&args).spawn().expect("flatfoot serve");
        let mut line = String::new();
        let _ = BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line);
        if line.is_empty() {
            let mut error = String::new();
            let _ = std::io::Read::read_to_string(&mut child.stderr.take().expect("its errors"), &mut error);
            panic!("flatfoot serve {args:?}: {error}");
        }
        let started: Value = serde_json::from_str(&line).expect("a line of JSON");
        assert_valid("serve", &started);
        let url = started["url"].as_str().expect("a URL");
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { child, address, started }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it keeps, or reads.
    pub(crate) fn path(&self) -> &str {
        self.started["path"].as_str().expect("a path")
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        get(&self.address, path)
    }

    /// A document, which must be what its schema says.
    #[track_caller]
    pub(crate) fn json(&self, schema: &str, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let document = answer.json();
        assert_valid(schema, &document);
        assert!(document["schema"].as_str().is_some_and(|name| name.ends_with("/1")), "{path}");
        document
    }

    /// A refusal.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let document = answer.json();
        assert_valid("error", &document);
        document
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> std::process::ExitStatus {
        wait_for("the server ends", 20.0, || self.child.try_wait().expect("waiting"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first, so that it removes what it made.
        self.signal(Signal::TERM);
        for _ in 0..500 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is a document what `flatfoot schema` says of it?
#[track_caller]
pub(crate) fn assert_valid(name: &str, document: &Value) {
    static SCHEMAS: OnceLock<Value> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| Flatfoot::new().run(&["schema"]).json());
    let validator =
        jsonschema::validator_for(&schemas[name]).unwrap_or_else(|e| panic!("schema {name}: {e}"));
    let errors: Vec<String> =
        validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{document:#}");
}

/// The API's id of a process that lives: `PID-START`.
pub(crate) fn id_of(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("its stat");
    let after = stat.rsplit_once(')').expect("a name").1;
    format!("{pid}-{}", after.split_whitespace().nth(19).expect("field 22"))
}

/// A chart by its name.
#[track_caller]
pub(crate) fn chart<'a>(document: &'a Value, name: &str) -> &'a Value {
    let charts = document["charts"].as_array().expect("charts");
    let chart = charts.iter().find(|chart| chart["name"] == name);
    let chart = chart.unwrap_or_else(|| panic!("no chart {name}: {document:#}"));
    let columns = chart["times"].as_array().expect("times").len();
    for series in chart["series"].as_array().expect("series") {
        for values in ["low", "high", "last"].iter().filter_map(|list| series[list].as_array()) {
            assert_eq!(values.len(), columns, "{name}, {}", series["name"]);
        }
    }
    chart
}

/// The values of a series of a chart that are known.
#[track_caller]
pub(crate) fn values(chart: &Value, series: &str) -> Vec<f64> {
    let all = chart["series"].as_array().expect("series");
    let one =
        all.iter().find(|one| one["name"] == series).unwrap_or_else(|| panic!("no {series}: {chart:#}"));
    one["last"].as_array().expect("values").iter().filter_map(Value::as_f64).collect()
}
