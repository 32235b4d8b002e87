//! Births of threads, and ends: how many there are over time and what they run into, and where in the minute they are born.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::{Finding, Limit, LimitUnit, show};

use super::chart::{self, BOTTOM, HEIGHT, LEFT, RIGHT, TOP};
use super::lives::{Births, at, level};
use super::scale::{Scale, Unit};
use super::writer::Html;
use crate::present::time;

/// Dots of a raster of one kind.
const MOST_DOTS: usize = 1_000;
/// A limit is drawn unless it is so many times as far away, in time or in number.
const FAR: f64 = 3.0;

/// A limit as this process meets it: how many threads it has when the limit is reached, and when that is.
struct Meets<'a> {
    limit: &'a Limit,
    at_count: f64,
    at: f64,
}

/// The nearest limit, if it is near enough to be drawn to scale.
fn meets<'a>(finding: &'a Finding, births: &Births) -> Option<Meets<'a>> {
    let limit = finding.limits.iter().find(|l| l.unit == LimitUnit::Tasks && l.eta_s.is_some())?;
    let count = (births.all.len() - Births::ended(&births.all)) as f64;
    let at_count = count + limit.value.saturating_sub(limit.current) as f64;
    let eta_s = limit.eta_s?;
    let near = eta_s <= FAR * (births.now - births.started) && at_count <= FAR * count.max(1.0) + 100.0;
    near.then_some(Meets { limit, at_count, at: births.now + eta_s })
}

/// Threads over time.
pub(super) fn threads(html: &mut Html, finding: &Finding, births: &Births) {
    let meets = meets(finding, births);
    let (all, leaked) = (level(&births.all), level(&births.leaked));
    let count = all.last().map_or(0, |(_, count)| *count);
    let mut says = format!(
        "{} threads at {}, {} of them {}. {}",
        show::count(count),
        time::local(births.now),
        show::count(leaked.last().map_or(0, |(_, count)| *count)),
        finding.subject,
        ends(births)
    );
    let soonest = finding.limits.iter().find(|l| l.unit == LimitUnit::Tasks && l.eta_s.is_some());
    if let (Some(limit), Some(eta)) = (soonest, soonest.and_then(|l| l.eta_s)) {
        let drawn = if meets.is_some() { "dashed" } else { "too far to be drawn" };
        let _ = write!(
            says,
            " {} ({}) is reached in {}: {drawn}.",
            limit.name,
            show::count(limit.value),
            show::duration(eta)
        );
    }
    let title = format!("Threads over time: {}", finding.subject);
    chart::figure(html, &title, &says, HEIGHT, |html| {
        let to = meets.as_ref().map_or(births.now, |m| m.at);
        let most = all.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let top = meets.as_ref().map_or(most as f64, |m| m.at_count.max(most as f64));
        let y = chart::up(html, Unit::Count, top);
        let x = chart::along(html, births.started, to, births.offset_s);
        if let Some(since) = births.ends_since.filter(|since| *since > births.started) {
            chart::line(html, "since", (x.at(since), TOP), (x.at(since), BOTTOM));
        }
        for (class, of) in [("line faint", &all), ("line leak", &leaked)] {
            let path = steps(of, births.now, |at| x.at(at), |n| y.at(n));
            html.shape("path", &[("class", class), ("d", &path)]);
        }
        if let Some(meets) = &meets {
            let level = y.at(meets.at_count);
            chart::line(html, "limit", (LEFT, level), (RIGHT, level));
            let name = format!("{} {}", meets.limit.name, show::count(meets.limit.value));
            chart::label(html, LEFT + 6.0, (level - 5.0).max(TOP - 4.0), "start", &name);
            chart::line(html, "ahead", (x.at(births.now), y.at(count as f64)), (x.at(meets.at), level));
        }
    });
    let own = finding.subject.to_string();
    chart::legend(html, &[("leak", &own), ("faint", "all threads of the process")]);
    table(html, births, &all, &leaked, &own);
}

