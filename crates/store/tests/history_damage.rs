//! Stores that were cut, changed, filled up or made to harm: what was recorded stays readable, what is lost is named,
//! and no figure is read that was not written.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

mod common;
#[path = "common/ticks.rs"]
mod ticks;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use model::{Column, ProcessNo, Tick};
use store::history::{HistoryReader, HistoryWriter, Retention, Selection, Window, export};
use store::{About, CaseReader, ErrorKind};
use ticks::host_tick;

const PROCESSES: u32 = 3;

fn open(path: &Path) -> Result<HistoryWriter, store::Error> {
    HistoryWriter::open(path, &About::default(), Retention::default())
}

/// A closed store with blocks and, if wanted, a journal that was not flushed; its bytes.
fn store(path: &Path, journal: bool) -> Vec<u8> {
    let mut writer = open(path).unwrap();
    for number in 0..240 {
        writer.tick(&host_tick(number, PROCESSES)).unwrap();
        if number % 40 == 39 && number < 200 {
            writer.flush().unwrap();
        }
    }
    if journal {
        drop(writer);
        let db = rusqlite::Connection::open(path).unwrap();
        db.execute_batch("PRAGMA journal_mode=DELETE").unwrap();
    } else {
        writer.close().unwrap();
    }
    fs::read(path).unwrap()
}

/// Reads all that can be read; fails when anything is read that was not written and nobody says so.
fn survivors(path: &Path, context: &str) -> usize {
    let Ok(reader) = HistoryReader::open(path) else { return 0 };
    let mut found = 0;
    let mut whole = true;
    for tick in reader.ticks(Window::ALL).unwrap() {
        let Ok(tick) = tick else {
            whole = false;
            break;
        };
        let number = tick.at_boot_ms.wrapping_sub(60_000) / 10_000;
        let written = host_tick(number, PROCESSES);
        assert!(number < 240, "{context}: a tick that nobody wrote");
        assert_eq!((tick.at_unix_ms, tick.at_boot_ms), (written.at_unix_ms, written.at_boot_ms), "{context}");
        for (process, values) in tick.by_process() {
            let original = written.by_process().find(|(number, _)| *number == process).map(|(_, own)| own);
            assert_eq!(Some(values), original, "{context}: a figure that nobody wrote");
        }
        whole &= tick == written;
        found += 1;
    }
    for process in 0..=PROCESSES {
        let columns = [Column::Cpu, Column::Resident, Column::HostFree];
        for series in reader.series(ProcessNo(process), &columns, Window::ALL).unwrap() {
            for point in series.points {
                let number = point.at_unix_ms.wrapping_sub(ticks::BOOTED_MS + 60_000) as u64 / 10_000;
                let written = host_tick(number, PROCESSES);
                let own = written.by_process().find(|(number, _)| number.0 == process).unwrap().1;
                let value = own.iter().find(|(column, _)| Some(*column) == series.column).unwrap().1;
                assert_eq!(point.value, value, "{context}: {process} {:?}", series.column);
            }
        }
    }
    let known = reader.incarnations(Window::ALL).unwrap();
    let _ = (reader.events(Window::ALL), reader.looks(Window::ALL), reader.coverage(), reader.about());
    whole &= found == 240 && known.len() == PROCESSES as usize;
    assert!(whole || !reader.damage().is_empty(), "{context}: something is missing and nobody says so");
    found
}

