//! What a leak looks like wherever it happens: kind, pattern, cadence, and the code that makes it.

use model::{Finding, FindingKind};

/// Periods that differ by less are the same schedule.
const SAME_PERIOD: f64 = 0.02;

/// A leak without its process and host.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// Kind of leak.
    pub kind: FindingKind,
    /// Thread pattern, memory class, kind of descriptor.
    pub subject: String,
    /// Periods of its births, in seconds, strongest first.
    pub periods_s: Vec<f64>,
    /// The first frame outside the JDK and the runtime, when somebody saw it.
    pub creator: Option<String>,
}

/// How well two signatures agree; each part that both know must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureMatch {
    /// Do they have the same rhythm? `None` when one of them has none.
    pub cadence: Option<bool>,
    /// Were they made by the same code? `None` when it is not known of both.
    pub creator: Option<bool>,
}

impl Signature {
    /// Of a finding.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let outside = |role: &str| role != "jdk" && role != "runtime";
        let creator =
            finding.created_by.iter().find_map(|by| by.frames.iter().find(|frame| outside(&frame.role)));
        Self {
            kind: finding.kind,
            subject: finding.subject.as_str().to_owned(),
            periods_s: finding.cadence.iter().map(|train| train.period_s).collect(),
            creator: creator.map(|frame| frame.symbol.clone()),
        }
    }

    /// Compares with another; `None` when kind or subject differ: then it is another leak.
    #[must_use]
    pub fn matches(&self, other: &Self) -> Option<SignatureMatch> {
        if self.kind != other.kind || self.subject != other.subject {
            return None;
        }
        let cadence = match (self.periods_s.first(), other.periods_s.first()) {
            (Some(a), Some(b)) => Some((a - b).abs() <= SAME_PERIOD * a.max(*b)),
            _ => None,
        };
        let creator = self.creator.as_ref().zip(other.creator.as_ref()).map(|(a, b)| a == b);
        Some(SignatureMatch { cadence, creator })
    }
}

impl SignatureMatch {
    /// Is there more than an equal name, and nothing against it?
    #[must_use]
    pub fn is_same_leak(self) -> bool {
        self.creator != Some(false) && (self.creator == Some(true) || self.cadence == Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(period_s: Option<f64>, creator: Option<&str>) -> Signature {
        Signature {
            kind: FindingKind::ThreadLeak,
            subject: "pool-*-thread-1".to_owned(),
            periods_s: period_s.into_iter().collect(),
            creator: creator.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn a_name_alone_is_no_signature() {
        let stage = signature(Some(60.0), Some("Listener.started"));
        let same = |other: &Signature| stage.matches(other).is_some_and(SignatureMatch::is_same_leak);
        assert!(same(&signature(Some(60.4), Some("Listener.started"))));
        assert!(same(&signature(Some(60.4), None)), "the rhythm is the same");
        assert!(
            same(&signature(Some(900.0), Some("Listener.started"))),
            "the code is the same, the schedule is not"
        );
        assert!(!same(&signature(Some(900.0), None)));
        assert!(!same(&signature(Some(60.0), Some("Other.make"))), "one schedule, two leaks");
        assert!(!same(&signature(None, None)), "every JVM has a pool-*-thread-1");
        let other = Signature { subject: "http-*".to_owned(), ..signature(Some(60.0), None) };
        assert_eq!(stage.matches(&other), None);
    }
}
