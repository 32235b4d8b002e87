use model::{
    AddressSpace, Bytes, Mapping, MappingDetail, MemoryClass, Perms, Pid, ProcessReading, Reading, StackHint,
    Stat, Statm, Stretch, Text, Thread, TouchedFrom, VmFlags,
};
use proptest::prelude::*;

use super::classify;
use crate::proc::maps;

fn of_maps(text: &str) -> ProcessReading {
    ProcessReading {
        space: Reading::Value(maps::parse(text.as_bytes()).unwrap()),
        ..ProcessReading::default()
    }
}

#[test]
fn without_mappings_all_is_unexplained() {
    let stat = Stat { virtual_size: Bytes(4096), ..Stat::default() };
    let map = classify(&ProcessReading { stat, ..ProcessReading::default() });
    assert_eq!(map.total.reserved, Bytes(4096));
    assert_eq!(map.of(MemoryClass::Unexplained).reserved, Bytes(4096));
    assert_eq!(map.classes.len(), 1);
    assert!(classify(&ProcessReading::default()).classes.is_empty());
}

#[test]
fn what_the_kernel_counts_beyond_the_list_is_unexplained() {
    let mut process = of_maps(
        "7f0000000000-7f0000002000 rw-p 00000000 00:00 0 \n\
         ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n",
    );
    process.statm = Reading::Value(Statm { size: Bytes(0x5000), ..Statm::default() });
    let map = classify(&process);
    assert_eq!(map.of(MemoryClass::Unexplained).reserved, Bytes(0x3000));
    assert_eq!(map.total.reserved, Bytes(0x6000), "VmSize, and the page that belongs to no process");
    assert_eq!(map.of(MemoryClass::Unexplained).touched, None);
    // The list was read when the process had grown.
    process.statm = Reading::Value(Statm { size: Bytes(0x1000), ..Statm::default() });
    assert_eq!(classify(&process).of(MemoryClass::Unexplained).reserved, Bytes::ZERO);
}

#[test]
fn arenas() {
    let map = classify(&of_maps(
        "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n7f0000021000-7f0004000000 ---p 00000000 00:00 0 \n\
         7f0008000000-7f0010021000 rw-p 00000000 00:00 0 \n7f0010021000-7f0018000000 ---p 00000000 00:00 0 \n\
         7f0020000000-7f0024000000 rw-p 00000000 00:00 0 \n\
         7f0030000000-7f0030021000 rw-p 00000000 00:00 0 \n7f0030021000-7f0033fff000 ---p 00000000 00:00 0 \n\
         7f0040000000-7f0040021000 rwxp 00000000 00:00 0 \n7f0040021000-7f0044000000 ---p 00000000 00:00 0 \n\
         7f0050001000-7f0050021000 rw-p 00000000 00:00 0 \n7f0050021000-7f0054000000 ---p 00000000 00:00 0 \n",
    ));
    let arenas = map.of(MemoryClass::MallocArena);
    // One; three, of which two are full and merged, and what follows the third is not theirs; one that is full.
    assert_eq!(arenas.reserved, Bytes((1 + 3 + 1) * (64 << 20)));
    assert_eq!(arenas.maps, 5);
    assert_eq!(arenas.committed, Bytes::ZERO, "MAP_NORESERVE");
    assert_eq!(map.of(MemoryClass::Reserved).reserved.0, 0x400_0000 + 0x3fd_e000 + 2 * 0x3fd_f000);
    let lone = classify(&of_maps("7f0020000000-7f0024000000 rw-p 00000000 00:00 0 \n"));
    assert_eq!(
        lone.of(MemoryClass::Anonymous).reserved,
        Bytes(64 << 20),
        "64 MiB and nothing else that says arena"
    );
}

#[test]
fn what_is_charged_without_flags() {
    let map = classify(&of_maps(
        "55c1a0000000-55c1a0001000 r--p 00000000 08:02 7                          /bin/x\n\
         55c1a0001000-55c1a0003000 r-xp 00001000 08:02 7                          /bin/x\n\
         55c1a0003000-55c1a0005000 r--p 00003000 08:02 7                          /bin/x\n\
         55c1a0005000-55c1a0006000 r--p 00004000 08:02 7                          /bin/x\n\
         55c1a0006000-55c1a0008000 rw-p 00005000 08:02 7                          /bin/x\n\
         7f0000000000-7f0000010000 rw-s 00000000 00:01 9                          /dev/zero (deleted)\n\
         7f0001000000-7f0001010000 ---p 00000000 00:00 0 \n7f0002000000-7f0002010000 rw-p 00000000 00:00 0 \n",
    ));
    assert!(!map.committed_exact);
    assert_eq!(map.of(MemoryClass::FilePrivate).committed, Bytes(0x3000), "data, and constants once written");
    assert_eq!(map.total.committed, Bytes(0x1_3000));
}

