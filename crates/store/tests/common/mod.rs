//! Looks to store: any that the types allow, and one like the founding case.

#![allow(dead_code, missing_docs, unreachable_pub, unused_imports, clippy::unwrap_used)] // each test file uses a part of it

mod any;

use model::*;

pub use any::{look, reading, text};

/// A JVM that leaks one-thread pools, as one look reads it: two mappings per thread and some 200 of its own.
pub fn leaking_jvm(threads: u32) -> ProcessReading {
    let mut space = AddressSpace {
        names: vec![Text::default(), "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so".into()],
        touched_from: TouchedFrom::PagemapScan,
        ..AddressSpace::default()
    };
    let (mut touched, mut details) = (Vec::new(), Vec::new());
    let mut noise = 1_u64; // page counts that differ, as they do in life
    let mut map = |start: u64, size: u64, perms: u8, name: u32, accounted: bool| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let used = if perms == 0 { 0 } else { ((noise >> 40) % 24 * 4_096).min(size) };
        let inode = u64::from(name) * 1_837_465;
        let offset = u64::from(name) * (start & 0xff_f000);
        let device = u64::from(name) * 0xfe;
        space.mappings.push(Mapping {
            start,
            end: start + size,
            perms: Perms(perms),
            offset,
            device,
            inode,
            name,
        });
        touched.push(used);
        let used = Bytes(used);
        let flags = VmFlags(if accounted { VmFlags::ACCOUNTED } else { 0 });
        let (private_dirty, anonymous) = (used, used);
        details.push(MappingDetail {
            rss: used,
            pss: used,
            private_dirty,
            anonymous,
            flags,
            ..Default::default()
        });
        start
    };
    for i in 0..200 {
        map(
            0x5555_0000_0000 + i * 0x20_0000,
            0x1000 * (1 + i * 7 % 60),
            1 + (i % 4) as u8,
            (i % 3 == 0).into(),
            false,
        );
    }
    let mut all = Vec::new();
    for i in 0..threads {
        let top = 0x7fff_0000_0000 - u64::from(threads - i) * 0x20_0000;
        map(top, 0x4000, 0, 0, false);
        map(top + 0x4000, 0x1f_c000, 3, 0, true);
        all.push(Thread {
            tid: Pid(4_000 + i * 3),
            name: format!("pool-{i}-thread-1").chars().take(15).collect::<String>().into(),
            state: 'S',
            start: Ticks(12_345 + u64::from(i) * 100 + u64::from(i % 3)),
            utime: Ticks(u64::from(i % 4)),
            stime: Ticks(u64::from(i % 2)),
            stack: Some(StackHint::RobustList(top + 0x1f_f9e0)),
        });
    }
    space.touched = Reading::Value(touched);
    space.details = Reading::Value(details);
    ProcessReading {
        key: ProcessKey {
            boot: BootId(0x1234_5678_9abc_def0_1122_3344_5566_7788),
            pid: Pid(3_248),
            start: Ticks(12_000),
        },
        at_s: 0.001,
        took_s: 0.012,
        threads: Reading::Value(all),
        space: Reading::Value(space),
        ..small_process(3_248)
    }
}

/// A process as the look at a whole host reads it.
pub fn small_process(pid: u32) -> ProcessReading {
    let n = u64::from(pid);
    ProcessReading {
        key: ProcessKey {
            boot: BootId(0x1234_5678_9abc_def0_1122_3344_5566_7788),
            pid: Pid(pid),
            start: Ticks(n * 77),
        },
        at_s: n as f64 * 0.000_31,
        took_s: 0.000_12,
        stat: Stat {
            name: format!("worker-{pid}").as_str().into(),
            state: 'S',
            parent: Pid(1),
            minor_faults: n * 1_003,
            utime: Ticks(n * 3),
            stime: Ticks(n),
            threads: 1 + n % 40,
            start: Ticks(n * 77),
            virtual_size: Bytes(n * 4_096_000),
            resident: Bytes(n * 40_960),
            flags: 0x0040_0000,
            start_brk: 0x5555_0000_0000 + n * 0x1_0000,
            start_stack: 0x7ffd_0000_0000 + n * 0x100,
            ..Stat::default()
        },
        statm: Reading::Value(Statm {
            size: Bytes(n * 4_096_000),
            resident: Bytes(n * 40_960),
            ..Statm::default()
        }),
        status: Reading::Value(Status {
            uid: 1_000,
            gid: 1_000,
            ns_pids: vec![pid],
            peak: Some(Bytes(n * 4_096_123)),
            resident_peak: Some(Bytes(n * 41_000)),
            rss_anon: Some(Bytes(n * 30_000)),
            threads: 1 + n % 40,
            signals_caught: 0x1_8000_0442,
            ..Status::default()
        }),
        cmdline: Reading::Value(vec!["/usr/sbin/service".into(), format!("--number={pid}").as_str().into()]),
        exe: Reading::Value("/usr/sbin/service".into()),
        cgroups: Reading::Value(Cgroups {
            path: format!("/system.slice/service-{pid}.service").as_str().into(),
            unit: Some(format!("service-{pid}.service").as_str().into()),
            container: None,
            groups: vec![CgroupLevel {
                dir: format!("/sys/fs/cgroup/system.slice/service-{pid}.service").as_str().into(),
                pids_max: Some(4_915),
                pids_current: Some(n % 40),
                ..CgroupLevel::default()
            }],
        }),
        rlimits: Reading::Value(Rlimits {
            processes: Some(95_000),
            open_files: Some(1_024),
            ..Rlimits::default()
        }),
        descriptors: Reading::Value(Descriptors { total: n % 100, kinds: Vec::new() }),
        rollup: Reading::Denied(Need::PtraceAccess),
        ..ProcessReading::default()
    }
}

/// A small look in which every part occurs, for tests that damage it.
pub fn small_look() -> Look {
    Look {
        at_unix_s: 1_700_000_000.25,
        at_boot_s: 5_000.5,
        took_s: 0.25,
        processes: vec![leaking_jvm(40), small_process(7), leaking_jvm(30), small_process(9)],
        ..Look::default()
    }
}
