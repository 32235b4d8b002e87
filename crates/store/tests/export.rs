//! A case file of a part of a store: exactly that part, without what was to be left out.

#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, as the test does

mod common;
#[path = "common/ticks.rs"]
mod ticks;

use std::fs;
use std::path::Path;
use std::time::Duration;

use model::{Column, ProcessNo, Tick};
use store::history::{HistoryReader, HistoryWriter, Retention, Selection, Window, export};
use store::{About, CaseReader, ErrorKind};
use ticks::host_tick;

fn about() -> About {
    About { command: "flatfoot export --secret".into(), target: "host".into(), ..About::default() }
}

fn record(path: &Path, count: u64, retention: Retention) -> (HistoryWriter, model::Look) {
    let mut writer = HistoryWriter::open(path, &About::default(), retention).unwrap();
    let mut look = common::small_look();
    look.host.name = "sherlock".into();
    for number in 0..count {
        let tick = host_tick(number, 4);
        writer.tick(&tick).unwrap();
        if number == count / 2 {
            look.at_unix_s = tick.at_unix_ms as f64 / 1e3;
            writer.look(&look).unwrap();
        }
    }
    (writer, look)
}

const ALL: Selection<'_> = Selection { window: Window::ALL, processes: None, redact: false };

#[test]
fn all_of_it_is_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, case) = (folder.path().join("store"), folder.path().join("a.flatfoot"));
    let (_writer, look) = record(&path, 900, Retention::default());
    let reader = HistoryReader::open(&path).unwrap();
    let saved = export(&reader, ALL, &case, &about()).unwrap();
    assert_eq!(saved.bytes, case.metadata().unwrap().len());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        5,
        "the store with its side files, and the case"
    );
    let error = export(&reader, ALL, &case, &about()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);

    let exported = HistoryReader::open(&case).unwrap();
    assert!(!exported.is_store() && reader.is_store());
    let ticks: Vec<Tick> = exported.ticks(Window::ALL).unwrap().map(Result::unwrap).collect();
    assert!(ticks.len() == 900 && (0..).zip(&ticks).all(|(number, tick)| *tick == host_tick(number, 4)));
    assert_eq!(exported.incarnations(Window::ALL).unwrap(), reader.incarnations(Window::ALL).unwrap());
    assert_eq!(exported.events(Window::ALL).unwrap(), reader.events(Window::ALL).unwrap());
    let looks = exported.looks(Window::ALL).unwrap();
    assert_eq!(looks.len(), 1);
    assert_eq!(exported.look(looks[0].id).unwrap().look, look);
    assert_eq!(exported.about(), about());
    assert_eq!((exported.damage(), exported.redacted()), (Vec::new(), None));
    // The views that know looks only open it as well.
    let looks_only = CaseReader::open(&case).unwrap();
    assert_eq!((looks_only.len(), looks_only.damage()), (1, None));
    assert_eq!(looks_only.look(0).unwrap().look, look);
}

#[test]
fn a_part_is_cut_to_its_time_and_its_processes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, case) = (folder.path().join("store"), folder.path().join("a.flatfoot"));
    let (_writer, _) = record(&path, 900, Retention::default());
    let reader = HistoryReader::open(&path).unwrap();
    let window = Window::new(host_tick(300, 4).at_unix_ms, host_tick(500, 4).at_unix_ms);
    let selection = Selection { window, processes: Some(&[ProcessNo(2)]), redact: false };
    export(&reader, selection, &case, &about()).unwrap();
    let exported = HistoryReader::open(&case).unwrap();
    let ticks: Vec<Tick> = exported.ticks(Window::ALL).unwrap().map(Result::unwrap).collect();
    assert_eq!(ticks.len(), 200);
    for (number, tick) in (300..).zip(&ticks) {
        let whole = host_tick(number, 4);
        assert_eq!((tick.at_boot_ms, tick.took_us), (whole.at_boot_ms, whole.took_us));
        let expected: Vec<_> =
            whole.by_process().filter(|(process, _)| [0, 2].contains(&process.0)).collect();
        assert_eq!(tick.by_process().collect::<Vec<_>>(), expected);
    }
    let found = exported.incarnations(Window::ALL).unwrap();
    assert_eq!(found.iter().map(|found| found.known.process.0).collect::<Vec<_>>(), [2]);
    assert_eq!(exported.looks(Window::ALL).unwrap(), [], "the look was of others");
    let columns = [Column::Cpu, Column::Resident];
    let whole = reader.series(ProcessNo(2), &columns, window).unwrap();
    assert_eq!(exported.series(ProcessNo(2), &columns, Window::ALL).unwrap(), whole);
    assert!(exported.damage().is_empty(), "{:?}", exported.damage());
}