#[test]
fn a_changed_byte_is_never_a_changed_figure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    for journal in [false, true] {
        let mut bytes = store(&path, journal);
        let empty =
            |at: usize| bytes[at.saturating_sub(32)..(at + 32).min(bytes.len())].iter().all(|b| *b == 0);
        // A stride that is prime to the page size, and the beginning of each page; the middle of what is empty says nothing.
        let places: Vec<usize> = (0..bytes.len())
            .step_by(67)
            .chain((0..bytes.len()).filter(|at| at % 16_384 < 24))
            .filter(|at| !empty(*at))
            .collect();
        assert!(places.len() > 200, "{}", places.len());
        for at in places {
            for mask in [0xff, 1 << (at % 8)] {
                bytes[at] ^= mask;
                fs::write(&path, &bytes).unwrap();
                survivors(&path, &format!("journal {journal}, byte {at} ^ {mask:#x}"));
                bytes[at] ^= mask;
            }
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_store_cut_anywhere_gives_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let whole = store(&path, false);
    for length in (0..whole.len()).step_by(4_096) {
        fs::write(&path, &whole[..length]).unwrap();
        survivors(&path, &format!("cut to {length} of {}", whole.len()));
    }
}

#[test]
fn a_lost_block_costs_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    store(&path, true);
    let db = rusqlite::Connection::open(&path).unwrap();
    for (statement, ticks, said) in [
        ("DELETE FROM block WHERE id = 2", 200, "40 ticks from tick 80 on"),
        ("UPDATE block SET times = x'00' WHERE id = 3", 160, "block 3, times"),
        ("DELETE FROM chunk WHERE id = (1 << 32 | 2)", 160, "block 1, process 2"),
        ("UPDATE journal SET data = x'01' WHERE id = 203", 131, "29 ticks of the last hour"),
        ("DELETE FROM incarnation WHERE id = 2", 131, "list of processes"),
    ] {
        db.execute(statement, []).unwrap();
        let reader = HistoryReader::open(&path).unwrap();
        assert_eq!(reader.ticks(Window::ALL).unwrap().map(Result::unwrap).count(), ticks, "{statement}");
        reader.incarnations(Window::ALL).unwrap();
        let damage = reader.damage();
        assert!(damage.iter().any(|damage| damage.contains(said)), "{statement}: {damage:?}");
    }
    survivors(&path, "several losses");
    // A recorder goes on all the same, and names what it found.
    drop(db);
    let mut writer = open(&path).unwrap();
    assert!(!writer.damage().is_empty());
    writer.tick(&host_tick(240, PROCESSES)).unwrap();
}

#[test]
fn a_later_schema_is_refused_by_all_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, case) = (folder.path().join("store"), folder.path().join("a.flatfoot"));
    let mut bytes = store(&path, false);
    export(
        &HistoryReader::open(&path).unwrap(),
        Selection { window: Window::ALL, processes: None, redact: false },
        &case,
        &About::default(),
    )
    .unwrap();
    bytes[60..64].copy_from_slice(&3_u32.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let mut case_bytes = fs::read(&case).unwrap();
    case_bytes[60..64].copy_from_slice(&3_u32.to_be_bytes());
    fs::write(&case, &case_bytes).unwrap();
    let errors = [
        open(&path).err().unwrap(),
        HistoryReader::open(&path).err().unwrap(),
        HistoryReader::open(&case).err().unwrap(),
        CaseReader::open(&case).err().unwrap(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Newer(3));
        assert!(error.to_string().contains("schema 3"), "{error}");
    }
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn what_is_no_store_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema-1.flatfoot"), &path).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(open(&path).err().unwrap().kind(), ErrorKind::NotAStore);
    assert!(fs::read(&path).unwrap() == before);
    fs::write(&path, "hello").unwrap();
    assert_eq!(open(&path).err().unwrap().kind(), ErrorKind::NotAStore);
    assert_eq!(fs::read(&path).unwrap(), b"hello");
    assert_eq!(open(&folder.path().join("none/store")).err().unwrap().kind(), ErrorKind::NotFound);
    let store_path = folder.path().join("store");
    store(&store_path, false);
    assert_eq!(CaseReader::open(&store_path).err().unwrap().kind(), ErrorKind::NotACase);
    assert!(store::history::looks_like_store(&store_path) && !store::looks_like_case(&store_path));
}

