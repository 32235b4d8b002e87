//! Who makes the threads, as far as the JVM told: added to a finding that the births alone have made.

use model::{Confidence, Evidence, Finding, PoolShape, PoolState, ScheduleMatch, ThreadGroup, show};

use super::super::Subject;
use super::signs::{Numbers, Signs};
use crate::creators::{self, Creators};
use crate::schedule;

/// Adds creators, libraries, jobs and faults, and makes the finding surer when a birth was seen.
pub(super) fn add(subject: &Subject<'_>, group: &ThreadGroup, signs: &Signs, finding: &mut Finding) {
    let Some(inside) = subject.reading.inside.value() else { return };
    let threads = subject.reading.threads.value().map_or(&[][..], Vec::as_slice);
    let command = subject.reading.jvm.value().map_or("", |jvm| jvm.command.as_str());
    let found = creators::of_group(group, threads, inside, command);
    jobs(subject, group, &found, finding);
    let a_pool_each = found.pool.as_ref().is_some_and(|pool| pool.pools * 10 >= found.pooled * 9);
    if a_pool_each && found.pooled * 2 >= group.count() as u64 && group.shape != PoolShape::OneThreadPools {
        // Their names spoke of one pool; the JVM says that each has its own.
        finding.pool_shape = Some(PoolShape::OneThreadPools);
        if finding.confidence == Confidence::Possible && signs.reaches_back {
            finding.confidence = Confidence::Likely;
        }
    }
    finding.evidence.extend(found.pool.as_ref().and_then(|pool| pool_evidence(subject, pool)));
    if finding.confidence == Confidence::Likely {
        if found.births_seen > 0 && matches!(signs.numbers, Numbers::OldestMissing | Numbers::Gaps) {
            // An executor that a collection finalizes takes its thread along: a leak, until the next collection.
            let why =
                "who makes them was seen, but some of their numbers are gone: others like these have ended";
            finding.confidence_why = Some(why.to_owned());
        } else if found.births_seen > 0 {
            finding.confidence = Confidence::Confirmed;
            finding.confidence_why = None;
        } else if inside.watched.is_some() {
            finding.confidence_why = Some(if found.created_by.is_empty() {
                "none was born while the JVM was watched".to_owned()
            } else {
                "none was born while the JVM was watched: what is named below are owners and suspects"
                    .to_owned()
            });
        } else if !found.created_by.is_empty() {
            finding.confidence_why =
                Some("no birth was seen: what is named below are owners and suspects".to_owned());
        }
    }
    finding.faults = faults(group, &found, finding);
    finding.created_by = found.created_by;
    finding.libraries = found.libraries;
}

/// The schedules of the process itself that fit; they are better witnesses than the host's and than mere expressions.
fn jobs(subject: &Subject<'_>, group: &ThreadGroup, found: &Creators, finding: &mut Finding) {
    let mut own: Vec<ScheduleMatch> = Vec::new();
    for cadence in &group.cadence.cadences {
        let fitting = schedule::matches(cadence, &found.schedules, subject.host.utc_offset_s);
        own.extend(fitting.into_iter().filter(|fit| fit.source.is_some()));
    }
    if own.is_empty() {
        return;
    }
    for job in &mut own {
        job.in_process = true;
    }
    // The real expression makes the one that only sounds like it superfluous.
    finding.schedules.retain(|other| other.source.is_some());
    own.append(&mut finding.schedules);
    finding.schedules = own;
}

fn pool_evidence(subject: &Subject<'_>, pool: &PoolState) -> Option<Evidence> {
    let size = match (pool.core, pool.maximum) {
        (Some(1), Some(1)) => "pools of one".to_owned(),
        (Some(core), Some(most)) if most >= i32::MAX as u64 && core == 1 => "pools of one".to_owned(),
        (Some(core), Some(most)) if most >= i32::MAX as u64 => format!("pools of {core} and more"),
        (Some(core), Some(most)) if core != most => format!("pools of {core} to {most}"),
        (Some(core), _) => format!("pools of {core}"),
        (None, _) => return None,
    };
    let queue = match pool.queued {
        0 => "nothing queued".to_owned(),
        n => format!("{} tasks queued", show::count(n)),
    };
    let ended = match pool.shut_down {
        0 => "none shut down".to_owned(),
        n => format!("{} shut down", creators::share(n, pool.pools)),
    };
    let held = match pool.unheld {
        Some(n) if n == pool.pools => ", held by nothing but their own workers".to_owned(),
        Some(n) if n > 0 => format!(", {} held by nothing but their own workers", show::count(n)),
        Some(_) => match (&pool.path, pool.holders.first()) {
            (Some(path), _) => format!(", held by {path}"),
            (None, Some(holder)) => format!(", held by {}", holder.by),
            (None, None) => String::new(),
        },
        None => String::new(),
    };
    let walk = if pool.unheld.is_some() { " --heap-walk" } else { "" };
    Some(Evidence {
        claim: format!("{} {size}: {queue}, {ended}{held}", show::count(pool.pools)),
        value: None,
        source: pool.class.to_string(),
        statistic: None,
        supports: pool.shut_down == 0,
        reproduce: Some(format!(
            "flatfoot threads {} --owners --access agent{walk}",
            subject.reading.key.pid
        )),
    })
}

/// What never ends is one fault; a schedule that fires more often than its job's name says is another.
fn faults(group: &ThreadGroup, found: &Creators, finding: &Finding) -> Vec<String> {
    let slip = finding.schedules.iter().filter(|job| job.in_process).find_map(|job| {
        let a_day = meant(job.what.as_ref()?.as_str(), job.near_miss.as_ref()?)?;
        Some((job, a_day))
    });
    let Some((job, a_day)) = slip else { return Vec::new() };
    let left = if a_day == 1 { "one thread".to_owned() } else { format!("{a_day} threads") };
    vec![
        format!("{} (the leak)", creators::never_ended(group, found.pool.as_ref())),
        format!(
            "{} {}, more often than its name says; mending this alone leaves {left} a day",
            job.what.as_ref().map_or_else(|| "the job".to_owned(), ToString::to_string),
            job.meaning,
        ),
    ]
}

/// How often a day a job should fire by its name, when it fires more often: a near miss is the next rarer schedule
/// (`a field for each minute`, `an hourly field`, `a daily field`).
fn meant(job: &str, near_miss: &str) -> Option<u64> {
    let job = job.to_ascii_lowercase();
    let daily = near_miss.starts_with("a daily");
    if job.contains("hour") {
        return (!daily).then_some(24);
    }
    ["daily", "nightly", "each_day", "every_day", "midnight"]
        .iter()
        .any(|word| job.contains(word))
        .then_some(1)
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn a_name_says_how_often() {
        let (minute, hour, day) =
            ("a field for each minute would be …", "an hourly field would be …", "a daily field would be …");
        assert_eq!(meant("hourly_report", hour), Some(24));
        assert_eq!(meant("HourlyReport", minute), Some(24));
        assert_eq!(meant("hourly_report", day), None, "it fires each hour, as it should");
        assert_eq!(meant("nightly-backup", day), Some(1));
        assert_eq!(meant("poll", hour), None);
    }
}
