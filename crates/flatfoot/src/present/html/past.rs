//! Figures over the looks: threads, memory, descriptors, and what the Java heap holds.

use detect::heap::Census;
use detect::rules::Point;
use model::{Bytes, HostReading, show};

use super::chart::{self, HEIGHT, MOST_ROWS};
use super::scale::{Unit, moment};
use super::writer::Html;
use crate::present::time;

/// Looks below which there is no line to speak of.
const LEAST: usize = 3;
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
            over_time(html, name, unit, &seen, f64::from(host.utc_offset_s));
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
    let says = format!(
        "From {} at {} to {} at {}; lowest {}, highest {}{gaps}.",
        shown(first.1),
        time::local(first.0),
        shown(last.1),
        time::local(last.0),
        shown(least),
        shown(most)
    );
    chart::figure(html, &format!("{name} over time"), &says, HEIGHT, |html| {
        let y = chart::up(html, unit, most);
        let x = chart::along(html, first.0, last.0, offset_s);
        for stretch in &stretches {
            let path = chart::through(stretch.iter().map(|(at, value)| (x.at(*at), y.at(*value))));
            html.shape("path", &[("class", "line"), ("d", &path)]);
        }
    });
    let rows: Vec<Vec<String>> = chart::thinned(seen, MOST_ROWS)
        .into_iter()
        .map(|(at, value)| vec![time::local(at), shown(value)])
        .collect();
    chart::numbers(html, &format!("{} over time", name.to_lowercase()), &["Time", name], &rows);
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
    html.say("h3", &[], "Class history");
    chart::table(html, caption, &head, &rows);
}
