//! The selected process: its memory by class and its threads by pattern.

use model::{Bytes, show};
use ratatui::layout::Rect;

use super::app::{App, Inspected};
use super::layout::DETAILS_WIDTH;
use super::palette::Role;
use super::pen::Pen;
use crate::board::BoardRow;
use crate::present::map::ClassRow;
use crate::present::threads::{GroupRow, births, cadence, shown_pattern};
use crate::present::time;

/// Draws it; `beside`: at the right of the processes, where patterns stand above classes.
pub(crate) fn draw(app: &App, area: Rect, beside: bool, pen: &mut Pen<'_>) {
    if area.is_empty() {
        return;
    }
    let area = if beside {
        let line = pen.glyphs.down();
        for y in area.top()..area.bottom() {
            pen.sign(area.x, y, line, Role::Dim);
        }
        Rect { x: area.x + 1, width: area.width - 1, ..area }
    } else {
        area
    };
    let Some(row) = app.current() else {
        pen.rule(Rect { height: 1, ..area }, "", Role::Strong);
        return;
    };
    let ended = row.ended;
    let x = pen.rule(Rect { height: 1, ..area }, &title(row), Role::Strong);
    let inspected = app.inspected();
    let state = match (ended, inspected) {
        (true, _) => Some(("ended".to_owned(), Role::Warn)),
        (false, None) => Some(("reading…".to_owned(), Role::Dim)),
        _ => app.read_unix_s().map(|at| (format!("at {}", time::clock(at)), Role::Dim)),
    };
    if let Some((word, role)) = state {
        pen.text(x, area.y, area.right().saturating_sub(x), &format!("{word} "), role);
    }
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let Some(inspected) = inspected else { return };
    if let (Err(threads), Err(map)) = (&inspected.threads, &inspected.map)
        && threads == map
    {
        // Said once.
        let margin = u16::from(beside);
        sentence(map, Rect { x: body.x + margin, width: body.width - margin, ..body }, pen);
    } else if beside {
        let groups = inspected.threads.as_ref().map_or(1, |threads| threads.groups.len() as u16 + 1);
        // Classes are few; patterns get what those leave, and at least a half.
        let classes = inspected.map.as_ref().map_or(1, |map| map.classes.len() as u16 + 2);
        let above = groups.min(body.height.saturating_sub(classes + 1).max(body.height / 2));
        patterns(inspected, Rect { x: body.x + 1, width: body.width - 1, height: above, ..body }, pen);
        let below = body.height.saturating_sub(above + 1);
        let rest = Rect { x: body.x + 1, y: body.y + above + 1, width: body.width - 1, height: below };
        memory(inspected, rest, pen);
    } else {
        // Patterns need a name and its births at least.
        let left = DETAILS_WIDTH.min(body.width * 55 / 100);
        memory(inspected, Rect { width: left, ..body }, pen);
        let right = Rect { x: body.x + left + 2, width: body.width.saturating_sub(left + 2), ..body };
        patterns(inspected, right, pen);
    }
}

/// `java[3248] torquebox`.
pub(crate) fn title(row: &BoardRow) -> String {
    let process = &row.row.process;
    let label = process.label.as_ref().map_or_else(String::new, |label| format!(" {label}"));
    format!("{}[{}]{label}", process.name, process.pid)
}

/// Columns of numbers, each so wide, at the right of what a name leaves.
fn numbers(cells: &[String], widths: &[u16], x: u16, y: u16, role: Role, pen: &mut Pen<'_>) {
    let mut x = x;
    for (cell, width) in cells.iter().zip(widths) {
        pen.right(x, y, *width, cell, role);
        x += width + 1;
    }
}

