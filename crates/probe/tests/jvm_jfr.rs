//! Who starts threads, by flight recordings of real JVMs of every release that `scripts/install-jdks.sh` could bring.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use model::{Pid, ProcessKey, SpawnStack};
use probe::hotspot::attach::{Attachment, Patience, Refusal};
use probe::hotspot::jfr::Recording;
use probe::{Clock, Parts, Prober, ProcRoot};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(folder) = std::env::var_os("LEAKERS") {
            return folder.into();
        }
        let made = Command::new(top().join("tests/leakers/build.sh")).output().unwrap();
        assert!(made.status.success(), "build.sh: {}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().into()
    })
}

/// The runtime of a release; says aloud when there is none.
fn java(release: u32) -> Option<PathBuf> {
    let java = top().join(format!("target/tools/jdk-{release}/bin/java"));
    if java.exists() {
        return Some(java);
    }
    eprintln!("NOT TESTED: JDK {release} is missing; run scripts/install-jdks.sh");
    None
}

/// A program of tests/leakers, killed when the test is over.
struct Jvm {
    child: Child,
    /// The JVM; the started process is another one in a container.
    pid: u32,
}

impl Drop for Jvm {
    fn drop(&mut self) {
        // Ended, not killed, it removes JFR's own directory.
        let pid = rustix::process::Pid::from_raw(self.pid as i32).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let until = Clock::monotonic() + 10.0;
        while self.child.try_wait().unwrap().is_none() && Clock::monotonic() < until {
            Clock::sleep(0.01);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Jvm {
    fn start(java: &Path, options: &str, script: &[&str]) -> Self {
        Self::with(java, options, script, &[])
    }

    /// `contained`: variables of run-contained.sh.
    fn with(java: &Path, options: &str, script: &[&str], contained: &[(&str, &str)]) -> Self {
        let mut command = Command::new(top().join("tests/leakers").join(script[0]));
        command
            .args(&script[1..])
            .env("LEAKERS", built())
            .env("JAVA", java)
            .env("JOPTS", options)
            .envs(contained.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        while !line.starts_with("ready") {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "{script:?}: no ready line");
        }
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let mut pid = child.id();
        if script[0] == "run-contained.sh" {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
            pid = children.trim().parse().unwrap();
        }
        Self { child, pid }
    }

    fn key(&self) -> ProcessKey {
        let mut prober = Prober::new(ProcRoot::open("/proc").unwrap());
        prober.process(Pid(self.pid), &Parts::default()).unwrap().key
    }

    /// Files in its /tmp that are of a recorder.
    fn files(&self) -> BTreeSet<String> {
        let tmp = PathBuf::from(format!("/proc/{}/root/tmp", self.pid));
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let inner = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
        let inner = inner.split_whitespace().last().unwrap();
        let own = format!("_{inner}");
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(tmp).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with(&format!(".flatfoot-jfr-{inner}-")) {
                found.insert(name.clone());
            }
            // JFR's own directory, which stays: it must be empty.
            if name.starts_with("20") && name.ends_with(&own) {
                let inside = std::fs::read_dir(entry.path()).unwrap().flatten();
                found.extend(inside.map(|file| format!("{name}/{}", file.file_name().display())));
            }
        }
        found
    }
}

/// The line of the statement that tests/leakers marks.
fn line_of(mark: &str, file: &str) -> u32 {
    let text = std::fs::read_to_string(top().join("tests/leakers/java/src/leakcase").join(file)).unwrap();
    text.lines().position(|line| line.contains(mark)).unwrap() as u32 + 1
}

/// `class.method:line` of the first frame that is not the JDK's.
fn creator(stack: &SpawnStack) -> String {
    let frame = stack.frames.iter().find(|frame| !frame.of_jdk).unwrap();
    format!("{}.{}:{}", frame.class.as_str(), frame.method.as_str(), frame.line.unwrap_or(0))
}

/// Waits until a stack with this creator has been seen `times` times.
fn wait_for(recording: &mut Recording<'_>, wanted: &str, times: u64) -> SpawnStack {
    let until = Clock::monotonic() + 60.0;
    loop {
        let spawns = recording.spawns().unwrap();
        // Hidden frames of lambdas come and go between releases: there may be several stacks with one creator.
        if let Some(spawn) = spawns.iter().find(|spawn| creator(spawn) == wanted && spawn.count >= times) {
            return spawn.clone();
        }
        assert!(Clock::monotonic() < until, "{wanted} in vain; seen: {spawns:#?}");
        Clock::sleep(0.1);
    }
}

fn check_all_releases(script: &[&str], creator: &str, name: &str, starter: &str) {
    for release in [11, 17, 21, 25] {
        let Some(java) = java(release) else { continue };
        let jvm = Jvm::start(&java, "-Xmx64m", script);
        let root = ProcRoot::open("/proc").unwrap();
        let mut attachment = Attachment::open(&root, &jvm.key(), &Patience::default()).unwrap();
        let before = Clock::boot();
        let mut recording = Recording::start(&root, &mut attachment, &Patience::default()).unwrap();
        assert!(!recording.was_running());
        let spawn = wait_for(&mut recording, creator, 2);
        assert_eq!((spawn.source.as_str(), spawn.failed, spawn.cut), ("jfr", 0, false), "{release}");
        assert_eq!(spawn.births.len() as u64, spawn.count);
        for birth in &spawn.births {
            assert!(birth.name.as_str().starts_with(name), "{release}: {}", birth.name);
            assert!(birth.starter.as_str().starts_with(starter), "{release}: {}", birth.starter);
            // Recorded in JFR's own ticks, which need not agree with the clocks to the millisecond.
            assert!((before - 0.1..Clock::boot() + 0.1).contains(&birth.at_boot_s), "{release}");
        }
        let ids: BTreeSet<u64> = spawn.births.iter().map(|birth| birth.java_id).collect();
        assert_eq!(ids.len(), spawn.births.len(), "{release}: each birth once");
        recording.stop().unwrap();
        let left = attachment.jcmd("JFR.check", &Patience::default()).unwrap();
        assert!(left.starts_with("No available recordings"), "{release}: {left}");
        assert_eq!(jvm.files(), BTreeSet::new(), "{release}");
    }
}

#[test]
fn jvm_a_thread_without_a_pool() {
    let creator = format!("leakcase.Threads.plain:{}", line_of("// birth: new-thread", "Threads.java"));
    check_all_releases(&["run-java.sh", "new-thread", "150"], &creator, "Thread-", "main");
}

#[test]
fn jvm_the_founding_case() {
    let creator =
        format!("leakcase.Deadline$FreshPool.arm:{}", line_of("pending = own.schedule(", "Deadline.java"));
    check_all_releases(&["run-java.sh", "leak", "200"], &creator, "pool-", "JobScheduler_Worker-");
}

#[test]
fn jvm_in_a_container_as_another_user() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: run-contained.sh needs root");
        return;
    }
    let creator = format!("leakcase.Threads.timer:{}", line_of("// birth: timer", "Threads.java"));
    check_all_releases(&["run-contained.sh", "run-java.sh", "timer", "150"], &creator, "Timer-", "main");
}

