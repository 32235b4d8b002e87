//! Files of "Name: value" lines: /proc/PID/status, meminfo, vmstat, pressure.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probe::proc::{cmdline, meminfo, status, vmstat};

fuzz_target!(|bytes: &[u8]| {
    let _ = status::parse(bytes);
    let _ = meminfo::parse(bytes);
    let _ = vmstat::parse(bytes);
    let _ = vmstat::parse_pressure(bytes, "some");
    let _ = cmdline::split(bytes);
});
