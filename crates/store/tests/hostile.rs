//! Files made to harm: refused, in little memory and time, and nothing of theirs is run.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

mod common;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use model::Look;
use rusqlite::Connection;
use store::{About, CaseReader, CaseWriter, ErrorKind, looks_like_case};

fn case(path: &Path) {
    let mut writer = CaseWriter::create(path, &About::default()).unwrap();
    writer.add(&common::small_look()).unwrap();
    writer.finish().unwrap();
}

/// A sound case file that was then worked on with SQLite.
fn tampered(path: &Path, sql: &str) {
    case(path);
    let db = Connection::open(path).unwrap();
    db.execute_batch(sql).unwrap();
}

fn zstd(json: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(json, 3).unwrap()
}

#[test]
fn tables_other_than_ours_are_refused() {
    for (name, sql) in [
        ("view", "CREATE VIEW v AS SELECT 1"),
        ("a view for a table", "DROP TABLE look; CREATE VIEW look AS SELECT 0 AS id, x'00' AS data"),
        ("trigger", "CREATE TRIGGER t AFTER INSERT ON look BEGIN DELETE FROM part; END"),
        ("index on an expression", "CREATE INDEX i ON process(abs(pid))"),
        ("virtual table", "CREATE VIRTUAL TABLE f USING fts5(a)"),
        ("generated column", "ALTER TABLE part ADD COLUMN g AS (hex(zeroblob(100000000)))"),
        ("another type", "DROP TABLE meta; CREATE TABLE meta(key TEXT, value TEXT)"),
        ("no table", "DROP TABLE part"),
        ("many tables", "CREATE TABLE a(b); CREATE TABLE c(d); CREATE TABLE e(f)"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flatfoot");
        tampered(&path, sql);
        let error = CaseReader::open(&path).err().unwrap_or_else(|| panic!("{name} was accepted"));
        assert_eq!(error.kind(), ErrorKind::Damaged, "{name}: {error}");
    }
}

#[test]
fn other_files_are_no_case_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    for content in [&b""[..], b"SQLite format 3\0", b"hello", &[0; 4_096]] {
        fs::write(&path, content).unwrap();
        assert_eq!(CaseReader::open(&path).err().unwrap().kind(), ErrorKind::NotACase);
        assert!(!looks_like_case(&path));
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(CaseReader::open(&path).err().unwrap().kind(), ErrorKind::NotFound);
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE a(b)").unwrap();
    assert_eq!(CaseReader::open(&path).err().unwrap().kind(), ErrorKind::NotACase);
    assert_eq!(CaseReader::open(folder.path()).err().unwrap().kind(), ErrorKind::NotACase);
    assert!(!looks_like_case(Path::new("/dev/zero")) && !looks_like_case(&folder.path().join("none")));
}

/// A database in WAL mode would make SQLite look for side files.
#[test]
fn a_wal_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    tampered(&path, "PRAGMA journal_mode=WAL; CREATE TABLE x(y); DROP TABLE x;");
    assert_eq!(CaseReader::open(&path).err().unwrap().kind(), ErrorKind::Damaged);
}

