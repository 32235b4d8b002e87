//! A finding in words: what the text form says, as sections, lists and tables.

use model::{Bytes, Confidence, CreatedBy, Evidence, Finding, FindingKind, Frame, RuledOut, show};

use super::chart;
use super::writer::Html;
use crate::analyse::{HostSummary, Tracked};
use crate::present::{creators, diagnosis as words, report};

/// Rows of limits.
const MOST_LIMITS: usize = 8;

/// What leaks, how fast and until when: what comes before the charts.
pub(super) fn summary(html: &mut Html, finding: &Finding, host: &HostSummary) {
    html.within("h2", &[], |html| {
        html.text(&format!("{}: {} ", finding.kind.title(), words::process(finding)));
        let class = if finding.confidence == Confidence::Possible { "sure possible" } else { "sure" };
        html.say("span", &[("class", class)], finding.confidence.label());
    });
    html.say("p", &[("class", "lead")], &format!("{}.", words::headline(finding)));
    tiles(html, finding);
    if finding.kind == FindingKind::ThreadLeak {
        html.say("p", &[], &format!("{}.", words::sentence(finding)));
    }
    if let Some(inferred) = &finding.subject_inferred {
        html.say("p", &[("class", "dim")], &format!("({inferred})"));
    }
    if let Some(memory) = words::memory_sentence(finding) {
        html.say("p", &[], &format!("{memory}."));
    }
    html.within("dl", &[], |html| {
        for (name, value) in report::facts(finding, host) {
            html.say("dt", &[], name);
            html.say("dd", &[], &value);
        }
    });
}

/// Why it is believed, what it is not, and what to do: what comes after the charts.
pub(super) fn reasons(html: &mut Html, finding: &Finding) {
    evidence(html, finding);
    limits(html, finding);
    list(html, "Ruled out", finding.ruled_out.iter().map(line));
    list(html, "Too small to explain it", finding.too_small.iter().map(line));
    list(html, "Next", finding.next.iter().cloned());
}

/// The figures that tell most, large.
fn tiles(html: &mut Html, finding: &Finding) {
    let mut tiles: Vec<(String, String)> = Vec::new();
    let rate = finding.rate_per_s.unwrap_or(0.0);
    match finding.kind {
        FindingKind::ThreadLeak => {
            tiles.push((show::count(finding.count), "threads".to_owned()));
            tiles.push(match finding.cadence.as_slice() {
                [one] => (show::period(one.period_s), "between two births".to_owned()),
                _ => (format!("+{}", show::rate(rate)), "births".to_owned()),
            });
        }
        FindingKind::DescriptorLeak | FindingKind::ChildProcessLeak => {
            tiles.push((show::count(finding.count), "now".to_owned()));
            tiles.push((format!("+{}", show::rate(rate)), "growth".to_owned()));
        }
        _ => {
            tiles.push((show::bytes(Bytes(finding.count)), "now".to_owned()));
            tiles.push((format!("+{}", show::byte_rate(rate)), "growth".to_owned()));
        }
    }
    for (bytes, name) in [(finding.reserved_bytes, "reserved"), (finding.touched_bytes, "touched")] {
        tiles.extend(bytes.map(|bytes| (show::bytes(Bytes(bytes)), name.to_owned())));
    }
    let soonest = finding.limits.iter().find_map(|limit| Some((limit, limit.eta_s?)));
    tiles.extend(soonest.map(|(limit, eta)| (show::duration(eta), format!("until {}", limit.name))));
    html.within("ul", &[("class", "tiles")], |html| {
        for (figure, name) in &tiles {
            html.within("li", &[], |html| {
                html.say("b", &[], figure);
                html.text(" ");
                html.say("span", &[], name);
            });
        }
    });
}

fn line(item: &RuledOut) -> String {
    format!("{}: {}", item.kind, item.why)
}

/// A list with a heading; nothing when it is empty.
pub(super) fn list(html: &mut Html, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return;
    }
    html.say("h3", &[], title);
    html.within("ul", &[], |html| {
        for item in &items {
            html.say("li", &[], item);
        }
    });
}

