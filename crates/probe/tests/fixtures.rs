//! Readings of a fixture tree: every value in its place, and an empty, missing or cut file never gives a wrong one.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod tree;

use std::path::Path;

use model::{
    Bytes, CgroupLevel, Cgroups, Child, HostReading, Pid, ProcessReading, Reading, Rlimits, StackHint, Text,
    Ticks, VmStat,
};
use probe::{DescriptorDepth, Parts, Prober, ProcRoot, SpaceDepth, ThreadDepth};

/// All that this tree has (mappings have tests of their own).
fn all() -> Parts {
    Parts { space: SpaceDepth::No, rollup: false, remains: false, ..Parts::everything() }
}

fn prober(root: &Path) -> Prober {
    Prober::new(ProcRoot::in_tree(root).unwrap())
}

fn process(root: &Path) -> Option<ProcessReading> {
    prober(root).process(Pid(4711), &all()).map(|reading| ProcessReading {
        at_s: 0.0,
        took_s: 0.0,
        ..reading
    })
}

fn host(root: &Path) -> HostReading {
    // What comes from clocks, or from the machine that runs the test, is left out.
    let mut host = prober(root).host(false);
    (host.booted_unix_s, host.uptime_s, host.utc_offset_s) = (0.0, 0.0, 0);
    host
}

#[test]
fn a_process_with_everything() {
    let dir = tree::build();
    let reading = process(dir.path()).unwrap();
    assert_eq!((reading.key.pid, reading.key.start), (Pid(4711), Ticks(88_411)));
    assert_eq!(reading.key.boot.0, 0x0b5d_3c1e_8d2f_4c57_9a43_7e1f_0c2b_6d98);
    assert_eq!(reading.stat.name.as_str(), "a) R 1\n");
    assert_eq!((reading.stat.state, reading.stat.threads), ('S', 2));
    let page = rustix::param::page_size() as u64;
    assert_eq!(reading.statm.value().unwrap().data, Bytes(60 * page));
    let status = reading.status.value().unwrap();
    assert_eq!((status.uid, status.gid, &status.ns_pids[..]), (1001, 101, &[4711, 1][..]));
    assert_eq!(reading.cmdline.value().unwrap(), &["java", "-jar", "app.jar"].map(Text::from));
    assert_eq!(reading.exe, Reading::Value("/usr/bin/java".into()));
    let threads = reading.threads.value().unwrap();
    assert_eq!(threads.len(), 2);
    assert_eq!((threads[0].tid, threads[0].start), (Pid(4711), Ticks(88_411)));
    assert_eq!(threads[0].stack, Some(StackHint::StackPointer(0x7ffd_0000_1000)));
    assert_eq!((threads[1].name.as_str(), threads[1].state), ("pool-1-thread-1", 'R'));
    assert_eq!(threads[1].stack, None, "a running thread has no stack pointer to show");
    let child = Child { pid: Pid(4720), name: "helper".into(), state: 'Z', start: Ticks(90_000) };
    assert_eq!(reading.children, Reading::Value(vec![child]));
    let expected = Rlimits {
        processes: Some(4000),
        open_files: Some(1024),
        address_space: None,
        stack: Some(Bytes(8_388_608)),
        user_tasks: Some(4), // the process's two threads, and two of the child's status
    };
    assert_eq!(reading.rlimits, Reading::Value(expected));
}

#[test]
fn descriptors_by_kind() {
    let dir = tree::build();
    let descriptors = process(dir.path()).unwrap().descriptors.into_value().unwrap();
    let kinds: Vec<_> = descriptors.kinds.iter().map(|kind| (kind.kind.as_str(), kind.count)).collect();
    assert_eq!(kinds, [("socket", 2), ("device", 1), ("directory", 1)]);
    assert_eq!(descriptors.total, 4);
    assert_eq!(descriptors.kinds[2].example.as_str(), "/srv");
}

