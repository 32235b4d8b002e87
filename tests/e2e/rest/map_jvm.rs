//! A JVM's memory as flatfoot reads it from outside, against what the JVM says itself (Native Memory Tracking).

use serde_json::Value;

use crate::facts::{assert_classes_sum_to_the_process, of_class, smaps_by_class};
use crate::support::{Flatfoot, Leaker, need, shell};

const KIB: u64 = 1024;

/// `jcmd VM.native_memory summary`, as text.
struct Nmt(String);

impl Nmt {
    fn of(pid: u32) -> Self {
        Self(shell::text(&format!("jcmd {pid} VM.native_memory summary")))
    }

    /// Reserved and committed bytes in the line that begins so; of `part` below it when that is given.
    #[track_caller]
    fn of_category(&self, category: &str, part: &str) -> (u64, u64) {
        let head = format!("{category} (reserved=");
        let from = self.0.find(&head).unwrap_or_else(|| panic!("{category} in {}", self.0));
        let text = &self.0[from..];
        let from = text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
        let number = |key: &str| {
            let at = text[from..].find(key).expect(key) + from + key.len();
            let digits: String = text[at..].chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u64>().expect("a number of KB") * KIB
        };
        (number("reserved="), number("committed="))
    }
}

fn jvm(options: &'static str, args: &[&str]) -> Leaker {
    Leaker::with("run-java.sh", args, |command| {
        command.env("JOPTS", format!("-XX:NativeMemoryTracking=summary {options}"));
    })
}

#[test]
fn the_jvms_own_figures_are_those_of_the_map() {
    need!("java", "jcmd");
    for options in [
        "-Xms64m -Xmx512m -Xss1m",
        "-XX:+UseSerialGC -Xms32m -Xmx256m -Xss512k",
        "-XX:+UseParallelGC -Xms32m -Xmx256m -XX:ReservedCodeCacheSize=64m",
    ] {
        let program = jvm(options, &["fixed-pool", "20"]);
        // The first jcmd starts the JVM's attach listener: that thread is there before the figures are taken.
        Nmt::of(program.pid());
        let nmt = Nmt::of(program.pid());
        program.freeze();
        let (_, map) = Flatfoot::new().json(&["map", &program.arg(), "--mappings"]);
        assert_classes_sum_to_the_process(&map, program.pid());

        let heap = nmt.of_category("Java Heap", "Java Heap");
        assert_eq!(
            (of_class(&map, "java heap", "reserved_bytes"), of_class(&map, "java heap", "committed_bytes")),
            heap
        );

        let spaces = [nmt.of_category("Class", "Class space:"), nmt.of_category("Class", "Metadata:")];
        let metaspace = spaces.iter().fold((0, 0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
        assert_eq!(
            of_class(&map, "metaspace", "reserved_bytes"),
            metaspace.0,
            "class space and metadata: {options}"
        );
        near(of_class(&map, "metaspace", "committed_bytes"), metaspace.1, 512 * KIB, "metaspace committed");

        // NMT counts the tables beside the code, too: one or two megabytes of 240.
        let code = nmt.of_category("Code", "(mmap:");
        let (reserved, committed) =
            (of_class(&map, "code cache", "reserved_bytes"), of_class(&map, "code cache", "committed_bytes"));
        assert!(reserved <= code.0, "{options}: {reserved} of {}", code.0);
        near(reserved, code.0, code.0 / 50, "code cache reserved");
        near(committed, code.1, 2048 * KIB, "code cache committed");

        // Compiler threads come and go: two of them at most. The first thread's stack is not the JVM's.
        let stacks = nmt.of_category("Thread", "(stack:").0;
        let main = map["mappings"].as_array().and_then(|rows| rows.iter().find(|r| r["name"] == "[stack]"));
        let main = main.and_then(|row| row["size_bytes"].as_u64()).expect("[stack]");
        let ours = of_class(&map, "thread stack", "reserved_bytes")
            + of_class(&map, "guard", "reserved_bytes")
            - main;
        near(ours, stacks, 2 * 1024 * KIB + 64 * KIB, "thread stacks and their guards");
    }
}

#[test]
fn committed_of_a_jvm_is_derived_within_a_hundredth() {
    need!("java");
    let program = jvm("-Xms64m -Xmx512m -Xss1m", &["fixed-pool", "30"]);
    program.freeze();
    let flatfoot = Flatfoot::new();
    let (_, exact) = flatfoot.json(&["map", &program.arg(), "--mappings"]);
    let (_, derived) = flatfoot.json(&["map", &program.arg(), "--mappings", "--detail", "touched"]);
    let smaps = smaps_by_class(&exact, program.pid());
    let total = exact["total"]["committed_bytes"].as_u64().expect("a sum");
    let (used, charged) = smaps.values().fold((0, 0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
    assert_eq!(total, charged, "the sum over VmFlags");
    assert_eq!(exact["total"]["touched_bytes"].as_u64(), Some(used), "Rss and Swap of smaps");
    for row in exact["classes"].as_array().expect("classes") {
        let name = row["class"].as_str().expect("a name");
        let committed = row["committed_bytes"].as_u64().expect("bytes");
        // The wilderness of the Java heap and what mprotect gave back are charged though nobody may write there.
        near(of_class(&derived, name, "committed_bytes"), committed, total / 100, name);
    }
    near(derived["total"]["committed_bytes"].as_u64().expect("a sum"), total, total / 100, "the total");
}

#[track_caller]
fn near(ours: u64, theirs: u64, by: u64, what: &str) {
    assert!(ours.abs_diff(theirs) <= by, "{what}: {ours} and {theirs} differ by more than {by}");
}

#[test]
fn the_heap_of_a_jvm_that_allocates_stays_within_its_bounds() {
    need!("java");
    let mut program = jvm("-Xms64m -Xmx256m", &["warm-up", "3"]);
    program.line("warm", 60.0);
    program.freeze();
    let (_, map): (i32, Value) = Flatfoot::new().json(&["map", &program.arg()]);
    let of = |field: &str| of_class(&map, "java heap", field);
    assert_eq!(of("reserved_bytes"), 256 << 20);
    assert!(
        of("touched_bytes") <= of("committed_bytes") && of("committed_bytes") <= of("reserved_bytes"),
        "{map:#}"
    );
    assert!(of("touched_bytes") > 32 << 20, "64 MiB of live objects are in it");
}
