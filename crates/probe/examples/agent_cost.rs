//! Loads the agent into a JVM, shows what it tells, and what that cost: `agent_cost PID [SECONDS]`.

#![allow(clippy::print_stdout)] // a program for a terminal

use model::{JavaFrame, Pid, ProcessKey};
use probe::hotspot::agent::{Agent, Refusal};
use probe::hotspot::attach::{Attachment, Patience};
use probe::{Clock, Parts, Prober, ProcRoot};

fn main() {
    let mut words = std::env::args().skip(1);
    let Some(pid) = words.next().and_then(|word| word.parse().ok()) else {
        println!("usage: agent_cost PID [SECONDS]");
        return;
    };
    let seconds = words.next().and_then(|word| word.parse().ok()).unwrap_or(3.0);
    let root = ProcRoot::open("/proc");
    let key = key(Pid(pid));
    if let (Ok(root), Some(key)) = (root, key)
        && let Err(refusal) = show(&root, &key, seconds)
    {
        println!("error: {refusal}\nhint: {}", refusal.hint());
    }
}

fn key(pid: Pid) -> Option<ProcessKey> {
    let mut prober = Prober::new(ProcRoot::open("/proc").ok()?);
    prober.process(pid, &Parts::default()).map(|process| process.key)
}

fn timed<T>(what: &str, step: impl FnOnce() -> T) -> T {
    let began = Clock::monotonic();
    let result = step();
    println!("== {what}: {:.2} ms", (Clock::monotonic() - began) * 1e3);
    result
}

fn show(root: &ProcRoot, key: &ProcessKey, seconds: f64) -> Result<(), Refusal> {
    let patience = Patience::default();
    let mut attachment = timed("attach", || Attachment::open(root, key, &patience))?;
    let mut agent = timed("load", || Agent::load(&mut attachment, patience))?;
    for owner in timed("owners", || agent.owners())? {
        println!("{} × {} {:?}", owner.count, owner.thread_class, owner.examples);
        for link in &owner.links {
            let mark = if link.application { "*" } else { " " };
            println!("   {mark}{:8} {} ({}) {:?}", link.role, link.class, link.path, link.origin);
        }
        println!(
            "    {:?} loader {:?} sources {:?}",
            owner.pool, owner.context_loader, owner.inherited_sources
        );
        println!("    {:?}", owner.schedules);
    }
    println!("looked at {} in {:.2} ms", agent.figures().looked_at, agent.figures().looked_s * 1e3);
    for site in timed("sites", || agent.sites())? {
        println!("{} → {}", frame(&site.at), site.makes);
    }
    println!("looked at {} in {:.2} ms", agent.figures().looked_at, agent.figures().looked_s * 1e3);
    println!("missing: {:?}", agent.missing());
    timed("watch", || agent.watch())?;
    let until = Clock::monotonic() + seconds;
    let mut spawns = Vec::new();
    while Clock::monotonic() < until {
        Clock::sleep(0.5_f64.min(seconds));
        spawns = timed("poll", || agent.poll());
    }
    for spawn in spawns {
        let names: Vec<&str> = spawn.births.iter().take(3).map(|birth| birth.name.as_str()).collect();
        println!("{} starts ({} failed), e.g. {names:?}", spawn.count, spawn.failed);
        for at in &spawn.frames {
            println!("    {}", frame(at));
        }
    }
    let figures = timed("stop", || agent.stop())?;
    println!("{figures:#?}");
    Ok(())
}

fn frame(frame: &JavaFrame) -> String {
    let file = frame.file.as_ref().map_or("?", |file| file.as_str());
    let origin = frame.origin.as_ref().map_or("", |origin| origin.as_str());
    format!("{}.{}({file}:{:?}) {origin} jdk={}", frame.class, frame.method, frame.line, frame.of_jdk)
}
