//! A running JVM: the sizes that its mappings show against those that it says of itself (native memory tracking).

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use model::{MemoryClass, Pid};
use probe::classify::classify;
use probe::{Parts, Prober, ProcRoot, SpaceDepth, ThreadDepth};

const PROGRAM: &str = r#"
public class Waits {
    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 20; i++) {
            Thread thread = new Thread(() -> { try { Thread.sleep(600_000); } catch (InterruptedException e) { } });
            thread.setDaemon(true);
            thread.start();
        }
        System.out.println("ready");
        Thread.sleep(600_000);
    }
}
"#;

/// Killed and waited for when the test is over.
struct Jvm(Child);

impl Drop for Jvm {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(options: &[&str]) -> Jvm {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("Waits.java");
    std::fs::write(&source, PROGRAM).unwrap();
    let mut command = Command::new("java");
    command.args(options).arg("-XX:NativeMemoryTracking=summary").arg(&source).stdout(Stdio::piped());
    let child = command.spawn().expect("these tests need a JDK: scripts/install-test-deps.sh");
    let mut jvm = Jvm(child);
    let mut line = String::new();
    BufReader::new(jvm.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    jvm
}

/// `-  Java Heap (reserved=524288KB, committed=389120KB)`: what is reserved and committed by category, in KiB, counting
/// memory that is mapped and leaving out what was allocated by malloc.
fn native_memory(pid: u32) -> HashMap<String, (u64, u64)> {
    let output = Command::new("jcmd").args([&pid.to_string(), "VM.native_memory"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| {
        let number = |after: &str| -> Option<u64> {
            let rest = &line[line.find(after)? + after.len()..];
            rest[..rest.find("KB")?].parse().ok()
        };
        Some((number("reserved=")?, number("committed=")?))
    };
    let mut found = HashMap::new();
    let mut category = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix('-') {
            rest.trim().split(" (").next().unwrap_or("").clone_into(&mut category);
        } else if line.contains("(mmap: ")
            && let Some(pair) = pair(line)
        {
            found.entry(category.clone()).or_insert(pair);
        }
    }
    found
}

fn check(options: &[&str], heap_committed: bool) {
    let jvm = start(options);
    let pid = jvm.0.id();
    // First, as attaching makes threads and arenas.
    let said = native_memory(pid);
    let parts = Parts {
        statm: true,
        cmdline: true,
        threads: ThreadDepth::WithStacks,
        space: SpaceDepth::Details,
        ..Parts::default()
    };
    let mut prober = Prober::new(ProcRoot::open("/proc").unwrap());
    let process = prober.process(Pid(pid), &parts).unwrap();
    let map = classify(&process);
    let kib = |class| (map.of(class).reserved.0 / 1024, map.of(class).committed.0 / 1024);
    let heap = kib(MemoryClass::JavaHeap);
    assert_eq!(heap.0, said["Java Heap"].0, "{options:?}: heap, reserved");
    if heap_committed {
        assert_eq!(heap.1, said["Java Heap"].1, "{options:?}: heap, committed");
    }
    // "Code" counts the tables of the segments too, a byte per 128 of code.
    let code = kib(MemoryClass::CodeCache).0;
    assert!(
        (code..=code + code / 100).contains(&said["Code"].0),
        "{options:?}: code {code}, {:?}",
        said["Code"]
    );
    let archive = said.get("Shared class space").copied().unwrap_or_default();
    assert_eq!(kib(MemoryClass::CdsArchive).0, archive.0, "{options:?}: archive");
    let metaspace = (said["Class"].0 + said["Metaspace"].0, said["Class"].1 + said["Metaspace"].1);
    assert_eq!(
        kib(MemoryClass::Metaspace).0,
        metaspace.0,
        "{options:?}: metaspace and class space, reserved"
    );
    // It goes on growing while it is looked at.
    assert!(kib(MemoryClass::Metaspace).1.abs_diff(metaspace.1) <= 512, "{options:?}: {metaspace:?}");
    let threads = process.threads.value().unwrap().len();
    assert_eq!((map.stacks.len(), map.stacks_missing.clone()), (threads, None), "{options:?}");
    let guarded = map.stacks.iter().filter(|stack| stack.guard.0 >= 4096).count();
    assert_eq!(guarded, threads - 1, "{options:?}: all but the first thread's");
    let sum: u64 = map.classes.iter().map(|(_, amounts)| amounts.reserved.0).sum();
    assert_eq!(sum, map.total.reserved.0);
}

#[test]
fn jvm_with_default_options() {
    check(&[], true);
}

#[test]
fn jvm_with_the_serial_collector_and_a_small_heap() {
    check(&["-XX:+UseSerialGC", "-Xmx64m", "-Xss512k"], true);
}

#[test]
fn jvm_with_the_parallel_collector() {
    check(&["-XX:+UseParallelGC", "-Xmx256m", "-XX:ReservedCodeCacheSize=64m"], true);
}

#[test]
fn jvm_without_compressed_pointers() {
    check(&["-XX:-UseCompressedOops", "-Xmx300m", "-XX:CompressedClassSpaceSize=128m"], true);
}

#[test]
fn jvm_with_zgc() {
    // Its heap is a memory file: not charged to mappings.
    check(&["-XX:+UseZGC", "-Xmx128m"], false);
}
