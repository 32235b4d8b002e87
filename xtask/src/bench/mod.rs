//! Measures what flatfoot promises about speed and size, against the kernel's floor and against the tools that people
//! use instead, and prints it as a table.
//!
//! Figures of a shared machine mean little by themselves: so everything compared runs in turn, round by round, and
//! what counts is the median of the rounds' ratios. Wall times stay what they are. A promise that is not kept is said
//! and is no failure; what could not be measured is one.

mod built;
mod cost;
mod floor;
mod inside;
mod latency;
mod page;
mod recorder;
mod statistics;
mod store;
mod table;
mod target;
mod tui;
mod works;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use built::Built;
use table::Row;
use target::Target;
use works::Rounds;

/// Threads of the JVM, and mappings of the other target.
const THREADS: u32 = 2_000;
const MAPPINGS: u32 = 60_000;

/// cargo xtask bench
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Few rounds: a look within a minute, not a measurement
    #[arg(long)]
    quick: bool,
    /// How often each command runs [default: 21, or 5 with --quick]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Measure a build from nothing, too: minutes
    #[arg(long)]
    cold: bool,
    /// These parts only
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Mappings of the JVM
    Jvm,
    /// Mappings of a process that has many
    Maps,
    Threads,
    /// The target's own mmap meanwhile
    Latency,
    Top,
    Diagnose,
    /// Sampling and recording a thousand processes, against who else records them
    Recorder,
    /// Attach, agent and counters of a JVM
    Inside,
    /// Size and speed of the recorder's store
    Store,
    /// The web page: a month of a host, and fifty readers
    Page,
    /// The live view: drawing beside sampling
    Tui,
    /// Size and build of the binary
    Binary,
}

/// Measures and prints.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let wanted = |part: Part| options.only.is_empty() || options.only.contains(&part);
    let commands = options.rounds.unwrap_or(if options.quick { 5 } else { 21 });
    let rounds = Rounds { commands, floors: commands };
    let mut rows: Vec<Row> = Vec::new();
    if options.only == [Part::Store] {
        // Needs no binary, and no minute to build one.
        say("the store");
        rows.extend(store::rows(rounds).unwrap_or_else(|why| vec![Row::missing("the store", &why)]));
        print(&rows, commands);
        return Ok(if rows.iter().all(Row::is_measured) { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let built = Built::now()?;
    if [Part::Jvm, Part::Threads, Part::Diagnose].into_iter().any(wanted) {
        match Target::java(&built, THREADS) {
            Ok(java) => {
                if wanted(Part::Jvm) {
                    say("mappings of the JVM");
                    rows.extend(works::memory(
                        &built,
                        "JVM of 2,000 threads",
                        java.pid,
                        "leakcase.[M]ain",
                        rounds,
                    ));
                }
                if wanted(Part::Threads) {
                    say("threads");
                    rows.extend(works::threads(&built, java.pid, rounds));
                }
                if wanted(Part::Diagnose) {
                    say("diagnose");
                    rows.extend(works::diagnose(&built, java.pid, rounds));
                }
            }
            Err(why) => rows.push(Row::missing("everything about the JVM", &why)),
        }
    }
    if wanted(Part::Inside) {
        say("inside the JVM");
        rows.extend(inside::rows(&built, rounds));
    }
    if wanted(Part::Maps) {
        say("60,000 mappings");
        match Target::mappings(&built, MAPPINGS) {
            Ok(target) => {
                rows.extend(works::memory(&built, "60,000 mappings", target.pid, "many-[m]aps", rounds));
            }
            Err(why) => rows.push(Row::missing("60,000 mappings", &why)),
        }
    }
    if wanted(Part::Latency) {
        say("what the target notices");
        let (rounds, seconds) = if options.quick { (3, 1.0) } else { (rounds.commands, 2.0) };
        let found = latency::rows(&built, MAPPINGS, rounds, seconds);
        rows.extend(found.unwrap_or_else(|why| vec![Row::missing("the target's mmap meanwhile", &why)]));
    }
    if wanted(Part::Top) {
        say("a thousand processes");
        rows.extend(works::host(&built, rounds));
    }
    if wanted(Part::Recorder) {
        say("recording a thousand processes");
        rows.extend(recorder::rows(&built, if options.quick { 20 } else { 60 }));
    }
    if wanted(Part::Store) {
        say("the store");
        rows.extend(store::rows(rounds).unwrap_or_else(|why| vec![Row::missing("the store", &why)]));
    }
    if wanted(Part::Page) {
        say("the page");
        rows.extend(page::rows(&built, commands, if options.quick { 20 } else { 60 }));
    }
    if wanted(Part::Tui) {
        say("the live view");
        rows.extend(tui::rows(&built, if options.quick { 20 } else { 60 }));
    }
    if wanted(Part::Binary) {
        say(if options.cold { "the binary, built from nothing" } else { "the binary" });
        rows.extend(works::binary(&built, options.cold));
    }
    print(&rows, commands);
    Ok(if rows.iter().all(Row::is_measured) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stdout)] // the table is what the command is for
fn print(rows: &[Row], rounds: usize) {
    let count = |verdict| rows.iter().filter(|row| row.is_met() == Some(verdict)).count();
    println!("{}", table::markdown(rows));
    println!(
        "{rounds} rounds; {} met, {} not met. Ratios of CPU time (user and system) unless a unit is given.",
        count(true),
        count(false)
    );
}

fn say(what: &str) {
    eprintln!("bench: {what} …");
}
