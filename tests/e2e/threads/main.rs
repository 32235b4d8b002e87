//! Thread leaks and their healthy twins, end to end: real programs, the real binary.

#[path = "../support/mod.rs"]
mod support;

mod checks;
mod demo;
mod findings;
mod founding;
mod host;
mod leakers;
mod table;
mod twins;
mod watched;
