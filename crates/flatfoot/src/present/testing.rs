//! A finding to start from, for tests.

use model::{Confidence, Finding, FindingKind, ProcessRef};

/// A confirmed thread leak of which nothing else is known.
pub(crate) fn finding(pattern: &str) -> Finding {
    Finding {
        id: String::new(),
        kind: FindingKind::ThreadLeak,
        confidence: Confidence::Confirmed,
        confidence_why: None,
        process: ProcessRef::default(),
        subject: pattern.into(),
        subject_inferred: None,
        pool_shape: None,
        count: 1,
        none_ended: true,
        rate_per_s: None,
        rate_interval: None,
        cadence: Vec::new(),
        seen: None,
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
        process_committed_bytes: None,
        unexplained_bytes: None,
        limits: Vec::new(),
        risk: String::new(),
        now: String::new(),
        next: Vec::new(),
    }
}
