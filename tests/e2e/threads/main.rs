//! Thread leaks and their healthy twins, end to end: real programs, the real binary.

#[path = "../support/mod.rs"]
mod support;

use support::{Flatfoot, Leaker};

#[test]
fn a_leaker_is_found() {
    let leaker = Leaker::start("leak", &["threads-unjoined", "100"]);
    leaker.wait_for_tasks(12, 20.0);
    let (status, said) = Flatfoot::new().diagnose(&leaker.arg());
    assert_eq!(status, 1, "{said:#}");
}
