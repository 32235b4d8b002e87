//! The live view in a real terminal: tmux runs it, keys are typed, and the screen is read as somebody sees it.

#[path = "../support/mod.rs"]
mod support;

mod leaving;
mod live;
mod past;
mod pty;
mod screen;
mod stuck;
mod terminals;
