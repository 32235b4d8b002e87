//! The command line: every flag with its help in one place.

mod ci;
mod over_time;
mod targets;
mod values;
mod views;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use ci::{Check, CheckGuard, Demo, Schema};
pub(crate) use over_time::{Compare, Detect, Record, Report, Serve, UnitChoice, Watching};
pub(crate) use targets::{Past, Targets};
pub(crate) use values::{Watch, parse_time};
pub(crate) use views::{Diagnose, Heap, Map, MapDetail, MapOrder, Save, Threads, Top, TopOrder};

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
    /// The web page: this host, a store or a case file, on loopback
    Serve(Serve),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
