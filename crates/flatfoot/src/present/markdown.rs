//! A diagnosis as Markdown, for a ticket: what the page of the report says, without its charts.

use std::fmt::Write as _;

use model::{CreatedBy, Evidence, Finding, RuledOut, Text};

use super::{Term, creators, diagnosis as words, report};
use crate::analyse::{Diagnosis, HostSummary};

/// The whole diagnosis. `names`: the processes that were asked for; nobody for a whole host.
pub(crate) fn report(diagnosis: &Diagnosis, names: &[String]) -> String {
    let Diagnosis { host, findings, .. } = diagnosis;
    let mut out = format!("# flatfoot on {}\n\n", escape(&host.name.to_string()));
    paragraph(&mut out, &report::looked_at(diagnosis));
    paragraph(&mut out, &report::memory_of(host));
    if findings.is_empty() {
        strong(&mut out, &report::nothing(diagnosis, names));
    }
    if findings.len() > 1 {
        let line = |f: &Finding| format!("{}: {}, {}", f.kind.title(), words::process(f), words::headline(f));
        items(&mut out, findings.iter().map(line));
    }
    for finding in findings {
        section(finding, host, &mut out);
    }
    let died = diagnosis.died_before.iter().map(|death| {
        let when = death.when.as_ref().map_or_else(String::new, |when| format!("{when} "));
        format!("{when}{} ({})", death.what, death.source)
    });
    list(&mut out, "Died before", died);
    list(&mut out, "Not judged", diagnosis.not_judged.iter().cloned());
    list(&mut out, "Impact", std::iter::once(words::impact(&diagnosis.impact, &diagnosis.origin)));
    if let Some(redacted) = &diagnosis.redacted {
        let said = [redacted.what.to_owned(), report::different(redacted)];
        list(&mut out, "Redacted", said.into_iter().filter(|sentence| !sentence.is_empty()));
    }
    let _ = writeln!(out, "Made by flatfoot {} ({}).", diagnosis.version, diagnosis.schema);
    out
}

fn section(finding: &Finding, host: &HostSummary, out: &mut String) {
    let title = format!("{}: {}", finding.kind.title(), words::process(finding));
    let _ = writeln!(out, "## {} ({})\n", escape(&title), finding.confidence.label());
    strong(out, &format!("{}.", words::headline(finding)));
    if finding.kind == model::FindingKind::ThreadLeak {
        paragraph(out, &format!("{}.", words::sentence(finding)));
    }
    if let Some(inferred) = &finding.subject_inferred {
        paragraph(out, &format!("({inferred})"));
    }
    if let Some(memory) = words::memory_sentence(finding) {
        paragraph(out, &format!("{memory}."));
    }
    out.push_str("| | |\n|---|---|\n");
    let limits = ("Limit", words::limits(&finding.limits));
    for (name, value) in report::facts(finding, host).into_iter().chain([limits]) {
        let _ = writeln!(out, "| {name} | {} |", escape(&value));
    }
    out.push('\n');
    created(finding, out);
    out.push_str("| # | Evidence | For | Check |\n|---|---|---|---|\n");
    for (index, item) in finding.evidence.iter().enumerate() {
        evidence(index + 1, item, out);
    }
    out.push('\n');
    let line = |item: &RuledOut| format!("{}: {}", item.kind, item.why);
    list(out, "Ruled out", finding.ruled_out.iter().map(line));
    list(out, "Too small to explain it", finding.too_small.iter().map(line));
    list(out, "Next", finding.next.iter().cloned());
}

