//! Memory that rises while a process is watched: which class, touched or only reserved.

use model::{Amounts, Bytes, Evidence, Finding, FindingKind, MemoryClass, show};

use super::counts::start;
use super::trend::{Trend, growing};
use super::{Judgement, Point, Rule, Subject, checks};
use crate::judge::Unit;

/// Memory that grew by less is not called growth.
const MIN_STEP: f64 = 1024.0 * 1024.0;
/// A JVM loads classes and compiles code for its first minutes; shorter looks at these classes say nothing.
const WARM_UP_S: f64 = 60.0;

/// The rule.
pub(super) struct Memory;

impl Rule for Memory {
    fn summary(&self) -> &'static str {
        "memory of a class that rises in both halves of the time watched: touched, or only reserved"
    }

    fn check(&self, subject: &Subject<'_>, out: &mut Judgement) {
        if subject.history.len() < 3 {
            return;
        }
        let before = out.findings.len();
        let classes: Vec<MemoryClass> =
            newest(subject).map(|p| p.classes.iter().map(|(c, _)| *c).collect()).unwrap_or_default();
        for class in &classes {
            class_growth(subject, *class, out);
        }
        if let Some(finding) = reservations(subject) {
            out.findings.push(finding);
        }
        let explained =
            out.findings.len() > before || out.findings.iter().any(|f| f.kind == FindingKind::ThreadLeak);
        if classes.is_empty() && !explained {
            out.findings.extend(resident(subject));
        }
        if !explained {
            out.findings.extend(page_tables(subject));
        }
    }
}

/// The newest point that has classes: a recorder reads them more seldom than the rest.
fn newest<'a>(subject: &Subject<'a>) -> Option<&'a Point> {
    subject.history.iter().rfind(|point| !point.classes.is_empty())
}

fn amounts(point: &Point, class: MemoryClass) -> Option<Amounts> {
    let known = !point.classes.is_empty();
    let found = point.classes.iter().find(|(c, _)| *c == class).map(|(_, a)| *a);
    // A class that does not occur in a look whose mappings were read is a real zero.
    found.or(known.then(|| Amounts { touched: Some(Bytes::ZERO), ..Amounts::default() }))
}

fn class_growth(subject: &Subject<'_>, class: MemoryClass, out: &mut Judgement) {
    let kind = match class {
        // Stacks are the thread rule's; guards follow them; what is unexplained moves with the clock.
        MemoryClass::ThreadStack
        | MemoryClass::Guard
        | MemoryClass::Unexplained
        | MemoryClass::Vdso
        | MemoryClass::CdsArchive
        | MemoryClass::Reserved => return,
        MemoryClass::JavaHeap => return java_heap(subject, out),
        MemoryClass::Metaspace => FindingKind::MetaspaceLeak,
        MemoryClass::CodeCache => FindingKind::CodeCacheGrowth,
        MemoryClass::MainHeap | MemoryClass::MallocArena => FindingKind::NativeHeapLeak,
        MemoryClass::Anonymous => FindingKind::MemoryGrowth,
        MemoryClass::FilePrivate
        | MemoryClass::FileShared
        | MemoryClass::FileDeleted
        | MemoryClass::Device => FindingKind::MappedFileGrowth,
        MemoryClass::SharedMemory | MemoryClass::Memfd => FindingKind::SharedMemoryGrowth,
    };
    let warming = matches!(class, MemoryClass::Metaspace | MemoryClass::CodeCache);
    if warming && subject.watched_s() < WARM_UP_S {
        return;
    }
    let touched = |p: &Point| amounts(p, class).and_then(|a| a.touched).map(|b| b.0 as f64);
    let Some(trend) = growing(subject, touched, Unit::Bytes, MIN_STEP) else { return };
    let rate = trend.rate;
    let now = newest(subject).and_then(|p| amounts(p, class)).unwrap_or_default();
    let bytes = now.touched.unwrap_or_default();
    let mut finding = start(subject, kind, class.label());
    fill(subject, &mut finding, now, bytes, &trend);
    finding.evidence.push(Evidence {
        claim: format!("{}: {} in use, {} more", class.label(), show::bytes(bytes), show::byte_rate(rate)),
        value: heap_check(subject, class).map(|_| bytes.0 as f64 / 1024.0),
        source: format!("/proc/{}/pagemap", subject.reading.key.pid),
        statistic: Some(trend.statistic()),
        supports: true,
        reproduce: heap_check(subject, class),
    });
    finding.evidence.extend(anonymous(subject, class));
    finding.evidence.extend(equal_mappings(subject));
    out.findings.push(finding);
}

