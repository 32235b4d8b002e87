//! The page: what a browser waits for with a month of a host behind it, and what fifty readers cost the recorder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use probe::Clock;
use serde::Deserialize;

use super::built::Built;
use super::statistics::Spread;
use super::table::{Reach, Row, Unit};

/// Two hundred processes, thirty days.
const MONTH: [&str; 4] = ["keep", "70,25,5", "200", "720"];
/// Readers at once: each with its events, and asking.
const CLIENTS: usize = 50;

/// All rows; the readers go on for so many seconds.
pub(crate) fn rows(built: &Built, rounds: usize, seconds: u64) -> Vec<Row> {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(why) => return vec![Row::missing("the page", &why.into())],
    };
    let month = folder.path().join("month.flatfoot");
    let mut rows = answers(built, &month, rounds)
        .unwrap_or_else(|why| vec![Row::missing("the page, a month of 200 processes", &why)]);
    rows.extend(
        painted(built, &month, rounds)
            .unwrap_or_else(|why| vec![Row::missing("the page, first contentful paint", &why)]),
    );
    rows.extend(
        readers(built, seconds).unwrap_or_else(|why| vec![Row::missing("the page, fifty readers", &why)]),
    );
    rows
}

/// A server, ended with its owner.
struct Server {
    child: Child,
    address: String,
    path: String,
}

#[derive(Deserialize)]
struct Started {
    url: String,
    path: String,
}

impl Server {
    fn start(built: &Built, words: &[&str]) -> Result<Self> {
        let mut child = Command::new(&built.release)
            .args(["serve", "--json", "--listen", "127.0.0.1:0"])
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .context("flatfoot serve")?;
        let mut line = String::new();
        let out = child.stdout.take().context("its output")?;
        BufReader::new(out).read_line(&mut line)?;
        let started: Started = serde_json::from_str(&line).context("what flatfoot serve says")?;
        let address = started.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Ok(Self { child, address, path: started.path })
    }

    fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.unwrap_or(0.0) * 1_024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first, so that it removes what it made.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn ask(address: &str, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    Ok(stream)
}

/// Seconds until all of an answer is there, and its bytes.
fn get(address: &str, path: &str) -> Result<(f64, usize)> {
    let began = Clock::monotonic();
    let mut answer = Vec::new();
    ask(address, path)?.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("{path}: {}", String::from_utf8_lossy(answer.get(..200).unwrap_or(&answer)));
    }
    Ok((Clock::monotonic() - began, answer.len()))
}

fn answers(built: &Built, month: &Path, rounds: usize) -> Result<Vec<Row>> {
    example(&[&MONTH[..], &[&month.to_string_lossy()]].concat())?;
    let store = month.to_string_lossy();
    let mut first: Vec<Vec<f64>> = Vec::new();
    let paths = [
        "/api/v1/overview?from=0&pixels=1200",
        "/api/v1/processes?rows=100&spark=60",
        "/api/v1/processes/150?from=0&pixels=1200",
    ];
    for _ in 0..rounds.clamp(3, 9) {
        // Each time a new one: nothing is known from before.
        let server = Server::start(built, &["--store", &store])?;
        first.push(paths.iter().map(|path| Ok(get(&server.address, path)?.0)).collect::<Result<_>>()?);
    }
    let of = |at: usize| Spread::of(first.iter().filter_map(|round| round.get(at).copied()).collect());
    let row = |at: usize, what: &str| {
        Row::new(
            format!("the page, 30 days of 200 processes: {what}"),
            Unit::Milliseconds,
            Reach::Nothing,
            of(at),
        )
        .command(format!("GET {}", paths[at]))
    };
    Ok(vec![
        row(0, "the overview's figures, asked for the first time"),
        row(1, "the list"),
        row(2, "a process"),
    ])
}

#[derive(Deserialize)]
struct Painted {
    fcp_s: Vec<f64>,
    drawn_s: Vec<f64>,
    bytes: f64,
}