#[test]
fn cgroups_with_their_ancestors_in_both_versions() {
    let dir = tree::build();
    let level = |dir: &str| CgroupLevel { dir: dir.into(), ..CgroupLevel::default() };
    let expected = Cgroups {
        path: "/app.slice/web.service".into(),
        unit: Some("web.service".into()),
        container: None,
        groups: vec![
            CgroupLevel { pids_current: Some(18), ..level("/sys/fs/v1/pids/old") },
            CgroupLevel {
                pids_max: Some(4915),
                pids_current: Some(17),
                ..level("/sys/fs/cgroup/app.slice/web.service")
            },
            CgroupLevel {
                memory_max: Some(Bytes(1 << 30)),
                memory_high: Some(Bytes(768 << 20)),
                memory_current: Some(Bytes(4096)),
                oom_kills: Some(1),
                ..level("/sys/fs/cgroup/app.slice")
            },
        ],
    };
    assert_eq!(process(dir.path()).unwrap().cgroups, Reading::Value(expected));
}

#[test]
fn a_container_sees_its_own_part_of_the_tree() {
    let dir = tree::build();
    // The host's cgroup namespace, but only the container's group mounted.
    tree::put(dir.path(), "proc/4711/cgroup", "0::/system.slice/docker-8a.scope/inner\n");
    tree::put(
        dir.path(),
        "proc/self/mountinfo",
        "30 23 0:26 /system.slice/docker-8a.scope /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n",
    );
    tree::put(dir.path(), "sys/fs/cgroup/inner/pids.max", "7\n");
    tree::put(dir.path(), "sys/fs/cgroup/pids.max", "100\n");
    let groups = process(dir.path()).unwrap().cgroups.into_value().unwrap().groups;
    let limits: Vec<_> = groups.iter().map(|level| (level.dir.as_str(), level.pids_max)).collect();
    assert_eq!(limits, [("/sys/fs/cgroup/inner", Some(7)), ("/sys/fs/cgroup", Some(100))]);
    // A process outside of what is mounted: no limit is made up.
    tree::put(dir.path(), "proc/4711/cgroup", "0::/../other\n");
    assert_eq!(process(dir.path()).unwrap().cgroups.into_value().unwrap().groups, []);
}

