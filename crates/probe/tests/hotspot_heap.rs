//! Walks over the heaps of real JVMs: who holds pools, objects and direct buffers, in programs whose answers are known.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are tests; what is skipped is said

mod agent_jvm;

use std::path::Path;
use std::process::Command;

use agent_jvm::{Jvm, assert_unharmed, jar, java};
use model::{HeldClass, PoolState, Text, ThreadOwner};
use probe::hotspot::agent::{Agent, Refusal, report};
use probe::hotspot::attach::{self, Patience};

/// Seconds that a walk may take: the machine is busy.
const PAUSE_S: f64 = 30.0;

fn holders(java: &Path, options: &[&str]) -> Jvm {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java/Holders.java");
    let mut command = Command::new(java);
    command.args(options).arg("-cp").arg(jar("holders", &[source], ".", 11)).arg("Holders");
    Jvm::run(command)
}

fn pool_of(owners: &[ThreadOwner], name: &str) -> PoolState {
    let is_example = |owner: &&ThreadOwner| owner.examples.iter().any(|example| example.as_str() == name);
    let owner = owners.iter().find(is_example).unwrap_or_else(|| panic!("{name}: {owners:#?}"));
    owner.pool.clone().unwrap_or_else(|| panic!("{owner:#?}"))
}

fn by(pool: &PoolState) -> Vec<(String, u64)> {
    pool.holders.iter().map(|holder| (holder.by.to_string(), holder.count)).collect()
}

fn tells_who_holds_pools(version: u32, collector: &str) {
    let Some(java) = java(version) else { return };
    let mut jvm = holders(&java, &["-Xcheck:jni", "-Xmx64m", collector]);
    let mut output = String::new();
    for (kind, count) in
        [("alone", 3), ("listed", 4), ("wrapped", 2), ("weak", 2), ("future", 1), ("timer", 1)]
    {
        output += &jvm.command(kind, count);
    }
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let before = agent.owners().unwrap();
    assert_eq!(pool_of(&before, "alone-0").unheld, None, "nobody asked");
    let owners = agent.owners_and_holders(PAUSE_S).unwrap();
    // Groups that look alike are one: the kinds differ by who holds them only.
    let pool = pool_of(&owners, "alone-0");
    assert_eq!((pool.pools, pool.unheld), (12, Some(5)), "{pool:#?}");
    let mut holders = by(&pool);
    holders.sort();
    assert_eq!(
        holders,
        [
            ("java.lang.Object[]".to_owned(), 4),
            ("java.util.concurrent.Executors$DelegatedScheduledExecutorService.e".to_owned(), 2),
            ("java.util.concurrent.ScheduledThreadPoolExecutor$ScheduledFutureTask.this$0".to_owned(), 1),
        ]
    );
    let timer = pool_of(&owners, "timer-0");
    assert_eq!((timer.pools, timer.unheld, by(&timer)), (1, Some(1), vec![]));
    let path = pool.path.unwrap().to_string();
    assert!(path.starts_with("static Holders."), "{path}");
    let figures = agent.figures();
    assert!(figures.walk_s > 0.0 && figures.references > 1_000, "{figures:?}");
    assert_eq!(agent.missing(), [""; 0]);
    // Asked again, it tells the same: no tag was left.
    assert_eq!(pool_of(&agent.owners_and_holders(PAUSE_S).unwrap(), "alone-0").unheld, Some(5));
    output += &jvm.command("garbage", 1);
    assert_unharmed(&output, &jvm.errors());
}

#[test]
fn jvm_11_tells_who_holds_pools() {
    tells_who_holds_pools(11, "-XX:+UseG1GC");
}

#[test]
fn jvm_17_tells_who_holds_pools() {
    tells_who_holds_pools(17, "-XX:+UseSerialGC");
}

#[test]
fn jvm_21_tells_who_holds_pools() {
    tells_who_holds_pools(21, "-XX:+UseZGC");
}

#[test]
fn jvm_25_tells_who_holds_pools() {
    tells_who_holds_pools(25, "-XX:+UseG1GC");
}

