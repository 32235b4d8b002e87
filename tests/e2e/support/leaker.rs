//! A program that leaks, or looks as if it did: started, awaited, watched, and gone when the test is.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{now, root, wait_until};

/// A JVM under load from other tests takes its time.
const READY_S: f64 = 90.0;

/// The folder that `tests/leakers/build.sh` filled: $LEAKERS, or built now, once.
pub(crate) fn built() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(folder) = std::env::var_os("LEAKERS") {
            return folder.into();
        }
        let build = root().join("tests/leakers/build.sh");
        let output = Command::new(&build).output().expect("tests/leakers/build.sh");
        assert!(output.status.success(), "build.sh: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a folder's name").trim().into()
    })
}

/// A running target. Dies with the thread that started it, so don't start it in a helper thread.
pub(crate) struct Leaker {
    child: Child,
    lines: Receiver<String>,
    /// Its ready line.
    pub(crate) ready: String,
}

impl Leaker {
    /// Starts a built program (`leak`), or a script of tests/leakers (`run-java.sh`, `python/threads.py`).
    #[track_caller]
    pub(crate) fn start(program: &str, args: &[&str]) -> Self {
        Self::with(program, args, |_| {})
    }

    /// Several at once: a JVM takes seconds to get ready.
    #[track_caller]
    pub(crate) fn start_all<const N: usize>(programs: [(&str, &[&str]); N]) -> [Self; N] {
        let mut leakers = programs.map(|(program, args)| Self::launch(program, args));
        for leaker in &mut leakers {
            leaker.wait_until_ready();
        }
        leakers
    }

    /// The same, with the command changed before.
    #[track_caller]
    pub(crate) fn with(program: &str, args: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Self::command(program, args);
        change(&mut command);
        Self::of(command)
    }

    /// Starts it without waiting for its ready line.
    #[track_caller]
    pub(crate) fn launch(program: &str, args: &[&str]) -> Self {
        Self::spawn(Self::command(program, args))
    }

    fn command(program: &str, args: &[&str]) -> Command {
        let path = if program.contains('.') {
            root().join("tests/leakers").join(program)
        } else {
            built().join(program)
        };
        let mut command = Command::new(&path);
        command.args(args).env("LEAKERS", built());
        command
    }

    /// Any program that prints a line beginning with `ready`.
    #[track_caller]
    pub(crate) fn of(command: Command) -> Self {
        let mut leaker = Self::spawn(command);
        leaker.wait_until_ready();
        leaker
    }

    /// Waits for the ready line of one that was launched.
    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        self.ready = self.line("ready", READY_S);
    }

    #[track_caller]
    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("starting {command:?}: {e}"));
        let out = child.stdout.take().expect("its output");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let Ok(line) = line else { break };
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, ready: String::new() }
    }

    /// Its pid.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its pid, as an argument.
    pub(crate) fn arg(&self) -> String {
        self.pid().to_string()
    }

    /// Waits for a line that begins with `word`.
    #[track_caller]
    pub(crate) fn line(&mut self, word: &str, timeout_s: f64) -> String {
        let until = now() + timeout_s;
        loop {
            let left = Duration::from_secs_f64((until - now()).max(0.001));
            match self.lines.recv_timeout(left) {
                Ok(line) if line.starts_with(word) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no line {word:?} in {timeout_s} s"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended before a line {word:?}: {:?}", self.child.wait())
                }
            }
        }
    }

    /// Writes to its stdin.
    pub(crate) fn stdin(&mut self) -> &mut std::process::ChildStdin {
        self.child.stdin.as_mut().expect("its stdin")
    }

    /// Threads that it has now, by counting /proc/PID/task.
    #[track_caller]
    pub(crate) fn tasks(&self) -> usize {
        self.tids().len()
    }

    /// Their ids.
    #[track_caller]
    pub(crate) fn tids(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its /proc/PID/task");
        tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok()).collect()
    }

    /// Threads whose name begins so.
    pub(crate) fn tasks_named(&self, head: &str) -> usize {
        self.threads().iter().filter(|(_, name)| name.starts_with(head.as_bytes())).count()
    }

    /// Has it a thread of exactly this name?
    pub(crate) fn has_thread(&self, name: &str) -> bool {
        self.threads().iter().any(|(_, n)| n == name.as_bytes())
    }

    /// Id and name of each of its threads, as the kernel has them.
    #[track_caller]
    pub(crate) fn threads(&self) -> Vec<(u32, Vec<u8>)> {
        let name = |tid: u32| {
            let mut name = std::fs::read(format!("/proc/{}/task/{tid}/comm", self.pid())).ok()?;
            name.pop();
            Some((tid, name))
        };
        self.tids().into_iter().filter_map(name).collect()
    }

    /// Waits until it has so many threads.
    #[track_caller]
    pub(crate) fn wait_for_tasks(&self, tasks: usize, timeout_s: f64) {
        wait_until(&format!("{tasks} threads"), timeout_s, || self.tasks() >= tasks);
    }

    /// Stops it (SIGSTOP), and waits until every thread is stopped: what it holds stands still.
    #[track_caller]
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        wait_until("the process stopped", 10.0, || self.state() == Some('T'));
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Its state, as in /proc/PID/stat.
    pub(crate) fn state(&self) -> Option<char> {
        let stat = std::fs::read(format!("/proc/{}/stat", self.pid())).ok()?;
        let after = stat.iter().rposition(|b| *b == b')')?;
        stat.get(after + 2).map(|b| char::from(*b))
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a signal to our own child");
    }
}

impl Drop for Leaker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
