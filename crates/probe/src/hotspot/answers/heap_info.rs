//! `GC.heap_info`: how much of the heap is in use, in each collector's own words.
//!
//! ```text
//!  garbage-first heap   total 65536K, used 1271K [0x00000000fc000000, 0x0000000100000000)
//!  PSYoungGen      total 18944K, used 1006K [0x…
//!   eden space 16384K, 6% used [0x…
//!  ParOldGen       total 44032K, used 0K [0x…
//!  ZHeap           used 4M, capacity 64M, max capacity 64M
//!  64M max, 64M soft max, 64M committed, 1280K used                        Shenandoah
//!  Metaspace       used 4991K, committed 5120K, reserved 1114112K
//! ```

use super::bytes;

/// Bytes of the heap in use, garbage included; `None` when no line says so.
#[must_use]
pub fn used(text: &str) -> Option<u64> {
    let mut sum: Option<u64> = None;
    for line in text.lines() {
        if line.trim_start().starts_with("Metaspace") {
            break;
        }
        if let Some(used) = of_line(line) {
            sum = Some(sum.unwrap_or(0).saturating_add(used));
        }
    }
    sum
}

fn of_line(line: &str) -> Option<u64> {
    // `6% used` of a space is part of what the generation's line says.
    if line.contains('%') {
        return None;
    }
    if let Some((_, after)) = line.split_once("used ") {
        return bytes(after).map(|(size, _)| size);
    }
    let (before, _) = line.split_once(" used")?;
    bytes(before.rsplit([' ', ',']).next()?).map(|(size, _)| size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const K: u64 = 1 << 10;

    #[test]
    fn the_words_of_each_collector() {
        let metaspace =
            " Metaspace       used 4991K, committed 5120K, reserved 1114112K\n  class space    used 459K\n";
        for (answer, expected) in [
            (
                " garbage-first heap   total 65536K, used 1271K [0x0, 0x1)\n  region size 1024K, 2 young (2048K)\n",
                1271 * K,
            ),
            (
                "garbage-first heap   total reserved 65536K, committed 65536K, used 4956K [0x0, 0x1)\n",
                4956 * K,
            ),
            (
                " PSYoungGen      total 18944K, used 1006K [0x0\n  eden space 16384K, 6% used [0x0\n ParOldGen       total 44032K, used 20K [0x0\n  object space 44032K, 0% used [0x0\n",
                1026 * K,
            ),
            (
                " def new generation   total 19648K, used 1406K [0x0\n  eden space 17472K,   8% used [0x0\n tenured generation   total 43712K, used 0K [0x0\n   the space 43712K,   0% used\n",
                1406 * K,
            ),
            (" ZHeap           used 4M, capacity 64M, max capacity 64M\n", 4096 * K),
            (
                "Shenandoah Heap\n 64M max, 64M soft max, 64M committed, 1280K used\n 256 x 256K regions\n",
                1280 * K,
            ),
        ] {
            assert_eq!(used(&format!("{answer}{metaspace}")), Some(expected), "{answer}");
        }
        assert_eq!(used(metaspace), None);
        assert_eq!(used(""), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(used | used|[0-9]{1,22}|K|M|,|%|\\PC|\n){0,40}") {
            let _ = used(&text);
        }
    }
}
