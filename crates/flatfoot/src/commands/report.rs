//! flatfoot report: a diagnosis to attach to a ticket.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::diagnose::{How, diagnose};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::{self, Term, markdown};
use crate::target;

/// The command.
pub(crate) fn run(args: &cli::Report, term: Term) -> Result<Code> {
    if !args.md && !term.json {
        let hint = "--md for Markdown, --json for machines";
        return Err(Failure::usage("report needs a format", hint).into());
    }
    interrupt::listen();
    let chosen = target::choose(&args.targets)?;
    let outcome = diagnose(chosen, How { watch_s: args.watch_s, ..How::default() })?;
    let text = if term.json {
        let mut text = serde_json::to_string_pretty(&outcome.diagnosis)?;
        text.push('\n');
        text
    } else {
        markdown::report(&outcome.diagnosis)
    };
    if args.output == Path::new("-") {
        present::print(&text)?;
    } else {
        std::fs::write(&args.output, text).with_context(|| format!("writing {}", args.output.display()))?;
    }
    // A report was asked for and made: what it says is not the command's failure.
    Ok(Code::Clean)
}
