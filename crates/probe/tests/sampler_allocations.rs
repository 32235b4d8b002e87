//! A recorder runs for months: a tick in which nothing happens must not allocate at all, however many processes there
//! are, so that nothing can grow.

mod counting;

use counting::allocations;
use model::{EventKind, Tick};
use probe::{ProcRoot, Sampler, SamplerOptions};

/// A host of so many processes in which nothing ever happens: others start and end processes on a real one.
fn still_host(processes: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("its folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("meminfo", "MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 500 kB\nCommitted_AS: 800 kB\n");
    write("stat", "cpu 0 0 0 0\nbtime 1700000000\nprocesses 4000\n");
    write("loadavg", "0.00 0.00 0.00 1/200 4000\n");
    write("sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
    for pid in 1..=processes {
        let record = |comm: &str| {
            format!(
                "{pid} ({comm}) S 1 1 1 0 -1 4194304 10 0 0 0 5 5 0 0 20 0 2 0 100 9000000 300 18446744073709551615 0 0 0 0 0 \
                 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
            )
        };
        write(&format!("{pid}/stat"), &record("still"));
        write(&format!("{pid}/comm"), "still\n");
        write(&format!("{pid}/cmdline"), "still\0-v\0");
        write(&format!("{pid}/cgroup"), "0::/system.slice/still.service\n");
        write(&format!("{pid}/statm"), "2200 300 200 10 0 100 0\n");
        write(&format!("{pid}/io"), "read_bytes: 10\nwrite_bytes: 20\n");
        write(&format!("{pid}/fd/0"), "");
        for tid in [pid, pid + 100_000] {
            write(
                &format!("{pid}/task/{tid}/stat"),
                &record("worker").replacen(&pid.to_string(), &tid.to_string(), 1),
            );
        }
    }
    dir
}

#[test]
fn a_tick_in_which_nothing_happens_allocates_nothing() {
    let host = still_host(100);
    let root = ProcRoot::open(host.path()).unwrap();
    let options = SamplerOptions { interval_s: 1.0, ..SamplerOptions::default() };
    let mut sampler = Sampler::new(root, options).unwrap();
    let mut tick = Tick::default();
    // Once around all turns, so that every buffer has its size.
    for _ in 0..30 {
        sampler.tick(&mut tick).unwrap();
    }
    assert_eq!(sampler.len(), 100);
    let mut counts = Vec::new();
    for _ in 0..120 {
        let (count, ticked) = allocations(|| sampler.tick(&mut tick));
        ticked.unwrap();
        counts.push(count);
        assert!(tick.events.iter().all(|event| matches!(event.what, EventKind::ClockSet { .. })), "{tick:?}");
    }
    assert!(counts.iter().all(|count| *count == 0), "{counts:?}");
}