#[test]
fn v1_says_unlimited_with_a_number() {
    let dir = tree::build();
    tree::put(dir.path(), "proc/4711/cgroup", "4:cpu,memory:/a\n1:name=systemd:/system.slice/x.service\n");
    tree::put(dir.path(), "proc/self/mountinfo", "32 31 0:29 / /m rw - cgroup cgroup rw,cpu,memory\n");
    tree::put(dir.path(), "m/a/memory.limit_in_bytes", "9223372036854771712\n");
    tree::put(dir.path(), "m/a/memory.usage_in_bytes", "4096\n");
    tree::put(dir.path(), "m/memory.limit_in_bytes", "8192\n");
    tree::put(dir.path(), "m/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
    let cgroups = process(dir.path()).unwrap().cgroups.into_value().unwrap();
    assert_eq!(cgroups.unit, Some("x.service".into()));
    let [inner, outer] = cgroups.groups.as_slice() else { panic!("{:?}", cgroups.groups) };
    assert_eq!((inner.memory_max, inner.memory_current), (None, Some(Bytes(4096))));
    assert_eq!((outer.memory_max, outer.oom_kills), (Some(Bytes(8192)), Some(3)));
}

#[test]
fn the_host() {
    let dir = tree::build();
    let host = host(dir.path());
    assert_eq!((host.name.as_str(), host.kernel.as_str()), ("stage-1", "6.1.0-18-amd64"));
    assert_eq!(host.memory.value().unwrap().committed, Bytes(15 * 1024));
    assert_eq!((host.overcommit_mode, host.tasks), (Reading::Value(2), Reading::Value(213)));
    assert_eq!((host.threads_max, host.pid_max), (Reading::Value(192_730), Reading::Value(4_194_304)));
    assert_eq!(host.max_map_count, Reading::Value(65_530));
    let expected =
        VmStat { oom_kills: Some(5), swapped_in: Some(2), swapped_out: Some(3), major_faults: Some(4) };
    assert_eq!(host.vmstat, Reading::Value(expected));
    assert_eq!(host.pressure.value().unwrap().cpu_some, 1.5);
    assert_eq!((host.cpus, host.cgroup_v2, host.has_pagemap_scan), (4, true, false));
    assert_eq!((host.schedules, host.remains), (Reading::Skipped, Reading::Skipped));
}

#[test]
fn a_thread_of_the_kernel_has_no_more_than_its_stat() {
    let dir = tree::build();
    let reading = prober(dir.path()).process(Pid(2), &all()).unwrap();
    assert!(reading.stat.is_kernel_thread());
    assert_eq!(reading.cmdline, Reading::Value(Vec::new()));
    assert_eq!((reading.statm, reading.threads), (Reading::Unsupported, Reading::Unsupported));
    assert_eq!(reading.space, Reading::Skipped, "not asked for");
}

#[test]
fn a_process_whose_first_thread_ended_shows_itself_in_another() {
    let dir = tree::build();
    let dead = tree::stat(4711, "java", 'Z', 1, 88_411, 0).replace(" 409600 100 ", " 0 0 ");
    tree::put(dir.path(), "proc/4711/stat", &dead);
    tree::put(dir.path(), "proc/4711/statm", "0 0 0 0 0 0 0\n");
    tree::put(dir.path(), "proc/4711/task/4712/statm", "100 50 30 5 0 60 0\n");
    tree::put(dir.path(), "proc/4711/task/4712/cmdline", "java\0");
    let reading = process(dir.path()).unwrap();
    let page = rustix::param::page_size() as u64;
    assert_eq!(reading.statm.value().unwrap().size, Bytes(100 * page));
    assert_eq!(reading.cmdline.value().unwrap(), &["java".into()]);
    assert_eq!(reading.threads.value().unwrap().len(), 2);
}

#[test]
fn memory_given_up_between_two_files_is_not_zero() {
    let dir = tree::build();
    tree::put(dir.path(), "proc/4711/statm", "0 0 0 0 0 0 0\n");
    assert_eq!(process(dir.path()).unwrap().statm, Reading::Gone);
}

#[test]
fn pids_in_order_and_nothing_else() {
    let dir = tree::build();
    std::fs::create_dir(dir.path().join("proc/99999999999")).unwrap();
    let mut prober = prober(dir.path());
    assert_eq!(prober.pids().unwrap(), [Pid(2), Pid(4711), Pid(4720)]);
    assert_eq!(prober.pids().unwrap().len(), 3, "the second time, too");
}

#[test]
fn many_threads_children_come_from_the_pass_over_all() {
    let dir = tree::build();
    let many = tree::stat(4711, "java", 'S', 1, 88_411, 0).replace(" 20 0 2 0 ", " 20 0 2000 0 ");
    tree::put(dir.path(), "proc/4711/stat", many);
    std::fs::remove_file(dir.path().join("proc/4711/task/4711/children")).unwrap();
    let children = process(dir.path()).unwrap().children.into_value().unwrap();
    assert_eq!(children.iter().map(|child| child.pid).collect::<Vec<_>>(), [Pid(4720)]);
}

#[test]
fn a_kernel_without_lists_of_children_is_asked_otherwise() {
    let dir = tree::build();
    std::fs::remove_file(dir.path().join("proc/4711/task/4711/children")).unwrap();
    let children = process(dir.path()).unwrap().children.into_value().unwrap();
    assert_eq!(children.iter().map(|child| child.pid).collect::<Vec<_>>(), [Pid(4720)]);
}

/// A reading that was asked for and has no value, or the whole one.
fn is_right<T: PartialEq + std::fmt::Debug>(path: &str, read: &Reading<T>, whole: &Reading<T>) {
    assert!(read == whole || read.value().is_none(), "{path}: {read:?} instead of {whole:?}");
    assert_ne!(read, &Reading::Skipped, "{path}");
}

fn is_right_process(path: &str, read: Option<&ProcessReading>, whole: &ProcessReading) {
    let Some(read) = read else { return };
    assert_eq!(read.stat, whole.stat, "{path}");
    is_right(path, &read.statm, &whole.statm);
    is_right(path, &read.status, &whole.status);
    is_right(path, &read.cgroups, &whole.cgroups);
    is_right(path, &read.threads, &whole.threads);
    // The number of a user's tasks is a count of what can be seen.
    let limits = |reading: &ProcessReading| {
        reading.rlimits.clone().map(|limits| Rlimits { user_tasks: None, ..limits })
    };
    is_right(path, &limits(read), &limits(whole));
}

fn is_right_host(path: &str, read: &HostReading, whole: &HostReading) {
    is_right(path, &read.memory, &whole.memory);
    is_right(path, &read.overcommit_mode, &whole.overcommit_mode);
    is_right(path, &read.pressure, &whole.pressure);
    is_right(path, &read.threads_max, &whole.threads_max);
    is_right(path, &read.tasks, &whole.tasks);
}

#[test]
fn a_cut_file_gives_an_absence_and_never_a_wrong_number() {
    let dir = tree::build();
    let (whole, whole_host) = (process(dir.path()).unwrap(), host(dir.path()));
    for path in tree::STRICT {
        let content = std::fs::read(dir.path().join(path)).unwrap();
        for end in 0..content.len() {
            tree::put(dir.path(), path, &content[..end]);
            let (read, read_host) = (process(dir.path()), host(dir.path()));
            is_right_process(path, read.as_ref(), &whole);
            is_right_host(path, &read_host, &whole_host);
            let changed = read.as_ref() != Some(&whole) || read_host != whole_host;
            assert!(changed, "{path}, cut at {end}, makes no difference");
        }
        tree::put(dir.path(), path, &content);
    }
    for path in tree::LISTS {
        let content = std::fs::read(dir.path().join(path)).unwrap();
        for end in 0..content.len() {
            tree::put(dir.path(), path, &content[..end]);
            let at_a_line = content[..end].ends_with(b"\n");
            if !at_a_line {
                is_right_process(path, process(dir.path()).as_ref(), &whole);
                is_right_host(path, &host(dir.path()), &whole_host);
            }
        }
        tree::put(dir.path(), path, &content);
    }
}

#[test]
fn a_missing_file_gives_an_absence() {
    let dir = tree::build();
    let (whole, whole_host) = (process(dir.path()).unwrap(), host(dir.path()));
    for path in tree::STRICT.iter().filter(|path| path.starts_with("proc")) {
        let content = std::fs::read(dir.path().join(path)).unwrap();
        std::fs::remove_file(dir.path().join(path)).unwrap();
        match process(dir.path()) {
            None => assert_eq!(*path, "proc/4711/stat"),
            // A thread that ended while it was listed is left out: that is no wrong number.
            Some(read) if path.contains("/task/") => assert_eq!(read.threads.value().unwrap().len(), 1),
            Some(read) => is_right_process(path, Some(&read), &whole),
        }
        is_right_host(path, &host(dir.path()), &whole_host);
        tree::put(dir.path(), path, &content);
    }
    std::fs::remove_file(dir.path().join("proc/4711/statm")).unwrap();
    assert_eq!(process(dir.path()).unwrap().statm, Reading::Unsupported);
}

#[test]
fn a_pipe_in_the_place_of_a_file_does_not_hang() {
    let dir = tree::build();
    let path = dir.path().join("proc/4711/status");
    std::fs::remove_file(&path).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert!(matches!(process(dir.path()).unwrap().status, Reading::Malformed(_)));
}

#[test]
fn what_was_not_asked_for_is_skipped() {
    let dir = tree::build();
    let reading = prober(dir.path()).process(Pid(4711), &Parts::overview()).unwrap();
    assert!(reading.statm.value().is_some());
    assert_eq!((reading.status, reading.cmdline), (Reading::Skipped, Reading::Skipped));
    assert_eq!((reading.threads, reading.rlimits), (Reading::Skipped, Reading::Skipped));
    let total = Parts { descriptors: DescriptorDepth::Total, ..Parts::default() };
    let reading = prober(dir.path()).process(Pid(4711), &total).unwrap();
    assert_eq!(reading.statm, Reading::Skipped);
    let basic = Parts { threads: ThreadDepth::Basic, ..Parts::default() };
    let reading = prober(dir.path()).process(Pid(4711), &basic).unwrap();
    assert!(reading.threads.value().unwrap().iter().all(|thread| thread.stack.is_none()));
}
