//! /proc/PID/smaps, and smaps_rollup: one detail and one count for each mapping.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{ProcessReading, Reading, TouchedFrom};
use probe::proc::{rollup, smaps};

fuzz_target!(|bytes: &[u8]| {
    let _ = rollup::parse(bytes);
    let Ok((mut space, touched)) = smaps::parse(bytes) else { return };
    assert_eq!(space.mappings.len(), touched.len());
    assert_eq!(space.details.value().map(Vec::len), Some(touched.len()));
    space.touched = Reading::Value(touched);
    space.touched_from = TouchedFrom::Smaps;
    let map = probe::classify::classify(&ProcessReading { space: Reading::Value(space), ..Default::default() });
    let classes: model::Bytes = map.classes.iter().map(|(_, amounts)| amounts.committed).sum();
    assert_eq!(classes, map.total.committed);
});
