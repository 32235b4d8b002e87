//! The running host.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use model::{AccessLevel, Child, Impact, Look, Pid, ProcessReading, Reading};
use probe::{Clock, DescriptorDepth, Glance, Parts, Prober, ProcRoot, ThreadDepth};

use super::{Ask, OfHost, Source, Watched};
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::progress::Countdown;
use crate::target::Spec;

/// /proc of the running host.
pub(crate) struct LiveSource {
    prober: Prober,
}

impl LiveSource {
    /// Opens /proc.
    pub(crate) fn open() -> Result<Self> {
        let root = ProcRoot::open("/proc").context("opening /proc").map_err(|error| {
            Failure::new(Code::Failed, format!("{error:#}"), "flatfoot needs /proc: mount -t proc proc /proc")
        })?;
        Ok(Self { prober: Prober::new(root) })
    }

    fn pids(&mut self, ask: &Ask) -> Result<Vec<Pid>> {
        if ask.pids.is_empty() { self.prober.pids().context("listing /proc") } else { Ok(ask.pids.clone()) }
    }

    fn look(&mut self, ask: &Ask, first: bool, late_s: f64) -> Result<Look> {
        let (began, cpu) = (Clock::monotonic(), Clock::cpu());
        self.prober.begin_look();
        let mut look = Look {
            at_unix_s: Clock::wall(),
            at_boot_s: Clock::boot(),
            late_s,
            host: match ask.host {
                OfHost::Boot => self.prober.clocks(false),
                OfHost::Clocks => self.prober.clocks(true),
                OfHost::Figures => self.prober.host(false),
                OfHost::Surroundings => self.prober.host(first),
            },
            ..Look::default()
        };
        let everybody = ask.pids.is_empty();
        for pid in self.pids(ask)? {
            if interrupt::asked() {
                break;
            }
            match self.process(pid, ask) {
                Some(process) => {
                    look.denied += u64::from(was_denied(&process));
                    look.processes.push(process);
                }
                None => look.gone += 1,
            }
        }
        if everybody {
            share_out_children(&mut look);
        }
        look.took_s = Clock::monotonic() - began;
        look.impact = Impact {
            level: AccessLevel::Read,
            reading_s: look.took_s,
            own_cpu_s: Clock::cpu() - cpu,
            ..Impact::default()
        };
        Ok(look)
    }

    /// Of everybody, the threads are read only where they are many: how many the first, small reading tells.
    fn process(&mut self, pid: Pid, ask: &Ask) -> Option<ProcessReading> {
        if ask.threads_from == 0 || ask.parts.threads == ThreadDepth::No {
            return self.prober.process(pid, &ask.parts);
        }
        let mut process = self.prober.process(pid, &Parts { threads: ThreadDepth::No, ..ask.parts })?;
        if process.stat.threads >= ask.threads_from && !process.stat.is_kernel_thread() {
            let threads = Parts { threads: ask.parts.threads, ..Parts::default() };
            if let Some(more) = self.prober.process(pid, &threads).filter(|more| more.key == process.key) {
                process.threads = more.threads;
                process.took_s += more.took_s;
            }
        }
        Some(process)
    }
}

impl Source for LiveSource {
    fn is_live(&self) -> bool {
        true
    }

    fn root(&self) -> Option<&ProcRoot> {
        Some(self.prober.root())
    }

    fn origin(&self) -> String {
        "this host".to_owned()
    }

    fn find(&mut self, spec: &Spec) -> Result<Vec<Pid>> {
        if let Spec::Pid(pid) = spec {
            return Ok(self.prober.is_there(*pid).then_some(*pid).into_iter().collect());
        }
        let parts = Parts { cmdline: true, cgroups: true, ..Parts::default() };
        let mut found = Vec::new();
        for pid in self.prober.pids().context("listing /proc")? {
            found.extend(self.prober.process(pid, &parts).filter(|p| spec.fits(p)).map(|p| p.key.pid));
        }
        Ok(found)
    }

    fn glance(&mut self) -> Result<Option<Vec<Glance>>> {
        self.prober.glance().context("listing /proc").map(Some)
    }

    fn detailed(&mut self) -> Result<Vec<Pid>> {
        Ok(Vec::new())
    }

    fn looks(&mut self, ask: &Ask, on_look: &mut dyn FnMut(Look) -> Result<()>) -> Result<Watched> {
        let began = Clock::monotonic();
        let progress = Countdown::start(ask.watch_s);
        let mut due = began;
        let mut first = true;
        let mut watched = Watched::default();
        loop {
            let late = (Clock::monotonic() - due).max(0.0);
            let look = self.look(ask, first, late)?;
            let nobody = !ask.pids.is_empty() && look.processes.iter().all(has_ended);
            let cpu = look.impact.own_cpu_s;
            if nobody && first {
                return Err(ended(&ask.pids));
            }
            if nobody {
                // What was seen before the end is worth a judgement.
                watched.ended = true;
                watched
                    .remarks
                    .push("the target ended while it was watched: it is judged by what was seen".to_owned());
            } else {
                on_look(look)?;
            }
            first = false;
            // Reading must stay a small share of the time: a large target stretches the interval. Counted in CPU
            // time, as a look that waited for a busy host's processor would else leave a hole of twenty times that.
            // What was missed is not made up for by looks in a row.
            due = (due + ask.interval_s.max(20.0 * cpu)).max(Clock::monotonic());
            progress.at(Clock::monotonic() - began);
            if nobody || due - began > ask.watch_s + 1e-9 || ask.watch_s <= 0.0 {
                return Ok(watched);
            }
            if !interrupt::sleep(due - Clock::monotonic()) {
                return Ok(watched);
            }
        }
    }
}

fn ended(pids: &[Pid]) -> anyhow::Error {
    let list: Vec<String> = pids.iter().map(Pid::to_string).collect();
    let message = format!("process {} ended", list.join(", "));
    Failure::new(Code::Ended, message, "flatfoot top shows the processes that run").into()
}

/// Is it a zombie, and so ended, though its parent has not waited for it yet? One whose first thread ended while
/// others run on looks the same, but for its threads.
fn has_ended(process: &ProcessReading) -> bool {
    matches!(process.stat.state, 'Z' | 'X') && process.stat.threads <= 1
}

/// Was anything that was asked for refused?
fn was_denied(process: &ProcessReading) -> bool {
    process.exe.is_denied()
        || process.descriptors.is_denied()
        || process.space.is_denied()
        || process.rollup.is_denied()
        || process.threads.is_denied()
}

/// Everybody was read, so everybody's children are known without reading anything more.
fn share_out_children(look: &mut Look) {
    let mut of: HashMap<Pid, Vec<Child>> = HashMap::new();
    for process in &look.processes {
        if process.stat.parent != Pid(0) {
            of.entry(process.stat.parent).or_default().push(Child {
                pid: process.key.pid,
                name: process.stat.name.clone(),
                state: process.stat.state,
                start: process.stat.start,
            });
        }
    }
    for process in &mut look.processes {
        process.children = Reading::Value(of.remove(&process.key.pid).unwrap_or_default());
    }
}

/// What is read of everybody: enough for thread births, descriptors and limits, nothing of the mappings. The
/// program's link tells cheaply whether the rest could be read.
pub(crate) fn parts_of_everybody() -> Parts {
    Parts {
        status: true,
        cmdline: true,
        exe: true,
        cgroups: true,
        rlimits: true,
        descriptors: DescriptorDepth::Total,
        threads: ThreadDepth::Basic,
        jvm: true,
        ..Parts::overview()
    }
}
