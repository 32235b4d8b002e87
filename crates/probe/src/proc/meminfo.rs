//! /proc/meminfo (fs/proc/meminfo.c).
//!
//! ```text
//! MemTotal:       24692528 kB
//! Committed_AS:    1839352 kB
//! ```

use model::{Bytes, MemInfo};

use super::{Absence, scan};

/// Parses the file. All the lines that flatfoot uses are there since Linux 3.14: a missing one is an error, not 0.
pub fn parse(bytes: &[u8]) -> Result<MemInfo, Absence> {
    const NAMES: [&str; 12] = [
        "MemTotal",
        "MemFree",
        "MemAvailable",
        "Committed_AS",
        "CommitLimit",
        "SwapTotal",
        "SwapFree",
        "AnonPages",
        "Shmem",
        "Slab",
        "PageTables",
        "KernelStack",
    ];
    let mut values: [Option<Bytes>; NAMES.len()] = [None; NAMES.len()];
    for (index, line) in scan::lines(scan::complete("meminfo", bytes)?).enumerate() {
        let Some(colon) = memchr::memchr(b':', line) else {
            return Err(Absence::malformed("meminfo", index + 1, "name of the field"));
        };
        if let Some(slot) = NAMES.iter().position(|name| name.as_bytes() == &line[..colon]) {
            let value = scan::kib(&line[colon + 1..]);
            values[slot] = Some(value.ok_or_else(|| Absence::malformed("meminfo", index + 1, NAMES[slot]))?);
        }
    }
    if let Some(missing) = values.iter().position(Option::is_none) {
        return Err(Absence::Malformed(format!("meminfo: no line {}", NAMES[missing])));
    }
    let [
        total,
        free,
        available,
        committed,
        commit_limit,
        swap_total,
        swap_free,
        anon,
        shmem,
        slab,
        page_tables,
        kernel_stack,
    ] = values.map(Option::unwrap_or_default);
    Ok(MemInfo {
        total,
        free,
        available,
        committed,
        commit_limit,
        swap_total,
        swap_free,
        anon,
        shmem,
        slab,
        page_tables,
        kernel_stack,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "MemTotal:       12 kB\nMemFree:        1 kB\nMemAvailable:   2 kB\nBuffers:    0 kB\n\
        SwapTotal:      6 kB\nSwapFree:       7 kB\nAnonPages:      8 kB\nShmem:          9 kB\nSlab:          10 kB\n\
        KernelStack:      11 kB\nPageTables:       13 kB\nCommitLimit:    14 kB\nCommitted_AS:    15 kB\n\
        HugePages_Total:       0\nHugetlb:               0 kB\n";

    #[test]
    fn every_field_has_its_place() {
        let kib = Bytes::from_kib;
        let expected = MemInfo {
            total: kib(12),
            free: kib(1),
            available: kib(2),
            committed: kib(15),
            commit_limit: kib(14),
            swap_total: kib(6),
            swap_free: kib(7),
            anon: kib(8),
            shmem: kib(9),
            slab: kib(10),
            page_tables: kib(13),
            kernel_stack: kib(11),
        };
        assert_eq!(parse(SAMPLE.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_missing_is_not_zero() {
        for end in 0..SAMPLE.find("HugePages").unwrap() {
            assert!(parse(&SAMPLE.as_bytes()[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(
            parse(SAMPLE.replace("CommitLimit:    14 kB\n", "").as_bytes()),
            Err(Absence::Malformed("meminfo: no line CommitLimit".into()))
        );
        assert_eq!(
            parse(SAMPLE.replace("14 kB", "14").as_bytes()),
            Err(Absence::Malformed("meminfo: line 12: CommitLimit".into()))
        );
    }
}