fn evidence(html: &mut Html, finding: &Finding) {
    let (supporting, against): (Vec<&Evidence>, Vec<&Evidence>) =
        finding.evidence.iter().partition(|item| item.supports);
    for (title, items) in [("Evidence", supporting), ("Against it", against)] {
        if items.is_empty() {
            continue;
        }
        html.say("h3", &[], title);
        html.within("ol", &[], |html| {
            for item in items {
                html.within("li", &[], |html| piece(html, item));
            }
        });
    }
}

fn piece(html: &mut Html, item: &Evidence) {
    html.text(&item.claim);
    let statistic = item.statistic.as_ref().map_or_else(String::new, |s| format!("; {s}"));
    html.say("span", &[("class", "dim")], &format!(" (from {}{statistic})", item.source));
    if let Some(command) = &item.reproduce {
        html.within("div", &[], |html| {
            html.text("check: ");
            html.say("code", &[], command);
            if let Some(value) = item.value {
                html.text(&format!(" → {value}"));
            }
        });
    }
}

/// Who makes them, or how to learn that.
pub(super) fn created(html: &mut Html, finding: &Finding, tracked: Option<&Tracked>) {
    if let Some(how) = report::unasked(finding, tracked) {
        html.say("h3", &[], "Created by");
        html.say("p", &[], &how);
    }
    let (owners, others): (Vec<&CreatedBy>, Vec<&CreatedBy>) =
        finding.created_by.iter().partition(|by| by.source == "owner");
    let (sites, seen): (Vec<&CreatedBy>, Vec<&CreatedBy>) =
        others.into_iter().partition(|by| by.source == "site");
    if !seen.is_empty() {
        html.say("h3", &[], "Created by");
        html.say("p", &[], &format!("{}.", creators::headline(&seen, &owners)));
        for by in &seen {
            stack(html, by);
        }
    }
    let title = if seen.is_empty() { "Created for" } else { "Owners" };
    list(html, title, owners.iter().map(|by| creators::owner(by)));
    if seen.is_empty() {
        list(html, "Suspects", sites.iter().map(|by| creators::line(by)));
    }
}

fn stack(html: &mut Html, by: &CreatedBy) {
    let creator = detect::creators::creator(&by.frames);
    let first =
        creator.map_or(0, |creator| by.frames.iter().position(|f| std::ptr::eq(f, creator)).unwrap_or(0));
    let rows: Vec<Vec<String>> = by.frames.iter().skip(first).take(16).enumerate().map(row).collect();
    let thread = by.thread.as_ref().map_or_else(String::new, |thread| format!(", on thread {thread}"));
    let caption = format!(
        "Seen by {} at {} of {} births{thread}; from the creator outwards",
        by.source,
        show::count(by.births),
        show::count(by.of)
    );
    chart::words(html, &caption, &["Frame", "From", "Role"], &rows);
}

fn row((at, frame): (usize, &Frame)) -> Vec<String> {
    let role =
        if at == 0 { format!("{}: {}", frame.role, creators::whose(frame)) } else { frame.role.clone() };
    vec![creators::place(frame), frame.origin.clone().unwrap_or_default(), role]
}

fn limits(html: &mut Html, finding: &Finding) {
    if finding.limits.is_empty() {
        return;
    }
    html.say("h3", &[], "Limits");
    let rows: Vec<Vec<String>> = finding
        .limits
        .iter()
        .take(MOST_LIMITS)
        .map(|limit| {
            let eta = limit.eta_s.map_or_else(
                || "nothing grows towards it".to_owned(),
                |eta| format!("in {}{}", show::duration(eta), words::interval(limit, eta)),
            );
            vec![
                limit.name.to_string(),
                words::amount(limit, limit.current),
                words::amount(limit, limit.value),
                show::percent(limit.used()),
                eta,
                limit.scope.to_string(),
            ]
        })
        .collect();
    let head = ["Limit", "Now", "At most", "Used", "Reached", "Of"];
    chart::table(html, "What it runs into, nearest first", &head, &rows);
}
