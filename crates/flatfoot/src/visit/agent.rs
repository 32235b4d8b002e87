//! The agent: what the threads that exist work for, which code could have made them, and who starts the next ones.

use model::{AccessLevel, Bytes, SpawnStack, show};
use probe::Clock;
use probe::hotspot::agent::{Agent, Figures, Refusal as AgentRefusal};
use probe::hotspot::attach::{Attachment, Refusal};

use super::{Plan, Told, Wait, patience, recorder};
use crate::interrupt;
use crate::present;
use crate::present::progress::Countdown;

/// Seconds between looks at what was recorded: short enough that one birth a second is seen at once.
const POLL_S: f64 = 0.2;

/// Loads it, asks about what is there, waits for births, and takes the hook out again.
pub(super) fn ask(plan: &Plan<'_>, attachment: &mut Attachment, told: &mut Told) -> Result<(), Refusal> {
    match with_agent(plan, attachment, told) {
        Ok(figures) => {
            told.impact.done.extend(words(&figures));
            Ok(())
        }
        Err(AgentRefusal::Attach(refusal)) => Err(refusal),
        Err(refusal) => {
            told.impact.level = AccessLevel::Attach;
            told.inside.missing.push(format!("the agent was not used: {refusal}; {}", refusal.hint()));
            if plan.waits.is_empty() || !refusal.leaves_jfr() {
                return super::threads(attachment, told);
            }
            if !plan.term.quiet && !plan.term.json {
                eprintln!(
                    "It takes no agent; its flight recorder is asked instead: some 33 MB and four threads of it stay."
                );
            }
            recorder::ask(plan, attachment, told).or_else(|refusal| {
                told.inside.missing.push(format!("its flight recorder: {refusal}; {}", refusal.hint()));
                super::threads(attachment, told)
            })
        }
    }
}

fn with_agent(
    plan: &Plan<'_>,
    attachment: &mut Attachment,
    told: &mut Told,
) -> Result<Figures, AgentRefusal> {
    let mut agent = Agent::load(attachment, patience())?;
    let owners = plan.walk_s.and_then(|budget_s| match agent.owners_and_holders(budget_s) {
        Ok(owners) => Some(Ok(owners)),
        Err(refusal) => {
            told.inside.missing.push(format!("who holds the pools: {refusal}; {}", refusal.hint()));
            None
        }
    });
    match owners.unwrap_or_else(|| agent.owners()) {
        Ok(owners) => told.inside.owners = owners,
        Err(refusal) => told.inside.missing.push(format!("owners of existing threads: {refusal}")),
    }
    let walk_s = agent.figures().walk_s;
    if walk_s > 0.0 {
        told.impact.longest_pause_s = told.impact.longest_pause_s.max(walk_s);
        told.impact.done.push(format!("stopped for {} to walk its heap", show::pause(walk_s)));
    }
    match agent.sites() {
        Ok(sites) => told.inside.sites = sites,
        Err(refusal) => told.inside.missing.push(format!("creation sites: {refusal}")),
    }
    told.inside.missing.extend(agent.missing().iter().cloned());
    super::name_jars(plan, &mut told.inside);
    interim(plan, told);
    if plan.waits.is_empty() {
        return agent.stop();
    }
    if plan.waits.iter().all(Wait::is_too_short) {
        told.inside.missing.extend(plan.waits.first().map(too_far));
        return agent.stop();
    }
    let from = Clock::boot();
    agent.watch()?;
    let spawns = wait_for_births(plan, &mut agent);
    let figures = agent.figures();
    told.inside.watched = Some((from, Clock::boot()));
    told.inside.spawns = spawns;
    if figures.dropped > 0 {
        let dropped = show::count(figures.dropped);
        told.inside.missing.push(format!("{dropped} births found no place in the agent's ring"));
    }
    if figures.assumed > 0 {
        told.inside.missing.push(format!(
            "of {} of {} births only the innermost frames were read: they are those of a stack that was seen before, and the rest is taken to be its, too",
            show::count(figures.assumed),
            show::count(figures.starts)
        ));
    }
    // Its last figures have what was still under way.
    let stopped = agent.stop()?;
    Ok(stopped)
}

/// Until every wait has seen enough, or is over.
fn wait_for_births(plan: &Plan<'_>, agent: &mut Agent<'_>) -> Vec<SpawnStack> {
    let longest = plan.waits.iter().map(|wait| wait.at_most_s).fold(0.0, f64::max);
    let progress =
        Countdown::start_with(longest, "waiting for a birth  {bar:30}  {pos} of {len} s, Ctrl-C ends it");
    let began = Clock::monotonic();
    loop {
        let spawns = agent.poll();
        let elapsed = Clock::monotonic() - began;
        progress.at(elapsed);
        let over = |wait: &Wait| wait.is_over(&spawns) || elapsed >= wait.at_most_s;
        if plan.waits.iter().all(over) || agent.figures().expired {
            return spawns;
        }
        if !interrupt::sleep(POLL_S.min(longest - elapsed)) {
            return agent.poll();
        }
    }
}

/// What is known before a birth, as it may be a while until one.
fn interim(plan: &Plan<'_>, told: &Told) {
    if plan.term.quiet || plan.term.json {
        return;
    }
    for by in super::first_words(plan, told) {
        eprintln!("{}", present::owner_line(&by));
    }
}

fn too_far(wait: &Wait) -> String {
    let expected = wait.expected_s.unwrap_or(0.0);
    format!(
        "the next birth is expected in {}: --for {:.0}m waits for it",
        show::duration(expected),
        (expected / 60.0).ceil() + 2.0
    )
}

/// `agent 87 KB loaded, hook removed (the file stays mapped, idle, until a restart)`.
pub(crate) fn loaded(figures: &Figures) -> String {
    format!(
        "agent {} loaded, hook removed (the file stays mapped, idle, until a restart)",
        show::bytes(Bytes(figures.bytes))
    )
}

/// `agent 87 KB loaded, hook removed (…)`, `3 thread starts slowed by 8 µs each`.
pub(crate) fn words(figures: &Figures) -> Vec<String> {
    let mut words = vec![loaded(figures)];
    if figures.starts > 0 {
        let starts = if figures.starts == 1 {
            "1 thread start".to_owned()
        } else {
            format!("{} thread starts", show::count(figures.starts))
        };
        words.push(format!("{starts} slowed by {:.0} µs each", figures.hook_ns_per_start / 1e3));
    }
    words
}