/// The founding case has nothing but such pools; a healthy one has none.
#[test]
fn jvm_pools_that_are_all_held_or_all_alone() {
    let Some(java) = java(17) else { return };
    let mut alone = holders(&java, &[]);
    alone.command("alone", 5);
    let mut attachment = alone.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let pool = pool_of(&agent.owners_and_holders(PAUSE_S).unwrap(), "alone-0");
    assert_eq!((pool.pools, pool.unheld, by(&pool), pool.path), (5, Some(5), vec![], None));
    let mut healthy = holders(&java, &[]);
    healthy.command("wrapped", 2);
    let mut attachment = healthy.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let pool = pool_of(&agent.owners_and_holders(PAUSE_S).unwrap(), "wrapped-0");
    assert_eq!((pool.pools, pool.unheld), (2, Some(0)));
    assert_eq!(
        by(&pool),
        [("java.util.concurrent.Executors$DelegatedScheduledExecutorService.e".to_owned(), 2)]
    );
    assert_eq!(
        pool.path.unwrap().to_string(),
        "static Holders.REGISTRY → Holders$Registry.pools → java.util.HashMap.table → java.util.HashMap$Node[] → \
         java.util.HashMap$Node.value → java.util.concurrent.Executors$DelegatedScheduledExecutorService.e"
    );
}

/// What a waiting thread has in a variable is held, also by one that is not mounted anywhere.
#[test]
fn jvm_pools_in_local_variables_are_held() {
    for (version, kinds) in
        [(11, &["local"][..]), (17, &["local"]), (21, &["local", "virtual"]), (25, &["virtual"])]
    {
        let Some(java) = java(version) else { continue };
        for kind in kinds {
            let mut jvm = holders(&java, &[]);
            jvm.command(kind, 2);
            let mut attachment = jvm.attach();
            let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
            let pool = pool_of(&agent.owners_and_holders(PAUSE_S).unwrap(), &format!("{kind}-0"));
            assert_eq!((pool.pools, pool.unheld), (2, Some(0)), "JDK {version}, {kind}: {pool:#?}");
            if *kind == "local" {
                let path = pool.path.as_ref().unwrap().to_string();
                assert!(path.starts_with("a local of Holders.lambda$command$"), "JDK {version}: {path}");
            }
        }
    }
}

fn class<'a>(held: &'a [HeldClass], name: &str) -> &'a HeldClass {
    held.iter().find(|one| one.class.as_str() == name).unwrap_or_else(|| panic!("{name}: {held:#?}"))
}

fn first(held: &HeldClass) -> (String, u64) {
    held.holders.first().map(|holder| (holder.by.to_string(), holder.count)).unwrap()
}

fn tells_who_holds_objects(version: u32, collector: &str) {
    let Some(java) = java(version) else { return };
    let mut jvm = holders(&java, &["-Xcheck:jni", "-Xmx96m", collector]);
    let mut output = String::new();
    for (kind, count) in [("sessions", 3000), ("notes", 50), ("trails", 500), ("uploads", 7)] {
        output += &jvm.command(kind, count);
    }
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let buffers = agent.direct_buffers().unwrap().unwrap();
    assert_eq!((buffers.kind.as_str(), buffers.source.as_str()), ("direct", "agent"));
    assert_eq!((buffers.count, buffers.bytes >= 7 * 65_536), (7, true), "{buffers:?}");
    let wanted = ["Holders$Session", "Holders$Note", "Holders$Trail"].map(Text::from);
    let held = agent.holders(&wanted, PAUSE_S).unwrap();
    let sessions = class(&held, "Holders$Session");
    assert_eq!(first(sessions), ("java.util.HashMap$Node.value".to_owned(), 3000), "{sessions:#?}");
    let path = &sessions.paths[0];
    assert_eq!(
        path.to_string(),
        "static Holders.SESSIONS → java.util.HashMap.table → java.util.HashMap$Node[] → java.util.HashMap$Node.value"
    );
    assert_eq!(path.holds, Some(3000));
    let notes = class(&held, "Holders$Note");
    assert_eq!(first(notes), ("java.util.LinkedList$Node.item".to_owned(), 50));
    assert!(
        notes.paths[0].to_string().starts_with("static Holders.NOTES → java.util.LinkedList."),
        "{notes:#?}"
    );
    let trails = class(&held, "Holders$Trail");
    assert_eq!(first(trails), ("java.lang.Object[]".to_owned(), 500));
    assert_eq!(
        trails.paths[0].to_string(),
        "thread trailer → java.lang.Thread.threadLocals → java.lang.ThreadLocal$ThreadLocalMap.table → \
         java.lang.ThreadLocal$ThreadLocalMap$Entry[] → java.lang.ThreadLocal$ThreadLocalMap$Entry.value → \
         java.util.ArrayList.elementData → java.lang.Object[]"
    );
    assert_eq!(trails.paths[0].holds, Some(500));
    // A view of a buffer has no memory of its own.
    let direct = class(&held, "java.nio.DirectByteBuffer");
    let of_direct: Vec<(String, u64, u64)> =
        direct.holders.iter().map(|holder| (holder.by.to_string(), holder.count, holder.bytes)).collect();
    assert_eq!(of_direct, [("Holders$Upload.body".to_owned(), 7, 7 * 65_536)], "{direct:#?}");
    output += &jvm.command("garbage", 1);
    assert_unharmed(&output, &jvm.errors());
}