/// Runs in a child with little address space, so that a bomb that goes off fails the test, not the machine.
#[test]
fn bombs_do_not_go_off() {
    const CHILD: &str = "FLATFOOT_STORE_TEST_BOMB";
    if let Ok(path) = std::env::var(CHILD) {
        let reader = CaseReader::open(Path::new(&path)).unwrap();
        let stored = reader.look(0).unwrap();
        assert!(!stored.lost.is_empty());
        for lost in &stored.lost {
            println!("lost: {lost}: {:?}", lost.kind());
        }
        return;
    }
    let mut unsized_frame = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    unsized_frame.write_all(&vec![b' '; 1 << 20]).unwrap();
    let columns = |n: usize| {
        // Enough rows to be far beyond the limit, in a blob of a few kilobytes.
        zstd(format!("{{\"size\":[{}0]}}", "0,".repeat(n)).as_bytes())
    };
    let list = |element: &str, n: usize| {
        let all = vec![element; n].join(",");
        zstd(format!("{{\"process\":{{\"cgroups\":{{\"value\":{{\"groups\":[{all}]}}}}}}}}").as_bytes())
    };
    let deep = zstd(("{\"process\":{\"x\":".to_owned() + &"[".repeat(1 << 20)).as_bytes());
    let bombs = [
        ("core of spaces", "core", zstd(&vec![b' '; 512 << 20])),
        ("core of empty objects", "core", list("{}", 2 << 20)),
        ("core that is deep", "core", deep),
        ("frame without a size", "core", unsized_frame.finish().unwrap()),
        (
            "frame that claims too much",
            "core",
            vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0, 255, 255, 255, 255, 255, 255, 255, 127],
        ),
        ("rows without end", "space", columns(30 << 20)),
        (
            "rows in text",
            "threads",
            zstd(format!("{{\"tid\":[0],\"name\":[{}\"\"]}}", "\"\",".repeat(20 << 20)).as_bytes()),
        ),
        ("columns that differ", "space", zstd(b"{\"size\":[1,2,3],\"gap\":[1]}")),
        ("a blob of zeros", "space", vec![0; 1 << 20]),
    ];
    for (name, part, blob) in bombs {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flatfoot");
        case(&path);
        let db = Connection::open(&path).unwrap();
        db.execute("UPDATE part SET data = ? WHERE name = ?", (&blob, part)).unwrap();
        drop(db);
        let output = limited(&path, CHILD);
        assert!(output.contains("lost: "), "{name}: {output}");
    }
}

/// The same test again in a child of 768 MiB and 20 s of CPU time; what it printed.
fn limited(path: &Path, variable: &str) -> String {
    let exe = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -v 786432 && ulimit -t 20 && exec \"$0\" --exact bombs_do_not_go_off --nocapture",
        ])
        .arg(exe)
        .env(variable, path)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut waited = 0;
    while child.try_wait().unwrap().is_none() {
        assert!(waited < 600, "still at work after a minute");
        waited += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    let output = child.wait_with_output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text
}

/// Many parts, each within its own limit, may not add up to more than a look may cost.
#[test]
fn a_look_has_one_budget() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let look = Look { processes: vec![common::leaking_jvm(1); 9], ..Look::default() };
    let mut writer = CaseWriter::create(&path, &About::default()).unwrap();
    writer.add(&look).unwrap();
    writer.finish().unwrap();
    let blob = zstd(format!("{{\"size\":[{}0]}}", "0,".repeat(1 << 20)).as_bytes());
    Connection::open(&path)
        .unwrap()
        .execute("UPDATE part SET data = ? WHERE name = 'space'", [&blob])
        .unwrap();
    let stored = CaseReader::open(&path).unwrap().look(0).unwrap();
    let whole = stored.look.processes.iter().filter(|p| p.space.value().is_some()).count();
    assert!((1..8).contains(&whole), "{whole} address spaces of a million mappings each");
    assert_eq!(stored.lost.len(), 9 - whole);
    assert!(stored.lost.iter().all(|lost| lost.kind() == ErrorKind::TooBig));
}

/// Names and blobs that are longer than the file itself can be: pages strung together to be read many times.
#[test]
fn what_is_too_long_is_not_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    tampered(
        &path,
        "UPDATE process SET name = hex(zeroblob(5000000)); UPDATE part SET data = zeroblob(33000000)",
    );
    let stored = CaseReader::open(&path).unwrap().look(0).unwrap();
    assert_eq!(stored.look.processes, []);
    assert_eq!(stored.lost.len(), 4);
    assert!(stored.lost.iter().all(|lost| lost.to_string().len() < 300));
}

#[test]
fn more_than_a_reader_takes_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let mut process = common::small_process(1);
    process.threads = model::Reading::Value(vec![model::Thread::default(); (1 << 21) + 1]);
    let look = Look { processes: vec![process], ..Look::default() };
    let mut writer = CaseWriter::create(&path, &About::default()).unwrap();
    let error = writer.add(&look).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooBig);
    assert!(error.place().unwrap().contains("process 1 (worker-1)"), "{error}");
}
