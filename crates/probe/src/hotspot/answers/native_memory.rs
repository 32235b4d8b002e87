//! `VM.native_memory summary`: what the JVM allocates by category, when it was started with native memory tracking.
//!
//! ```text
//! Total: reserved=1446013KB, committed=126573KB
//! -                    Thread (reserved=29831KB, committed=2179KB)
//!                             (thread #29)
//!                             (stack: reserved=29696KB, committed=2044KB)
//! -                     Other (reserved=3072KB, committed=3072KB)
//!                             (malloc=3072KB #3)
//! ```

use model::{Bytes, NmtCategory};

use super::bytes;
use crate::proc::scan;

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeMemory {
    /// In the JVM's order; empty when tracking is off.
    pub categories: Vec<NmtCategory>,
    /// Bytes and number of what `Unsafe.allocateMemory` holds (category `Other`, JDK 11 and later): direct buffers, and
    /// whatever a library allocates so.
    pub unsafe_memory: Option<(u64, u64)>,
}

/// Reads it.
#[must_use]
pub fn parse(text: &str) -> NativeMemory {
    let mut found = NativeMemory::default();
    let mut name = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix('-') {
            name = "";
            if let Some(category) = category(rest) {
                found.categories.push(category);
                name = rest.rsplit_once(" (").map_or("", |(name, _)| name.trim());
            }
        } else if name == "Other"
            && let Some(rest) = line.trim_start().strip_prefix("(malloc=")
        {
            found.unsafe_memory = malloc(rest).or(found.unsafe_memory);
        }
    }
    found
}

/// `                    Thread (reserved=29831KB, committed=2179KB)`.
fn category(text: &str) -> Option<NmtCategory> {
    let (name, amounts) = text.rsplit_once(" (reserved=")?;
    let (reserved, rest) = bytes(amounts)?;
    let (committed, rest) = bytes(rest.strip_prefix(", committed=")?)?;
    // `, readonly=…` follows in some versions.
    (rest.starts_with(')') || rest.starts_with(',')).then(|| NmtCategory {
        name: name.trim().into(),
        reserved: Bytes(reserved),
        committed: Bytes(committed),
    })
}

/// `3072KB #3) `, `3072KB tag=Other #3) (at peak)`.
fn malloc(text: &str) -> Option<(u64, u64)> {
    let (size, rest) = bytes(text)?;
    let (_, count) = rest.split_once('#')?;
    scan::leading_number(count.as_bytes()).map(|(count, _)| (size, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWERS: [(&str, &str); 4] = [
        ("11", include_str!("fixtures/11.native_memory.txt")),
        ("17", include_str!("fixtures/17.native_memory.txt")),
        ("21", include_str!("fixtures/21.native_memory.txt")),
        ("25", include_str!("fixtures/25.native_memory.txt")),
    ];

    #[test]
    fn answers_of_all_versions() {
        for (version, answer) in ANSWERS {
            let found = parse(answer);
            let of = |name: &str| found.categories.iter().find(|one| one.name.as_str() == name).unwrap();
            assert_eq!(of("Java Heap").reserved, Bytes::from_kib(65_536), "{version}");
            assert!(of("Thread").reserved > of("Thread").committed, "{version}");
            assert_eq!(found.unsafe_memory, Some((3 << 20, 3)), "{version}: three buffers of 1 MiB");
            let total = answer.lines().find_map(|line| line.strip_prefix("Total: reserved=")).unwrap();
            let (total, _) = bytes(total).unwrap();
            let sum: u64 = found.categories.iter().map(|one| one.reserved.0).sum();
            assert!(sum.abs_diff(total) < 64 << 10, "{version}: {sum} {total}, rounded to KiB each");
        }
    }

    #[test]
    fn jdk_8_counts_buffers_among_its_own() {
        let found = parse(include_str!("fixtures/8.native_memory.txt"));
        assert!(found.categories.iter().any(|one| one.name.as_str() == "Internal"));
        assert_eq!(found.unsafe_memory, None);
    }

    #[test]
    fn off_is_nothing() {
        assert_eq!(parse("Native memory tracking is not enabled\n"), NativeMemory::default());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(-|Other|Thread| \\(reserved=|, committed=|\\(malloc=|[0-9]{1,22}|KB|#|\\)|\\PC|\n){0,40}") {
            let _ = parse(&text);
        }
    }
}
