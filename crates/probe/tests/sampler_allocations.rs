//! A recorder runs for months: a tick in which nothing happens must not allocate at all, however many processes there
//! are, so that nothing can grow.

#![allow(unsafe_code)] // an allocator that counts

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::process::Command;

use model::{EventKind, Tick};
use probe::{ProcRoot, Sampler, SamplerOptions};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed to the system's allocator unchanged; counting touches only a thread-local number,
// which needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those that System asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the place came from `alloc` above, that is from System.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_tick_in_which_nothing_happens_allocates_nothing() {
    let mut children: Vec<_> = (0..100).map(|_| Command::new("sleep").arg("1000").spawn().unwrap()).collect();
    let root = ProcRoot::open("/proc").unwrap();
    let options = SamplerOptions { interval_s: 1.0, ..SamplerOptions::default() };
    let mut sampler = Sampler::new(root, options).unwrap();
    let mut tick = Tick::default();
    // Once around all turns, so that every buffer has its size.
    for _ in 0..30 {
        sampler.tick(&mut tick).unwrap();
    }
    let mut quiet = Vec::new();
    for _ in 0..120 {
        let before = COUNT.with(Cell::get);
        sampler.tick(&mut tick).unwrap();
        let count = COUNT.with(Cell::get) - before;
        // Others start and end processes on this host: what they do is told, and an event has text.
        if tick.events.iter().all(|event| matches!(event.what, EventKind::ClockSet { .. })) {
            quiet.push(count);
        }
    }
    let silent = quiet.iter().filter(|count| **count == 0).count();
    // A JVM that somebody else runs here is looked into each ten seconds, with a list of its limits.
    assert!(quiet.len() > 20, "{} quiet ticks", quiet.len());
    assert!(silent * 10 >= quiet.len() * 9, "{quiet:?}");
    assert!(quiet.iter().all(|count| *count < 100), "{quiet:?}");
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
