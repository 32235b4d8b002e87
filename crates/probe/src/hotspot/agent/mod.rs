//! The agent: a small library that the target loads for a while, to tell what nobody outside can know — which code starts
//! its threads, and whom those that exist work for. Its own code is in `agent/`; here are its delivery, its commands
//! and the reading of what it says.
//!
//! What it does to the target: one `load` for each command, carried out by the listener's thread; while it watches, each
//! thread start takes some microseconds longer. Everything ends with [`Agent::stop`], or when it is dropped; when
//! flatfoot is killed the hook ends at the first thread start after [`LEASE_S`]. The library (97 KB) stays mapped, as
//! HotSpot unloads no agent. JDK 21 and later print a warning when it is loaded: [`warns`].

mod deliver;
#[path = "../../../agent/layout.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the agent, which uses the rest")]
mod layout;
mod libjvm;
mod library;
mod names;
mod records;
mod refusal;
pub mod report;
pub mod ring;
pub mod ruby;

use std::os::fd::OwnedFd;

use model::{BufferPool, CreationSite, HeldClass, SpawnStack, Text, ThreadOwner};
use rustix::io::{Errno, pread, pwrite};

use self::deliver::Delivery;
use self::libjvm::Mapped;
pub use self::refusal::Refusal;
use self::report::Report;
use super::attach::{self, Attachment, Patience};
use super::inside;
use crate::Clock;
use crate::proc::cmdline;

/// How long the hook goes on without [`Agent::poll`]: poll some times in it.
pub const LEASE_S: f64 = 30.0;
/// Seconds for removing the hook, whatever was asked for.
const CLEANUP_S: f64 = 20.0;
/// The most of a report that is read.
const REPORT: u64 = 64 << 20;

/// What the JVM prints when the agent is loaded, on its standard error, once for each version of the agent; `java` is its
/// feature version. With -XX:+EnableDynamicAgentLoading it prints nothing.
#[must_use]
pub fn warns(java: u32) -> Option<&'static str> {
    (java >= 21).then_some(
        "its standard error gets four lines once: WARNING: A JVM TI agent has been loaded dynamically …",
    )
}

/// The agent as it is delivered: a shared object for any libc; empty where there is none for this processor.
#[must_use]
pub fn embedded() -> &'static [u8] {
    library::LIBRARY
}

/// What watching has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Wall time in the hook for one thread start, ns, on average; 0 before the first.
    pub hook_ns_per_start: f64,
    /// Thread starts seen.
    pub starts: u64,
    /// Of them failed.
    pub failed: u64,
    /// Births and stacks that found no place in the ring.
    pub dropped: u64,
    /// Starts from deep stacks that begin as one does that was seen often, and were taken to be that one.
    pub assumed: u64,
    /// Seconds that loading took, and the last command that removed the hook.
    pub load_s: f64,
    /// See above.
    pub stop_s: f64,
    /// Threads or classes that the last of owners and sites looked at, and the seconds that this took in the target.
    pub looked_at: u64,
    /// See above.
    pub looked_s: f64,
    /// The longest that a walk over the heap stopped the target, s, and the references that walks have followed.
    pub walk_s: f64,
    /// See above.
    pub references: u64,
    /// Bytes that it takes in the target: the library and what was written of the ring.
    pub bytes: u64,
    /// The lease ended: flatfoot was stopped for so long that the hook removed itself.
    pub expired: bool,
}

/// An agent that is loaded. Ends when it is dropped.
#[derive(Debug)]
pub struct Agent<'a> {
    attachment: &'a mut Attachment,
    patience: Patience<'a>,
    delivery: Delivery,
    /// As the target calls it.
    library: String,
    start_thread: u64,
    ring: Option<OwnedFd>,
    hooked: bool,
    /// The agent's clock less ours, ns; 0 in the same time namespace.
    clock_offset_ns: i64,
    lease_s: f64,
    figures: Figures,
    missing: Vec<String>,
}

