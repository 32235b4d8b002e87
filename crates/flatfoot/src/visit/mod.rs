//! A visit.

mod wait;
