//! flatfoot report: a diagnosis to attach to a ticket.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::diagnose::{How, Outcome, diagnose};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::html::Report;
use crate::present::redact::Redactor;
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
    // Before anybody is asked anything: what was waited for must not be lost.
    let output = Output::open(&args.output)?;
    let how = How {
        watch_s: args.watch.and_then(cli::Watch::seconds),
        level: args.access.access.level(),
        term,
        ..How::default()
    };
    let outcome = diagnose(chosen, how)?;
    output.take(&written(outcome, format, !args.no_redact)?)?;
    // A report was asked for and made: what it says is not the command's failure.
    Ok(Code::Clean)
}

/// Where a report goes. A file is its owner's alone, was not there before, and is gone again unless it was written whole.
enum Output {
    Stdout,
    File { path: PathBuf, file: File, whole: bool },
}

impl Output {
    fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
                let hint = match error.kind() {
                    std::io::ErrorKind::AlreadyExists => "remove it, or give another name; - is stdout",
                    _ => "give a file in a folder of your own; - is stdout",
                };
                Failure::new(Code::Failed, format!("{}: {error}", path.display()), hint)
            })?;
        Ok(Self::File { path: path.to_owned(), file, whole: false })
    }

    fn take(mut self, text: &str) -> Result<()> {
        match &mut self {
            Self::Stdout => present::print(text),
            Self::File { path, file, whole } => {
                file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
                *whole = true;
                Ok(())
            }
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Self::File { path, whole: false, .. } = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A report of what was concluded.
pub(crate) fn html(outcome: Outcome, redact: bool) -> Result<String> {
    written(outcome, Format::Html, redact)
}

fn written(outcome: Outcome, format: Format, redact: bool) -> Result<String> {
    let Outcome { mut diagnosis, mut names, everybody, analyser, .. } = outcome;
    let redactor = redact.then(|| Redactor::new(&diagnosis, &analyser));
    if let Some(redactor) = &redactor {
        redactor.diagnosis(&mut diagnosis, &analyser);
        for name in &mut names {
            *name = redactor.text(name);
        }
    }
    if everybody {
        names.clear();
    }
    let redactor = redactor.as_ref();
    Ok(match format {
        Format::Json => present::json(&diagnosis)?,
        Format::Markdown => markdown::report(&diagnosis, &names),
        Format::Html => Report { diagnosis: &diagnosis, analyser: &analyser, names: &names, redactor }.html(),
    })
}

#[cfg(test)]
mod tests;
