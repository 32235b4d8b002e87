//! A text over the whole screen, as the command line prints it: long lines are wrapped below their beginning, tables are
//! moved sideways.

use ratatui::layout::Rect;

use super::palette::Role;
use super::pen::Pen;

/// Lines that are kept: more than anybody scrolls through.
const MOST_LINES: usize = 20_000;
/// How far a wrapped line's rest stands to the right when the line begins with a label.
const LABEL: usize = 14;
/// Columns by which a table moves sideways.
const SIDEWAYS: usize = 16;

/// A text, and where in it the screen is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pager {
    text: String,
    wraps: bool,
    /// The lines as they are drawn, for this width.
    lines: Vec<String>,
    width: usize,
    widest: usize,
    top: usize,
    left: usize,
    room: usize,
}

impl Pager {
    /// Shows another text at the same place.
    pub(crate) fn set(&mut self, text: String, wraps: bool) {
        if self.text == text && self.wraps == wraps {
            return;
        }
        self.text = text;
        self.wraps = wraps;
        self.width = 0;
        self.lines.clear();
    }

    /// Moves by so many lines.
    pub(crate) fn step(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by).min(self.last());
    }

    /// Moves by so many screens.
    pub(crate) fn page(&mut self, by: isize) {
        self.step(by * self.room.saturating_sub(1).max(1) as isize);
    }

    /// Moves to the begin.
    pub(crate) fn first(&mut self) {
        (self.top, self.left) = (0, 0);
    }

    /// Moves to the end.
    pub(crate) fn end(&mut self) {
        self.top = self.last();
    }

    /// Moves sideways.
    pub(crate) fn sideways(&mut self, by: isize) {
        let most = self.widest.saturating_sub(self.width);
        self.left = self.left.saturating_add_signed(by * SIDEWAYS as isize).min(most);
    }

    fn last(&self) -> usize {
        self.lines.len().saturating_sub(self.room)
    }

    fn arrange(&mut self, width: usize) {
        if self.width == width {
            return;
        }
        self.width = width;
        let lines = self.text.lines().take(MOST_LINES);
        self.lines = if self.wraps {
            lines.flat_map(|line| wrapped(line, width)).collect()
        } else {
            lines.map(ToOwned::to_owned).collect()
        };
        self.widest = self.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    }

    /// Draws what is seen of it.
    pub(crate) fn draw(&mut self, area: Rect, pen: &mut Pen<'_>) {
        self.arrange(usize::from(area.width));
        self.room = usize::from(area.height);
        self.top = self.top.min(self.last());
        self.left = self.left.min(self.widest.saturating_sub(self.width));
        for (offset, line) in self.lines.iter().skip(self.top).take(self.room).enumerate() {
            let y = area.y + offset as u16;
            if self.left > 0 {
                let shown: String = line.chars().skip(self.left).collect();
                pen.text(area.x, y, area.width, &shown, Role::Plain);
            } else {
                self::line(line, Rect { y, height: 1, ..area }, pen);
            }
        }
    }

    /// Where in the text the screen is: `1-20 of 64`; nothing when all of it is seen.
    pub(crate) fn place(&self) -> String {
        if self.lines.len() <= self.room && self.widest <= self.width {
            return String::new();
        }
        let last = (self.top + self.room).min(self.lines.len());
        let mut place = format!("{}-{last} of {}", self.top + 1, self.lines.len());
        if self.widest > self.width {
            place.push_str(", more sideways");
        }
        place
    }
}

/// A line in its words: labels and heads in capitals stand out.
pub(crate) fn line(line: &str, at: Rect, pen: &mut Pen<'_>) {
    let label = label(line);
    let role = match line.get(..label) {
        Some(title) if title.ends_with("LEAK") || title.ends_with("GROWTH") => Role::Bad,
        _ => Role::Strong,
    };
    let x = match line.get(..label) {
        Some(title) if label > 0 => pen.text(at.x, at.y, at.width, title, role),
        _ => at.x,
    };
    if let Some(rest) = line.get(label..).filter(|rest| !rest.is_empty()) {
        pen.text(x, at.y, at.width.saturating_sub(x - at.x), rest, Role::Plain);
    }
}

/// How many bytes of a line are its label: words in capitals at its begin, up to two blanks or the end.
fn label(line: &str) -> usize {
    let end = line.find("  ").unwrap_or(line.len());
    let words = line.get(..end).unwrap_or("");
    let capital = |c: char| c.is_ascii_uppercase() || matches!(c, ' ' | '/' | '~');
    if words.len() >= 3 && words.chars().all(capital) { end } else { 0 }
}

