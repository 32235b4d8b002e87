//! Thread leaks, from the birth times of the threads that are alive.
//!
//! One look sees survivors only. A pool whose workers live for a minute and are replaced each second leaves the
//! same rows of births as a leak that began a minute ago. What tells them apart:
//!
//! - how far back the oldest survivor reaches into the life of the process;
//! - the numbers in the names, which count the threads that ended, too;
//! - a second look, which sees threads end.
//!
//! A rhythm alone is one signal. Two signals that don't depend on each other make a finding likely.

mod causes;
mod explain;
mod signs;

use model::{BirthKind, Confidence, Finding, FindingKind, MemoryMap, PoolShape, ThreadGroup, ThreadStack};

use super::{Judgement, Rule, Subject, finding_id};
use crate::cadence::Window;
use crate::eta::{self, Rate};
use signs::{Numbers, Signs, Turnover};

/// Fewer threads than this are not judged: eight regular births by chance are rarer than one in a thousand groups.
pub(super) const MIN_THREADS: usize = 8;
/// Irregular births carry less information each; as many again are needed, and more.
const MIN_IRREGULAR: usize = 24;
/// Births that follow at least so fast are looked at a second time, in seconds.
const SECOND_LOOK_GAP_S: f64 = 3.0;
/// A pool of numbered workers may be growing to its size; from here on it is larger than pools are.
const LARGE_POOL: usize = 64;

/// The rule.
pub(super) struct ThreadLeak;

impl Rule for ThreadLeak {
    fn summary(&self) -> &'static str {
        "threads that are born again and again and never end: by rhythm, age, the numbers in their names, and ends seen"
    }

    fn check(&self, subject: &Subject<'_>, out: &mut Judgement) {
        for group in subject.groups.iter().filter(|g| g.count() >= MIN_THREADS) {
            let signs = Signs::read(subject, group);
            match verdict(group, &signs) {
                Verdict::Quiet => {}
                Verdict::Open(why) => {
                    out.not_judged.push(format!(
                        "{} × {} of {}[{}]: {why}",
                        model::show::count(group.count() as u64),
                        group.pattern,
                        subject.process.name,
                        subject.process.pid
                    ));
                    suggest_second_look(&signs, out);
                }
                Verdict::Found(confidence, why) => {
                    // A renewed pool as old as its process has the rhythm and the reach of a leak, too; only
                    // numbers without a gap tell that nothing has ended.
                    if confidence == Confidence::Possible || signs.numbers != Numbers::NoGap {
                        suggest_second_look(&signs, out);
                    }
                    out.findings.push(finding(subject, group, &signs, confidence, why));
                }
            }
        }
    }
}

enum Verdict {
    /// Nothing to say.
    Quiet,
    /// One look cannot tell; what would.
    Open(String),
    /// A leak; if not confirmed, why not surer.
    Found(Confidence, Option<String>),
}

fn verdict(group: &ThreadGroup, signs: &Signs) -> Verdict {
    if !signs.active || signs.turnover == Turnover::Steady {
        return Verdict::Quiet;
    }
    match group.cadence.kind {
        BirthKind::TooFew | BirthKind::Burst => Verdict::Quiet,
        BirthKind::Regular if signs.explained < 0.6 => irregular(group, signs),
        BirthKind::Regular => regular(group, signs),
        BirthKind::Irregular => irregular(group, signs),
    }
}

fn regular(group: &ThreadGroup, signs: &Signs) -> Verdict {
    let n = group.count();
    if signs.numbers == Numbers::OldestMissing && signs.turnover != Turnover::Growing {
        return Verdict::Open(format!(
            "born regularly, but the lowest numbers are gone: they end after about {}, or it began then; \
             --for {} decides",
            model::show::duration(signs.oldest_age_s),
            watch_for(signs)
        ));
    }
    if !signs.reaches_back && signs.turnover != Turnover::Growing {
        return Verdict::Found(
            Confidence::Possible,
            Some(format!(
                "the oldest is {} old and the process {}: either they live that long, or it began then; \
                 --for {} decides",
                model::show::duration(signs.oldest_age_s),
                model::show::duration(signs.process_age_s),
                watch_for(signs)
            )),
        );
    }
    // However it was watched: a pool that makes a worker per task until it is full grows like this.
    if group.shape == PoolShape::OnePool && n < LARGE_POOL {
        return Verdict::Found(
            Confidence::Possible,
            Some(format!(
                "one pool of {n} workers may still be growing to its size: few pools grow beyond {LARGE_POOL}"
            )),
        );
    }
    if signs.turnover == Turnover::Growing && signs.none_ended() && signs.watched_doubled {
        return Verdict::Found(Confidence::Confirmed, None);
    }
    let independent = [
        signs.numbers == Numbers::NoGap,
        signs.idle_share >= 0.9,
        group.shape == PoolShape::OneThreadPools,
        signs.turnover == Turnover::Growing,
    ];
    if independent.contains(&true) {
        let why = "the code that starts them cannot be seen by reading alone";
        Verdict::Found(Confidence::Likely, Some(why.to_owned()))
    } else {
        Verdict::Found(
            Confidence::Possible,
            Some("a rhythm is the only sign: the threads work, and their names tell nothing".to_owned()),
        )
    }
}

