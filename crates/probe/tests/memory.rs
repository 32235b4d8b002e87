//! Memory whose size, class and use are known, mapped by this very process: what is read of it must be just that.

#![allow(clippy::unwrap_used, unsafe_code)] // helpers of tests are tests; mapping memory is what is tested

use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::sync::Barrier;

use model::{AddressSpace, Bytes, MemoryClass, MemoryMap, Pid, ProcessReading, Reading, TouchedFrom};
use probe::budget::Pace;
use probe::classify::classify;
use probe::{Parts, PidDir, Prober, ProcRoot, SpaceDepth, ThreadDepth};

const PAGE: usize = 4096;
const MIB: usize = 1 << 20;

fn read(depth: SpaceDepth) -> ProcessReading {
    let parts = Parts { statm: true, threads: ThreadDepth::WithStacks, space: depth, ..Parts::default() };
    let mut prober = Prober::new(ProcRoot::open("/proc").unwrap());
    prober.process(Pid(std::process::id()), &parts).unwrap()
}

fn space(process: &ProcessReading) -> &AddressSpace {
    process.space.value().unwrap_or_else(|| panic!("{:?}", process.space.absence()))
}

/// A mapping that is removed in the end, with a page that is not accessible on each side, so that the kernel merges it
/// with nothing.
struct Mapped {
    start: *mut u8,
    size: usize,
}