/// What is known of ends, as a sentence or two.
fn ends(births: &Births) -> String {
    let Some(since) = births.ends_since else {
        return "Each step is the birth of a thread that still lives.".to_owned();
    };
    let watched = time::local(since);
    let ended = Births::ended(&births.all) as u64 + births.left_out;
    let own = Births::ended(&births.leaked) as u64;
    let mut says = match (ended, own) {
        (0, _) => format!("None has ended since {watched}, when watching began."),
        (ended, own) => format!(
            "Since {watched}, when watching began, {} ended, {} of them of this pattern.",
            show::count(ended),
            show::count(own)
        ),
    };
    if since > births.started + 1.0 {
        says.push_str(" Before that only those are known that lived on.");
    }
    if births.left_out > 0 {
        let _ = write!(
            says,
            " {} of these are not drawn: only their number is known.",
            show::count(births.left_out)
        );
    }
    says
}

/// A line that goes up by one at each birth and down at each end. Of what falls within a unit the least and the
/// greatest are drawn, and the last.
fn steps(levels: &[(f64, u64)], now: f64, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut before = 0;
    for together in levels.chunk_by(|a, b| x(a.0).round() == x(b.0).round()) {
        let (Some(first), Some(last)) = (together.first(), together.last()) else { continue };
        let at = x(first.0);
        let counts = || together.iter().map(|(_, count)| *count);
        let (least, most) =
            (counts().min().unwrap_or(0).min(before), counts().max().unwrap_or(0).max(before));
        points.push((at, y(before as f64)));
        for between in [least, most] {
            if between != before && between != last.1 {
                points.push((at, y(between as f64)));
            }
        }
        points.push((at, y(last.1 as f64)));
        before = last.1;
    }
    points.push((x(now), y(before as f64)));
    chart::through(points.into_iter())
}

fn table(html: &mut Html, births: &Births, all: &[(f64, u64)], leaked: &[(f64, u64)], pattern: &str) {
    let span = births.now - births.started;
    let rows: Vec<Vec<String>> = (0..=24_u32)
        .map(|k| births.started + span * f64::from(k) / 24.0)
        .map(|moment| {
            vec![time::local(moment), show::count(at(all, moment)), show::count(at(leaked, moment))]
        })
        .collect();
    chart::numbers(html, "threads over time", &["At", "Threads", pattern], &rows);
}

/// The clock that a raster is laid over: its period in seconds and its name.
fn clock(finding: &Finding) -> (f64, &'static str) {
    match finding.cadence.first().map(|cadence| cadence.period_s) {
        Some(period) if period > 3_700.0 => (86_400.0, "hour of the day"),
        Some(period) if period > 90.0 => (3_600.0, "minute of the hour"),
        _ => (60.0, "second of the minute"),
    }
}

/// A place on that clock: `:15`, `06:00`.
fn mark(period_s: f64, unit: u64) -> String {
    if period_s > 3_600.0 { format!("{unit:02}:00") } else { format!(":{unit:02}") }
}

