//! /proc/PID/cgroup, mountinfo and limits: paths that a container may have chosen.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probe::proc::{cgroup, limits, mountinfo};

fuzz_target!(|bytes: &[u8]| {
    let _ = limits::parse(bytes);
    let memberships = cgroup::parse(bytes);
    if let (Ok(mounts), Ok(_)) = (mountinfo::cgroup_mounts(bytes), memberships) {
        for mount in &mounts {
            let _ = mount.below(bytes);
        }
    }
});
