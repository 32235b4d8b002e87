//! What leaks inside a JVM: objects, classes, direct buffers. From counters that it shares (level `read`), and from
//! class histograms (level `attach`).
//!
//! - **Objects.** The old generation right after a collection that empties it is what is really held: only these points count.
//!   Histograms name the classes.
//! - **Classes.** Loaders of one kind that become more are redeployments of which something is held.
//! - **Direct buffers.** Their count, from the histogram: each has an object in the heap.

use model::{Confidence, Evidence, Finding, FindingKind, show};

use super::counts::start;
use super::{Judgement, Rule, Subject, trend};
use crate::growth::{Growth, two_window};
use crate::heap::{self, Census, ClassGrowth, HeapGrowth};
use crate::judge::{Context, Unit};

/// Fewer collections of the old generation say nothing about a trend.
const MIN_COLLECTIONS: usize = 4;
/// A JVM fills its caches for its first minutes; a shorter watch says nothing about its live set.
const WARM_UP_S: f64 = 60.0;
/// Smaller rises of the live set are not called growth, in bytes.
const MIN_STEP: f64 = 1024.0 * 1024.0;
/// Fewer new loaders of one kind are a deployment, not a leak.
const MIN_LOADERS: u64 = 3;
/// Fewer new direct buffers are no leak.
const MIN_BUFFERS: f64 = 5.0;
/// Fewer collections between histograms may all have missed what is dead.
const MIN_SWEEPS: u64 = 2;
/// Suspects that a finding names.
const NAMED: usize = 3;

/// The JVM's figures in one look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JvmPoint {
    /// Collections that empty the old generation (or the whole heap), since the start.
    pub major: u64,
    /// All collections since the start.
    pub collections: u64,
    /// Bytes in use in the old generation (or the whole heap) after the last of its collections.
    pub live: Option<f64>,
    /// The most it may hold.
    pub live_limit: Option<f64>,
}

/// The rule.
pub(super) struct Jvm;

impl Rule for Jvm {
    fn summary(&self) -> &'static str {
        "what a JVM holds: its old generation after collections, classes that grow between histograms, loaders, direct buffers"
    }

    fn check(&self, subject: &Subject<'_>, out: &mut Judgement) {
        let growth = heap::growth(subject.censuses);
        let swept = growth.collections.is_none_or(|n| n >= MIN_SWEEPS);
        if subject.censuses.len() >= 2 && !swept {
            out.not_judged.push(format!(
                "classes of {}[{}]: {} ran while it was watched, and dead objects are counted until one does; a longer --for decides",
                subject.process.name,
                subject.process.pid,
                match growth.collections {
                    Some(0) | None => "no collection".to_owned(),
                    Some(n) => format!("{n} collection{}", if n == 1 { "" } else { "s" }),
                }
            ));
        }
        if let Some(finding) = loaders(subject) {
            // Classes that are loaded again and again bring their objects along.
            out.findings.push(finding);
            return;
        }
        let buffers = direct_buffers(subject, &growth).filter(|_| swept);
        if let Some(finding) = buffers {
            out.findings.push(finding);
            return;
        }
        out.findings.extend(objects(subject, &growth, swept));
    }
}

/// Points right after a collection that emptied the old generation.
fn live_set(subject: &Subject<'_>) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    let mut before = None;
    for point in subject.history {
        let Some(jvm) = point.jvm else { continue };
        if before.is_some_and(|major| jvm.major > major)
            && let Some(live) = jvm.live
        {
            points.push((point.at_boot_s, live));
        }
        before = Some(jvm.major);
    }
    points
}

