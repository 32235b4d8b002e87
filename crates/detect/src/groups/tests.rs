use model::{BirthKind, Bytes, PoolShape, Ticks};
use proptest::prelude::*;

use super::*;

const PID: u32 = 1000;

fn thread(tid: u32, name: &str, start_s: f64) -> Thread {
    Thread {
        tid: Pid(tid),
        name: name.into(),
        state: 'S',
        start: Ticks((start_s * 100.0).round() as u64),
        ..Thread::default()
    }
}

fn stack(tid: u32, kib: u64) -> ThreadStack {
    let start = 0x7f00_0000_0000 + u64::from(tid) * 0x100_0000;
    ThreadStack {
        tid: Pid(tid),
        start,
        end: start + kib * 1024,
        committed: Bytes(kib * 1024),
        touched: Some(Bytes(8192)),
        guard: Bytes(4096),
    }
}

/// A process started at 1,000 s after boot, looked at at `now`.
fn grouped(threads: &[Thread], stacks: &[ThreadStack], name: &str, now: f64) -> Vec<ThreadGroup> {
    group(&GroupInput {
        pid: Pid(PID),
        threads,
        stacks,
        process_name: &name.into(),
        ticks_per_second: 100,
        booted_unix_s: 1_700_000_000.0,
        utc_offset_s: 0,
        process_start_s: 1000.0,
        now_boot_s: now,
    })
}

fn shown(groups: &[ThreadGroup]) -> Vec<(usize, String, Option<String>)> {
    groups
        .iter()
        .map(|g| (g.count(), g.pattern.to_string(), g.split_by.as_ref().map(ToString::to_string)))
        .collect()
}

/// The founding case in small: a pool a minute, numbered in the order of birth.
#[test]
fn a_leak_of_one_thread_pools() {
    let mut threads = vec![thread(PID, "java", 1000.0), thread(PID + 1, "java", 1000.01)];
    let mut stacks = vec![stack(PID + 1, 1016)];
    for i in 0..200u32 {
        let name: String = format!("pool-{}-thread-1", i + 1).chars().take(15).collect();
        threads.push(thread(2000 + i, &name, 1009.0 + 60.0 * f64::from(i)));
        stacks.push(stack(2000 + i, 2040));
    }
    threads[50].state = 'R';
    let groups = grouped(&threads, &stacks, "java", 1009.0 + 60.0 * 199.5);
    assert_eq!(
        shown(&groups),
        [
            (200, "pool-*-thread-1".to_owned(), None),
            (1, "java".to_owned(), Some("the main thread".to_owned())),
            (1, "java".to_owned(), None),
        ]
    );
    let pools = &groups[0];
    assert_eq!(pools.shape, PoolShape::OneThreadPools);
    assert_eq!(pools.numbers, Some(NumberSpan { low: 1, high: 200, distinct: 200, in_birth_order: true }),);
    assert_eq!(pools.states, [('S', 199), ('R', 1)]);
    assert!(pools.members.is_sorted() && pools.births.is_sorted());
    assert_eq!((pools.births[0], pools.members[0]), (1009.0, Pid(2000)));
    assert_eq!(pools.stacks.found, 200);
    assert_eq!(pools.stacks.reserved, Bytes(200 * 2040 * 1024));
    assert_eq!(pools.stacks.touched, Some(Bytes(200 * 8192)));
    assert_eq!((pools.stacks.each, pools.stacks.each_count), (Bytes(2040 * 1024), 200));
    assert_eq!(pools.cadence.kind, BirthKind::Regular);
    assert!((pools.cadence.cadences[0].period_s - 60.0).abs() < 0.1, "{:?}", pools.cadence);
}

#[test]
fn a_number_out_of_birth_order_is_said() {
    let threads: Vec<Thread> = [3, 1, 2]
        .iter()
        .enumerate()
        .map(|(i, n)| thread(2000 + i as u32, &format!("pool-{n}-thread-1"), 1001.0 + i as f64))
        .collect();
    let numbers = grouped(&threads, &[], "java", 2000.0)[0].numbers.unwrap();
    assert_eq!(numbers, NumberSpan { low: 1, high: 3, distinct: 3, in_birth_order: false });
    // Born in one tick, their order is not known.
    let threads: Vec<Thread> =
        [3, 1, 2].iter().map(|n| thread(2000 + n % 3, &format!("pool-{n}-thread-1"), 1001.0)).collect();
    assert!(grouped(&threads, &[], "java", 2000.0)[0].numbers.unwrap().in_birth_order);
}