impl<'a> Agent<'a> {
    /// Loads the agent. One that a killed flatfoot left behind is taken over: its hook is removed.
    pub fn load(attachment: &'a mut Attachment, patience: Patience<'a>) -> Result<Self, Refusal> {
        if library::LIBRARY.is_empty() {
            return Err(Refusal::NoLibrary);
        }
        let began = Clock::monotonic();
        is_allowed(attachment, &patience)?;
        let target = attachment.target();
        let mapped = maps(attachment)?;
        let start_thread = libjvm::start_thread(target, &mapped)?;
        let options = command_line(attachment);
        // What is mapped already is found by its path, though it is no file any more.
        let known = mapped.agents.first().cloned();
        let delivery = Delivery::new(target, &options, known.is_none())?;
        let library = known.clone().unwrap_or_else(|| delivery.path(&library::name()));
        let mut agent = Self {
            attachment,
            patience,
            delivery,
            library,
            start_thread,
            ring: None,
            hooked: false,
            clock_offset_ns: 0,
            lease_s: LEASE_S,
            figures: Figures { bytes: library::LIBRARY.len() as u64, ..Figures::default() },
            missing: Vec::new(),
        };
        let mut loaded = agent.command("cmd=stop");
        if known.is_some() && matches!(loaded, Err(Refusal::NotLoaded(_))) {
            let target = agent.attachment.target();
            agent.delivery.remove(target);
            agent.delivery = Delivery::new(target, &options, true)?;
            agent.library = agent.delivery.path(&library::name());
            loaded = agent.command("cmd=stop");
        }
        loaded?;
        // musl looks for the file again at each command.
        if !mapped.musl {
            agent.delivery.forget(agent.attachment.target(), &[&library::name()]);
        }
        agent.figures.load_s = Clock::monotonic() - began;
        Ok(agent)
    }

    /// Whom the threads that exist work for; some microseconds for each, without a safepoint.
    pub fn owners(&mut self) -> Result<Vec<ThreadOwner>, Refusal> {
        let report = self.report("owners", 2_000)?;
        Ok(report.owners)
    }

    /// Which loaded application code makes threads, pools or timers; some 0.1 ms for each class, without a safepoint.
    pub fn sites(&mut self) -> Result<Vec<CreationSite>, Refusal> {
        let report = self.report("sites", 5_000)?;
        Ok(report.sites)
    }

    /// The same as [`Agent::owners`], and whether somebody else than their workers holds the pools: this stops the JVM
    /// while its heap is walked. Not when that may take longer than `budget_s`; and it ends when it has.
    pub fn owners_and_holders(&mut self, budget_s: f64) -> Result<Vec<ThreadOwner>, Refusal> {
        self.is_within(budget_s)?;
        let options = format!(";walk=1;pause={}", pause_ms(budget_s));
        let report = self.report_with("owners", 2_000, &options)?;
        Ok(report.owners)
    }

    /// Who holds the objects of some classes, and the direct buffers: this stops the JVM while its heap is walked. Not
    /// when that may take longer than `budget_s`; and it ends when it has.
    pub fn holders(&mut self, classes: &[Text], budget_s: f64) -> Result<Vec<HeldClass>, Refusal> {
        /// A command's argument has 1 KiB at most.
        const ROOM: usize = 512;
        self.is_within(budget_s)?;
        let plain = |class: &&str| !class.contains([';', ',', '=']) && class.is_ascii();
        let mut names = String::new();
        for class in classes.iter().map(Text::as_str).filter(plain) {
            if names.len() + class.len() < ROOM {
                names.push_str(class);
                names.push(',');
            }
        }
        let options = format!(";pause={};classes={names}", pause_ms(budget_s));
        let report = self.report_with("holders", 2_000, &options)?;
        Ok(report.held)
    }

    /// Direct buffers and their bytes, as the JDK counts them; `None` before the first one. Nothing stands still.
    pub fn direct_buffers(&mut self) -> Result<Option<BufferPool>, Refusal> {
        let report = self.report("buffers", 1_000)?;
        Ok(report.buffers)
    }

    /// How long a walk over the heap may stop the target, s, if that is allowed.
    fn is_within(&mut self, budget_s: f64) -> Result<f64, Refusal> {
        let patience = self.patience;
        let estimate_s = walk_estimate_s(inside::heap_used(self.attachment, &patience)?);
        if estimate_s <= budget_s {
            return Ok(estimate_s);
        }
        Err(Refusal::Attach(attach::Refusal::TooLong {
            what: "a walk over its heap".to_owned(),
            estimate_s: attach::Seconds::from_s(estimate_s),
            budget_s: attach::Seconds::from_s(budget_s),
        }))
    }

    /// What was left out of owners and sites, and why.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Sets how long the hook goes on when nobody polls, for the next [`Agent::watch`]; [`LEASE_S`] otherwise.
    pub fn set_lease(&mut self, lease_s: f64) {
        self.lease_s = lease_s.clamp(0.1, 600.0);
    }

    /// Begins to record thread starts. Poll from now on.
    pub fn watch(&mut self) -> Result<(), Refusal> {
        if self.hooked && !self.figures.expired {
            return Ok(());
        }
        let target = self.attachment.target();
        let ring = match self.ring {
            None => self.delivery.ring(target)?,
            Some(_) => self.delivery.new_ring(target)?,
        };
        let options = format!(
            "cmd=start;orig={:x};lease={};ring={}",
            self.start_thread,
            (self.lease_s * 1e3) as u64,
            self.delivery.path("ring")
        );
        let before = Clock::monotonic();
        self.ring = Some(ring);
        self.figures.expired = false;
        // Also when it fails: the hook may be there though the answer is not.
        self.hooked = true;
        self.command(&options)?;
        let after = Clock::monotonic();
        self.delivery.forget(self.attachment.target(), &["ring"]);
        self.clock_offset_ns = self.offset(before, after);
        Ok(())
    }

