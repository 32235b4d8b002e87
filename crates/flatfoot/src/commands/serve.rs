//! flatfoot serve: the web page.

use anyhow::Result;

use crate::cli;
use crate::failure::{Code, Failure};
use crate::present::Term;

/// The command.
pub(crate) fn run(args: &cli::Serve, _term: Term) -> Result<Code> {
    Err(Failure::usage(format!("--listen {}: not there yet", args.listen), "").into())
}
