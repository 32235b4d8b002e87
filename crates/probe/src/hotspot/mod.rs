//! HotSpot JVMs from outside: what they share openly, and what they tell when they are attached to.

pub mod attach;
pub mod jars;
pub mod jfr;