/// A line in pieces of at most a width, cut at blanks where there are some.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let width = width.max(20);
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    // What stands apart at the right (a check, what it gives, how sure a finding is) comes nearer, or goes on a line of its
    // own.
    let begin = line.len() - line.trim_start_matches(' ').len();
    let text = line.get(label(line)..).unwrap_or(line).trim_start_matches(' ');
    let head = line.strip_suffix(text).unwrap_or("");
    let parts = text.split("   ").flat_map(|part| {
        let at = part.rfind(" check: ").unwrap_or(0);
        <[&str; 2]>::from(part.split_at_checked(at).unwrap_or((part, ""))).map(str::trim)
    });
    let mut parts = parts.filter(|part| !part.is_empty());
    let mut now = format!("{head}{}", parts.next().unwrap_or(""));
    let mut out = Vec::new();
    for part in parts {
        if now.chars().count() + 3 + part.chars().count() <= width {
            now.push_str("   ");
            now.push_str(part);
        } else {
            out.extend(folded(&now, width));
            now = format!("{:1$}{part}", "", begin + 5);
        }
    }
    out.extend(folded(&now, width));
    out
}

/// The same of a line in which nothing stands apart.
fn folded(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let indent = if label(line) > 0 { LABEL } else { blanks + 2 }.min(width / 2);
    let mut out = Vec::new();
    let mut rest = line.trim_end();
    let mut room = width;
    loop {
        let pad = if out.is_empty() { 0 } else { indent };
        let end = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
        if end == rest.len() {
            out.push(format!("{:pad$}{rest}", ""));
            return out;
        }
        let head = rest.get(..end).unwrap_or(rest);
        // A cut within the indentation would make an empty line.
        let least = rest.len() - rest.trim_start_matches(' ').len();
        let before = head.rfind(' ').filter(|cut| *cut > least);
        let cut = if rest.as_bytes().get(end) == Some(&b' ') { end } else { before.unwrap_or(end) };
        let (piece, more) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        out.push(format!("{:pad$}{}", "", piece.trim_end()));
        rest = more.trim_start_matches(' ');
        room = width - indent;
        if rest.is_empty() {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_line_goes_on_below_its_begin() {
        let line = "RISK          not memory: 5.6 GiB promised, 1.3 GiB used. It stops at pids.max";
        assert_eq!(
            wrapped(line, 40),
            [
                "RISK          not memory: 5.6 GiB",
                "              promised, 1.3 GiB used. It",
                "              stops at pids.max"
            ]
        );
        let item = "  1  24 of 24 stacks found         check: pmap 3248 | grep -c 2024K";
        let pieces = ["  1  24 of 24 stacks found", "       check: pmap 3248 | grep -c 2024K"];
        assert_eq!(wrapped(item, 40), pieces);
        assert_eq!(wrapped(item, 64), ["  1  24 of 24 stacks found   check: pmap 3248 | grep -c 2024K"]);
        // A claim that fills its column leaves one blank before the check.
        let item = "  1  24 of 24 stacks found check: pmap 3248 | grep -c 2024K";
        assert_eq!(wrapped(item, 40), pieces);
    }

    #[test]
    fn each_part_that_stands_apart_goes_where_there_is_room() {
        let item = "  1  24 births            check: ps -p 3248 | grep -c pool   → 24";
        assert_eq!(wrapped(item, 48), ["  1  24 births", "       check: ps -p 3248 | grep -c pool   → 24"]);
        let pieces = ["  1  24 births   check: ps -p 3248", "       → 24"];
        assert_eq!(wrapped("  1  24 births            check: ps -p 3248   → 24", 36), pieces);
        let label = "RISK          not memory   likely";
        assert_eq!(wrapped(label, 30), ["RISK          not memory", "     likely"]);
    }

    #[test]
    fn a_hostile_line_is_wrapped_without_an_end_to_the_stack() {
        assert!(wrapped(&"a   ".repeat(100_000), 80).len() > 1_000);
        assert!(wrapped(&" check: ".repeat(100_000), 80).len() > 1_000);
    }

    #[test]
    fn labels_are_told_from_sentences() {
        assert_eq!(label("THREAD LEAK  java[1]"), 11);
        assert_eq!(label("EVIDENCE"), 8);
        assert_eq!(label("NOW          nothing is urgent"), 3);
        for none in ["Nothing suspicious", "  1  claim", "", "A  b", "RISK: is this"] {
            assert_eq!(label(none), 0, "{none}");
        }
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_but_blanks(line in "[a-zé× ]{0,200}", width in 20usize..90) {
            let pieces = wrapped(&line, width);
            let words = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(words(&pieces.concat()), words(&line));
            prop_assert!(pieces.iter().all(|piece| piece.chars().count() <= width), "{:?}", pieces);
        }
    }
}
