//! A series as a line of small bars, the newest at the right.

use ratatui::layout::Rect;

use super::palette::Role;
use super::pen::Pen;

/// A series whose highest and lowest differ by less than this share of the highest is drawn as level: a service that
/// breathes by a megabyte is no mountain.
const LEVEL: f64 = 0.02;

/// The level of each column, `None` where nothing is known: the newest values, at most so many.
fn levels(values: &[f64], width: usize, levels: usize) -> impl Iterator<Item = Option<usize>> {
    let shown = values.get(values.len().saturating_sub(width)..).unwrap_or(values);
    let known = shown.iter().copied().filter(|value| value.is_finite());
    let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let range = (high - low).max(high.abs() * LEVEL);
    let top = levels.saturating_sub(1) as f64;
    shown.iter().map(move |value| {
        value
            .is_finite()
            .then(|| if range > 0.0 { ((value - low) / range * top).round() as usize } else { 0 })
    })
}

/// Draws it into a line.
pub(crate) fn draw(values: &[f64], at: Rect, pen: &mut Pen<'_>) {
    let signs = pen.glyphs.levels();
    let width = usize::from(at.width);
    let used = values.len().min(width);
    let first = at.x + (width - used) as u16;
    for (offset, level) in levels(values, width, signs.len()).enumerate() {
        if let Some(sign) = level.and_then(|level| signs.get(level)) {
            pen.sign(first + offset as u16, at.y, sign, Role::Accent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], width: usize) -> Vec<Option<usize>> {
        levels(values, width, 8).collect()
    }

    #[test]
    fn the_newest_values_span_the_levels() {
        assert_eq!(of(&[99.0, 1.0, 2.0, 8.0], 3), [Some(0), Some(1), Some(7)]);
        assert_eq!(of(&[3.0, f64::NAN, 3.0], 8), [Some(0), None, Some(0)], "a gap stays a gap");
        assert_eq!(of(&[], 8), []);
        assert_eq!(of(&[0.0, 0.0], 8), [Some(0), Some(0)]);
    }

    #[test]
    fn little_beside_much_is_level() {
        assert_eq!(of(&[1_000.0, 1_001.0], 8), [Some(0), Some(0)]);
        assert_eq!(of(&[1_000.0, 1_020.0], 8), [Some(0), Some(7)]);
    }
}
