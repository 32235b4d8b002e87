//! Files that were cut short or changed on the way: never a panic, never a wrong reading, and what was not hit
//! is still there.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

mod common;

use std::fs;
use std::path::Path;

use model::Look;
use store::{About, CaseReader, CaseWriter, ErrorKind};

fn case(path: &Path, looks: &[Look]) -> Vec<u8> {
    let mut writer = CaseWriter::create_or_replace(path, &About::default()).unwrap();
    for look in looks {
        writer.add(look).unwrap();
    }
    writer.finish().unwrap();
    fs::read(path).unwrap()
}

/// Reads all that can be read; fails when anything is read that was not written and not reported as lost.
/// How many processes came back whole.
fn survivors(path: &Path, written: &[Look], context: &str) -> usize {
    let Ok(reader) = CaseReader::open(path) else { return 0 };
    let mut whole = 0;
    let mut complete = reader.len() == written.len();
    for index in 0..reader.len() {
        let _ = reader.outline(index);
        let Ok(stored) = reader.look(index) else {
            complete = false;
            continue;
        };
        let Some(original) = written.iter().find(|look| look.at_unix_s == stored.look.at_unix_s) else {
            panic!("{context}: a look that nobody wrote");
        };
        complete &= stored.lost.is_empty();
        if stored.lost.is_empty() {
            assert_eq!(&stored.look, original, "{context}: changed and not reported");
        }
        for process in &stored.look.processes {
            let is_whole = original.processes.contains(process);
            let is_known = original.processes.iter().any(|p| p.key == process.key && p.stat == process.stat);
            assert!(is_known, "{context}: a process that nobody wrote");
            whole += usize::from(is_whole);
        }
        for lost in &stored.lost {
            assert!(lost.place().is_some() && lost.hint().is_some(), "{context}: {lost}");
        }
    }
    assert!(
        complete
            || reader.damage().is_some()
            || reader.looks().any(|l| l.is_err() || !l.unwrap().lost.is_empty()),
        "{context}: something is missing and nobody says so"
    );
    whole
}

fn looks() -> Vec<Look> {
    let look = common::small_look();
    vec![look.clone(), Look { at_unix_s: look.at_unix_s + 10.0, ..look }]
}

#[test]
fn a_file_cut_anywhere_gives_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let looks = looks();
    let whole = case(&path, &looks);
    let mut most = 0;
    for length in (0..whole.len()).step_by(512) {
        fs::write(&path, &whole[..length]).unwrap();
        let found = survivors(&path, &looks, &format!("cut to {length} of {}", whole.len()));
        if let Ok(reader) = CaseReader::open(&path) {
            assert!(reader.damage().unwrap().contains("cut short"));
        }
        most = most.max(found);
    }
    assert!(most >= 4, "of 8 processes {most} were saved from the longest cut file");
}

#[test]
fn a_changed_byte_is_never_a_changed_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let looks = looks();
    let mut bytes = case(&path, &looks);
    // A stride that is prime to the page size meets every kind of byte; the headers of all pages one by one.
    let places =
        (0..bytes.len()).step_by(131).chain((0..bytes.len()).filter(|at| at % 4_096 < 9 && at % 3 == 0));
    for at in places {
        for mask in [0xff, 1 << (at % 8)] {
            bytes[at] ^= mask;
            fs::write(&path, &bytes).unwrap();
            survivors(&path, &looks, &format!("byte {at} ^ {mask:#x}"));
            bytes[at] ^= mask;
        }
    }
}

#[test]
fn a_lost_page_costs_what_was_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let looks = [Look {
        at_unix_s: 1.0,
        processes: (1..400).map(common::small_process).collect(),
        ..Look::default()
    }];
    let whole = case(&path, &looks);
    let pages = whole.len() / 4_096;
    let mut saved = Vec::new();
    for page in (6..pages).step_by(5) {
        let mut bytes = whole.clone();
        bytes[page * 4_096..(page + 1) * 4_096].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let found = survivors(&path, &looks, &format!("page {page}"));
        saved.push(found);
    }
    let average = saved.iter().sum::<usize>() / saved.len();
    assert!(average > 350, "of 399 processes {average} were saved on average");
}

#[test]
fn a_newer_file_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.flatfoot");
    let mut bytes = case(&path, &looks());
    bytes[60..64].copy_from_slice(&7_u32.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let error = CaseReader::open(&path).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Newer(7));
    assert!(error.to_string().contains("schema 7") && error.hint().unwrap().contains("--version"));
    assert!(store::looks_like_case(&path));
}
