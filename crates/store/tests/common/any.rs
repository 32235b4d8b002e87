//! Looks to store: any that the types allow.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)] // each test file uses a part of it

use model::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-z0-9/._ -]{0,20}".prop_map(Text::from),
        any::<String>().prop_map(Text::from),
        vec(any::<u8>(), 0..24).prop_map(|bytes| Text::from_bytes(&bytes)),
    ]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0_u64..5_000, any::<u64>(), Just(u64::MAX)]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    number().prop_map(Bytes)
}

fn ticks() -> impl Strategy<Value = Ticks> {
    number().prop_map(Ticks)
}

fn pid() -> impl Strategy<Value = Pid> {
    any::<u32>().prop_map(Pid)
}

fn seconds() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NORMAL, SUBNORMAL, ZERO};
    NORMAL | SUBNORMAL | ZERO
}

pub fn reading<S: Strategy + 'static>(value: S) -> impl Strategy<Value = Reading<S::Value>>
where
    S::Value: Clone + 'static,
{
    prop_oneof![
        6 => value.prop_map(Reading::Value),
        1 => Just(Reading::Denied(Need::PtraceAccess)),
        1 => Just(Reading::Gone),
        1 => Just(Reading::Unsupported),
        1 => Just(Reading::Skipped),
        1 => any::<String>().prop_map(Reading::Malformed),
    ]
}

fn key() -> impl Strategy<Value = ProcessKey> {
    (any::<u128>(), pid(), ticks()).prop_map(|(boot, pid, start)| ProcessKey {
        boot: BootId(boot),
        pid,
        start,
    })
}

