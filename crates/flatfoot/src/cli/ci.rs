//! For CI, and the small commands: check, demo, schema.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::targets::Access;
use super::values::{parse_time, parse_time_or_zero};

/// flatfoot check
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(
    override_usage = "flatfoot check [OPTIONS] --work <CMD> -- <SERVER>…\n       flatfoot check [OPTIONS] -- <CMD>…\n       flatfoot check [OPTIONS] --pid <PID> [--work <CMD>]",
    after_help = "\
Examples:
  flatfoot check --work ./smoke.sh -- ./server --port 8080
                                    five rounds of work: what is more after each round?
  flatfoot check --work ./smoke.sh --access agent --junit leaks.xml -- java -jar app.jar
                                    with the code that makes a JVM's threads, and a report for CI
  flatfoot check -- make test       who outlives the command, and what grows until its end?
  flatfoot check --pid 3248         a mark now, a mark at Enter (or SIGUSR1, or --for 60s): what is more?
  flatfoot check --pid 3248 --work ./smoke.sh --rounds 10

A server gets SIGTERM in the end, SIGKILL after --grace, and so does everybody below it, however flatfoot ends. The work is
run by sh, with the server's pid in $FLATFOOT_PID. Threads, descriptors and children that are more after (nearly) each of at
least 3 rounds, and stay for --linger, are a leak; memory needs 5 rounds and steady growth beyond its noise.

--allow FILE, a line each:
  thread http-*                      any number of them
  thread pool-*-thread-1 <= 3        at most three more, over all rounds     # a comment
  descriptor socket <= 5
  child sh
  memory native-heap <= 10MiB/round

Exit codes: 0 no leak · 23 a leak · the command's own, where it fails (the work's, or the server's)
            125 flatfoot failed, or wrong usage · 126 not executable · 127 not found"
)]
pub(crate) struct Check {
    /// What to run in each round against the server; it must end by itself, with 0 for success
    #[arg(long, value_name = "CMD")]
    pub(crate) work: Option<String>,
    /// Rounds that are compared [default: 5; 1 between marks by hand]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) rounds: Option<u32>,
    /// Runs of the work before the baseline: pools and caches fill [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub(crate) warmup: Option<u32>,
    /// What is more after a round gets this long to end; where nothing is more, nobody waits
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_time_or_zero)]
    pub(crate) linger: f64,
    /// The server is ready when this succeeds [default: it listens, or its CPU is quiet]
    #[arg(long, value_name = "CMD", group = "readiness")]
    pub(crate) ready: Option<String>,
    /// The server is ready when this port of the machine takes connections
    #[arg(long, value_name = "PORT", group = "readiness")]
    pub(crate) ready_port: Option<u16>,
    /// The server is ready when it prints this
    #[arg(long, value_name = "TEXT", group = "readiness")]
    pub(crate) ready_log: Option<String>,
    /// How long it may take to get ready
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_time)]
    pub(crate) ready_timeout: f64,
    /// Between SIGTERM and SIGKILL in the end
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time_or_zero)]
    pub(crate) grace: f64,
    /// Check a process that runs already, and never end it
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,
    /// With --pid: the time between two marks, instead of waiting for Enter or SIGUSR1
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) between: Option<f64>,
    /// What may grow: a file with a rule on each line
    #[arg(long, value_name = "FILE")]
    pub(crate) allow: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) access: Access,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Print annotations for GitHub Actions; by itself where GITHUB_ACTIONS=true
    #[arg(long)]
    pub(crate) github: bool,
    /// Without --work: leave those alone that outlive the command
    #[arg(long)]
    pub(crate) keep: bool,
    /// Without --work: a steady rise of memory until the command's end is a leak, too
    #[arg(long)]
    pub(crate) memory: bool,
    /// The server, or the command
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// flatfoot check-guard
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct CheckGuard {
    /// The line to flatfoot: a descriptor
    pub(crate) line: i32,
    /// In a group of its own, without stdin
    #[arg(long)]
    pub(crate) own_group: bool,
    /// What to start
    #[arg(last = true)]
    pub(crate) command: Vec<OsString>,
}

/// flatfoot demo
#[derive(Clone, Copy, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot demo                     a thread each half second, found after five
  flatfoot demo --period-ms 100     the same in a second")]
pub(crate) struct Demo {
    /// How fast the child leaks
    #[arg(long, default_value_t = 500, value_name = "MS", value_parser = clap::value_parser!(u64).range(20..=5_000))]
    pub(crate) period_ms: u64,
}

/// flatfoot schema
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot schema                   all of them, by name
  flatfoot schema diagnosis         of diagnose --json")]
pub(crate) struct Schema {
    /// Of this document only, by its name in the whole
    pub(crate) document: Option<String>,
}
