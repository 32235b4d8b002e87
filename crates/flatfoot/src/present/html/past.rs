//! Figures over the looks: memory and its classes, threads, descriptors, and what the Java heap holds.

use std::fmt::Write as _;

use detect::heap::Census;
use detect::rules::Point;
use model::{Bytes, HostReading, MemoryClass, show};

use super::chart::{self, HEIGHT, MOST_ROWS};
use super::scale::{Unit, moment};
use super::writer::Html;
use crate::present::time;

/// Looks below which there is no line to speak of.
const LEAST: usize = 3;
/// Stretches of a line: of each the least and the greatest value are drawn.
const MOST_POINTS: usize = 150;
/// Moments of a stacked chart: a recorder reads classes every few minutes, so two may be all there is.
const LEAST_MOMENTS: usize = 2;
const MOST_MOMENTS: usize = 120;
/// Classes of memory that have a colour; the smaller ones are one.
const MOST_COLOURS: usize = 7;
/// Classes in a table.
const MOST_CLASSES: usize = 12;

/// A figure of a look.
type Figure = (&'static str, Unit, fn(&Point) -> Option<u64>);

/// The figures, each on a chart of its own.
const FIGURES: [Figure; 3] = [
    ("Resident memory", Unit::Bytes, |point| point.resident.map(|bytes| bytes.0)),
    ("Threads", Unit::Count, |point| point.threads),
    ("Open descriptors", Unit::Count, |point| point.descriptors),
];

/// A chart for each figure that was read often enough.
pub(super) fn figures(html: &mut Html, points: &[Point], host: &HostReading) {
    for (name, unit, figure) in FIGURES {
        let seen: Vec<(f64, f64)> = points
            .iter()
            .filter_map(|point| Some((host.unix_from_boot(point.at_boot_s), figure(point)? as f64)))
            .collect();
        if seen.len() >= LEAST {
            html.within("div", &[], |html| over_time(html, name, unit, &seen, f64::from(host.utc_offset_s)));
        }
    }
}

fn over_time(html: &mut Html, name: &str, unit: Unit, seen: &[(f64, f64)], offset_s: f64) {
    let (Some(first), Some(last)) = (seen.first(), seen.last()) else { return };
    let least = seen.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let most = seen.iter().map(|p| p.1).fold(0.0, f64::max);
    let stretches = chart::stretches(seen);
    let gaps = match stretches.len() - 1 {
        0 => String::new(),
        1 => "; one gap, in which nothing was read".to_owned(),
        n => format!("; {n} gaps, in which nothing was read"),
    };
    let shown = |value: f64| unit.show(value as u64);
    let (from, to) = (time::local(first.0), time::local(last.0));
    let says = if least >= most {
        format!("{} all the time from {from} to {to}{gaps}.", shown(most))
    } else {
        format!(
            "From {} at {from} to {} at {to}; lowest {}, highest {}{gaps}.",
            shown(first.1),
            shown(last.1),
            shown(least),
            shown(most)
        )
    };
    chart::figure(html, &format!("{name} over time"), &says, HEIGHT, |html| {
        let y = chart::up(html, unit, most);
        let x = chart::along(html, first.0, last.0, offset_s);
        for stretch in &stretches {
            let few = chart::reduced(stretch, MOST_POINTS);
            let path = chart::through(few.into_iter().map(|(at, value)| (x.at(at), y.at(value))));
            html.shape("path", &[("class", "line"), ("d", &path)]);
        }
    });
    let rows: Vec<Vec<String>> = chart::thinned(seen, MOST_ROWS)
        .into_iter()
        .map(|(at, value)| vec![time::local(at), shown(value)])
        .collect();
    chart::numbers(html, &format!("{} over time", name.to_lowercase()), &["Time", name], &rows);
}

/// What of the process's memory each class had, moment by moment, stacked. Classes are known of the moments at which the
/// mappings were read: each look of a watch, and a recorder's looks at its suspects.
pub(super) fn memory(html: &mut Html, points: &[Point], host: &HostReading) {
    let known: Vec<&Point> = points.iter().filter(|point| !point.classes.is_empty()).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return };
    if known.len() < LEAST_MOMENTS {
        return;
    }
    let known = chart::thinned(&known, MOST_MOMENTS);
    let size = |point: &Point, class: MemoryClass| {
        let found = point.classes.iter().find(|(of, _)| *of == class);
        found.map_or(0, |(_, amounts)| amounts.committed.0)
    };
    // The largest at any time have colours, and keep one order: that of their sizes at the end.
    let most = |class: MemoryClass| known.iter().map(|point| size(point, class)).max().unwrap_or(0);
    let mut classes: Vec<MemoryClass> =
        MemoryClass::ALL.iter().copied().filter(|class| most(*class) > 0).collect();
    classes.sort_by_key(|class| std::cmp::Reverse(most(*class)));
    let others = classes.split_off(classes.len().min(MOST_COLOURS));
    classes.sort_by_key(|class| std::cmp::Reverse(size(last, *class)));
    if classes.is_empty() {
        return;
    }
    let mut layers: Vec<(&str, Vec<u64>)> = classes
        .iter()
        .map(|class| (class.label(), known.iter().map(|point| size(point, *class)).collect()))
        .collect();
    if !others.is_empty() {
        let sum = |point: &&Point| others.iter().map(|class| size(point, *class)).sum();
        layers.push(("others", known.iter().map(sum).collect()));
    }
    let at: Vec<f64> = known.iter().map(|point| host.unix_from_boot(point.at_boot_s)).collect();
    let grown = classes.iter().max_by_key(|class| size(last, **class).saturating_sub(size(first, **class)));
    stacked(html, &at, &layers, grown.map(|class| class.label()), f64::from(host.utc_offset_s));
}

