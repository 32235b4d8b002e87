//! Attaches to a JVM and asks it diagnostic commands, with the time each took: `attach PID Thread.print VM.flags`. Without a
//! command it only looks whether it could.

#![allow(clippy::print_stdout)] // a program for a terminal

use model::{Pid, ProcessKey};
use probe::hotspot::attach::{Attachment, Patience, Refusal, preview};
use probe::{Clock, Parts, Prober, ProcRoot};

fn main() {
    let mut words = std::env::args().skip(1);
    let Some(pid) = words.next().and_then(|word| word.parse().ok()) else {
        println!("usage: attach PID [COMMAND …]");
        return;
    };
    let Some(key) = key(Pid(pid)) else {
        println!("no process {pid}");
        return;
    };
    if let Err(refusal) = ask(&key, words) {
        println!("error: {refusal}\nhint: {}", refusal.hint());
    }
}

fn key(pid: Pid) -> Option<ProcessKey> {
    let mut prober = Prober::new(ProcRoot::open("/proc").ok()?);
    prober.process(pid, &Parts::default()).map(|process| process.key)
}

fn ask(key: &ProcessKey, commands: impl Iterator<Item = String>) -> Result<(), Refusal> {
    let root = ProcRoot::open("/proc").map_err(|_| Refusal::NotHere)?;
    let mut commands = commands.peekable();
    if commands.peek().is_none() {
        let began = Clock::monotonic();
        let preview = preview(&root, key)?;
        println!("{preview:#?}\npreview: {:.3} ms", (Clock::monotonic() - began) * 1e3);
        return Ok(());
    }
    let patience = Patience::default();
    let began = Clock::monotonic();
    let mut attachment = Attachment::open(&root, key, &patience)?;
    let took_ms = (Clock::monotonic() - began) * 1e3;
    println!("attach ({}): {took_ms:.3} ms", if attachment.was_cold() { "first" } else { "later" });
    for command in commands {
        let began = Clock::monotonic();
        let text = attachment.jcmd(&command, &patience)?;
        println!("{text}{command}: {} bytes in {:.3} ms", text.len(), (Clock::monotonic() - began) * 1e3);
    }
    Ok(())
}
