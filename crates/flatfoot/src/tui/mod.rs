//! The live view: who grows, what the selected process is made of, and what leaks.
mod act;
mod app;
mod details;
mod draw;
mod event;
mod findings;
mod footer;
mod glyphs;
mod header;
mod keys;
mod layout;
mod list;
mod pager;
mod palette;
mod pen;
mod prompt;
mod reading;
mod sampling;
mod spark;
mod table;
mod terminal;
mod view;

pub(crate) use draw::Look;
pub(crate) use glyphs::Glyphs;
pub(crate) use palette::Palette;
pub(crate) use view::{Place, Plan, run};

#[cfg(test)]
mod tests;
