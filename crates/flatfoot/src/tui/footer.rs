//! The last line: the keys, what was just said, or what is being typed.

use ratatui::layout::Rect;

use super::app::{App, Screen, When};
use super::keys::{FOOTER, FOOTER_PAST, FOOTER_TEXT};
use super::palette::Role;
use super::pen::Pen;

/// Draws it.
pub(crate) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if let Some((text, role)) = app.message() {
        pen.text(area.x, area.y, area.width, text, role);
        return;
    }
    if let Some(prompt) = app.prompt() {
        let (before, after) = prompt.words();
        let mut x = pen.text(area.x, area.y, area.width, before, Role::Accent);
        // Of a long answer its end is seen, where letters are typed.
        let room = area.right().saturating_sub(x + 1);
        let fits = |text: &&str| pen.width(text) <= room;
        let ends = prompt.text.char_indices().filter_map(|(at, _)| prompt.text.get(at..));
        let end = ends.into_iter().find(fits).unwrap_or("");
        x = pen.text(x, area.y, room, end, Role::Strong);
        pen.sign(x, area.y, pen.glyphs.caret(), Role::Accent);
        if x + 3 + pen.width(after) <= area.right() {
            pen.text(x + 3, area.y, area.right() - x - 3, after, Role::Dim);
        }
        return;
    }
    let keys = match (app.screen(), app.when()) {
        (Screen::Main, When::Past(_)) => FOOTER_PAST,
        (Screen::Main, _) => FOOTER,
        _ => FOOTER_TEXT,
    };
    let mut x = area.x;
    for (key, word) in keys {
        let needed = pen.width(key) + 1 + pen.width(word);
        if x + needed > area.right() {
            break;
        }
        x = pen.text(x, area.y, needed, key, Role::Accent);
        x = pen.text(x + 1, area.y, needed, word, Role::Plain) + 2;
    }
}
