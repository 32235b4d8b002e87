use std::fmt::Write as _;

use model::{MappingDetail, MemoryMap, Reading, Stat, Stretch, Thread, TouchedFrom, VmFlags};

use super::*;
use crate::classify::classify;
use crate::proc::maps;

const MAIN: Pid = Pid(100);

fn process(text: &str, hints: &[(u32, StackHint)]) -> ProcessReading {
    let threads =
        hints.iter().map(|(tid, hint)| Thread { tid: Pid(*tid), stack: Some(*hint), ..Thread::default() });
    let mut process = ProcessReading {
        stat: Stat { threads: hints.len() as u64 + 1, ..Stat::default() },
        threads: Reading::Value(threads.collect()),
        space: Reading::Value(maps::parse(text.as_bytes()).unwrap()),
        ..ProcessReading::default()
    };
    process.key.pid = MAIN;
    process
}

fn robust(address: u64) -> StackHint {
    StackHint::RobustList(address)
}

fn space(process: &mut ProcessReading) -> &mut AddressSpace {
    match &mut process.space {
        Reading::Value(space) => space,
        other => panic!("{other:?}"),
    }
}

/// Tid, first and last address (their lower 32 bits) and guard of each stack.
fn found(map: &MemoryMap) -> Vec<(u32, u64, u64, u64)> {
    map.stacks.iter().map(|s| (s.tid.0, s.start & 0xffff_ffff, s.end & 0xffff_ffff, s.guard.0)).collect()
}

fn of(map: &MemoryMap, class: MemoryClass) -> (u64, u64) {
    (map.of(class).maps, map.of(class).reserved.0)
}

#[test]
fn each_with_a_guard_below() {
    let mut process = process(
        "7f0000000000-7f0000004000 ---p 00000000 00:00 0 \n7f0000004000-7f0000100000 rw-p 00000000 00:00 0 \n\
         7f0000100000-7f0000104000 ---p 00000000 00:00 0 \n7f0000104000-7f0000200000 rw-p 00000000 00:00 0 \n\
         7f0000200000-7f0000300000 rw-p 00000000 00:00 0 \n\
         7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n",
        &[(101, robust(0x7f00_000f_f9e0)), (102, robust(0x7f00_001f_f9e0)), (100, robust(0x7f00_0020_0740))],
    );
    space(&mut process).touched = Reading::Value(vec![0, 8192, 0, 4096, 0, 12_288]);
    space(&mut process).touched_from = TouchedFrom::PagemapScan;
    let map = classify(&process);
    assert_eq!(
        found(&map),
        [(100, 0, 0x2_1000, 0), (101, 0x4000, 0x10_0000, 0x4000), (102, 0x10_4000, 0x20_0000, 0x4000)]
    );
    let touched: Vec<_> = map.stacks.iter().map(|stack| stack.touched).collect();
    assert_eq!(touched, [Some(Bytes(12_288)), Some(Bytes(8192)), Some(Bytes(4096))]);
    assert_eq!(of(&map, MemoryClass::Guard), (2, 0x8000));
    assert_eq!(of(&map, MemoryClass::ThreadStack), (3, 2 * 0xf_c000 + 0x2_1000));
    assert_eq!(of(&map, MemoryClass::Anonymous), (1, 0x10_0000), "the main thread's hint is in no stack");
    assert_eq!(map.stacks_missing, None);
    assert_eq!(map.stacks[1].committed, Bytes(0xf_c000));
}

#[test]
fn merged_at_guards() {
    let mut process = process(
        "7f0000000000-7f0000030000 rw-p 00000000 00:00 0 \n",
        &[(101, robust(0x7f00_0000_f9e0)), (102, robust(0x7f00_0002_f9e0))],
    );
    let base = 0x7f00_0000_0000;
    let inner = space(&mut process);
    inner.guards = (0..3).map(|at| (base + at * 0x1_0000, base + at * 0x1_0000 + 0x1000)).collect();
    inner.touched = Reading::Value(vec![0x5000]);
    inner.stretches = [0x2000, 0x1000, 0x2000]
        .into_iter()
        .zip(0..)
        .map(|(touched, at)| Stretch {
            start: base + at * 0x1_0000 + 0x1000,
            end: base + (at + 1) * 0x1_0000,
            touched,
        })
        .collect();
    let map = classify(&process);
    assert_eq!(found(&map), [(101, 0x1000, 0x1_0000, 0x1000), (102, 0x2_1000, 0x3_0000, 0x1000)]);
    assert_eq!(map.stacks[1].touched, Some(Bytes(0x2000)));
    assert_eq!(of(&map, MemoryClass::Guard), (3, 0x3000));
    assert_eq!(of(&map, MemoryClass::Anonymous), (1, 0xf000), "the stack of a thread that ended");
    assert_eq!(map.of(MemoryClass::ThreadStack).touched, Some(Bytes(0x4000)));
    assert_eq!(map.of(MemoryClass::Guard).touched, Some(Bytes(0)));
    assert_eq!(map.class_of, [MemoryClass::Guard], "the first class of the mapping");
}

