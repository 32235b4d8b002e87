//! Reading must not allocate for each line or file: what a look keeps is one name per thread, and nothing besides
//! that grows with their number.

#![allow(unsafe_code)] // an allocator that counts

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::{Arc, Barrier};

use model::Pid;
use probe::{Parts, Prober, ProcRoot, ThreadDepth};

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

fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = COUNT.with(Cell::get);
    let value = work();
    (COUNT.with(Cell::get) - before, value)
}

#[test]
fn one_allocation_for_each_thread_and_few_for_a_process() {
    const THREADS: usize = 200;
    let barrier = Arc::new(Barrier::new(THREADS + 1));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            std::thread::spawn(move || {
                barrier.wait();
                barrier.wait();
            })
        })
        .collect();
    barrier.wait();
    let own = Pid(std::process::id());
    let mut prober = Prober::new(ProcRoot::open("/proc").unwrap());
    let parts = Parts { threads: ThreadDepth::WithStacks, ..Parts::overview() };
    // Once before, so that the buffers have their sizes.
    prober.process(own, &parts).unwrap();
    let (count, reading) = allocations(|| prober.process(own, &parts).unwrap());
    let read = reading.threads.value().unwrap().len() as u64;
    assert!(read > THREADS as u64);
    assert!(count <= read + 3, "{count} allocations for {read} threads");
    let (count, _) = allocations(|| prober.process(own, &Parts::overview()).unwrap());
    assert!(count <= 1, "{count} allocations for an overview: one is the name");
    barrier.wait();
    for thread in threads {
        thread.join().unwrap();
    }
}
