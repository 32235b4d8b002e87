//! What /proc says, read here by plain code of the tests' own: the other side of each comparison.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Leaker;

/// One mapping of /proc/PID/smaps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Smap {
    pub(crate) start: u64,
    pub(crate) size: u64,
    /// Resident and swapped bytes.
    pub(crate) used: u64,
    /// Charged to the commit limit (`ac` in VmFlags).
    pub(crate) charged: bool,
}

/// All of /proc/PID/smaps.
#[track_caller]
pub(crate) fn smaps(pid: u32) -> Vec<Smap> {
    let bytes = std::fs::read(format!("/proc/{pid}/smaps")).expect("its smaps");
    let text = String::from_utf8_lossy(&bytes);
    let mut all: Vec<Smap> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((start, end)) = range(first) {
            all.push(Smap { start, size: end - start, ..Smap::default() });
            continue;
        }
        let Some(last) = all.last_mut() else { continue };
        match first {
            "Rss:" | "Swap:" | "Private_Hugetlb:" => last.used += kib(words.next()),
            "VmFlags:" => last.charged = words.any(|flag| flag == "ac"),
            _ => {}
        }
    }
    assert!(!all.is_empty(), "no mappings in smaps of {pid}");
    all
}

fn range(word: &str) -> Option<(u64, u64)> {
    let (start, end) = word.split_once('-')?;
    Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
}

fn kib(word: Option<&str>) -> u64 {
    word.and_then(|w| w.parse::<u64>().ok()).expect("a number of kB") * 1024
}

/// A field of /proc/PID/status in bytes.
#[track_caller]
pub(crate) fn status_bytes(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = status.lines().find(|l| l.starts_with(field)).expect(field);
    kib(line.split_ascii_whitespace().nth(1))
}

/// Bytes of [vsyscall], which /proc/PID/maps lists though it is no part of VmSize.
pub(crate) fn vsyscall(pid: u32) -> u64 {
    let maps = std::fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    if String::from_utf8_lossy(&maps).contains("[vsyscall]") { 4096 } else { 0 }
}

/// The row of a class in a map document.
pub(crate) fn class<'a>(map: &'a Value, name: &str) -> &'a Value {
    let rows = map["classes"].as_array().expect("classes");
    rows.iter().find(|row| row["class"] == name).unwrap_or(&Value::Null)
}

/// A number of a class; 0 when the class does not occur.
pub(crate) fn of_class(map: &Value, name: &str, field: &str) -> u64 {
    class(map, name)[field].as_u64().unwrap_or(0)
}

/// The classes' rows sum exactly to the total, in every column; the total is the process's size.
#[track_caller]
pub(crate) fn assert_classes_sum_to_the_process(map: &Value, pid: u32) {
    let rows = map["classes"].as_array().expect("classes");
    for field in [
        "maps",
        "reserved_bytes",
        "committed_bytes",
        "touched_bytes",
        "pss_bytes",
        "dirty_bytes",
        "swap_bytes",
    ] {
        if map["total"][field].is_null() {
            continue;
        }
        let sum: u64 = rows.iter().map(|row| row[field].as_u64().unwrap_or(0)).sum();
        assert_eq!(map["total"][field].as_u64(), Some(sum), "{field} of {map:#}");
    }
    let size = status_bytes(pid, "VmSize:") + vsyscall(pid);
    assert_eq!(map["total"]["reserved_bytes"].as_u64(), Some(size), "VmSize of {pid}");
}

/// Used and charged bytes by class: smaps as read here, the classes as flatfoot gives them to each mapping.
#[track_caller]
pub(crate) fn smaps_by_class(map_with_mappings: &Value, pid: u32) -> BTreeMap<String, (u64, u64)> {
    let rows = map_with_mappings["mappings"].as_array().expect("mappings");
    let smaps = smaps(pid);
    assert_eq!(rows.len(), smaps.len(), "every mapping is listed");
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (row, smap) in rows.iter().zip(&smaps) {
        assert_eq!(hex(row), smap.start, "{row}");
        let entry = sums.entry(row["class"].as_str().expect("a class").to_owned()).or_default();
        entry.0 += smap.used;
        entry.1 += if smap.charged { smap.size } else { 0 };
    }
    sums
}

/// Start of a mapping's row.
pub(crate) fn hex(row: &Value) -> u64 {
    u64::from_str_radix(row["start"].as_str().unwrap_or_default(), 16).expect("an address")
}

/// A program that leaks a thread each 100 ms, has leaked 40 of them, and goes on.
#[track_caller]
pub(crate) fn leaking() -> Leaker {
    let program = Leaker::start("leak", &["threads-unjoined", "100", "0", "pool-#-thread-1"]);
    program.wait_for_tasks(41, 60.0);
    program
}

/// Wall-clock time in Unix seconds, as findings give it.
pub(crate) fn wall() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A word of a ready line: `bytes` of `ready pid=7 bytes=4096`.
#[track_caller]
pub(crate) fn word<'a>(ready: &'a str, key: &str) -> &'a str {
    let wanted = format!("{key}=");
    let found = ready.split(' ').find_map(|w| w.strip_prefix(wanted.as_str()));
    found.unwrap_or_else(|| panic!("no {key} in {ready:?}"))
}
