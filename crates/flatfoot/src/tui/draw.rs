//! A whole screen, from what the view knows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Screen};
use super::glyphs::Glyphs;
use super::layout::{SMALLEST, areas};
use super::palette::{Palette, Role};
use super::pen::Pen;
use super::{details, findings, footer, header, table};
use crate::present::time;

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    pub(crate) glyphs: Glyphs,
    pub(crate) palette: Palette,
}

/// Draws everything into an empty buffer.
pub(crate) fn draw(app: &mut App, look: Look, screen: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(buffer, look.glyphs, look.palette);
    let Some(areas) = areas(screen) else {
        too_small(screen, &mut pen);
        return;
    };
    header::draw(app, areas.header, &mut pen);
    let body = Rect { y: screen.y + 1, height: screen.height - 2, ..screen };
    match app.screen() {
        Screen::Main => {
            table::draw(app, areas.processes, &mut pen);
            details::draw(app, areas.details, areas.beside, &mut pen);
            findings::draw(app, areas.findings, &mut pen);
        }
        Screen::Help | Screen::Map | Screen::Threads | Screen::Details => text(app, body, &mut pen),
    }
    footer::draw(app, areas.footer, &mut pen);
}

/// A text over the whole screen, below a line that says of whom it is.
fn text(app: &mut App, area: Rect, pen: &mut Pen<'_>) {
    let what = match app.screen() {
        Screen::Map => "memory of ",
        Screen::Threads => "threads of ",
        Screen::Details => "diagnosis of ",
        Screen::Main | Screen::Help => "",
    };
    let (whom, ended) = match app.current() {
        _ if what.is_empty() => ("keys".to_owned(), false),
        Some(row) => (details::title(row), row.ended),
        None => ("nobody".to_owned(), false),
    };
    let inside = Rect { y: area.y + 1, height: area.height - 1, ..area };
    app.pager.draw(inside, pen);
    let end = match app.read_unix_s() {
        _ if ended => ", ended".to_owned(),
        Some(at) => format!(", at {}", time::clock(at)),
        None => String::new(),
    };
    let x = pen.rule(Rect { height: 1, ..area }, &format!("{what}{whom}{end}"), Role::Strong);
    let place = app.pager.place();
    let width = pen.width(&place);
    if width > 0 && x + width + 3 <= area.right() {
        pen.text(area.right() - width - 3, area.y, width + 2, &format!(" {place} "), Role::Dim);
    }
}

fn too_small(screen: Rect, pen: &mut Pen<'_>) {
    let lines = [
        format!("too small: {}x{}", screen.width, screen.height),
        format!("flatfoot needs {}x{}", SMALLEST.0, SMALLEST.1),
        "q quits".to_owned(),
    ];
    for (y, line) in (screen.top()..screen.bottom()).zip(&lines) {
        pen.text(screen.x, y, screen.width, line, Role::Plain);
    }
}