fn painted(built: &Built, month: &Path, rounds: usize) -> Result<Vec<Row>> {
    let server = Server::start(built, &["--store", &month.to_string_lossy()])?;
    let script = built.root.join("tests/browser/bench/paint.mjs");
    let output = Command::new("node")
        .arg(&script)
        .arg(format!("http://{}/", server.address))
        .arg(rounds.clamp(3, 9).to_string())
        .output()
        .context("node (scripts/install-test-deps.sh)")?;
    if !output.status.success() {
        bail!("{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    }
    let painted: Painted = serde_json::from_slice(&output.stdout).context("figures of paint.mjs")?;
    let work = "the page, 30 days of 200 processes in Chromium";
    let command = "tests/browser/bench/paint.mjs URL";
    Ok(vec![
        Row::new(
            format!("{work}: first contentful paint"),
            Unit::Milliseconds,
            Reach::AtMost(0.4),
            Spread::of(painted.fcp_s),
        )
        .command(command),
        Row::new(
            format!("{work}: until the charts are drawn"),
            Unit::Milliseconds,
            Reach::Nothing,
            Spread::of(painted.drawn_s),
        )
        .command(command),
        Row::new(
            "the page, all of its files",
            Unit::Megabytes,
            Reach::AtMost(250e3),
            Spread::of(vec![painted.bytes]),
        )
        .aside(format!("{:.0} KB", painted.bytes / 1e3))
        .command(command),
    ])
}

#[derive(Deserialize)]
struct Late {
    ticks: u64,
    late_s: [f64; 3],
}

/// Fifty readers of a server that records by itself: the recorder must not be late for them.
fn readers(built: &Built, seconds: u64) -> Result<Vec<Row>> {
    let server = Server::start(built, &["--interval", "1s"])?;
    Clock::sleep(3.0);
    let before = server.resident();
    let (over, asked, told) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let slowest: Vec<f64> = std::thread::scope(|scope| {
        let work = |at: usize| {
            let mut slowest = 0.0_f64;
            let paths = ["/api/v1/overview", "/api/v1/processes", "/api/v1", "/"];
            while !over.load(Ordering::Relaxed) {
                let path = paths[(at + asked.load(Ordering::Relaxed) as usize) % paths.len()];
                if let Ok((took, _)) = get(&server.address, path) {
                    slowest = slowest.max(took);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                Clock::sleep(0.2);
            }
            slowest
        };
        let listen = || {
            let Ok(stream) = ask(&server.address, "/api/v1/events") else { return };
            let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
            for line in BufReader::new(stream).lines() {
                match line {
                    Ok(line) if line.starts_with("event:") => {
                        told.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        };
        let asking: Vec<_> = (0..CLIENTS).map(|at| scope.spawn(move || work(at))).collect();
        let listening: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(listen)).collect();
        Clock::sleep(seconds as f64);
        over.store(true, Ordering::Relaxed);
        for one in listening {
            let _ = one.join();
        }
        asking.into_iter().filter_map(|one| one.join().ok()).collect()
    });
    let after = server.resident();
    let late: Late = serde_json::from_slice(&example(&["late", &server.path])?)?;
    let work = format!("the page, {CLIENTS} readers for {seconds} s");
    let command = "flatfoot serve --interval 1s";
    let (asked, told) = (asked.load(Ordering::Relaxed), told.load(Ordering::Relaxed));
    Ok(vec![
        Row::new(
            format!("{work}: the latest tick of a hundred"),
            Unit::Milliseconds,
            Reach::AtMost(0.1),
            Spread::of(vec![late.late_s[1]]),
        )
        .aside(format!("{} ticks; median {:.1} ms", late.ticks, late.late_s[0] * 1e3))
        .command(command),
        Row::new(
            format!("{work}: the slowest answer of each"),
            Unit::Milliseconds,
            Reach::Nothing,
            Spread::of(slowest),
        )
        .aside(format!("{asked} answers, {told} events"))
        .command(command),
        Row::new(format!("{work}: memory"), Unit::Megabytes, Reach::Nothing, Spread::of(vec![after]))
            .aside(format!("{:.1} MB before", before / 1e6))
            .command(command),
    ])
}

fn example(words: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("cargo")
        .args(["run", "--release", "--quiet", "--locked", "-p", "flatfoot-store"])
        .args(["--example", "history_cost", "--"])
        .args(words)
        .output()
        .context("cargo")?;
    if !output.status.success() {
        bail!("history_cost {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}
