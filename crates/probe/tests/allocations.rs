//! Reading must not allocate for each line or file: what a look keeps is one name per thread, and nothing besides
//! that grows with their number.

mod counting;

use std::sync::{Arc, Barrier};

use counting::allocations;
use model::Pid;
use probe::{Parts, Prober, ProcRoot, ThreadDepth};

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
