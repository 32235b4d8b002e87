//! The host as a whole: memory, limits, pressure, and what the times in other files count from.

use std::ffi::CStr;

use model::{BootId, HostReading, Pressure, Reading, Text};

use super::cgroup::CgroupTree;
use super::{Absence, ProcRoot, meminfo, scan, vmstat};
use crate::Clock;
use crate::sys;

/// The most that is read of one file: vmstat, the largest, has some 4 KiB.
const LIMIT: usize = 256 * 1024;

/// Only what the times in other files count from, and their units: nothing but a clock is read.
pub(crate) fn clocks(boot: BootId, with_zone: bool) -> HostReading {
    // Both clocks next to each other: their difference is when the host booted.
    let (uptime_s, now_s) = (Clock::boot(), Clock::wall());
    HostReading {
        boot,
        booted_unix_s: now_s - uptime_s,
        uptime_s,
        ticks_per_second: ticks_per_second(),
        page_size: page_size(),
        // Costs opening and reading a file.
        utc_offset_s: if with_zone { sys::time::utc_offset_s(now_s) } else { 0 },
        ..HostReading::default()
    }
}

/// Reads the host; schedules and remains of the dead are left open.
pub(crate) fn read(root: &ProcRoot, boot: BootId, cgroups: &mut CgroupTree) -> HostReading {
    let mut buffer = Vec::new();
    HostReading {
        name: text(root, c"sys/kernel/hostname", &mut buffer),
        kernel: text(root, c"sys/kernel/osrelease", &mut buffer),
        cpus: cpus(root),
        memory: parsed(root, c"meminfo", &mut buffer, meminfo::parse),
        overcommit_mode: number(root, c"sys/vm/overcommit_memory", &mut buffer),
        vmstat: parsed(root, c"vmstat", &mut buffer, vmstat::parse),
        pressure: Absence::or_value(pressure(root, &mut buffer)),
        threads_max: number(root, c"sys/kernel/threads-max", &mut buffer),
        pid_max: number(root, c"sys/kernel/pid_max", &mut buffer),
        max_map_count: number(root, c"sys/vm/max_map_count", &mut buffer),
        tasks: parsed(root, c"loadavg", &mut buffer, parse_tasks),
        schedules: Reading::Skipped,
        schedules_denied: Vec::new(),
        remains: Reading::Skipped,
        has_pagemap_scan: root.is_live() && sys::pagemap::available(),
        cgroup_v2: cgroups.has_v2(root),
        ..clocks(boot, true)
    }
}

/// The boot id, 0 where the kernel has none (some sandboxes): then a pid and a birth must do.
pub(crate) fn boot_id(root: &ProcRoot) -> BootId {
    let mut buffer = Vec::new();
    match root.read(c"sys/kernel/random/boot_id", &mut buffer, LIMIT) {
        Ok(()) => parse_boot_id(&buffer).unwrap_or_default(),
        Err(_) => BootId::default(),
    }
}

/// `0b5d3c1e-8d2f-4c57-9a43-7e1f0c2b6d98`.
fn parse_boot_id(bytes: &[u8]) -> Option<BootId> {
    let content = scan::complete("boot_id", bytes).ok()?;
    let mut digits = 0;
    let mut id = 0_u128;
    for byte in content.iter().filter(|byte| **byte != b'-') {
        id = id << 4 | u128::from(char::from(*byte).to_digit(16)?);
        digits += 1;
    }
    (digits == 32).then_some(BootId(id))
}

/// USER_HZ, the unit of times in /proc.
pub(crate) fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

/// Bytes per page.
pub(crate) fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

fn parsed<T>(
    root: &ProcRoot,
    name: &CStr,
    buffer: &mut Vec<u8>,
    parse: impl FnOnce(&[u8]) -> Result<T, Absence>,
) -> Reading<T> {
    Absence::or_value(root.read(name, buffer, LIMIT).and_then(|()| parse(buffer)))
}

fn number(root: &ProcRoot, name: &CStr, buffer: &mut Vec<u8>) -> Reading<u64> {
    parsed(root, name, buffer, |bytes| scan::number_file(&name.to_string_lossy(), bytes))
}

fn text(root: &ProcRoot, name: &CStr, buffer: &mut Vec<u8>) -> Text {
    match root.read(name, buffer, LIMIT) {
        Ok(()) => Text::from_bytes(buffer.trim_ascii_end()),
        Err(_) => Text::default(),
    }
}

/// Tasks in `0.00 0.01 0.05 1/213 25034`: the number after the slash.
fn parse_tasks(bytes: &[u8]) -> Result<u64, Absence> {
    let line = scan::complete("loadavg", bytes)?;
    let word = scan::words(line).nth(3);
    let tasks = word.and_then(|word| word.split(|byte| *byte == b'/').nth(1)).and_then(scan::number);
    tasks.ok_or_else(|| Absence::malformed("loadavg", 1, "tasks"))
}

fn pressure(root: &ProcRoot, buffer: &mut Vec<u8>) -> Result<Pressure, Absence> {
    let mut share = |name: &CStr, line: &str| {
        root.read(name, buffer, LIMIT)?;
        vmstat::parse_pressure(buffer, line)
    };
    Ok(Pressure {
        memory_some: share(c"pressure/memory", "some")?,
        memory_full: share(c"pressure/memory", "full")?,
        cpu_some: share(c"pressure/cpu", "some")?,
        io_some: share(c"pressure/io", "some")?,
    })
}

/// Processors online, from `0-3,8` in /sys/devices/system/cpu/online; at least the one that runs this.
fn cpus(root: &ProcRoot) -> u64 {
    let listed = std::fs::read(root.outside(b"/sys/devices/system/cpu/online")).ok();
    listed.and_then(|list| parse_cpus(&list)).unwrap_or(1)
}

fn parse_cpus(bytes: &[u8]) -> Option<u64> {
    let content = scan::complete("online", bytes).ok()?;
    let mut count = 0_u64;
    for range in content.split(|byte| *byte == b',') {
        let (first, rest) = scan::leading_number(range)?;
        let last = match rest {
            [] => first,
            [b'-', last @ ..] => scan::number(last)?,
            _ => return None,
        };
        count = count.saturating_add(last.checked_sub(first)?).saturating_add(1);
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_files() {
        assert_eq!(parse_tasks(b"0.00 0.01 0.05 1/213 25034\n"), Ok(213));
        for wrong in [&b""[..], b"0.00 0.01 0.05 1/2", b"0.00 0.01 0.05 1 2\n", b"\n"] {
            assert!(parse_tasks(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(parse_cpus(b"0-3,8\n"), Some(5));
        assert_eq!(parse_cpus(b"0\n"), Some(1));
        for wrong in [&b""[..], b"3-1\n", b"0-\n", b"0-3", b",\n"] {
            assert_eq!(parse_cpus(wrong), None, "{wrong:?}");
        }
        let id = parse_boot_id(b"0b5d3c1e-8d2f-4c57-9a43-7e1f0c2b6d98\n");
        assert_eq!(id, Some(BootId(0x0b5d_3c1e_8d2f_4c57_9a43_7e1f_0c2b_6d98)));
        assert_eq!(parse_boot_id(b"0b5d3c1e-8d2f-4c57-9a43-7e1f0c2b6d9\n"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (parse_tasks(&bytes), parse_cpus(&bytes), parse_boot_id(&bytes));
        }
    }
}
