//! Real JVMs for tests: the program `java/Inside.java`, compiled once, run by any of the JDKs that are installed.

#![allow(clippy::unwrap_used, dead_code)] // helpers of tests are tests; not every test uses all of them

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use model::{Pid, ProcessKey, Text};
use probe::hotspot::attach::{Attachment, Patience, Preview, Refusal};
use probe::{Parts, Prober, ProcRoot};

/// Versions that scripts/install-test-deps.sh installs beside the system's own.
const VERSIONS: [&str; 4] = ["11", "17", "21", "25"];

/// The directory with the compiled program.
pub(crate) fn classes() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inside-java");
    std::fs::create_dir_all(&dir).unwrap();
    let lock = std::fs::File::create(dir.join("lock")).unwrap();
    lock.lock().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java/Inside.java");
    let stamp = dir.join("built-from");
    let text = std::fs::read(&source).unwrap();
    if std::fs::read(&stamp).is_ok_and(|built| built == text) {
        return dir;
    }
    let mut javac = Command::new("javac");
    javac.args(["--release", "8", "-Xlint:-options", "-d"]).arg(&dir).arg(&source);
    assert!(javac.status().expect("these tests need a JDK: scripts/install-test-deps.sh").success());
    std::fs::write(stamp, text).unwrap();
    dir
}

/// The JDKs that are there: the system's, and those in target/tools. What is missing is said aloud.
pub(crate) fn jdks() -> Vec<(String, PathBuf)> {
    let mut found = vec![("system".to_owned(), PathBuf::from("java"))];
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools");
    for version in VERSIONS {
        let java = [&workspace, &target].map(|dir| dir.join(format!("jdk-{version}/bin/java")));
        match java.into_iter().find(|java| java.exists()) {
            Some(java) => found.push((version.to_owned(), java)),
            None => eprintln!("skipped: JDK {version} is not in target/tools (scripts/install-test-deps.sh)"),
        }
    }
    found
}

pub(crate) fn is_root() -> bool {
    let root = rustix_uid() == 0;
    if !root {
        eprintln!("skipped: this test needs root");
    }
    root
}

fn rustix_uid() -> u32 {
    probe::sys::credentials::User::current().uid
}

/// A JVM; killed and waited for when the test is over.
pub(crate) struct Jvm {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Of the JVM itself, which need not be the child.
    pub(crate) pid: Pid,
}

impl Drop for Jvm {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", &self.pid.to_string()]).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Killed, it leaves its socket.
        let _ = std::fs::remove_file(self.tmp_file(".java_pid"));
    }
}

impl Jvm {
    pub(crate) fn start(java: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(java);
        command.arg("-Xmx64m").args(options).arg("-cp").arg(classes()).arg("Inside");
        let mut jvm = Self::spawn(command);
        jvm.expect("ready");
        jvm
    }

    /// Started, and not waited for: the next line is `ready`.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let pid = Pid(child.id());
        Self { child, stdin, stdout, pid }
    }

    pub(crate) fn expect(&mut self, expected: &str) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), expected);
    }

    /// It still runs, answers, and has printed nothing else: no thread dump by a signal that it didn't expect.
    pub(crate) fn is_unharmed(&mut self) {
        self.stdin.write_all(b"\n").unwrap();
        self.expect("alive");
        assert!(self.child.try_wait().unwrap().is_none());
    }

    pub(crate) fn key(&self) -> ProcessKey {
        key(self.pid)
    }

    pub(crate) fn attach(&self) -> Result<Attachment, Refusal> {
        self.attach_with(&Patience::default())
    }

    pub(crate) fn attach_with(&self, patience: &Patience<'_>) -> Result<Attachment, Refusal> {
        Attachment::open(&proc(), &self.key(), patience)
    }

    pub(crate) fn preview(&self) -> Result<Preview, Refusal> {
        probe::hotspot::attach::preview(&proc(), &self.key())
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.pid.to_string()]).status().unwrap().success());
    }

    /// Stops it, every thread of it: the signal takes its time.
    pub(crate) fn stop(&self) {
        self.signal("-STOP");
        let is_stopped = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.unwrap().path().join("stat")).is_ok_and(|stat| stat.contains(") T "))
        };
        while !std::fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap().all(is_stopped) {
            std::thread::yield_now();
        }
    }

    /// The file in /tmp that a JVM of the host looks for, or listens on.
    pub(crate) fn tmp_file(&self, prefix: &str) -> PathBuf {
        Path::new("/tmp").join(format!("{prefix}{}", self.pid))
    }
}

pub(crate) fn proc() -> ProcRoot {
    ProcRoot::open("/proc").unwrap()
}

pub(crate) fn key(pid: Pid) -> ProcessKey {
    Prober::new(proc()).process(pid, &Parts::default()).unwrap().key
}

pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a Text>) -> Vec<&'a str> {
    texts.into_iter().map(Text::as_str).collect()
}