/// What the kernel itself counts as anonymous: the figure that a class of anonymous memory is part of.
fn anonymous(subject: &Subject<'_>, class: MemoryClass) -> Option<Evidence> {
    if !matches!(class, MemoryClass::Anonymous | MemoryClass::MainHeap | MemoryClass::MallocArena) {
        return None;
    }
    let resident = subject.reading.status.value()?.rss_anon?;
    let pid = subject.reading.key.pid;
    Some(Evidence {
        claim: format!("{} of anonymous memory resident in the whole process", show::bytes(resident)),
        value: Some(resident.0 as f64 / 1024.0),
        source: format!("/proc/{pid}/status"),
        statistic: None,
        supports: true,
        reproduce: Some(format!("awk '/^RssAnon/ {{print $2}}' /proc/{pid}/status")),
    })
}

/// Only figures taken right after a collection can tell a leak of objects from objects not yet collected.
fn java_heap(subject: &Subject<'_>, out: &mut Judgement) {
    let touched = |p: &Point| amounts(p, MemoryClass::JavaHeap).and_then(|a| a.touched).map(|b| b.0 as f64);
    if let Some(trend) = growing(subject, touched, Unit::Bytes, MIN_STEP) {
        out.not_judged.push(format!(
            "the Java heap of {}[{}] rises by {} within its bounds: only its size right after a collection can judge it",
            subject.process.name,
            subject.process.pid,
            show::byte_rate(trend.rate)
        ));
    }
}

/// Address space that is set aside again and again and hardly used.
fn reservations(subject: &Subject<'_>) -> Option<Finding> {
    let sum = |p: &Point, pick: fn(&Amounts) -> Bytes| {
        let classes = [MemoryClass::Anonymous, MemoryClass::Reserved];
        (!p.classes.is_empty())
            .then(|| classes.iter().filter_map(|c| amounts(p, *c)).map(|a| pick(&a).0 as f64).sum::<f64>())
    };
    let reserved = |p: &Point| sum(p, |a| a.reserved);
    let touched = |p: &Point| sum(p, |a| a.touched.unwrap_or_default());
    let trend = growing(subject, reserved, Unit::Bytes, MIN_STEP)?;
    let rate = trend.rate;
    let oldest = subject.history.iter().find(|p| !p.classes.is_empty());
    let rise = |figure: &dyn Fn(&Point) -> Option<f64>| Some(figure(newest(subject)?)? - figure(oldest?)?);
    if rise(&touched)? * 4.0 > rise(&reserved)? {
        return None;
    }
    let last = newest(subject)?;
    let mut now = amounts(last, MemoryClass::Anonymous).unwrap_or_default();
    now.add(&amounts(last, MemoryClass::Reserved).unwrap_or_default());
    let pid = subject.reading.key.pid;
    let mut finding = start(subject, FindingKind::ReservationLeak, "anonymous address space");
    fill(subject, &mut finding, now, now.reserved, &trend);
    let size = subject.reading.stat.virtual_size;
    finding.evidence.push(Evidence {
        claim: format!(
            "{} reserved and {} of it touched, {} more reserved",
            show::bytes(now.reserved),
            show::bytes(now.touched.unwrap_or_default()),
            show::byte_rate(rate)
        ),
        value: Some(size.0 as f64 / 1024.0),
        source: format!("/proc/{pid}/maps"),
        statistic: Some(trend.statistic()),
        supports: true,
        reproduce: Some(format!("awk '/^VmSize/ {{print $2}}' /proc/{pid}/status")),
    });
    finding.evidence.extend(equal_mappings(subject));
    Some(finding)
}

