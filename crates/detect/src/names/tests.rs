//! Real lists of names, and what no list may do.

use proptest::prelude::*;

use super::*;

/// (count, pattern) by count, then pattern.
fn patterns(names: &[String]) -> Vec<(usize, String)> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut out: Vec<_> = fold(&names).into_iter().map(|g| (g.members.len(), g.pattern)).collect();
    out.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    out
}

/// Names as the kernel keeps them.
fn comm(names: impl IntoIterator<Item = String>) -> Vec<String> {
    names.into_iter().map(|n| n.chars().take(15).collect()).collect()
}

/// `each` with `#` replaced by the numbers.
fn numbered(each: &str, numbers: std::ops::RangeInclusive<u64>) -> impl Iterator<Item = String> {
    numbers.map(move |n| each.replace('#', &n.to_string()))
}

fn same(name: &str, times: usize) -> impl Iterator<Item = String> {
    std::iter::repeat_n(name.to_owned(), times)
}

fn expect(names: &[String], expected: &[(usize, &str)]) {
    let found = patterns(names);
    let found: Vec<(usize, &str)> = found.iter().map(|(n, p)| (*n, p.as_str())).collect();
    assert_eq!(found, expected);
}

fn group_of(names: &[String], pattern: &str) -> NameGroup {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let groups = fold(&names);
    groups
        .iter()
        .find(|g| g.pattern == pattern)
        .unwrap_or_else(|| panic!("no {pattern} in {groups:#?}"))
        .clone()
}

/// OpenJDK 17, 2 processors, with the founding case's pools in it.
fn jvm() -> Vec<String> {
    let own = [
        "java",
        "GC Thread#0",
        "G1 Main Marker",
        "G1 Conc#0",
        "G1 Refine#0",
        "G1 Service",
        "VM Thread",
        "Reference Handler",
        "Finalizer",
        "Signal Dispatcher",
        "Service Thread",
        "Monitor Deflation Thread",
        "C2 CompilerThread0",
        "C1 CompilerThread0",
        "Notification Thread",
        "VM Periodic Task Thread",
        "Common-Cleaner",
        "GC Thread#1",
        "Timer-0",
        "Timer-1",
    ];
    comm(own.iter().map(|s| (*s).to_owned()).chain(numbered("pool-#-thread-1", 1..=1350)))
}

#[test]
fn a_jvm_with_one_thread_pools() {
    expect(
        &jvm(),
        &[
            (1350, "pool-*-thread-1"),
            (2, "GC Thread#*"),
            (2, "Timer-*"),
            (1, "C1 CompilerThre"),
            (1, "C2 CompilerThre"),
            (1, "Common-Cleaner"),
            (1, "Finalizer"),
            (1, "G1 Conc#0"),
            (1, "G1 Main Marker"),
            (1, "G1 Refine#0"),
            (1, "G1 Service"),
            (1, "Monitor Deflati"),
            (1, "Notification Th"),
            (1, "Reference Handl"),
            (1, "Service Thread"),
            (1, "Signal Dispatch"),
            (1, "VM Periodic Tas"),
            (1, "VM Thread"),
            (1, "java"),
        ],
    );
    let pools = group_of(&jvm(), "pool-*-thread-1");
    assert_eq!(pools.shape, PoolShape::OneThreadPools);
    assert_eq!(
        pools.inferred.as_deref(),
        Some("the end of 1341 names is cut off at 15 bytes; completed from pool-1-thread-1")
    );
    // A pool's number is whole in a cut name too, as a dash follows it.
    assert_eq!(pools.numbers.len(), 1350);
    assert_eq!(group_of(&jvm(), "GC Thread#*").shape, PoolShape::OnePool);
    assert_eq!(group_of(&jvm(), "GC Thread#*").inferred, None);
    assert_eq!(group_of(&jvm(), "Timer-*").shape, PoolShape::OneThreadPools);
}

