//! Descriptors and children that become more and more while a process is watched.

use model::{Confidence, Evidence, Finding, FindingKind, show};

use super::trend::growing;
use super::{Judgement, Point, Rule, Subject, finding_id};
use crate::judge::Unit;

/// Fewer new descriptors, children or mappings than this are not called growth.
pub(super) const MIN_STEP: f64 = 5.0;

/// The rule for descriptors.
pub(super) struct Descriptors;

impl Rule for Descriptors {
    fn summary(&self) -> &'static str {
        "open descriptors that rise in both halves of the time watched, and whose floor rises with them"
    }

    fn check(&self, subject: &Subject<'_>, out: &mut Judgement) {
        let figure = |p: &Point| p.descriptors.map(|n| n as f64);
        let Some(trend) = growing(subject, figure, Unit::Count, MIN_STEP) else { return };
        let rate = trend.rate;
        let pid = subject.reading.key.pid;
        let last = subject.history.last();
        let total = last.and_then(|p| p.descriptors).unwrap_or(0);
        let kind = fastest_kind(subject.history);
        let mut finding =
            start(subject, FindingKind::DescriptorLeak, kind.as_deref().unwrap_or("descriptors"));
        finding.count = total;
        trend.mark(&mut finding);
        finding.evidence.push(Evidence {
            claim: format!(
                "{} descriptors open, {} more each {}",
                show::count(total),
                per(rate).0,
                per(rate).1
            ),
            value: Some(total as f64),
            source: format!("/proc/{pid}/fd"),
            statistic: Some(trend.statistic()),
            supports: true,
            reproduce: Some(format!("ls /proc/{pid}/fd | wc -l")),
        });
        if let Some(kind) = kind {
            let count = kind_count(last, &kind);
            finding.evidence.push(Evidence {
                claim: format!(
                    "{} of them are of kind {kind}, the one that grows fastest",
                    show::count(count)
                ),
                value: link_expression(&kind).map(|_| count as f64),
                source: format!("/proc/{pid}/fd"),
                statistic: None,
                supports: true,
                reproduce: link_expression(&kind).map(|e| format!("ls -l /proc/{pid}/fd | grep -c '{e}'")),
            });
        }
        finding
            .next
            .push(format!("ls -l /proc/{pid}/fd | sort -k 11 | tail        shows what they point to"));
        out.findings.push(finding);
    }
}

/// The rule for child processes.
pub(super) struct Children;

impl Rule for Children {
    fn summary(&self) -> &'static str {
        "children that become more while watched, the dead ones that nobody waited for included"
    }

    fn check(&self, subject: &Subject<'_>, out: &mut Judgement) {
        let all = |p: &Point| p.children.map(|(alive, dead)| (alive + dead) as f64);
        let Some(trend) = growing(subject, all, Unit::Count, MIN_STEP) else { return };
        let rate = trend.rate;
        let pid = subject.reading.key.pid;
        let (alive, dead) = subject.history.last().and_then(|p| p.children).unwrap_or((0, 0));
        let zombies = dead > alive;
        let what =
            if zombies { "children that ended and are not waited for" } else { "children that live on" };
        let mut finding = start(subject, FindingKind::ChildProcessLeak, what);
        finding.count = alive + dead;
        trend.mark(&mut finding);
        finding.evidence.push(Evidence {
            claim: format!(
                "{} children, {} of them dead and not waited for; {} more each {}",
                show::count(alive + dead),
                show::count(dead),
                per(rate).0,
                per(rate).1
            ),
            value: Some((alive + dead) as f64),
            source: "ppid of /proc/*/stat".to_owned(),
            statistic: Some(trend.statistic()),
            supports: true,
            reproduce: Some(format!("ps -o pid= --ppid {pid} | wc -l")),
        });
        if zombies {
            finding.evidence.push(Evidence {
                claim: format!("{} are zombies: the parent never calls wait", show::count(dead)),
                value: Some(dead as f64),
                source: "state of /proc/*/stat".to_owned(),
                statistic: None,
                supports: true,
                reproduce: Some(format!("ps -o stat= --ppid {pid} | grep -c '^Z'")),
            });
        }
        finding.next.push(format!("ps -o pid,lstart,stat,args --ppid {pid}        shows what they run"));
        out.findings.push(finding);
    }
}

/// A finding of the plain rule: possible, and saying why no more.
pub(super) fn start(subject: &Subject<'_>, kind: FindingKind, what: &str) -> Finding {
    let (first, last) = match (subject.history.first(), subject.history.last()) {
        (Some(first), Some(last)) => (first.at_boot_s, last.at_boot_s),
        _ => (subject.now_boot_s, subject.now_boot_s),
    };
    let unix = |boot_s| subject.host.unix_from_boot(boot_s);
    Finding {
        id: finding_id(subject.identity, kind, what),
        kind,
        confidence: Confidence::Possible,
        confidence_why: Some(format!(
            "it grew in both halves of {}: one signal; warm-up, a filling cache or rising load look alike for a while",
            show::duration(subject.watched_s())
        )),
        process: subject.process.clone(),
        subject: what.into(),
        subject_inferred: None,
        pool_shape: None,
        count: 0,
        none_ended: false,
        rate_per_s: None,
        rate_interval: None,
        cadence: Vec::new(),
        seen: Some((unix(first), unix(last))),
        reserved_bytes: None,
        committed_bytes: None,
        touched_bytes: None,
        created_by: Vec::new(),
        libraries: Vec::new(),
        faults: Vec::new(),
        schedules: Vec::new(),
        evidence: Vec::new(),
        ruled_out: Vec::new(),
        too_small: Vec::new(),
        process_committed_bytes: subject.memory.map(|m| m.total.committed.0),
        unexplained_bytes: None,
        limits: Vec::new(),
        risk: String::new(),
        now: String::new(),
        next: Vec::new(),
    }
}

/// A rate as a number of things per unit of time that gives at least one: `(1.0, "minute")`.
fn per(rate: f64) -> (String, &'static str) {
    let (n, unit) = if rate >= 0.95 {
        (rate, "second")
    } else if rate * 60.0 >= 0.95 {
        (rate * 60.0, "minute")
    } else {
        (rate * 3_600.0, "hour")
    };
    (format!("{n:.1}"), unit)
}

fn kind_count(point: Option<&Point>, kind: &str) -> u64 {
    point.and_then(|p| p.descriptor_kinds.iter().find(|(k, _)| k == kind)).map_or(0, |(_, n)| *n)
}

/// The kind whose count rose most from the first look to the last.
fn fastest_kind(history: &[Point]) -> Option<String> {
    let (first, last) = (history.first()?, history.last()?);
    last.descriptor_kinds
        .iter()
        .map(|(kind, now)| (kind, now.saturating_sub(kind_count(Some(first), kind))))
        .max_by_key(|(_, rise)| *rise)
        .filter(|(_, rise)| *rise > 0)
        .map(|(kind, _)| kind.clone())
}

/// What the links of a kind look like in `ls -l`, where that is one expression.
fn link_expression(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "socket" => "socket:",
        "pipe" => "pipe:",
        "eventfd" => "anon_inode:.*eventfd",
        "epoll" => "anon_inode:.*eventpoll",
        "timerfd" => "anon_inode:.*timerfd",
        "inotify" => "anon_inode:inotify",
        "memfd" => "/memfd:",
        _ => return None,
    })
}
