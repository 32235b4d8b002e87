//! flatfoot check: does a program leak? The work is in [`crate::check`]; here its answer is shown, in all the ways that CI
//! asks for.

use std::path::Path;

use anyhow::Result;

use crate::check::{self, Plan};
use crate::cli;
use crate::failure::{Code, Failure};
use crate::present::{self, Term};

/// The command. Every failure that is flatfoot's own ends with 125: other codes belong to what it runs.
pub(crate) fn run(args: &cli::Check, term: Term) -> Result<Code> {
    go(args, term).map_err(|error| {
        let failure = Failure::from_any(error);
        let code =
            if matches!(failure.code, Code::Exit(_)) { failure.code } else { Code::Exit(check::FAILED) };
        Failure { code, ..failure }.into()
    })
}

fn go(args: &cli::Check, term: Term) -> Result<Code> {
    let plan = Plan::of(args, term)?;
    if let Some(path) = &args.junit {
        is_writable(path)?;
    }
    let document = check::check(&plan)?;
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&present::check::text(&document, term))?;
    }
    if args.github || std::env::var_os("GITHUB_ACTIONS").is_some_and(|set| set == "true") {
        let lines = present::check::github::annotations(&document);
        if term.json {
            eprint!("{lines}");
        } else {
            present::print(&lines)?;
        }
    }
    if let Some(path) = &args.junit {
        std::fs::write(path, present::check::junit::report(&document))
            .map_err(|error| not_written(path, &error))?;
    }
    Ok(Code::Exit(document.exit_code))
}

/// That a report cannot be written is better said before minutes of work than after.
fn is_writable(path: &Path) -> Result<()> {
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map(drop).map_err(|error| not_written(path, &error))
}

fn not_written(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let name = model::Text::from_bytes(path.as_os_str().as_encoded_bytes());
    check::failed(
        format!("{name}: {error}"),
        "--junit names a file that can be written, in a folder that is there",
    )
}