impl Mapped {
    fn new(size: usize, protection: i32, flags: i32, fd: i32) -> Self {
        let whole = size + 2 * PAGE;
        // SAFETY: new memory at a place of the kernel's choice, all of which belongs to this value until it is dropped.
        unsafe {
            let around = libc::mmap(
                ptr::null_mut(),
                whole,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(around, libc::MAP_FAILED);
            let start = around.cast::<u8>().add(PAGE);
            let flags = flags | libc::MAP_FIXED;
            assert_ne!(libc::mmap(start.cast(), size, protection, flags, fd, 0), libc::MAP_FAILED);
            libc::madvise(start.cast(), size, libc::MADV_NOHUGEPAGE);
            Self { start, size }
        }
    }

    fn anonymous(size: usize) -> Self {
        Self::new(size, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
    }

    fn write(&self, pages: impl Iterator<Item = usize>) {
        for page in pages {
            // SAFETY: within the mapping, which may be written, and which nothing else refers to.
            unsafe { self.start.add(page * PAGE).write_volatile(1) };
        }
    }

    fn read(&self) {
        for page in 0..self.size / PAGE {
            // SAFETY: as above; new memory reads as zeros.
            let _ = unsafe { self.start.add(page * PAGE).read_volatile() };
        }
    }

    /// Its index in the list; that it is listed as it was made.
    fn index(&self, space: &AddressSpace) -> usize {
        let index = space.find(self.start.addr() as u64).unwrap();
        let mapping = &space.mappings[index];
        assert_eq!(mapping.start, self.start.addr() as u64);
        assert_eq!(mapping.size(), Bytes(self.size as u64));
        index
    }

    /// Its class and what is in use of it.
    fn found(&self, space: &AddressSpace, map: &MemoryMap) -> (MemoryClass, u64) {
        let index = self.index(space);
        (map.class_of[index], space.touched.value().unwrap()[index])
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the range that `new` made.
        unsafe { libc::munmap(self.start.sub(PAGE).cast(), self.size + 2 * PAGE) };
    }
}

#[test]
fn memory_that_was_only_read_is_not_in_use() {
    let read_only = Mapped::anonymous(16 * MIB);
    read_only.read();
    let written = Mapped::anonymous(8 * MIB);
    written.write([0, 1, 500, 2047].into_iter());
    let reserved = Mapped::new(64 * MIB, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1);
    for depth in [SpaceDepth::Touched, SpaceDepth::Details] {
        let process = read(depth);
        let (space, map) = (space(&process), classify(&process));
        assert_eq!(read_only.found(space, &map), (MemoryClass::Anonymous, 0), "{:?}", space.touched_from);
        assert_eq!(written.found(space, &map), (MemoryClass::Anonymous, 4 * PAGE as u64));
        assert_eq!(reserved.found(space, &map), (MemoryClass::Reserved, 0));
        assert_eq!(map.committed_exact, depth == SpaceDepth::Details);
        if let Some(details) = space.details.value() {
            assert_eq!(details.len(), space.mappings.len());
            let detail = details[written.index(space)];
            assert_eq!((detail.rss, detail.anonymous), (Bytes(4 * PAGE as u64), Bytes(4 * PAGE as u64)));
        }
    }
}

#[test]
fn shared_memory_and_files() {
    let name = CString::new("probe test").unwrap();
    // SAFETY: a new descriptor, kept for the test's time.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0);
    // SAFETY: that descriptor.
    assert_eq!(unsafe { libc::ftruncate(fd, 3 * MIB as i64) }, 0);
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let memfd = Mapped::new(3 * MIB, both, libc::MAP_SHARED, fd);
    memfd.write(0..5);
    let shared = Mapped::new(2 * MIB, both, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1);
    shared.write(7..10);
    let dir = tempfile::tempdir().unwrap();
    let named = dir.path().join("file (deleted)");
    let removed = dir.path().join("removed");
    let map_file = |path: &std::path::Path, flags: i32| {
        std::fs::write(path, vec![7; MIB]).unwrap();
        let file = std::fs::File::open(path).unwrap();
        Mapped::new(MIB, libc::PROT_READ, flags, file.as_raw_fd())
    };
    let named = map_file(&named, libc::MAP_SHARED);
    let gone = map_file(&removed, libc::MAP_PRIVATE);
    std::fs::remove_file(&removed).unwrap();
    let process = read(SpaceDepth::Touched);
    let (space, map) = (space(&process), classify(&process));
    assert_eq!(memfd.found(space, &map), (MemoryClass::Memfd, 5 * PAGE as u64));
    assert_eq!(shared.found(space, &map), (MemoryClass::SharedMemory, 3 * PAGE as u64));
    assert_eq!(named.found(space, &map), (MemoryClass::FileShared, 0), "a file of that name");
    assert_eq!(gone.found(space, &map), (MemoryClass::FileDeleted, 0));
}

#[test]
fn stacks_of_threads() {
    const SIZES: [usize; 3] = [64 << 10, 1 << 20, 8 << 20];
    let barrier = Barrier::new(SIZES.len() * 4 + 1);
    std::thread::scope(|scope| {
        let mut locals = Vec::new();
        for size in SIZES.into_iter().cycle().take(SIZES.len() * 4) {
            let (tell, told) = std::sync::mpsc::channel();
            let barrier = &barrier;
            let thread = std::thread::Builder::new().stack_size(size);
            thread
                .spawn_scoped(scope, move || {
                    let local = 0_u8;
                    let tid = rustix::thread::gettid().as_raw_pid() as u32;
                    tell.send((Pid(tid), (&raw const local).addr() as u64)).unwrap();
                    barrier.wait();
                })
                .unwrap();
            let (tid, local) = told.recv().unwrap();
            locals.push((tid, local, size as u64));
        }
        let process = read(SpaceDepth::Details);
        barrier.wait();
        let map = classify(&process);
        for (tid, local, size) in locals {
            let stack = map.stacks.iter().find(|stack| stack.tid == tid).unwrap();
            assert!((stack.start..stack.end).contains(&local), "{stack:x?} {local:x}");
            // Rounded up to pages, with what the C library adds for itself.
            assert!((size..size + 32 * 1024).contains(&stack.reserved().0), "{stack:x?} {size:x}");
            assert!(stack.guard.0 >= PAGE as u64, "{stack:x?}");
            assert!(
                stack.touched.unwrap().0 >= PAGE as u64 && stack.touched.unwrap().0 <= stack.reserved().0
            );
        }
        let main = map.stacks.iter().find(|stack| stack.tid == Pid(std::process::id())).unwrap();
        assert!(main.end > 0x7ff0_0000_0000, "{main:x?}");
    });
}

#[test]
fn guards_in_a_mapping() {
    const GUARD_INSTALL: i32 = 102;
    let mapped = Mapped::anonymous(MIB);
    // SAFETY: pages of that mapping, which nothing uses.
    let answer = unsafe { libc::madvise(mapped.start.add(16 * PAGE).cast(), 2 * PAGE, GUARD_INSTALL) };
    if answer != 0 {
        return; // Before Linux 6.13 there are none.
    }
    mapped.write([0, 15, 18, 255].into_iter());
    let process = read(SpaceDepth::Touched);
    let space = space(&process);
    assert_eq!(space.touched.value().unwrap()[mapped.index(space)], 4 * PAGE as u64);
    let at = |page: usize| (mapped.start.addr() + page * PAGE) as u64;
    // Linux 6.13 and 6.14 make them and don't tell.
    let told = space.guards.iter().any(|guard| *guard == (at(16), at(18)));
    if told {
        let parts: Vec<_> =
            space.stretches.iter().filter(|part| part.start >= at(0) && part.end <= at(256)).collect();
        assert_eq!((parts[0].touched, parts[1].touched), (2 * PAGE as u64, 2 * PAGE as u64));
        assert_eq!((parts[0].end, parts[1].start), (at(16), at(18)));
    }
}

#[test]
fn two_ways_to_count_agree() {
    let written = Mapped::anonymous(32 * MIB);
    written.write((0..8192).step_by(3));
    let (by_pages, by_smaps) = (read(SpaceDepth::Touched), read(SpaceDepth::Details));
    assert_eq!(space(&by_smaps).touched_from, TouchedFrom::Smaps);
    if space(&by_pages).touched_from != TouchedFrom::PagemapScan {
        return;
    }
    // Between the two looks this process goes on: its heap and stacks change by a little.
    let sum = |process: &ProcessReading| space(process).touched.value().unwrap().iter().sum::<u64>();
    let (pages, smaps) = (sum(&by_pages), sum(&by_smaps));
    assert!(pages > 8 * MIB as u64 && pages.abs_diff(smaps) <= MIB as u64, "{pages} {smaps}");
    for process in [&by_pages, &by_smaps] {
        let map = classify(process);
        assert_eq!(written.found(space(process), &map).1, 2731 * PAGE as u64);
    }
}

#[test]
fn stacks_are_the_same_whoever_is_asked() {
    let look = |threads| {
        let parts = Parts { threads, space: SpaceDepth::Maps, ..Parts::default() };
        let mut prober = Prober::new(ProcRoot::open("/proc").unwrap());
        prober.process(Pid(std::process::id()), &parts).unwrap()
    };
    let barrier = Barrier::new(5);
    let (asked, by_shape, not_by_shape) = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (barrier.wait(), barrier.wait()));
        }
        // A thread that has not run yet has no list to ask for.
        barrier.wait();
        let (asked, by_shape) = (look(ThreadDepth::WithStacks), look(ThreadDepth::StacksOnly));
        // One more that looks like a stack: now their number says that shapes don't tell.
        let _decoy = Mapped::anonymous(MIB);
        let not_by_shape = look(ThreadDepth::StacksOnly);
        barrier.wait();
        (asked, by_shape, not_by_shape)
    });
    let places = |process: &ProcessReading| -> Vec<(u64, u64, Bytes)> {
        let mut places: Vec<_> =
            classify(process).stacks.iter().map(|stack| (stack.start, stack.end, stack.guard)).collect();
        places.sort_unstable();
        places
    };
    if asked.threads.value().unwrap().len() != 6 {
        return; // Not only the main one, this test's, and four: under cargo test others run beside it.
    }
    assert_eq!(by_shape.threads, Reading::Skipped);
    let tids = |process: &ProcessReading| -> Vec<Pid> {
        process.threads.value().unwrap().iter().map(|thread| thread.tid).collect()
    };
    assert_eq!(tids(&not_by_shape), tids(&asked));
    assert_eq!(places(&by_shape), places(&asked));
    assert_eq!(places(&not_by_shape), places(&asked));
    assert_eq!(places(&asked).len(), 6);
}

