//! What all charts share: a figure with its words for screen readers, axes, lines with gaps, and the table of its numbers.

use std::fmt::Write as _;

use super::scale::{Scale, Unit, moments};
use super::writer::Html;

/// Units across; the page scales them to its width.
pub(super) const WIDTH: f64 = 600.0;
/// Units down, of most charts.
pub(super) const HEIGHT: f64 = 240.0;
/// Where the area of figures begins and ends.
pub(super) const LEFT: f64 = 62.0;
pub(super) const RIGHT: f64 = WIDTH - 14.0;
pub(super) const TOP: f64 = 16.0;
pub(super) const BOTTOM: f64 = HEIGHT - 30.0;
/// Rows of a table of numbers.
pub(super) const MOST_ROWS: usize = 48;

/// A coordinate: a tenth of a unit is finer than a pixel.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A chart with its title and what it shows in words.
pub(super) fn figure(html: &mut Html, title: &str, says: &str, height: f64, draw: impl FnOnce(&mut Html)) {
    let (name, words) = (html.id("t"), html.id("d"));
    html.within("figure", &[], |html| {
        html.say("figcaption", &[], title);
        let frame = format!("0 0 {} {}", px(WIDTH), px(height));
        let labelled = format!("{name} {words}");
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("viewBox", frame.as_str()),
            ("role", "img"),
            ("aria-labelledby", labelled.as_str()),
        ];
        html.within("svg", &attributes, |html| {
            html.say("title", &[("id", &name)], title);
            html.say("desc", &[("id", &words)], says);
            draw(html);
        });
        // A screen reader has it from the chart.
        html.say("p", &[("class", "says"), ("aria-hidden", "true")], says);
    });
}

/// What the colours of a chart mean: a class of the style sheet, and a word.
pub(super) fn legend(html: &mut Html, entries: &[(&str, &str)]) {
    html.within("ul", &[("class", "legend")], |html| {
        for (class, name) in entries {
            html.within("li", &[], |html| {
                html.say("span", &[("class", &format!("key {class}"))], "");
                html.text(name);
            });
        }
    });
}

/// The numbers of a chart, folded.
pub(super) fn numbers(html: &mut Html, caption: &str, head: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    html.within("details", &[], |html| {
        html.say("summary", &[], &format!("The numbers: {caption}"));
        table(html, caption, head, rows);
    });
}

/// A table of words, folded.
pub(super) fn folded(html: &mut Html, caption: &str, head: &[&str], rows: &[Vec<String>]) {
    html.within("details", &[], |html| {
        html.say("summary", &[], caption);
        words(html, caption, head, rows);
    });
}

/// A table; the first column is text, the others are figures.
pub(super) fn table(html: &mut Html, caption: &str, head: &[&str], rows: &[Vec<String>]) {
    table_of("figures", html, caption, head, rows);
}

/// A table of words: they may take several lines.
pub(super) fn words(html: &mut Html, caption: &str, head: &[&str], rows: &[Vec<String>]) {
    table_of("words", html, caption, head, rows);
}

fn table_of(kind: &str, html: &mut Html, caption: &str, head: &[&str], rows: &[Vec<String>]) {
    // Wider than a telephone it is moved, by keys as well.
    let region = [("class", "wide"), ("role", "group"), ("tabindex", "0"), ("aria-label", caption)];
    html.within("div", &region, |html| {
        html.within("table", &[("class", kind)], |html| {
            html.say("caption", &[], caption);
            html.within("thead", &[], |html| {
                html.within("tr", &[], |html| {
                    for name in head {
                        html.say("th", &[("scope", "col")], name);
                    }
                });
            });
            html.within("tbody", &[], |html| {
                for row in rows {
                    html.within("tr", &[], |html| {
                        for (at, cell) in row.iter().enumerate() {
                            match at {
                                0 => html.say("th", &[("scope", "row")], cell),
                                _ => html.say("td", &[], cell),
                            }
                        }
                    });
                }
            });
        });
    });
}

/// Every so manieth, the last in any case: what a table shows of many.
pub(super) fn thinned<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    let stride = all.len().div_ceil(most.max(1)).max(1);
    let mut out: Vec<T> = all.iter().step_by(stride).cloned().collect();
    if !all.is_empty() && !(all.len() - 1).is_multiple_of(stride) {
        out.extend(all.last().cloned());
    }
    out
}

/// Text in a chart.
pub(super) fn label(html: &mut Html, x: f64, y: f64, anchor: &str, text: &str) {
    html.say("text", &[("x", &px(x)), ("y", &px(y)), ("text-anchor", anchor)], text);
}

/// A line of the area.
pub(super) fn line(html: &mut Html, class: &str, from: (f64, f64), to: (f64, f64)) {
    let path = format!("M{} {}L{} {}", px(from.0), px(from.1), px(to.0), px(to.1));
    html.shape("path", &[("class", class), ("d", &path)]);
}

/// A rectangle.
pub(super) fn bar(html: &mut Html, class: &str, at: (f64, f64), size: (f64, f64)) {
    html.shape(
        "rect",
        &[
            ("class", class),
            ("x", &px(at.0)),
            ("y", &px(at.1)),
            ("width", &px(size.0.max(0.0))),
            ("height", &px(size.1.max(0.0))),
        ],
    );
}

/// The axis of figures with its grid. Gives the scale: from 0 to the round figure above `to`.
pub(super) fn up(html: &mut Html, unit: Unit, to: f64) -> Scale {
    let ticks = unit.ticks(to);
    let scale = Scale::new(0.0, ticks.last().copied().unwrap_or(1.0), BOTTOM, TOP);
    for tick in ticks {
        let y = scale.at(tick);
        line(html, "grid", (LEFT, y), (RIGHT, y));
        label(html, LEFT - 6.0, y + 4.0, "end", &unit.tick(tick));
    }
    scale
}

