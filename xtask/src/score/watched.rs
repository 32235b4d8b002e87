//! Days watched without a break: is anything healthy ever called a leak, how many leaks are found, and when.

use std::fmt::Write as _;

use detect::judge::Tracker;
use model::State;

use super::Options;
use super::streams::{self, INTERVAL};
use super::wilson::Share;

/// How the days of one shape went.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    pub(super) leak: bool,
    pub(super) shape: String,
    /// Called a leak at any time of the day.
    pub(super) named: Share,
    /// Seconds from the leak's beginning until it was named, sorted.
    pub(super) delays: Vec<f64>,
}

pub(super) fn measure(options: &Options) -> Vec<Days> {
    let shapes = streams::LEAK.map(|s| (true, s)).into_iter().chain(streams::HEALTHY.map(|s| (false, s)));
    shapes
        .filter(|(_, shape)| options.wants(shape, "watched"))
        .map(|(leak, shape)| {
            let mut days = Days { leak, shape: shape.to_owned(), ..Days::default() };
            for seed in options.seeds.clone() {
                let stream = streams::make(leak, shape, seed);
                let mut tracker = Tracker::new(stream.unit, INTERVAL);
                let mut named = None;
                for &(at, value) in &stream.points {
                    tracker.push(at, value);
                    if named.is_none() && tracker.state() == State::Leak {
                        named = Some(at);
                        if options.each {
                            let why = tracker.verdict(&detect::judge::Context::default()).why;
                            eprintln!("watched {shape} leak={leak} {seed} at {at:.0}: {why}");
                        }
                    }
                }
                // What was named before it began was not found.
                let found = named.filter(|at| *at >= stream.onset);
                days.named.add(if leak { found.is_some() } else { named.is_some() });
                days.delays.extend(found.map(|at| at - stream.onset).filter(|_| leak));
            }
            days.delays.sort_by(f64::total_cmp);
            days
        })
        .collect()
}

pub(super) fn markdown(days: &[Days]) -> String {
    let mut out = String::from("\n| watched for 24 h, looked at every 10 s | called a leak, % | named after (median, 90 %) |\n|---|---|---|\n");
    for leak in [true, false] {
        let mut all = Share::default();
        for one in days.iter().filter(|one| one.leak == leak) {
            all.hits += one.named.hits;
            all.of += one.named.of;
            let delay = |q: f64| {
                let at = (one.delays.len() as f64 * q) as usize;
                one.delays.get(at.min(one.delays.len().saturating_sub(1))).map_or(String::new(), |d| time(*d))
            };
            let delays = if leak { format!("{}, {}", delay(0.5), delay(0.9)) } else { String::new() };
            let _ = writeln!(out, "| {} | {:.1} | {delays} |", one.shape, one.named.percent());
        }
        let label = if leak { "leak" } else { "healthy" };
        let _ = writeln!(out, "| **{label}** | {} | |", all.shown());
    }
    out
}

pub(super) fn time(seconds: f64) -> String {
    if seconds < 5_400.0 { format!("{:.1} min", seconds / 60.0) } else { format!("{:.1} h", seconds / 3_600.0) }
}