    /// Everything that was recorded so far; the lease begins anew.
    pub fn poll(&mut self) -> Vec<SpawnStack> {
        let Some(ring) = &self.ring else { return Vec::new() };
        if self.hooked {
            let now = (Clock::monotonic() * 1e9) as i64;
            let until = now.saturating_add(self.clock_offset_ns).saturating_add((self.lease_s * 1e9) as i64);
            let _ = pwrite(ring, &until.max(0).cast_unsigned().to_ne_bytes(), layout::H_LEASE as u64);
        }
        let Ok(bytes) = read(ring, deliver::RING) else { return Vec::new() };
        let found = ring::parse(&bytes);
        self.figures.starts = found.starts;
        self.figures.failed = found.failed;
        self.figures.dropped = found.dropped;
        self.figures.assumed = found.assumed;
        self.figures.hook_ns_per_start =
            if found.starts > 0 { found.hook_ns as f64 / found.starts as f64 } else { 0.0 };
        self.figures.bytes = library::LIBRARY.len() as u64 + found.used_bytes.min(deliver::RING);
        self.figures.expired |= found.state == layout::EXPIRED;
        let to_boot = Clock::boot() - Clock::monotonic() - self.clock_offset_ns as f64 / 1e9;
        let mut spawns = found.spawns;
        for birth in spawns.iter_mut().flat_map(|spawn| &mut spawn.births) {
            birth.at_boot_s += to_boot;
        }
        spawns
    }

    /// As of the last [`Agent::poll`].
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Stops recording; what was recorded can still be polled. Without a hook it does nothing.
    pub fn unwatch(&mut self) -> Result<(), Refusal> {
        if !self.hooked {
            return Ok(());
        }
        let began = Clock::monotonic();
        // Whoever ends the wait for births wants this done, too.
        let patience = Patience { command_s: CLEANUP_S, cancel: None, ..self.patience };
        self.command_within("cmd=stop", &patience)?;
        self.hooked = false;
        self.figures.stop_s = Clock::monotonic() - began;
        Ok(())
    }

    /// Removes the hook and all files. The library stays mapped, idle.
    pub fn stop(mut self) -> Result<Figures, Refusal> {
        self.unwatch()?;
        self.poll();
        Ok(self.figures)
    }

    /// The agent's clock less ours. Both count from boot, but for those in a time namespace: what lies within the time
    /// that the command took is the same clock.
    fn offset(&self, before: f64, after: f64) -> i64 {
        let word = self.ring.as_ref().and_then(|ring| {
            let mut word = [0; 8];
            (pread(ring, &mut word, layout::H_CLOCK as u64) == Ok(8)).then(|| u64::from_ne_bytes(word))
        });
        let clock = word.unwrap_or(0) as f64 / 1e9;
        if (before - 0.001..=after + 0.001).contains(&clock) {
            return 0;
        }
        ((clock - f64::midpoint(before, after)) * 1e9) as i64
    }

    fn report(&mut self, what: &'static str, budget_ms: u64) -> Result<Report, Refusal> {
        self.report_with(what, budget_ms, "")
    }

    fn report_with(&mut self, what: &'static str, budget_ms: u64, more: &str) -> Result<Report, Refusal> {
        let file = self.delivery.report(self.attachment.target())?;
        let options = format!("cmd={what};ms={budget_ms};out={}{more}", self.delivery.path("report"));
        let done = self.command(&options);
        self.delivery.forget(self.attachment.target(), &["report"]);
        done?;
        let bytes = read(&file, REPORT)
            .map_err(|error| Refusal::File { what: self.delivery.path("report"), error })?;
        let report = report::parse(&bytes);
        self.figures.looked_at = report.seen;
        self.figures.looked_s = report.took_s;
        if let Some(walk) = report.walk {
            self.figures.walk_s = self.figures.walk_s.max(walk.paused_s);
            self.figures.references += walk.references;
            if walk.cut {
                self.missing.push(format!(
                    "who holds what: the walk over the heap was ended after {:.2} s, before it had seen everything",
                    walk.paused_s
                ));
            }
        }
        if !report.whole {
            if report.seen == 0 {
                return Err(Refusal::Torn(what));
            }
            self.missing.push(format!(
                "{what}: only the first {} were looked at, for {:.1} s",
                report.seen, report.took_s
            ));
        }
        Ok(report)
    }

