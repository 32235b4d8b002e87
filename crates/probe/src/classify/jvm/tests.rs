//! Layouts of real JVMs (`layouts/VERSION-OPTIONS.maps`: /proc/PID/maps without stacks and libraries), against what the
//! same JVMs said of themselves: `jcmd PID VM.native_memory` and `VM.metaspace`, in KiB.

use std::fmt::Write as _;

use model::{AddressSpace, Bytes, MemoryClass, ProcessReading, Reading, Text};

use crate::classify::classify;
use crate::proc::maps;

fn process(text: &[u8], line: &str) -> ProcessReading {
    ProcessReading {
        cmdline: Reading::Value(line.split(' ').map(Text::from).collect()),
        space: Reading::Value(maps::parse(text).unwrap()),
        ..ProcessReading::default()
    }
}

fn reserved(map: &model::MemoryMap, class: MemoryClass) -> u64 {
    map.of(class).reserved.0 / 1024
}

/// Heap reserved and committed, the archive with its filler, code, metaspace committed.
fn check(text: &[u8], line: &str, heap: (u64, u64), archive: u64, code: u64, metaspace: u64) {
    let process = process(text, line);
    let map = classify(&process);
    assert_eq!(reserved(&map, MemoryClass::JavaHeap), heap.0, "heap");
    assert_eq!(map.of(MemoryClass::JavaHeap).committed.0 / 1024, heap.1, "heap, committed");
    assert_eq!(reserved(&map, MemoryClass::CdsArchive), archive, "archive");
    assert_eq!(reserved(&map, MemoryClass::CodeCache), code, "code");
    assert_eq!(reserved(&map, MemoryClass::Metaspace), 65_536 + 1_048_576, "a node and the class space");
    assert_eq!(map.of(MemoryClass::Metaspace).committed.0 / 1024, metaspace, "metaspace, committed");
    assert_eq!(reserved(&map, MemoryClass::MallocArena), 15 * 65_536, "fifteen arenas");
}

const CODE: u64 = 240 * 1024;

#[test]
fn g1() {
    check(include_bytes!("layouts/17-g1.maps"), "java T", (6_172_672, 397_312), 16_384, CODE, 384);
    check(include_bytes!("layouts/25-g1.maps"), "java T", (6_172_672, 393_216), 16_384, CODE + 4, 384);
}

#[test]
fn g1_with_a_size() {
    let small = include_bytes!("layouts/17-xmx512m.maps");
    check(small, "java -Xmx512m T", (524_288, 389_120), 16_384, CODE, 384);
    check(small, "java T", (524_288, 389_120), 16_384, CODE, 384);
    let large = include_bytes!("layouts/17-xmx40g.maps");
    check(large, "java -Xmx40g T", (41_943_040, 393_216), 16_384, CODE, 448);
    check(large, "java @options T", (41_943_040, 393_216), 16_384, CODE, 448);
}

#[test]
fn other_collectors() {
    check(include_bytes!("layouts/17-serial.maps"), "java T", (6_172_672, 387_072), 16_384, CODE, 448);
    check(include_bytes!("layouts/17-parallel.maps"), "java T", (6_172_672, 387_072), 16_384, CODE, 448);
    check(include_bytes!("layouts/17-shenandoah.maps"), "java T", (6_172_672, 387_072), 16_384, CODE, 448);
    // Three views of one memory file, which is charged page by page and to no mapping.
    check(include_bytes!("layouts/17-zgc.maps"), "java T", (296_288_256, 0), 16_384, CODE, 448);
    check(include_bytes!("layouts/25-zgc.maps"), "java T", (98_762_752, 0), 16_384, CODE + 4, 448);
}

#[test]
fn other_places() {
    let text = include_bytes!("layouts/17-no-compressed-oops.maps");
    check(text, "java -XX:-UseCompressedOops T", (6_172_672, 389_120), 16_384, CODE, 448);
    let text = include_bytes!("layouts/17-no-archive.maps");
    check(text, "java -Xshare:off T", (6_172_672, 389_120), 0, CODE, 4_928);
}

#[test]
fn a_heap_merged_with_the_tables_below_it_among_arenas() {
    // Committed in whole, above 32 GiB, with 32 MiB of other memory in the same mapping; and five arenas, which are
    // about as large.
    let mut text = String::from(
        "7f0f00000000-7f0f00001000 r-xp 00000000 08:02 7                          /usr/lib/jvm/libjvm.so\n",
    );
    for at in 0..5_u64 {
        let start = 0x7f1e_ec00_0000 + at * (64 << 20);
        let (open, end) = (start + 0x2_1000, start + (64 << 20));
        writeln!(text, "{start:x}-{open:x} rw-p 00000000 00:00 0 ").unwrap();
        writeln!(text, "{open:x}-{end:x} ---p 00000000 00:00 0 ").unwrap();
    }
    text += "7f1f34800000-7f1f49400000 rw-p 00000000 00:00 0 \n7f1f49400000-7f1f49670000 rwxp 00000000 00:00 0 \n\
             7f1f49670000-7f1f58400000 ---p 00000000 00:00 0 \n";
    let map = classify(&process(text.as_bytes(), "java -XX:-UseCompressedOops -Xmx300m T"));
    assert_eq!(reserved(&map, MemoryClass::JavaHeap), 300 * 1024);
    assert_eq!(reserved(&map, MemoryClass::MallocArena), 5 * 65_536);
    assert_eq!(reserved(&map, MemoryClass::Anonymous), 32 * 1024);
    assert_eq!(reserved(&map, MemoryClass::CodeCache), CODE);
}

