//! The rules that turn what was read of one process into findings.
//!
//! Each rule looks for one kind of leak and owns its words: what it looks for (`summary`), and why it judged one
//! finding as it did (the finding's own `confidence_why` and evidence). Rules are pure; the same readings give the
//! same findings, live or from a case file.

mod checks;
mod counts;
mod jvm;
mod memory;
mod risk;
mod subject;
mod thread_leak;
mod trend;

pub use jvm::JvmPoint;
pub use subject::{Judgement, Point, Rates, Subject, finding_id};

/// One kind of leak, and how it is told.
pub trait Rule {
    /// What the rule looks for and what it needs, in one sentence for `--help` and the docs.
    fn summary(&self) -> &'static str;
    /// Looks at a process; adds findings, and what could not be judged, to `out`.
    fn check(&self, subject: &Subject<'_>, out: &mut Judgement);
}

/// Every rule. Thread leaks come first: growth of memory that they explain is not reported again.
#[must_use]
pub fn all() -> [&'static dyn Rule; 5] {
    [&thread_leak::ThreadLeak, &counts::Descriptors, &counts::Children, &jvm::Jvm, &memory::Memory]
}

/// Judges one process by every rule.
#[must_use]
pub fn judge(subject: &Subject<'_>) -> Judgement {
    let mut out = Judgement::default();
    for rule in all() {
        rule.check(subject, &mut out);
    }
    for finding in &mut out.findings {
        finding.limits = crate::limits::of_process(subject, &subject.rates(finding));
        risk::add_risk(subject, finding);
    }
    out.findings.sort_by(|a, b| b.confidence.cmp(&a.confidence).then(a.kind.cmp(&b.kind)));
    out
}
