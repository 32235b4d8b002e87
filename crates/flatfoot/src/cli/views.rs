//! Commands that show what is there: heap, diagnose, top, threads, map, save.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::targets::{Access, AccessChoice, Targets, Walk};
use super::values::{Watch, parse_time, parse_time_or_zero, parse_watch};

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
  flatfoot top                      the live view; ? in it shows the keys
  flatfoot top --since 24h          what was recorded, with jumps in time
  flatfoot top 7c1e.flatfoot        a case file
  flatfoot top --once               the table, once
  flatfoot top --once --by threads  most threads first
  flatfoot top --once java -n 0     every process of that name")]
pub(crate) struct Top {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Print the table once and end; so it is, too, where stdout is no terminal
    #[arg(long)]
    pub(crate) once: bool,
    /// Time between ticks of the live view
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "1s")]
    pub(crate) interval: f64,
    /// Draw with ASCII letters alone [default: when the locale is no UTF-8]
    #[arg(long)]
    pub(crate) ascii: bool,
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
