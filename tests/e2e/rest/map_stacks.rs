//! Stacks: how many, how large, where they begin and where their guards are, under glibc and musl.

use serde_json::Value;

use crate::facts::{assert_classes_sum_to_the_process, hex, of_class};
use crate::support::{Flatfoot, Leaker};

/// A line of the file that the program wrote: TID START SIZE GUARD KIND.
struct Stack {
    start: u64,
    size: u64,
    guard: u64,
    kind: String,
}

fn stacks(file: &std::path::Path) -> Vec<Stack> {
    let text = std::fs::read_to_string(file).expect("the program's stacks");
    text.lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |i: usize| words[i].parse::<u64>().expect("a number");
            Stack {
                start: u64::from_str_radix(words[1].trim_start_matches("0x"), 16).expect("an address"),
                size: number(2),
                guard: number(3),
                kind: words[4].to_owned(),
            }
        })
        .collect()
}

/// Bytes of the main thread's stack.
fn main_stack(map: &Value) -> u64 {
    let rows = map["mappings"].as_array().expect("mappings");
    let row = rows.iter().find(|row| row["name"] == "[stack]").expect("[stack]");
    row["size_bytes"].as_u64().expect("a size")
}

#[track_caller]
fn look(program: &str, args: &[&str]) -> (Value, Vec<Stack>, Leaker) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stacks");
    let path = file.display().to_string();
    let args: Vec<&str> = args.iter().map(|a| if *a == "FILE" { path.as_str() } else { a }).collect();
    let program = Leaker::start(program, &args);
    let truth = stacks(&file);
    let (code, map) = Flatfoot::new().json(&["map", &program.arg(), "--mappings"]);
    assert_eq!(code, 0);
    assert_classes_sum_to_the_process(&map, program.pid());
    (map, truth, program)
}

#[test]
fn every_stack_is_found_with_its_size_and_guard() {
    for (program, stack) in [
        ("shape", "0"),
        ("shape", "256K"),
        ("shape-musl", "0"),
        ("shape-musl", "256K"),
        ("shape-musl-static", "0"),
    ] {
        let (map, truth, _alive) = look(program, &["many-threads", "60", stack, "FILE"]);
        assert_eq!(
            (truth.len(), of_class(&map, "thread stack", "maps")),
            (60, 61),
            "{program} {stack}: the main one too"
        );
        // musl keeps its thread block above the usable range, in the same mapping: rounded up to pages.
        let pages = |bytes: u64| bytes.div_ceil(4096) * 4096;
        let reserved: u64 = truth.iter().map(|s| pages(s.size)).sum::<u64>() + main_stack(&map);
        let guards: u64 = truth.iter().map(|s| s.guard).sum();
        // A block of musl's malloc that lies next to a stack becomes one mapping with it: nobody can tell them apart.
        let merged = if program == "shape" { 0 } else { 16 * 4096 };
        let found = of_class(&map, "thread stack", "reserved_bytes");
        assert!((reserved..=reserved + merged).contains(&found), "{program} {stack}: {found} of {reserved}");
        assert_eq!(of_class(&map, "guard", "reserved_bytes"), guards, "{program} {stack}");
        assert_eq!(map["remarks"], serde_json::json!([]), "{program} {stack}");
    }
}

#[test]
fn stacks_that_the_program_supplied_are_found_and_decoys_are_not() {
    for spinning in ["0", "2"] {
        let (map, truth, _alive) = look("shape", &["own-stacks", "8", "FILE", spinning]);
        assert_eq!(of_class(&map, "thread stack", "maps"), 9, "8 and the main thread's");
        // The guard that the program put into its own stack counts as guard, not as stack.
        let own_guard: u64 = truth.iter().filter(|s| s.kind == "own-guarded").count() as u64 * 4096;
        let size: u64 = truth.iter().map(|s| s.size).sum();
        let guard: u64 = truth.iter().map(|s| s.guard).sum();
        assert_eq!(of_class(&map, "thread stack", "reserved_bytes"), size + main_stack(&map) - own_guard);
        assert_eq!(of_class(&map, "guard", "reserved_bytes"), guard + own_guard);
        let rows = map["mappings"].as_array().expect("mappings");
        for stack in &truth {
            let start = if stack.kind == "own-guarded" { stack.start + 4096 } else { stack.start };
            let own = rows.iter().find(|r| hex(r) == start);
            assert_eq!(
                own.map(|r| &r["class"]),
                Some(&Value::from("thread stack")),
                "{:x} {}",
                stack.start,
                stack.kind
            );
        }
    }
}

#[test]
fn what_cannot_be_told_of_musl_stacks_is_said() {
    let (map, truth, _alive) = look("shape-musl", &["own-stacks", "8", "FILE", "2"]);
    let found = of_class(&map, "thread stack", "maps");
    let remarks = map["remarks"].as_array().expect("remarks");
    let said = remarks.iter().find_map(|r| r.as_str()?.strip_suffix_of("thread stacks were not found"));
    let missing = said.expect("says that some were not found");
    assert_eq!(found + missing, truth.len() as u64 + 1, "{map:#}");
    assert!(missing >= 2, "two threads spin, and no pointer of theirs can be read");
}

trait LeadingNumber {
    fn strip_suffix_of(&self, text: &str) -> Option<u64>;
}

impl LeadingNumber for str {
    /// The number before `text`.
    fn strip_suffix_of(&self, text: &str) -> Option<u64> {
        self[..self.find(text)?].split_ascii_whitespace().next_back()?.parse().ok()
    }
}

#[test]
fn guards_inside_one_mapping_part_its_stacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stacks");
    let mut command = std::process::Command::new(crate::support::leaker::built().join("shape"));
    command.args(["guard-install", "8"]).arg(&file);
    let needs = std::process::Command::new("uname").arg("-r").output().expect("uname");
    let release = String::from_utf8_lossy(&needs.stdout).into_owned();
    let mut numbers = release.split(['.', '-']).filter_map(|n| n.trim().parse::<u32>().ok());
    if (numbers.next(), numbers.next()) < (Some(6), Some(13)) {
        // The kernel has no such guards: there is nothing to be seen here, on any machine with it.
        eprintln!("NOT TESTED: MADV_GUARD_INSTALL came with Linux 6.13, this is {release}");
        return;
    }
    let program = Leaker::of(command);
    let (_, map) = Flatfoot::new().json(&["map", &program.arg(), "--mappings"]);
    assert_classes_sum_to_the_process(&map, program.pid());
    let truth = stacks(&file);
    let size: u64 = truth.iter().map(|s| s.size).sum();
    assert_eq!(of_class(&map, "thread stack", "maps"), 9);
    assert_eq!(of_class(&map, "thread stack", "reserved_bytes"), size + main_stack(&map));
    assert_eq!(of_class(&map, "guard", "reserved_bytes"), truth.iter().map(|s| s.guard).sum::<u64>());
}
