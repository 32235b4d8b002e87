//! The words of a thread leak: evidence with commands that check it, what is ruled out, and what is too small.

use model::show;
use model::{Evidence, Finding, MemoryClass, PoolShape, RuledOut, ThreadGroup};

use super::super::{Subject, checks};
use super::signs::{Numbers, Signs, Turnover};
use super::stacks_of;

pub(super) fn add_evidence(subject: &Subject<'_>, group: &ThreadGroup, signs: &Signs, out: &mut Finding) {
    out.evidence.push(births(subject, group));
    out.evidence.extend(stacks(subject, group));
    out.evidence.push(reach(subject, signs));
    out.evidence.extend(numbers(group, signs));
    out.evidence.extend(idle(group, signs));
    out.evidence.extend(counted_by_the_jvm(subject));
    out.evidence.extend(watched(subject, signs));
    out.evidence.extend(share_of_commit(subject, group));
    too_small(subject, out);
    ruled_out(subject, group, signs, out);
}

fn births(subject: &Subject<'_>, group: &ThreadGroup) -> Evidence {
    let pid = subject.reading.key.pid;
    let n = group.count() as u64;
    let threads = subject.reading.threads.value().map_or(&[][..], Vec::as_slice);
    let check = checks::thread_name_check(pid, &group.pattern, n, threads);
    let all = threads.len() as u64;
    let (reproduce, value) = check.unwrap_or_else(|| (format!("ls /proc/{pid}/task | wc -l"), all));
    let span = group.births.first().zip(group.births.last()).map_or(0.0, |(a, b)| b - a);
    let claim = match group.cadence.cadences.as_slice() {
        [] => format!("{} births over {}, without a rhythm", show::count(n), show::duration(span)),
        cadences => {
            let trains: Vec<String> = cadences.iter().map(|c| show::period(c.period_s)).collect();
            format!(
                "{} births, one every {}, over {}",
                show::count(n),
                trains.join(" and "),
                show::duration(span)
            )
        }
    };
    let claim = if value == n { claim } else { format!("{claim} ({} threads in all)", show::count(all)) };
    Evidence {
        claim,
        value: Some(value as f64),
        source: format!("/proc/{pid}/task/*/stat"),
        statistic: group.cadence.cadences.first().map(|c| {
            format!(
                "period {} ± {} s, jitter {} s, {} of births explained, {} beats without a survivor",
                show::period(c.period_s),
                show::spread(c.period_error_s),
                show::spread(c.jitter_s),
                show::percent(group.cadence.explained),
                c.missed
            )
        }),
        supports: true,
        reproduce: Some(reproduce),
    }
}

fn stacks(subject: &Subject<'_>, group: &ThreadGroup) -> Option<Evidence> {
    let found = stacks_of(group, subject.memory?).len() as u64;
    let space = subject.reading.space.value()?;
    let pid = subject.reading.key.pid;
    let (each, each_count) = (group.stacks.each, group.stacks.each_count);
    // Stacks that lie together in one mapping are not of its size; then there is nothing to count.
    let (command, printed) = checks::size_check(pid, each, space);
    let check = (printed >= each_count).then_some((command, printed));
    let others = match printed.saturating_sub(each_count) {
        0 => String::new(),
        others => format!(" ({} other mappings have that size)", show::count(others)),
    };
    (found > 0).then(|| Evidence {
        claim: format!(
            "{} of {} stacks found, {} of {} each{}{others}",
            show::count(found),
            show::count(group.count() as u64),
            show::count(each_count),
            show::bytes(each),
            asked_for(subject)
        ),
        value: check.as_ref().map(|(_, printed)| *printed as f64),
        source: format!("/proc/{pid}/maps"),
        statistic: None,
        supports: true,
        reproduce: check.map(|(command, _)| command),
    })
}

/// Who chose the size of a JVM's stacks.
fn asked_for(subject: &Subject<'_>) -> String {
    let args = subject.reading.cmdline.value().map_or(&[][..], Vec::as_slice);
    let option =
        |a: &&model::Text| a.as_str().starts_with("-Xss") || a.as_str().starts_with("-XX:ThreadStackSize=");
    match args.iter().rfind(option) {
        Some(option) => format!(", as {option} has it (the JVM's default is 1,024)"),
        None => String::new(),
    }
}

fn reach(subject: &Subject<'_>, signs: &Signs) -> Evidence {
    let pid = subject.reading.key.pid;
    Evidence {
        claim: format!(
            "the oldest is {} old, the process {}",
            show::duration(signs.oldest_age_s),
            show::duration(signs.process_age_s)
        ),
        value: None,
        source: format!("/proc/{pid}/task/*/stat"),
        statistic: None,
        supports: signs.reaches_back,
        reproduce: Some(format!("ps -o etime= -p {pid}; ps -L -o lstart=,comm= -p {pid}")),
    }
}

