//! One look at series of fixed lengths.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use detect::judge::{Context, Series, judge};
use model::State;

use super::Options;
use super::shapes::{self, HEALTHY, LEAK, LENGTHS, UNDECIDABLE, UNSEEN_HEALTHY, UNSEEN_LEAK};
use super::wilson::Share;

/// The kinds of shapes, with what is asked of each.
pub(super) const KINDS: [(&str, &[&str]); 5] = [
    ("leak", &LEAK),
    ("healthy", &HEALTHY),
    ("unseen leak", &UNSEEN_LEAK),
    ("unseen healthy", &UNSEEN_HEALTHY),
    ("undecidable", &UNDECIDABLE),
];

/// Leak verdicts by kind, shape and length; and coverage of rate intervals.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) named: BTreeMap<(usize, String, usize), Share>,
    pub(super) covered: BTreeMap<(String, usize), Share>,
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
                if !options.wants(name, kind_name) {
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
    let _ = writeln!(out, "| shape | {} |", LENGTHS.map(|l| l.0).join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(LENGTHS.len()));
    for (kind, (label, names)) in KINDS.into_iter().enumerate() {
        let mut all = [Share::default(); LENGTHS.len()];
        for name in names {
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
        let cells = all.map(|share| if share.of == 0 { String::new() } else { share.shown() });
        let _ = writeln!(out, "| **{label}** | {} |", cells.join(" | "));
    }
    let _ = writeln!(out, "\n| rate interval covers | {} |", LENGTHS.map(|l| l.0).join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(LENGTHS.len()));
    let mut all = [Share::default(); LENGTHS.len()];
    for name in LEAK.iter().chain(&UNSEEN_LEAK) {
        let cells: Vec<String> = (0..LENGTHS.len())
            .map(|at| {
                let share = table.covered.get(&((*name).to_owned(), at)).copied().unwrap_or_default();
                all[at].hits += share.hits;
                all[at].of += share.of;
                if share.of == 0 { String::new() } else { format!("{:.1}", share.percent()) }
            })
            .collect();
        let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
    }
    let _ = writeln!(out, "| **all** | {} |", all.map(Share::shown).join(" | "));
    out
}
