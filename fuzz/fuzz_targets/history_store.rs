//! A store or a case file with history, of any bytes: opened, replayed, asked everything.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use model::{Column, ProcessNo};
use store::history::{HistoryReader, Window};

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("flatfoot-fuzz-{}.flatfoot", std::process::id()));
    fs::write(&path, bytes).unwrap();
    if let Ok(reader) = HistoryReader::open(&path) {
        for tick in reader.ticks(Window::ALL).unwrap().take(10_000).flatten() {
            assert!(tick.rows.is_sorted_by(|a, b| a.process < b.process));
        }
        let _ = reader.series(ProcessNo(1), &[Column::Cpu, Column::Resident], Window::ALL);
        let _ = reader.reduced(ProcessNo(1), &[Column::Cpu], Window::ALL, 100);
        let _ = (reader.incarnations(Window::ALL), reader.events(Window::ALL), reader.coverage());
        for look in reader.looks(Window::ALL).into_iter().flatten().take(16) {
            let _ = reader.look(look.id);
        }
        assert!(reader.damage().len() <= 1_001);
    }
});