fn irregular(group: &ThreadGroup, signs: &Signs) -> Verdict {
    let n = group.count();
    if n < MIN_IRREGULAR || !signs.spread_evenly || !signs.reaches_back {
        return if signs.turnover == Turnover::Growing && n >= MIN_IRREGULAR && signs.reaches_back {
            Verdict::Found(Confidence::Possible, Some("growing while watched, without a rhythm".to_owned()))
        } else {
            Verdict::Quiet
        };
    }
    match group.shape {
        PoolShape::OneThreadPools if signs.numbers == Numbers::NoGap => Verdict::Found(
            Confidence::Likely,
            Some("births have no rhythm; every pool ever made is alive".to_owned()),
        ),
        PoolShape::OnePool | PoolShape::SeveralPools if signs.turnover != Turnover::Growing => {
            Verdict::Open(format!(
                "one pool, its workers born without a rhythm: growing to its size, or leaking; --for {} decides",
                watch_for(signs)
            ))
        }
        _ if signs.numbers != Numbers::NoGap
            && signs.numbers != Numbers::Unknown
            && signs.turnover != Turnover::Growing =>
        {
            Verdict::Open(format!(
                "born without a rhythm, and some of their numbers are gone: those have ended; --for {} decides",
                watch_for(signs)
            ))
        }
        _ => Verdict::Found(
            Confidence::Possible,
            Some(format!(
                "births without a rhythm, spread evenly over the process's life; --for {} decides",
                watch_for(signs)
            )),
        ),
    }
}

/// How long to watch: several beats, or, without a rhythm, as many births as make sixteen.
fn watch_for(signs: &Signs) -> String {
    let seconds = (signs.typical_gap_s * 8.0).clamp(10.0, 7_200.0);
    if seconds < 90.0 { format!("{seconds:.0}s") } else { format!("{:.0}m", (seconds / 60.0).ceil()) }
}

/// When births follow fast, seconds are enough to see whether threads also end: two of them, better four.
fn suggest_second_look(signs: &Signs, out: &mut Judgement) {
    let wait_s = (signs.typical_gap_s * 4.0).clamp(0.5, 6.0);
    if signs.turnover == Turnover::NotWatched && signs.typical_gap_s <= SECOND_LOOK_GAP_S {
        out.look_again_in_s = Some(out.look_again_in_s.unwrap_or(0.0).max(wait_s));
    }
}

fn finding(
    subject: &Subject<'_>,
    group: &ThreadGroup,
    signs: &Signs,
    confidence: Confidence,
    why: Option<String>,
) -> Finding {
    let unix = |boot_s: f64| subject.host.unix_from_boot(boot_s);
    let rate = group_rate(subject, group);
    let stacks = group.stacks;
    // Amounts are known for the stacks that were found; a stack that was not is counted like the others.
    let scaled = |bytes: u64| {
        (stacks.found > 0).then(|| (bytes as f64 * group.count() as f64 / stacks.found as f64).round() as u64)
    };
    let mut finding = Finding {
        id: finding_id(subject.identity, FindingKind::ThreadLeak, group.pattern.as_str()),
        kind: FindingKind::ThreadLeak,
        confidence,
        confidence_why: why,
        process: subject.process.clone(),
        subject: if group.pattern.is_empty() { "(no name)".into() } else { group.pattern.clone() },
        subject_inferred: group.inferred.clone(),
        pool_shape: Some(group.shape),
        count: group.count() as u64,
        none_ended: signs.none_ended(),
        rate_per_s: rate.map(|r| r.per_s),
        rate_interval: rate.map(|r| (r.low, r.high)),
        cadence: group.cadence.cadences.clone(),
        seen: group.births.first().zip(group.births.last()).map(|(a, b)| (unix(*a), unix(*b))),
        reserved_bytes: scaled(stacks.reserved.0),
        committed_bytes: scaled(stacks.committed.0),
        touched_bytes: stacks.touched.and_then(|t| scaled(t.0)),
        created_by: Vec::new(),
        libraries: Vec::new(),
        faults: Vec::new(),
        schedules: schedules(subject, group),
        evidence: Vec::new(),
        ruled_out: Vec::new(),
        too_small: Vec::new(),
        process_committed_bytes: subject.memory.map(|m| m.total.committed.0),
        unexplained_bytes: subject.memory.map(|m| m.of(model::MemoryClass::Unexplained).reserved.0),
        limits: Vec::new(),
        risk: String::new(),
        now: String::new(),
        next: Vec::new(),
    };
    explain::add_evidence(subject, group, signs, &mut finding);
    causes::add(subject, group, signs, &mut finding);
    finding
}

/// Births per second, from the rhythm or, without one, from their number.
pub(super) fn group_rate(subject: &Subject<'_>, group: &ThreadGroup) -> Option<Rate> {
    eta::rate_from_births(&group.births, &window(subject), &group.cadence)
}

fn window(subject: &Subject<'_>) -> Window {
    Window {
        start_s: subject.start_boot_s(),
        end_s: subject.now_boot_s,
        resolution_s: 1.0 / subject.host.ticks_per_second.max(1) as f64,
        booted_unix_s: subject.host.booted_unix_s,
        utc_offset_s: subject.host.utc_offset_s,
    }
}

fn schedules(subject: &Subject<'_>, group: &ThreadGroup) -> Vec<model::ScheduleMatch> {
    let entries = subject.host.schedules.value().map_or(&[][..], Vec::as_slice);
    let mut found = Vec::new();
    for cadence in &group.cadence.cadences {
        found.extend(crate::schedule::matches(cadence, entries, subject.host.utc_offset_s));
    }
    found
}

/// The stacks of a group's members.
fn stacks_of<'m>(group: &ThreadGroup, memory: &'m MemoryMap) -> Vec<&'m ThreadStack> {
    let mut members = group.members.clone();
    members.sort_unstable();
    memory.stacks.iter().filter(|s| members.binary_search(&s.tid).is_ok()).collect()
}