/// JDK 8: every thread is `java`; compiler threads have other stacks than the application's.
#[test]
fn equal_names_split_by_stack_size() {
    let mut threads = vec![thread(PID, "java", 1000.0)];
    let mut stacks = Vec::new();
    for i in 0..60u32 {
        threads.push(thread(2000 + i, "java", 1001.0 + f64::from(i) * 7.3));
        // Two without a known stack, three of odd sizes, 15 of the JVM, 40 of the application.
        match i {
            0..2 => {}
            2..5 => stacks.push(stack(2000 + i, 64 + u64::from(i))),
            5..20 => stacks.push(stack(2000 + i, 1020)),
            _ => stacks.push(stack(2000 + i, 8188)),
        }
    }
    let groups = grouped(&threads, &stacks, "java", 3000.0);
    let by: Vec<(usize, &str)> =
        groups.iter().map(|g| (g.count(), g.split_by.as_ref().map_or("", Text::as_str))).collect();
    assert_eq!(
        by,
        [
            (40, "stacks of 8192 KiB with their guard"),
            (15, "stacks of 1024 KiB with their guard"),
            (3, "stacks of other sizes"),
            (2, "stacks not found"),
            (1, "the main thread"),
        ]
    );
    assert_eq!(groups[0].stacks.each_count, 40);
}

/// CPython: one name, one stack size; a pool that grew at the start beside a leak of one a second.
#[test]
fn equal_names_split_by_rhythm() {
    let mut threads = vec![thread(PID, "python3", 1000.0)];
    let mut stacks = Vec::new();
    for i in 0..16u32 {
        threads.push(thread(2000 + i, "python3", 1000.2 + f64::from(i) * 0.013));
        stacks.push(stack(2000 + i, 8188));
    }
    for i in 0..120u32 {
        threads.push(thread(3000 + i, "python3", 1002.5 + f64::from(i) * 5.0));
        stacks.push(stack(3000 + i, 8188));
    }
    let groups = grouped(&threads, &stacks, "python3", 1002.5 + 120.0 * 5.0);
    let by: Vec<(usize, &str)> =
        groups.iter().map(|g| (g.count(), g.split_by.as_ref().map_or("", Text::as_str))).collect();
    assert_eq!(
        by,
        [
            (120, "births every 5.00 s"),
            (16, "births outside the train of every 5.00 s"),
            (1, "the main thread"),
        ]
    );
    assert!(groups[0].members.iter().all(|tid| tid.0 >= 3000));
    assert_eq!(groups[0].cadence.kind, BirthKind::Regular);
    assert!(groups[0].cadence.explained > 0.99);
}

/// The pool grew in the very tick of the train's first beat.
#[test]
fn a_pool_that_grew_at_a_beat_is_not_of_the_train() {
    let mut threads = vec![thread(PID, "python3", 1000.0)];
    threads.extend((0..16).map(|i| thread(2000 + i, "python3", 1002.5)));
    threads.extend((0..60u32).map(|i| thread(3000 + i, "python3", 1002.5 + f64::from(i) * 5.0)));
    let groups = grouped(&threads, &[], "python3", 1002.5 + 60.0 * 5.0);
    let counts: Vec<usize> = groups.iter().map(ThreadGroup::count).collect();
    assert_eq!(counts, [60, 16, 1], "{groups:#?}");
    // A name that was given on purpose is not split by a rhythm.
    let renamed: Vec<Thread> =
        threads.iter().map(|t| Thread { name: "poller".into(), ..t.clone() }).collect();
    let counts: Vec<usize> =
        grouped(&renamed, &[], "python3", 1302.5).iter().map(ThreadGroup::count).collect();
    assert_eq!(counts, [76, 1]);
}

/// Two threads at each beat are the train's, and stay together.
#[test]
fn a_train_of_pairs_is_not_torn_apart() {
    let mut threads = vec![thread(PID, "app", 1000.0)];
    for i in 0..80u32 {
        threads.push(thread(2000 + i, "app", 1003.0 + f64::from(i / 2) * 5.0 + f64::from(i % 2) * 0.02));
    }
    let counts: Vec<usize> = grouped(&threads, &[], "app", 1205.0).iter().map(ThreadGroup::count).collect();
    assert_eq!(counts, [80, 1]);
}

