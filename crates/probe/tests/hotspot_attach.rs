//! Attaching to real JVMs of each version: what they tell, and that they are unharmed afterwards.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod java_vm;

use std::collections::HashSet;

use java_vm::{Jvm, jdks, proc};
use model::{Bytes, JvmInside, Reading};
use probe::hotspot::attach::{Patience, Refusal};
use probe::hotspot::inside;
use probe::hotspot::perfdata::Counters;
use probe::{Parts, PidDir, Prober};

#[test]
fn jvm_tells_its_inside() {
    for (version, java) in jdks() {
        let mut jvm = Jvm::start(&java, &["-XX:NativeMemoryTracking=summary", "-Dmy.password=hunter2"]);
        let preview = jvm.preview().unwrap();
        assert!(!preview.listener_up && preview.headroom.iter().any(|one| one.what == "max_map_count"));
        let patience = Patience::default();
        let mut attachment = jvm.attach().unwrap();
        assert!(attachment.was_cold(), "{version}");
        assert!(!jvm.tmp_file(".attach_pid").exists(), "{version}: the trigger is removed");
        let mut told = JvmInside::default();
        inside::thread_dump(&mut attachment, &patience, &mut told).unwrap();
        inside::heap(&mut attachment, &patience, 5.0, &mut told).unwrap();
        inside::native_memory(&mut attachment, &patience, &mut told).unwrap();
        inside::flags(&mut attachment, &patience, &mut told).unwrap();
        let (properties, _) = inside::properties(&mut attachment, &patience).unwrap();
        check(&version, &jvm, &told);
        let secret = properties.iter().find(|one| one.key.as_str() == "my.password").unwrap();
        assert_eq!(secret.value, None, "{version}");
        let home = properties.iter().find(|one| one.key.as_str() == "java.io.tmpdir").unwrap();
        assert_eq!(home.value, Some("/tmp".into()), "{version}");
        let unknown = attachment.jcmd("No.such", &patience).unwrap_err();
        assert!(matches!(unknown, Refusal::Command { .. }), "{version}: {unknown:?}");
        // More than version 1 of the protocol takes: JDK 24 and later have another.
        let own = attachment.jcmd("VM.version", &patience).unwrap();
        let major = own.split("\nJDK ").nth(1).and_then(|rest| rest.split(['.', '\n']).next()).unwrap();
        let is_modern = major.parse::<u32>().unwrap() >= 24;
        match attachment.jcmd(&format!("VM.version{}", " ".repeat(2000)), &patience) {
            Ok(answer) => assert_eq!((is_modern, answer), (true, own), "{version}"),
            Err(Refusal::Command { code, .. }) => assert_eq!((is_modern, code), (false, -1), "{version}"),
            Err(other) => panic!("{version}: {other:?}"),
        }
        drop(attachment);
        assert!(jvm.preview().unwrap().listener_up, "{version}");
        assert!(!jvm.attach().unwrap().was_cold(), "{version}: it goes on listening");
        jvm.is_unharmed();
    }
}

fn check(version: &str, jvm: &Jvm, told: &JvmInside) {
    let tasks: HashSet<u32> = std::fs::read_dir(format!("/proc/{}/task", jvm.pid))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    for thread in &told.threads {
        let id = thread.native_id.unwrap().0;
        assert!(tasks.contains(&id), "{version}: {thread:?} is no thread of the process");
    }
    for name in ["plain", "two\nlines", "with \"quotes\" and #7 daemon", "pool-3-thread-1"] {
        let found = told.threads.iter().filter(|thread| thread.name.as_str() == name).count();
        assert_eq!(found, 1, "{version}: {name:?}");
    }
    let instances = |class: &str| {
        told.histogram.iter().find(|one| one.class.as_str() == class).map_or(0, |one| one.instances)
    };
    assert_eq!(instances("Inside$Counted"), 1003, "{version}");
    assert_eq!(instances("java.util.concurrent.ScheduledThreadPoolExecutor"), 3, "{version}");
    let loader = told.loaders.iter().find(|one| one.loader.as_str() == "Inside$Loader").unwrap();
    assert_eq!((loader.loaders, loader.classes), (3, 3), "{version}");
    let direct = told.buffers.iter().find(|one| one.kind.as_str() == "direct").unwrap();
    assert_eq!((direct.count, direct.bytes, direct.limit), (3, 3 << 20, Some(64 << 20)), "{version}");
    let heap = told.nmt.iter().find(|one| one.name.as_str() == "Java Heap").unwrap();
    assert_eq!(heap.reserved, Bytes(64 << 20), "{version}");
    assert!(told.flags.iter().any(|flag| flag.as_str() == "-XX:NativeMemoryTracking=summary"), "{version}");
    assert_eq!(told.missing, [""; 0], "{version}");
}

#[test]
fn jvm_without_native_memory_tracking_says_what_is_missing() {
    let jvm = Jvm::start("java".as_ref(), &[]);
    let mut attachment = jvm.attach().unwrap();
    let (patience, mut told) = (Patience::default(), JvmInside::default());
    inside::heap(&mut attachment, &patience, 5.0, &mut told).unwrap();
    let direct = told.buffers.iter().find(|one| one.kind.as_str() == "direct").unwrap();
    assert_eq!((direct.count, direct.source.as_str()), (3, "histogram"));
    inside::native_memory(&mut attachment, &patience, &mut told).unwrap();
    assert!(told.nmt.is_empty());
    assert_eq!(told.missing.len(), 2, "{:?}", told.missing);
    let refusal = inside::heap(&mut attachment, &patience, 0.0, &mut told).unwrap_err();
    assert!(matches!(refusal, Refusal::TooLong { .. }), "{refusal:?}");
}