#[test]
fn classes_sum_to_the_size_and_derived_charges_come_close() {
    let written = Mapped::anonymous(32 * MIB);
    written.write(0..10);
    let process = read(SpaceDepth::Details);
    let map = classify(&process);
    let sum: u64 = map.classes.iter().map(|(_, amounts)| amounts.reserved.0).sum();
    assert_eq!(Bytes(sum), map.total.reserved);
    let statm = process.statm.value().unwrap().size.0;
    // The vsyscall page is listed and not counted; the list was read when this process had grown, perhaps.
    assert!(map.total.reserved.0 >= statm, "{} {statm}", map.total.reserved.0);
    let mut quick = process.clone();
    if let Reading::Value(space) = &mut quick.space {
        space.details = Reading::Skipped;
    }
    let derived = classify(&quick);
    let off = derived.total.committed.0.abs_diff(map.total.committed.0);
    assert!(
        off * 100 <= map.total.committed.0,
        "{} against {}",
        derived.total.committed.0,
        map.total.committed.0
    );
}

#[test]
fn a_process_that_ended_is_gone_at_every_depth() {
    let root = ProcRoot::open("/proc").unwrap();
    let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let dir = PidDir::open(&root, Pid(child.id())).unwrap();
    let depths = [SpaceDepth::Maps, SpaceDepth::Touched, SpaceDepth::Details];
    for depth in depths {
        assert!(probe::proc::space::read(&dir, depth, &[], &Pace::here()).value().is_some());
    }
    assert_eq!(probe::proc::space::read(&dir, SpaceDepth::No, &[], &Pace::here()), Reading::Skipped);
    child.kill().unwrap();
    // A zombie has no memory; one that was waited for has no directory.
    while !std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap().contains(") Z ") {
        std::thread::yield_now();
    }
    for depth in depths {
        assert_eq!(
            probe::proc::space::read(&dir, depth, &[], &Pace::here()),
            Reading::Gone,
            "{depth:?}, a zombie"
        );
    }
    child.wait().unwrap();
    for depth in depths {
        assert_eq!(probe::proc::space::read(&dir, depth, &[], &Pace::here()), Reading::Gone, "{depth:?}");
    }
}
