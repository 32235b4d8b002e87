//! The command line: every flag with its help in one place.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::AccessLevel;

/// Finds which process leaks, what it leaks, how fast, and until when: on the running process, without a restart.
#[derive(Debug, Parser)]
#[command(
    name = "flatfoot",
    version,
    propagate_version = true,
    arg_required_else_help = false,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  flatfoot diagnose                 what leaks on this host?
  flatfoot diagnose 3248            what leaks in this process, with evidence
  flatfoot diagnose java --for 6m   watch it: memory, descriptors and children need time
  flatfoot save 3248                keep the evidence before a restart
  flatfoot demo                     see it find a leak in five seconds

Exit codes: 0 nothing suspicious · 1 a likely or confirmed finding · 2 usage · 3 only possible
            4 the target ended · 5 failed or denied"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How to print.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Output {
    /// Print JSON (its schemas: flatfoot schema)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Print results only: no progress, no remarks
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more: statistics and sources of each piece of evidence
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What leaks, with evidence: a process, several, or the whole host
    Diagnose(Diagnose),
    /// Processes by growth
    Top(Top),
    /// Threads by name pattern: count, births, cadence, stacks
    Threads(Threads),
    /// Memory by class: reserved, committed, touched
    Map(Map),
    /// What a JVM's heap holds: classes and their growth, class loaders, buffers
    Heap(Heap),
    /// Keep the evidence before a restart: a case file that every command opens elsewhere
    Save(Save),
    /// Diagnose over time, in the foreground: a line per event
    Watch(Watching),
    /// Record this host: every process, for months, as a service or in the foreground
    Record(Record),
    /// A report for a ticket
    Report(Report),
    /// For CI: run a command, or a server with work, and fail if it leaks
    Check(Check),
    /// Before and after: what changed, what appeared; or whether a finding is fixed
    Compare(Compare),
    /// What flatfoot can see here, and what would let it see more
    #[command(
        after_help = "Examples:\n  flatfoot doctor\n  sudo flatfoot doctor              what root would see"
    )]
    Doctor,
    /// The same judgement for any series: CSV, or Prometheus's answer
    Detect(Detect),
    /// Start a small child that leaks, and find the leak
    Demo(Demo),
    /// The JSON Schemas of what --json prints
    Schema(Schema),
    /// Completions for a shell
    #[command(after_help = "\
Examples:
  flatfoot completions bash > /etc/bash_completion.d/flatfoot
  flatfoot completions zsh > \"${fpath[1]}/_flatfoot\"
  flatfoot completions fish > ~/.config/fish/completions/flatfoot.fish")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// The manual page, in roff
    #[command(after_help = "\
Examples:
  flatfoot man | man -l -                                       to read
  flatfoot man diagnose > /usr/local/share/man/man1/flatfoot-diagnose.1")]
    Man {
        /// Of this command; the whole tool when it is left out
        command: Option<String>,
    },
    /// The parent of what `check` starts
    #[command(hide = true)]
    CheckGuard(CheckGuard),
    /// The child that `demo` starts
    #[command(hide = true)]
    DemoChild { period_ms: u64 },
}

/// Whom to look at.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Targets {
    /// A pid, a process name, or a case file (then pids or names in it)
    #[arg(value_name = "TARGET")]
    pub(crate) named: Vec<String>,
    /// A systemd unit: torquebox or torquebox.service
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Vec<String>,
    /// A container, by the beginning of its id (docker ps, crictl ps)
    #[arg(long, value_name = "ID")]
    pub(crate) container: Vec<String>,
    #[command(flatten)]
    pub(crate) past: Past,
}