fn numbers(group: &ThreadGroup, signs: &Signs) -> Option<Evidence> {
    let span = group.numbers?;
    let (claim, supports) = match signs.numbers {
        Numbers::NoGap => ("no gap in their numbers: none has ended", true),
        Numbers::OldestMissing => ("the lowest numbers are gone: these ended", false),
        Numbers::Gaps => ("gaps in their numbers: some have ended, or belong to others", false),
        Numbers::Unknown => return None,
    };
    Some(Evidence {
        claim: format!(
            "numbers {} to {}, {} of them alive: {claim}",
            span.low,
            span.high,
            show::count(span.distinct)
        ),
        value: None,
        source: "thread names".to_owned(),
        statistic: None,
        supports,
        reproduce: None,
    })
}

fn idle(group: &ThreadGroup, signs: &Signs) -> Option<Evidence> {
    (signs.idle_share >= 0.9).then(|| Evidence {
        claim: format!(
            "{} of them have used less than 20 ms of CPU in their lives",
            if signs.idle_share >= 0.999 {
                format!("all {}", show::count(group.count() as u64))
            } else {
                show::percent(signs.idle_share)
            }
        ),
        value: None,
        source: "utime and stime of /proc/PID/task/*/stat".to_owned(),
        statistic: None,
        supports: true,
        reproduce: None,
    })
}

/// A JVM counts its threads from its start on, also those that are gone.
fn counted_by_the_jvm(subject: &Subject<'_>) -> Option<Evidence> {
    let threads = subject.reading.jvm.value()?.threads?;
    let ended = threads.started.saturating_sub(threads.live);
    Some(Evidence {
        claim: format!(
            "the JVM has started {} threads since it began, and {} of them are alive",
            show::count(threads.started),
            show::count(threads.live)
        ),
        value: None,
        source: "hsperfdata, java.threads.*".to_owned(),
        statistic: None,
        // Those that ended are others: a leak's own do not.
        supports: ended * 2 <= threads.live,
        reproduce: Some(format!("jstat -snap {} | grep '^java.threads'", subject.reading.key.pid)),
    })
    .filter(|_| threads.started > 0)
}

fn watched(subject: &Subject<'_>, signs: &Signs) -> Option<Evidence> {
    let (born, ended) = signs.watched?;
    // Shorter than a beat: that nothing happened says nothing.
    if born + ended == 0 && subject.watched_s() < 2.0 * signs.typical_gap_s {
        return None;
    }
    Some(Evidence {
        claim: format!(
            "in {} of watching {born} were born and {ended} ended",
            show::duration(subject.watched_s())
        ),
        value: None,
        source: "/proc/PID/task, compared".to_owned(),
        statistic: None,
        supports: born > 0 && ended * 10 <= born,
        reproduce: None,
    })
}

fn share_of_commit(subject: &Subject<'_>, group: &ThreadGroup) -> Option<Evidence> {
    let host = subject.host.memory.value()?;
    let share = group.stacks.committed.0 as f64 / host.committed.0.max(1) as f64;
    (share >= 0.05).then(|| Evidence {
        claim: format!("their stacks are {} of the host's commit charge", show::percent(share)),
        value: Some(host.committed.0 as f64 / 1024.0),
        source: "/proc/meminfo, Committed_AS".to_owned(),
        statistic: None,
        supports: true,
        reproduce: Some("awk '/^Committed_AS/ {print $2}' /proc/meminfo".to_owned()),
    })
}

/// Which classes are too small to be what fills the process's commit charge.
fn too_small(subject: &Subject<'_>, out: &mut Finding) {
    let (Some(memory), Some(committed)) = (subject.memory, out.committed_bytes) else { return };
    let other = |class: MemoryClass| {
        !matches!(class, MemoryClass::ThreadStack | MemoryClass::Guard | MemoryClass::Unexplained)
    };
    let mut small: Vec<_> = memory
        .classes
        .iter()
        .filter(|(class, a)| other(*class) && a.committed.0 > 0 && a.committed.0 * 3 < committed)
        .collect();
    small.sort_by_key(|(_, amounts)| std::cmp::Reverse(amounts.committed));
    out.too_small.extend(small.into_iter().map(|(class, amounts)| RuledOut {
        kind: class.label().to_owned(),
        why: format!(
            "{} of {} committed",
            show::bytes(amounts.committed),
            show::bytes(memory.total.committed)
        ),
    }));
}

/// What births of this kind are when they are no leak, and why these are not that.
fn ruled_out(subject: &Subject<'_>, group: &ThreadGroup, signs: &Signs, out: &mut Finding) {
    let mut not = |kind: &str, why: String| out.ruled_out.push(RuledOut { kind: kind.to_owned(), why });
    if group.shape == PoolShape::OneThreadPools {
        not("one pool that grows", "the pool's number varies, the worker's does not".to_owned());
    }
    if signs.none_ended() {
        not("workers that end and are replaced", "no number is missing".to_owned());
    } else if signs.turnover == Turnover::Growing {
        not("workers that end and are replaced", "none ended while they were watched".to_owned());
    }
    if let Some(last) = group.births.last() {
        let ago = show::duration((subject.now_boot_s - last).max(0.0));
        not("a pool that grew at start-up", format!("the youngest is {ago} old"));
    }
}