#[test]
fn one_busy_pool_beside_many_of_one_thread() {
    let names = comm(numbered("pool-1-thread-#", 1..=20).chain(numbered("pool-#-thread-1", 2..=200)));
    expect(&names, &[(199, "pool-*-thread-1"), (20, "pool-1-thread-*")]);
    assert_eq!(group_of(&names, "pool-1-thread-*").shape, PoolShape::OnePool);
    assert_eq!(group_of(&names, "pool-*-thread-1").shape, PoolShape::OneThreadPools);
}

#[test]
fn several_pools_of_several_threads() {
    let names = comm((1..=9).flat_map(|p| numbered(Box::leak(format!("pool-{p}-thread-#").into()), 1..=4)));
    expect(&names, &[(36, "pool-*-thread-*")]);
    let group = group_of(&names, "pool-*-thread-*");
    assert_eq!((group.shape, group.numbers.len()), (PoolShape::SeveralPools, 0));
}

#[test]
fn cut_names_without_a_whole_sibling() {
    let alone = comm(numbered("pool-#-thread-1", 40..=140));
    let group = group_of(&alone, "pool-*-thread-1");
    assert_eq!(group.shape, PoolShape::OneThreadPools);
    assert_eq!(
        group.inferred.as_deref(),
        Some(
            "the end of 101 names is cut off at 15 bytes; completed from Java's default name, pool-*-thread-*; each \
             taken for the first of its pool, as no two share a pool's number"
        )
    );
    let shared =
        comm((40..=60).flat_map(|p| numbered(Box::leak(format!("pool-{p}-thread-#").into()), 1..=2)));
    let group = group_of(&shared, "pool-*-thread-*");
    assert_eq!((group.shape, group.members.len()), (PoolShape::SeveralPools, 42));
}

#[test]
fn a_cut_that_fits_two_whole_names_joins_neither() {
    let names = comm(["io-1-read-1", "io-1-rest-1", "io-123456789-re", "io-123456780-re"].map(str::to_owned));
    expect(&names, &[(2, "io-*-re"), (1, "io-1-read-1"), (1, "io-1-rest-1")]);
    assert_eq!(group_of(&names, "io-*-re").inferred, None);
    assert_eq!(group_of(&names, "io-*-re").shape, PoolShape::Unknown);
}

#[test]
fn tomcat() {
    let names = comm(
        numbered("http-nio-8080-exec-#", 1..=10)
            .chain(numbered("http-nio-8443-exec-#", 1..=10))
            .chain(
                ["http-nio-8080-Acceptor", "http-nio-8080-Poller", "http-nio-8443-Poller"].map(str::to_owned),
            )
            .chain(["http-nio-8443-Acceptor", "Catalina-utility-1", "Catalina-utility-2"].map(str::to_owned))
            .chain(["container-0".to_owned()]),
    );
    expect(
        &names,
        &[
            (10, "http-nio-8080-exec-*"),
            (10, "http-nio-8443-exec-*"),
            (2, "Catalina-utilit"),
            (2, "http-nio-*-A"),
            (2, "http-nio-*-P"),
            (1, "container-0"),
        ],
    );
    let exec = group_of(&names, "http-nio-8080-exec-*");
    assert_eq!(exec.shape, PoolShape::OnePool);
    assert_eq!(
        exec.inferred.as_deref(),
        Some("the end of 10 names is cut off at 15 bytes; completed from Tomcat's name, http-nio-*-exec-*")
    );
    assert!(exec.numbers.is_empty() && exec.equal);
    // Read whole, as from a thread dump.
    let whole: Vec<String> = numbered("http-nio-8080-exec-#", 1..=10).collect();
    expect(&whole, &[(10, "http-nio-8080-exec-*")]);
    assert_eq!(group_of(&whole, "http-nio-8080-exec-*").numbers.len(), 10);
}

#[test]
fn jruby() {
    let names = comm(
        numbered("Ruby-0-Thread-#: /srv/app.rb:12", 1..=30)
            .chain(numbered("Ruby-0-JIT-#", 1..=2))
            .chain(numbered("JobScheduler_Worker-#", 1..=10))
            .chain(["JobScheduler_QuartzSchedulerThread".to_owned()]),
    );
    expect(
        &names,
        &[(30, "Ruby-0-Thread-*"), (10, "JobScheduler_Wo"), (2, "Ruby-0-JIT-*"), (1, "JobScheduler_Qu")],
    );
    let threads = group_of(&names, "Ruby-0-Thread-*");
    assert_eq!(threads.shape, PoolShape::OnePool);
    assert!(threads.numbers.is_empty(), "each number may go on behind the cut");
    // No number is left of a Quartz worker's name: nothing is said about pools.
    assert_eq!(group_of(&names, "JobScheduler_Wo").shape, PoolShape::Unknown);
}