fn stacked(html: &mut Html, at: &[f64], layers: &[(&str, Vec<u64>)], grown: Option<&str>, offset_s: f64) {
    let (Some(from), Some(to)) = (at.first().copied(), at.last().copied()) else { return };
    let total = |moment: usize| layers.iter().filter_map(|(_, of)| of.get(moment)).sum::<u64>();
    let end = at.len() - 1;
    let shown = |bytes: u64| show::bytes(Bytes(bytes));
    let mut says = format!(
        "Committed, by what it is for: from {} at {} to {} at {}.",
        shown(total(0)),
        time::local(from),
        shown(total(end)),
        time::local(to)
    );
    let layer = |name: &str| layers.iter().find(|(of, _)| *of == name);
    if let Some((name, of)) = grown.and_then(layer)
        && let (Some(first), Some(last)) = (of.first(), of.last())
        && last > first
    {
        let _ = write!(says, " Most of the growth is {name}: {} to {}.", shown(*first), shown(*last));
    }
    chart::figure(html, "Memory by class over time", &says, HEIGHT, |html| {
        let most = (0..at.len()).map(total).max().unwrap_or(0);
        let y = chart::up(html, Unit::Bytes, most as f64);
        let x = chart::along(html, from, to, offset_s);
        let mut below = vec![0_u64; at.len()];
        for (index, (name, of)) in layers.iter().enumerate() {
            let above: Vec<u64> = below.iter().zip(of).map(|(low, own)| low + own).collect();
            let line = |heights: &[u64]| -> Vec<(f64, f64)> {
                at.iter().zip(heights).map(|(at, height)| (x.at(*at), y.at(*height as f64))).collect()
            };
            let path = chart::area(&line(&above), &line(&below));
            html.within("g", &[], |html| {
                html.say("title", &[], name);
                html.shape("path", &[("class", &format!("area c{index}")), ("d", &path)]);
            });
            below = above;
        }
    });
    let keys: Vec<(String, &str)> =
        layers.iter().enumerate().map(|(index, (name, _))| (format!("c{index}"), *name)).collect();
    let keys: Vec<(&str, &str)> = keys.iter().map(|(class, name)| (class.as_str(), *name)).collect();
    chart::legend(html, &keys);
    let mut head = vec!["Time"];
    head.extend(layers.iter().map(|(name, _)| *name));
    let moments: Vec<usize> = (0..at.len()).collect();
    let rows: Vec<Vec<String>> = chart::thinned(&moments, 24)
        .into_iter()
        .map(|moment| {
            let own = layers.iter().map(|(_, of)| of.get(moment).map_or_else(String::new, |b| shown(*b)));
            std::iter::once(time::local(at[moment])).chain(own).collect()
        })
        .collect();
    chart::numbers(html, "memory by class over time, committed", &head, &rows);
}

/// What the heap holds: the classes that grow, from histogram to histogram, or the largest of one histogram.
pub(super) fn classes(html: &mut Html, censuses: &[Census], host: &HostReading) {
    let Some(last) = censuses.last() else { return };
    let growth = detect::heap::growth(censuses);
    let grow: Vec<&str> =
        growth.suspects.iter().chain(&growth.others).map(|class| class.class.as_str()).collect();
    let mut classes: Vec<_> = last.classes.iter().collect();
    classes.sort_by_key(|class| {
        let rank = grow.iter().position(|name| *name == class.class.as_str()).unwrap_or(usize::MAX);
        (rank, std::cmp::Reverse(class.bytes))
    });
    classes.truncate(MOST_CLASSES);
    let looks = chart::thinned(censuses, 6);
    let span = last.at_boot_s - censuses.first().map_or(0.0, |first| first.at_boot_s);
    let mut head = vec!["Class".to_owned(), "Instances".to_owned()];
    head.extend(looks.iter().map(|look| moment(host.unix_from_boot(look.at_boot_s), span)));
    let rows: Vec<Vec<String>> = classes
        .iter()
        .map(|class| {
            let mut row = vec![class.class.to_string(), show::count(class.instances)];
            row.extend(looks.iter().map(|look| {
                let then = look.classes.iter().find(|then| then.class == class.class);
                then.map_or_else(|| "-".to_owned(), |then| show::bytes(Bytes(then.bytes)))
            }));
            row
        })
        .collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let caption = if grow.is_empty() {
        "Classes of the Java heap, the largest first: their bytes at each look"
    } else {
        "Classes of the Java heap, those that grow first: their bytes at each look"
    };
    html.say("h3", &[], "Class history of the Java heap");
    chart::table(html, caption, &head, &rows);
}
