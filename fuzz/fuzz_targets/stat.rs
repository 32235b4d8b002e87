//! /proc/PID/stat, of a process and of a thread, and statm: names may hold anything, brackets included.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Pid;
use probe::proc::{stat, statm};

fuzz_target!(|bytes: &[u8]| {
    let process = stat::parse(bytes, 4_096);
    let thread = stat::parse_thread(Pid(1), bytes);
    if let (Ok(process), Ok(thread)) = (process, thread) {
        assert_eq!((process.name, process.state, process.start), (thread.name, thread.state, thread.start));
    }
    let _ = statm::parse(bytes, 65_536);
});
