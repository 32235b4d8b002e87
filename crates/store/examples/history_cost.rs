//! What the store costs: bytes and nanoseconds per sample, and the time for thirty days of one series, as one line of
//! JSON. `cargo xtask bench --only store` runs it and says what was promised.
//!
//! `history_cost write idle,moderate,busy PROCESSES HOURS` writes a store of that mix (parts of hundred);
//! `history_cost series PROCESSES DAYS ROUNDS` writes one and reads series from it;
//! `history_cost keep idle,moderate,busy PROCESSES HOURS FILE` leaves one that ends now;
//! `history_cost late FILE` says how late the ticks of one were.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a bench: what fails ends it

use std::path::Path;

use model::{BootId, Column, Event, EventKind, Incarnation, ProcessNo, Tick, TickRow};
use rustix::time::{ClockId, clock_gettime};
use store::About;
use store::history::{HistoryReader, HistoryWriter, Retention, Window};

/// How busy a process is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Wakes up now and then: one tick of CPU every few minutes, hardly a page.
    Idle,
    /// Works at times: CPU in half of the ticks, memory and I/O in some.
    Moderate,
    /// Everything that moves, moves in every tick.
    Busy,
}

/// The columns of FACTS' twelve.
const COLUMNS: [Column; 12] = [
    Column::Cpu,
    Column::Threads,
    Column::Virtual,
    Column::Resident,
    Column::MinorFaults,
    Column::MajorFaults,
    Column::Data,
    Column::Descriptors,
    Column::Children,
    Column::ReadBytes,
    Column::WrittenBytes,
    Column::ThreadsBorn,
];

struct Random(u64);

impl Random {
    /// Evenly below `most` (xorshift64*).
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)) * u128::from(most)) >> 64) as u64
    }

    fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    /// Evenly from -`most` to `most`.
    fn around(&mut self, most: i64) -> i64 {
        self.below(2 * most.unsigned_abs() + 1) as i64 - most
    }

    /// The sum of three: a hump.
    fn hump(&mut self, mean: u64) -> u64 {
        (self.below(mean) + self.below(mean) + self.below(mean)) * 2 / 3
    }
}

struct Process {
    kind: Kind,
    values: [u64; 12],
    rate: u64,
}

impl Process {
    fn new(kind: Kind, random: &mut Random) -> Self {
        let pages = 500 + random.below(50_000);
        let values = [
            random.below(100_000),
            1 + random.below(60),
            (pages * 4) << 12,
            pages << 12,
            random.below(1_000_000),
            random.below(1_000),
            (pages * 2) << 12,
            4 + random.below(200),
            random.below(3),
            random.below(1 << 30) & !4_095,
            random.below(1 << 30) & !4_095,
            random.below(60),
        ];
        Self { kind, values, rate: 5 + random.below(300) }
    }

    fn step(&mut self, random: &mut Random) {
        let [cpu, threads, size, resident, minor, major, data, descriptors, children, read, written, born] =
            &mut self.values;
        let shift =
            |value: &mut u64, by: i64, least: u64| *value = value.saturating_add_signed(by).max(least);
        match self.kind {
            Kind::Idle => {
                *cpu += u64::from(random.one_in(20));
                if random.one_in(100) {
                    *minor += random.below(8);
                    shift(resident, random.around(4) << 12, 4_096);
                }
            }
            Kind::Moderate => {
                if random.one_in(2) {
                    *cpu += random.hump(10);
                }
                if random.one_in(4) {
                    *minor += random.hump(40);
                    shift(resident, random.around(20) << 12, 4_096);
                }
                if random.one_in(60) {
                    shift(size, random.around(16) << 16, 1 << 20);
                    shift(data, random.around(16) << 16, 1 << 20);
                }
                if random.one_in(40) {
                    shift(threads, random.around(2), 1);
                    *born += 1;
                }
                if random.one_in(15) {
                    shift(descriptors, random.around(3), 3);
                }
                if random.one_in(8) {
                    *written += random.below(32) << 12;
                }
                if random.one_in(50) {
                    *read += random.below(64) << 12;
                }
            }
            Kind::Busy => {
                *cpu += self.rate + random.hump(40);
                *minor += random.hump(2_000);
                *major += u64::from(random.one_in(20));
                shift(resident, random.around(300) << 12, 4_096);
                shift(size, random.around(30) << 16, 1 << 20);
                shift(data, random.around(30) << 16, 1 << 20);
                shift(threads, random.around(4), 1);
                *born += random.below(5);
                shift(descriptors, random.around(10), 3);
                if random.one_in(5) {
                    shift(children, random.around(1), 0);
                }
                *read += random.hump(200) << 12;
                *written += random.hump(500) << 12;
            }
        }
    }
}

