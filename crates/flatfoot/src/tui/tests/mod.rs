//! The view as it is drawn, and as it behaves, on made-up hosts.

mod behaviour;
mod goldens;
mod panics;

use model::{
    BirthKind, BootId, Cadence, Column, Confidence, Descriptors, Event, EventKind, Finding, FindingKind,
    HostReading, Identity, Impact, Incarnation, Limit, Look as Looked, Pid, PoolShape, ProcessKey, ProcessNo,
    ProcessReading, ProcessRef, Reading, Rlimits, Stat, Tick, TickRow, Ticks, TouchedFrom,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::act::Now;
use super::app::{App, Inspected, Judged, Request, Start, Subject, When};
use super::draw::{Look, draw};
use crate::analyse::{Analyser, Diagnosis, HostSummary, LookedAt};
use crate::cli::TopOrder;
use crate::present::map::{ClassRow, MapDocument};
use crate::present::threads::{GroupRow, ThreadsDocument};

const BOOT: BootId = BootId(7);
/// 2025-10-09 08:53:20 UTC.
const BEGIN_S: i64 = 1_760_000_000;
const MIB: u64 = 1 << 20;

/// A made-up process: pid, name, command, and its data, resident and threads at a second.
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) name: &'static str,
    pub(super) command: &'static str,
    pub(super) figures: fn(u64) -> [u64; 3],
}

/// The founding case among its neighbours.
pub(super) const HOST: &[Process] = &[
    Process {
        pid: 3248,
        name: "java",
        command: "java -jar /opt/torquebox.jar",
        figures: |s| [4_100 * MIB + s * 2 * MIB, 950 * MIB, 1_740 + s],
    },
    Process {
        pid: 912,
        name: "mysqld",
        command: "/usr/sbin/mysqld",
        figures: |s| [600 * MIB, 410 * MIB + s % 7 * MIB, 38],
    },
    Process { pid: 1, name: "systemd", command: "/sbin/init", figures: |_| [9 * MIB, 11 * MIB, 1] },
    Process { pid: 744, name: "a\u{1b}[2Jb\u{202e}c", command: "evil", figures: |_| [3 * MIB, 2 * MIB, 2] },
    Process { pid: 4_194_303, name: "日本語サーバ", command: "日本", figures: |_| [2 * MIB, MIB, 1] },
];

fn key_of(process: &Process) -> ProcessKey {
    ProcessKey { boot: BOOT, pid: Pid(process.pid), start: Ticks(u64::from(process.pid) * 10) }
}

pub(super) fn id_of(process: &Process) -> String {
    format!("{}-{}", process.pid, process.pid * 10)
}

/// A tick of a host; the first one tells who is there.
pub(super) fn tick(host: &[Process], second: u64, first: bool) -> Tick {
    let at_boot_ms = 1_000_000 + second * 1_000;
    let seen = |(at, process): (usize, &Process)| Event {
        at_boot_ms,
        process: ProcessNo(at as u32 + 1),
        what: EventKind::ProcessSeen(Box::new(Incarnation {
            key: key_of(process),
            name: process.name.into(),
            started_unix_s: BEGIN_S as f64 - 900.0,
            identity: Identity { command: process.command.into(), ..Identity::default() },
            ..Incarnation::default()
        })),
    };
    let mut values = vec![
        (Column::HostCommitted, 6_200 * MIB),
        (Column::HostCommitLimit, 7_900 * MIB),
        (Column::HostTasks, 2_031),
        (Column::HostProcesses, host.len() as u64),
    ];
    let mut rows = vec![TickRow { process: ProcessNo::HOST, values: values.len() as u32 }];
    for (at, process) in host.iter().enumerate() {
        let [data, resident, threads] = (process.figures)(second);
        rows.push(TickRow { process: ProcessNo(at as u32 + 1), values: 4 });
        values.extend([
            (Column::Threads, threads),
            (Column::Resident, resident),
            (Column::Data, data),
            (Column::Shared, resident / 10),
        ]);
    }
    Tick {
        at_unix_ms: (BEGIN_S + second as i64) * 1_000,
        at_boot_ms,
        rows,
        values,
        events: if first { host.iter().enumerate().map(seen).collect() } else { Vec::new() },
        ..Tick::default()
    }
}

/// Its end.
pub(super) fn ended(host: &[Process], second: u64, at: usize) -> Tick {
    let what = EventKind::ProcessEnded;
    let event = Event { at_boot_ms: 1_000_000 + second * 1_000, process: ProcessNo(at as u32 + 1), what };
    Tick { events: vec![event], rows: Vec::new(), values: Vec::new(), ..tick(host, second, false) }
}

