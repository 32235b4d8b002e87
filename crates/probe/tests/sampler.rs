//! The sampler on this very host: what it says of processes that the test starts is what they did.

#![allow(clippy::unwrap_used)] // none may fail

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use model::{Column, EventKind, Incarnation, Pid, ProcessNo, Tick};
use probe::{Clock, ProcRoot, Sampler, SamplerOptions};

fn sampler(options: SamplerOptions) -> Sampler {
    // Slow enough that everybody is read in each tick, and who is new is taken in at once.
    Sampler::new(ProcRoot::open("/proc").unwrap(), SamplerOptions { interval_s: 3.0, ..options }).unwrap()
}

fn ticked(sampler: &mut Sampler) -> Tick {
    let mut tick = Tick::default();
    sampler.tick(&mut tick).unwrap();
    assert!(tick.rows.is_sorted_by_key(|row| row.process));
    assert_eq!(tick.rows.iter().map(|row| row.values as usize).sum::<usize>(), tick.values.len());
    for (process, values) in tick.by_process() {
        assert!(values.is_sorted_by(|a, b| a.0 < b.0), "{process:?}: {values:?}");
    }
    assert!(tick.events.is_sorted_by_key(|event| event.at_boot_ms));
    tick
}

fn seen(tick: &Tick) -> impl Iterator<Item = (ProcessNo, &Incarnation)> {
    tick.events.iter().filter_map(|event| match &event.what {
        EventKind::ProcessSeen(who) => Some((event.process, &**who)),
        _ => None,
    })
}

fn number_of(tick: &Tick, pid: u32) -> ProcessNo {
    seen(tick).find(|(_, who)| who.key.pid == Pid(pid)).unwrap_or_else(|| panic!("{pid} was not seen")).0
}

fn value(tick: &Tick, process: ProcessNo, column: Column) -> Option<u64> {
    let (_, values) = tick.by_process().find(|(no, _)| *no == process)?;
    values.iter().find(|(c, _)| *c == column).map(|(_, value)| *value)
}

/// A shell that does what it is told, line by line.
struct Shell {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Shell {
    fn start() -> Self {
        let mut child = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut shell = Self { child, out };
        shell.tell("true");
        shell
    }

