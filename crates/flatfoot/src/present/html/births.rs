//! Births of threads: how many there are over time and what they run into, and where in the minute they fall.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::{Finding, HostReading, Limit, LimitUnit, show};

use super::chart::{self, BOTTOM, HEIGHT, LEFT, RIGHT, TOP};
use super::scale::{Scale, Unit};
use super::writer::Html;
use crate::analyse::Tracked;
use crate::present::time;

/// Dots of a raster.
const MOST_DOTS: usize = 3_000;
/// A limit is drawn unless it is so many times as far away, in time or in number.
const FAR: f64 = 3.0;

/// The births of the threads of a process that live now, in Unix seconds, oldest first.
pub(super) struct Births {
    /// Of all threads.
    all: Vec<f64>,
    /// Of those that the finding is about.
    leaked: Vec<f64>,
    started: f64,
    now: f64,
    offset_s: f64,
}

impl Births {
    /// As read; `None` where threads were not.
    pub(super) fn of(
        finding: &Finding,
        tracked: &Tracked,
        host: &HostReading,
        shown: impl Fn(&str) -> String,
    ) -> Option<Self> {
        let threads = tracked.reading.threads.value()?;
        let unix = |boot_s: f64| host.unix_from_boot(boot_s);
        let start = |ticks: model::Ticks| unix(ticks.seconds(host.ticks_per_second));
        let mut all: Vec<f64> = threads.iter().map(|thread| start(thread.start)).collect();
        let group =
            tracked.groups.iter().find(|group| shown(group.pattern.as_str()) == finding.subject.as_str())?;
        let mut leaked: Vec<f64> = group.births.iter().map(|at| unix(*at)).collect();
        all.sort_by(f64::total_cmp);
        leaked.sort_by(f64::total_cmp);
        let started = start(tracked.reading.stat.start);
        (!leaked.is_empty()).then_some(Self {
            all,
            leaked,
            started,
            now: unix(tracked.now_boot_s),
            offset_s: f64::from(host.utc_offset_s),
        })
    }
}

/// A limit as this process meets it: how many threads it has when the limit is reached, and when that is.
struct Meets<'a> {
    limit: &'a Limit,
    at_count: f64,
    at: f64,
}

/// The nearest limit, if it is near enough to be drawn to scale.
fn meets<'a>(finding: &'a Finding, births: &Births) -> Option<Meets<'a>> {
    let limit = finding.limits.iter().find(|l| l.unit == LimitUnit::Tasks && l.eta_s.is_some())?;
    let count = births.all.len() as f64;
    let at_count = count + limit.value.saturating_sub(limit.current) as f64;
    let eta_s = limit.eta_s?;
    let near = eta_s <= FAR * (births.now - births.started) && at_count <= FAR * count.max(1.0) + 100.0;
    near.then_some(Meets { limit, at_count, at: births.now + eta_s })
}