#[test]
fn side_by_side_without_guards() {
    // Something, three stacks of 64 KiB, something.
    let process = process(
        "7f0000000000-7f0000050000 rw-p 00000000 00:00 0 \n7f0000060000-7f0000070000 rw-p 00000000 00:00 0 \n",
        &[
            (101, robust(0x7f00_0001_f9e0)),
            (102, robust(0x7f00_0002_f9e0)),
            (103, robust(0x7f00_0003_f9e0)),
            (104, robust(0x7f00_0006_f9e0)),
        ],
    );
    let map = classify(&process);
    assert_eq!(
        found(&map),
        [
            (101, 0x1_0000, 0x2_0000, 0),
            (102, 0x2_0000, 0x3_0000, 0),
            (103, 0x3_0000, 0x4_0000, 0),
            (104, 0x6_0000, 0x7_0000, 0)
        ]
    );
    assert_eq!(of(&map, MemoryClass::ThreadStack), (4, 0x4_0000));
    assert_eq!(of(&map, MemoryClass::Anonymous), (2, 0x2_0000));
}

#[test]
fn something_above_a_stack_is_not_of_it() {
    let two = "7f0000000000-7f0000010000 rw-p 00000000 00:00 0 \n7f0000020000-7f0000060000 rw-p 00000000 00:00 0 \n";
    let hints = [(101, robust(0x7f00_0000_f9e0)), (102, robust(0x7f00_0002_f9e0))];
    let map = classify(&process(two, &hints));
    assert_eq!(found(&map), [(101, 0, 0x1_0000, 0), (102, 0x2_0000, 0x3_0000, 0)]);
    // Where all stacks go on for two pages after the hint's (static TLS above, on aarch64), those belong to them.
    let hints = [(101, robust(0x7f00_0000_d9e0)), (102, robust(0x7f00_0002_d9e0))];
    let map = classify(&process(two, &hints));
    assert_eq!(found(&map), [(101, 0, 0x1_0000, 0), (102, 0x2_0000, 0x3_0000, 0)]);
}

#[test]
fn stack_pointers_are_believed_with_a_guard_or_under_musl() {
    let pointer = StackHint::StackPointer;
    let guarded = "7f0000000000-7f0000002000 ---p 00000000 00:00 0 \n7f0000002000-7f0000020000 rw-p 00000000 00:00 0 \n";
    let large = "c000000000-c004000000 rw-p 00000000 00:00 0 \n";
    let musl =
        "7f1000000000-7f1000001000 r-xp 00000000 08:02 7                          /lib/ld-musl-x86_64.so.1\n";
    let hints = [(101, pointer(0x7f00_0001_f000)), (102, pointer(0xc0_0010_0000))];
    let map = classify(&process(&format!("{large}{guarded}"), &hints));
    assert_eq!(found(&map), [(101, 0x2000, 0x2_0000, 0x2000)]);
    let (missing, why) = map.stacks_missing.clone().unwrap();
    assert_eq!((missing, why.as_str().contains("stack pointers")), (1, true));
    assert_eq!(of(&map, MemoryClass::Anonymous), (1, 0x400_0000), "Go's heap");
    let map = classify(&process(&format!("{large}{guarded}{musl}"), &hints));
    assert_eq!(map.stacks.len(), 2);
    assert_eq!(map.libc, Libc::Musl);
}

#[test]
fn of_equal_stacks_a_longer_one_was_merged() {
    let mut text = String::new();
    let mut hints = Vec::new();
    for at in 0..4_u64 {
        let start = 0x7f00_0000_0000 + at * 0x10_0000;
        // The last one is followed by something.
        let size = if at == 3 { 0x8_0000 } else { 0x2_0000 };
        write!(
            text,
            "{start:x}-{:x} ---p 00000000 00:00 0 \n{:x}-{:x} rw-p 00000000 00:00 0 \n",
            start + 0x2000,
            start + 0x2000,
            start + 0x2000 + size
        )
        .unwrap();
        hints.push((101 + at as u32, StackHint::StackPointer(start + 0x2_1000)));
    }
    let map = classify(&process(&text, &hints));
    assert!(map.stacks.iter().all(|stack| stack.reserved() == Bytes(0x2_0000)), "{:x?}", map.stacks);
    assert_eq!(of(&map, MemoryClass::Anonymous), (1, 0x6_0000));
}

