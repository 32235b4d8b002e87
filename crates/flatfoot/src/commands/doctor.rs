//! flatfoot doctor: tries each kind of reading here and says what came of it.

use anyhow::{Context as _, Result};
use model::{HostReading, Pid, ProcessReading, Reading, show};
use probe::{Clock, Parts, Prober, ProcRoot};

use super::VERSION;
use crate::failure::Code;
use crate::present::doctor::{Check, CheckState, DoctorDocument};
use crate::present::{self, Term, time};

/// The command.
pub(crate) fn run(term: Term) -> Result<Code> {
    let mut prober = Prober::new(ProcRoot::open("/proc").context("opening /proc")?);
    let host = prober.host(true);
    let own = prober.process(Pid(std::process::id()), &Parts::everything());
    let mut checks = Vec::new();
    checks.extend(own.as_ref().map(own_process));
    checks.push(others(&mut prober)?);
    checks.push(touched(&host));
    checks.push(overcommit(&host));
    checks.push(cgroups(&host, own.as_ref()));
    checks.push(schedules(&host));
    checks.push(kernel_log(&host));
    checks.push(state_dir());
    checks.push(recorder());
    let document = DoctorDocument {
        schema: "flatfoot.doctor/1",
        version: VERSION,
        kernel: host.kernel.to_string(),
        checks,
    };
    let missing = document.checks.iter().any(|c| c.state == CheckState::Missing);
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&document.text(term))?;
    }
    Ok(if missing { Code::Failed } else { Code::Clean })
}

fn check(name: &'static str, state: CheckState, found: impl Into<String>, hint: Option<&str>) -> Check {
    Check { name, state, found: found.into(), hint: hint.map(ToOwned::to_owned) }
}

fn own_process(own: &ProcessReading) -> Check {
    let absent = own.space.absence().or_else(|| own.threads.absence());
    match absent {
        None => check(
            "reading /proc",
            CheckState::Good,
            "maps, smaps, threads and descriptors of own processes",
            None,
        ),
        Some(why) => check(
            "reading /proc",
            CheckState::Missing,
            why,
            Some("mount /proc without hidepid, or with this user's group"),
        ),
    }
}

/// How many processes let their mappings be read.
fn others(prober: &mut Prober) -> Result<Check> {
    let parts = Parts { exe: true, ..Parts::default() };
    let (mut open, mut closed) = (0u64, 0u64);
    for pid in prober.pids().context("listing /proc")? {
        match prober.process(pid, &parts).map(|p| p.exe.is_denied()) {
            Some(true) => closed += 1,
            Some(false) => open += 1,
            None => {}
        }
    }
    let found = format!("{} of {} can be read in full", show::count(open), show::count(open + closed));
    Ok(if closed == 0 {
        check("processes of others", CheckState::Good, found, None)
    } else {
        let hint = "sudo or CAP_SYS_PTRACE shows mappings and descriptors of the others; births and names need neither";
        check("processes of others", CheckState::Limited, found, Some(hint))
    })
}

fn touched(host: &HostReading) -> Check {
    if host.has_pagemap_scan {
        return check("touched bytes", CheckState::Good, "PAGEMAP_SCAN, in small chunks", None);
    }
    check(
        "touched bytes",
        CheckState::Limited,
        "smaps only: slower, and read at an easy pace",
        Some("Linux 6.7 and newer have PAGEMAP_SCAN"),
    )
}

fn overcommit(host: &HostReading) -> Check {
    let mode = match host.overcommit_mode.value() {
        Some(0) => "0: promises are checked one by one, their sum is not limited".to_owned(),
        Some(1) => "1: everything is promised".to_owned(),
        Some(2) => match host.memory.value() {
            Some(m) => format!("2: {} of {} promised", show::bytes(m.committed), show::bytes(m.commit_limit)),
            None => "2: promises end at CommitLimit".to_owned(),
        },
        _ => {
            return check(
                "overcommit",
                CheckState::Limited,
                "unknown",
                Some("/proc/sys/vm could not be read"),
            );
        }
    };
    check("overcommit", CheckState::Good, mode, None)
}

fn cgroups(host: &HostReading, own: Option<&ProcessReading>) -> Check {
    let version = if host.cgroup_v2 { "v2" } else { "v1" };
    match own.map(|o| &o.cgroups) {
        Some(Reading::Value(groups)) => {
            let limited = groups.groups.iter().any(|g| g.pids_max.is_some() || g.memory_max.is_some());
            let limits = if limited { "with limits" } else { "without limits on the way up" };
            check("cgroups", CheckState::Good, format!("{version}, own group {} {limits}", groups.path), None)
        }
        Some(other) => check(
            "cgroups",
            CheckState::Limited,
            other.absence().unwrap_or_default(),
            Some("limits of cgroups will not be shown"),
        ),
        None => check("cgroups", CheckState::Limited, "unknown", None),
    }
}

fn schedules(host: &HostReading) -> Check {
    match &host.schedules {
        Reading::Value(entries) if !host.schedules_denied.is_empty() => check(
            "schedules",
            CheckState::Limited,
            format!(
                "{} crontab lines and timers; denied: {}",
                show::count(entries.len() as u64),
                host.schedules_denied.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
            Some("sudo shows the crontabs of others"),
        ),
        Reading::Value(entries) => check(
            "schedules",
            CheckState::Good,
            format!(
                "{} crontab lines and timers to compare cadences with",
                show::count(entries.len() as u64)
            ),
            None,
        ),
        other => check(
            "schedules",
            CheckState::Limited,
            other.absence().unwrap_or_default(),
            Some("cadences are still named; no crontab or timer will be"),
        ),
    }
}

fn kernel_log(host: &HostReading) -> Check {
    match &host.remains {
        Reading::Value(marks) => check(
            "kernel log",
            CheckState::Good,
            format!("{} marks of processes that were killed", show::count(marks.len() as u64)),
            None,
        ),
        other => check(
            "kernel log",
            CheckState::Limited,
            other.absence().unwrap_or_default(),
            Some("OOM kills of cgroups are still counted"),
        ),
    }
}

/// Is the past of this host known?
fn recorder() -> Check {
    let path = crate::recorder::store_to_read();
    let shown = path.display();
    if !path.exists() {
        let hint = "flatfoot record: --since and --at then show what was before the trouble";
        return check(
            "recorder",
            CheckState::Limited,
            "nothing is recorded on this host".to_owned(),
            Some(hint),
        );
    }
    let covered = store::history::HistoryReader::open(&path).and_then(|reader| reader.coverage());
    match covered.as_ref().map(|covered| (covered.first(), covered.last())) {
        Ok((Some(first), Some(last))) => {
            let (from, to) = (first.first_unix_ms as f64 / 1e3, last.last_unix_ms as f64 / 1e3);
            let ago = show::duration((Clock::wall() - to).max(0.0));
            let text = format!("{shown}: since {}, last {ago} ago", time::local(from));
            check("recorder", CheckState::Good, text, None)
        }
        Ok(_) => check("recorder", CheckState::Limited, format!("{shown} is empty"), None),
        Err(error) => check("recorder", CheckState::Limited, error.to_string(), None),
    }
}

fn state_dir() -> Check {
    let env = |name| std::env::var_os(name);
    match store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref()) {
        Ok(dir) => check("case files", CheckState::Good, format!("kept in {}", dir.display()), None),
        Err(error) => check(
            "case files",
            CheckState::Limited,
            error.to_string(),
            Some("save -o FILE writes elsewhere; diagnose works without"),
        ),
    }
}
