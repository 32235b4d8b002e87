//! One look at series of fixed lengths.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use detect::judge::{Context, Series, judge};
use model::State;

use super::Options;
use super::shapes::{
    self, HEALTHY, LEAK, LENGTHS, TUNING_HEALTHY, TUNING_LEAK, UNDECIDABLE, UNSEEN_HEALTHY, UNSEEN_LEAK,
};
use super::wilson::Share;

/// The kinds of shapes, with what is asked of each.
pub(super) const KINDS: [(&str, &[&str]); 7] = [
    ("leak", &LEAK),
    ("healthy", &HEALTHY),
    ("unseen leak", &UNSEEN_LEAK),
    ("unseen healthy", &UNSEEN_HEALTHY),
    ("undecidable", &UNDECIDABLE),
    ("tuning leak", &TUNING_LEAK),
    ("tuning healthy", &TUNING_HEALTHY),
];

/// The kinds after these are for tuning, and measured only when they are named.
const SCORED: usize = 5;

/// Leak verdicts by kind, shape and length; and coverage of rate intervals.
#[derive(Debug, Default)]
pub(super) struct Table {
    named: BTreeMap<(usize, String, usize), Share>,
    covered: BTreeMap<(String, usize), Share>,
}

impl Table {
    /// All shapes of a kind, of all lengths.
    #[cfg(test)]
    pub(super) fn all(&self, kind: usize) -> Share {
        let of_kind = self.named.iter().filter(|((k, ..), _)| *k == kind);
        of_kind
            .fold(Share::default(), |all, (_, one)| Share { hits: all.hits + one.hits, of: all.of + one.of })
    }
}

/// One cell of the table, as JSON has it.
#[derive(serde::Serialize)]
struct Cell<'a> {
    kind: &'a str,
    shape: &'a str,
    length: &'a str,
    called_leak: Share,
    rate_covered: Option<Share>,
}

impl serde::Serialize for Table {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.named.iter().map(|((kind, shape, at), share)| Cell {
            kind: KINDS[*kind].0,
            shape,
            length: LENGTHS[*at].0,
            called_leak: *share,
            rate_covered: self.covered.get(&(shape.clone(), *at)).copied(),
        }))
    }
}

pub(super) fn measure(options: &Options) -> Table {
    let mut table = Table::default();
    for (at, (label, length, dt)) in LENGTHS.into_iter().enumerate() {
        let short: String = label.replace(" min", "m").replace(' ', "");
        if !options.lengths.is_empty() && !options.lengths.contains(&short) {
            continue;
        }
        for (kind, (kind_name, names)) in KINDS.into_iter().enumerate() {
            for name in names {
                if !options.wants(name, kind_name) || kind >= SCORED && options.only.is_empty() {
                    continue;
                }
                for seed in options.seeds.clone() {
                    let made = shapes::make(name, length, dt, seed);
                    let series = Series::new(&made.points, made.unit);
                    let verdict = judge(&series, &Context::default());
                    let leak = verdict.state == State::Leak;
                    table.named.entry((kind, (*name).to_owned(), at)).or_default().add(leak);
                    if let (true, Some(rate), Some((low, high))) = (leak, made.rate, verdict.rate_interval) {
                        let hit = low <= rate && rate <= high;
                        table.covered.entry(((*name).to_owned(), at)).or_default().add(hit);
                    }
                    if options.each {
                        eprintln!("{name} {label} {seed} {:?} {}", verdict.state, verdict.why);
                    }
                }
            }
        }
    }
    table
}

pub(super) fn markdown(table: &Table) -> String {
    let mut out = String::new();
    if table.named.is_empty() {
        return out;
    }
    let _ = writeln!(out, "| shape | {} |", LENGTHS.map(|l| l.0).join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(LENGTHS.len()));
    for (kind, (label, names)) in KINDS.into_iter().enumerate() {
        let mut all = [Share::default(); LENGTHS.len()];
        for name in names {
            if !table.named.keys().any(|(k, shape, _)| *k == kind && shape == name) {
                continue;
            }
            let cells: Vec<String> = (0..LENGTHS.len())
                .map(|at| {
                    let share = table.named.get(&(kind, (*name).to_owned(), at)).copied().unwrap_or_default();
                    all[at].hits += share.hits;
                    all[at].of += share.of;
                    if share.of == 0 { String::new() } else { format!("{:.1}", share.percent()) }
                })
                .collect();
            let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
        }
        if all.iter().all(|share| share.of == 0) {
            continue;
        }
        let cells = all.map(|share| if share.of == 0 { String::new() } else { share.shown() });
        let _ = writeln!(out, "| **{label}** | {} |", cells.join(" | "));
    }
    coverage(table, &mut out);
    out
}

/// How often the rate's interval holds the true rate, of what was called a leak.
fn coverage(table: &Table, out: &mut String) {
    let _ = writeln!(out, "\n| rate interval covers | {} |", LENGTHS.map(|l| l.0).join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(LENGTHS.len()));
    let mut all = [Share::default(); LENGTHS.len()];
    for (label, names) in KINDS {
        let mut of_kind = [Share::default(); LENGTHS.len()];
        for name in names {
            if !table.covered.keys().any(|(shape, _)| shape == name) {
                continue;
            }
            let cells: Vec<String> = (0..LENGTHS.len())
                .map(|at| {
                    let share = table.covered.get(&((*name).to_owned(), at)).copied().unwrap_or_default();
                    for sum in [&mut of_kind[at], &mut all[at]] {
                        sum.hits += share.hits;
                        sum.of += share.of;
                    }
                    if share.of == 0 { String::new() } else { format!("{:.1}", share.percent()) }
                })
                .collect();
            let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
        }
        if of_kind.iter().any(|share| share.of > 0) {
            let _ = writeln!(out, "| **{label}** | {} |", of_kind.map(Share::shown).join(" | "));
        }
    }
    let _ = writeln!(out, "| **all** | {} |", all.map(Share::shown).join(" | "));
}
