//! Prints the memory classes of a process, or of a saved maps (or smaps) file: for looking at, and for comparing with
//! what the program itself says.
#![allow(clippy::print_stdout)]

use model::{MemoryClass, Pid, ProcessKey, ProcessReading, Reading, StackHint, Text, Thread};
use probe::budget::Pace;
use probe::{PidDir, ProcRoot, SpaceDepth};

fn main() {
    let Some(what) = std::env::args().nth(1) else {
        return println!("usage: memory_map PID|FILE [CMDLINE…]");
    };
    let mut process = ProcessReading::default();
    if let Ok(pid) = what.parse::<u32>() {
        let Ok(root) = ProcRoot::open("/proc") else { return };
        let Ok(dir) = PidDir::open(&root, Pid(pid)) else { return println!("no such process") };
        process.key = ProcessKey { pid: Pid(pid), ..ProcessKey::default() };
        let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
        let pages: u64 = statm.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
        process.stat.virtual_size = model::Bytes(pages * 4096);
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        process.cmdline = Reading::Value(line.split(|byte| *byte == 0).map(Text::from_bytes).collect());
        let mut threads = Vec::new();
        for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let Some(tid) = task.file_name().to_str().and_then(|tid| tid.parse::<u32>().ok()) else {
                continue;
            };
            let robust = probe::sys::robust_list::head(Pid(tid)).ok().flatten().map(StackHint::RobustList);
            let pointer = || {
                let line = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall")).ok()?;
                let mut words = line.split_ascii_whitespace().rev();
                u64::from_str_radix(words.nth(1)?.trim_start_matches("0x"), 16)
                    .ok()
                    .map(StackHint::StackPointer)
            };
            threads.push(Thread { tid: Pid(tid), stack: robust.or_else(pointer), ..Thread::default() });
        }
        let hints: Vec<u64> =
            threads.iter().filter_map(|thread| thread.stack).map(StackHint::address).collect();
        process.threads = Reading::Value(threads);
        let depth = match std::env::var("DEPTH").as_deref() {
            Ok("maps") => SpaceDepth::Maps,
            Ok("touched") => SpaceDepth::Touched,
            _ => SpaceDepth::Details,
        };
        process.space = probe::proc::space::read(&dir, depth, &hints, &Pace::here());
    } else {
        let text = std::fs::read(&what).unwrap_or_default();
        process.cmdline = Reading::Value(std::env::args().skip(2).map(Text::from).collect());
        let smaps = probe::proc::smaps::parse(&text).map(|(space, _)| space);
        process.space = match smaps {
            Ok(space) if text.windows(4).any(|word| word == b"Rss:") => Reading::Value(space),
            _ => probe::Absence::or_value(probe::proc::maps::parse(&text)),
        };
    }
    if let Some(why) = process.space.absence() {
        return println!("{why}");
    }
    let map = probe::classify::classify(&process);
    let kib = |bytes: model::Bytes| bytes.0 / 1024;
    println!("{:20} {:>6} {:>12} {:>12} {:>12}", "class", "maps", "reserved K", "committed K", "touched K");
    for class in MemoryClass::ALL {
        let of = map.of(class);
        if of.maps > 0 || of.reserved.0 > 0 {
            println!(
                "{:20} {:>6} {:>12} {:>12} {:>12}",
                class.label(),
                of.maps,
                kib(of.reserved),
                kib(of.committed),
                of.touched.map_or("-".into(), |t| kib(t).to_string())
            );
        }
    }
    println!(
        "{:20} {:>6} {:>12} {:>12} {:>12}",
        "total",
        map.total.maps,
        kib(map.total.reserved),
        kib(map.total.committed),
        map.total.touched.map_or("-".into(), |t| kib(t).to_string())
    );
    println!(
        "stacks {} missing {:?} libc {:?} exact {}",
        map.stacks.len(),
        map.stacks_missing,
        map.libc,
        map.committed_exact
    );
    if std::env::var_os("STACKS").is_some() {
        for stack in &map.stacks {
            println!(
                "{} {:x}-{:x} {}K touched {:?} guard {}K",
                stack.tid,
                stack.start,
                stack.end,
                kib(stack.reserved()),
                stack.touched.map(kib),
                kib(stack.guard)
            );
        }
    }
    if std::env::var_os("MAPPINGS").is_some()
        && let Some(space) = process.space.value()
    {
        for (mapping, class) in space.mappings.iter().zip(&map.class_of) {
            println!(
                "{:x}-{:x} {} {:>10}K {:20} {}",
                mapping.start,
                mapping.end,
                mapping.perms.letters(),
                kib(mapping.size()),
                class.label(),
                space.name(mapping)
            );
        }
    }
}
