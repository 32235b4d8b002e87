//! The recorder on this host: what real programs did is in its store, whatever ended it.

#![allow(clippy::unwrap_used)] // none may fail

use std::path::{Path, PathBuf};
use std::process::Child;

use model::{Column, EventKind, Incarnation, ProcessNo, Tick};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use store::history::{HistoryReader, Window};
use tempfile::TempDir;

use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, Run, need, wait_for, wait_until};

/// A recorder that runs, with a store of its own.
struct Recorder {
    flatfoot: Flatfoot,
    folder: TempDir,
    child: Option<Child>,
}

impl Recorder {
    /// Waits until it has stored its first tick.
    #[track_caller]
    fn start(more: &[&str]) -> Self {
        let mut recorder = Self { flatfoot: Flatfoot::new(), folder: TempDir::new().unwrap(), child: None };
        recorder.go(more);
        recorder
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("h.flatfoot")
    }

    #[track_caller]
    fn go(&mut self, more: &[&str]) {
        let before = self.ticks().len();
        let store = self.store();
        let mut args = vec!["record", "--json", "--interval", "200ms", "--store", store.to_str().unwrap()];
        args.extend(more);
        self.child = Some(self.flatfoot.command(&args).spawn().unwrap());
        wait_until("a tick more in the store", 30.0, || self.ticks().len() > before);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Ends it in order.
    #[track_caller]
    fn end(&mut self) -> Run {
        self.signal(Signal::TERM);
        collect(self.child.as_mut().unwrap())
    }

    #[track_caller]
    fn kill(&mut self) {
        self.signal(Signal::KILL);
        assert_eq!(collect(self.child.as_mut().unwrap()).status, -9);
    }

    /// All ticks that are in the store now; none before there is one.
    fn ticks(&self) -> Vec<Tick> {
        ticks(&self.store())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn ticks(store: &Path) -> Vec<Tick> {
    let (all, damage) = read(store);
    assert_eq!(damage, [""; 0]);
    all
}

/// The same, and what is damaged.
fn read(store: &Path) -> (Vec<Tick>, Vec<String>) {
    let Ok(reader) = HistoryReader::open(store) else { return Default::default() };
    let mut ticks = reader.ticks(Window::ALL).unwrap();
    let mut all = Vec::new();
    let mut tick = Tick::default();
    while ticks.read(&mut tick).unwrap() {
        all.push(tick.clone());
    }
    (all, reader.damage())
}

fn happened(ticks: &[Tick]) -> impl Iterator<Item = (ProcessNo, &EventKind)> {
    ticks.iter().flat_map(|tick| &tick.events).map(|event| (event.process, &event.what))
}

fn seen(ticks: &[Tick], pid: u32) -> Vec<(ProcessNo, Incarnation)> {
    happened(ticks)
        .filter_map(|(no, what)| match what {
            EventKind::ProcessSeen(who) if who.key.pid.0 == pid => Some((no, (**who).clone())),
            _ => None,
        })
        .collect()
}

fn last(ticks: &[Tick], process: ProcessNo, column: Column) -> Option<u64> {
    ticks.iter().rev().find_map(|tick| {
        let (_, values) = tick.by_process().find(|(no, _)| *no == process)?;
        values.iter().find(|(c, _)| *c == column).map(|(_, value)| *value)
    })
}

#[track_caller]
fn objects(run: &Run) -> Vec<Value> {
    run.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_birth_is_recorded_and_the_leak_is_named_while_it_runs() {
    let mut recorder = Recorder::start(&[]);
    let leaker = Leaker::start("leak", &["threads-unjoined", "50", "60", "pool-#-thread-1"]);
    let pid = leaker.pid();
    wait_until("the last birth in the store", 30.0, || {
        let ticks = recorder.ticks();
        happened(&ticks).filter(|(_, what)| matches!(what, EventKind::ThreadBorn { name, .. } if name.as_str().starts_with("pool-60"))).count() == 1
    });
    let run = recorder.end();
    assert_eq!(run.status, 0, "{run:#?}");
    let ticks = recorder.ticks();
    let (no, who) = seen(&ticks, pid).remove(0);
    assert_eq!(who.name.as_str(), "leak");
    assert!(who.identity.command.as_str().ends_with("threads-unjoined 50 60 pool-#-thread-1"), "{who:?}");
    let mut starts = Vec::new();
    for (process, what) in happened(&ticks).filter(|(process, _)| *process == no) {
        match what {
            EventKind::ThreadBorn { start, name, .. } => {
                assert!(name.as_str().starts_with("pool-"), "{name}");
                starts.push(start.0);
            }
            EventKind::ProcessSeen(_) => {}
            other => panic!("{process:?} {other:?}"),
        }
    }
    assert_eq!(starts.len(), 60);
    // Births are the kernel's own times, so their rhythm is exact however late a tick was.
    starts.sort_unstable();
    let span = starts[59] - starts[0];
    assert!((290..=300).contains(&span), "59 periods of 50 ms in {span} ticks of 10 ms");
    assert_eq!(last(&ticks, no, Column::Threads), Some(61));
    assert_eq!(last(&ticks, no, Column::ThreadsBorn), Some(60));
    assert_eq!(last(&ticks, no, Column::ThreadsEnded), Some(0));
    let objects = objects(&run);
    let found = objects
        .iter()
        .find(|object| object["event"] == "finding" && object["finding"]["process"]["pid"] == pid);
    let finding = &found.unwrap_or_else(|| panic!("{objects:#?}"))["finding"];
    assert_eq!((&finding["kind"], &finding["subject"]), (&"thread-leak".into(), &"pool-*-thread-1".into()));
    // Its own cost is there, like everything else's.
    assert!(last(&ticks, ProcessNo::HOST, Column::OwnCpu).is_some_and(|us| us > 0));
    assert!(last(&ticks, ProcessNo::HOST, Column::OwnResident).is_some_and(|bytes| bytes < 40 << 20));
    // The evidence of that moment lies beside the figures.
    let reader = HistoryReader::open(&recorder.store()).unwrap();
    let looks = reader.looks(Window::ALL).unwrap();
    assert!(looks.len() >= 2, "one at the start, one at the leak: {looks:?}");
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_stored_and_needs_no_repair() {
    let target = Leaker::start("healthy", &["fixed-pool", "3"]);
    let mut recorder = Recorder::start(&[]);
    let number = seen(&recorder.ticks(), target.pid()).remove(0).0;
    for round in 0..6_u64 {
        // A moment that is another one each time.
        std::thread::sleep(std::time::Duration::from_millis(40 + 53 * round));
        let before = recorder.ticks();
        recorder.kill();
        let after = recorder.ticks();
        assert!(after.len() >= before.len());
        assert!(after.len() <= before.len() + 8, "it ticks five times a second");
        assert_eq!(before[..], after[..before.len()], "what was there is there, to the byte");
        recorder.go(&[]);
    }
    let run = recorder.end();
    assert_eq!(run.status, 0);
    let ticks = recorder.ticks();
    let starts =
        happened(&ticks).filter(|(_, what)| matches!(what, EventKind::RecorderStarted { .. })).count();
    assert_eq!(starts, 7);
    // The same process has the same number, however often its recorder began anew.
    let numbers: Vec<ProcessNo> = seen(&ticks, target.pid()).into_iter().map(|(no, _)| no).collect();
    assert_eq!(numbers, vec![number; 7]);
    assert!(happened(&ticks).all(|(no, what)| no != number || *what != EventKind::ProcessEnded));
}

#[test]
fn an_end_in_order_is_recorded_and_a_hang_up_is_no_end() {
    let mut recorder = Recorder::start(&[]);
    recorder.signal(Signal::HUP);
    let so_far = recorder.ticks().len();
    wait_until("it goes on after a hang-up", 30.0, || recorder.ticks().len() > so_far + 3);
    let run = recorder.end();
    assert_eq!(run.status, 0, "{run:#?}");
    let ticks = recorder.ticks();
    assert!(matches!(ticks[0].events[0].what, EventKind::RecorderStarted { interval_ms: 200, .. }));
    assert_eq!(ticks.last().unwrap().events.last().unwrap().what, EventKind::RecorderStopped);
    let objects = objects(&run);
    let (first, end) = (objects.first().unwrap(), objects.last().unwrap());
    assert_eq!((&first["schema"], &first["event"]), (&"flatfoot.record/1".into(), &"started".into()));
    assert_eq!((&end["event"], &end["ticks"]), (&"stopped".into(), &ticks.len().into()));
    // One file, and the lock's: nothing is left to be merged by the next who opens it.
    let mut names: Vec<_> =
        std::fs::read_dir(recorder.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["h.flatfoot", "h.flatfoot.lock"]);
}

#[test]
fn a_second_recorder_on_the_same_store_is_refused() {
    let recorder = Recorder::start(&[]);
    let store = recorder.store();
    let second = recorder.flatfoot.run(&["record", "--store", store.to_str().unwrap()]);
    assert_eq!(second.status, 5, "{second:#?}");
    let pid = recorder.child.as_ref().unwrap().id();
    assert!(second.stderr.contains(&format!("in use by another recorder, pid {pid}")), "{second:#?}");
    assert!(second.stderr.contains("hint:"), "{second:#?}");
    let so_far = recorder.ticks().len();
    wait_until("the first goes on", 30.0, || recorder.ticks().len() > so_far);
}

#[test]
fn a_program_that_is_started_again_keeps_what_it_is() {
    let mut recorder = Recorder::start(&[]);
    let mut pids = Vec::new();
    for _ in 0..2 {
        let program = Leaker::start("healthy", &["fixed-pool", "2"]);
        pids.push(program.pid());
        wait_until("it is seen", 30.0, || !seen(&recorder.ticks(), program.pid()).is_empty());
    }
    wait_until("its end is seen", 30.0, || {
        let ticks = recorder.ticks();
        let no = seen(&ticks, pids[1])[0].0;
        happened(&ticks).any(|(process, what)| process == no && *what == EventKind::ProcessEnded)
    });
    recorder.end();
    let ticks = recorder.ticks();
    let [(first, one), (second, other)] =
        [pids[0], pids[1]].map(|pid| seen(&ticks, pid).into_iter().next().unwrap());
    assert_ne!(first, second);
    assert_ne!(one.key, other.key);
    assert_eq!(one.identity, other.identity);
}

#[test]
fn healthy_programs_are_not_named() {
    let mut recorder = Recorder::start(&[]);
    let mut renewing = Leaker::start("healthy", &["renew", "600", "60"]);
    let pool = Leaker::start("healthy", &["fixed-pool", "12"]);
    renewing.line("steady", 30.0);
    let so_far = recorder.ticks().len();
    wait_until("more ticks than a judge needs", 60.0, || recorder.ticks().len() > so_far + 70);
    let run = recorder.end();
    let pids = [renewing.pid(), pool.pid()];
    let named: Vec<Value> = objects(&run)
        .into_iter()
        .filter(|object| {
            let of =
                if object["event"] == "finding" { &object["finding"]["process"] } else { &object["process"] };
            of["pid"].as_u64().is_some_and(|pid| pids.contains(&(pid as u32)))
        })
        .filter(|object| object["event"] == "finding" || object["verdict"]["state"] == "leak")
        .collect();
    assert!(named.is_empty(), "{named:#?}");
    // Its births and ends balance, and all of them were seen.
    let ticks = recorder.ticks();
    let no = seen(&ticks, renewing.pid())[0].0;
    let (born, ended) = (last(&ticks, no, Column::ThreadsBorn), last(&ticks, no, Column::ThreadsEnded));
    let living = born.unwrap() - ended.unwrap();
    assert!((8..=13).contains(&living), "{born:?} born, {ended:?} ended");
}

#[test]
fn a_store_that_cannot_be_made_is_explained() {
    let flatfoot = Flatfoot::new();
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("none/h.flatfoot");
    let text = folder.path().join("text");
    std::fs::write(&text, "not a store").unwrap();
    for path in [missing.to_str().unwrap(), text.to_str().unwrap(), "/proc/h.flatfoot"] {
        let run = flatfoot.run(&["record", "--store", path]);
        assert_eq!(run.status, 5, "{run:#?}");
        assert!(run.stderr.contains(path) && run.stderr.contains("hint:"), "{run:#?}");
        assert!(!run.stderr.contains("panicked"), "{run:#?}");
    }
    assert_eq!(std::fs::read_to_string(&text).unwrap(), "not a store");
    for wrong in [["--interval", "0"], ["--max-size", "7"], ["--keep", "soon"]] {
        assert_eq!(flatfoot.run(&["record", wrong[0], wrong[1]]).status, 2);
    }
}

/// A small file system in memory, unmounted at the end.
struct Small(TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let place = TempDir::new().unwrap();
        let path = place.path().to_str().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "flatfoot-test", path])
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_said_once_and_recording_goes_on_by_itself() {
    need!("mount");
    let Some(small) = Small::mount() else {
        eprintln!("NOT TESTED: a file system may not be mounted here");
        return;
    };
    let flatfoot = Flatfoot::new();
    let store = small.0.path().join("h.flatfoot");
    let args = ["record", "--json", "--interval", "200ms", "--store", store.to_str().unwrap()];
    // Killed when the test fails.
    let child = Some(flatfoot.command(&args).spawn().unwrap());
    let mut recorder = Recorder { flatfoot, folder: TempDir::new().unwrap(), child };
    wait_until("ticks in the store", 30.0, || ticks(&store).len() > 3);
    let filler = small.0.path().join("filler");
    // Whatever is left: its write ends when there is no room.
    let _ = std::fs::write(&filler, vec![0; 4 << 20]);
    // Ticks that wait in memory are missing, and are not lost: what is there meanwhile has a gap.
    let before = read(&store).0.len();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(recorder.child.as_mut().unwrap().try_wait().unwrap().is_none(), "it goes on");
    std::fs::remove_file(&filler).unwrap();
    wait_for("it is stored again", 30.0, || (read(&store).0.len() > before + 16).then_some(()));
    let run = recorder.end();
    assert_eq!(run.status, 0, "{run:#?}");
    let numbers = ticks(&store).len();
    let objects = objects(&run);
    assert_eq!(objects.last().unwrap()["ticks"], numbers, "not one is missing");
    let of = |event: &str| objects.iter().filter(|object| object["event"] == event).collect::<Vec<_>>();
    let failing = of("failing");
    if let Some(failing) = failing.first() {
        assert!(failing["error"].as_str().unwrap().contains("no space left"), "{failing:#?}");
        assert!(
            failing["hint"].as_str().is_some_and(|hint| hint.contains("free some space")),
            "{failing:#?}"
        );
    }
    assert_eq!((failing.len(), of("resumed").len()), (1, 1), "{objects:#?}");
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_mins(1))).unwrap();
    let flatfoot = Flatfoot::new();
    let store = folder.path().join("h.flatfoot");
    let child = flatfoot
        .command(&["record", "--interval", "200ms", "--store", store.to_str().unwrap()])
        .env("NOTIFY_SOCKET", &place)
        .spawn();
    let mut recorder = Recorder { flatfoot, folder, child: Some(child.unwrap()) };
    let mut space = [0; 64];
    let heard = |space: &mut [u8; 64]| {
        let length = socket.recv(space).unwrap();
        String::from_utf8(space[..length].to_vec()).unwrap()
    };
    assert_eq!(heard(&mut space), "READY=1");
    assert_eq!(ticks(&store).len(), 1, "ready when the first tick is safe");
    recorder.signal(Signal::INT);
    assert_eq!(heard(&mut space), "STOPPING=1");
    assert_eq!(collect(recorder.child.as_mut().unwrap()).status, 0);
}