fn memory(inspected: &Inspected, area: Rect, pen: &mut Pen<'_>) {
    if area.is_empty() {
        return;
    }
    let map = match &inspected.map {
        Ok(map) => map,
        Err(error) => return sentence(error, area, pen),
    };
    // The number of mappings goes first where it is narrow, then what is only reserved: a class needs its name.
    let widths: &[u16] = match area.width {
        0..=41 => &[10, 9],
        42..=47 => &[9, 10, 9],
        _ => &[6, 9, 10, 9],
    };
    let left_out = 4 - widths.len();
    let taken: u16 = widths.iter().map(|width| width + 1).sum();
    let name = area.width.saturating_sub(taken).min(18);
    let at = area.x + name + 1;
    let heads = ["MAPS", "RESERVED", "COMMITTED", "TOUCHED"].map(ToOwned::to_owned);
    let heads = heads.get(left_out..).unwrap_or_default();
    pen.text(area.x, area.y, name, "CLASS", Role::Strong);
    numbers(heads, widths, at, area.y, Role::Strong, pen);
    let mut rows: Vec<&ClassRow> = map.classes.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.committed_bytes, row.reserved_bytes)));
    let room = usize::from(area.height.saturating_sub(1));
    // The total is the last line, whatever has no room above it.
    rows.truncate(room.saturating_sub(1));
    rows.push(&map.total);
    for (line, row) in rows.into_iter().take(room).enumerate() {
        let y = area.y + 1 + line as u16;
        let total = row.class == map.total.class;
        let role = if total { Role::Strong } else { Role::Plain };
        let bytes = |value: u64| show::bytes(Bytes(value));
        let mark = if map.committed_exact { "" } else { "~" };
        let cells = [
            show::count(row.maps),
            bytes(row.reserved_bytes),
            format!("{mark}{}", bytes(row.committed_bytes)),
            row.touched_bytes.map_or_else(|| "?".to_owned(), bytes),
        ];
        pen.text(area.x, y, name, row.class, role);
        numbers(cells.get(left_out..).unwrap_or_default(), widths, at, y, role, pen);
    }
}

fn patterns(inspected: &Inspected, area: Rect, pen: &mut Pen<'_>) {
    if area.is_empty() || area.width < 20 {
        return;
    }
    let threads = match &inspected.threads {
        Ok(threads) => threads,
        Err(error) => return sentence(error, area, pen),
    };
    let widths: &[u16] = match area.width {
        0..=31 => &[6],
        32..=43 => &[6, 10],
        _ => &[6, 10, 9],
    };
    let taken: u16 = widths.iter().map(|width| width + 1).sum();
    let name = area.width.saturating_sub(taken).min(28);
    let at = area.x + name + 1;
    let heads = ["COUNT", "BIRTHS", "CADENCE"].map(ToOwned::to_owned);
    pen.text(area.x, area.y, name, "PATTERN", Role::Strong);
    numbers(&heads, widths, at, area.y, Role::Strong, pen);
    let room = usize::from(area.height.saturating_sub(1));
    let hidden = threads.groups.len().saturating_sub(room);
    let shown = if hidden > 0 { room.saturating_sub(1) } else { room };
    for (line, row) in threads.groups.iter().take(shown).enumerate() {
        let y = area.y + 1 + line as u16;
        let grows = row.births_per_s.is_some_and(|rate| rate > 0.0);
        pen.text(area.x, y, name, &shown_pattern(row), if grows { Role::Strong } else { Role::Plain });
        numbers(&pattern_cells(row), widths, at, y, Role::Plain, pen);
    }
    if hidden > 0 {
        let rest: u64 = threads.groups.iter().skip(shown).map(|row| row.count).sum();
        let more = format!("({} more)", show::count((hidden + 1) as u64));
        let y = area.y + area.height - 1;
        pen.text(area.x, y, name, &more, Role::Dim);
        numbers(&[show::count(rest)], widths, at, y, Role::Dim, pen);
    }
}

fn pattern_cells(row: &GroupRow) -> [String; 3] {
    [show::count(row.count), births(row), cadence(row)]
}

/// Why there is nothing, over as many lines as it takes.
fn sentence(text: &str, area: Rect, pen: &mut Pen<'_>) {
    let mut y = area.y;
    let mut x = area.x;
    for word in text.split_whitespace() {
        let width = pen.width(word);
        if x > area.x && x + width > area.right() {
            (x, y) = (area.x, y + 1);
        }
        if y >= area.bottom() {
            return;
        }
        x = pen.text(x, y, area.right().saturating_sub(x), word, Role::Dim) + 1;
    }
}