#[test]
fn what_is_not_clearly_distinct_stays_together() {
    // One size, no rhythm.
    let mut threads = vec![thread(PID, "server", 1000.0)];
    let mut stacks = Vec::new();
    let mut at = 1000.0;
    for i in 0..40u32 {
        at += f64::from(i * i * 37 % 101) * 0.37;
        threads.push(thread(2000 + i, "server", at));
        stacks.push(stack(2000 + i, 8188));
    }
    assert_eq!(shown(&grouped(&threads, &stacks, "server", 3000.0)).len(), 2);
    // Two sizes, none sizeable.
    let few: Vec<Thread> = (0..8).map(|i| thread(2000 + i, "server", 1001.0)).collect();
    let stacks: Vec<ThreadStack> = (0..8).map(|i| stack(2000 + i, if i < 4 { 64 } else { 128 })).collect();
    assert_eq!(shown(&grouped(&few, &stacks, "server", 3000.0)), [(8, "server".to_owned(), None)]);
}

#[test]
fn nothing_and_hostile_input() {
    assert!(grouped(&[], &[], "", 0.0).is_empty());
    let threads = [
        thread(7, "x", 0.0),
        thread(7, "x", 0.0),
        Thread { start: Ticks(u64::MAX), ..thread(8, "x", 0.0) },
        Thread { start: Ticks(u64::MAX), ..thread(9, "", 0.0) },
    ];
    let stacks = [ThreadStack { tid: Pid(7), start: 9, end: 1, ..ThreadStack::default() }; 2];
    let groups = group(&GroupInput {
        pid: Pid(0),
        threads: &threads,
        stacks: &stacks,
        process_name: &"x".into(),
        ticks_per_second: 0,
        booted_unix_s: f64::NAN,
        utc_offset_s: i32::MIN,
        process_start_s: f64::INFINITY,
        now_boot_s: f64::NEG_INFINITY,
    });
    assert_eq!(groups.iter().map(ThreadGroup::count).sum::<usize>(), 4);
}

fn any_thread() -> impl Strategy<Value = (Thread, Option<u64>)> {
    let name = prop_oneof![
        3 => Just("java".to_owned()),
        2 => (1..400u32, 1..4u32).prop_map(|(p, t)| format!("pool-{p}-thread-{t}").chars().take(15).collect()),
        1 => ".{0,15}",
    ];
    let size = prop::option::weighted(0.8, prop_oneof![Just(1020u64), Just(8188), 1..9000u64]);
    (name, 0..500_000u64, size).prop_map(|(name, ticks, size)| {
        (Thread { name: name.into(), start: Ticks(ticks), state: 'S', ..Thread::default() }, size)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn each_thread_is_in_one_group_whatever_the_order(
        given in prop::collection::vec(any_thread(), 0..120),
        seed in any::<u32>(),
    ) {
        let mut threads = Vec::new();
        let mut stacks = Vec::new();
        for (i, (thread, size)) in given.into_iter().enumerate() {
            let tid = PID + i as u32;
            threads.push(Thread { tid: Pid(tid), ..thread });
            stacks.extend(size.map(|kib| stack(tid, kib)));
        }
        let groups = grouped(&threads, &stacks, "java", 6000.0);
        let mut members: Vec<Pid> = groups.iter().flat_map(|g| g.members.iter().copied()).collect();
        members.sort_unstable();
        prop_assert_eq!(members, threads.iter().map(|t| t.tid).collect::<Vec<_>>());
        prop_assert_eq!(groups.iter().map(|g| g.stacks.found).sum::<u64>(), stacks.len() as u64);
        for group in &groups {
            prop_assert_eq!(group.births.len(), group.members.len());
            prop_assert!(group.births.is_sorted());
            prop_assert_eq!(group.states.iter().map(|s| s.1).sum::<u64>(), group.members.len() as u64);
        }
        prop_assert!(groups.is_sorted_by(|a, b| a.count() >= b.count()));

        threads.sort_by_key(|t| t.tid.0.wrapping_mul(seed | 1));
        stacks.sort_by_key(|s| s.tid.0.wrapping_mul(seed | 1).rotate_left(7));
        prop_assert_eq!(grouped(&threads, &stacks, "java", 6000.0), groups);
    }
}
