//! What the command line asks for, resolved.

use std::ffi::OsString;

use anyhow::Result;
use model::{AccessLevel, Pid, Text};

use super::allow::Allowances;
use super::failed;
use crate::cli;
use crate::present::Term;

/// How to tell that a server is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// When a command succeeds.
    Command(String),
    /// When a port of this machine takes connections.
    Port(u16),
    /// When it prints this.
    Log(String),
    /// When it listens, or its CPU is quiet.
    Guess,
}

/// A check to be done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The server, or the whole command; empty with --pid.
    pub(crate) command: Vec<OsString>,
    pub(crate) pid: Option<Pid>,
    /// For sh -c.
    pub(crate) work: Option<String>,
    pub(crate) rounds: u32,
    pub(crate) warm_up: u32,
    pub(crate) linger_s: f64,
    pub(crate) ready: Ready,
    pub(crate) ready_timeout_s: f64,
    pub(crate) grace_s: f64,
    /// Seconds between two marks; `None` waits for Enter or SIGUSR1.
    pub(crate) between_s: Option<f64>,
    pub(crate) level: AccessLevel,
    pub(crate) allow: Allowances,
    /// Leave survivors alone.
    pub(crate) keep: bool,
    /// Is growth of memory within one command judged?
    pub(crate) memory: bool,
    pub(crate) term: Term,
}

impl Plan {
    /// Of the arguments; what contradicts itself is refused with a hint.
    pub(crate) fn of(args: &cli::Check, term: Term) -> Result<Self> {
        let marks = args.pid.is_some() && args.work.is_none();
        match (args.pid, args.command.is_empty()) {
            (None, true) => {
                return Err(failed(
                    "nothing to check",
                    "flatfoot check -- CMD, or --work CMD -- SERVER, or --pid PID",
                ));
            }
            (Some(_), false) => {
                return Err(failed(
                    "--pid and a command",
                    "--pid checks a process that runs already; what works against it is --work CMD",
                ));
            }
            _ => {}
        }
        let whole = args.pid.is_none() && args.work.is_none();
        let only_rounds = [
            ("--rounds", args.rounds.is_some()),
            ("--warmup", args.warmup.is_some()),
            ("--ready", args.ready.is_some()),
            ("--ready-port", args.ready_port.is_some()),
            ("--ready-log", args.ready_log.is_some()),
        ];
        if let Some((flag, _)) = only_rounds.iter().find(|(_, given)| *given && whole) {
            return Err(failed(
                format!("{flag} without --work"),
                "rounds need work: flatfoot check --work ./smoke.sh -- ./server",
            ));
        }
        if args.between.is_some() && !marks {
            return Err(failed(
                "--for without marks",
                "--for is the time between the marks of --pid PID without --work",
            ));
        }
        let ready = match (&args.ready, args.ready_port, &args.ready_log) {
            (Some(command), ..) => Ready::Command(command.clone()),
            (None, Some(port), _) => Ready::Port(port),
            (None, None, Some(text)) => Ready::Log(text.clone()),
            (None, None, None) => Ready::Guess,
        };
        Ok(Self {
            command: args.command.clone(),
            pid: args.pid.map(Pid),
            work: args.work.clone(),
            rounds: args.rounds.unwrap_or(if marks { 1 } else { 5 }),
            warm_up: if marks { 0 } else { args.warmup.unwrap_or(2) },
            linger_s: args.linger,
            ready,
            ready_timeout_s: args.ready_timeout,
            grace_s: args.grace,
            between_s: args.between,
            level: args.access.access.level(),
            allow: args.allow.as_deref().map(Allowances::read).transpose()?.unwrap_or_default(),
            keep: args.keep,
            memory: args.memory,
            term,
        })
    }

    /// Between marks by hand, without work?
    pub(crate) fn by_hand(&self) -> bool {
        self.pid.is_some() && self.work.is_none()
    }

    /// The command as one text, a blank between the words.
    pub(crate) fn shown(&self) -> Option<Text> {
        let words: Vec<&[u8]> = self.command.iter().map(|word| word.as_encoded_bytes()).collect();
        (!words.is_empty()).then(|| Text::from_bytes(&words.join(&b' ')))
    }

    /// The command's name, without its folder.
    pub(crate) fn name(&self) -> Text {
        let program = self.command.first().map(|word| word.as_encoded_bytes()).unwrap_or_default();
        Text::from_bytes(program.rsplit(|byte| *byte == b'/').next().unwrap_or_default())
    }

    /// Says something to people while it works.
    pub(crate) fn say(&self, what: &str) {
        if !self.term.quiet && !self.term.json {
            eprintln!("{what}");
        }
    }
}