#[test]
fn reduced_history_is_exported_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, case) = (folder.path().join("store"), folder.path().join("a.flatfoot"));
    let full = Duration::from_hours(6);
    let (_writer, _) = record(&path, 9_000, Retention { full, ..Retention::default() });
    let reader = HistoryReader::open(&path).unwrap();
    assert!(reader.coverage().unwrap().iter().any(|covered| covered.step_ms == 60_000));
    export(&reader, ALL, &case, &about()).unwrap();
    let exported = HistoryReader::open(&case).unwrap();
    assert_eq!(exported.coverage().unwrap(), reader.coverage().unwrap());
    for process in 0..5 {
        let columns = [Column::Cpu, Column::Resident, Column::Descriptors, Column::HostTasks];
        let whole = reader.series(ProcessNo(process), &columns, Window::ALL).unwrap();
        assert_eq!(exported.series(ProcessNo(process), &columns, Window::ALL).unwrap(), whole);
    }
    assert!(exported.damage().is_empty(), "{:?}", exported.damage());
}

#[test]
fn what_is_redacted_is_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, case) = (folder.path().join("store"), folder.path().join("a.flatfoot"));
    let (mut writer, mut look) = record(&path, 20, Retention::default());
    look.processes[0].cmdline =
        model::Reading::Value(vec!["/home/watson/bin/x".into(), "--password=hunter2".into()]);
    look.processes[0].exe = model::Reading::Value("/home/watson/bin/x".into());
    look.processes[0].key.boot = ticks::BOOT;
    look.processes[0].jvm = model::Reading::Value(model::JvmCounters {
        options: "-Xmx64m -Dkey=hunter2".into(),
        command: "Main hunter2".into(),
        ..model::JvmCounters::default()
    });
    writer.look(&look).unwrap();
    let mark = model::EventKind::Mark { text: "hunter2 was here".into() };
    let mut tick = host_tick(20, 4);
    tick.events.push(model::Event { at_boot_ms: tick.at_boot_ms, process: ProcessNo(0), what: mark });
    writer.tick(&tick).unwrap();
    let reader = HistoryReader::open(&path).unwrap();
    export(&reader, Selection { redact: true, ..ALL }, &case, &about()).unwrap();
    let exported = HistoryReader::open(&case).unwrap();
    assert!(exported.redacted().unwrap().as_str().contains("host name"));
    let looks = exported.looks(Window::ALL).unwrap();
    assert_eq!(looks.len(), 2);
    let redacted = exported.look(looks[1].id).unwrap().look;
    let told = format!(
        "{:?} {:?} {redacted:?} {:?}",
        exported.events(Window::ALL).unwrap(),
        exported.incarnations(Window::ALL).unwrap(),
        exported.about()
    );
    for secret in ["hunter2", "watson", "sherlock", "--secret"] {
        assert!(!told.contains(secret), "{secret} is still told");
    }
    assert!(told.contains("-Xmx64m") && told.contains("/home/-/bin/x") && told.contains("worker-1"));
    assert_eq!(redacted.processes[0].key, look.processes[0].key);
    assert_eq!(redacted.processes[0].stat, look.processes[0].stat);
    // The host's own file is as it was.
    assert_eq!(reader.look(looks[1].id).unwrap().look, look);
}

/// A case file of schema 1 has looks and no history, and is not written to.
#[test]
fn schema_1_is_history_without_ticks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema-1.flatfoot");
    let before = fs::read(&path).unwrap();
    let reader = HistoryReader::open(&path).unwrap();
    assert_eq!(reader.ticks(Window::ALL).unwrap().count(), 0);
    assert!(reader.incarnations(Window::ALL).unwrap().is_empty() && reader.coverage().unwrap().is_empty());
    assert!(reader.series(ProcessNo(1), &[Column::Cpu], Window::ALL).unwrap()[0].points.is_empty());
    assert_eq!(reader.looks(Window::ALL).unwrap().len(), 1);
    assert_eq!(reader.look(0).unwrap().look, common::small_look());
    // And becomes one of schema 2 when it is exported.
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("a.flatfoot");
    export(&reader, ALL, &case, &about()).unwrap();
    let exported = HistoryReader::open(&case).unwrap();
    assert_eq!(exported.look(0).unwrap().look, common::small_look());
    assert_eq!(fs::read(&path).unwrap(), before);
}
