//! The command line: every flag with its help in one place.

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
    /// A report for a ticket
    Report(Report),
    /// What flatfoot can see here, and what would let it see more
    #[command(
        after_help = "Examples:\n  flatfoot doctor\n  sudo flatfoot doctor              what root would see"
    )]
    Doctor,
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
  flatfoot save                             the whole host, without mappings")]
pub(crate) struct Save {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Where to: a file that does not exist yet [default: in $XDG_STATE_HOME/flatfoot]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Watch for this long, and save every look: 90s, 6m
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) watch_s: Option<f64>,
    /// Also count what is on a JVM's heap, four times in --for: it stands still each time. Needs --access attach
    #[arg(long)]
    pub(crate) heap: bool,
    /// The longest that one count may stop the JVM
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = parse_time, requires = "heap")]
    pub(crate) pause: f64,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// flatfoot report
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(after_help = "\
Examples:
  flatfoot report --md 3248                 for a ticket
  flatfoot report --md 7c1e.flatfoot        of what was saved
  ssh host flatfoot report --md > host.md   from elsewhere")]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Markdown, for a ticket
    #[arg(long)]
    pub(crate) md: bool,
    /// Where to: a file, or - for stdout
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Watch for this long: 90s, 6m
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub(crate) watch_s: Option<f64>,
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
    /// Of this document only: diagnosis, map, heap, threads, top, doctor, saved
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

/// `90`, `90s`, `6m`, `1h30m`, `500ms`: seconds.
fn parse_time(text: &str) -> Result<f64, String> {
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
    if total > 0.0 && total <= 31.0 * 86_400.0 {
        Ok(total)
    } else {
        Err("a time between 1ms and 31d".to_owned())
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
        for wrong in ["", "m", "6 parsecs", "0", "-1s", "40d", "1e9h"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