#[test]
fn jvm_counts_for_everybody() {
    for (version, java) in jdks() {
        for collector in ["-XX:+UseG1GC", "-XX:+UseSerialGC", "-XX:+UseParallelGC"] {
            let jvm = Jvm::start(&java, &[collector, "-XX:MaxMetaspaceSize=80m"]);
            let mut prober = Prober::new(proc());
            let reading = prober.process(jvm.pid, &Parts { jvm: true, ..Parts::default() }).unwrap();
            let counters = reading.jvm.value().unwrap_or_else(|| panic!("{version}: {:?}", reading.jvm));
            assert_eq!(counters.command.as_str(), "Inside", "{version} {collector}");
            assert_eq!(counters.can_attach, Some(true));
            assert!(counters.options.as_str().contains(collector), "{version}: {:?}", counters.options);
            let threads = counters.threads.unwrap();
            assert!(threads.live >= 13 && threads.live <= threads.started && threads.daemon < threads.live);
            assert!(counters.classes_loaded.unwrap() > 300, "{version} {collector}");
            let tenured: Vec<_> = counters.generations.iter().map(|one| one.tenured).collect();
            assert_eq!(tenured, [false, true], "{version} {collector}");
            // G1 adds a word to some of its sizes.
            let limit = counters.generations[1].space.limit.unwrap().0;
            assert!(limit <= (64 << 20) + 64, "{version} {collector}: {limit}");
            // After a collection what is used is known.
            let mut attachment = jvm.attach().unwrap();
            attachment.jcmd("GC.run", &Patience::default()).unwrap();
            let dir = PidDir::open(&proc(), jvm.pid).unwrap();
            let mut kept = Counters::open(&dir, None).unwrap();
            let counters = kept.read().unwrap();
            assert!(counters.collectors.iter().any(|one| one.collections == 1), "{version} {collector}");
            let metaspace = counters.metaspace.unwrap();
            let used = metaspace.used;
            assert!(
                used > Bytes(50_000) && used <= metaspace.committed,
                "{version} {collector}: {metaspace:?}"
            );
            assert_eq!(metaspace.limit, Some(Bytes(80 << 20)), "{version} {collector}");
            assert!(
                counters.generations[1].space.used > Bytes(100_000),
                "{version} {collector}: the live set"
            );
        }
    }
}

#[test]
fn jvm_without_counters_can_be_attached_to() {
    for option in ["-XX:-UsePerfData", "-XX:+PerfDisableSharedMem"] {
        let mut jvm = Jvm::start("java".as_ref(), &[option]);
        let mut prober = Prober::new(proc());
        let reading = prober.process(jvm.pid, &Parts { jvm: true, ..Parts::default() }).unwrap();
        assert_eq!(reading.jvm, Reading::Unsupported, "{option}");
        let mut attachment = jvm.attach().unwrap();
        let version = attachment.jcmd("VM.version", &Patience::default()).unwrap();
        assert!(version.contains("OpenJDK"), "{version}");
        jvm.is_unharmed();
    }
}

#[test]
fn jvm_counters_whose_file_was_deleted_are_read_through_the_mapping() {
    let jvm = Jvm::start("java".as_ref(), &[]);
    let dir = PidDir::open(&proc(), jvm.pid).unwrap();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", jvm.pid)).unwrap();
    let line = maps.lines().find(|line| line.contains("/hsperfdata_")).unwrap();
    std::fs::remove_file(line.split_whitespace().last().unwrap()).unwrap();
    let opened = Counters::open(&dir, None);
    if java_vm::is_root() {
        assert_eq!(opened.unwrap().last().command.as_str(), "Inside");
    }
}

#[test]
fn jvm_is_safe_while_it_starts() {
    // On a busy machine a JVM may be ready before it is asked for the first time.
    let mut early = 0;
    for _ in 0..20 {
        if early == 3 {
            break;
        }
        let mut command = std::process::Command::new("java");
        command.arg("-Xmx64m").arg("-cp").arg(java_vm::classes()).arg("Inside");
        let mut jvm = Jvm::spawn(command);
        let mut refusals = Vec::new();
        let mut attachment = loop {
            match jvm.attach() {
                Ok(attachment) => break attachment,
                Err(
                    refusal @ (Refusal::NotAJvm
                    | Refusal::StillStarting
                    | Refusal::SignalNotCaught { .. }
                    | Refusal::SignalBlocked),
                ) => {
                    if refusals.last() != Some(&refusal) {
                        refusals.push(refusal);
                    }
                }
                Err(other) => panic!("{other:?} after {refusals:?}"),
            }
        };
        early += u32::from(!refusals.is_empty());
        attachment.jcmd("VM.uptime", &Patience::default()).unwrap();
        jvm.expect("ready");
        jvm.is_unharmed();
    }
    assert!(early > 0, "asked before it could answer");
}
