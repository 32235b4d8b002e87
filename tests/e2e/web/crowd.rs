//! Fifty pages at once: the recorder goes on, and each of them is told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use model::Tick;
use store::history::{HistoryReader, Window};

use crate::client::{Events, ask};
use crate::server::Server;
use crate::support::{Flatfoot, Leaker};

const CLIENTS: usize = 50;
const SECONDS: u64 = 10;

#[test]
fn fifty_pages_starve_neither_the_recorder_nor_each_other() {
    let flatfoot = Flatfoot::new();
    let leaker = Leaker::start("leak", &["threads-unjoined", "500", "100", "pool-#-thread-1"]);
    let server = Server::start(&flatfoot, &["--interval", "500ms"]);
    let paths = [
        "/api/v1".to_owned(),
        "/api/v1/overview".to_owned(),
        "/api/v1/processes?spark=60".to_owned(),
        format!("/api/v1/processes/{}", leaker.pid()),
        format!("/api/v1/processes/{}/map?rows=50", leaker.pid()),
        format!("/api/v1/processes/{}/threads", leaker.pid()),
    ];
    let over = AtomicBool::new(false);
    let (good, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let before = server.resident_kib();
    let told: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let listen = || {
            let mut events = Events::open(&server.address);
            let mut ticks = 0;
            while !over.load(Ordering::Relaxed) {
                events.wait("tick");
                ticks += 1;
            }
            ticks
        };
        let work = |at: usize| {
            let mut own = 0_u64;
            while !over.load(Ordering::Relaxed) {
                let path = &paths[(at + own as usize) % paths.len()];
                let answer = ask(&server.address, &format!("GET {path}"), &[]);
                match answer.status {
                    200 => good.fetch_add(1, Ordering::Relaxed),
                    503 => {
                        assert_eq!(answer.header("retry-after"), "1");
                        refused.fetch_add(1, Ordering::Relaxed)
                    }
                    other => panic!("{path}: {other}: {}", answer.text()),
                };
                own += 1;
                std::thread::sleep(Duration::from_millis(100));
            }
            own
        };
        let clients: Vec<_> =
            (0..CLIENTS).map(|at| (scope.spawn(listen), scope.spawn(move || work(at)))).collect();
        std::thread::sleep(Duration::from_secs(SECONDS));
        over.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .map(|(ticks, answers)| (ticks.join().expect("told"), answers.join().expect("answered")))
            .collect()
    });
    assert!(told.iter().all(|(ticks, answers)| *ticks >= 3 && *answers >= 3), "somebody starves: {told:?}");
    let (good, refused) = (good.into_inner(), refused.into_inner());
    assert!(refused * 10 <= good, "{refused} refused, {good} answered");
    let after = server.resident_kib();
    assert!(after < before + (96 << 10), "{before} KiB became {after}");
    // The recorder did not wait for any of them: it has its ticks, and says of each how late it was.
    let reader = HistoryReader::open(server.path().as_ref()).expect("what it keeps");
    let mut ticks = reader.ticks(Window::ALL).expect("ticks");
    let (mut tick, mut late) = (Tick::default(), Vec::new());
    while ticks.read(&mut tick).expect("a tick") {
        late.push(tick.late_us);
    }
    late.sort_unstable();
    let median = late[late.len() / 2];
    println!("{good} answers, {refused} refused; {} ticks, late by {median} us in the middle", late.len());
    assert!(late.len() as u64 >= SECONDS / 3, "it went on: {late:?}");
    assert!(median < 500_000, "less than an interval: {late:?}");
}