fn stat() -> impl Strategy<Value = Stat> {
    (text(), any::<char>(), pid(), vec(number(), 8), number(), number()).prop_map(
        |(name, state, parent, n, start_brk, start_stack)| Stat {
            name,
            state,
            parent,
            minor_faults: n[0],
            major_faults: n[1],
            utime: Ticks(n[2]),
            stime: Ticks(n[3]),
            threads: n[4],
            start: Ticks(n[5]),
            virtual_size: Bytes(n[6]),
            resident: Bytes(n[7]),
            flags: n[0] ^ n[1],
            start_brk,
            start_stack,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    (vec(any::<u32>(), 3), vec(any::<u32>(), 0..3), vec(option::of(bytes()), 8), number(), number()).prop_map(
        |(ids, ns_pids, sizes, threads, mask)| Status {
            uid: ids[0],
            gid: ids[1],
            ns_pids,
            peak: sizes[0],
            locked: sizes[1],
            resident_peak: sizes[2],
            rss_anon: sizes[3],
            rss_file: sizes[4],
            rss_shmem: sizes[5],
            page_tables: sizes[6],
            swap: sizes[7],
            threads,
            signals_caught: mask,
            capabilities: !mask,
            tracer: ids[2],
        },
    )
}

fn cgroups() -> impl Strategy<Value = Cgroups> {
    let level = (text(), vec(option::of(number()), 3), vec(option::of(bytes()), 3)).prop_map(
        |(dir, numbers, sizes)| CgroupLevel {
            dir,
            pids_max: numbers[0],
            pids_current: numbers[1],
            memory_max: sizes[0],
            memory_high: sizes[1],
            memory_current: sizes[2],
            oom_kills: numbers[2],
        },
    );
    (text(), option::of(text()), option::of(text()), vec(level, 0..3))
        .prop_map(|(path, unit, container, groups)| Cgroups { path, unit, container, groups })
}

fn thread() -> impl Strategy<Value = Thread> {
    let stack = prop_oneof![
        any::<u64>().prop_map(StackHint::RobustList),
        any::<u64>().prop_map(StackHint::StackPointer)
    ];
    (pid(), text(), any::<char>(), ticks(), ticks(), ticks(), option::of(stack)).prop_map(
        |(tid, name, state, start, utime, stime, stack)| Thread {
            tid,
            name,
            state,
            start,
            utime,
            stime,
            stack,
        },
    )
}

fn mapping() -> impl Strategy<Value = Mapping> {
    (number(), number(), any::<u8>(), number(), number(), number(), any::<u32>()).prop_map(
        |(start, end, perms, offset, device, inode, name)| Mapping {
            start,
            end,
            perms: Perms(perms),
            offset,
            device,
            inode,
            name,
        },
    )
}

fn detail() -> impl Strategy<Value = MappingDetail> {
    (vec(bytes(), 9), any::<u16>()).prop_map(|(b, flags)| MappingDetail {
        rss: b[0],
        pss: b[1],
        private_dirty: b[2],
        private_clean: b[3],
        shared_dirty: b[4],
        shared_clean: b[5],
        anonymous: b[6],
        huge: b[7],
        swap: b[8],
        flags: VmFlags(flags),
    })
}

fn space() -> impl Strategy<Value = AddressSpace> {
    let from =
        prop_oneof![Just(TouchedFrom::Nothing), Just(TouchedFrom::PagemapScan), Just(TouchedFrom::Smaps)];
    (
        vec(mapping(), 0..20),
        vec(text(), 0..5),
        reading(vec(number(), 0..20)),
        from,
        vec((number(), number()), 0..5),
        vec((number(), number(), number()), 0..5),
        vec(any::<u32>(), 0..5),
        reading(vec(detail(), 0..20)),
    )
        .prop_map(
            |(mappings, names, touched, touched_from, guards, stretches, named_deleted, details)| {
                AddressSpace {
                    mappings,
                    names,
                    touched,
                    touched_from,
                    guards,
                    stretches: stretches
                        .into_iter()
                        .map(|(start, end, touched)| Stretch { start, end, touched })
                        .collect(),
                    named_deleted,
                    details,
                }
            },
        )
}

fn remains() -> impl Strategy<Value = Vec<Remains>> {
    vec((text(), text(), option::of(seconds())), 0..3)
        .prop_map(|all| all.into_iter().map(|(source, what, when)| Remains { source, what, when }).collect())
}

fn process() -> impl Strategy<Value = ProcessReading> {
    let statm = vec(bytes(), 5).prop_map(|b| Statm {
        size: b[0],
        resident: b[1],
        shared: b[2],
        text: b[3],
        data: b[4],
    });
    let rlimits = (vec(option::of(number()), 3), vec(option::of(bytes()), 2)).prop_map(|(n, b)| Rlimits {
        processes: n[0],
        open_files: n[1],
        address_space: b[0],
        stack: b[1],
        user_tasks: n[2],
    });
    let descriptors =
        (number(), vec((text(), number(), text()), 0..4)).prop_map(|(total, kinds)| Descriptors {
            total,
            kinds: kinds
                .into_iter()
                .map(|(kind, count, example)| DescriptorKind { kind, count, example })
                .collect(),
        });
    let child = (pid(), text(), any::<char>(), ticks()).prop_map(|(pid, name, state, start)| Child {
        pid,
        name,
        state,
        start,
    });
    let rollup = vec(bytes(), 5).prop_map(|b| Rollup {
        rss: b[0],
        pss: b[1],
        private_dirty: b[2],
        anonymous: b[3],
        swap: b[4],
    });
    let short = (
        key(),
        seconds(),
        seconds(),
        stat(),
        reading(statm),
        reading(status()),
        reading(vec(text(), 0..4)),
        reading(text()),
    );
    let rest = (
        reading(cgroups()),
        reading(rlimits),
        reading(descriptors),
        reading(vec(child, 0..4)),
        reading(vec(thread(), 0..20)),
        reading(space()),
        reading(rollup),
        reading(remains()),
        (reading(counters()), reading(inside())),
    );
    (short, rest).prop_map(|(short, rest)| {
        let (key, at_s, took_s, stat, statm, status, cmdline, exe) = short;
        let (cgroups, rlimits, descriptors, children, threads, space, rollup, remains, (jvm, inside)) = rest;
        ProcessReading {
            key,
            at_s,
            took_s,
            stat,
            statm,
            status,
            cmdline,
            exe,
            cgroups,
            rlimits,
            descriptors,
            children,
            threads,
            space,
            rollup,
            remains,
            jvm,
            inside,
        }
    })
}

fn counters() -> impl Strategy<Value = JvmCounters> {
    let generation = (text(), bytes(), bytes(), option::of(bytes()), any::<bool>()).prop_map(
        |(name, used, committed, limit, tenured)| HeapGeneration {
            name,
            space: JvmSpace { used, committed, limit },
            tenured,
        },
    );
    (text(), option::of(any::<bool>()), option::of(seconds()), vec(generation, 0..3), option::of(number()))
        .prop_map(|(version, can_attach, uptime_s, generations, classes_loaded)| JvmCounters {
            version,
            can_attach,
            uptime_s,
            generations,
            classes_loaded,
            ..JvmCounters::default()
        })
}

fn inside() -> impl Strategy<Value = JvmInside> {
    let frame = || {
        (text(), text(), option::of(text()), option::of(any::<u32>()), option::of(text()), any::<bool>())
            .prop_map(|(class, method, file, line, origin, of_jdk)| JavaFrame {
                class,
                method,
                file,
                line,
                origin,
                of_jdk,
            })
    };
    let birth = (text(), number(), text(), seconds(), any::<bool>()).prop_map(
        |(name, java_id, starter, at_boot_s, failed)| JavaBirth { name, java_id, starter, at_boot_s, failed },
    );
    let spawn = (text(), vec(frame(), 0..5), any::<bool>(), vec(birth, 0..4), number()).prop_map(
        |(source, frames, cut, births, count)| SpawnStack { source, frames, cut, births, count, failed: 0 },
    );
    let site = (frame(), text()).prop_map(|(at, makes)| CreationSite { at, makes });
    (vec(spawn, 0..3), vec(site, 0..3)).prop_map(|(spawns, sites)| JvmInside {
        spawns,
        sites,
        ..JvmInside::default()
    })
}

fn host() -> impl Strategy<Value = HostReading> {
    let when = prop_oneof![
        text().prop_map(ScheduleWhen::Cron),
        text().prop_map(ScheduleWhen::Quartz),
        text().prop_map(ScheduleWhen::Calendar),
        number().prop_map(ScheduleWhen::EverySeconds)
    ];
    let schedule =
        (text(), when, text()).prop_map(|(source, when, what)| ScheduleEntry { source, when, what });
    let memory = vec(bytes(), 12).prop_map(|b| MemInfo {
        total: b[0],
        free: b[1],
        available: b[2],
        committed: b[3],
        commit_limit: b[4],
        swap_total: b[5],
        swap_free: b[6],
        anon: b[7],
        shmem: b[8],
        slab: b[9],
        page_tables: b[10],
        kernel_stack: b[11],
    });
    let vmstat = vec(option::of(number()), 4).prop_map(|n| VmStat {
        oom_kills: n[0],
        swapped_in: n[1],
        swapped_out: n[2],
        major_faults: n[3],
    });
    let pressure = vec(seconds(), 4).prop_map(|p| Pressure {
        memory_some: p[0],
        memory_full: p[1],
        cpu_some: p[2],
        io_some: p[3],
    });
    let plain =
        (text(), text(), any::<u128>(), vec(seconds(), 2), vec(number(), 3), any::<i32>(), any::<bool>());
    let read = (
        reading(memory),
        reading(vmstat),
        reading(pressure),
        vec(reading(number()), 5),
        reading(vec(schedule, 0..4)),
        reading(remains()),
    );
    (plain, read).prop_map(|(plain, read)| {
        let (name, kernel, boot, times, numbers, utc_offset_s, flag) = plain;
        let (memory, vmstat, pressure, limits, schedules, remains) = read;
        let [overcommit_mode, threads_max, pid_max, max_map_count, tasks] =
            <[Reading<u64>; 5]>::try_from(limits).unwrap();
        HostReading {
            name,
            kernel,
            boot: BootId(boot),
            booted_unix_s: times[0],
            uptime_s: times[1],
            ticks_per_second: numbers[0],
            page_size: numbers[1],
            cpus: numbers[2],
            utc_offset_s,
            memory,
            overcommit_mode,
            vmstat,
            pressure,
            threads_max,
            pid_max,
            max_map_count,
            tasks,
            schedules,
            schedules_denied: Vec::new(),
            remains,
            has_pagemap_scan: flag,
            cgroup_v2: !flag,
        }
    })
}

pub fn look() -> impl Strategy<Value = Look> {
    let level = prop_oneof![Just(AccessLevel::Read), Just(AccessLevel::Agent)];
    (vec(seconds(), 8), host(), vec(process(), 0..4), number(), number(), level).prop_map(
        |(s, host, processes, gone, denied, level)| Look {
            at_unix_s: s[0],
            at_boot_s: s[1],
            took_s: s[2],
            late_s: s[3],
            host,
            processes,
            gone,
            denied,
            impact: Impact {
                level,
                attached_s: s[4],
                longest_pause_s: s[5],
                done: vec![format!("{level:?}")],
                reading_s: s[6],
                own_cpu_s: s[7],
            },
        },
    )
}
