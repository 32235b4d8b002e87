//! The real binary, run as a user would, with a state folder of its own.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use super::wait_for;

/// No look of the tests takes so long, besides what --for asks for.
const LONGEST_S: f64 = 120.0;

/// Where case files go; removed at the end.
pub(crate) struct Flatfoot {
    state: TempDir,
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    /// Its exit code; negative: the signal that killed it.
    pub(crate) status: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said to people.
    pub(crate) stderr: String,
}

impl Flatfoot {
    /// With an empty state folder.
    pub(crate) fn new() -> Self {
        Self { state: TempDir::new().expect("a folder for state") }
    }

    /// Where `diagnose` and `save` leave case files.
    pub(crate) fn cases(&self) -> std::path::PathBuf {
        self.state.path().join("flatfoot")
    }

    /// The command, not yet started.
    pub(crate) fn command<A: AsRef<std::ffi::OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flatfoot"));
        command
            .args(args)
            .env("XDG_STATE_HOME", self.state.path())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(&self, args: &[A]) -> Run {
        let mut child = self.command(args).spawn().expect("flatfoot starts");
        collect(&mut child)
    }

    /// Runs it with --json.
    #[track_caller]
    pub(crate) fn json<A: AsRef<std::ffi::OsStr>>(&self, args: &[A]) -> (i32, Value) {
        let mut all: Vec<&std::ffi::OsStr> = args.iter().map(AsRef::as_ref).collect();
        all.push("--json".as_ref());
        let run = self.run(&all);
        (run.status, run.json())
    }

    /// `diagnose PID --json`.
    #[track_caller]
    pub(crate) fn diagnose(&self, pid: &str) -> (i32, Value) {
        self.json(&["diagnose", pid])
    }
}

impl Run {
    /// What it printed, parsed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {self:#?}"))
    }

    /// The lines it printed.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// Waits for a started run, and reads what it says meanwhile.
#[track_caller]
pub(crate) fn collect(child: &mut Child) -> Run {
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = wait(child);
    let text = |reader: JoinHandle<String>| reader.join().expect("its output");
    Run { status, stdout: text(stdout), stderr: text(stderr) }
}

/// The exit code; negative: the signal.
#[track_caller]
fn wait(child: &mut Child) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = |status: ExitStatus| status.code().or_else(|| status.signal().map(|s| -s));
    wait_for("flatfoot ends", LONGEST_S, || child.try_wait().expect("waiting").and_then(code))
}

fn drain(from: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut all);
        }
        String::from_utf8(all).unwrap_or_else(|e| panic!("output that is no UTF-8: {e}"))
    })
}

/// The only file in a folder that ends so.
#[track_caller]
pub(crate) fn only_file(folder: &Path, end: &str) -> std::path::PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}
