//! What a visit will do to the target, said before it is done.

use std::fmt::Write as _;

use model::{AccessLevel, show};
use probe::hotspot::attach::{Headroom, Preview};

use super::Plan;

/// `Will load 87 KB into java[3248] until the next thread birth (≤ 60 s): …`.
pub(super) fn announce(plan: &Plan<'_>, preview: &Preview) -> String {
    let pid = plan.reading.key.pid;
    let who = format!("{}[{pid}]", plan.reading.stat.name);
    let mut out = String::new();
    if plan.level >= AccessLevel::Agent {
        let bytes = show::bytes(model::Bytes(probe::hotspot::agent::embedded().len() as u64));
        if plan.waits.is_empty() {
            let _ = writeln!(
                out,
                "Will load {bytes} into {who}, ask it whom its threads work for, and leave at once;"
            );
        } else {
            let longest = plan.waits.iter().map(|wait| wait.at_most_s).fold(0.0, f64::max);
            let _ = writeln!(
                out,
                "Will load {bytes} into {who} until the next thread birth (≤ {}): each thread start takes some 15 µs longer (the first from a place: some 2 ms); it stops by itself if you disconnect;",
                show::duration(longest)
            );
        }
    } else {
        let _ = writeln!(out, "Will ask {who} for a thread dump: it stands still for some milliseconds;");
    }
    if let Some(budget_s) = plan.walk_s {
        let used = plan.reading.jvm.value().map_or(0, |jvm| jvm.heap_used().0);
        let estimate_s = probe::hotspot::agent::walk_estimate_s(used);
        let _ = writeln!(
            out,
            "its heap is walked once: it stands still for up to {}, and for {} at the very most;",
            show::pause(estimate_s),
            show::pause(budget_s)
        );
    }
    let log = warns(plan);
    let listener = if preview.listener_up {
        "its attach listener is up"
    } else {
        "starts its attach listener, a thread"
    };
    let _ = writeln!(out, "{log}{listener}; {}.   Ctrl-C ends it at any time.", headroom(preview));
    out
}

/// `Will load 58 KiB into java[3248] while the rounds are run: …`.
pub(super) fn announce_rounds(plan: &Plan<'_>, preview: &Preview) -> String {
    let who = format!("{}[{}]", plan.reading.stat.name, plan.reading.key.pid);
    let bytes = show::bytes(model::Bytes(probe::hotspot::agent::embedded().len() as u64));
    let listener = if preview.listener_up {
        "its attach listener is up"
    } else {
        "starts its attach listener, a thread"
    };
    format!(
        "Will load {bytes} into {who} while the rounds are run: each thread start takes some 15 µs longer (the first from a place: some 2 ms);\n{}{listener}; {}.   Ctrl-C ends it at any time.\n",
        warns(plan),
        headroom(preview)
    )
}

/// `headroom 3,153 threads: safe`.
fn headroom(preview: &Preview) -> String {
    let tasks =
        preview.headroom.iter().filter(|room| !matches!(room.what.as_str(), "max_map_count" | "RLIMIT_AS"));
    match tasks.map(Headroom::free).min() {
        Some(free) => format!("headroom {} threads: safe", show::count(free)),
        None => "headroom not known".to_owned(),
    }
}

/// From JDK 21 on the JVM writes a line to its own log when an agent is loaded late.
fn warns(plan: &Plan<'_>) -> String {
    let Some(jvm) = plan.reading.jvm.value() else { return String::new() };
    let Some(major) = major(jvm.version.as_str()) else { return String::new() };
    match (plan.level, major) {
        (AccessLevel::Agent, 21..) => {
            format!(
                "JDK {major} writes a warning of a few lines to its stderr, once (-XX:+EnableDynamicAgentLoading silences it); "
            )
        }
        _ => format!("JDK {major} writes nothing to its log; "),
    }
}

/// 17 of `17.0.15+6-Debian-1deb12u1`, 8 of `25.392-b08`.
fn major(version: &str) -> Option<u32> {
    let first: u32 = version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    // JDK 8's virtual machine had a version of its own.
    Some(if version.contains("-b") && !version.contains('+') { 8 } else { first })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_jdk() {
        assert_eq!(major("17.0.15+6-Debian-1deb12u1"), Some(17));
        assert_eq!(major("25.392-b08"), Some(8));
        assert_eq!(major("11.0.13+8"), Some(11));
        assert_eq!(major(""), None);
    }
}