#[test]
fn generations_above_32_gib_without_a_size() {
    // Serial: young, then old, each with its committed part; the heap of the layout, moved up.
    let text = include_str!("layouts/17-serial.maps");
    let mut moved = String::new();
    let mut heap = String::new();
    for line in text.split_inclusive('\n') {
        let (start, rest) = line.split_once('-').unwrap();
        let (end, _) = rest.split_once(' ').unwrap();
        let up = |address: &str| u64::from_str_radix(address, 16).unwrap() + 0x7000_0000_0000;
        if start.len() == 9 {
            writeln!(heap, "{:x}-{:x}{}", up(start), up(end), rest[end.len()..].trim_end()).unwrap();
        } else {
            if line.starts_with("7f") && !heap.is_empty() {
                moved.push_str(&std::mem::take(&mut heap));
            }
            moved.push_str(line);
        }
    }
    let moved = moved.replace("00:00 0\n", "00:00 0 \n");
    let map = classify(&process(moved.as_bytes(), "java T"));
    assert_eq!(reserved(&map, MemoryClass::JavaHeap), 6_172_672);
}

#[test]
fn arenas_as_large_as_the_heap() {
    let mut text = String::from(
        "7f0f00000000-7f0f00001000 r-xp 00000000 08:02 7                          /usr/lib/jvm/libjvm.so\n",
    );
    for at in 0..5_u64 {
        let start = 0x7f1e_ec00_0000 + at * (64 << 20);
        let (open, end) = (start + 0x2_1000, start + (64 << 20));
        writeln!(text, "{start:x}-{open:x} rw-p 00000000 00:00 0 ").unwrap();
        writeln!(text, "{open:x}-{end:x} ---p 00000000 00:00 0 ").unwrap();
    }
    text += "7f1f34800000-7f1f44800000 rw-p 00000000 00:00 0 \n7f1f44800000-7f1f48800000 ---p 00000000 00:00 0 \n";
    let map = classify(&process(text.as_bytes(), "java -XX:-UseCompressedOops -Xmx320m T"));
    assert_eq!(reserved(&map, MemoryClass::JavaHeap), 320 * 1024);
    assert_eq!(reserved(&map, MemoryClass::MallocArena), 5 * 65_536);
}

#[test]
fn metaspace_that_grew_while_it_was_read() {
    let text = include_str!("layouts/17-serial.maps");
    // 64 KiB are in neither of the two mappings: read before they were committed, and after.
    let torn = text.replace("7fa0e0040000-7fa0e0400000 ---p", "7fa0e0050000-7fa0e0400000 ---p");
    assert_ne!(torn, text);
    let map = classify(&process(torn.as_bytes(), "java T"));
    assert_eq!(reserved(&map, MemoryClass::Metaspace), 65_536 + 1_048_576 - 64);
}

#[test]
fn another_program_with_such_mappings_is_no_jvm() {
    let mut process = process(include_bytes!("layouts/17-serial.maps"), "java T");
    if let Reading::Value(space) = &mut process.space {
        let jvm = space.names.iter_mut().find(|name| name.as_str().contains("libjvm")).unwrap();
        *jvm = Text::from("/usr/lib/libother.so");
    }
    let map = classify(&process);
    for class in [MemoryClass::JavaHeap, MemoryClass::CodeCache, MemoryClass::CdsArchive] {
        assert_eq!(map.of(class).maps, 0, "{class:?}");
    }
}

#[test]
fn a_jvm_of_which_little_is_left() {
    // Any part of such a list: no panic, and every byte once.
    let whole = maps::parse(include_bytes!("layouts/17-g1.maps")).unwrap();
    for first in 0..whole.mappings.len() {
        for after in [first + 1, first + 2, first + 9, whole.mappings.len()] {
            let mappings = whole.mappings[first..after.min(whole.mappings.len())].to_vec();
            let size: u64 = mappings.iter().map(|mapping| mapping.size().0).sum();
            let space = AddressSpace { mappings, names: whole.names.clone(), ..AddressSpace::default() };
            let process = ProcessReading { space: Reading::Value(space), ..ProcessReading::default() };
            assert_eq!(classify(&process).total.reserved, Bytes(size));
        }
    }
}
