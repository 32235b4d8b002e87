//! Memory by class, to the byte: programs that say what they hold, and smaps read by the tests themselves.

use std::fs::File;

use serde_json::Value;

use crate::facts::{assert_classes_sum_to_the_process, class, hex, of_class, smaps_by_class, word};
use crate::support::{Flatfoot, Leaker};

/// What a program says of one thing that it holds.
struct Holding {
    class: String,
    start: u64,
    reserved: u64,
    committed: u64,
    touched: u64,
    exact: bool,
}

fn truth(ready: &str) -> Vec<Holding> {
    let list: Value = serde_json::from_str(word(ready, "truth")).expect("JSON in the ready line");
    let address =
        |v: &Value| u64::from_str_radix(v.as_str().unwrap_or_default().trim_start_matches("0x"), 16);
    list.as_array()
        .expect("a list")
        .iter()
        .map(|h| Holding {
            class: h["class"].as_str().unwrap_or_default().to_owned(),
            start: address(&h["start"]).expect("an address"),
            reserved: h["reserved"].as_u64().expect("a size"),
            committed: h["committed"].as_u64().expect("a size"),
            touched: h["touched"].as_u64().expect("a size"),
            exact: h["exact"] == true,
        })
        .collect()
}

/// In the words of the table.
fn label(held: &str) -> &str {
    match held {
        "file-private" => "file",
        "file-shared" => "file, shared",
        "file-deleted" => "file, deleted",
        "shm-sysv" | "shm-posix" | "shm-anonymous" => "shared memory",
        "memfd" => "memfd",
        // A private mapping of /dev/zero is anonymous memory by another name.
        "anonymous" | "device" | "only-read" | "half-written" | "calloc" => "direct, other anon",
        "reserved" => "reserved only",
        "main-heap" => "main heap",
        "malloc-arena" => "malloc arena",
        "thread-stack" => "thread stack",
        "guard" => "guard",
        other => panic!("a new class {other}"),
    }
}

/// Each thing held is where it was said to be, of the right class, with the bytes that it has.
#[track_caller]
fn assert_held(map: &Value, holdings: &[Holding]) {
    let rows = map["mappings"].as_array().expect("mappings");
    for held in holdings {
        let inside: Vec<&Value> =
            rows.iter().filter(|row| (held.start..held.start + held.reserved).contains(&hex(row))).collect();
        let name = &held.class;
        assert!(!inside.is_empty(), "{name}: no mapping at {:x}", held.start);
        for row in &inside {
            assert_eq!(row["class"], label(name), "{name}: {row}");
        }
        let sum = |field: &str| inside.iter().map(|row| row[field].as_u64().expect(field)).sum::<u64>();
        assert_eq!(sum("size_bytes"), held.reserved, "{name}: reserved");
        let touched = sum("touched_bytes");
        if held.exact {
            assert_eq!(touched, held.touched, "{name}: touched");
        } else {
            assert!(touched >= held.touched, "{name}: {touched} touched of at least {}", held.touched);
        }
    }
}

#[test]
fn memory_that_was_only_read_is_not_touched() {
    let program = Leaker::start("shape", &["calloc-read"]);
    let flatfoot = Flatfoot::new();
    for detail in ["touched", "full"] {
        let (code, map) = flatfoot.json(&["map", &program.arg(), "--mappings", "--detail", detail]);
        assert_eq!(code, 0);
        assert_held(&map, &truth(&program.ready));
        assert_classes_sum_to_the_process(&map, program.pid());
    }
}

#[test]
fn memory_only_read_is_not_touched_under_musl_either() {
    for program in ["shape-musl", "shape-musl-static"] {
        let program = Leaker::start(program, &["calloc-read", "16M"]);
        let (_, map) = Flatfoot::new().json(&["map", &program.arg(), "--mappings"]);
        assert_held(&map, &truth(&program.ready));
        assert_classes_sum_to_the_process(&map, program.pid());
    }
}

/// A program that holds one thing of each class; its shared memory is removed with it.
struct Classes {
    program: Leaker,
    shm: String,
    _folder: tempfile::TempDir,
}