fn objects(subject: &Subject<'_>, growth: &HeapGrowth, swept: bool) -> Option<Finding> {
    let live = live_set(subject);
    let risen = (live.len() >= MIN_COLLECTIONS && subject.watched_s() >= WARM_UP_S)
        .then(|| match two_window(&live, MIN_STEP) {
            Growth::Rises { rate } => Some((rate, (rate, rate))),
            // Right after a collection each value is a floor already.
            _ => {
                let context = Context { floor_is_exact: true, ..Context::default() };
                let trend = trend::of_points(&live, Unit::Bytes, MIN_STEP, &context)?;
                Some((trend.rate, trend.interval))
            }
        })
        .flatten();
    let suspects: &[ClassGrowth] = if swept { &growth.suspects } else { &[] };
    let named = suspects.first().map(|class| class.class.as_str());
    if risen.is_none() && named.is_none() {
        return None;
    }
    let pid = subject.reading.key.pid;
    let mut finding = start(subject, FindingKind::JavaHeapLeak, named.unwrap_or("old generation"));
    let now = subject.history.last().and_then(|point| point.jvm);
    match risen {
        Some((rate, interval)) => {
            finding.count = live.last().map_or(0.0, |point| point.1) as u64;
            finding.rate_per_s = Some(rate);
            finding.rate_interval = Some(interval);
            finding.evidence.push(Evidence {
                claim: format!(
                    "after {} collections of the old generation it held {} more each time: {} now, {}",
                    live.len(),
                    show::bytes(model::Bytes(
                        ((live[live.len() - 1].1 - live[0].1) / (live.len() - 1) as f64) as u64
                    )),
                    show::bytes(model::Bytes(finding.count)),
                    show::byte_rate(rate)
                ),
                value: None,
                source: "hsperfdata, sun.gc.generation.*.used".to_owned(),
                statistic: Some("right after a collection only".to_owned()),
                supports: true,
                reproduce: Some(format!("jstat -gcold {pid} 5s 12")),
            });
        }
        None => {
            let suspect = &suspects[0];
            finding.count = suspect.bytes;
            finding.rate_per_s = Some(suspect.bytes_per_s);
            finding.rate_interval = None;
            let why = "its classes grow from look to look although collections ran; the old generation was not collected often enough \
                 to agree: a filling cache looks alike for a while";
            finding.confidence_why = Some(why.to_owned());
        }
    }
    finding.evidence.extend(suspects.iter().take(NAMED).map(|class| class_evidence(subject, class, growth)));
    if risen.is_some() && named.is_some() {
        finding.confidence = Confidence::Likely;
        let why =
            "its size after collections and its classes agree; a cache that is not full yet would look alike";
        finding.confidence_why = Some(why.to_owned());
    }
    if let Some(limit) = now.and_then(|jvm| jvm.live_limit).filter(|limit| *limit > 0.0) {
        let left = limit - now.and_then(|jvm| jvm.live).unwrap_or(0.0);
        let rate = finding.rate_per_s.unwrap_or(0.0);
        if rate > 0.0 {
            finding.now = format!("its heap is full in about {}", show::duration(left / rate));
        }
    }
    Some(finding)
}

fn class_evidence(subject: &Subject<'_>, class: &ClassGrowth, growth: &HeapGrowth) -> Evidence {
    let in_thread_locals = growth.others.iter().any(|other| {
        other.class.contains("ThreadLocal$ThreadLocalMap$Entry")
            && (other.instances_per_s - class.instances_per_s).abs() <= 0.1 * class.instances_per_s
    });
    let held = if in_thread_locals { ", as many as entries of thread-locals" } else { "" };
    Evidence {
        claim: format!(
            "{}: {} instances, {} more{held}",
            model::Text::from(class.class.as_str()),
            show::count(class.instances),
            show::rate(class.instances_per_s)
        ),
        value: None,
        source: "GC.class_histogram -all".to_owned(),
        statistic: growth.collections.map(|n| format!("{n} collections ran between the looks")),
        supports: true,
        reproduce: Some(format!(
            "jcmd {} GC.class_histogram -all | grep -F ' {}'",
            subject.reading.key.pid, class.class
        )),
    }
}

