//! One of the two observations: what was seen of everybody in it, and what was found.

use std::collections::BTreeMap;

use anyhow::Result;
use model::{Finding, Look};

use super::Observed;
use crate::analyse::{Analyser, HostSummary};
use crate::source::{Ask, OfHost, parts_of_everybody};
use crate::target::Chosen;

/// One observation.
pub(crate) struct Side {
    /// As it was named on the command line.
    pub(crate) name: String,
    pub(crate) host: HostSummary,
    /// When it began and ended, in Unix seconds.
    pub(crate) seen: (f64, f64),
    pub(crate) processes: BTreeMap<String, Observed>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) remarks: Vec<String>,
}

impl Side {
    /// Looks at what was chosen, as long as is asked for when it is the live host.
    pub(crate) fn look(name: &str, chosen: Chosen, watch_s: f64) -> Result<Self> {
        let Chosen { mut source, pids } = chosen;
        let ask = Ask {
            pids,
            parts: parts_of_everybody(),
            threads_from: 0,
            host: OfHost::Surroundings,
            watch_s,
            interval_s: (watch_s / 63.0).max(0.1),
        };
        let mut analyser = Analyser::default();
        let mut seen = (f64::INFINITY, f64::NEG_INFINITY);
        let watched = source.looks(&ask, &mut |look: Look| {
            seen = (seen.0.min(look.at_unix_s), seen.1.max(look.at_unix_s + look.took_s));
            analyser.push(look);
            Ok(())
        })?;
        analyser.take_past(source.past(&ask)?);
        // What was recorded began before the one look at its end.
        seen.0 = seen.0.min(seen.1 - analyser.watched_s());
        analyser.group_threads();
        let judgement = analyser.judge();
        Ok(Self {
            name: name.to_owned(),
            host: analyser.host_summary(),
            seen,
            processes: Observed::all(&analyser),
            findings: judgement.findings,
            remarks: watched.remarks,
        })
    }
}