#[test]
fn stacks_elsewhere_are_missing_with_a_reason() {
    let process_ = process(
        "55c1a5a43000-55c1a5a64000 rw-p 00000000 00:00 0                          [heap]\n\
         7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n7f0000021000-7f0004000000 ---p 00000000 00:00 0 \n",
        &[(101, robust(0x55c1_a5a5_0000)), (102, robust(0x7f00_0001_0000)), (103, robust(0x1000))],
    );
    let map = classify(&process_);
    let (missing, why) = map.stacks_missing.clone().unwrap();
    assert_eq!(missing, 3);
    assert!(why.as_str().contains("malloc"), "{why}");
    assert_eq!(of(&map, MemoryClass::MallocArena), (2, 64 << 20));
    let mut unread = process("", &[(101, robust(1))]);
    unread.threads = Reading::Denied(model::Need::PtraceAccess);
    let (missing, why) = classify(&unread).stacks_missing.unwrap();
    assert!(missing == 1 && why.as_str().contains("denied"), "{missing} {why}");
}

#[test]
fn two_threads_on_one_page_have_one_stack() {
    let text = "7f0000000000-7f0000010000 rw-p 00000000 00:00 0 \n";
    let map = classify(&process(text, &[(101, robust(0x7f00_0000_f9e0)), (102, robust(0x7f00_0000_fb00))]));
    assert_eq!(found(&map), [(101, 0, 0x1_0000, 0)]);
    assert_eq!(map.stacks_missing.map(|missing| missing.0), Some(1));
}

#[test]
fn shapes_tell_where_nobody_was_asked_and_the_number_is_right() {
    let text = "7f0000000000-7f0000004000 ---p 00000000 00:00 0 \n7f0000004000-7f0000100000 rw-p 00000000 00:00 0 \n\
        7f0000100000-7f0000104000 ---p 00000000 00:00 0 \n7f0000104000-7f0000200000 rw-p 00000000 00:00 0 \n\
        7f0000200000-7f0000300000 rw-p 00000000 00:00 0 \n7f0000400000-7f0000500000 ---p 00000000 00:00 0 \n\
        7f0000500000-7f0000600000 rw-p 00000000 00:00 0 \n7f0000600000-7f0000601000 ---p 00000000 00:00 0 \n\
        7f0000601000-7f0000602000 rw-p 00000000 00:00 0 \n";
    let unasked = |threads: u64| {
        let mut process = process(text, &[]);
        process.stat.threads = threads;
        process.threads = Reading::Skipped;
        process
    };
    let map = classify(&unasked(3));
    assert_eq!(found(&map), [(0, 0x4000, 0x10_0000, 0x4000), (0, 0x10_4000, 0x20_0000, 0x4000)]);
    assert_eq!(of(&map, MemoryClass::Guard), (2, 0x8000));
    assert_eq!(map.stacks_missing, None);
    // As many as there are threads, or none: a guarded buffer is not told from a stack.
    for threads in [2, 4] {
        let map = classify(&unasked(threads));
        assert_eq!(found(&map), []);
        assert_eq!(map.stacks_missing.map(|missing| missing.0), Some(threads - 1));
    }
    // One thread has the main stack.
    let map = classify(&unasked(1));
    assert_eq!((found(&map), map.stacks_missing), (Vec::new(), None));
    // Who was asked and could not answer is missing.
    let mut refused = unasked(3);
    refused.threads = Reading::Denied(model::Need::PtraceAccess);
    assert_eq!(classify(&refused).stacks_missing.map(|missing| missing.0), Some(2));
}

#[test]
fn a_large_reservation_below_is_no_guard() {
    let map = classify(&process(
        "7f0000000000-7f0000200000 ---p 00000000 00:00 0 \n7f0000200000-7f0000300000 rw-p 00000000 00:00 0 \n",
        &[(101, robust(0x7f00_002f_f9e0))],
    ));
    assert_eq!(found(&map), [(101, 0x20_0000, 0x30_0000, 0)]);
    assert_eq!(of(&map, MemoryClass::Reserved), (1, 0x20_0000));
}

#[test]
fn charges_are_the_kernels_where_they_were_read() {
    let mut process =
        process("7f0000000000-7f0000100000 rw-p 00000000 00:00 0 \n", &[(101, robust(0x7f00_000f_f9e0))]);
    assert_eq!(classify(&process).stacks[0].committed, Bytes(0x10_0000));
    space(&mut process).details = Reading::Value(vec![MappingDetail {
        flags: VmFlags(VmFlags::NO_RESERVE),
        ..MappingDetail::default()
    }]);
    let map = classify(&process);
    assert!(map.committed_exact);
    assert_eq!(map.stacks[0].committed, Bytes::ZERO);
}
