//! A recorder that is killed: every tick that it said was safe is there, and nothing has to be repaired.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

#[path = "common/ticks.rs"]
mod ticks;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use model::Tick;
use store::About;
use store::history::{HistoryReader, HistoryWriter, Retention, Window};
use ticks::host_tick;

const STORE: &str = "FLATFOOT_STORE_TEST_KILLED";
const FROM: &str = "FLATFOOT_STORE_TEST_FROM";
const PROCESSES: u32 = 12;

/// In a child: records ticks from a number on for ever, saying each that is safe.
fn record() {
    let (Ok(path), Ok(from)) = (std::env::var(STORE), std::env::var(FROM)) else { return };
    let mut writer = HistoryWriter::open(Path::new(&path), &About::default(), Retention::default()).unwrap();
    let mut out = std::io::stdout().lock();
    for number in from.parse().unwrap().. {
        writer.tick(&host_tick(number, PROCESSES)).unwrap();
        if number % 97 == 5 {
            writer.flush().unwrap();
        }
        out.write_all(format!("safe {number}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

struct Recorder {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    last: Option<u64>,
}

impl Recorder {
    fn start(path: &Path, from: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_a_hundred_times", "--nocapture"])
            .env(STORE, path)
            .env(FROM, from.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, last: None }
    }

    /// Waits until so many ticks more are safe.
    fn wait(&mut self, ticks: u64) {
        let mut seen = 0;
        while seen < ticks {
            let line = self.lines.next().expect("the recorder ended").unwrap();
            seen += u64::from(self.note(&line));
        }
    }

    fn note(&mut self, line: &str) -> bool {
        let number = line.rsplit_once("safe ").and_then(|(_, number)| number.parse().ok());
        self.last = number.or(self.last);
        number.is_some()
    }

    /// Kills it; the last tick that it said was safe.
    fn kill(mut self) -> Option<u64> {
        self.child.kill().unwrap();
        while let Some(Ok(line)) = self.lines.next() {
            self.note(&line);
        }
        self.child.wait().unwrap();
        self.last
    }
}

#[test]
fn killed_a_hundred_times() {
    if std::env::var_os(STORE).is_some() {
        return record();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = 0;
    for round in 0..100 {
        let mut recorder = Recorder::start(&path, next);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Not at once: whoever is killed before it has opened the store has nothing to lose.
        recorder.wait(1 + random % 60);
        // Not just after a tick was said to be safe, but anywhere in the next few.
        std::thread::sleep(std::time::Duration::from_micros(random >> 17 & 0x7ff));
        let safe = recorder.kill().unwrap();
        let reader = HistoryReader::open(&path).unwrap();
        let recorded: u64 = reader.coverage().unwrap().iter().map(|covered| covered.ticks).sum();
        assert_eq!(reader.damage(), Vec::<String>::new(), "round {round}");
        assert!(
            (safe + 1..=safe + 2).contains(&recorded),
            "round {round}: {recorded} ticks, {safe} was safe"
        );
        let from = host_tick(recorded.saturating_sub(300), PROCESSES).at_unix_ms;
        let ticks = reader.ticks(Window::new(from, i64::MAX)).unwrap();
        let mut number = recorded.saturating_sub(300);
        for tick in ticks {
            assert_eq!(tick.unwrap(), host_tick(number, PROCESSES), "round {round}");
            number += 1;
        }
        assert_eq!(number, recorded, "round {round}");
        next = recorded;
    }
    let reader = HistoryReader::open(&path).unwrap();
    let ticks: Vec<Tick> = reader.ticks(Window::ALL).unwrap().map(Result::unwrap).collect();
    assert_eq!(ticks.len() as u64, next);
    assert!((0..).zip(&ticks).all(|(number, tick)| *tick == host_tick(number, PROCESSES)));
    assert!(reader.damage().is_empty());
}

/// Readers beside it see each tick as soon as it is safe, and never one that is half there.
#[test]
fn readers_beside_the_writer_see_whole_ticks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut recorder = Recorder::start(&path, 0);
    recorder.wait(1);
    let readers: Vec<HistoryReader> = (0..3).map(|_| HistoryReader::open(&path).unwrap()).collect();
    let mut seen = [0_usize; 3];
    while seen.iter().any(|seen| *seen < 900) {
        recorder.wait(20);
        let safe = recorder.last.unwrap() as usize + 1;
        for (reader, seen) in readers.iter().zip(&mut seen) {
            let from = host_tick(*seen as u64, PROCESSES).at_unix_ms;
            for tick in reader.ticks(Window::new(from, i64::MAX)).unwrap() {
                assert_eq!(tick.unwrap(), host_tick(*seen as u64, PROCESSES));
                *seen += 1;
            }
            assert!(*seen >= safe, "{seen} seen, {safe} are safe");
            assert!(reader.damage().is_empty(), "{:?}", reader.damage());
        }
    }
    recorder.kill();
}
