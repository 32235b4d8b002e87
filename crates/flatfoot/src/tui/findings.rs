//! What leaks on the host, in few lines each; the selected process's comes first. What was not judged is said, too.

use model::{Confidence, Finding, show};
use ratatui::layout::Rect;

use super::app::{App, When};
use super::palette::Role;
use super::pen::Pen;
use crate::analyse::Diagnosis;
use crate::present::diagnosis::{headline, nearest_limit, process};
use crate::present::time;

/// Draws them.
pub(crate) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if area.is_empty() {
        return;
    }
    let count = match app.survey() {
        Some(Ok(diagnosis)) => {
            let count = show::count(diagnosis.findings.len() as u64);
            match app.surveyed_unix_s() {
                Some(at) => format!("findings: {count}, at {}", time::clock(at)),
                None => format!("findings: {count}"),
            }
        }
        _ => "findings".to_owned(),
    };
    let x = pen.rule(Rect { height: 1, ..area }, &count, Role::Strong);
    if app.is_surveying() {
        pen.text(x, area.y, area.right().saturating_sub(x), "reading… ", Role::Dim);
    }
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    match app.survey() {
        None if app.is_surveying() => {}
        None => {
            pen.text(body.x, body.y, body.width, "not looked at yet", Role::Dim);
        }
        Some(Err(error)) => {
            pen.text(body.x, body.y, body.width, error, Role::Bad);
        }
        Some(Ok(diagnosis)) => lines(app, diagnosis, body, pen),
    }
}

/// A line: its label, how that looks, its text.
struct Line {
    label: String,
    role: Role,
    text: String,
    after: Option<(&'static str, Role)>,
}

fn lines(app: &App, diagnosis: &Diagnosis, area: Rect, pen: &mut Pen<'_>) {
    let selected = app.current().map(|row| row.row.process.pid);
    let (own, others): (Vec<&Finding>, Vec<&Finding>) =
        diagnosis.findings.iter().partition(|finding| Some(finding.process.pid) == selected);
    let mut lines = Vec::new();
    if diagnosis.findings.is_empty() {
        lines.push(nothing(app, diagnosis));
    }
    let room = usize::from(area.height);
    // What each says beyond its title goes first when there are many.
    let brief = diagnosis.findings.len() + 1 > room / 3;
    for (finding, own) in own.iter().map(|f| (f, true)).chain(others.iter().map(|f| (f, false))) {
        lines.push(title(finding));
        if own || !brief {
            let labelled = |label: &str, text: &str| Line {
                label: label.to_owned(),
                role: Role::Strong,
                text: text.to_owned(),
                after: None,
            };
            let said = [("  RISK", &finding.risk), ("  NOW", &finding.now)];
            lines.extend(said.into_iter().filter(|(_, text)| !text.is_empty()).map(|(l, t)| labelled(l, t)));
        }
    }
    lines.extend(diagnosis.not_judged.iter().map(|text| Line {
        label: "NOT JUDGED".to_owned(),
        role: Role::Dim,
        text: text.clone(),
        after: None,
    }));
    let hidden = lines.len().saturating_sub(room);
    let shown = if hidden > 0 { room.saturating_sub(1) } else { room };
    for (offset, line) in lines.iter().take(shown).enumerate() {
        draw_line(line, Rect { y: area.y + offset as u16, height: 1, ..area }, pen);
    }
    if hidden > 0 {
        let more = format!("({} more lines: a larger terminal, or flatfoot diagnose)", hidden + 1);
        pen.text(area.x, area.bottom() - 1, area.width, &more, Role::Dim);
    }
}

/// Labels stand in a column of their own.
const LABEL: u16 = 12;

fn draw_line(line: &Line, at: Rect, pen: &mut Pen<'_>) {
    let mut x = pen.text(at.x, at.y, at.width, &line.label, line.role);
    if !line.label.is_empty() {
        x = (x + 2).max(at.x + LABEL);
    }
    let room = at.right().saturating_sub(x);
    let after = line.after.map_or(0, |(word, _)| pen.width(word) + 2);
    let end = pen.text(x, at.y, room.saturating_sub(after), &line.text, Role::Plain);
    if let Some((word, role)) = line.after {
        pen.text(end + 2, at.y, at.right().saturating_sub(end + 2), word, role);
    }
}

fn title(finding: &Finding) -> Line {
    let role = if finding.confidence == Confidence::Possible { Role::Warn } else { Role::Bad };
    Line {
        label: finding.kind.title(),
        role,
        text: format!("{}  {}", process(finding), headline(finding)),
        after: Some((finding.confidence.label(), role)),
    }
}

fn nothing(app: &App, diagnosis: &Diagnosis) -> Line {
    let mut text = format!(
        "Nothing suspicious in {}.",
        crate::present::diagnosis::processes(diagnosis.looked_at.processes)
    );
    if let Some(nearest) = &diagnosis.nearest_limit {
        text.push_str(" Nearest limit: ");
        text.push_str(&nearest_limit(nearest));
        text.push('.');
    }
    let role = if app.when() == When::Live { Role::Good } else { Role::Plain };
    Line { label: String::new(), role, text, after: None }
}