/// What was recorded, instead of what is now.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Past {
    /// What was recorded since then: 24h, 09:00, 2026-03-01, or 24h..1h
    #[arg(long, value_name = "WHEN", conflicts_with = "at")]
    pub(crate) since: Option<String>,
    /// As it was then, judged by the day before it: 09:00, "2026-03-01 09:00", 2h
    #[arg(long, value_name = "WHEN")]
    pub(crate) at: Option<String>,
    /// The recorder's store [default: where flatfoot record keeps it]
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Access {
    /// What may be done to the target; read touches nothing but files
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub(crate) access: AccessChoice,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessChoice {
    /// /proc, cgroup files and a JVM's counters; nothing is loaded, signalled or stopped
    #[default]
    Read,
    /// Asks a JVM by its attach mechanism: thread names and stacks; it pauses for some milliseconds
    Attach,
    /// Loads a small agent into a JVM for a while: who starts threads, and what the existing ones work for
    Agent,
}

impl AccessChoice {
    pub(crate) fn level(self) -> AccessLevel {
        match self {
            Self::Read => AccessLevel::Read,
            Self::Attach => AccessLevel::Attach,
            Self::Agent => AccessLevel::Agent,
        }
    }
}

/// Whether to walk a JVM's heap, and for how long it may stand still.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
pub(crate) struct Walk {
    /// Walk the JVM's heap once, for who holds its pools; it stands still meanwhile. Needs --access agent
    #[arg(id = "heap_walk", long = "heap-walk")]
    pub(crate) wanted: bool,
    /// The longest that the walk may stop the JVM: not begun when it may take longer, and ended when it does
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = parse_time, requires = "heap_walk")]
    pub(crate) pause_budget: f64,
}

impl Walk {
    /// Seconds that a walk may take; `None` without one.
    pub(crate) fn budget_s(self) -> Option<f64> {
        self.wanted.then_some(self.pause_budget)
    }
}

/// flatfoot heap
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot heap 3248                what grows within ten seconds, suspects first
  flatfoot heap 3248 --for 5m       over a longer time: slow leaks
  flatfoot heap 3248 --for 0s       what is there now, in one look
  flatfoot heap 3248 --access agent --heap-walk --pause 5s
                                    and who holds what grows: a walk over the heap, once
  flatfoot heap 7c1e.flatfoot       what was kept, on any machine

Asks a JVM through its attach mechanism (no JDK needed). Each look counts all objects and stops the JVM meanwhile:
estimated before, measured and reported after. A full collection is never forced.")]
pub(crate) struct Heap {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Watch for this long; 0s takes one look
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time_or_zero, default_value = "10s")]
    pub(crate) watch_s: f64,
    /// Looks in that time
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=64))]
    pub(crate) looks: u32,
    /// The longest that one look, or the walk, may stop the JVM, as far as that can be told before
    #[arg(long, visible_alias = "pause-budget", default_value = "2s", value_name = "TIME", value_parser = parse_time)]
    pub(crate) pause: f64,
    /// How far to go: attach counts objects, agent also reads how much direct buffers hold
    #[arg(long, value_enum, default_value_t = AccessChoice::Attach, value_name = "LEVEL")]
    pub(crate) access: AccessChoice,
    /// Walk the heap once, at the end: who holds what grows, and direct buffers. Needs --access agent; stops the JVM
    #[arg(long = "heap-walk")]
    pub(crate) walk: bool,
    /// Keep what was seen in a case file, which must not exist yet [default: in the state directory, of what leaks]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Don't keep a case file of what was found
    #[arg(long, conflicts_with = "output")]
    pub(crate) no_save: bool,
    /// Show every class and loader
    #[arg(long)]
    pub(crate) all: bool,
}

/// flatfoot diagnose
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot diagnose                      the whole host
  flatfoot diagnose 3248                 one process, all evidence
  flatfoot diagnose java mysqld          by name
  flatfoot diagnose --unit torquebox     by systemd unit
  flatfoot diagnose 3248 --for 6m        growth of memory, descriptors and children, too
  flatfoot diagnose 3248 --access agent  which code starts a JVM's threads; says first what it does
  flatfoot diagnose 7c1e.flatfoot        what was saved, on any machine")]
pub(crate) struct Diagnose {
    #[command(flatten)]
    pub(crate) targets: Targets,
    #[command(flatten)]
    pub(crate) access: Access,
    /// Watch for this long: 90s, 6m, 2h. With --access agent: wait at most so long for births; auto follows their rhythm
    #[arg(long = "for", value_name = "TIME", value_parser = parse_watch)]
    pub(crate) watch: Option<Watch>,
    /// Time between looks; by default 64 looks are spread over --for
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "watch")]
    pub(crate) interval: Option<f64>,
    /// Don't keep a case file of what was found
    #[arg(long)]
    pub(crate) no_save: bool,
    #[command(flatten)]
    pub(crate) walk: Walk,
}

