//! HotSpot JVMs from outside: what they share openly, and what they tell when they are attached to.

pub mod agent;
pub mod answers;
pub mod attach;
pub mod inside;
pub mod jars;
pub mod jfr;
pub mod perfdata;
