//! flatfoot record: the recorder, as a service or in the foreground.

use std::time::Duration;

use anyhow::Result;
use store::history::Retention;

use crate::cli;
use crate::failure::Code;
use crate::present::Term;
use crate::recorder::{self, Settings};

/// The command.
pub(crate) fn run(args: &cli::Record, term: Term) -> Result<Code> {
    let path = match &args.store {
        Some(path) => path.clone(),
        None => recorder::default_store()?,
    };
    let age = Duration::from_secs_f64(args.keep);
    let usual = Retention::default();
    recorder::run(&Settings {
        path,
        interval_s: args.interval,
        for_s: args.for_s,
        retention: Retention {
            age,
            bytes: args.max_size,
            full: usual.full.min(age),
            minutes: usual.minutes.min(age),
            ten_minutes: usual.ten_minutes.min(age),
        },
        term,
    })
}
