//! Prints the memory classes of a process, or of a saved maps file: for looking at, and for comparing with what the
//! program itself says. `memory_map PID|FILE [COMMAND LINE…]`; DEPTH=maps|touched reads less, STACKS and MAPPINGS set
//! to anything list those.
#![allow(clippy::print_stdout)]

use model::{Amounts, Bytes, MemoryClass, MemoryMap, Pid, ProcessReading, Reading, Text};
use probe::classify::classify;
use probe::{Parts, Prober, ProcRoot, SpaceDepth, ThreadDepth, proc};

fn main() {
    let Some(what) = std::env::args().nth(1) else {
        return println!("usage: memory_map PID|FILE [COMMAND LINE…]");
    };
    let Some(process) = what.parse().map_or_else(|_| saved(&what), live) else {
        return println!("there is no {what}");
    };
    if let Some(why) = process.space.absence() {
        return println!("{why}");
    }
    let map = classify(&process);
    println!("{:20} {:>6} {:>12} {:>12} {:>12}", "class", "maps", "reserved K", "committed K", "touched K");
    for (class, amounts) in &map.classes {
        line(class.label(), amounts);
    }
    line("total", &map.total);
    let (count, missing) = (map.stacks.len(), &map.stacks_missing);
    println!("stacks {count} missing {missing:?} libc {:?} exact {}", map.libc, map.committed_exact);
    lists(&process, &map);
}

fn live(pid: u32) -> Option<ProcessReading> {
    let space = match std::env::var("DEPTH").as_deref() {
        Ok("maps") => SpaceDepth::Maps,
        Ok("touched") => SpaceDepth::Touched,
        _ => SpaceDepth::Details,
    };
    let threads = ThreadDepth::WithStacks;
    let parts = Parts { statm: true, cmdline: true, threads, space, ..Parts::default() };
    Prober::new(ProcRoot::open("/proc").ok()?).process(Pid(pid), &parts)
}

fn saved(file: &str) -> Option<ProcessReading> {
    let text = std::fs::read(file).ok()?;
    Some(ProcessReading {
        cmdline: Reading::Value(std::env::args().skip(2).map(Text::from).collect()),
        space: probe::Absence::or_value(proc::maps::parse(&text)),
        ..ProcessReading::default()
    })
}

fn kib(bytes: Bytes) -> u64 {
    bytes.0 / 1024
}

fn line(name: &str, of: &Amounts) {
    let touched = of.touched.map_or_else(|| "-".to_owned(), |touched| kib(touched).to_string());
    println!("{name:20} {:>6} {:>12} {:>12} {touched:>12}", of.maps, kib(of.reserved), kib(of.committed));
}

fn lists(process: &ProcessReading, map: &MemoryMap) {
    if std::env::var_os("STACKS").is_some() {
        for stack in &map.stacks {
            let (size, touched) = (kib(stack.reserved()), stack.touched.map(kib));
            let range = format!("{:x}-{:x}", stack.start, stack.end);
            println!("{} {range} {size}K touched {touched:?} guard {}K", stack.tid, kib(stack.guard));
        }
    }
    if std::env::var_os("MAPPINGS").is_none() {
        return;
    }
    let Some(space) = process.space.value() else { return };
    let classes = map.class_of.iter().copied().map(MemoryClass::label);
    for (mapping, class) in space.mappings.iter().zip(classes) {
        let range = format!("{:x}-{:x}", mapping.start, mapping.end);
        let size = kib(mapping.size());
        println!("{range} {} {size:>10}K {class:20} {}", mapping.perms.letters(), space.name(mapping));
    }
}
