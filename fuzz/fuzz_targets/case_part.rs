//! The JSON inside a sound case file: what fuzzing the file never reaches behind zstd's checksum.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use model::{Look, ProcessReading, Reading};
use rusqlite::Connection;
use store::{About, CaseReader, CaseWriter};
use tempfile::TempDir;

thread_local! {
    static CASE: RefCell<Option<(TempDir, Connection)>> = const { RefCell::new(None) };
}

/// A case file with one process that has all parts, and SQLite on it to change them.
fn make() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let process = ProcessReading {
        threads: Reading::Value(vec![model::Thread { state: 'S', ..Default::default() }]),
        space: Reading::Value(model::AddressSpace::default()),
        ..Default::default()
    };
    let mut writer = CaseWriter::create(&path, &About::default()).unwrap();
    writer.add(&Look { processes: vec![process], ..Look::default() }).unwrap();
    writer.finish().unwrap();
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF").unwrap();
    (folder, db)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, json)) = bytes.split_first() else { return };
    let blob = zstd::bulk::compress(json, 1).unwrap();
    CASE.with_borrow_mut(|case| {
        let (folder, db) = case.get_or_insert_with(make);
        // Each target in turn is made unreadable for the next run, so it is put back by the one that changes it.
        let (update, kept) = match which % 4 {
            0 => ("UPDATE look SET data = ? WHERE id = 0", "SELECT data FROM look WHERE id = 0"),
            1 => ("UPDATE part SET data = ? WHERE id = 0", "SELECT data FROM part WHERE id = 0"),
            2 => ("UPDATE part SET data = ? WHERE id = 1", "SELECT data FROM part WHERE id = 1"),
            _ => ("UPDATE part SET data = ? WHERE id = 2", "SELECT data FROM part WHERE id = 2"),
        };
        let sound: Vec<u8> = db.query_row(kept, [], |row| row.get(0)).unwrap();
        db.execute(update, [&blob]).unwrap();
        let reader = CaseReader::open(&folder.path().join("a.flatfoot")).unwrap();
        if let Ok(look) = reader.look(0) {
            // What was read can be written again, and is then the same.
            let path = folder.path().join("again.flatfoot");
            let mut writer = CaseWriter::create_or_replace(&path, &About::default()).unwrap();
            if writer.add(&look.look).is_ok() {
                writer.finish().unwrap();
                assert_eq!(CaseReader::open(&path).unwrap().look(0).unwrap().look, look.look);
            }
        }
        db.execute(update, [&sound]).unwrap();
    });
});