pub(super) fn start() -> Start {
    Start {
        when: When::Live,
        has_past: true,
        order: TopOrder::Growth,
        only: Vec::new(),
        host: "torquebox-1".to_owned(),
    }
}

pub(super) const fn at(seconds: f64) -> Now {
    Now { monotonic_s: seconds, unix_s: BEGIN_S as f64 + seconds }
}

/// A view that saw a host for twenty seconds.
pub(super) fn seen(host: &[Process]) -> App {
    let mut app = App::new(start());
    for second in 0..20 {
        app.ticked(&tick(host, second, second == 0), second as f64);
    }
    app
}

/// The same, when all that it asked for was answered.
pub(super) fn founding() -> App {
    let mut app = seen(HOST);
    app.at(20.0);
    app.took_survey(When::Live, Ok(judged(vec![leak()])), 20.0);
    app.took_inspected(inspected(&HOST[0]), 20.0);
    app.at(20.2);
    while app.next_request().is_some() {}
    app.took_inspected(inspected(&HOST[0]), 20.3);
    app
}

pub(super) fn leak() -> Finding {
    let limit = Limit { name: "pids.max".into(), value: 4_915, current: 1_762, ..limit() };
    Finding {
        id: "7c1e09d2".to_owned(),
        confidence: Confidence::Likely,
        process: ProcessRef {
            pid: Pid(3248),
            name: "java".into(),
            label: Some("torquebox.jar".into()),
            ..ProcessRef::default()
        },
        count: 1_550,
        rate_per_s: Some(1.0 / 60.0),
        cadence: vec![cadence()],
        limits: vec![limit],
        risk: "not memory: 5.6 GiB promised, 1.3 GiB used. It stops at pids.max 4,915 in 2 d 4 h".to_owned(),
        now: "nothing is urgent. Before any restart: flatfoot save 3248".to_owned(),
        kind: FindingKind::ThreadLeak,
        ..crate::present::testing::finding("pool-*-thread-1")
    }
}

fn limit() -> Limit {
    Limit {
        name: String::new().into(),
        scope: "process".into(),
        unit: model::LimitUnit::Tasks,
        value: 0,
        current: 0,
        reproduce: String::new(),
        eta_s: None,
        eta_interval_s: None,
    }
}

fn cadence() -> Cadence {
    Cadence {
        period_s: 60.0,
        period_error_s: 0.0,
        jitter_s: 0.1,
        phase_s: Some(0.0),
        events: 1_550,
        missed: 0,
        per_event: 1.0,
    }
}

/// What a diagnosis of the made-up host says.
pub(super) fn judged(findings: Vec<Finding>) -> Judged {
    let mut analyser = Analyser::default();
    let reading = |process: &Process| {
        let [_, _, threads] = (process.figures)(0);
        let key = key_of(process);
        ProcessReading {
            key,
            stat: Stat { name: process.name.into(), start: key.start, threads, ..Stat::default() },
            rlimits: Reading::Value(Rlimits { open_files: Some(1_024), ..Rlimits::default() }),
            descriptors: Reading::Value(Descriptors { total: 61, ..Descriptors::default() }),
            ..ProcessReading::default()
        }
    };
    analyser.push(Looked {
        host: HostReading { ticks_per_second: 100, ..HostReading::default() },
        processes: HOST.iter().map(reading).collect(),
        ..Looked::default()
    });
    let diagnosis = Diagnosis {
        schema: "flatfoot.diagnosis/1",
        version: "0",
        origin: "this host".to_owned(),
        host: HostSummary { name: "torquebox-1".into(), ..HostSummary::default() },
        looked_at: LookedAt { processes: 5, ..LookedAt::default() },
        findings,
        died_before: Vec::new(),
        nearest_limit: None,
        not_judged: vec![
            "slow growth of memory, descriptors and children needs time: flatfoot diagnose --for 6m"
                .to_owned(),
        ],
        saved: None,
        impact: Impact::default(),
        redacted: None,
    };
    let text = crate::present::diagnosis::targets(&diagnosis, &[], crate::present::Term::default());
    Judged { diagnosis, analyser, text }
}

pub(super) fn subject(process: &Process) -> Subject {
    Subject { id: id_of(process), pid: Pid(process.pid) }
}