    /// Has the JVM load the library once more, with these options.
    fn command(&mut self, options: &str) -> Result<(), Refusal> {
        let patience = self.patience;
        self.command_within(options, &patience)
    }

    fn command_within(&mut self, options: &str, patience: &Patience<'_>) -> Result<(), Refusal> {
        let arguments = [self.library.as_str(), "true", options];
        let reply = self.attachment.command("load", &arguments, patience)?;
        outcome(reply.code, &String::from_utf8_lossy(&reply.text))
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _ = self.unwatch();
        self.delivery.remove(self.attachment.target());
    }
}

/// How long a walk over a heap with so many bytes in use may take at most.
#[must_use]
pub fn walk_estimate_s(used_bytes: u64) -> f64 {
    0.02 + 6.0 * used_bytes as f64 / f64::from(1 << 30)
}

fn pause_ms(budget_s: f64) -> u64 {
    (budget_s * 1e3).clamp(1.0, 600_000.0) as u64
}

/// JDK 9 and later answer `return code: 0`, JDK 8 the number alone; or in words why it was not loaded.
fn outcome(code: i32, text: &str) -> Result<(), Refusal> {
    if text.contains("Dynamic agent loading is not enabled") {
        return Err(Refusal::NotAllowed);
    }
    let words = text.trim();
    let number = words.strip_prefix("return code:").unwrap_or(words).trim().parse::<i32>();
    match number {
        Ok(0) => Ok(()),
        Ok(code) => Err(Refusal::Agent { code }),
        Err(_) => {
            let first: String =
                words.lines().take(2).collect::<Vec<_>>().join(" ").chars().take(300).collect();
            Err(Refusal::NotLoaded(if first.is_empty() { format!("error {code}") } else { first }))
        }
    }
}

fn is_allowed(attachment: &mut Attachment, patience: &Patience<'_>) -> Result<(), Refusal> {
    match attachment.jcmd("VM.flags", patience) {
        Ok(flags) if flags.split_ascii_whitespace().any(|flag| flag == "-XX:-EnableDynamicAgentLoading") => {
            Err(Refusal::NotAllowed)
        }
        // A JVM without that command has no such option either.
        Ok(_) | Err(attach::Refusal::Command { .. }) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn maps(attachment: &Attachment) -> Result<Mapped, Refusal> {
    const LIMIT: usize = 64 << 20;
    let mut buffer = Vec::new();
    let read = attachment.target().proc_dir().read(c"maps", &mut buffer, LIMIT);
    read.map_err(|_| Refusal::NoSymbol("its maps can't be read".to_owned()))?;
    Ok(libjvm::mapped(&buffer, &library::name()))
}

fn command_line(attachment: &Attachment) -> Vec<String> {
    let mut buffer = Vec::new();
    let words = cmdline::read(attachment.target().proc_dir(), &mut buffer).into_value().unwrap_or_default();
    words.iter().map(|word| word.as_str().to_owned()).collect()
}

/// A file of ours as far as it goes, to a limit; what others make of its size doesn't count.
fn read(file: &OwnedFd, limit: u64) -> Result<Vec<u8>, Errno> {
    const STEP: usize = 1 << 18;
    let mut bytes = Vec::new();
    loop {
        let at = bytes.len();
        let step = STEP.min((limit as usize).saturating_sub(at));
        bytes.resize(at + step, 0);
        let read = match bytes.get_mut(at..) {
            Some(space) if !space.is_empty() => pread(file, space, at as u64),
            _ => Ok(0),
        };
        let read = match read {
            Err(Errno::INTR) => 0,
            other => other?,
        };
        bytes.truncate(at + read);
        if read == 0 {
            return Ok(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_all_jvms_are_understood() {
        assert_eq!(outcome(0, "return code: 0\n"), Ok(()));
        assert_eq!(outcome(0, "0\n"), Ok(()));
        assert_eq!(outcome(0, "return code: 108\n"), Err(Refusal::Agent { code: layout::BAD_RING }));
        let text = "/tmp/x.so was not loaded.\n/tmp/x.so: failed to map segment from shared object\n";
        assert!(matches!(outcome(0, text), Err(Refusal::NotLoaded(why)) if why.ends_with("shared object")));
        let text =
            "Dynamic agent loading is not enabled. Use -XX:+EnableDynamicAgentLoading to launch target VM.";
        assert_eq!(outcome(100, text), Err(Refusal::NotAllowed));
    }

    #[test]
    fn codes_of_the_agent_read_as_words() {
        let text = Refusal::Agent { code: layout::OPEN_FAILED + 13 }.to_string();
        assert!(text.contains("opening its file: ") && text.contains("denied"), "{text}");
        assert_eq!(Refusal::Agent { code: 7 }.to_string(), "the agent ended with code 7: unknown");
    }
}
