//! flatfoot serve: the web page.

use anyhow::Result;

use crate::failure::Code;
use crate::present::Term;
use crate::{cli, web};

/// The command.
pub(crate) fn run(args: &cli::Serve, term: Term) -> Result<Code> {
    web::run(args, term)
}
