//! One file per command: choose the source, ask it, show the answer.

mod check;
mod compare;
mod demo;
mod detect;
mod diagnose;
mod doctor;
mod heap;
mod map;
mod record;
mod report;
mod save;
mod schema;
mod serve;
mod shell;
mod threads;
mod top;
mod watch;

use anyhow::Result;

use crate::cli::{Args, Command};
use crate::failure::Code;
use crate::present::Term;
pub(crate) use diagnose::{How, Outcome, diagnose};
pub(crate) use report::html as html_report;
pub(crate) use save::{About, keep};

/// The version that every document carries.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs what was asked for.
pub(crate) fn run(args: Args, term: Term) -> Result<Code> {
    let Some(command) = args.command else {
        return top::run(&crate::cli::Top { rows: 20, interval: 1.0, ..Default::default() }, term);
    };
    match command {
        Command::Diagnose(args) => diagnose::run(&args, term),
        Command::Top(args) => top::run(&args, term),
        Command::Threads(args) => threads::run(&args, term),
        Command::Map(args) => map::run(&args, term),
        Command::Heap(args) => heap::run(&args, term),
        Command::Save(args) => save::run(&args, term),
        Command::Watch(args) => watch::run(&args, term),
        Command::Record(args) => record::run(&args, term),
        Command::Serve(args) => serve::run(&args, term),
        Command::Report(args) => report::run(&args, term),
        Command::Check(args) => check::run(&args, term),
        Command::CheckGuard(args) => crate::check::guard::run(&args),
        Command::Compare(args) => compare::run(&args, term),
        Command::Doctor => doctor::run(term),
        Command::Detect(args) => detect::run(&args, term),
        Command::Demo(args) => demo::run(args, term),
        Command::DemoChild { period_ms } => demo::child(period_ms),
        Command::Schema(args) => schema::run(&args),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { command } => shell::man(command.as_deref()),
    }
}
