//! Everything but thread leaks, end to end: growth over time, memory to the byte, limits, rights, hostile names, case
//! files, and the command line itself.

#[path = "../support/mod.rs"]
mod support;

mod absent;
mod cases;
mod cli;
mod compare;
mod detect;
mod facts;
mod golden;
mod growth;
mod healthy;
mod hostile;
mod large;
mod limits;
mod map_classes;
mod map_jvm;
mod map_stacks;
mod namespaces;
mod record;
mod recorded;
mod remains;
mod report_html;
mod rights;
mod schemas;
mod watch;
