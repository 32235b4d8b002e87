//! flatfoot's judgement: what readings mean. Pure: no clock, no I/O, the same input gives the same answer,
//! so that a recorded case is judged as the live process was, and every rule can be tested by generated
//! series.

pub mod cadence;
pub mod compare;
pub mod creators;
pub mod eta;
pub mod groups;
pub mod growth;
pub mod heap;
pub mod judge;
pub mod limits;
pub mod names;
pub mod rules;
pub mod schedule;
pub mod stats;