#[test]
fn tables_other_than_ours_are_refused() {
    for sql in [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON journal BEGIN DELETE FROM chunk; END",
        "DROP TABLE chunk; CREATE TABLE chunk(id INTEGER, data BLOB)",
        "CREATE INDEX i ON chunk(data)",
        "DROP TABLE looked",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        store(&path, false);
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        assert_eq!(HistoryReader::open(&path).err().unwrap().kind(), ErrorKind::Damaged, "{sql}");
        assert_eq!(open(&path).err().unwrap().kind(), ErrorKind::Damaged, "{sql}");
    }
}

/// The same test again in a child that may not write more than so many blocks of 1,024 bytes into a file: a full disk.
#[test]
fn a_full_disk_is_said_and_recording_goes_on() {
    const CHILD: &str = "FLATFOOT_STORE_TEST_FULL";
    let Ok(path) = std::env::var(CHILD) else {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        // SIGXFSZ is ignored, so that a write fails with EFBIG.
        let child = Command::new("sh")
            .args([
                "-c",
                "trap '' XFSZ; ulimit -S -f 1200 && exec \"$0\" --exact a_full_disk_is_said_and_recording_goes_on --nocapture",
            ])
            .arg(std::env::current_exe().unwrap())
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        let safe: Vec<u64> = text
            .lines()
            .filter_map(|line| line.rsplit_once("safe ").and_then(|(_, number)| number.parse().ok()))
            .collect();
        assert!(text.contains("full: ") && safe.len() > 20, "{text}");
        let reader = HistoryReader::open(&path).unwrap();
        let found: Vec<Tick> = reader.ticks(Window::ALL).unwrap().map(Result::unwrap).collect();
        let numbers: Vec<u64> = found.iter().map(|tick| (tick.at_boot_ms - 60_000) / 10_000).collect();
        assert!(safe.iter().all(|number| numbers.contains(number)), "a safe tick is lost");
        // There is space again.
        let mut writer = open(&path).unwrap();
        let next = numbers.last().unwrap() + 1;
        for number in next..next + 100 {
            writer.tick(&host_tick(number, 200)).unwrap();
        }
        writer.close().unwrap();
        let reader = HistoryReader::open(&path).unwrap();
        assert_eq!(reader.ticks(Window::ALL).unwrap().count(), numbers.len() + 100);
        return;
    };
    let mut writer = open(Path::new(&path)).unwrap();
    let mut refused = 0;
    for number in 0.. {
        match writer.tick(&host_tick(number, 200)) {
            Ok(()) => println!("safe {number}"),
            Err(error) => {
                println!("full: {error}: {:?}, hint: {:?}", error.kind(), error.hint());
                assert!(error.hint().is_some());
                refused += 1;
            }
        }
        if refused > 5 {
            return;
        }
        assert!(number < 100_000, "a disk that is never full");
    }
}

#[test]
fn a_folder_that_may_not_be_written_is_said_and_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("store");
    store(&path, false);
    fs::remove_file(inner.join("store.lock")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o555)).unwrap();
    assert_eq!(survivors(&path, "read-only"), 240);
    // Root may write where nobody may.
    if fs::File::create(inner.join("probe")).is_err() {
        let error = open(&path).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.hint().unwrap().contains("--store"), "{:?}", error.hint());
    }
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A store of schema 2 as it was written once: every later flatfoot reads it. Written anew only before it is released:
/// `FLATFOOT_BLESS=1 cargo test -p flatfoot-store schema_2`.
#[test]
fn schema_2_is_read_for_ever() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema-2.flatfoot");
    if std::env::var_os("FLATFOOT_BLESS").is_some() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        store(&path, true);
        let _ = fs::remove_file(&fixture);
        let selection = Selection { window: Window::ALL, processes: None, redact: false };
        export(&HistoryReader::open(&path).unwrap(), selection, &fixture, &About::default()).unwrap();
    }
    assert_eq!(survivors(&fixture, "the fixture"), 240);
    assert!(HistoryReader::open(&fixture).unwrap().damage().is_empty());
}
