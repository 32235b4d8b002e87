//! A case file of any bytes: opened, every look read, nothing lost without a word.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use store::{CaseReader, looks_like_case};

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("flatfoot-fuzz-{}.flatfoot", std::process::id()));
    fs::write(&path, bytes).unwrap();
    let known = looks_like_case(&path);
    if let Ok(reader) = CaseReader::open(&path) {
        assert!(known);
        for look in reader.looks().take(16).flatten() {
            assert!(look.lost.iter().all(|lost| lost.place().is_some()));
        }
    }
});
