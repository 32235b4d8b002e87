//! The guard: between flatfoot and what it starts stands a process that becomes the parent of every orphan below it. When
//! it is told to, or when the other end of its line is closed because flatfoot is gone (a second Ctrl-C, kill -9, a crash),
//! it ends everybody below it: SIGTERM, after a grace SIGKILL, until nobody is left.
//!
//! Its line is a socket that it inherits. It says, and is told:
//!
//! ```text
//! started 4711        failed 2 (an errno)      exited 3      killed 9      done 2 (how many had to be ended)
//! signal 15           end 5000 (grace, ms)     leave
//! ```
//!
//! It sleeps until something happens: nothing of it shows in the figures of what it guards.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use model::Pid;
use probe::sys::family::{End, adopt_orphans, reap, take_over};
use probe::{Clock, Prober};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, kill_process, kill_process_group};

use super::{prober, tree};
use crate::cli;
use crate::failure::Code;

/// For SIGTERM to work, when nobody said how long.
const GRACE_S: f64 = 5.0;
/// After SIGKILL: who is not gone by then hangs in the kernel.
const KILL_S: f64 = 10.0;
/// The most that is kept of what was told.
const LONGEST: usize = 4_096;

/// The hidden command.
pub(crate) fn run(args: &cli::CheckGuard) -> Result<Code> {
    let line = UnixStream::from(take_over(args.line).context("the line to flatfoot")?);
    let mut guard = Guard::new(line)?;
    match start(&args.command, args.own_group) {
        Ok(pid) => {
            guard.child = Some(pid);
            guard.own_group = args.own_group;
            guard.say(&format!("started {pid}"));
        }
        Err(error) => {
            guard.say(&format!("failed {}", error.raw_os_error().unwrap_or(0)));
            return Ok(Code::Clean);
        }
    }
    guard.serve();
    Ok(Code::Clean)
}

fn start(command: &[OsString], own_group: bool) -> io::Result<Pid> {
    let (program, args) = command.split_first().ok_or(ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(args);
    if own_group {
        command.process_group(0).stdin(Stdio::null());
    }
    Ok(Pid(command.spawn()?.id()))
}

/// What to do next.
enum Told {
    Nothing,
    End(f64),
    Leave,
}

struct Guard {
    line: UnixStream,
    heard: Vec<u8>,
    /// Readable when a child ended.
    woken: UnixStream,
    prober: Prober,
    child: Option<Pid>,
    own_group: bool,
}

impl Guard {
    fn new(line: UnixStream) -> Result<Self> {
        adopt_orphans().context("becoming the parent of orphans (PR_SET_CHILD_SUBREAPER)")?;
        let (woken, wake) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, wake)?;
        // What a terminal sends to everybody is for the command; a handler, as what is ignored stays ignored in programs
        // that are started.
        let nobody = Arc::new(AtomicBool::new(false));
        for signal in super::signals::PASSED {
            signal_hook::flag::register(signal, Arc::clone(&nobody))?;
        }
        line.set_nonblocking(true)?;
        Ok(Self { line, heard: Vec::new(), woken, prober: prober()?, child: None, own_group: false })
    }

    fn say(&self, what: &str) {
        // Nobody may be listening any more.
        let _ = (&self.line).write_all(format!("{what}\n").as_bytes());
    }

    fn serve(&mut self) {
        loop {
            self.wait(None);
            self.reap();
            match self.told() {
                Told::Nothing => {}
                Told::Leave => return,
                Told::End(grace_s) => {
                    let ended = self.end(grace_s);
                    self.say(&format!("done {ended}"));
                    return;
                }
            }
        }
    }

    /// Until there is something to do.
    fn wait(&self, at_most_s: Option<f64>) {
        let mut fds = [PollFd::new(&self.woken, PollFlags::IN), PollFd::new(&self.line, PollFlags::IN)];
        let time =
            at_most_s.map(|time_s| Timespec { tv_sec: time_s as i64, tv_nsec: (time_s.fract() * 1e9) as _ });
        // After the line's end only children are news.
        let fds = if at_most_s.is_some() { &mut fds[..1] } else { &mut fds[..] };
        let _ = poll(fds, time.as_ref());
        let mut drained = [0; 64];
        while matches!((&self.woken).read(&mut drained), Ok(read) if read > 0) {}
    }

    /// Takes over who ended; true when nobody is left.
    fn reap(&mut self) -> bool {
        loop {
            match reap() {
                Ok(Some((pid, end))) if Some(pid) == self.child => {
                    self.child = None;
                    self.say(&match end {
                        End::Exited(status) => format!("exited {status}"),
                        End::Killed(signal) => format!("killed {signal}"),
                    });
                }
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(error) => return error == Errno::CHILD,
            }
        }
    }

    fn told(&mut self) -> Told {
        let gone = self.hear();
        // What was said before the end of the line counts: "leave" most of all.
        while let Some(at) = self.heard.iter().position(|byte| *byte == b'\n') {
            let words: Vec<u8> = self.heard.drain(..=at).collect();
            let words = String::from_utf8_lossy(&words);
            match words.trim().split_once(' ').unwrap_or((words.trim(), "")) {
                ("signal", number) => self.signal(number),
                ("end", grace_ms) => {
                    return Told::End(grace_ms.parse::<u32>().map_or(GRACE_S, |ms| f64::from(ms) / 1e3));
                }
                ("leave", _) => return Told::Leave,
                _ => {}
            }
        }
        if gone { Told::End(GRACE_S) } else { Told::Nothing }
    }

    /// Reads what there is; true when flatfoot is gone.
    fn hear(&mut self) -> bool {
        let mut bytes = [0; 256];
        loop {
            match (&self.line).read(&mut bytes) {
                Ok(0) => return true,
                Ok(read) => self.heard.extend(bytes.iter().take(read)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => return true,
            }
            if self.heard.len() > LONGEST {
                return true;
            }
        }
    }

    fn signal(&self, number: &str) {
        let number = number.parse::<i32>().ok().and_then(Signal::from_named_raw);
        let pid = self.child.and_then(|pid| rustix::process::Pid::from_raw(pid.0.cast_signed()));
        if let (Some(signal), Some(pid)) = (number, pid) {
            // It is our child and was not waited for: the pid is its own.
            let _ = if self.own_group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
        }
    }

    /// Ends everybody below. How many there were.
    fn end(&mut self, grace_s: f64) -> usize {
        let own = Pid(std::process::id());
        let there = tree::descendants(&mut self.prober, own);
        let alive = there.iter().filter(|member| member.state != 'Z').count();
        let began = Clock::monotonic();
        let mut killing = false;
        for member in &there {
            tree::signal(&mut self.prober, member, Signal::TERM);
        }
        loop {
            if self.reap() {
                return alive;
            }
            let elapsed = Clock::monotonic() - began;
            killing |= elapsed >= grace_s;
            if killing {
                for member in tree::descendants(&mut self.prober, own) {
                    tree::signal(&mut self.prober, &member, Signal::KILL);
                }
                if elapsed > grace_s + KILL_S {
                    return alive;
                }
            }
            self.wait(Some(if killing { 0.02 } else { (grace_s - elapsed).clamp(0.001, 0.05) }));
        }
    }
}