fn mapping() -> impl Strategy<Value = (Mapping, u64)> {
    // Sizes and places as reservations have them: pages, granules of 64 KiB, and multiples of mebibytes.
    let size = prop_oneof![1..64_u64, (1..64_u64).prop_map(|n| n * 16), (1..40_u64).prop_map(|n| n * 0x1000)];
    let gap = prop_oneof![3 => Just(0_u64), 1 => 1..8_u64];
    (gap, size, any::<bool>(), 0..16_u8, 0..12_u32).prop_map(|(gap, size, align, perms, name)| {
        let perms = Perms(if name == 0 { perms & !Perms::SHARED } else { perms });
        // `start` is the gap and `end` the size until they are placed; `offset` says whether to align.
        let mapping = Mapping { start: gap << 12, end: size << 12, perms, name, ..Mapping::default() };
        (mapping, u64::from(align))
    })
}

const NAMES: [&str; 12] = [
    "",
    "[heap]",
    "[stack]",
    "/usr/lib/libc.so.6",
    "/usr/lib/libjvm.so",
    "/usr/lib/classes.jsa",
    "/memfd:java_heap (deleted)",
    "/dev/zero (deleted)",
    "[vvar]",
    "anon_inode:[perf_event]",
    "/tmp/x (deleted)",
    "/lib/ld-musl-x86_64.so.1",
];

fn space(start: u64, list: Vec<(Mapping, u64)>) -> AddressSpace {
    let mut at = start;
    let mut mappings = Vec::new();
    for (mut mapping, align) in list {
        // Most are nameless: the names are drawn evenly.
        if mapping.start & 0x1000 != 0 {
            mapping.name = 0;
        }
        at += mapping.start;
        if align == 1 {
            at = at.next_multiple_of(4 << 20);
        }
        mapping.start = at;
        mapping.end += at;
        at = mapping.end;
        mappings.push(mapping);
    }
    AddressSpace { mappings, names: NAMES.into_iter().map(Text::from).collect(), ..AddressSpace::default() }
}