#[test]
fn node_and_chromium() {
    let names = comm(
        same("node", 4)
            .chain(same("V8Worker", 4))
            .chain(same("libuv-worker", 4))
            .chain(same("ThreadPoolForegroundWorker", 12))
            .chain(numbered("CompositorTileWorker#", 1..=2))
            .chain(
                ["Chrome_IOThread", "Compositor", "ThreadPoolServiceThread", "VizCompositorThread"]
                    .map(str::to_owned),
            ),
    );
    expect(
        &names,
        &[
            (12, "ThreadPoolForegroundWorker"),
            (4, "V8Worker"),
            (4, "libuv-worker"),
            (4, "node"),
            (2, "CompositorTileWorker*"),
            (1, "Chrome_IOThread"),
            (1, "Compositor"),
            (1, "ThreadPoolServi"),
            (1, "VizCompositorTh"),
        ],
    );
}

#[test]
fn tokio_go_python_mysql_and_the_kernel() {
    let tokio = comm(same("tokio-runtime-worker", 9).chain(same("tokio-rt-worker", 3)));
    expect(&tokio, &[(9, "tokio-runtime-worker"), (3, "tokio-rt-worker")]);
    assert_eq!(group_of(&tokio, "tokio-runtime-worker").shape, PoolShape::Unknown);
    expect(&comm(same("prometheus", 14)), &[(14, "prometheus")]);
    expect(&comm(same("postgres", 1)), &[(1, "postgres")]);
    let mysql = comm(
        numbered("ib_io_rd-#", 1..=4).chain(numbered("ib_pg_flush-#", 1..=4)).chain(same("connection", 7)),
    );
    expect(&mysql, &[(7, "connection"), (4, "ib_io_rd-*"), (4, "ib_pg_flush-*")]);
    let kernel = comm(
        ["kworker/0:1", "kworker/1:0", "kworker/u8:3", "kworker/0:1H", "ksoftirqd/0"].map(str::to_owned),
    );
    expect(&kernel, &[(2, "kworker/*:*"), (1, "ksoftirqd/0"), (1, "kworker/0:1H"), (1, "kworker/u8:3")]);
    // CPython 3.14: the function's name is cut in another place for each number of digits.
    let python = comm(numbered("Thread-# (worker_loop)", 1..=1200).chain(same("python3", 1)));
    expect(&python, &[(1200, "Thread-* (worke…"), (1, "python3")]);
    let group = group_of(&python, "Thread-* (worke…");
    assert_eq!((group.shape, group.numbers.len()), (PoolShape::Unknown, 1200));
    assert_eq!(
        group.inferred.as_deref(),
        Some("the end of 1191 names is cut off at 15 bytes; taken together by their common beginning")
    );
}

#[test]
fn ids_fold_and_words_do_not() {
    let ids = comm(["req-3fa9c1b2", "req-77ab10cd", "req-0b1c2d3e"].map(str::to_owned));
    expect(&ids, &[(3, "req-*")]);
    assert!(group_of(&ids, "req-*").numbers.is_empty());
    let uuids = comm(
        ["3fa85f64-5717-4562-b3fc", "9b2e4d11-00ff-4a6b-9c1d", "c0ffee12-1111-4222-8333"].map(str::to_owned),
    );
    expect(&uuids, &[(3, "*")]);
    expect(&comm(["v1", "v2"].map(str::to_owned)), &[(1, "v1"), (1, "v2")]);
    expect(&comm(["v1", "v2", "v3"].map(str::to_owned)), &[(3, "v*")]);
    expect(&comm(["main", "worker1", "worker2"].map(str::to_owned)), &[(2, "worker*"), (1, "main")]);
}