/// flatfoot top
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot top --once               the table, once
  flatfoot top --once --by threads  most threads first
  flatfoot top --once java -n 0     every process of that name")]
pub(crate) struct Top {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Print the table once and end
    #[arg(long)]
    pub(crate) once: bool,
    /// How many processes to show; 0 for all
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
    pub(crate) rows: usize,
    /// Order of the processes
    #[arg(long, value_enum, default_value_t, value_name = "COLUMN")]
    pub(crate) by: TopOrder,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopOrder {
    /// Regular thread births first, then the gap between committed and resident
    #[default]
    Growth,
    Commit,
    Rss,
    Untouched,
    Threads,
}

/// flatfoot threads
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot threads 3248             patterns with their births and stacks
  flatfoot threads 3248 --all       also patterns of one thread
  flatfoot threads 3248 --list      each thread, by its birth
  flatfoot threads 3248 --access attach
                                    with a JVM's whole names, and where its threads stand
  flatfoot threads 3248 --owners --access agent
                                    whom a JVM's threads work for: task, pool, queue, factory, schedule
  flatfoot threads 3248 --owners --access agent --heap-walk --pause-budget 5s
                                    and who holds their pools: stops the JVM while its heap is walked")]
pub(crate) struct Threads {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Show every pattern, also those of one thread
    #[arg(long)]
    pub(crate) all: bool,
    /// Show each thread: id, state, birth, name
    #[arg(long)]
    pub(crate) list: bool,
    /// Show whom a JVM's threads work for; needs --access agent
    #[arg(long, conflicts_with = "list")]
    pub(crate) owners: bool,
    #[command(flatten)]
    pub(crate) access: Access,
    #[command(flatten)]
    pub(crate) walk: Walk,
}

/// flatfoot map
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot map 3248                 memory by class
  flatfoot map 3248 --sizes         many mappings of one size: a leak's signature
  flatfoot map 3248 --by size       the largest mappings first

Detail and its cost to the target:
  sizes     /proc/PID/maps alone: reserved bytes; the target notices nothing
  touched   also which pages are in use, in small chunks
  full      also committed, proportional, dirty and swapped bytes (smaps, read at an easy pace)")]
pub(crate) struct Map {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// List the mappings instead of the classes
    #[arg(long)]
    pub(crate) mappings: bool,
    /// Order of the mappings
    #[arg(long, value_enum, value_name = "COLUMN")]
    pub(crate) by: Option<MapOrder>,
    /// Mappings of equal size and class as one row each
    #[arg(long)]
    pub(crate) sizes: bool,
    /// How much to read
    #[arg(long, value_enum, default_value_t, value_name = "DETAIL")]
    pub(crate) detail: MapDetail,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MapOrder {
    #[default]
    Address,
    Size,
    Touched,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MapDetail {
    Sizes,
    Touched,
    #[default]
    Full,
}

/// flatfoot save
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot save 3248                        before the restart
  flatfoot save 3248 --for 6m -o x.flatfoot with growth, to a file of your choice
  flatfoot save 3248 --access attach --heap --for 1m
                                            with what a JVM's heap holds, and its growth
  flatfoot save                             the whole host, without mappings
  flatfoot save --since 24h 3248 --redact   what was recorded of it, without names and arguments")]
pub(crate) struct Save {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Where to: a file that does not exist yet [default: in $XDG_STATE_HOME/flatfoot]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Watch for this long, and save every look: 90s, 6m
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) watch_s: Option<f64>,
    /// Leave out host name, users, arguments and paths' private parts; with --since
    #[arg(long)]
    pub(crate) redact: bool,
    /// Also count what is on a JVM's heap, four times in --for: it stands still each time. Needs --access attach
    #[arg(long)]
    pub(crate) heap: bool,
    /// The longest that one count may stop the JVM
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = parse_time, requires = "heap")]
    pub(crate) pause: f64,
    #[command(flatten)]
    pub(crate) access: Access,
}

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

