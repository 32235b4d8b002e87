//! flatfoot: which process leaks, what, how fast, until when, and which code does it.
//!
//! The way of the data: a [`source`] (the live host, or a case file) gives looks; [`analyse`] derives classes,
//! groups and findings from them; [`present`] turns the result into text or JSON. Commands only connect these.

mod analyse;
mod board;
mod check;
mod cli;
mod commands;
mod compare;
mod failure;
mod interrupt;
mod moment;
mod present;
mod recorder;
mod source;
mod target;
mod tui;
mod views;
mod visit;
mod web;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = match cli::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap says usage errors with code 2, and help and version with 0, as the contract has it.
            let _ = error.print();
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            // Other codes of `check` are those of what it runs.
            return ExitCode::from(if code != 0 && is_check() { check::FAILED } else { code });
        }
    };
    let term = present::Term::from_args(&args.output);
    match commands::run(args, term) {
        Ok(code) => ExitCode::from(code.number()),
        Err(error) => {
            let failure = failure::Failure::from_any(error);
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "{}", failure.shown(term));
            ExitCode::from(failure.code.number())
        }
    }
}

/// Is `check` the command that was not understood?
fn is_check() -> bool {
    std::env::args_os()
        .skip(1)
        .find(|word| !word.as_encoded_bytes().starts_with(b"-"))
        .is_some_and(|word| word == "check")
}
