//! Where things are on a screen of a size.
//!
//! ```text
//! stacked, from 60x14                    side by side, from 136 columns
//!  header                                 header
//!  processes                              processes          │ classes and patterns
//!  ── selected process ──                                    │ of the selected one
//!  classes    │ patterns                  ── findings ──
//!  ── findings ──                         …
//!  …                                      footer
//!  footer
//! ```

use ratatui::layout::Rect;

/// Below this nothing sensible fits.
pub(crate) const SMALLEST: (u16, u16) = (60, 14);
/// From so many columns on the details stand beside the processes.
const BESIDE_FROM: u16 = 136;
/// The least that the table of memory classes takes.
pub(crate) const DETAILS_WIDTH: u16 = 51;

/// The parts of the main screen. One that has no room is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) header: Rect,
    pub(crate) processes: Rect,
    pub(crate) details: Rect,
    /// Do the details stand beside the processes, and not below them?
    pub(crate) beside: bool,
    pub(crate) findings: Rect,
    pub(crate) footer: Rect,
}

/// The parts of a screen; `None` when it is too small.
pub(crate) fn areas(screen: Rect) -> Option<Areas> {
    let Rect { x, y, width, height } = screen;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        return None;
    }
    let beside = width >= BESIDE_FROM;
    let rows = height - 2;
    let part = |share: u16, least: u16, most: u16| (rows * share / 100).clamp(least, most) + 1;
    let row = |at: u16, height: u16| Rect { x, y: y + at, width, height };
    let findings = part(23, 3, 16);
    let (processes, details) = if beside {
        let left = (width * 58 / 100).min(width - DETAILS_WIDTH - 1);
        let top = row(1, rows - findings);
        let right = Rect { x: x + left, width: width - left, ..top };
        (Rect { width: left, ..top }, right)
    } else {
        // On few rows the processes and the findings matter most.
        let details = if height < 18 { 0 } else { part(27, 4, 18) };
        let table = rows - findings - details;
        (row(1, table), row(1 + table, details))
    };
    Some(Areas {
        header: row(0, 1),
        processes,
        details,
        beside,
        findings: row(1 + rows - findings, findings),
        footer: row(height - 1, 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_cover_the_screen_and_nothing_twice() {
        for width in 1..260 {
            for height in 1..120 {
                let screen = Rect::new(0, 0, width, height);
                let Some(areas) = areas(screen) else {
                    assert!(width < 60 || height < 14);
                    continue;
                };
                let all = [areas.header, areas.processes, areas.details, areas.findings, areas.footer];
                let covered: u32 = all.iter().map(|area| area.area()).sum();
                assert_eq!(covered, screen.area(), "{width}x{height}: {areas:?}");
                for (index, area) in all.iter().enumerate() {
                    assert_eq!(area.intersection(screen), *area);
                    assert!(all.iter().skip(index + 1).all(|other| !area.intersects(*other)), "{areas:?}");
                }
                assert!(areas.processes.height >= 5 && areas.findings.height >= 4, "{width}x{height}");
            }
        }
    }
}
