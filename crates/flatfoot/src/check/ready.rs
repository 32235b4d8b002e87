//! Waiting until a server is ready.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use model::{Pid, Ticks};
use probe::proc::listen::listens;
use probe::{Clock, Parts, PidDir, Prober};

use super::keeper::Kept;
use super::output::Output;
use super::plan::{Plan, Ready};
use super::tree;
use crate::interrupt;

/// Between two looks.
const STEP_S: f64 = 0.1;
/// A server that does not listen is ready when it used less than a twentieth of a processor for so long.
const QUIET_S: f64 = 1.0;
const QUIET_SHARE: f64 = 0.05;

/// How the wait ended.
pub(super) enum Waited {
    /// It is ready; how that was told.
    Ready(&'static str),
    /// It ended before.
    Ended,
    /// Ctrl-C.
    Interrupted,
    /// Time is up.
    Never,
}

/// Waits.
pub(super) fn wait(plan: &Plan, kept: &mut Kept, output: &Output, prober: &mut Prober) -> Result<Waited> {
    let until = Clock::monotonic() + plan.ready_timeout_s;
    let mut quiet = Quiet::default();
    loop {
        if interrupt::asked() {
            return Ok(Waited::Interrupted);
        }
        let how = match &plan.ready {
            Ready::Command(command) => succeeds(command, kept.pid(), until).then_some("--ready succeeded"),
            Ready::Port(port) => takes_connections(*port).then_some("its port takes connections"),
            Ready::Log(_) => output.was_said().then_some("it printed the line"),
            Ready::Guess if is_listening(prober, kept.guard()) => Some("it listens"),
            Ready::Guess => quiet.holds(prober, kept.guard()).then_some("its CPU is quiet"),
        };
        // Whoever else answers on that port: a server that is gone is not ready.
        if kept.wait(if how.is_some() { 0.0 } else { STEP_S })?.is_some() {
            return Ok(Waited::Ended);
        }
        if let Some(how) = how {
            return Ok(Waited::Ready(how));
        }
        if Clock::monotonic() > until {
            return Ok(Waited::Never);
        }
    }
}

/// Ends at the same time as the wait, as a command may hang.
fn succeeds(command: &str, server: Pid, until: f64) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).process_group(0).env("FLATFOOT_PID", server.to_string());
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = shell.spawn() else { return false };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Clock::monotonic() < until && !interrupt::asked() => Clock::sleep(0.01),
            _ => {
                if let Some(group) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
                    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
                let _ = child.wait();
                return false;
            }
        }
    }
}

fn takes_connections(port: u16) -> bool {
    let hosts: [SocketAddr; 2] = [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()];
    hosts.iter().any(|host| TcpStream::connect_timeout(host, Duration::from_millis(200)).is_ok())
}

fn is_listening(prober: &mut Prober, guard: Pid) -> bool {
    let members = tree::descendants(prober, guard);
    members
        .iter()
        .any(|member| PidDir::open(prober.root(), member.pid).and_then(|dir| listens(&dir)).unwrap_or(false))
}

/// CPU time of everybody below the guard, over the last second.
#[derive(Default)]
struct Quiet {
    since: Option<(f64, Ticks)>,
}

impl Quiet {
    fn holds(&mut self, prober: &mut Prober, guard: Pid) -> bool {
        let parts = Parts { times: true, ..Parts::default() };
        let members = tree::descendants(prober, guard);
        let used = members.iter().filter_map(|member| prober.process(member.pid, &parts));
        let used = Ticks(used.map(|reading| reading.stat.utime.0 + reading.stat.stime.0).sum());
        let now = Clock::monotonic();
        let Some((at, before)) = self.since else {
            self.since = Some((now, used));
            return false;
        };
        if now - at < QUIET_S {
            return false;
        }
        self.since = Some((now, used));
        let per_second = prober.clocks(false).ticks_per_second;
        let share = Ticks(used.0.saturating_sub(before.0)).seconds(per_second) / (now - at);
        !members.is_empty() && share < QUIET_SHARE
    }
}