    fn tell(&mut self, command: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}\necho done $!").unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            self.out.read_line(&mut line).unwrap();
            if let Some(rest) = line.strip_prefix("done") {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_process_is_seen_once_and_its_end_is_told() {
    let mut sampler = sampler(SamplerOptions { next: ProcessNo(500), ..SamplerOptions::default() });
    let first = ticked(&mut sampler);
    assert_eq!(first.rows[0].process, ProcessNo::HOST);
    assert!(value(&first, ProcessNo::HOST, Column::HostCommitted).is_some());
    assert!(seen(&first).all(|(no, _)| no >= ProcessNo(500)));
    let mut shell = Shell::start();
    let tick = ticked(&mut sampler);
    let no = number_of(&tick, shell.child.id());
    assert!(seen(&first).all(|(other, _)| other < no), "numbers in the order of first sight");
    let who = seen(&tick).find(|(one, _)| *one == no).unwrap().1;
    assert_eq!((who.name.as_str(), who.parent), ("sh", Pid(std::process::id())));
    assert!(who.identity.command.as_str().ends_with("sh"), "{:?}", who.identity);
    assert!((who.started_unix_s - Clock::wall()).abs() < 60.0);
    // Slow figures come with the first row, so that nobody waits ten seconds for them.
    assert_eq!(value(&tick, no, Column::Threads), Some(1));
    let open = std::fs::read_dir(format!("/proc/{}/fd", shell.child.id())).unwrap().count() as u64;
    assert_eq!(value(&tick, no, Column::Descriptors), Some(open));
    assert!(value(&tick, no, Column::Data).is_some_and(|data| data > 4096));
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", shell.child.id())).unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(value(&tick, no, Column::Virtual), Some(pages * 4096));
    // It may have begun to use more of its files since.
    let shared: u64 = statm.split(' ').nth(2).unwrap().parse().unwrap();
    let told = value(&tick, no, Column::Shared).unwrap();
    assert!(told > 4096 && told <= shared * 4096, "{told} of {statm}");
    shell.child.kill().unwrap();
    shell.child.wait().unwrap();
    let tick = ticked(&mut sampler);
    let ended: Vec<_> =
        tick.events.iter().filter(|event| event.process == no).map(|event| &event.what).collect();
    assert_eq!(ended, [&EventKind::ProcessEnded]);
    assert!(tick.rows.iter().all(|row| row.process != no));
}

#[test]
fn who_has_a_number_keeps_it() {
    let shell = Shell::start();
    let mut once = sampler(SamplerOptions::default());
    let first = ticked(&mut once);
    let key = seen(&first).find(|(_, who)| who.key.pid.0 == shell.child.id()).unwrap().1.key;
    // The same pid of another birth is somebody else.
    let stranger = model::ProcessKey { start: model::Ticks(key.start.0 - 1), ..key };
    let known = vec![(key, ProcessNo(7)), (stranger, ProcessNo(8))];
    let mut again = sampler(SamplerOptions { known, ..SamplerOptions::default() });
    let tick = ticked(&mut again);
    assert_eq!(number_of(&tick, shell.child.id()), ProcessNo(7));
    let ended = tick.events.iter().filter(|event| event.what == EventKind::ProcessEnded);
    assert_eq!(ended.map(|event| event.process).collect::<Vec<_>>(), [ProcessNo(8)], "nobody saw its end");
    assert!(seen(&tick).all(|(no, _)| no == ProcessNo(7) || no > ProcessNo(8)));
}

#[test]
fn another_program_in_the_same_process_is_told() {
    let mut shell = Shell::start();
    let mut sampler = sampler(SamplerOptions::default());
    let no = number_of(&ticked(&mut sampler), shell.child.id());
    writeln!(shell.child.stdin.as_mut().unwrap(), "exec sleep 1000").unwrap();
    let comm = format!("/proc/{}/comm", shell.child.id());
    while std::fs::read_to_string(&comm).unwrap().trim() != "sleep" {
        std::thread::yield_now();
    }
    let tick = ticked(&mut sampler);
    let renamed = tick.events.iter().find_map(|event| match &event.what {
        EventKind::ProcessRenamed(who) if event.process == no => Some(&**who),
        _ => None,
    });
    let renamed = renamed.expect("an event");
    assert_eq!((renamed.name.as_str(), renamed.identity.command.as_str()), ("sleep", "sleep 1000"));
    assert!(ticked(&mut sampler).events.iter().all(|event| event.process != no), "once");
}

#[test]
fn children_are_counted_dead_ones_apart() {
    let mut shell = Shell::start();
    let mut sampler = sampler(SamplerOptions::default());
    let no = number_of(&ticked(&mut sampler), shell.child.id());
    let pids: Vec<String> = (0..3).map(|_| shell.tell("sleep 1000 &")).collect();
    let tick = ticked(&mut sampler);
    assert_eq!(value(&tick, no, Column::Children), Some(3));
    assert_eq!(value(&tick, no, Column::Zombies), Some(0));
    // A shell that is stopped waits for nobody.
    let stop = |signal: &str, pid: &str| {
        assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
    };
    stop("-STOP", &shell.child.id().to_string());
    stop("-KILL", &pids[0]);
    while !std::fs::read_to_string(format!("/proc/{}/stat", pids[0])).unwrap().contains(") Z ") {
        std::thread::yield_now();
    }
    let tick = ticked(&mut sampler);
    assert_eq!(value(&tick, no, Column::Children), Some(2));
    assert_eq!(value(&tick, no, Column::Zombies), Some(1));
    for pid in &pids[1..] {
        stop("-KILL", pid);
    }
}

#[test]
fn every_birth_and_end_of_a_thread_is_counted() {
    let mut sampler = sampler(SamplerOptions::default());
    let first = ticked(&mut sampler);
    let own = number_of(&first, std::process::id());
    assert!(first.events.iter().all(|event| !matches!(event.what, EventKind::ThreadBorn { .. })));
    let mut born = Vec::new();
    let mut ended = 0;
    let mut threads = Vec::new();
    for round in 0..6_u32 {
        if round < 4 {
            for n in 0..5 {
                let (hold, wait) = channel::<()>();
                let (say, named) = channel();
                let thread = std::thread::Builder::new().name(format!("pool-{round}-{n}")).spawn(move || {
                    say.send(()).unwrap();
                    let _ = wait.recv();
                });
                named.recv().unwrap();
                threads.push((hold, thread.unwrap()));
            }
        }
        if round == 3 {
            for (hold, thread) in threads.drain(..7) {
                drop(hold);
                thread.join().unwrap();
            }
        }
        // Their names are settled: nobody is asked twice.
        std::thread::sleep(std::time::Duration::from_millis(80));
        for event in ticked(&mut sampler).events.iter().filter(|event| event.process == own) {
            match &event.what {
                EventKind::ThreadBorn { name, .. } => born.push(name.as_str().to_owned()),
                EventKind::ThreadEnded { name, .. } => {
                    assert!(name.as_str().starts_with("pool-"), "{name}");
                    ended += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let mut expected: Vec<String> =
        (0..4).flat_map(|round| (0..5).map(move |n| format!("pool-{round}-{n}"))).collect();
    expected.sort();
    born.sort();
    assert_eq!(born, expected);
    assert_eq!(ended, 7);
    sampler.set_interval(100.0);
    let tick = ticked(&mut sampler);
    assert_eq!(value(&tick, own, Column::ThreadsBorn), Some(20));
    assert_eq!(value(&tick, own, Column::ThreadsEnded), Some(7));
}

#[test]
fn births_beyond_the_allowance_are_counted() {
    const THREADS: usize = 1_500;
    let mut sampler = sampler(SamplerOptions::default());
    let own = number_of(&ticked(&mut sampler), std::process::id());
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(THREADS + 1));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let barrier = std::sync::Arc::clone(&barrier);
            let thread = std::thread::Builder::new().stack_size(64 * 1024);
            thread.spawn(move || barrier.wait().is_leader()).unwrap()
        })
        .collect();
    let mut sums = (0, 0);
    let mut add = |tick: &Tick| {
        for event in tick.events.iter().filter(|event| event.process == own) {
            match event.what {
                EventKind::ThreadBorn { .. } => sums.0 += 1,
                EventKind::ThreadEnded { .. } => sums.1 += 1,
                EventKind::ThreadsMissed { born, ended } => sums = (sums.0 + born, sums.1 + ended),
                _ => {}
            }
        }
        sums
    };
    let first = ticked(&mut sampler);
    add(&first);
    assert!(first.events.len() < 1_100, "{} events", first.events.len());
    // The last ones' names are settled by now.
    std::thread::sleep(std::time::Duration::from_millis(80));
    assert_eq!(add(&ticked(&mut sampler)), (THREADS as u64, 0));
    barrier.wait();
    for thread in threads {
        thread.join().unwrap();
    }
    let last = ticked(&mut sampler);
    assert_eq!(add(&last), (THREADS as u64, THREADS as u64));
    assert_eq!(value(&last, own, Column::ThreadsBorn), Some(THREADS as u64));
    assert_eq!(value(&last, own, Column::ThreadsEnded), Some(THREADS as u64));
}

#[test]
fn suspects_are_read_deeper_and_nobody_else() {
    let shell = Shell::start();
    let mut sampler = sampler(SamplerOptions::default());
    let no = number_of(&ticked(&mut sampler), shell.child.id());
    let none = ticked(&mut sampler);
    assert_eq!(value(&none, no, Column::Anonymous), None);
    sampler.suspects(&[no, ProcessNo(999_999)]);
    let tick = ticked(&mut sampler);
    assert!(value(&tick, no, Column::Anonymous).is_some_and(|bytes| bytes > 0));
    assert!(value(&tick, no, Column::Pss).is_some_and(|bytes| bytes > 0));
    assert!(value(&tick, no, Column::Mappings).is_some_and(|count| count > 3));
    let reserved = |tick: &Tick, no| {
        let of = |(_, values): (ProcessNo, &[(Column, u64)])| {
            values.iter().filter(|(c, _)| matches!(c, Column::Class(_, model::Measure::Reserved))).count()
        };
        tick.by_process().find(|(one, _)| *one == no).map(of)
    };
    assert!(reserved(&tick, no).is_some_and(|classes| classes > 2));
    assert_eq!(reserved(&tick, number_of_own(&none)), Some(0));
    let next = ticked(&mut sampler);
    assert_eq!(value(&next, no, Column::Pss), None, "not before half a minute is over");
}

/// The first process of a tick that is not the host.
fn number_of_own(tick: &Tick) -> ProcessNo {
    tick.rows[1].process
}
