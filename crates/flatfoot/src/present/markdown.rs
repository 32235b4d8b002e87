//! A diagnosis as Markdown, for a ticket.

use std::fmt::Write as _;

use model::{Bytes, Finding, show};

use super::diagnosis::headline;
use crate::analyse::Diagnosis;

/// The whole diagnosis.
pub(crate) fn report(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    let host = &diagnosis.host;
    let _ = writeln!(out, "# flatfoot on {}\n", escape(&host.name.to_string()));
    let _ = writeln!(
        out,
        "Looked at {} at {}, from {}. Kernel {}, up {}.\n",
        match diagnosis.looked_at.processes {
            1 => "one process".to_owned(),
            n => format!("{} processes", show::count(n)),
        },
        host.at,
        escape(&diagnosis.origin),
        escape(&host.kernel.to_string()),
        show::duration(host.uptime_s)
    );
    if diagnosis.findings.is_empty() {
        out.push_str("Nothing suspicious.\n\n");
    }
    for finding in &diagnosis.findings {
        section(finding, &mut out);
    }
    list(
        &mut out,
        "Died before",
        diagnosis.died_before.iter().map(|d| {
            format!(
                "{} {} ({})",
                d.when.clone().unwrap_or_default(),
                escape(&d.what.to_string()),
                escape(&d.source.to_string())
            )
        }),
    );
    list(&mut out, "Not judged", diagnosis.not_judged.iter().map(|n| escape(n)));
    let _ = writeln!(
        out,
        "Impact: level {:?}, {} of reading, longest pause {}.",
        diagnosis.impact.level,
        show::duration(diagnosis.impact.reading_s),
        show::duration(diagnosis.impact.longest_pause_s)
    );
    out
}

fn section(finding: &Finding, out: &mut String) {
    let process = &finding.process;
    let label = process.label.as_ref().map_or_else(String::new, |l| format!(" {l}"));
    let _ = writeln!(
        out,
        "## {}: {}[{}]{} ({})\n",
        finding.kind.title(),
        escape(&process.name.to_string()),
        process.pid,
        escape(&label),
        finding.confidence.label()
    );
    let _ = writeln!(out, "{}.\n", escape(&headline(finding)));
    if let Some(why) = &finding.confidence_why {
        let _ = writeln!(out, "Not surer because {}.\n", escape(why));
    }
    out.push_str("| | |\n|---|---|\n");
    let mut row = |name: &str, value: String| {
        let _ = writeln!(out, "| {name} | {} |", escape(&value));
    };
    row("Finding", finding.id.clone());
    row("Process started", process.started.clone());
    if let (Some(reserved), Some(committed)) = (finding.reserved_bytes, finding.committed_bytes) {
        let touched = finding.touched_bytes.map_or_else(|| "not read".to_owned(), |b| show::bytes(Bytes(b)));
        row(
            "Memory",
            format!(
                "reserved {}, committed {}, touched {touched}",
                show::bytes(Bytes(reserved)),
                show::bytes(Bytes(committed))
            ),
        );
    }
    for by in finding.created_by.iter().take(4) {
        row("Created by", super::creators::line(by));
    }
    for fault in &finding.faults {
        row("Fault", fault.clone());
    }
    for schedule in &finding.schedules {
        row("Schedule", format!("`{}` {}", schedule.expression, schedule.meaning));
    }
    for limit in finding.limits.iter().take(4) {
        let eta = limit
            .eta_s
            .map_or_else(|| show::percent(limit.used()), |eta| format!("in {}", show::duration(eta)));
        row(
            &format!("Limit {}", limit.name),
            format!("{} of {}, {eta}", show::count(limit.current), show::count(limit.value)),
        );
    }
    row("Risk", finding.risk.clone());
    row("Now", finding.now.clone());
    out.push_str("\n| # | Evidence | For | Check |\n|---|---|---|---|\n");
    for (index, item) in finding.evidence.iter().enumerate() {
        let check = match (&item.reproduce, item.value) {
            (Some(command), Some(value)) => format!("{} gives {value}", code(command)),
            (Some(command), None) => code(command),
            (None, _) => String::new(),
        };
        let supports = if item.supports { "yes" } else { "against" };
        let _ = writeln!(out, "| {} | {} | {supports} | {check} |", index + 1, escape(&item.claim));
    }
    out.push('\n');
    let less = finding.too_small.iter().map(|i| format!("{}: {}", i.kind, i.why));
    list(out, "Too small to explain it", less);
    list(out, "Ruled out", finding.ruled_out.iter().map(|i| format!("{}: {}", i.kind, i.why)));
    list(out, "Next", finding.next.iter().map(|n| escape(n)));
}

fn list(out: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "**{title}**\n");
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
    out.push('\n');
}

/// A command in a table cell: a bar would end the cell, also inside code.
fn code(command: &str) -> String {
    format!("`{}`", command.replace('|', "\\|"))
}

/// Text from outside must not become markup, and a bar must not end a table cell.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escape("pool-*-thread|<b>"), "pool-\\*-thread\\|\\<b\\>");
    }
}
