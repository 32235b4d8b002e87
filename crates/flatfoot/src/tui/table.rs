//! The processes: a row each, columns as far as the width goes.

use model::{Bytes, show};
use ratatui::layout::Rect;

use super::app::App;
use super::palette::Role;
use super::pen::Pen;
use super::spark;
use crate::board::BoardRow;
use crate::cli::TopOrder;
use crate::present::top::limit;

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Pid,
    Name,
    Committed,
    Resident,
    Untouched,
    Threads,
    PerMinute,
    Growing,
    NextLimit,
    Spark,
}

/// A column: its head, its least and greatest width, and where it goes when there is too little room.
struct Column {
    cell: Cell,
    head: &'static str,
    least: u16,
    most: u16,
    /// The highest goes first; 0 always stays.
    goes: u8,
    orders: Option<TopOrder>,
}

const fn column(
    cell: Cell,
    head: &'static str,
    (least, most): (u16, u16),
    goes: u8,
    orders: Option<TopOrder>,
) -> Column {
    Column { cell, head, least, most, goes, orders }
}

/// The least and greatest width of a sparkline.
const SPARK: (u16, u16) = (8, 24);

const COLUMNS: [Column; 10] = [
    column(Cell::Pid, "PID", (7, 7), 0, None),
    column(Cell::Name, "NAME", (12, 30), 0, None),
    column(Cell::Committed, "COMMIT~", (7, 8), 2, Some(TopOrder::Commit)),
    column(Cell::Resident, "RSS", (6, 6), 4, Some(TopOrder::Rss)),
    column(Cell::Untouched, "UNTOUCHED", (9, 10), 7, Some(TopOrder::Untouched)),
    column(Cell::Threads, "THREADS", (7, 8), 1, Some(TopOrder::Threads)),
    column(Cell::PerMinute, "/min", (8, 8), 3, None),
    column(Cell::Growing, "GROWING", (16, 32), 0, Some(TopOrder::Growth)),
    column(Cell::NextLimit, "NEXT LIMIT", (17, 24), 6, None),
    column(Cell::Spark, "", SPARK, 5, None),
];