#[test]
fn jvm_11_tells_who_holds_objects() {
    tells_who_holds_objects(11, "-XX:+UseG1GC");
}

#[test]
fn jvm_17_tells_who_holds_objects() {
    tells_who_holds_objects(17, "-XX:+UseShenandoahGC");
}

#[test]
fn jvm_21_tells_who_holds_objects() {
    tells_who_holds_objects(21, "-XX:+UseParallelGC");
}

#[test]
fn jvm_25_tells_who_holds_objects() {
    tells_who_holds_objects(25, "-XX:+UseZGC");
}

#[test]
fn jvm_heap_is_not_walked_beyond_the_budget() {
    let Some(java) = java(17) else { return };
    let jvm = holders(&java, &["-Xmx64m"]);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let refusal = agent.owners_and_holders(1e-6).unwrap_err();
    assert!(matches!(refusal, Refusal::Attach(attach::Refusal::TooLong { .. })), "{refusal}");
    assert_eq!(agent.figures().walk_s, 0.0);
    let buffers = agent.direct_buffers().unwrap().unwrap_or_default();
    assert_eq!((buffers.count, buffers.bytes), (0, 0), "it never had one");
}

/// Threads start and end all the time while the heap is walked, with a hook in them.
#[test]
fn jvm_heap_is_walked_again_and_again_while_threads_start() {
    for version in [11, 17, 21, 25] {
        let Some(java) = java(version) else { continue };
        let mut jvm = Jvm::starters(&java, &["-Xcheck:jni", "-Xmx64m"]);
        let mut output = jvm.command("pool", 20);
        output += &jvm.command("race", 3);
        let mut attachment = jvm.attach();
        let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
        agent.watch().unwrap();
        for _ in 0..8 {
            let pool = pool_of(&agent.owners_and_holders(PAUSE_S).unwrap(), "pool-1-thread-1");
            assert_eq!((pool.pools, pool.unheld), (20, Some(20)), "JDK {version}: {pool:#?}");
            agent.holders(&["Starters$Late".into()], PAUSE_S).unwrap();
            agent.poll();
        }
        assert!(agent.stop().unwrap().starts > 0);
        output += &jvm.command("short", 5);
        assert_unharmed(&output, &jvm.errors());
    }
}

/// A walk that lasts longer than was granted ends there, and says so: what it has not seen is not called unheld.
#[test]
fn jvm_heap_walk_ends_when_its_time_is_over() {
    for version in [11, 17, 21, 25] {
        let Some(java) = java(version) else { continue };
        let mut jvm = holders(&java, &["-Xcheck:jni", "-Xmx256m"]);
        let mut output = jvm.command("sessions", 400_000);
        output += &jvm.command("listed", 1);
        let mut attachment = jvm.attach();
        drop(Agent::load(&mut attachment, Patience::default()).unwrap());
        let maps = jvm.maps();
        let library =
            maps.lines().find_map(|line| line.get(line.find('/')?..).filter(|path| path.contains("/agent-")));
        let library = library.unwrap().trim_end_matches(" (deleted)").to_owned();
        let file = tempfile::NamedTempFile::new().unwrap();
        for what in ["cmd=owners;walk=1", "cmd=holders;classes=Holders$Session"] {
            let options = format!("{what};ms=2000;pause=1;out={}", file.path().display());
            let reply =
                attachment.command("load", &[&library, "true", &options], &Patience::default()).unwrap();
            assert!(String::from_utf8_lossy(&reply.text).contains("return code: 0"), "{reply:?}");
            let report = report::parse(&std::fs::read(file.path()).unwrap());
            let walk = report.walk.unwrap();
            assert!(walk.cut && walk.references < 2_000_000, "{walk:?}");
            if what.starts_with("cmd=owners") {
                assert_eq!(pool_of(&report.owners, "listed-0").unheld, None);
            }
        }
        output += &jvm.command("garbage", 1);
        assert_unharmed(&output, &jvm.errors());
    }
}