/// Threads over time.
pub(super) fn threads(html: &mut Html, finding: &Finding, births: &Births) {
    let meets = meets(finding, births);
    let count = births.all.len() as u64;
    let mut says = format!(
        "{} threads at {}, {} of them {}. Each step is the birth of a thread that still lives",
        show::count(count),
        time::local(births.now),
        show::count(births.leaked.len() as u64),
        finding.subject
    );
    let soonest = finding.limits.iter().find(|l| l.unit == LimitUnit::Tasks && l.eta_s.is_some());
    if let (Some(limit), Some(eta)) = (soonest, soonest.and_then(|l| l.eta_s)) {
        let drawn = if meets.is_some() { "dashed" } else { "too far to be drawn" };
        let _ = write!(
            says,
            "; {} ({}) is reached in {}: {drawn}",
            limit.name,
            show::count(limit.value),
            show::duration(eta)
        );
    }
    says.push('.');
    let title = format!("Threads over time: {}", finding.subject);
    chart::figure(html, &title, &says, HEIGHT, |html| {
        let to = meets.as_ref().map_or(births.now, |m| m.at);
        let top = meets.as_ref().map_or(count as f64, |m| m.at_count);
        let y = chart::up(html, Unit::Count, top);
        let x = chart::along(html, births.started, to, births.offset_s);
        for (class, of) in [("line faint", &births.all), ("line leak", &births.leaked)] {
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
    table(html, births, &finding.subject.to_string());
}

/// A line that goes up by one at each birth; of births within half a unit the last tells how many there are.
fn steps(births: &[f64], now: f64, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut level = 0;
    for together in births.chunk_by(|a, b| (x(*a) * 2.0).round() == (x(*b) * 2.0).round()) {
        let at = together.first().map_or(0.0, |first| x(*first));
        points.push((at, y(f64::from(level))));
        level += u32::try_from(together.len()).unwrap_or(u32::MAX);
        points.push((at, y(f64::from(level))));
    }
    points.push((x(now), y(f64::from(level))));
    chart::through(points.into_iter())
}

fn table(html: &mut Html, births: &Births, pattern: &str) {
    let span = births.now - births.started;
    let rows: Vec<Vec<String>> = (0..=24_u32)
        .map(|k| births.started + span * f64::from(k) / 24.0)
        .map(|at| {
            let until = |of: &[f64]| show::count(of.partition_point(|birth| *birth <= at) as u64);
            vec![time::local(at), until(&births.all), until(&births.leaked)]
        })
        .collect();
    let head = ["Until", "Threads born that live", pattern];
    chart::numbers(html, "threads that live, by their births", &head, &rows);
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
    for at in &births.leaked {
        *of.entry((phase(*at) / unit_s) as u64).or_default() += 1;
    }
    let most = of.iter().max_by_key(|(_, count)| **count);
    let says = most.map_or_else(String::new, |(unit, count)| {
        format!(
            "A dot for each of {} births: time across, {name} up. Most fall on {}: {}.",
            show::count(births.leaked.len() as u64),
            mark(period, *unit),
            show::count(*count)
        )
    });
    let first = births.leaked.first().copied().unwrap_or(births.started);
    chart::figure(html, &format!("Births by {name}"), &says, HEIGHT, |html| {
        let y = Scale::new(0.0, period, BOTTOM, TOP);
        for quarter in 0..=4_u32 {
            let at = period * f64::from(quarter) / 4.0;
            chart::line(html, "grid", (LEFT, y.at(at)), (RIGHT, y.at(at)));
            let name = mark(period, (at / unit_s) as u64);
            chart::label(html, LEFT - 6.0, y.at(at) + 4.0, "end", &name);
        }
        let x = chart::along(html, first, births.now, births.offset_s);
        // Dots on the same pixel are one.
        let seen: BTreeSet<(u64, u64)> = births
            .leaked
            .iter()
            .map(|at| ((x.at(*at) * 2.0) as u64, (y.at(phase(*at)) * 2.0) as u64))
            .collect();
        let stride = seen.len().div_ceil(MOST_DOTS).max(1);
        let mut path = String::new();
        for (x, y) in seen.into_iter().step_by(stride) {
            let _ = write!(path, "M{} {}h0", chart::px(x as f64 / 2.0), chart::px(y as f64 / 2.0));
        }
        html.shape("path", &[("class", "dots"), ("d", &path)]);
    });
    let rows: Vec<Vec<String>> =
        of.iter().map(|(unit, count)| vec![mark(period, *unit), show::count(*count)]).collect();
    chart::numbers(html, &format!("births by {name}"), &[name, "Births"], &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_for_each_birth() {
        let path = steps(&[1.0, 3.0], 5.0, |at| at * 10.0, |n| 100.0 - n);
        assert_eq!(path, "M10 100L10 99L30 99L30 98L50 98");
        let many: Vec<f64> = (0..50_000).map(f64::from).collect();
        let path = steps(&many, 50_000.0, |at| at / 100.0, |n| n);
        assert!(path.len() < 40_000 && path.ends_with("L500 50000"), "{}", path.len());
    }

    /// The founding case: a thread each minute at :00 for 1,550 minutes, beside 190 that were there from the start.
    fn founding() -> Births {
        let started = 1_772_000_000.0 - 1_772_000_000.0 % 60.0;
        let leaked: Vec<f64> = (1..=1_550).map(|k| started + 60.0 * f64::from(k)).collect();
        let all = std::iter::repeat_n(started, 190).chain(leaked.iter().copied()).collect();
        Births { all, now: started + 93_000.0, leaked, started, offset_s: 0.0 }
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
            near.contains("A dot for each of 1,550 births") && near.contains("Most fall on :00: 1,550."),
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
}