/// The axis of time, below.
pub(super) fn along(html: &mut Html, from: f64, to: f64, offset_s: f64) -> Scale {
    let scale = Scale::new(from, to, LEFT, RIGHT);
    line(html, "axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
    for (at, name) in moments(from, to, offset_s) {
        let x = scale.at(at);
        line(html, "axis", (x, BOTTOM), (x, BOTTOM + 5.0));
        let anchor = if x > RIGHT - 30.0 { "end" } else { "middle" };
        label(html, x, BOTTOM + 21.0, anchor, &name);
    }
    scale
}

/// Of many readings those that a chart of this width can show: of each stretch the first, the least and the greatest.
pub(super) fn reduced(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(most.max(1)).max(1);
    if stride <= 3 {
        return points.to_vec();
    }
    let mut out = Vec::with_capacity(3 * most + 1);
    for stretch in points.chunks(stride) {
        let by = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let kept = [stretch.first(), stretch.iter().min_by(by), stretch.iter().max_by(by)];
        let mut kept: Vec<(f64, f64)> = kept.into_iter().flatten().copied().collect();
        kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        kept.dedup();
        out.append(&mut kept);
    }
    if out.last() != points.last() {
        out.extend(points.last());
    }
    out
}

/// The area between two lines, from left to right along the upper one and back along the lower.
pub(super) fn area(upper: &[(f64, f64)], lower: &[(f64, f64)]) -> String {
    let mut path = through(upper.iter().copied());
    for (x, y) in lower.iter().rev() {
        path.push('L');
        path.push_str(&px(*x));
        path.push(' ');
        path.push_str(&px(*y));
    }
    path.push('Z');
    path
}

/// Readings one after the other, cut where far more time passed than between the others: what was not seen is not drawn.
/// Where something is read less often for a while, that is no gap.
pub(super) fn stretches(points: &[(f64, f64)]) -> Vec<&[(f64, f64)]> {
    let steps: Vec<f64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let mut sorted = steps.clone();
    sorted.sort_by(f64::total_cmp);
    let Some(usual) = sorted.get(sorted.len() / 2).copied() else { return vec![points] };
    let is_gap = |at: usize| {
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let slowest = beside.filter_map(|at| steps.get(at)).copied().fold(usual, f64::max);
        steps.get(at).is_some_and(|step| *step > 4.0 * slowest)
    };
    let mut out = Vec::new();
    let mut from = 0;
    for at in (0..steps.len()).filter(|at| is_gap(*at)) {
        out.push(&points[from..=at]);
        from = at + 1;
    }
    out.push(&points[from..]);
    out
}

/// A line through points on the chart; a point by itself is a dot.
pub(super) fn through(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    let mut last = (String::new(), String::new());
    for (x, y) in points {
        let next = (px(x), px(y));
        if next == last {
            continue;
        }
        // Stairs are half as long so.
        let _ = if path.is_empty() {
            write!(path, "M{} {}", next.0, next.1)
        } else if next.0 == last.0 {
            write!(path, "V{}", next.1)
        } else if next.1 == last.1 {
            write!(path, "H{}", next.0)
        } else {
            write!(path, "L{} {}", next.0, next.1)
        };
        last = next;
    }
    if !path.is_empty() && !path.contains(['L', 'V', 'H']) {
        path.push_str("h0");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_not_drawn() {
        let seen: Vec<(f64, f64)> =
            [0.0, 1.0, 2.0, 3.0, 60.0, 61.0].into_iter().map(|at| (at, 1.0)).collect();
        assert_eq!(stretches(&seen).iter().map(|s| s.len()).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(stretches(&seen[..1]).len(), 1);
        assert_eq!(stretches(&[]), [&[] as &[(f64, f64)]]);
        // Each minute at first, then each second.
        let slow: Vec<(f64, f64)> =
            [0.0, 60.0, 120.0, 121.0, 122.0, 123.0, 124.0].into_iter().map(|at| (at, 1.0)).collect();
        assert_eq!(stretches(&slow).len(), 1);
        assert_eq!(through([(1.0, 2.0), (1.04, 2.0), (3.0, 4.5)].into_iter()), "M1 2L3 4.5");
        assert_eq!(through([(1.0, 2.0)].into_iter()), "M1 2h0");
    }

    #[test]
    fn a_peak_is_not_lost_in_a_month() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|at| (f64::from(at), 5.0)).collect();
        points[70_123].1 = 90.0;
        points[70_200].1 = 1.0;
        let few = reduced(&points, 200);
        assert!(few.len() <= 601 && few.is_sorted_by(|a, b| a.0 < b.0), "{}", few.len());
        assert!(few.contains(&(70_123.0, 90.0)) && few.contains(&(70_200.0, 1.0)));
        assert_eq!((few.first(), few.last()), (points.first(), points.last()));
        assert_eq!(reduced(&points[..3], 200), points[..3]);
        assert!(reduced(&[], 200).is_empty());
        assert_eq!(area(&[(0.0, 1.0), (2.0, 1.0)], &[(0.0, 5.0), (2.0, 4.0)]), "M0 1H2L2 4L0 5Z");
    }

    #[test]
    fn a_table_has_the_first_and_the_last() {
        let all: Vec<u32> = (0..100).collect();
        assert_eq!(thinned(&all, 4), [0, 25, 50, 75, 99]);
        assert_eq!(thinned(&all[..3], 4), [0, 1, 2]);
        assert_eq!(thinned::<u32>(&[], 4), Vec::<u32>::new());
    }
}
