//! How quantities read, as a table that the page's own functions are tested with too (tests/browser): a figure reads the
//! same on a terminal and in a browser.
//!
//! `UPDATE_SHOWN=1 cargo nextest run -p flatfoot-model shown` writes the table anew.

use std::fmt::Write as _;

use model::{Bytes, show};

/// Whole numbers of all magnitudes, those beside the borders included.
fn numbers() -> Vec<f64> {
    let mut numbers = vec![0.0];
    for power in 0..44 {
        let of = 2_f64.powi(power);
        numbers.extend([of - 1.0, of, of * 1.5, of * 1.995]);
    }
    numbers.extend([9.0, 10.0, 99.0, 100.0, 999.0, 1e3, 9_999.0, 10_239.0, 10_240.0, 1_234_567.0]);
    numbers.iter().map(|number| number.floor()).collect()
}

/// Spans and rates are broken numbers.
fn fractions() -> Vec<f64> {
    let small = (1..120).map(|n| 1.37_f64.powi(n - 30));
    let round = [0.0, 0.001, 0.0095, 0.3, 0.5, 1.0, 9.994, 9.996, 60.0, 900.0, 1.0 / 60.0, 1.0 / 3_600.0];
    let borders = [59.4, 59.6, 3_599.0, 3_600.0, 5_999.0, 6_000.0, 7_200.0, 86_399.0, 86_400.0, 172_800.0];
    small.chain(round).chain(borders).filter(|number| *number < 1e9).collect()
}

fn table() -> String {
    let mut out = String::from("[");
    let mut row = |name: &str, value: f64, text: &str| {
        let _ = write!(out, "\n[\"{name}\", {value}, \"{text}\"],");
    };
    for number in numbers() {
        row("count", number, &show::count(number as u64));
        row("bytes", number, &show::bytes(Bytes(number as u64)));
        row("bytes_short", number, &show::bytes_short(Bytes(number as u64)));
    }
    for number in fractions() {
        row("duration", number, &show::duration(number));
        row("duration_short", number, &show::duration_short(number));
        row("period", number, &show::period(number));
        row("rate", number, &show::rate(number));
        row("byte_rate", number * 1_024.0, &show::byte_rate(number * 1_024.0));
        row("pause", number, &show::pause(number));
        row("percent", number, &show::percent(number));
    }
    out.pop();
    out.push_str("\n]\n");
    out
}

#[test]
fn shown_quantities_are_those_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/browser/shown.json");
    let table = table();
    if std::env::var_os("UPDATE_SHOWN").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap();
    for (now, stored) in table.lines().zip(stored.lines()) {
        assert_eq!(now, stored, "UPDATE_SHOWN=1 writes the table anew; the page's own functions must follow");
    }
    assert_eq!(table.len(), stored.len());
}