struct Host {
    random: Random,
    processes: Vec<Process>,
    tick: Tick,
    number: u64,
    /// When it was started.
    booted_unix_ms: i64,
}

impl Host {
    fn new(mix: [u64; 3], processes: usize, booted_unix_ms: i64) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let kind = |at: usize| match (at as u64 * 100) / processes as u64 {
            share if share < mix[0] => Kind::Idle,
            share if share < mix[0] + mix[1] => Kind::Moderate,
            _ => Kind::Busy,
        };
        let processes = (0..processes).map(|at| Process::new(kind(at), &mut random)).collect();
        Self { random, processes, tick: Tick::default(), number: 0, booted_unix_ms }
    }

    /// The next tick, ten seconds after the one before, as well as a recorder keeps time.
    fn next(&mut self) -> &Tick {
        let Self { random, processes, tick, number, booted_unix_ms } = self;
        tick.clear();
        let late = random.hump(400);
        tick.at_boot_ms = 100_000 + *number * 10_000 + late / 1_000;
        tick.at_unix_ms = *booted_unix_ms + tick.at_boot_ms as i64;
        tick.took_us = 2_000 + random.hump(500);
        tick.late_us = late;
        if *number == 0 {
            let mut event = |process: usize, what| {
                tick.events.push(Event { at_boot_ms: 100_000, process: ProcessNo(process as u32), what });
            };
            event(
                0,
                EventKind::RecorderStarted { version: "0.1.0".into(), boot: BootId(1), interval_ms: 10_000 },
            );
            for at in 1..=processes.len() {
                let mut incarnation = Incarnation { name: "worker".into(), ..Incarnation::default() };
                incarnation.key.pid = model::Pid(at as u32);
                incarnation.key.boot = BootId(1);
                incarnation.identity.command =
                    format!("/usr/lib/worker/bin/worker --listen 127.0.0.1:{at} -Xmx512m").into();
                event(at, EventKind::ProcessSeen(Box::new(incarnation)));
            }
        }
        for (at, process) in processes.iter_mut().enumerate() {
            if *number > 0 {
                process.step(random);
            }
            tick.rows.push(TickRow { process: ProcessNo(at as u32 + 1), values: 12 });
            tick.values.extend(COLUMNS.iter().copied().zip(process.values));
        }
        *number += 1;
        tick
    }
}

/// CPU seconds of this thread.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Bytes of the store with what lies beside it.
fn size(path: &Path) -> u64 {
    ["", "-wal"]
        .iter()
        .filter_map(|suffix| std::fs::metadata(format!("{}{suffix}", path.display())).ok())
        .map(|meta| meta.len())
        .sum()
}

struct Written {
    samples: u64,
    cpu_s: f64,
    slowest_s: f64,
    /// While it was open.
    open: u64,
    closed: u64,
}

/// When the hosts that nobody looks at were started.
const BOOTED_MS: i64 = 1_760_000_000_000;