impl Classes {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let unique =
            folder.path().file_name().expect("a name").to_string_lossy().trim_start_matches('.').to_owned();
        let shm = format!("flatfoot-e2e-{unique}");
        let path = folder.path().display().to_string();
        Self { program: Leaker::start("shape", &["classes", &path, &shm]), shm, _folder: folder }
    }
}

impl Drop for Classes {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(format!("/dev/shm/{}", self.shm));
    }
}

#[test]
fn each_class_has_exactly_its_bytes() {
    let classes = Classes::start();
    let holdings = truth(&classes.program.ready);
    let (_, map) = Flatfoot::new().json(&["map", &classes.program.arg(), "--mappings"]);
    assert_held(&map, &holdings);
    assert_classes_sum_to_the_process(&map, classes.program.pid());
    assert!(map["committed_exact"] == true, "smaps was read");
    // Classes that hold nothing else: their totals are known in full.
    for name in
        ["file, shared", "file, deleted", "shared memory", "memfd", "malloc arena", "guard", "main heap"]
    {
        let of: Vec<&Holding> = holdings.iter().filter(|h| label(&h.class) == name).collect();
        let reserved: u64 = of.iter().map(|h| h.reserved).sum();
        let committed: u64 = of.iter().map(|h| h.committed).sum();
        assert_eq!(of_class(&map, name, "reserved_bytes"), reserved, "{name}");
        assert_eq!(of_class(&map, name, "committed_bytes"), committed, "{name}");
    }
    assert!(class(&map, "unexplained").is_null() || of_class(&map, "unexplained", "reserved_bytes") == 0);
}

#[test]
fn touched_and_committed_agree_with_smaps_class_by_class() {
    let classes = Classes::start();
    let flatfoot = Flatfoot::new();
    let pid = classes.program.pid();
    let (_, exact) = flatfoot.json(&["map", &classes.program.arg(), "--mappings"]);
    let (_, derived) = flatfoot.json(&["map", &classes.program.arg(), "--mappings", "--detail", "touched"]);
    assert_eq!(
        (&exact["committed_exact"], &derived["committed_exact"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    let smaps = smaps_by_class(&exact, pid);
    for row in exact["classes"].as_array().expect("classes") {
        let name = row["class"].as_str().expect("a name");
        let (used, charged) = smaps.get(name).copied().unwrap_or_default();
        assert_eq!(row["touched_bytes"].as_u64(), Some(used), "{name}: touched");
        assert_eq!(row["committed_bytes"].as_u64(), Some(charged), "{name}: committed, from VmFlags");
        assert_eq!(of_class(&derived, name, "committed_bytes"), charged, "{name}: committed, derived");
        assert_eq!(of_class(&derived, name, "touched_bytes"), used, "{name}: touched, without smaps");
    }
}

#[test]
fn sizes_alone_need_no_pages_and_say_so() {
    let program = Leaker::start("shape", &["calloc-read", "8M"]);
    let flatfoot = Flatfoot::new();
    let (code, map) = flatfoot.json(&["map", &program.arg(), "--detail", "sizes"]);
    assert_eq!((code, &map["touched_from"]), (0, &Value::from("nothing")));
    assert!(map["total"]["touched_bytes"].is_null(), "not read is not 0");
    assert_classes_sum_to_the_process(&map, program.pid());
    let text = flatfoot.run(&["map", &program.arg(), "--detail", "sizes"]).stdout;
    assert!(text.contains('?') && !text.contains(" 0 B  0 B"), "{text}");
}

#[test]
fn a_removed_file_is_told_from_one_that_is_named_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Leaker::start("shape", &["hostile", "paren", &folder.path().display().to_string()]);
    assert!(File::open(folder.path().join("kept (deleted)")).is_ok());
    let (_, map) = Flatfoot::new().json(&["map", &program.arg(), "--mappings"]);
    assert!(class(&map, "file, deleted").is_null(), "nothing was removed: {map:#}");
    assert_eq!(of_class(&map, "file, shared", "reserved_bytes"), 2 << 20);
}