#[test]
fn jvm_a_recording_that_runs_already_is_used_and_left() {
    for release in [11, 17, 21, 25] {
        let Some(java) = java(release) else { continue };
        let jvm = Jvm::start(&java, "-Xmx64m", &["run-java.sh", "custom-factory", "150"]);
        let root = ProcRoot::open("/proc").unwrap();
        let patience = Patience::default();
        let mut attachment = Attachment::open(&root, &jvm.key(), &patience).unwrap();
        attachment.jcmd("JFR.start name=\"their own\" settings=default", &patience).unwrap();
        let listed = attachment.jcmd("JFR.check", &patience).unwrap();
        let mut recording = Recording::start(&root, &mut attachment, &patience).unwrap();
        assert!(recording.was_running(), "{release}: {listed}");
        let line = line_of("// birth: custom-factory", "Threads.java");
        wait_for(&mut recording, &format!("leakcase.Threads.customFactory:{line}"), 2);
        recording.stop().unwrap();
        assert_eq!(attachment.jcmd("JFR.check", &patience).unwrap(), listed, "{release}");
        assert!(jvm.files().iter().all(|file| !file.contains("flatfoot")), "{release}: {:?}", jvm.files());
    }
}

#[test]
fn jvm_what_a_killed_flatfoot_left_is_removed() {
    let Some(java) = java(21) else { return };
    let jvm = Jvm::start(&java, "-Xmx64m", &["run-java.sh", "new-thread", "150"]);
    let root = ProcRoot::open("/proc").unwrap();
    let patience = Patience::default();
    let mut attachment = Attachment::open(&root, &jvm.key(), &patience).unwrap();
    let recording = Recording::start(&root, &mut attachment, &patience).unwrap();
    // As if killed: nothing is cleaned up.
    std::mem::forget(recording);
    drop(attachment);
    assert!(jvm.files().iter().any(|file| file.starts_with(".flatfoot-jfr-")), "{:?}", jvm.files());
    let mut attachment = Attachment::open(&root, &jvm.key(), &patience).unwrap();
    assert!(attachment.jcmd("JFR.check", &patience).unwrap().contains("name=flatfoot"));
    let mut recording = Recording::start(&root, &mut attachment, &patience).unwrap();
    assert!(!recording.was_running());
    let line = line_of("// birth: new-thread", "Threads.java");
    wait_for(&mut recording, &format!("leakcase.Threads.plain:{line}"), 1);
    // Going out of sight stops it too.
    drop(recording);
    let left = attachment.jcmd("JFR.check", &patience).unwrap();
    assert!(left.starts_with("No available recordings"), "{left}");
    assert_eq!(jvm.files(), BTreeSet::new());
}

