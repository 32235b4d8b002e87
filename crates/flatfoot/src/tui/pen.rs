//! Writes on the screen's buffer: the only way by which text gets there, so that nothing gets there unclean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::glyphs::Glyphs;
use super::palette::{Palette, Role};

/// A screen's buffer, and how to write on it.
pub(crate) struct Pen<'a> {
    buffer: &'a mut Buffer,
    pub(crate) glyphs: Glyphs,
    palette: Palette,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(buffer: &'a mut Buffer, glyphs: Glyphs, palette: Palette) -> Self {
        Self { buffer, glyphs, palette }
    }

    /// Writes a text from a place on, in at most so many columns; what is longer is cut, and the cut shown. Gives the
    /// column after it.
    pub(crate) fn text(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) -> u16 {
        let area = self.buffer.area;
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() || width == 0 {
            return x;
        }
        let width = width.min(area.right() - x);
        let style = self.palette.style(role);
        let clean = self.glyphs.clean(text);
        let wide = if clean.is_ascii() { clean.len() } else { Span::raw(clean.as_ref()).width() };
        if wide <= usize::from(width) {
            return self.buffer.set_stringn(x, y, clean.as_ref(), usize::from(width), style).0;
        }
        let (end, _) = self.buffer.set_stringn(x, y, clean.as_ref(), usize::from(width - 1), style);
        self.buffer.set_stringn(end, y, self.glyphs.cut(), 1, style).0
    }

    /// The same, ending at the right of so many columns.
    pub(crate) fn right(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) {
        let wide = self.width(text).min(width);
        self.text(x + width - wide, y, wide, text, role);
    }

    /// How many columns a text takes.
    pub(crate) fn width(&self, text: &str) -> u16 {
        let clean = self.glyphs.clean(text);
        let wide = if clean.is_ascii() { clean.len() } else { Span::raw(clean.as_ref()).width() };
        wide.try_into().unwrap_or(u16::MAX)
    }

    /// Puts one of our own signs somewhere.
    pub(crate) fn sign(&mut self, x: u16, y: u16, sign: &'static str, role: Role) {
        let style = self.palette.style(role);
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(sign).set_style(style);
        }
    }

    /// Makes an area look so, whatever is written there.
    pub(crate) fn paint(&mut self, area: Rect, role: Role) {
        self.buffer.set_style(area.intersection(self.buffer.area), self.palette.style(role));
    }

    /// A line across with a title near its left end. Gives the column after the title.
    pub(crate) fn rule(&mut self, area: Rect, title: &str, role: Role) -> u16 {
        let line = self.glyphs.across();
        for x in area.left()..area.right() {
            self.sign(x, area.y, line, Role::Dim);
        }
        if title.is_empty() || area.width < 6 {
            return area.x;
        }
        let room = area.width - 4;
        self.text(area.x + 1, area.y, 1, " ", Role::Plain);
        let end = self.text(area.x + 2, area.y, room, title, role);
        self.text(end, area.y, 1, " ", Role::Plain)
    }
}
