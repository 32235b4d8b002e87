//! What a JVM says: its counters (hsperfdata), its answers to diagnostic commands, and what the agent in it writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probe::hotspot::agent::{report, ring};
use probe::hotspot::answers::{flags, heap_info, histogram, loaders, native_memory, properties, thread_dump};
use probe::hotspot::perfdata;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(counters) = perfdata::parse(bytes) {
        assert!(counters.collectors.len() <= 8 && counters.generations.len() <= 8);
    }
    let spawned = ring::parse(bytes);
    assert!(spawned.spawns.len() <= bytes.len() / 8);
    let owned = report::parse(bytes);
    assert!(owned.owners.len() + owned.sites.len() <= bytes.len() / 8);
    let text = String::from_utf8_lossy(bytes);
    let threads = thread_dump::parse(&text);
    let said: usize = threads.iter().map(|thread| thread.name.as_str().len()).sum();
    assert!(said <= text.len(), "no part of the text is two names");
    let counted = histogram::parse(&text);
    assert!(counted.classes.is_sorted_by(|a, b| a.bytes >= b.bytes));
    let _ = (histogram::direct_buffers(&counted), histogram::mapped_buffers(&counted));
    let _ = (loaders::parse(&text), native_memory::parse(&text), heap_info::used(&text));
    let flags = flags::parse(&text);
    let _ = flags::value(&flags, "MaxHeapSize");
    let _ = properties::parse(&text);
});