/// Without mappings (a look at a whole host): resident memory as a whole.
fn resident(subject: &Subject<'_>) -> Option<Finding> {
    let trend = growing(subject, |p| p.resident.map(|b| b.0 as f64), Unit::Bytes, 4.0 * MIN_STEP)?;
    let rate = trend.rate;
    let now = subject.history.last()?.resident?;
    let pid = subject.reading.key.pid;
    let mut finding = start(subject, FindingKind::MemoryGrowth, "resident memory");
    fill(subject, &mut finding, Amounts { touched: Some(now), ..Amounts::default() }, now, &trend);
    finding.reserved_bytes = None;
    finding.committed_bytes = None;
    finding.evidence.push(Evidence {
        claim: format!("{} resident, {} more", show::bytes(now), show::byte_rate(rate)),
        value: Some(now.0 as f64 / 1024.0),
        source: format!("/proc/{pid}/statm"),
        statistic: Some(trend.statistic()),
        supports: true,
        reproduce: Some(format!("awk '/^VmRSS/ {{print $2}}' /proc/{pid}/status")),
    });
    finding.next.push(format!("flatfoot diagnose {pid} --for 10m        tells which class of memory"));
    Some(finding)
}

fn page_tables(subject: &Subject<'_>) -> Option<Finding> {
    let trend = growing(subject, |p| p.page_tables.map(|b| b.0 as f64), Unit::Bytes, MIN_STEP)?;
    let rate = trend.rate;
    let now = subject.history.last()?.page_tables?;
    let pid = subject.reading.key.pid;
    let mut finding = start(subject, FindingKind::KernelMemoryGrowth, "page tables");
    finding.count = now.0;
    trend.mark(&mut finding);
    finding.evidence.push(Evidence {
        claim: format!("{} of page tables, {} more", show::bytes(now), show::byte_rate(rate)),
        value: Some(now.0 as f64 / 1024.0),
        source: format!("/proc/{pid}/status, VmPTE"),
        statistic: Some(trend.statistic()),
        supports: true,
        reproduce: Some(format!("awk '/^VmPTE/ {{print $2}}' /proc/{pid}/status")),
    });
    Some(finding)
}

fn fill(subject: &Subject<'_>, finding: &mut Finding, now: Amounts, bytes: Bytes, trend: &Trend) {
    finding.count = bytes.0;
    trend.mark(finding);
    finding.reserved_bytes = Some(now.reserved.0);
    finding.committed_bytes = Some(now.committed.0);
    finding.touched_bytes = now.touched.map(|b| b.0);
    finding.unexplained_bytes = subject.memory.map(|m| m.of(MemoryClass::Unexplained).reserved.0);
}

/// The brk heap is one mapping, so its resident size can be checked by one command.
fn heap_check(subject: &Subject<'_>, class: MemoryClass) -> Option<String> {
    (class == MemoryClass::MainHeap).then(|| {
        format!(
            "awk '/\\[heap\\]/ {{h=1}} h && /^Rss/ {{print $2; exit}}' /proc/{}/smaps",
            subject.reading.key.pid
        )
    })
}

/// The size of which most new anonymous mappings are: an allocation site's signature.
fn equal_mappings(subject: &Subject<'_>) -> Option<Evidence> {
    let (first, last) = (subject.history.first()?, subject.history.last()?);
    let space = subject.reading.space.value()?;
    let before = |size: u64| first.anonymous_sizes.iter().find(|(s, _)| *s == size).map_or(0, |(_, n)| *n);
    let (size, more) = last
        .anonymous_sizes
        .iter()
        .map(|(size, now)| (*size, now.saturating_sub(before(*size))))
        .max_by_key(|(size, more)| size * more)
        .filter(|(_, more)| *more >= 3)?;
    let pid = subject.reading.key.pid;
    let (reproduce, printed) = checks::size_check(pid, Bytes(size), space);
    let stack = space
        .mappings
        .windows(2)
        .filter(|pair| pair[1].size() == Bytes(size) && pair[0].perms.none() && pair[0].end == pair[1].start)
        .count() as u64
        * 2
        > printed;
    let hint = if stack {
        "; with a guard below each, as stacks of threads that ended and were never joined"
    } else {
        ""
    };
    Some(Evidence {
        claim: format!(
            "{} mappings of exactly {}, {} more than at the first look{hint}",
            show::count(printed),
            show::bytes(Bytes(size)),
            show::count(more)
        ),
        value: Some(printed as f64),
        source: format!("/proc/{pid}/maps"),
        statistic: None,
        supports: true,
        reproduce: Some(reproduce),
    })
}
