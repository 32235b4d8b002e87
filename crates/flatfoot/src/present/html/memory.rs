//! What a process's memory is for: committed over touched, class by class.

use model::{Amounts, Bytes, MemoryClass, MemoryMap, show};

use super::chart;
use super::scale::{Scale, Unit};
use super::writer::Html;

/// Height of a class.
const ROW: f64 = 26.0;
/// Where the bars begin and end: beside them there is room for the longest name and for `1023M / 1023M`, also in the larger
/// letters of a telephone.
const FROM: f64 = 180.0;
const TO: f64 = 456.0;
/// Classes with less are in the table alone.
const LEAST_SHARE: f64 = 0.002;

/// The bars, and the table of all classes.
pub(super) fn classes(html: &mut Html, memory: &MemoryMap) {
    let size = |amounts: &Amounts| amounts.committed.0.max(amounts.touched.unwrap_or_default().0);
    let most = memory.classes.iter().map(|(_, amounts)| size(amounts)).max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let mut drawn: Vec<&(MemoryClass, Amounts)> =
        memory.classes.iter().filter(|(_, a)| size(a) as f64 >= LEAST_SHARE * most as f64).collect();
    drawn.sort_by_key(|(_, amounts)| std::cmp::Reverse(size(amounts)));
    let touched = memory.total.touched.map_or_else(
        || "how much is touched was not read".to_owned(),
        |touched| format!("{} touched", show::bytes(touched)),
    );
    let says = format!(
        "{} committed, {touched}. Light: committed, which is promised and counts against the host's limit. Dark: touched, \
         which is in memory or swap.",
        show::bytes(memory.total.committed)
    );
    let height = ROW * drawn.len() as f64 + 12.0;
    chart::figure(html, "Memory by class", &says, height, |html| {
        let x = Scale::new(0.0, most as f64, FROM, TO);
        for (at, (class, amounts)) in drawn.iter().enumerate() {
            let y = 6.0 + ROW * at as f64;
            chart::label(html, FROM - 8.0, y + 17.0, "end", class.label());
            html.within("g", &[], |html| {
                html.say("title", &[], &sentence(*class, amounts));
                let width = |bytes: Bytes| x.at(bytes.0 as f64) - FROM;
                chart::bar(html, "committed", (FROM, y + 3.0), (width(amounts.committed), ROW - 6.0));
                if let Some(touched) = amounts.touched {
                    chart::bar(html, "touched", (FROM, y + 8.0), (width(touched), ROW - 16.0));
                }
            });
            let end = x.at(size(amounts) as f64) + 6.0;
            chart::label(html, end, y + 17.0, "start", &figures(amounts));
        }
    });
    chart::legend(html, &[("committed", "committed"), ("touched", "touched")]);
    let mut rows: Vec<Vec<String>> =
        memory.classes.iter().map(|(class, amounts)| row(class.label(), amounts)).collect();
    rows.push(row("total", &memory.total));
    let head = ["Class", "Mappings", "Reserved", "Committed", "Touched"];
    chart::numbers(html, "memory by class", &head, &rows);
}

/// `546M / 23M`: committed and touched.
fn figures(amounts: &Amounts) -> String {
    let short = |bytes: Bytes| Unit::Bytes.tick(bytes.0 as f64);
    let touched = amounts.touched.map_or_else(|| "?".to_owned(), short);
    format!("{} / {touched}", short(amounts.committed))
}

fn sentence(class: MemoryClass, amounts: &Amounts) -> String {
    format!(
        "{}: committed {}, touched {}",
        class.label(),
        show::bytes(amounts.committed),
        amounts.touched.map_or_else(|| "not read".to_owned(), show::bytes)
    )
}

fn row(name: &str, amounts: &Amounts) -> Vec<String> {
    vec![
        name.to_owned(),
        show::count(amounts.maps),
        show::bytes(amounts.reserved),
        show::bytes(amounts.committed),
        amounts.touched.map_or_else(|| "-".to_owned(), show::bytes),
    ]
}
