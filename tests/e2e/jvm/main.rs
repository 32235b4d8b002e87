//! Inside the JVM, end to end: the code that starts threads, what grows on the heap, and whom flatfoot leaves alone.

#[path = "../support/mod.rs"]
mod support;

mod contained;
mod creators;
mod fixed;
mod heap;
mod refusals;
mod report;
mod silent;
mod source;