fn write(path: &Path, mix: [u64; 3], processes: usize, ticks: u64, booted_unix_ms: i64) -> Written {
    let retention = Retention { full: std::time::Duration::from_hours(24 * 400), ..Retention::default() };
    let mut writer = HistoryWriter::open(path, &About::default(), retention).unwrap();
    let mut host = Host::new(mix, processes, booted_unix_ms);
    let (mut cpu_s, mut slowest_s, mut samples) = (0.0, 0.0_f64, 0);
    for _ in 0..ticks {
        let tick = host.next();
        samples += tick.values.len() as u64;
        let before = cpu();
        writer.tick(tick).unwrap();
        let took = cpu() - before;
        cpu_s += took;
        slowest_s = slowest_s.max(took);
    }
    let open = size(path);
    let before = cpu();
    writer.close().unwrap();
    cpu_s += cpu() - before;
    Written { samples, cpu_s, slowest_s, open, closed: size(path) }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    match words[..] {
        ["write", mix, processes, hours] | ["keep", mix, processes, hours, _] => {
            let mix: Vec<u64> = mix.split(',').map(|part| part.parse().unwrap()).collect();
            let ticks = hours.parse::<u64>().unwrap() * 360;
            let now_ms = clock_gettime(ClockId::Realtime).tv_sec * 1_000;
            let (path, booted_ms) = match words.get(4) {
                Some(kept) => (Path::new(*kept), now_ms - 100_000 - ticks as i64 * 10_000),
                None => (path.as_path(), BOOTED_MS),
            };
            let written = write(path, mix.try_into().unwrap(), processes.parse().unwrap(), ticks, booted_ms);
            println!(
                "{{\"samples\":{},\"bytes\":{},\"bytes_open\":{},\"cpu_s\":{},\"slowest_s\":{}}}",
                written.samples, written.closed, written.open, written.cpu_s, written.slowest_s
            );
        }
        ["late", file] => {
            let reader = HistoryReader::open(Path::new(file)).unwrap();
            let mut late: Vec<u64> =
                reader.ticks(Window::ALL).unwrap().map(|tick| tick.unwrap().late_us).collect();
            late.sort_unstable();
            let at =
                |share: usize| late.get(late.len().saturating_sub(1) * share / 100).copied().unwrap_or(0);
            println!(
                "{{\"ticks\":{},\"late_s\":[{},{},{}]}}",
                late.len(),
                at(50) as f64 / 1e6,
                at(99) as f64 / 1e6,
                at(100) as f64 / 1e6
            );
        }
        ["series", processes, days, rounds] => {
            let (processes, days): (usize, u64) = (processes.parse().unwrap(), days.parse().unwrap());
            let written = write(&path, [50, 35, 15], processes, days * 8_640, BOOTED_MS);
            let reader = HistoryReader::open(&path).unwrap();
            let mut took: Vec<[f64; 3]> = Vec::new();
            let mut points = 0;
            for round in 0..=rounds.parse::<usize>().unwrap() {
                // The busy ones are at the end: the longest series to read.
                let process = ProcessNo((processes - round % (processes / 8).max(1)) as u32);
                let start = [cpu(), 0.0, 0.0];
                let series = reader.series(process, &[Column::Resident], Window::ALL).unwrap();
                points = series[0].points.len();
                let middle = cpu();
                reader.reduced(process, &[Column::Resident], Window::ALL, 1_000).unwrap();
                let third = cpu();
                let idle = reader.series(ProcessNo(1), &[Column::Resident], Window::ALL).unwrap();
                assert_eq!(idle[0].points.len(), points);
                took.push([middle - start[0], third - middle, cpu() - third]);
            }
            took.remove(0);
            println!(
                "{{\"points\":{points},\"bytes\":{},\"samples\":{},\"series_s\":{:?},\"reduced_s\":{:?},\"idle_s\":{:?}}}",
                written.closed,
                written.samples,
                took.iter().map(|t| t[0]).collect::<Vec<_>>(),
                took.iter().map(|t| t[1]).collect::<Vec<_>>(),
                took.iter().map(|t| t[2]).collect::<Vec<_>>(),
            );
        }
        _ => {
            panic!("write MIX PROCESSES HOURS | keep MIX PROCESSES HOURS FILE | series PROCESSES DAYS ROUNDS")
        }
    }
}