/// Who makes them: the stacks as the terminal shows them.
fn created(finding: &Finding, out: &mut String) {
    let of = |source: &'static str| finding.created_by.iter().filter(move |by| by.source == source);
    let owners: Vec<&CreatedBy> = of("owner").collect();
    let is_seen = |by: &&CreatedBy| !matches!(by.source.as_str(), "owner" | "site");
    let seen: Vec<&CreatedBy> = finding.created_by.iter().filter(is_seen).collect();
    if seen.is_empty() {
        list(out, "Created for", owners.iter().map(|by| creators::owner(by)));
        list(out, "Suspects", of("site").map(creators::line));
        return;
    }
    strong(out, "Created by");
    paragraph(out, &format!("{}.", creators::headline(&seen, &owners)));
    for by in &seen {
        let mut stack = String::new();
        creators::stack(by, seen.len() > 1, Term::default(), &mut stack);
        let lines: Vec<String> = stack.lines().map(|line| Text::from(line).to_string()).collect();
        let fence = fence(&stack, 3);
        let _ = writeln!(out, "{fence}\n{}\n{fence}\n", lines.join("\n"));
    }
    list(out, "Owners", owners.iter().map(|by| creators::owner(by)));
}

fn evidence(number: usize, item: &Evidence, out: &mut String) {
    let check = match (&item.reproduce, item.value) {
        (Some(command), Some(value)) => format!("{} → {value}", code(command)),
        (Some(command), None) => code(command),
        (None, _) => String::new(),
    };
    let supports = if item.supports { "yes" } else { "against" };
    let statistic = item.statistic.as_ref().map_or_else(String::new, |s| format!("; {s}"));
    let claim = escape(&format!("{} (from {}{statistic})", item.claim, item.source));
    let _ = writeln!(out, "| {number} | {claim} | {supports} | {check} |");
}

fn list(out: &mut String, title: &str, of: impl Iterator<Item = String>) {
    let mut of = of.peekable();
    if of.peek().is_some() {
        strong(out, title);
        items(out, of);
    }
}

fn items(out: &mut String, of: impl Iterator<Item = String>) {
    for item in of {
        let _ = writeln!(out, "- {}", escape(&item));
    }
    out.push('\n');
}

fn strong(out: &mut String, text: &str) {
    let _ = writeln!(out, "**{}**\n", escape(text));
}

fn paragraph(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "{}\n", escape(text));
    }
}

/// More backticks than stand together in a text, and at least so many.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

/// A command in a table cell: a bar would end the cell, also inside code.
fn code(command: &str) -> String {
    let command = Text::from(command).to_string().replace('|', "\\|");
    let fence = fence(&command, 1);
    // One blank at each end is taken off again.
    let pad = if command.starts_with('`') || command.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{command}{pad}{fence}")
}

/// Text from outside must not become markup, and a bar must not end a table cell; nothing drives a terminal either.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in Text::from(text).to_string().chars() {
        if "\\`*_~[]<>|#&".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use model::{Limit, LimitUnit};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escape("pool-*-thread|<b>"), "pool-\\*-thread\\|\\<b\\>");
        assert_eq!(escape("a\n# b\u{1b}[2J"), "a\\\\n\\# b\\\\u{1b}\\[2J");
        assert_eq!(code("ps | grep -c '^a'"), "`ps \\| grep -c '^a'`");
        assert_eq!(code("grep '``x`'"), "```grep '``x`'```");
        assert_eq!(code("`x`"), "`` `x` ``");
    }

    #[test]
    fn bytes_are_shown_as_bytes() {
        let limit = Limit {
            name: "available memory".into(),
            scope: "host".into(),
            unit: LimitUnit::Bytes,
            value: 24 << 30,
            current: 2 << 30,
            eta_s: Some(3_600.0),
            eta_interval_s: None,
            reproduce: String::new(),
        };
        let mut out = String::new();
        let finding = Finding { limits: vec![limit], ..super::super::testing::finding("pool-*") };
        section(&finding, &HostSummary::default(), &mut out);
        assert!(out.contains("| Limit | available memory 24.00 GiB in 60 m"), "{out}");
    }

    proptest! {
        #[test]
        fn a_row_stays_a_row(claim in "\\PC{0,30}", command in "[`|\\\\a\n]{0,12}") {
            let item = Evidence { claim, reproduce: Some(command), ..Evidence::default() };
            let mut out = String::new();
            evidence(1, &item, &mut out);
            let bars = out.replace("\\|", "").matches('|').count();
            prop_assert_eq!((bars, out.lines().count()), (5, 1), "{}", out);
        }
    }
}
