//! The keys, on a screen of their own.

use ratatui::layout::Rect;

use super::keys::HELP;
use super::palette::Role;
use super::pen::Pen;

const KEYS: u16 = 15;

/// Draws it: in one column, or in two where the height is too little and the width allows it.
pub(crate) fn draw(area: Rect, pen: &mut Pen<'_>) {
    let lines: u16 = HELP.iter().map(|(_, keys)| keys.len() as u16 + 2).sum();
    let two = lines > area.height && area.width >= 110;
    let half = area.width / 2;
    let mut at = Rect { width: if two { half } else { area.width }, ..area };
    // Blank lines are the first to go.
    let blank = u16::from(lines <= area.height || two);
    for (index, (title, keys)) in HELP.iter().enumerate() {
        if two && index == 2 {
            at = Rect { x: area.x + half, y: area.y, ..at };
        }
        put(&mut at, title, Role::Strong, area, pen);
        for (key, words) in *keys {
            if at.y < area.bottom() {
                pen.text(at.x + 2, at.y, KEYS, key, Role::Accent);
                pen.text(at.x + 2 + KEYS, at.y, at.width.saturating_sub(KEYS + 2), words, Role::Plain);
            }
            at.y += 1;
        }
        at.y += blank;
    }
}

fn put(at: &mut Rect, text: &str, role: Role, area: Rect, pen: &mut Pen<'_>) {
    if at.y < area.bottom() {
        pen.text(at.x, at.y, at.width, text, role);
    }
    at.y += 1;
}