/// Loaders of one kind that become more and more: something holds what was deployed before.
fn loaders(subject: &Subject<'_>) -> Option<Finding> {
    let with: Vec<&Census> = subject.censuses.iter().filter(|census| !census.loaders.is_empty()).collect();
    let (first, last) = (with.first()?, with.last()?);
    let count = |census: &Census, name: &str| {
        census.loaders.iter().find(|line| line.loader.as_str() == name).map_or(0, |line| line.loaders)
    };
    let grown = |name: &str| {
        let counts: Vec<u64> = with.iter().map(|census| count(census, name)).collect();
        let rises = counts.windows(2).all(|pair| pair[1] >= pair[0]);
        let more = count(last, name).saturating_sub(count(first, name));
        (rises && more >= MIN_LOADERS && counts.len() >= 3).then_some(more)
    };
    // Hidden classes and lambdas have loaders of the JVM's own, one each: they come and go with the code.
    let is_own =
        |name: &str| name.starts_with('<') || name.starts_with("jdk.") || name.starts_with("sun.reflect");
    let (line, more) = last
        .loaders
        .iter()
        .filter(|line| !is_own(line.loader.as_str()))
        .filter_map(|line| Some((line, grown(line.loader.as_str())?)))
        .max_by_key(|(line, _)| line.bytes)?;
    let span = (last.at_boot_s - first.at_boot_s).max(1e-3);
    let pid = subject.reading.key.pid;
    let mut finding = start(subject, FindingKind::MetaspaceLeak, line.loader.as_str());
    finding.count = line.bytes;
    let bytes_before =
        first.loaders.iter().find(|other| other.loader == line.loader).map_or(0, |other| other.bytes);
    finding.rate_per_s = Some(line.bytes.saturating_sub(bytes_before) as f64 / span);
    finding.confidence_why = Some(
        "loaders of one kind became more and none was let go while it was watched; a redeployment that is still under way would look alike"
            .to_owned(),
    );
    finding.evidence.push(Evidence {
        claim: format!(
            "{} loaders of class {} hold {} classes and {} of metaspace: {more} more than at the first look",
            show::count(line.loaders),
            line.loader,
            show::count(line.classes),
            show::bytes(model::Bytes(line.bytes)),
        ),
        value: None,
        source: "VM.classloader_stats".to_owned(),
        statistic: None,
        supports: true,
        reproduce: Some(format!("jcmd {pid} VM.classloader_stats | grep -cF '{}'", line.loader)),
    });
    Some(finding)
}

fn direct_buffers(subject: &Subject<'_>, growth: &HeapGrowth) -> Option<Finding> {
    let buffer = growth.others.iter().find(|class| class.class == "java.nio.DirectByteBuffer")?;
    let watched = subject.censuses.last()?.at_boot_s - subject.censuses.first()?.at_boot_s;
    if buffer.instances_per_s * watched < MIN_BUFFERS {
        return None;
    }
    let pid = subject.reading.key.pid;
    // Without native memory tracking attaching tells how many there are, and not how large.
    let direct = |census: &Census| {
        census.buffers.iter().find(|pool| pool.kind.as_str() == "direct" && pool.bytes > 0).cloned()
    };
    let pool = direct(subject.censuses.last()?);
    let before = direct(subject.censuses.first()?);
    let mut finding = start(subject, FindingKind::DirectBufferLeak, "direct buffers");
    finding.count = pool.as_ref().map_or(buffer.instances, |pool| pool.bytes);
    finding.rate_per_s = Some(match (&pool, &before) {
        (Some(now), Some(before)) => now.bytes.saturating_sub(before.bytes) as f64 / watched.max(1e-3),
        _ => buffer.instances_per_s,
    });
    finding.confidence_why = Some(
        "their number rose from look to look although collections ran, which free those that nobody holds; a pool that is filling would look alike"
            .to_owned(),
    );
    finding.evidence.push(Evidence {
        claim: format!(
            "{} direct buffers{}, {} more",
            show::count(buffer.instances),
            pool.as_ref()
                .map_or_else(String::new, |pool| format!(" of {}", show::bytes(model::Bytes(pool.bytes)))),
            show::rate(buffer.instances_per_s)
        ),
        value: None,
        source: "GC.class_histogram -all".to_owned(),
        statistic: growth.collections.map(|n| format!("{n} collections ran between the looks")),
        supports: true,
        reproduce: Some(format!(
            "jcmd {pid} GC.class_histogram -all | grep -F ' java.nio.DirectByteBuffer '"
        )),
    });
    let holders = growth.suspects.iter().filter(|class| {
        (class.instances_per_s - buffer.instances_per_s).abs() <= 0.1 * buffer.instances_per_s
    });
    finding.evidence.extend(holders.take(NAMED).map(|class| {
        let mut evidence = class_evidence(subject, class, growth);
        evidence.claim = format!("{}: as many as buffers, so likely what holds them", evidence.claim);
        evidence
    }));
    Some(finding)
}
