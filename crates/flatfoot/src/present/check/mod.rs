//! What a check found, as text.

pub(crate) mod github;
pub(crate) mod junit;

use std::fmt::Write as _;

use model::{AccessLevel, Bytes, CreatedBy, show};

use super::{Align, Table, Term, creators};
use crate::check::document::{Document, Leak, Row, Rule, Verdict, Way};

/// Survivors that are listed.
const MOST_SURVIVORS: usize = 10;
/// Rounds that fit into a table: the first and the last of more.
const MOST_ROUNDS: usize = 10;

/// For people.
pub(crate) fn text(document: &Document, term: Term) -> String {
    let mut out = String::new();
    if let Some(failure) = &document.failure {
        let _ = writeln!(out, "{} {}", term.red("FAIL"), failure.what);
        for line in &failure.last_lines {
            let _ = writeln!(out, "  {line}");
        }
    }
    if document.verdict == Verdict::Interrupted {
        let _ = writeln!(out, "{} ended by a signal; what was started is ended, too", term.yellow("STOPPED"));
    }
    for leak in &document.findings {
        let _ = writeln!(out, "{} {} leak: {}", term.red("FAIL"), leak.rule.word(), sentence(document, leak));
        for line in details(leak) {
            let _ = writeln!(out, "  {line}");
        }
    }
    if document.verdict == Verdict::Pass {
        let judged: Vec<&str> = Rule::ALL
            .iter()
            .filter(|rule| !document.rules_not_judged.contains(rule))
            .map(|rule| rule.plural())
            .collect();
        let what = if judged.is_empty() {
            "nothing was judged".to_owned()
        } else {
            format!("no leak of {}", list(&judged))
        };
        let _ = writeln!(out, "{} {what}", term.green("PASS"));
    }
    out.push_str(&table(document));
    line(&mut out, "WATCHED", &document.watched, term);
    for allowed in &document.allowed {
        line(&mut out, "ALLOWED", &format!("{}: {}", allowed.summary, allowed.by), term);
    }
    for entry in &document.unused_allowances {
        line(&mut out, "UNUSED", &format!("{entry}: nothing like it grew"), term);
    }
    for what in &document.not_judged {
        line(&mut out, "NOT JUDGED", what, term);
    }
    for note in &document.notes {
        line(&mut out, "NOTE", note, term);
    }
    line(&mut out, "IMPACT", &impact(document), term);
    out
}

fn line(out: &mut String, head: &str, text: &str, term: Term) {
    let _ = writeln!(out, "{}{} {text}", term.bold(head), " ".repeat(13_usize.saturating_sub(head.len())));
}

/// `12 more pool-*-thread-1 after each round, created by PoolFactory.make:33 (60 of 60)`.
pub(super) fn sentence(document: &Document, leak: &Leak) -> String {
    let mut text = leak.summary.clone();
    // Where it is, unless it is the server itself.
    if document.process.as_ref().is_some_and(|process| *process != leak.process) {
        let _ = write!(text, " in {}[{}]", leak.process.name, leak.process.pid);
    }
    if let Some(by) = leak.created_by.first() {
        let _ = write!(text, ", {}", created(by));
    }
    text
}

fn created(by: &CreatedBy) -> String {
    let share = format!("({} of {})", show::count(by.births), show::count(by.of));
    match detect::creators::creator(&by.frames) {
        Some(frame) if by.source == "owner" => format!("working for {} {share}", frame.symbol),
        Some(frame) => format!("created by {} {share}", creators::place(frame)),
        None => format!("created by code of the JDK alone {share}"),
    }
}

/// What stands below a finding.
pub(super) fn details(leak: &Leak) -> Vec<String> {
    let mut lines: Vec<String> = leak.created_by.iter().skip(1).map(created).collect();
    if let Some(by) = leak.created_by.first()
        && by.source != "owner"
    {
        let frames = by.frames.iter().filter(|frame| !matches!(frame.role.as_str(), "jdk" | "runtime"));
        let shown = |frame: &model::Frame| {
            let origin = frame.origin.as_ref().map_or_else(String::new, |origin| format!("  {origin}"));
            format!("from {}{origin}", creators::place(frame))
        };
        lines.splice(0..0, frames.skip(1).take(3).map(shown));
    }
    if let Some(entry) = &leak.allowed_less {
        lines.push(format!("more than {entry} allows: {} in all", amount(leak.total, leak.bytes)));
    }
    if leak.survivors.len() > 1 {
        for one in leak.survivors.iter().take(MOST_SURVIVORS) {
            let ended = if one.state == 'Z' { ", ended, never waited for" } else { "" };
            lines.push(format!(
                "{}[{}] {} old{ended}: {}",
                one.name,
                one.pid,
                show::duration(one.age_s),
                one.command
            ));
        }
        if leak.survivors.len() > MOST_SURVIVORS {
            lines.push(format!("and {} more", leak.survivors.len() - MOST_SURVIVORS));
        }
    }
    lines
}

fn table(document: &Document) -> String {
    let mut rows: Vec<&Row> = document.table.iter().collect();
    if rows.is_empty() {
        return String::new();
    }
    // What leaks first, and the rest in its order.
    rows.sort_by_key(|row| (!row.leaks, row.rule));
    let rounds = rows.iter().map(|row| row.values.len().saturating_sub(1)).max().unwrap_or(0);
    let shown: Vec<usize> =
        (0..=rounds).filter(|at| *at < MOST_ROUNDS / 2 || *at + MOST_ROUNDS / 2 > rounds).collect();
    let word = if document.way == Way::Marks { "MARK" } else { "ROUND" };
    let names: Vec<String> =
        shown.iter().map(|at| if *at == 0 { "BEFORE".to_owned() } else { format!("{word} {at}") }).collect();
    let mut columns = vec![("WHAT", Align::Left)];
    columns.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    columns.push(("", Align::Left));
    let mut table = Table::new(&columns);
    for row in rows {
        let of = if document.process.as_ref() == Some(&row.process) {
            String::new()
        } else {
            format!(" in {}[{}]", row.process.name, row.process.pid)
        };
        let mut cells = vec![format!("{} {}{of}", row.rule.word(), row.subject)];
        let value = |at: &usize| row.values.get(*at).copied().flatten();
        cells.extend(
            shown.iter().map(|at| value(at).map_or_else(|| "?".to_owned(), |value| amount(value, row.bytes))),
        );
        cells.push(if row.leaks { "leaks".to_owned() } else { String::new() });
        table.row(cells);
    }
    table.text()
}

fn amount(value: f64, bytes: bool) -> String {
    let value = value.max(0.0).round() as u64;
    if bytes { show::bytes(Bytes(value)) } else { show::count(value) }
}

/// `threads, descriptors and children`.
fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn impact(document: &Document) -> String {
    let impact = &document.impact;
    let cpu = format!("{:.2} s of CPU in {}", impact.own_cpu_s, show::duration(document.took_s));
    if impact.level == AccessLevel::Read {
        return format!("watched by reading only: {cpu}");
    }
    format!("{}; {cpu}", impact.done.join("; "))
}

#[cfg(test)]
mod tests;
