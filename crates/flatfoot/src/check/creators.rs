//! Who made the threads that leaked: the agent, loaded into a JVM for as long as the rounds take.

use detect::creators::of_group;
use model::{AccessLevel, CreatedBy, Impact, JvmInside, ProcessReading, Thread, ThreadGroup};
use probe::hotspot::agent::Agent;
use probe::hotspot::attach::Attachment;
use probe::{Clock, Prober};

use super::mark::{Key, Mark};
use super::plan::Plan;
use crate::visit;

/// The hook ends by itself when nobody asks for so long: asked well before.
const POLL_S: f64 = 3.0;
/// Entries of each leak.
const MOST: usize = 3;

/// What the JVM said, in the end.
#[derive(Default)]
pub(super) struct Told {
    /// Which process.
    pub(super) key: Option<Key>,
    command: String,
    inside: JvmInside,
    /// What was done to it.
    pub(super) impact: Impact,
    /// What was refused, and what to do about it.
    pub(super) missing: Vec<String>,
}

/// A JVM to watch.
pub(super) struct Jvm {
    reading: ProcessReading,
    attachment: Attachment,
    listener_up: bool,
}

/// Attaches to the JVM among those that were seen: the server itself, or else the one with most threads. Says before what
/// will be done, and, when nothing can be, why.
pub(super) fn attach(
    plan: &Plan,
    prober: &Prober,
    mark: &Mark,
    root: model::Pid,
    told: &mut Told,
) -> Option<Jvm> {
    if plan.level < AccessLevel::Agent {
        if plan.level == AccessLevel::Attach {
            told.missing
                .push("--access attach tells nothing of who makes threads: --access agent does".to_owned());
        }
        return None;
    }
    let jvms = mark.processes.iter().filter(|(_, seen)| seen.reading.jvm.value().is_some());
    let Some((_, seen)) = jvms.max_by_key(|((pid, _), seen)| (*pid == root, seen.reading.stat.threads))
    else {
        told.missing
            .push("--access agent is of no use here: nothing that was started is a HotSpot JVM".to_owned());
        return None;
    };
    let reading = seen.reading.clone();
    let attached = visit::announce_rounds(prober.root(), &reading, plan.term).and_then(|listener_up| {
        let attachment = Attachment::open(prober.root(), &reading.key, &visit::patience())?;
        Ok((attachment, listener_up))
    });
    match attached {
        Ok((attachment, listener_up)) => Some(Jvm { reading, attachment, listener_up }),
        Err(refusal) => {
            let who = format!("{}[{}]", reading.stat.name, reading.key.pid);
            told.missing.push(format!("who creates the threads of {who}: {refusal}; {}", refusal.hint()));
            None
        }
    }
}

impl Jvm {
    /// Who it is.
    pub(super) fn reading(&self) -> &ProcessReading {
        &self.reading
    }
}

/// The agent in that JVM; without one it does nothing.
#[derive(Default)]
pub(super) struct Witness<'a> {
    agent: Option<Agent<'a>>,
    asked: f64,
    began: f64,
    boot: f64,
}

impl<'a> Witness<'a> {
    /// Loads it.
    pub(super) fn load(jvm: Option<&'a mut Jvm>, told: &mut Told) -> Self {
        let Some(jvm) = jvm else { return Self::default() };
        told.key = Some((jvm.reading.key.pid, jvm.reading.key.start));
        told.command =
            jvm.reading.jvm.value().map_or_else(String::new, |jvm| jvm.command.as_str().to_owned());
        told.impact.level = AccessLevel::Attach;
        let listener =
            if jvm.listener_up { "was up already" } else { "was started (one thread, which stays)" };
        told.impact.done.push(format!("its attach listener {listener}"));
        let loaded = Agent::load(&mut jvm.attachment, visit::patience()).and_then(|mut agent| {
            agent.watch()?;
            Ok(agent)
        });
        match loaded {
            Ok(agent) => {
                told.impact.level = AccessLevel::Agent;
                let now = Clock::monotonic();
                Self { agent: Some(agent), asked: now, began: now, boot: Clock::boot() }
            }
            Err(refusal) => {
                told.missing.push(format!(
                    "who creates threads: the agent was not used: {refusal}; {}",
                    refusal.hint()
                ));
                Self::default()
            }
        }
    }

    /// Keeps it alive; to be called often.
    pub(super) fn tick(&mut self) {
        let now = Clock::monotonic();
        if let Some(agent) = &mut self.agent
            && now - self.asked > POLL_S
        {
            agent.poll();
            self.asked = now;
        }
    }

    /// Asks for what was seen, and takes the hook out.
    pub(super) fn finish(self, told: &mut Told) {
        let Some(mut agent) = self.agent else { return };
        told.inside.spawns = agent.poll();
        told.inside.watched = Some((self.boot, Clock::boot()));
        match agent.owners() {
            Ok(owners) => told.inside.owners = owners,
            Err(refusal) => told.missing.push(format!("what the threads work for: {refusal}")),
        }
        let figures = agent.figures();
        if figures.dropped > 0 {
            told.missing.push(format!("{} births found no place in the agent's ring", figures.dropped));
        }
        if figures.expired {
            told.missing
                .push("the agent's hook ended by itself: flatfoot was stopped for too long".to_owned());
        }
        match agent.stop() {
            Ok(figures) => told.impact.done.extend(visit::agent_words(&figures)),
            Err(refusal) => told.missing.push(format!("taking the agent's hook out: {refusal}")),
        }
        told.impact.attached_s = Clock::monotonic() - self.began;
    }
}

impl Told {
    /// Reads what the frames' jars are called, while the process is there.
    pub(super) fn name(&mut self, prober: &Prober, reading: &ProcessReading) {
        visit::name(prober.root(), reading, &mut self.inside);
    }

    /// Who made these threads, surest first.
    pub(super) fn creators(
        &self,
        pattern: &str,
        threads: &[Thread],
        ticks_per_second: u64,
    ) -> Vec<CreatedBy> {
        let mut threads = threads.to_vec();
        threads.sort_unstable_by_key(|thread| thread.tid);
        let group = ThreadGroup {
            pattern: pattern.into(),
            members: threads.iter().map(|thread| thread.tid).collect(),
            births: threads.iter().map(|thread| thread.start.seconds(ticks_per_second)).collect(),
            ..ThreadGroup::default()
        };
        let mut found = of_group(&group, &threads, &self.inside, &self.command).created_by;
        // What could have made them is no news beside what did, or beside nothing at all.
        found.retain(|by| by.source != "site");
        for by in &mut found {
            if by.source != "owner" {
                // Of those that leaked, not of those that were seen.
                by.of = by.of.max(threads.len() as u64);
            }
        }
        found.truncate(MOST);
        found
    }
}
