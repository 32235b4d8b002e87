//! Commands over time: watch, record, serve, report, compare, detect.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::targets::{Access, Past, Targets};
use super::values::{Watch, parse_amount, parse_long_time, parse_size, parse_time, parse_watch};

/// flatfoot watch
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot watch 3248               until Ctrl-C, or until it ends
  flatfoot watch java --for 10m     and say at the end what was found
  flatfoot watch 3248 --json        a JSON object for each event

Exit codes: 0 nothing suspicious · 1 a likely finding, or a leak · 3 something grows · 4 the target ended")]
pub(crate) struct Watching {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Time between looks
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "2s")]
    pub(crate) interval: f64,
    /// End after this time [default: when it ends]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) for_s: Option<f64>,
}

/// flatfoot record
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  sudo flatfoot record                      the host, until Ctrl-C; as a service: packaging/flatfoot.service
  flatfoot record --interval 1s --for 1h    closer, for an hour
  flatfoot record --store /data/h.flatfoot --keep 90d --max-size 4G
  flatfoot record --json                    a JSON object for each change

Prints a line when a judgement changes: something grows, leaks, or has stopped. One percent of a processor for a
thousand processes at 1s, a tenth of that at 10s.")]
pub(crate) struct Record {
    /// The store [default: /var/lib/flatfoot/history.flatfoot for root, else $XDG_STATE_HOME/flatfoot/history.flatfoot]
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    /// Time between ticks
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "10s")]
    pub(crate) interval: f64,
    /// Keep what is younger than this; finely for a week, then reduced
    #[arg(long, value_name = "TIME", value_parser = parse_long_time, default_value = "30d")]
    pub(crate) keep: f64,
    /// Keep the store below this size: 500M, 4G
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "1G")]
    pub(crate) max_size: u64,
    /// End after this time [default: never]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) for_s: Option<f64>,
}

/// flatfoot serve
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot serve                            this host, on http://127.0.0.1:9417
  flatfoot serve --store /data/h.flatfoot   what was recorded, also while the recorder goes on
  flatfoot serve 7c1e.flatfoot              a case file, on any machine
  flatfoot serve --listen 127.0.0.1:8000    another port; 127.0.0.1:0 takes any that is free
  flatfoot serve --listen unix:/run/flatfoot.sock

From elsewhere: ssh -L 9417:127.0.0.1:9417 HOST, then open http://127.0.0.1:9417 there. Only loopback addresses and unix
sockets are listened on, and whoever started it and root are answered, nobody else on this host. The page only reads: nothing on it
changes this host.

Without a recorder running, the page keeps what it sees while it is served, in memory.")]
pub(crate) struct Serve {
    /// A case file [default: this host]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The recorder's store [default: where flatfoot record keeps it, when it records]
    #[arg(long, value_name = "PATH", conflicts_with = "file")]
    pub(crate) store: Option<PathBuf>,
    /// Where to listen: a loopback address with its port, or unix:PATH
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9417")]
    pub(crate) listen: String,
    /// Time between ticks, where no recorder runs
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "2s")]
    pub(crate) interval: f64,
}

/// flatfoot report
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot report 3248 -o case.html         one file: words, charts, evidence
  flatfoot report 7c1e.flatfoot -o case.html        of what was saved
  flatfoot report 3248 --since 24h -o case.html     of what was recorded
  flatfoot report 3248 --access agent -o case.html  with the stacks that start a JVM's threads; says first what it does
  ssh host flatfoot report 3248 --html > case.html  from elsewhere
  flatfoot report --md 3248                 for a ticket

Taken out, unless --no-redact: the host's name, users, arguments of command lines, addresses, paths outside the system's
own directories. The main class, jar or script of a program is left. A file that is there already is not written over.")]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// HTML, one file that loads nothing [default where the output's name ends in .html]
    #[arg(long, conflicts_with = "md")]
    pub(crate) html: bool,
    /// Markdown, for a ticket
    #[arg(long)]
    pub(crate) md: bool,
    /// Leave names of host and users, arguments and paths in
    #[arg(long)]
    pub(crate) no_redact: bool,
    /// Where to: a file, or - for stdout
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) access: Access,
    /// Watch for this long: 90s, 6m. With --access agent: wait at most so long for births; auto follows their rhythm
    #[arg(long = "for", value_name = "TIME", value_parser = parse_watch)]
    pub(crate) watch: Option<Watch>,
}

/// flatfoot compare
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot compare monday.flatfoot friday.flatfoot     what changed between two saves
  flatfoot compare stage.flatfoot production.flatfoot  the same leak on two hosts?
  flatfoot compare before.flatfoot java --for 6m       a save against what runs now
  flatfoot compare 48h..24h 24h..now                   two times of the recorder's store: before and after a deploy
  flatfoot compare --finding 7c1e                      is it fixed? Asks the process that took its place
  flatfoot compare --finding 7c1e 4711 --for 1h        this process, for so long at most

Fixed is told in firings that left nothing behind, never in quiet time alone.

Exit codes: 0 nothing new, or fixed · 1 a new leak, or not fixed · 3 nothing to compare, or not proven yet")]
pub(crate) struct Compare {
    /// Two observations: case files, times that were recorded (24h..12h), pids or names of this host. With --finding: the process now, if flatfoot cannot tell
    #[arg(value_name = "BEFORE AFTER")]
    pub(crate) sides: Vec<String>,
    /// Is this finding fixed? Its id (or the beginning of it), or its case file
    #[arg(long, value_name = "ID")]
    pub(crate) finding: Option<String>,
    /// Watch a process of this host for so long; auto follows the leak's rhythm
    #[arg(long = "for", value_name = "TIME", value_parser = parse_watch)]
    pub(crate) watch: Option<Watch>,
    /// Show also what did not change
    #[arg(long)]
    pub(crate) all: bool,
    /// Only these processes: pids or names
    #[arg(long, value_name = "TARGET")]
    pub(crate) only: Vec<String>,
    #[command(flatten)]
    pub(crate) past: Past,
    /// With --finding: agent asks a JVM when its jobs are due, which counts firings that start no thread
    #[command(flatten)]
    pub(crate) access: Access,
}

/// flatfoot detect
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot detect rss.csv                        seconds,value lines; times as numbers or 2012-11-27T07:06:40Z
  flatfoot detect --unit count --limit 4915 threads.csv
  curl -s 'http://127.0.0.1:9090/api/v1/query_range?query=process_resident_memory_bytes&start=…&end=…&step=60' | flatfoot detect -

Exit codes: 0 nothing suspicious · 1 a leak · 3 growing, or too few samples · 2 usage · 5 unreadable")]
pub(crate) struct Detect {
    /// Files of seconds,value lines, or with Prometheus's answer to a range query; - for stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What the values count
    #[arg(long, value_enum, default_value_t, value_name = "UNIT")]
    pub(crate) unit: UnitChoice,
    /// When is this value reached?
    #[arg(long, value_name = "N", value_parser = parse_amount, allow_negative_numbers = true)]
    pub(crate) limit: Option<f64>,
    /// The thing keeps to this maximum by itself (a cache's bound, a pool's size): growth below it only fills it
    #[arg(long, value_name = "N", value_parser = parse_amount, allow_negative_numbers = true)]
    pub(crate) maximum: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnitChoice {
    /// Bytes: growth matters from 1 % and 1 MiB
    #[default]
    Bytes,
    /// Whole things, as threads or descriptors: growth matters from three
    Count,
}
