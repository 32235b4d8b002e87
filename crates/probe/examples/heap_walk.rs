//! Walks the heap of a JVM, and shows who holds what: `heap_walk PID PAUSE_S [CLASS …]`. The JVM stands still meanwhile.

#![allow(clippy::print_stdout)] // a program for a terminal

use model::{Pid, ProcessKey, Text};
use probe::hotspot::agent::{Agent, Refusal, walk_estimate_s};
use probe::hotspot::attach::{Attachment, Patience};
use probe::hotspot::inside;
use probe::{Parts, Prober, ProcRoot};

fn main() {
    let mut words = std::env::args().skip(1);
    let pid = words.next().and_then(|word| word.parse().ok());
    let pause_s = words.next().and_then(|word| word.parse().ok());
    let (Some(pid), Some(pause_s)) = (pid, pause_s) else {
        println!("usage: heap_walk PID PAUSE_S [CLASS …]");
        return;
    };
    let classes: Vec<Text> = words.map(Text::from).collect();
    let root = ProcRoot::open("/proc");
    let key = key(Pid(pid));
    if let (Ok(root), Some(key)) = (root, key)
        && let Err(refusal) = show(&root, &key, pause_s, &classes)
    {
        println!("error: {refusal}\nhint: {}", refusal.hint());
    }
}

fn key(pid: Pid) -> Option<ProcessKey> {
    let mut prober = Prober::new(ProcRoot::open("/proc").ok()?);
    prober.process(pid, &Parts::default()).map(|process| process.key)
}

fn show(root: &ProcRoot, key: &ProcessKey, pause_s: f64, classes: &[Text]) -> Result<(), Refusal> {
    let patience = Patience::default();
    let mut attachment = Attachment::open(root, key, &patience)?;
    let used = inside::heap_used(&mut attachment, &patience)?;
    println!("{used} bytes in use: at most {:.3} s", walk_estimate_s(used));
    let mut agent = Agent::load(&mut attachment, patience)?;
    println!("direct: {:?}", agent.direct_buffers()?);
    for held in agent.holders(classes, pause_s)? {
        println!("{}", held.class);
        for holder in &held.holders {
            println!("    {} references, {} bytes: {}", holder.count, holder.bytes, holder.by);
        }
        for path in &held.paths {
            println!("    {:?} by {path}", path.holds);
        }
    }
    let figures = agent.figures();
    println!("{:.3} s, {} references, {:.3} s in all", figures.walk_s, figures.references, figures.looked_s);
    println!("missing: {:?}", agent.missing());
    Ok(())
}
