//! What is written is what is read: everything, from any look, in a file that others can share.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use model::{Look, Reading};
use proptest::prelude::*;
use store::{About, CaseReader, CaseWriter, ErrorKind, looks_like_case};

fn about() -> About {
    About {
        version: "0.1.0".into(),
        created: "2012-11-27T11:00:00Z".into(),
        command: "flatfoot diagnose 'a\nb'".into(),
        target: "java[3248]".into(),
    }
}

fn write(path: &std::path::Path, looks: &[Look]) -> store::Saved {
    let mut writer = CaseWriter::create(path, &about()).unwrap();
    for look in looks {
        writer.add(look).unwrap();
    }
    writer.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_looks_come_back(looks in proptest::collection::vec(common::look(), 0..4)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.flatfoot");
        write(&path, &looks);
        let reader = CaseReader::open(&path).unwrap();
        prop_assert_eq!(reader.about(), &about());
        prop_assert_eq!(reader.damage(), None);
        prop_assert_eq!(reader.len(), looks.len());
        for (stored, look) in reader.looks().zip(&looks) {
            let stored = stored.unwrap();
            prop_assert!(stored.lost.is_empty(), "{:?}", stored.lost);
            prop_assert_eq!(&stored.look, look);
        }
    }
}

#[test]
fn an_outline_is_the_look_without_its_bulk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let mut look = common::small_look();
    write(&path, std::slice::from_ref(&look));
    for process in &mut look.processes {
        process.threads = Reading::Skipped;
        process.space = Reading::Skipped;
    }
    assert_eq!(CaseReader::open(&path).unwrap().outline(0).unwrap().look, look);
}

#[test]
fn the_file_is_private_whole_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("50 % of #1?.flatfoot");
    let look = common::small_look();

    let mut writer = CaseWriter::create(&path, &about()).unwrap();
    writer.add(&look).unwrap();
    assert!(!path.exists(), "nothing under the final name before it is finished");
    let hidden = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
    assert_eq!(hidden.metadata().unwrap().mode() & 0o777, 0o600);
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a writer that gives up leaves nothing");

    let saved = write(&path, std::slice::from_ref(&look));
    let meta = path.metadata().unwrap();
    assert_eq!((saved.path.as_path(), saved.bytes), (path.as_path(), meta.len()));
    assert_eq!(meta.mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no side files");
    assert!(looks_like_case(&path));
}

#[test]
fn an_existing_file_is_kept_unless_replacing_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let late = CaseWriter::create(&path, &about()).unwrap();
    fs::write(&path, "mine").unwrap();
    assert_eq!(late.finish().unwrap_err().kind(), ErrorKind::Exists, "it came while we wrote");
    let error = CaseWriter::create(&path, &about()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert_eq!(fs::read(&path).unwrap(), b"mine");

    CaseWriter::create_or_replace(&path, &about()).unwrap().finish().unwrap();
    assert!(CaseReader::open(&path).unwrap().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = CaseWriter::create_or_replace(folder.path(), &about()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Exists, "a directory is not replaced");
}

#[test]
fn reading_writes_nothing_and_needs_no_right_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let look = common::small_look();
    write(&path, std::slice::from_ref(&look));
    // What a stranger may lay beside it must not be taken for a journal of ours.
    let beside = folder.path().join("a.flatfoot-journal");
    fs::write(&beside, [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7].repeat(128)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let before = (fs::read(&path).unwrap(), fs::read(&beside).unwrap());

    let readers: Vec<_> = (0..4).map(|_| CaseReader::open(&path).unwrap()).collect();
    std::thread::scope(|scope| {
        for reader in readers {
            let look = &look;
            scope.spawn(move || assert_eq!(reader.look(0).unwrap().look, *look));
        }
    });
    assert_eq!((fs::read(&path).unwrap(), fs::read(&beside).unwrap()), before);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_killed_writer_leaves_no_case_and_is_swept_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let mut writer = CaseWriter::create(&path, &about()).unwrap();
    writer.add(&common::small_look()).unwrap();
    let hidden = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let left = folder.path().join(".flatfoot-1-0.tmp"); // what a kill -9 would leave: unlocked
    fs::copy(&hidden, &left).unwrap();
    assert_eq!(store::prune(folder.path(), 50).unwrap(), 1);
    assert!(hidden.exists() && !left.exists());
}

/// A file of schema 1 as it was written once: every later flatfoot reads it. Written anew only when schema 1 was
/// not yet released: `FLATFOOT_BLESS=1 cargo test -p flatfoot-store schema_1`.
#[test]
fn schema_1_is_read_for_ever() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema-1.flatfoot");
    let look = common::small_look();
    if std::env::var_os("FLATFOOT_BLESS").is_some() {
        let mut writer = CaseWriter::create_or_replace(&path, &about()).unwrap();
        writer.add(&look).unwrap();
        writer.finish().unwrap();
    }
    let reader = CaseReader::open(&path).unwrap();
    assert_eq!(reader.about(), &about());
    assert_eq!(reader.look(0).unwrap().look, look);
}

/// The size is part of the promise; the time is in the benches.
#[test]
fn two_thousand_threads_fit_in_200_kilobytes() {
    let folder = tempfile::tempdir().unwrap();
    let look = Look { processes: vec![common::leaking_jvm(2_000)], ..Look::default() };
    let saved = write(&folder.path().join("a.flatfoot"), &[look]);
    assert!(saved.bytes <= 200_000, "{} bytes", saved.bytes);
}