/// Each birth as a dot: time across, second of the minute (or minute of the hour) up. A level row reads as cron.
pub(super) fn raster(html: &mut Html, finding: &Finding, births: &Births) {
    let (period, name) = clock(finding);
    let unit_s = period / if period > 3_600.0 { 24.0 } else { 60.0 };
    let phase = |at: f64| (at + births.offset_s).rem_euclid(period);
    let mut of: BTreeMap<u64, u64> = BTreeMap::new();
    for life in &births.leaked {
        *of.entry((phase(life.birth) / unit_s) as u64).or_default() += 1;
    }
    let most = of.values().max().copied().unwrap_or(0);
    let mut says = format!(
        "A dot for each of {} births: time across, {name} up.",
        show::count(births.leaked.len() as u64)
    );
    says.push_str(&most_on(&of, period, most));
    let ended = Births::ended(&births.leaked);
    if ended > 0 {
        let _ = write!(says, " Pale: the {} that have ended.", show::count(ended as u64));
    }
    let first = births.leaked.first().map_or(births.started, |life| life.birth);
    chart::figure(html, &format!("Births by {name}"), &says, HEIGHT, |html| {
        // Full minutes have a line of their own: on the axis their dots would not be seen.
        let y = Scale::new(-0.06 * period, period, BOTTOM, TOP);
        for quarter in 0..=4_u32 {
            let at = period * f64::from(quarter) / 4.0;
            chart::line(html, "grid", (LEFT, y.at(at)), (RIGHT, y.at(at)));
            let name = mark(period, (at / unit_s) as u64);
            chart::label(html, LEFT - 6.0, y.at(at) + 4.0, "end", &name);
        }
        let x = chart::along(html, first, births.now, births.offset_s);
        for (class, lives) in [("dots pale", false), ("dots", true)] {
            let of = births.leaked.iter().filter(|life| life.end.is_none() == lives);
            let path = dots(of.map(|life| (x.at(life.birth), y.at(phase(life.birth)))));
            if !path.is_empty() {
                html.shape("path", &[("class", class), ("d", &path)]);
            }
        }
    });
    let rows: Vec<Vec<String>> =
        of.iter().map(|(unit, count)| vec![mark(period, *unit), show::count(*count)]).collect();
    chart::numbers(html, &format!("births by {name}"), &[name, "Births"], &rows);
}

/// ` 1,548 of them fall on :00.`, where there is such a place.
fn most_on(of: &BTreeMap<u64, u64>, period: f64, most: u64) -> String {
    let total: u64 = of.values().sum();
    match of.iter().find(|(_, count)| **count == most) {
        Some((unit, _)) if most == total => format!(" All fall on {}.", mark(period, *unit)),
        Some((unit, _)) if most * 2 > total => {
            format!(" {} of them fall on {}.", show::count(most), mark(period, *unit))
        }
        _ => String::new(),
    }
}