#[test]
fn jvm_without_room_for_a_recording_is_left_alone() {
    let Some(java) = java(17) else { return };
    // /proc has no room for anything.
    let mut cases =
        vec![("-Xmx64m -Djava.io.tmpdir=/proc", &["run-java.sh", "blank"][..], "/proc has 0 MiB")];
    if rustix::process::geteuid().is_root() {
        cases.push(("-Xmx64m", &["run-contained.sh", "run-java.sh", "blank"], "/tmp has 7 MiB"));
    }
    for (options, script, word) in cases {
        let jvm = Jvm::with(&java, options, script, &[("CONTAINED_TMP", "size=8m")]);
        let root = ProcRoot::open("/proc").unwrap();
        let patience = Patience::default();
        let mut attachment = Attachment::open(&root, &jvm.key(), &patience).unwrap();
        let refusal = Recording::start(&root, &mut attachment, &patience).unwrap_err();
        assert!(matches!(&refusal, Refusal::TmpNotWritable(why) if why.contains(word)), "{refusal}");
        assert_eq!(jvm.files(), BTreeSet::new());
        let threads = attachment.jcmd("Thread.print", &patience).unwrap();
        assert!(!threads.contains("JFR"), "JFR was not begun");
    }
}

#[test]
fn jvm_near_its_limit_of_threads_is_left_alone() {
    let Some(java) = java(17).filter(|_| rustix::process::geteuid().is_root()) else { return };
    // A user of its own, so that no other test's threads count. The JVM has some 15: enough are left for a listener, too
    // few for JFR.
    let script = ["run-contained.sh", "run-java.sh", "blank"];
    let options = "-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1";
    let jvm = Jvm::with(&java, options, &script, &[("CONTAINED_AS", "61234"), ("CONTAINED_TASKS", "30")]);
    let root = ProcRoot::open("/proc").unwrap();
    let patience = Patience::default();
    let mut attachment = Attachment::open(&root, &jvm.key(), &patience).unwrap();
    let refusal = Recording::start(&root, &mut attachment, &patience).unwrap_err();
    assert!(
        matches!(&refusal, Refusal::NoHeadroom { what, .. } if what.contains("RLIMIT_NPROC")),
        "{refusal}"
    );
    let dump = attachment.jcmd("Thread.print", &patience).unwrap();
    assert!(!dump.contains("JFR"), "JFR was not begun");
    assert_eq!(jvm.files(), BTreeSet::new());
}
