//! flatfoot's end of the line to a [`super::guard`]: starts a program below one, hears how it ends, and ends it.

use std::ffi::OsString;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result};
use model::Pid;
use probe::Clock;
use probe::sys::family::{End, hand_over};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{NOT_EXECUTABLE, NOT_FOUND};
use crate::failure::{Code, Failure};

/// A guard answers at once; this is for machines that are busy.
const ANSWER_S: f64 = 30.0;
/// The most that is kept of what it said.
const LONGEST: usize = 4_096;

/// What to start, and how.
pub(super) struct Launch<'a> {
    pub(super) command: &'a [OsString],
    /// In a group of its own, away from the terminal's signals, without stdin.
    pub(super) own_group: bool,
    pub(super) stdout: Stdio,
    pub(super) stderr: Stdio,
    /// Variables that are set.
    pub(super) env: Vec<(&'static str, String)>,
    /// Between SIGTERM and SIGKILL, seconds.
    pub(super) grace_s: f64,
}

/// A program that runs below a guard. Dropped, it is ended, with everybody below.
pub(super) struct Kept {
    guard: Child,
    line: Option<UnixStream>,
    heard: Vec<u8>,
    pid: Pid,
    end: Option<End>,
    lost: bool,
    done: Option<usize>,
    grace_s: f64,
}

impl Kept {
    /// Starts it. The error of a command that cannot be started carries 126 or 127, as with shells.
    pub(super) fn start(launch: Launch<'_>) -> Result<Self> {
        let (ours, theirs) = UnixStream::pair().context("a line to the guard")?;
        let theirs = OwnedFd::from(theirs);
        hand_over(&theirs)?;
        let own = std::env::current_exe().context("finding flatfoot's own program")?;
        let mut command = Command::new(own);
        command.args(["check-guard", &theirs.as_raw_fd().to_string()]);
        if launch.own_group {
            command.arg("--own-group");
        }
        command.arg("--").args(launch.command).envs(launch.env);
        command.stdout(launch.stdout).stderr(launch.stderr);
        let guard = command.spawn().context("starting the guard")?;
        drop((theirs, command));
        let mut kept = Self {
            guard,
            line: Some(ours),
            heard: Vec::new(),
            pid: Pid(0),
            end: None,
            lost: false,
            done: None,
            grace_s: launch.grace_s,
        };
        let until = Clock::monotonic() + ANSWER_S;
        while kept.pid == Pid(0) {
            for (word, number) in kept.hear(0.5) {
                match word.as_str() {
                    "started" => kept.pid = Pid(u32::try_from(number).unwrap_or_default()),
                    "failed" => return Err(not_started(launch.command, number as i32)),
                    _ => kept.note(&word, number),
                }
            }
            anyhow::ensure!(!kept.lost && Clock::monotonic() < until, "the guard did not start");
        }
        Ok(kept)
    }

    /// The program's pid.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// The process whose descendants are all that was started.
    pub(super) fn guard(&self) -> Pid {
        Pid(self.guard.id())
    }

    /// Its output, as far as it was piped.
    pub(super) fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.guard.stdout.take(), self.guard.stderr.take())
    }

    /// Waits so long at most, or until a signal comes; how it ended, once it has.
    pub(super) fn wait(&mut self, at_most_s: f64) -> Result<Option<End>> {
        if self.end.is_none() {
            for (word, number) in self.hear(at_most_s) {
                self.note(&word, number);
            }
        }
        anyhow::ensure!(self.end.is_some() || !self.lost, "the guard of process {} was killed", self.pid);
        Ok(self.end)
    }

    /// Passes a signal on.
    pub(super) fn signal(&mut self, signal: i32) {
        self.say(&format!("signal {signal}"));
    }

    /// Ends it, and everybody below it; how many there were.
    pub(super) fn finish(&mut self) -> usize {
        let grace_ms = (self.grace_s.clamp(0.0, 3_600.0) * 1e3) as u32;
        self.say(&format!("end {grace_ms}"));
        let until = Clock::monotonic() + self.grace_s + ANSWER_S;
        while self.line.is_some() && !self.lost && self.done.is_none() && Clock::monotonic() < until {
            for (word, number) in self.hear(0.5) {
                self.note(&word, number);
            }
        }
        self.let_go();
        self.done.unwrap_or(0)
    }

    /// Leaves those that are still there to themselves.
    pub(super) fn leave(&mut self) {
        self.say("leave");
        self.let_go();
    }

    fn let_go(&mut self) {
        // Without its line it ends by itself, whatever was said.
        if self.line.take().is_some() {
            let _ = self.guard.wait();
        }
    }

    fn note(&mut self, word: &str, number: i64) {
        let number = number as i32;
        match word {
            "exited" => self.end = Some(End::Exited(number)),
            "killed" => self.end = Some(End::Killed(number)),
            "done" => self.done = Some(number.unsigned_abs() as usize),
            _ => {}
        }
    }

    fn say(&mut self, what: &str) {
        if let Some(line) = &mut self.line {
            let _ = line.write_all(format!("{what}\n").as_bytes());
        }
    }

    /// What the guard says within that time: a word and a number each.
    fn hear(&mut self, at_most_s: f64) -> Vec<(String, i64)> {
        let Some(line) = &mut self.line else { return Vec::new() };
        let time = Timespec { tv_sec: at_most_s as i64, tv_nsec: (at_most_s.fract() * 1e9) as _ };
        match poll(&mut [PollFd::new(&*line, PollFlags::IN)], Some(&time)) {
            Ok(0) | Err(Errno::INTR) => return Vec::new(),
            _ => {}
        }
        let mut bytes = [0; 512];
        match line.read(&mut bytes) {
            Ok(0) => self.lost = true,
            Ok(read) => self.heard.extend(bytes.iter().take(read)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.lost = true,
        }
        self.lost |= self.heard.len() > LONGEST;
        let mut said = Vec::new();
        while let Some(at) = self.heard.iter().position(|byte| *byte == b'\n') {
            let words: Vec<u8> = self.heard.drain(..=at).collect();
            let words = String::from_utf8_lossy(&words);
            if let Some((word, number)) = words.trim().split_once(' ') {
                said.extend(number.parse().ok().map(|number| (word.to_owned(), number)));
            }
        }
        said
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.line.is_some() {
            self.finish();
        }
    }
}

fn not_started(command: &[OsString], errno: i32) -> anyhow::Error {
    let name =
        command.first().map(|name| model::Text::from_bytes(name.as_encoded_bytes())).unwrap_or_default();
    let errno = Errno::from_raw_os_error(errno);
    let (code, hint) = match errno {
        Errno::NOENT | Errno::NOTDIR => {
            (NOT_FOUND, "there is no such program here, or the interpreter that it names is missing")
        }
        _ => (NOT_EXECUTABLE, "is it a program, with the right to execute it?"),
    };
    Failure::new(Code::Exit(code), format!("{name} could not be started: {errno}"), hint).into()
}
