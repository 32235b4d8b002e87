//! How results are shown. Nothing is read or concluded here; every command's text and JSON is written by this
//! module from what `analyse` made.

pub(crate) mod check;
pub(crate) mod compare;
mod creators;
pub(crate) mod detect;
pub(crate) mod diagnosis;
pub(crate) mod doctor;
pub(crate) mod heap;
pub(crate) mod html;
pub(crate) mod map;
pub(crate) mod markdown;
pub(crate) mod owners;
pub(crate) mod progress;
pub(crate) mod redact;
mod report;
mod table;
mod term;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod threads;
pub(crate) mod time;
pub(crate) mod top;

pub(crate) use creators::{owner as owner_line, place as frame_place};
pub(crate) use table::{Align, Table};
pub(crate) use term::Term;

use std::io::{self, Write as _};

use anyhow::Result;
use serde::Serialize;

/// Prints to stdout; a reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    print_by(|out| out.write_all(text.as_bytes()))
}

/// The same for what is written in portions.
pub(crate) fn print_by(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<()> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a document as JSON with a final newline.
pub(crate) fn print_json(document: &impl Serialize) -> Result<()> {
    print(&json(document)?)
}

/// A document as JSON with a final newline.
pub(crate) fn json(document: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
