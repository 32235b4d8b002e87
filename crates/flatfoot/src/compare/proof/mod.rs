//! Is a finding fixed? The leak as a case file has it, against what its process does now.

mod growth;
mod seen;
mod threads;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use detect::compare::Proof;
use detect::eta::Rate;
use model::{
    AccessLevel, Finding, FindingKind, Impact, Look, Pid, ProcessKey, ProcessReading, ScheduleEntry,
};
use probe::Parts;

use crate::analyse::{Analyser, identity};
use crate::failure::{Code, Failure};
use crate::present::Term;
use crate::source::{Ask, CaseSource, OfHost, Source};

/// Growth without firings is watched for so long, unless told otherwise.
const GROWTH_S: f64 = 300.0;

/// The leak, as the case file has it.
pub(crate) struct Leak {
    pub(crate) finding: Finding,
    pub(crate) case: String,
    identity: String,
    key: ProcessKey,
    /// When the case was read, in Unix seconds.
    read_unix_s: f64,
    /// Highest number in its names.
    number: u64,
    /// CPU seconds per second over its life until then.
    cpu: f64,
}

/// The answer, with what it rests on.
pub(crate) struct Answer {
    pub(crate) proof: Proof,
    /// The processes that were asked.
    pub(crate) pids: Vec<Pid>,
    pub(crate) label: String,
    /// Since when things count, in Unix seconds.
    pub(crate) since_unix_s: f64,
    pub(crate) watched_s: f64,
    /// Growth per second now, for what has no firings.
    pub(crate) rate: Option<Rate>,
    /// The schedule that tells when the cause fires.
    pub(crate) schedule: Option<ScheduleEntry>,
    pub(crate) remarks: Vec<String>,
    pub(crate) impact: Impact,
}

/// Finds the case of a finding: a file, or an id (or its beginning) of one in the state directory.
pub(crate) fn find_case(id: &str, cases: Option<PathBuf>) -> Result<PathBuf> {
    let path = Path::new(id);
    if store::looks_like_case(path) {
        return Ok(path.to_owned());
    }
    let mut found: Vec<PathBuf> = Vec::new();
    if let Some(dir) = &cases
        && id.len() >= 4
        && id.bytes().all(|b| b.is_ascii_hexdigit())
    {
        let named = |name: &str| name.starts_with(id) && name.ends_with(store::CASE_SUFFIX);
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        found.extend(entries.filter(|e| e.file_name().to_str().is_some_and(named)).map(|e| e.path()));
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let dir = cases.map_or_else(|| "the state directory".to_owned(), |dir| dir.display().to_string());
            let message = format!("no case of finding {id} in {dir}");
            let hint = "give the case file itself: flatfoot compare --finding FILE; diagnose keeps one, and prints SAVED";
            Err(Failure::new(Code::Failed, message, hint).into())
        }
        _ => Err(Failure::usage(format!("{id} begins the ids of {} cases", found.len()), "give more digits")
            .into()),
    }
}

/// Reads the leak from its case: the finding with this id, or the surest one.
pub(crate) fn leak(path: &Path, id: &str) -> Result<Leak> {
    let mut source = CaseSource::open(path)?;
    let mut analyser = Analyser::default();
    let mut read_unix_s = 0.0;
    source.looks(&Ask::once(Vec::new(), Parts::everything()), &mut |look: Look| {
        read_unix_s = look.at_unix_s;
        analyser.push(look);
        Ok(())
    })?;
    analyser.group_threads();
    let findings = analyser.judge().findings;
    let wanted = |finding: &&Finding| path == Path::new(id) || finding.id.starts_with(id);
    let Some(finding) = findings.iter().find(wanted).cloned() else {
        let message = format!("{} holds no finding {id}", path.display());
        return Err(Failure::new(Code::Failed, message, "flatfoot diagnose FILE shows what is in it").into());
    };
    let Some(tracked) = analyser.by_pid(finding.process.pid) else {
        return Err(Failure::new(Code::Failed, "the case lost its process", "save it again").into());
    };
    let members = tracked.groups.iter().find(|group| group.pattern == finding.subject);
    let number = members.and_then(|group| group.numbers).map_or(0, |numbers| numbers.high);
    let ticks = analyser.host.ticks_per_second.max(1) as f64;
    let age_s = (tracked.now_boot_s - tracked.reading.stat.start.0 as f64 / ticks).max(1.0);
    let used = (tracked.reading.stat.utime.0 + tracked.reading.stat.stime.0) as f64 / ticks;
    Ok(Leak {
        identity: identity(&tracked.reading),
        key: tracked.reading.key,
        read_unix_s,
        number,
        cpu: used / age_s,
        case: path.display().to_string(),
        finding,
    })
}

/// The processes that are now what the leak's process was: the named ones, else those of the same unit, container or command.
pub(crate) fn processes(leak: &Leak, source: &mut dyn Source, named: Vec<Pid>) -> Result<Vec<Pid>> {
    if !named.is_empty() {
        return Ok(named);
    }
    let mut found = Vec::new();
    let parts = Parts { cmdline: true, cgroups: true, ..Parts::overview() };
    source.looks(&Ask { host: OfHost::Boot, ..Ask::once(Vec::new(), parts) }, &mut |look: Look| {
        found.extend(look.processes.iter().filter(|p| identity(p) == leak.identity).map(|p| p.key.pid));
        Ok(())
    })?;
    if found.is_empty() {
        let message = format!("nothing runs here that is {}", leak.identity.replacen(':', " ", 1));
        let hint = format!(
            "name the process that took its place: flatfoot compare --finding {} PID",
            leak.finding.id
        );
        return Err(Failure::new(Code::Ended, message, hint).into());
    }
    Ok(found)
}

/// How to find out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// How long to watch; `None` for as long as the rhythm asks for.
    pub(crate) watch_s: Option<f64>,
    /// May a JVM be asked when its jobs are due?
    pub(crate) level: AccessLevel,
    pub(crate) term: Term,
}

/// Watches the processes and decides.
pub(crate) fn answer(leak: &Leak, source: &mut dyn Source, pids: Vec<Pid>, how: How) -> Result<Answer> {
    if leak.finding.kind == FindingKind::ThreadLeak {
        threads::answer(leak, source, pids, how)
    } else {
        growth::answer(leak, source, pids, how.watch_s.unwrap_or(GROWTH_S))
    }
}

fn label(processes: &BTreeMap<ProcessKey, ProcessReading>) -> String {
    let names = processes.values().map(|process| format!("{}[{}]", process.stat.name, process.key.pid));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_found_by_its_id_or_its_file() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["7c1e09d2.flatfoot", "7c1f0000.flatfoot", "notes.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let find = |id: &str| {
            find_case(id, Some(dir.path().to_owned())).map(|path| path.file_name().unwrap().to_owned())
        };
        assert_eq!(find("7c1e").unwrap(), "7c1e09d2.flatfoot");
        assert!(find("7c1").is_err(), "too short");
        assert!(find("ffff").unwrap_err().to_string().contains("no case of finding ffff"));
        std::fs::write(dir.path().join("7c1eaaaa.flatfoot"), "").unwrap();
        assert!(find("7c1e").unwrap_err().to_string().contains("2 cases"));
    }
}
