//! The content of a chunk, of any bytes: what fuzzing the file never reaches behind zstd's checksum.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let values = store::history::read_any_chunk(bytes);
    // 256 columns of three streams of a thousand ticks.
    assert!(values <= 256 * 3 * 1_000);
});
