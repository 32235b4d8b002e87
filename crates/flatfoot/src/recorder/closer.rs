//! A closer look, as `diagnose` takes it: for the store's evidence, and for findings that one look tells (a rhythm of
//! births, which no series needs to be waited for).

use std::collections::HashMap;

use anyhow::Result;
use model::{Confidence, Finding, Look, Pid};
use probe::{Parts, SpaceDepth};

use crate::analyse::Analyser;
use crate::source::{Ask, LiveSource, OfHost, Source as _, parts_of_everybody};

/// Threads are read of processes with at least so many: fewer cannot be a finding.
const THREADS_FROM: u64 = 8;
/// So many findings are remembered; a host with more has other troubles than hearing of one twice.
const MOST: usize = 4_096;

/// Everybody is looked at so often, for limits and lists of threads in later views: 0.01 % of a processor with a thousand
/// processes.
const ROUNDS_APART_S: f64 = 3_600.0;

/// When everybody is looked at: at once, and then each hour.
#[derive(Debug)]
pub(super) struct Rounds {
    apart_s: f64,
    last_s: Option<f64>,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { apart_s: ROUNDS_APART_S, last_s: None }
    }
}

impl Rounds {
    /// That come so many seconds apart.
    pub(super) fn apart(apart_s: f64) -> Self {
        Self { apart_s, last_s: None }
    }

    /// Is it time? Then it is done, and the next is an hour later.
    pub(super) fn is_due(&mut self, now_s: f64) -> bool {
        let is_due = self.last_s.is_none_or(|last_s| now_s - last_s >= self.apart_s);
        if is_due {
            self.last_s = Some(now_s);
        }
        is_due
    }
}

/// Takes looks, and tells what is new in them.
pub(crate) struct Closer {
    source: LiveSource,
    told: HashMap<String, Confidence>,
}

impl Closer {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { source: LiveSource::open()?, told: HashMap::new() })
    }

    /// At everybody, without mappings: some 0.3 s of CPU for a thousand processes.
    pub(crate) fn everybody(&mut self) -> Option<Look> {
        let ask = Ask { threads_from: THREADS_FROM, ..Ask::once(Vec::new(), parts_of_everybody()) };
        self.take(&ask)
    }

    /// At one process, mappings included; `None` when it ended.
    pub(crate) fn process(&mut self, pid: Pid) -> Option<Look> {
        let parts = Parts { space: SpaceDepth::Touched, rollup: false, ..Parts::everything() };
        self.take(&Ask { host: OfHost::Figures, ..Ask::once(vec![pid], parts) })
    }

    fn take(&mut self, ask: &Ask) -> Option<Look> {
        let mut found = None;
        let taken = self.source.looks(ask, &mut |look| {
            found = Some(look);
            Ok(())
        });
        taken.ok().and(found)
    }

    /// Whom a look has findings of, and those that were not told yet, or not with this confidence.
    pub(crate) fn news(&mut self, look: Look) -> (Vec<Pid>, Vec<Finding>) {
        let mut analyser = Analyser::default();
        analyser.push(look);
        analyser.group_threads();
        let mut findings = analyser.judge().findings;
        if self.told.len() > MOST {
            self.told.clear();
        }
        // What is only possible says: look longer. That is what a recorder does.
        findings.retain(|finding| finding.confidence > Confidence::Possible);
        let of = findings.iter().map(|finding| finding.process.pid).collect();
        findings.retain(|finding| {
            self.told.insert(finding.id.clone(), finding.confidence) != Some(finding.confidence)
        });
        (of, findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_come_at_once_and_then_apart() {
        let mut rounds = Rounds { apart_s: 10.0, ..Rounds::default() };
        let due: Vec<bool> = [5.0, 6.0, 14.9, 15.0, 15.1, 40.0, 49.0, 50.0].map(|s| rounds.is_due(s)).into();
        assert_eq!(due, [true, false, false, true, false, true, false, true]);
        assert!(Rounds::default().is_due(0.0));
    }

    #[test]
    fn everybody_is_looked_at_with_their_limits_and_without_mappings() {
        let look = Closer::new().unwrap().everybody().unwrap();
        let own = look.processes.iter().find(|one| one.key.pid.0 == std::process::id()).unwrap();
        assert!(own.rlimits.value().is_some() && own.space.value().is_none());
        assert!(look.processes.len() > 1);
    }
}
