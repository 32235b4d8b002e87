//! flatfoot report: a diagnosis to attach to a ticket.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::diagnose::{How, Outcome, diagnose};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::html::Report;
use crate::present::redact::{Redactor, WHAT};
use crate::present::{self, Term, markdown};
use crate::target;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Html,
    Markdown,
    Json,
}

/// What was asked for, by a flag or by the output's name.
fn format(args: &cli::Report, term: Term) -> Option<Format> {
    let suffix = args.output.extension().and_then(|suffix| suffix.to_str()).map(str::to_ascii_lowercase);
    match suffix.as_deref() {
        _ if term.json => Some(Format::Json),
        _ if args.md => Some(Format::Markdown),
        _ if args.html => Some(Format::Html),
        Some("html" | "htm") => Some(Format::Html),
        Some("md") => Some(Format::Markdown),
        Some("json") => Some(Format::Json),
        _ => None,
    }
}

/// The command.
pub(crate) fn run(args: &cli::Report, term: Term) -> Result<Code> {
    let Some(format) = format(args, term) else {
        let hint = "-o case.html or --html for a page, --md for Markdown, --json for machines";
        return Err(Failure::usage("report needs a format", hint).into());
    };
    interrupt::listen();
    let chosen = target::choose(&args.targets)?;
    let outcome = diagnose(chosen, How { watch_s: args.watch_s, ..How::default() })?;
    let text = written(outcome, format, !args.no_redact)?;
    if args.output == Path::new("-") {
        present::print(&text)?;
    } else {
        std::fs::write(&args.output, text).with_context(|| format!("writing {}", args.output.display()))?;
    }
    // A report was asked for and made: what it says is not the command's failure.
    Ok(Code::Clean)
}

/// A report of what was concluded.
pub(crate) fn html(outcome: Outcome, redact: bool) -> Result<String> {
    written(outcome, Format::Html, redact)
}

fn written(outcome: Outcome, format: Format, redact: bool) -> Result<String> {
    let Outcome { mut diagnosis, mut names, everybody, analyser, .. } = outcome;
    if format == Format::Json {
        let mut text = serde_json::to_string_pretty(&diagnosis)?;
        text.push('\n');
        return Ok(text);
    }
    let redactor = redact.then(|| Redactor::new(&diagnosis, &analyser));
    if let Some(redactor) = &redactor {
        redactor.diagnosis(&mut diagnosis, &analyser);
        for name in &mut names {
            *name = redactor.text(name);
        }
    }
    if format == Format::Markdown {
        let mut text = markdown::report(&diagnosis);
        if redactor.is_some() {
            let _ = writeln!(text, "\n{WHAT}");
        }
        return Ok(text);
    }
    if everybody {
        names.clear();
    }
    let redactor = redactor.as_ref();
    Ok(Report { diagnosis: &diagnosis, analyser: &analyser, names: &names, redactor }.html())
}