/// What was read of a process.
pub(super) fn inspected(process: &Process) -> Inspected {
    let reference = ProcessRef { pid: Pid(process.pid), name: process.name.into(), ..ProcessRef::default() };
    let class = |class, maps, reserved: u64, committed: u64, touched: u64| ClassRow {
        class,
        maps,
        reserved_bytes: reserved * MIB,
        committed_bytes: committed * MIB,
        touched_bytes: Some(touched * MIB),
        pss_bytes: None,
        dirty_bytes: None,
        swap_bytes: None,
    };
    let map = MapDocument {
        schema: "flatfoot.map/1",
        origin: "this host".to_owned(),
        process: reference.clone(),
        classes: vec![
            class("thread stack", 1_740, 3_471, 3_440, 164),
            class("java heap", 1, 512, 307, 297),
            class("metaspace", 2, 1_085, 246, 246),
            class("malloc arena", 14, 389, 102, 72),
            class("file", 402, 410, 31, 123),
        ],
        total: class("total", 2_171, 6_124, 4_209, 973),
        committed_exact: false,
        touched_from: TouchedFrom::PagemapScan,
        remarks: Vec::new(),
        mappings: None,
        impact: Impact::default(),
    };
    let group = |pattern: &str, count, births, cadences: Vec<Cadence>| GroupRow {
        pattern: pattern.to_owned(),
        inferred: None,
        split_by: None,
        count,
        pool_shape: PoolShape::OneThreadPools,
        births_per_s: births,
        births: if cadences.is_empty() { BirthKind::TooFew } else { BirthKind::Regular },
        cadence: cadences,
        oldest_age_s: Some(900.0),
        first_birth: None,
        last_birth: None,
        states: vec![('S', count)],
        stack_bytes_each: Some(2_040 << 10),
        stack_reserved_bytes: count * (2_040 << 10),
        stack_touched_bytes: Some(count * (92 << 10)),
        java_stack: None,
    };
    let mut groups = vec![
        group("pool-*-thread-1", 1_550, Some(1.0 / 60.0), vec![cadence()]),
        group("http-*", 120, None, Vec::new()),
        group("ba\u{1b}[31md", 3, None, Vec::new()),
    ];
    groups.extend((0..9).map(|n| group(&format!("worker {n}"), 1, None, Vec::new())));
    let threads = ThreadsDocument {
        schema: "flatfoot.threads/1",
        origin: "this host".to_owned(),
        process: reference,
        threads: 1_740,
        groups,
        owners: Vec::new(),
        remarks: Vec::new(),
        impact: Impact::default(),
    };
    let sizes =
        "COUNT  SIZE EACH   RESERVED  TOUCHED  CLASS\n1,740    2,024K  3.36 GiB  164 MiB  thread stack\n";
    Inspected {
        when: When::Live,
        of: subject(process),
        threads: Ok(threads),
        map: Ok(map),
        sizes: sizes.to_owned(),
        took_s: 0.01,
    }
}

/// Presses keys, a second apart: letters, or names in brackets.
pub(super) fn press(app: &mut App, keys: &str) {
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let (name, more) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some((name, more)) => (name, more),
            None => rest.split_at(first.len_utf8()),
        };
        rest = more;
        let (code, modifiers) = match name {
            "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
            "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
            "Down" => (KeyCode::Down, KeyModifiers::NONE),
            "End" => (KeyCode::End, KeyModifiers::NONE),
            "Home" => (KeyCode::Home, KeyModifiers::NONE),
            "PgDn" => (KeyCode::PageDown, KeyModifiers::NONE),
            "Right" => (KeyCode::Right, KeyModifiers::NONE),
            "C-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
            _ => (KeyCode::Char(first), KeyModifiers::NONE),
        };
        app.key(&KeyEvent::new(code, modifiers), at(21.0));
    }
}

/// All that the view wants done by then.
pub(super) fn wants(app: &mut App, now_s: f64) -> Vec<Request> {
    app.at(now_s);
    std::iter::from_fn(|| app.next_request()).collect()
}

/// What is on a screen of a size.
pub(super) fn screen(app: &mut App, look: Look, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(app, look, frame.area(), frame.buffer_mut())).unwrap();
    terminal
}

/// The same as text, clocks as letters: they depend on the time zone.
pub(super) fn text(app: &mut App, look: Look, width: u16, height: u16) -> String {
    let terminal = screen(app, look, width, height);
    let buffer = terminal.backend().buffer();
    let mut out = String::new();
    for y in 0..height {
        let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