/// Dots; those on the same pixel are one.
fn dots(at: impl Iterator<Item = (f64, f64)>) -> String {
    let seen: BTreeSet<(u64, u64)> = at.map(|(x, y)| (x.round() as u64, y.round() as u64)).collect();
    let stride = seen.len().div_ceil(MOST_DOTS).max(1);
    let mut path = String::new();
    for (x, y) in seen.into_iter().step_by(stride) {
        let _ = write!(path, "M{x} {y}h0");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::super::lives::Life;
    use super::*;

    #[test]
    fn a_step_for_each_birth() {
        let lives = |births: &[f64]| -> Vec<Life> { births.iter().map(|at| living(*at)).collect() };
        let path = steps(&level(&lives(&[1.0, 3.0])), 5.0, |at| at * 10.0, |n| 100.0 - n);
        assert_eq!(path, "M10 100V99H30V98H50");
        let many: Vec<f64> = (0..50_000).map(f64::from).collect();
        let path = steps(&level(&lives(&many)), 50_000.0, |at| at / 100.0, |n| n);
        assert!(path.len() < 10_000 && path.ends_with("50000H500"), "{}", path.len());
    }

    fn living(birth: f64) -> Life {
        Life { birth, end: None }
    }

    #[test]
    fn a_step_down_for_each_end() {
        let dead = |birth: f64, end: f64| Life { birth, end: Some(end) };
        let lives = [living(1.0), dead(2.0, 4.0), dead(4.0, 4.5)];
        let levels = level(&lives);
        assert_eq!(levels, [(1.0, 1), (2.0, 2), (4.0, 3), (4.0, 2), (4.5, 1)]);
        assert_eq!([0.5, 2.0, 4.2, 9.0].map(|moment| at(&levels, moment)), [0, 2, 2, 1]);
        // Drawn to scale each is seen; drawn small the peak within a unit is.
        let path = steps(&levels, 5.0, |at| at * 10.0, |n| 10.0 - n);
        assert_eq!(path, "M10 10V9H20V8H40V7V8H45V9H50");
        let path = steps(&levels, 5.0, |_| 0.0, |n| 10.0 - n);
        assert_eq!(path, "M0 10V7V9");
    }

    /// The founding case: a thread each minute at :00 for 1,550 minutes, beside 190 that were there from the start.
    fn founding() -> Births {
        let started = 1_772_000_000.0 - 1_772_000_000.0 % 60.0;
        let leaked: Vec<Life> = (1..=1_550).map(|k| living(started + 60.0 * f64::from(k))).collect();
        let all = std::iter::repeat_n(living(started), 190).chain(leaked.iter().copied()).collect();
        let now = started + 93_000.0;
        Births { all, now, leaked, started, offset_s: 0.0, ends_since: None, left_out: 0 }
    }

    fn with_limit(value: u64, eta_s: f64) -> Finding {
        let limit = Limit {
            name: "pids.max".into(),
            scope: "/sys/fs/cgroup/x".into(),
            unit: LimitUnit::Tasks,
            value,
            current: 1_800,
            eta_s: Some(eta_s),
            eta_interval_s: None,
            reproduce: String::new(),
        };
        Finding { limits: vec![limit], ..crate::present::testing::finding("pool-*-thread-1") }
    }

    #[test]
    fn the_limit_ahead_is_drawn_when_it_is_near() {
        let births = founding();
        let mut html = Html::default();
        threads(&mut html, &with_limit(4_915, 187_200.0), &births);
        raster(&mut html, &with_limit(4_915, 187_200.0), &births);
        let near = html.finish();
        assert!(near.contains("class=\"ahead\"") && near.contains("pids.max 4,915</text>"), "{near}");
        assert!(near.contains("pids.max (4,915) is reached in 2 d 4 h: dashed."), "{near}");
        assert!(
            near.contains("A dot for each of 1,550 births") && near.contains("All fall on :00."),
            "{near}"
        );
        assert!(near.len() < 100 * 1024, "with all else the report stays below 300 KiB: {}", near.len());
        for (value, eta_s) in [(4_000_000, 187_200.0), (4_915, 1e9)] {
            let mut html = Html::default();
            threads(&mut html, &with_limit(value, eta_s), &births);
            let far = html.finish();
            assert!(!far.contains("class=\"ahead\"") && far.contains("too far to be drawn"), "{far}");
        }
    }

    /// A report has charts of up to six such, and stays below 300 KiB.
    #[test]
    fn the_worst_there_is_stays_small() {
        let mut births = founding();
        births.leaked = (0..200_000_u32)
            .map(|k| {
                let birth = births.started + f64::from(k) * 0.4619;
                Life { birth, end: (k % 3 == 0).then_some(birth + 500.0) }
            })
            .collect();
        births.all.clone_from(&births.leaked);
        let mut html = Html::default();
        threads(&mut html, &with_limit(4_915, 187_200.0), &births);
        raster(&mut html, &with_limit(4_915, 187_200.0), &births);
        let said = html.finish();
        assert!(said.len() < 32 * 1024, "{}", said.len());
    }

    #[test]
    fn what_ended_is_pale_and_counted() {
        let mut births = founding();
        for (at, life) in births.leaked.iter_mut().enumerate().filter(|(at, _)| at % 50 == 0) {
            life.end = Some(life.birth + 30.0 + at as f64);
        }
        births.all = births.leaked.clone();
        births.ends_since = Some(births.started + 600.0);
        let mut html = Html::default();
        threads(&mut html, &with_limit(4_915, 187_200.0), &births);
        raster(&mut html, &with_limit(4_915, 187_200.0), &births);
        let said = html.finish();
        for part in [
            "1,519 threads at",
            "when watching began, 31 ended, 31 of them of this pattern. Before that only those are known that lived on.",
            "class=\"since\"",
            "Pale: the 31 that have ended.",
            "class=\"dots pale\"",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        births.ends_since = Some(births.started);
        births.leaked.iter_mut().for_each(|life| life.end = None);
        births.all = births.leaked.clone();
        assert!(ends(&births).starts_with("None has ended since ") && !ends(&births).contains("Before"));
    }
}