#[test]
fn hostile_names_keep_what_they_are() {
    let names =
        ["a\nb", "\u{1b}[31m", "\\xff\\xfe", "", "*", "pool-*-thread-1", ") R 1", "99999999999999999999999"];
    let names: Vec<String> = names.map(str::to_owned).to_vec();
    assert_eq!(patterns(&names).len(), names.len());
    let huge: Vec<String> =
        numbered("x-#", u64::MAX - 2..=u64::MAX).chain(["x-99999999999999999999".into()]).collect();
    expect(&huge, &[(4, "x-*")]);
    assert_eq!(group_of(&huge, "x-*").numbers.len(), 3, "what exceeds 64 bits is no number");
}

#[test]
fn ten_thousand_different_names_stay_cheap() {
    // No clock here: what is bounded is the number of groups and their text.
    let names: Vec<String> = (0..10_000u64).map(|n| letters(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let groups = fold(&refs);
    assert_eq!(groups.iter().map(|g| g.members.len()).sum::<usize>(), 10_000);
    assert!(groups.iter().all(|g| g.pattern.len() <= 15));
}

fn letters(mut n: u64) -> String {
    (0..12)
        .map(|_| {
            let letter = char::from(b'a' + (n % 26) as u8);
            n /= 26;
            letter
        })
        .collect()
}

/// Names as programs make them, and as they don't.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1..2000u32, 1..20u32).prop_map(|(p, t)| format!("pool-{p}-thread-{t}")),
        2 => (1..300u32).prop_map(|n| format!("Thread-{n} (worker)")),
        2 => (8000..9000u32, 1..30u32).prop_map(|(p, n)| format!("http-nio-{p}-exec-{n}")),
        1 => "[a-c]{1,3}[0-9]{0,2}[-#: ]?[0-9a-f]{0,9}",
        1 => ".{0,20}",
        1 => "(\\\\x[0-9a-f]{2}|[0-9]|-){0,16}",
    ]
    .prop_map(|n| n.chars().take(15).collect())
}

proptest! {
    #[test]
    fn each_name_is_in_one_group(names in prop::collection::vec(any_name(), 0..200)) {
        let refs: Vec<&str> = names.iter().map(String::as_str).collect();
        let groups = fold(&refs);
        let mut members: Vec<usize> = groups.iter().flat_map(|g| g.members.iter().copied()).collect();
        members.sort_unstable();
        prop_assert_eq!(members, (0..names.len()).collect::<Vec<_>>());
        for group in &groups {
            prop_assert!(!group.members.is_empty());
            prop_assert!(group.members.is_sorted());
            let equal = group.members.iter().all(|&m| names[m] == names[group.members[0]]);
            prop_assert_eq!(group.equal, equal);
            prop_assert!(group.members.len() > 1 || group.pattern == names[group.members[0]]);
            // What stands before the first star stands in every name.
            let head = group.pattern.split('*').next().unwrap_or_default();
            for &m in &group.members {
                let n = head.len().min(names[m].len());
                prop_assert!(group.inferred.is_some() || names[m].starts_with(head));
                prop_assert!(names[m].as_bytes()[..n] == head.as_bytes()[..n] || names[m].contains('*'));
            }
        }
    }

    #[test]
    fn order_does_not_matter(names in prop::collection::vec(any_name(), 0..100), seed in any::<u64>()) {
        let mut shuffled: Vec<&String> = names.iter().collect();
        shuffled.sort_by_key(|n| n.bytes().fold(seed, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)));
        let describe = |names: &[&str]| {
            let mut all: Vec<_> = fold(names)
                .into_iter()
                .map(|g| {
                    let mut members: Vec<&str> = g.members.iter().map(|&m| names[m]).collect();
                    members.sort_unstable();
                    (g.pattern, g.inferred, format!("{:?}", g.shape), members.join("\0"))
                })
                .collect();
            all.sort();
            all
        };
        let a: Vec<&str> = names.iter().map(String::as_str).collect();
        let b: Vec<&str> = shuffled.iter().map(|s| s.as_str()).collect();
        prop_assert_eq!(describe(&a), describe(&b));
    }
}
