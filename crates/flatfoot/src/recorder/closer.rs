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

    /// Findings that were not told yet, or not with this confidence.
    pub(crate) fn news(&mut self, look: Look) -> Vec<Finding> {
        let mut analyser = Analyser::default();
        analyser.push(look);
        analyser.group_threads();
        let mut findings = analyser.judge().findings;
        if self.told.len() > MOST {
            self.told.clear();
        }
        // What is only possible says: look longer. That is what a recorder does.
        findings.retain(|finding| finding.confidence > Confidence::Possible);
        findings.retain(|finding| {
            self.told.insert(finding.id.clone(), finding.confidence) != Some(finding.confidence)
        });
        findings
    }
}
