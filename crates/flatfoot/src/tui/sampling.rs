//! Samples the host, in a thread of its own: each tick goes to the view, which gives its memory back.

use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context as _, Result};
use model::Tick;
use probe::{Clock, ProcRoot, Sampler, SamplerOptions};

use super::event::{Event, spawn};

/// Ticks that are on the way: one is filled while the other is shown. A view that is slow is not flooded.
const TICKS: usize = 2;

/// Starts sampling; gives where to return ticks that were taken in.
pub(crate) fn start(interval_s: f64, send: Sender<Event>) -> Result<Sender<Box<Tick>>> {
    let root = ProcRoot::open("/proc").context("opening /proc")?;
    let options = SamplerOptions { interval_s, ..SamplerOptions::default() };
    let sampler = Sampler::new(root, options).context("sampling /proc")?;
    let (give_back, returned) = channel();
    for _ in 0..TICKS {
        let _ = give_back.send(Box::new(Tick::default()));
    }
    spawn("sampler", send.clone(), move || sample(sampler, interval_s, &send, &returned))?;
    Ok(give_back)
}

fn sample(mut sampler: Sampler, interval_s: f64, send: &Sender<Event>, returned: &Receiver<Box<Tick>>) {
    let mut due = Clock::monotonic();
    // Both ends go when the view does.
    while let Ok(mut tick) = returned.recv() {
        let now = Clock::monotonic();
        if let Err(error) = sampler.tick(&mut tick) {
            let _ = send.send(Event::Failed(format!("sampling /proc: {error}")));
            return;
        }
        tick.late_us = ((now - due).max(0.0) * 1e6) as u64;
        if send.send(Event::Tick(tick)).is_err() {
            return;
        }
        // What was missed is not made up for.
        due = (due + interval_s).max(Clock::monotonic());
        Clock::sleep(due - Clock::monotonic());
    }
}
