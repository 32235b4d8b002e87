//! How these tests read a diagnosis.

use serde_json::Value;

use crate::support::{Flatfoot, Leaker};

/// A diagnosis and what was alive before and after it.
pub(crate) struct Looked {
    pub(crate) status: i32,
    pub(crate) said: Value,
    /// Threads before and after, as a count says that knows nothing of flatfoot.
    pub(crate) before: usize,
    pub(crate) after: usize,
}

/// What a thread leak must be said to be.
pub(crate) struct Expected<'a> {
    pub(crate) subject: &'a str,
    pub(crate) shape: &'a str,
    pub(crate) periods_s: &'a [f64],
}

impl Looked {
    /// Diagnoses it; `count` counts those of its threads that leak.
    #[track_caller]
    pub(crate) fn at(leaker: &Leaker, count: impl Fn(&Leaker) -> usize) -> Self {
        let before = count(leaker);
        let (status, said) = Flatfoot::new().diagnose(&leaker.arg());
        Self { status, said, before, after: count(leaker) }
    }

    /// The only finding, which must be as expected, with the count right, likely or better, and exit code 1.
    #[track_caller]
    pub(crate) fn is_a_leak(&self, expected: &Expected) -> &Value {
        let findings = findings(&self.said);
        assert_eq!(findings.len(), 1, "one finding: {:#}", self.said);
        let found = &findings[0];
        assert_eq!(found["kind"], "thread-leak", "{found:#}");
        assert_eq!(found["subject"], expected.subject, "{found:#}");
        assert_eq!(found["pool_shape"], expected.shape, "{found:#}");
        assert!(found["confidence"] == "likely" || found["confidence"] == "confirmed", "{found:#}");
        assert_eq!(self.status, 1, "{found:#}");
        let count = found["count"].as_u64().expect("a count") as usize;
        assert!(
            (self.before..=self.after).contains(&count),
            "said {count}, alive {} before and {} after",
            self.before,
            self.after
        );
        has_periods(found, expected.periods_s);
        found
    }
}

/// The cadences are these, each within 2 %, and no others.
#[track_caller]
pub(crate) fn has_periods(found: &Value, expected_s: &[f64]) {
    let cadence = found["cadence"].as_array().expect("cadence");
    let mut periods: Vec<f64> = cadence.iter().filter_map(|c| c["period_s"].as_f64()).collect();
    periods.sort_by(f64::total_cmp);
    let near = periods.iter().zip(expected_s).all(|(said, true_s)| (said / true_s - 1.0).abs() <= 0.02);
    assert!(near && periods.len() == expected_s.len(), "periods {periods:?}, truth {expected_s:?}");
}

/// All findings of a diagnosis.
#[track_caller]
pub(crate) fn findings(said: &Value) -> &Vec<Value> {
    said["findings"].as_array().expect("findings")
}

/// `thread-leak/likely` of each finding.
pub(crate) fn names(said: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or("?").to_owned();
    findings(said).iter().map(|f| format!("{}/{}", text(&f["kind"]), text(&f["confidence"]))).collect()
}

/// The findings about one process.
pub(crate) fn of_pid(said: &Value, pid: u32) -> Vec<&Value> {
    findings(said).iter().filter(|f| f["process"]["pid"] == pid).collect()
}
