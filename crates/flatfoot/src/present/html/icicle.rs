//! Stacks of births as an icicle: the outermost frame on top, each as wide as it has births.

use std::collections::BTreeSet;

use model::{CreatedBy, Finding, Frame, show};

use super::chart::{self, WIDTH};
use super::writer::Html;
use crate::present::creators::place;

/// Height of a frame.
const ROW: f64 = 20.0;
/// Frames of a stack, from the outside, that are drawn.
const MOST_DEPTH: usize = 40;
/// Narrower ones have no room for a name, and are lost in the print.
const LEAST_WIDTH: f64 = 2.0;
/// Width of a letter, about, as a telephone draws it: larger than a wide screen does.
const LETTER: f64 = 10.8;

/// A frame with what it called.
struct Node<'a> {
    frame: Option<&'a Frame>,
    births: u64,
    calls: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    fn add(&mut self, frames: impl Iterator<Item = &'a Frame>, births: u64) {
        self.births += births;
        let mut node = self;
        for frame in frames {
            let known = node.calls.iter().position(|call| call.frame == Some(frame));
            let at = known.unwrap_or_else(|| {
                node.calls.push(Node { frame: Some(frame), births: 0, calls: Vec::new() });
                node.calls.len() - 1
            });
            node = &mut node.calls[at];
            node.births += births;
        }
    }

    fn depth(&self) -> usize {
        self.calls.iter().map(|call| call.depth() + 1).max().unwrap_or(0)
    }
}

/// Stacks that were seen at births; nothing when there are none.
pub(super) fn stacks(html: &mut Html, finding: &Finding) {
    let seen: Vec<&CreatedBy> = finding
        .created_by
        .iter()
        .filter(|by| by.births > 0 && !by.frames.is_empty() && by.source != "owner")
        .collect();
    if seen.is_empty() {
        return;
    }
    let mut root = Node { frame: None, births: 0, calls: Vec::new() };
    for by in &seen {
        root.add(by.frames.iter().rev().take(MOST_DEPTH), by.births);
    }
    let says = format!(
        "{} births seen. The outermost frame is on top, below it what it called, down to what starts the thread; each is as \
         wide as births came by it.",
        show::count(root.births)
    );
    let height = ROW * root.depth() as f64 + 8.0;
    chart::figure(html, "Stacks at the births", &says, height, |html| {
        calls(html, &root, 2.0, 4.0, (WIDTH - 4.0) / root.births.max(1) as f64);
    });
    let roles: BTreeSet<&str> = seen.iter().flat_map(|by| &by.frames).map(key).collect();
    let entries: Vec<(&str, &str)> = KEYS.into_iter().filter(|(role, _)| roles.contains(role)).collect();
    chart::legend(html, &entries);
    for by in &seen {
        let rows: Vec<Vec<String>> = by
            .frames
            .iter()
            .map(|frame| vec![place(frame), frame.origin.clone().unwrap_or_default(), frame.role.clone()])
            .collect();
        let caption = format!("{} of {} births, innermost first", show::count(by.births), show::count(by.of));
        chart::folded(html, &caption, &["Frame", "From", "Role"], &rows);
    }
}

fn calls(html: &mut Html, node: &Node<'_>, x: f64, y: f64, per_birth: f64) {
    let mut x = x;
    for call in &node.calls {
        let width = call.births as f64 * per_birth;
        if let Some(frame) = call.frame.filter(|_| width >= LEAST_WIDTH) {
            html.within("g", &[], |html| {
                let origin = frame.origin.as_ref().map_or_else(String::new, |o| format!(", {o}"));
                let title = format!("{}{origin}: {} births", place(frame), show::count(call.births));
                html.say("title", &[], &title);
                chart::bar(html, &format!("frame {}", key(frame)), (x, y), (width - 1.0, ROW - 1.0));
                let room = ((width - 8.0) / LETTER).max(0.0) as usize;
                let name = short(frame, room);
                if !name.is_empty() {
                    chart::label(html, x + 4.0, y + 14.0, "start", &name);
                }
            });
        }
        calls(html, call, x, y + ROW, per_birth);
        x += width;
    }
}

/// Whose code a colour stands for.
const KEYS: [(&str, &str); 4] = [
    ("application", "the application's own code"),
    ("library", "a library"),
    ("framework", "a framework"),
    ("rest", "the JDK and language runtimes"),
];

/// A class for the style sheet: one of ours, whatever the frame says.
fn key(frame: &Frame) -> &'static str {
    KEYS.into_iter().map(|(role, _)| role).find(|role| *role == frame.role).unwrap_or("rest")
}

/// As much of a name as there is room for: the end of it tells most.
fn short(frame: &Frame, room: usize) -> String {
    let whole = place(frame);
    let letters = whole.chars().count();
    if letters <= room {
        return whole;
    }
    if room < 4 {
        return String::new();
    }
    let end: String = whole.chars().skip(letters - (room - 1)).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(symbol: &str) -> Frame {
        Frame { symbol: symbol.into(), ..Frame::default() }
    }

    #[test]
    fn common_frames_are_drawn_once() {
        let stacks = [[frame("a"), frame("b"), frame("c")], [frame("a"), frame("x"), frame("c")]];
        let mut root = Node { frame: None, births: 0, calls: Vec::new() };
        for (stack, births) in stacks.iter().zip([3, 1]) {
            root.add(stack.iter().rev(), births);
        }
        assert_eq!((root.births, root.depth(), root.calls.len()), (4, 3, 1));
        assert_eq!(root.calls[0].calls.iter().map(|c| c.births).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(short(&frame("org.jobs.Timeout.started"), 8), "…started");
        assert_eq!(short(&frame("org.jobs"), 3), "");
    }
}