proptest! {
    #[test]
    fn classes_share_out_every_byte(
        start in prop_oneof![Just(0x1_0000_u64), Just(0x6_8000_0000), Just(0x7f00_0000_0000)],
        list in prop::collection::vec(mapping(), 1..40),
        touched in prop::collection::vec(any::<u32>(), 40),
        flags in prop::option::of(prop::collection::vec(0..256_u16, 40)),
        hints in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>(), any::<bool>()), 0..12),
        guards in prop::collection::vec((any::<prop::sample::Index>(), 0..64_u64, 1..4_u64), 0..6),
        extra in 0..3_u64,
    ) {
        let mut space = space(start, list);
        let count = space.mappings.len();
        space.touched = Reading::Value(touched[..count].iter().map(|bytes| u64::from(*bytes)).collect());
        space.touched_from = TouchedFrom::PagemapScan;
        if let Some(flags) = flags {
            let details = flags[..count].iter().zip(&touched).map(|(flags, bytes)| MappingDetail {
                flags: VmFlags(*flags),
                pss: Bytes(u64::from(bytes / 3)),
                private_dirty: Bytes(u64::from(bytes / 7)),
                swap: Bytes(u64::from(bytes / 11)),
                ..MappingDetail::default()
            });
            space.details = Reading::Value(details.collect());
        }
        for (index, page, pages) in guards {
            let mapping = &space.mappings[index.index(count)];
            let from = (mapping.start + page * 4096).min(mapping.end);
            space.guards.push((from, (from + pages * 4096).min(mapping.end)));
        }
        space.guards.retain(|guard| guard.0 < guard.1);
        space.guards.sort_unstable();
        let mut last = 0;
        space.guards.retain(|guard| {
            let fits = guard.0 >= last;
            last = last.max(guard.1);
            fits
        });
        let threads: Vec<_> = hints.iter().enumerate().map(|(at, (index, offset, exact))| {
            let mapping = &space.mappings[index.index(count)];
            let address = mapping.start + u64::from(*offset) % (mapping.end - mapping.start);
            let hint = if *exact { StackHint::RobustList(address) } else { StackHint::StackPointer(address) };
            Thread { tid: Pid(at as u32 + 2), stack: Some(hint), ..Thread::default() }
        }).collect();
        let listed: u64 = space.mappings.iter().map(|mapping| mapping.size().0).sum();
        let process = ProcessReading {
            stat: Stat { virtual_size: Bytes(listed + extra * 4096), ..Stat::default() },
            space: Reading::Value(space.clone()),
            threads: Reading::Value(threads.clone()),
            ..ProcessReading::default()
        };
        let map = classify(&process);
        prop_assert_eq!(map.class_of.len(), count);
        prop_assert_eq!(map.total.reserved, Bytes(listed + extra * 4096));
        prop_assert_eq!(map.of(MemoryClass::Unexplained).reserved, Bytes(extra * 4096));
        let sum = |of: fn(&model::Amounts) -> u64| map.classes.iter().map(|(_, amounts)| of(amounts)).sum::<u64>();
        prop_assert_eq!(sum(|amounts| amounts.reserved.0), map.total.reserved.0);
        prop_assert_eq!(sum(|amounts| amounts.committed.0), map.total.committed.0);
        let all_touched: u64 = space.touched.value().map_or(0, |all| all.iter().sum());
        prop_assert_eq!(map.total.touched, Some(Bytes(all_touched)));
        if let Some(details) = space.details.value() {
            let charged = space.mappings.iter().zip(details)
                .filter(|(_, detail)| detail.flags.has(VmFlags::ACCOUNTED)).map(|(mapping, _)| mapping.size().0);
            prop_assert_eq!(map.total.committed.0, charged.sum::<u64>());
            prop_assert_eq!(map.total.pss.map(|pss| pss.0), Some(details.iter().map(|detail| detail.pss.0).sum()));
            prop_assert_eq!(map.total.swap.map(|swap| swap.0), Some(details.iter().map(|detail| detail.swap.0).sum()));
        }
        // Stacks lie in mappings, and not over each other.
        let mut stacks: Vec<_> = map.stacks.iter().map(|stack| (stack.start, stack.end)).collect();
        stacks.sort_unstable();
        prop_assert!(stacks.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{:x?}", stacks);
        let others = threads.len() as u64;
        let main = u64::from(map.stacks.iter().any(|stack| stack.tid == Pid(0)));
        let missing = map.stacks_missing.as_ref().map_or(0, |missing| missing.0);
        prop_assert_eq!(map.stacks.len() as u64 - main + missing, others);
    }

    /// A case file may hold anything: in order, or not.
    #[test]
    fn nonsense_is_classified_without_panic(
        mappings in prop::collection::vec((any::<u64>(), any::<u64>(), 0..16_u8, any::<u64>(), 0..14_u32), 0..20),
        ordered: bool,
        ranges in prop::collection::vec((any::<u64>(), any::<u64>()), 0..6),
        hints in prop::collection::vec(any::<u64>(), 0..8),
        numbers in prop::collection::vec(any::<u64>(), 0..24),
        line in prop::collection::vec("-Xmx[0-9]{1,25}[kKmMgGtT]?|-XX:CompressedClassSpaceSize=[0-9]{1,22}g", 0..3),
    ) {
        let mut places: Vec<u64> = mappings.iter().flat_map(|mapping| [mapping.0, mapping.1]).collect();
        if ordered {
            places.sort_unstable();
            places.dedup();
        }
        let mappings = mappings.into_iter().zip(places.chunks_exact(2))
            .map(|((_, _, perms, offset, name), range)| Mapping {
                start: range[0], end: range[1], perms: Perms(perms), offset, device: 0, inode: offset & 1, name,
            }).collect();
        let space = AddressSpace {
            mappings,
            names: NAMES.into_iter().map(Text::from).collect(),
            touched: Reading::Value(numbers.clone()),
            guards: ranges.clone(),
            stretches: ranges.iter().map(|(start, end)| Stretch { start: *start, end: *end, touched: *end }).collect(),
            named_deleted: vec![7, 3, 99],
            ..AddressSpace::default()
        };
        let threads = hints.iter().enumerate().map(|(at, hint)| Thread {
            tid: Pid(at as u32), stack: Some(StackHint::RobustList(*hint)), ..Thread::default()
        });
        let mut words = vec![Text::from("java")];
        words.extend(line.into_iter().map(Text::from));
        let process = ProcessReading {
            space: Reading::Value(space),
            threads: Reading::Value(threads.collect()),
            cmdline: Reading::Value(words),
            ..ProcessReading::default()
        };
        let map = classify(&process);
        prop_assert!(map.classes.len() <= MemoryClass::ALL.len());
    }
}