/// The columns that fit into a width, with the width of each: first the least of as many as fit, then what is left over
/// to those that can use it.
fn fitting(width: u16) -> Vec<(&'static Column, u16)> {
    let mut columns: Vec<&Column> = COLUMNS.iter().collect();
    // The pointer, and a blank between columns.
    let needed = |columns: &[&Column]| 1 + columns.iter().map(|column| column.least + 1).sum::<u16>() - 1;
    while needed(&columns) > width {
        let Some(last) = columns.iter().map(|column| column.goes).max().filter(|goes| *goes > 0) else {
            break;
        };
        columns.retain(|column| column.goes != last);
    }
    let mut left = width.saturating_sub(needed(&columns));
    let mut out: Vec<(&Column, u16)> = columns.into_iter().map(|column| (column, column.least)).collect();
    while left > 0 {
        let before = left;
        for (column, width) in &mut out {
            if *width < column.most && left > 0 {
                *width += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    out
}

/// Draws the processes, and remembers how many rows there is room for.
pub(crate) fn draw(app: &mut App, area: Rect, pen: &mut Pen<'_>) {
    let columns = fitting(area.width);
    head(app, &columns, area, pen);
    let room = usize::from(area.height.saturating_sub(1));
    app.list.fit(room);
    if app.len() == 0 {
        let why =
            if app.filter().is_empty() { app.nobody() } else { "no process fits the filter: Esc clears it" };
        pen.text(area.x + 1, area.y + 1, area.width - 1, why, Role::Dim);
        return;
    }
    let first = app.list.first();
    for (index, y) in (first..app.len()).zip(area.y + 1..area.bottom()) {
        let Some(row) = app.row(index, usize::from(SPARK.1)) else { continue };
        let mut x = area.x;
        let selected = index == app.list.at();
        if selected {
            pen.sign(x, y, pen.glyphs.pointer(), Role::Accent);
        }
        x += 1;
        for (column, width) in &columns {
            cell(column.cell, &row, Rect { x, y, width: *width, height: 1 }, pen);
            x += width + 1;
        }
        if selected {
            pen.paint(Rect { x: area.x, y, width: area.width, height: 1 }, Role::Selected);
        }
    }
}

fn head(app: &App, columns: &[(&Column, u16)], area: Rect, pen: &mut Pen<'_>) {
    let mut x = area.x + 1;
    for (column, width) in columns {
        let left = matches!(column.cell, Cell::Name | Cell::Growing | Cell::NextLimit | Cell::Spark);
        let orders = column.orders == Some(app.order());
        let role = if orders { Role::Accent } else { Role::Strong };
        if left {
            let end = pen.text(x, area.y, *width, column.head, role);
            if orders {
                pen.sign(end, area.y, pen.glyphs.descending(), role);
            }
        } else {
            pen.right(x, area.y, *width, column.head, role);
            if orders {
                // In the blank before the column, where its head leaves none.
                let at = x + width - pen.width(column.head) - 1;
                pen.sign(at, area.y, pen.glyphs.descending(), role);
            }
        }
        x += width + 1;
    }
}

fn cell(cell: Cell, row: &BoardRow, at: Rect, pen: &mut Pen<'_>) {
    let top = &row.row;
    let Rect { x, y, width, .. } = at;
    let role = if row.ended { Role::Dim } else { Role::Plain };
    match cell {
        Cell::Pid => pen.right(x, y, width, &top.process.pid.to_string(), role),
        Cell::Name => {
            let end = pen.text(x, y, width, top.process.name.as_str(), role);
            if let Some(label) = &top.process.label
                && end + 2 < x + width
            {
                pen.text(end + 1, y, x + width - end - 1, label.as_str(), Role::Dim);
            }
        }
        Cell::Committed => pen.right(x, y, width, &bytes(top.committed_bytes_approximate), role),
        Cell::Resident => pen.right(x, y, width, &bytes(top.resident_bytes), role),
        Cell::Untouched => pen.right(x, y, width, &bytes(top.untouched_bytes), role),
        Cell::Threads => pen.right(x, y, width, &show::count(top.threads), role),
        Cell::PerMinute => match top.threads_per_minute {
            Some(rate) => pen.right(x, y, width, &format!("{rate:+.2}"), Role::Bad),
            None => pen.right(x, y, width, "-", Role::Dim),
        },
        Cell::Growing if row.ended => {
            pen.text(x, y, width, "ended", Role::Warn);
        }
        Cell::Growing => match &top.growing {
            Some(growing) => {
                // A pattern says by itself that threads are meant.
                let narrow = pen.width(growing) > width;
                let pattern = growing.strip_prefix("threads ").filter(|_| narrow);
                pen.text(x, y, width, pattern.unwrap_or(growing), Role::Bad);
            }
            None => {
                pen.text(x, y, width, "-", Role::Dim);
            }
        },
        Cell::NextLimit => match &top.next_limit {
            Some(next) => {
                pen.text(x, y, width, &limit(next), role);
            }
            None => {
                pen.text(x, y, width, "-", Role::Dim);
            }
        },
        Cell::Spark => spark::draw(&row.spark.values, at, pen),
    }
}

fn bytes(value: u64) -> String {
    show::bytes_short(Bytes(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_drop_by_width_and_never_overflow() {
        for width in 52..400 {
            let columns = fitting(width);
            let taken: u16 = 1 + columns.iter().map(|(_, width)| width + 1).sum::<u16>() - 1;
            assert!(taken <= width, "{width}: {taken}");
            let heads: Vec<_> = columns.iter().map(|(column, _)| column.head).collect();
            for kept in ["PID", "NAME", "GROWING"] {
                assert!(heads.contains(&kept), "{width}: {heads:?}");
            }
        }
        let heads = |width| fitting(width).iter().map(|(column, _)| column.head).collect::<Vec<_>>();
        assert_eq!(heads(80), ["PID", "NAME", "COMMIT~", "RSS", "THREADS", "/min", "GROWING", ""]);
        assert_eq!(heads(120).len(), COLUMNS.len());
    }
}