/// flatfoot report
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot report 3248 -o case.html         one file: words, charts, evidence
  flatfoot report 7c1e.flatfoot -o case.html        of what was saved
  flatfoot report 3248 --since 24h -o case.html     of what was recorded
  ssh host flatfoot report 3248 --html > case.html  from elsewhere
  flatfoot report --md 3248                 for a ticket

Left out of HTML and Markdown, unless --no-redact: the host's name, users, arguments of command lines, paths outside the
system's own directories. --json is the document that diagnose prints, whole.")]
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
    /// Watch for this long: 90s, 6m
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) watch_s: Option<f64>,
}

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

/// How long to watch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Watch {
    /// As long as the rhythm of what was found asks for.
    Auto,
    /// So many seconds.
    Seconds(f64),
}

impl Watch {
    pub(crate) fn seconds(self) -> Option<f64> {
        match self {
            Self::Auto => None,
            Self::Seconds(seconds) => Some(seconds),
        }
    }
}

fn parse_watch(text: &str) -> Result<Watch, String> {
    if text.trim() == "auto" { Ok(Watch::Auto) } else { parse_time(text).map(Watch::Seconds) }
}

/// The same, and nothing.
fn parse_time_or_zero(text: &str) -> Result<f64, String> {
    if matches!(text.trim(), "0" | "0s") { Ok(0.0) } else { parse_time(text) }
}

/// A finite number above 0.
fn parse_amount(text: &str) -> Result<f64, String> {
    let value: f64 = text.trim().parse().map_err(|_| "a number, as 4915 or 2e9".to_owned())?;
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err("a number above 0".to_owned()) }
}

/// `500M`, `4G`, `1048576`: bytes, at least a mebibyte.
fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let value: u64 = text[..digits].parse().map_err(|_| format!("no number in {text:?}"))?;
    let factor: u64 = match text[digits..].trim_end_matches("iB").trim_end_matches('B') {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        other => return Err(format!("{other:?} is no unit of size: K, M, G or T")),
    };
    let bytes = value.checked_mul(factor).filter(|bytes| *bytes >= 1 << 20);
    bytes.ok_or_else(|| "a size of 1M or more".to_owned())
}

/// Up to ten years.
fn parse_long_time(text: &str) -> Result<f64, String> {
    parse_time_up_to(text, 3_653.0)
}

/// `90`, `90s`, `6m`, `1h30m`, `500ms`: seconds.
pub(crate) fn parse_time(text: &str) -> Result<f64, String> {
    parse_time_up_to(text, 31.0)
}

fn parse_time_up_to(text: &str, days: f64) -> Result<f64, String> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return Err("a time such as 90s, 6m or 2h".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let value: f64 = rest[..digits].parse().map_err(|_| format!("no number before {rest:?}"))?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += value
            * match rest[..unit].trim() {
                "ms" => 0.001,
                "" | "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                other => return Err(format!("{other:?} is no unit of time: ms, s, m, h or d")),
            };
        rest = &rest[unit..];
    }
    if total > 0.0 && total <= days * 86_400.0 {
        Ok(total)
    } else {
        Err(format!("a time between 1ms and {days:.0}d"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(parse_time("90"), Ok(90.0));
        assert_eq!(parse_time("6m"), Ok(360.0));
        assert_eq!(parse_time("1h30m"), Ok(5_400.0));
        assert_eq!(parse_time("500ms"), Ok(0.5));
        assert_eq!(parse_long_time("400d"), Ok(400.0 * 86_400.0));
        assert_eq!((parse_size("4G"), parse_size("500 M").is_err()), (Ok(4 << 30), true));
        assert_eq!((parse_size("64MiB"), parse_size("1048576")), (Ok(64 << 20), Ok(1 << 20)));
        for wrong in ["", "G", "1", "-1G", "4P", "99999999999999999999G", "18446744073709551615K"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "m", "6 parsecs", "0", "-1s", "40d", "1e9h"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
