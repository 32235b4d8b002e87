//! Series as others write them, and their judgement: CSV, Prometheus's answers, any values at any times.
#![no_main]

use detect::judge::{Context, Series, Unit, judge, replay};
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/flatfoot/src/commands/detect/read.rs"]
#[allow(dead_code, unreachable_pub)]
mod read;

fuzz_target!(|text: &str| {
    for labelled in read::read(text).unwrap_or_default() {
        for unit in [Unit::Bytes, Unit::Count] {
            let series = Series::new(&labelled.points, unit);
            let verdict = judge(&series, &Context::default());
            assert!(!verdict.why.is_empty());
            let watched = replay(&series, 10.0);
            assert!(watched.bytes() <= 5 << 10, "{} bytes", watched.bytes());
            let _ = watched.verdict(&Context::default());
        }
    }
});
