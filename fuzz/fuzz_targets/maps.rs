//! /proc/PID/maps: whatever is in it, the list is in order, names are there, a file read in pieces gives the
//! same, and its classes sum to its size.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{AddressSpace, Bytes, ProcessReading, Reading};
use probe::proc::maps;

fuzz_target!(|bytes: &[u8]| {
    let whole = maps::parse(bytes);
    assert_eq!(whole, in_pieces(bytes));
    let Ok(space) = whole else { return };
    assert!(space.mappings.windows(2).all(|two| two[0].end <= two[1].start));
    assert!(space.mappings.iter().all(|m| m.start < m.end && (m.name as usize) < space.names.len()));
    let size: Bytes = space.mappings.iter().map(model::Mapping::size).sum();
    let map = probe::classify::classify(&ProcessReading { space: Reading::Value(space), ..Default::default() });
    let classes: Bytes = map.classes.iter().map(|(_, amounts)| amounts.reserved).sum();
    assert_eq!(classes, map.total.reserved);
    assert!(map.total.reserved >= size, "{size:?} in mappings, {classes:?} in classes");
});

/// As the kernel hands it out: some bytes, then more.
fn in_pieces(bytes: &[u8]) -> Result<AddressSpace, probe::Absence> {
    let mut parser = maps::Parser::default();
    let mut waiting = Vec::new();
    for piece in bytes.chunks(61) {
        waiting.extend_from_slice(piece);
        let taken = parser.feed(&waiting)?;
        waiting.drain(..taken);
    }
    parser.finish(&waiting)
}
