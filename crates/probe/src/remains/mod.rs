//! What died before: the files that a crashed JVM leaves, core files, and the kernel's word on OOM kills.
//!
//! A leak is often asked about only after it has killed the process once. Its successor looks healthy; these
//! marks say what it will come to. The files lie in directories that others may write to, so links are not
//! followed there, only regular files are opened, and only their beginnings are read.

mod files;
mod hs_err;
mod kernel;

pub use files::of_process;
pub use kernel::kernel_log;

/// Bytes kept of what a mark says.
const MOST_TEXT: usize = 300;

/// The beginning of a text, cut between characters.
fn shortened(text: &str) -> &str {
    let end = (0..=MOST_TEXT.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}
