//! The agent in real JVMs: what it tells of programs whose answers are known, and that it leaves them unharmed.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are tests; what is skipped is said

mod agent_jvm;

use std::path::Path;
use std::process::Command;

use agent_jvm::{Jvm, assert_unharmed, creator, jar, java, line, owner_of, repository, starters, until};
use model::{JavaFrame, SpawnStack, Text, ThreadOwner};
use probe::Clock;
use probe::hotspot::agent::{Agent, ruby};
use probe::hotspot::attach::Patience;

fn text(text: Option<&Text>) -> Option<&str> {
    text.map(Text::as_str)
}

/// `Starters$FreshPool.arm:20`
fn short(frame: &JavaFrame) -> String {
    format!("{}.{}:{}", frame.class, frame.method, frame.line.unwrap_or(0))
}

fn link<'a>(owner: &'a ThreadOwner, role: &str) -> Vec<&'a str> {
    owner.links.iter().filter(|link| link.role.as_str() == role).map(|link| link.class.as_str()).collect()
}

fn check_owners(owners: &[ThreadOwner], version: u32) {
    let fresh = owner_of(owners, "pool-1-thread-1");
    let names: Vec<&str> = fresh.examples.iter().map(Text::as_str).collect();
    assert_eq!(names, ["pool-1-thread-1", "pool-2-thread-1", "pool-3-thread-1"].map(|name| name));
    assert_eq!((fresh.count, fresh.java_ids.len()), (3, 3));
    assert_eq!(link(fresh, "task"), ["Starters$Late"], "{fresh:#?}");
    let pool = fresh.pool.as_ref().unwrap();
    assert_eq!(pool.class.as_str(), "java.util.concurrent.ScheduledThreadPoolExecutor");
    assert_eq!((pool.pools, pool.core, pool.queued, pool.shut_down), (3, Some(1), 3, 0));
    assert_eq!(link(fresh, "factory"), ["java.util.concurrent.Executors$DefaultThreadFactory"]);
    let task = fresh.links.iter().find(|link| link.application).unwrap();
    assert_eq!(text(task.origin.as_ref()), starters().to_str());
    // Gone with the security manager.
    let sources = if version < 24 { vec![Text::from(starters().to_str().unwrap())] } else { vec![] };
    assert_eq!(fresh.inherited_sources, sources);
    let fixed = owner_of(owners, "pool-4-thread-1").pool.clone().unwrap();
    assert_eq!((fixed.pools, fixed.core, fixed.maximum, fixed.queued), (2, Some(1), Some(1), 0));
    let [schedule] = &owner_of(owners, "pool-6-thread-1").schedules[..] else { panic!("{owners:#?}") };
    assert_eq!((schedule.kind.as_str(), schedule.what.as_str()), ("scheduled-pool", "Starters$Late"));
    assert_eq!(schedule.period_s, Some(60.0));
    let plain = owner_of(owners, "größer-0");
    assert_eq!((plain.count, link(plain, "task"), plain.pool.is_none()), (2, vec!["Starters$$Lambda"], true));
    let timer = owner_of(owners, "ticker");
    assert_eq!(link(timer, "timer"), ["Starters$Tick"]);
    let [schedule] = &timer.schedules[..] else { panic!("{timer:#?}") };
    assert_eq!((schedule.kind.as_str(), schedule.period_s), ("timer", Some(30.0)));
    let is_fork = |owner: &&ThreadOwner| owner.examples[0].as_str().starts_with("ForkJoinPool-1-worker-");
    let fork = owners.iter().find(is_fork).unwrap().pool.clone().unwrap();
    assert_eq!((fork.class.as_str(), fork.core), ("java.util.concurrent.ForkJoinPool", Some(3)));
}

fn check_spawns(spawns: &[SpawnStack]) {
    let by = |creator_: String| {
        let found = spawns.iter().find(|spawn| short(creator(spawn)) == creator_);
        found.unwrap_or_else(|| panic!("{creator_}: {spawns:#?}"))
    };
    let pools = by(format!("Starters$FreshPool.arm:{}", line("arm")));
    assert_eq!((pools.count, pools.failed, pools.cut), (2, 0, false));
    let names: Vec<_> =
        pools.births.iter().map(|birth| (birth.name.as_str(), birth.starter.as_str())).collect();
    assert_eq!(names, [("pool-7-thread-1", "main"), ("pool-8-thread-1", "main")]);
    let at = creator(pools);
    assert_eq!(
        (text(at.file.as_ref()), text(at.origin.as_ref())),
        (Some("Starters.java"), starters().to_str())
    );
    assert_eq!(short(&pools.frames[0]), "java.lang.Thread.start0:0");
    let ages = pools.births.iter().map(|birth| Clock::boot() - birth.at_boot_s);
    assert!(ages.clone().all(|age| (0.0..120.0).contains(&age)), "{:?}", ages.collect::<Vec<_>>());
    let thread = by(format!("Starters.command:{}", line("start")));
    assert_eq!((thread.count, thread.births[0].name.as_str()), (1, "größer-0"));
    let fails = by(format!("Starters.command:{}", line("fails")));
    assert_eq!((fails.count, fails.failed), (2, 2));
    assert!(fails.births.iter().all(|birth| birth.failed && birth.name.as_str() == "huge"));
}

fn names_creators(version: u32) {
    let Some(java) = java(version) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut output = String::new();
    for (name, count) in
        [("pool", 3), ("lambda", 2), ("periodic", 1), ("thread", 2), ("timer", 1), ("fork", 1)]
    {
        output += &jvm.command(name, count);
    }
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    check_owners(&agent.owners().unwrap(), version);
    let sites = agent.sites().unwrap();
    let sites: Vec<String> = sites.iter().map(|site| format!("{} {}", short(&site.at), site.makes)).collect();
    for (place, makes) in [
        (
            format!("Starters$FreshPool.arm:{}", line("pool")),
            "java.util.concurrent.Executors.newScheduledThreadPool",
        ),
        (format!("Starters.command:{}", line("new")), "java.lang.Thread.<init>"),
        (format!("Starters.command:{}", line("start")), "java.lang.Thread.start"),
    ] {
        assert!(sites.contains(&format!("{place} {makes}")), "{place} {makes}: {sites:#?}");
    }
    assert_eq!(agent.missing(), [""; 0]);
    agent.watch().unwrap();
    assert!(jvm.maps().contains("/ring (deleted)"));
    for (name, count) in [("pool", 2), ("thread", 1), ("fails", 2)] {
        output += &jvm.command(name, count);
    }
    let spawns = agent.poll();
    check_spawns(&spawns);
    let figures = agent.stop().unwrap();
    assert_eq!((figures.starts, figures.failed, figures.dropped, figures.expired), (5, 2, 0, false));
    output += &jvm.command("short", 20);
    let maps = jvm.maps();
    assert!(!maps.contains("/ring") && maps.contains("/agent-"), "the library stays, nothing else: {maps}");
    assert_unharmed(&output, &jvm.errors());
    let warnings = jvm.errors().matches("has been loaded dynamically").count();
    assert_eq!(warnings, usize::from(version >= 21), "{}", jvm.errors());
}

#[test]
fn jvm_11_tells_who_starts_threads() {
    names_creators(11);
}

#[test]
fn jvm_17_tells_who_starts_threads() {
    names_creators(17);
}

#[test]
fn jvm_21_tells_who_starts_threads() {
    names_creators(21);
}

#[test]
fn jvm_25_tells_who_starts_threads() {
    names_creators(25);
}

#[test]
fn jvm_virtual_threads_start_threads_too() {
    for version in [21, 25] {
        let Some(java) = java(version) else { continue };
        let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
        let mut output = jvm.command("virtual", 1);
        let mut attachment = jvm.attach();
        let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
        agent.watch().unwrap();
        output += &jvm.command("virtual", 3);
        let spawns = agent.poll();
        let found = spawns.iter().find(|spawn| spawn.births[0].name.as_str() == "of-virtual").unwrap();
        assert_eq!((creator(found).line, found.count), (Some(line("virtual")), 3), "{spawns:#?}");
        assert!(
            found.frames.iter().any(|frame| frame.class.as_str() == "java.lang.VirtualThread"),
            "{found:#?}"
        );
        agent.stop().unwrap();
        assert_unharmed(&output, &jvm.errors());
    }
}

fn tells_deep_stacks_apart(version: u32) {
    let Some(java) = java(version) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let counts = |spawns: &[SpawnStack]| {
        let of = |mark: &str| {
            let ours = |spawn: &&SpawnStack| spawn.frames.iter().any(|frame| frame.line == Some(line(mark)));
            let found: Vec<_> = spawns.iter().filter(ours).collect();
            assert!(found.iter().all(|spawn| spawn.frames.len() > 40 && !spawn.cut), "whole: {spawns:#?}");
            found.iter().map(|spawn| spawn.count).sum::<u64>()
        };
        (of("deep"), of("else"))
    };
    // In turns: both are met while all are read whole, and so they are for good.
    agent.watch().unwrap();
    let mut output = String::new();
    for _ in 0..4 {
        output += &jvm.command("deep", 30);
        output += &jvm.command("else", 20);
    }
    // The second comes when the first 30 are over, and before the 32nd.
    assert_eq!(counts(&agent.poll()), (120, 80));
    assert_eq!(agent.figures().assumed, 0);
    agent.unwatch().unwrap();
    // One alone: most are known by how they begin, and that is said. What comes later from elsewhere is told from the
    // next one on that is read whole.
    agent.watch().unwrap();
    output += &jvm.command("deep", 200);
    assert_eq!(counts(&agent.poll()), (200, 0));
    assert_eq!(agent.figures().assumed, 200 - 32 - 3, "32 first, and the 65th, 129th and 193rd");
    output += &jvm.command("else", 200);
    let (deep, other) = counts(&agent.poll());
    let figures = agent.figures();
    assert_eq!((deep + other, figures.starts), (400, 400));
    assert_eq!((deep, figures.assumed), (200 + 56, 165 + 56), "up to the 257th");
    agent.stop().unwrap();
    assert_unharmed(&output, &jvm.errors());
}

#[test]
fn jvm_deep_stacks_are_told_apart_or_said_to_be_assumed() {
    for version in [11, 17, 21, 25] {
        tells_deep_stacks_apart(version);
    }
}

/// Starters start threads all the time while the hook comes and goes.
fn flips(version: u32) {
    let Some(java) = java(version) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut output = jvm.command("race", 3);
    let mut attachment = jvm.attach();
    for _ in 0..10 {
        let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
        agent.watch().unwrap();
        until("starts", || {
            agent.poll();
            (agent.figures().starts > 20).then_some(())
        });
        let spawns = agent.poll();
        let spawn = spawns.iter().find(|spawn| spawn.count > 0).unwrap();
        assert_eq!(creator(spawn).class.as_str(), "Starters");
        let figures = agent.stop().unwrap();
        assert_eq!((figures.failed, figures.expired), (0, false));
    }
    output += &jvm.command("short", 10);
    assert!(!jvm.maps().contains("/ring"));
    assert_unharmed(&output, &jvm.errors());
}

#[test]
fn jvm_11_flips() {
    flips(11);
}

#[test]
fn jvm_17_flips() {
    flips(17);
}

#[test]
fn jvm_21_flips() {
    flips(21);
}

#[test]
fn jvm_25_flips() {
    flips(25);
}

/// Collectors have barriers of their own for what the walk reads and tags.
#[test]
fn jvm_with_any_collector_tells_owners() {
    for (version, collector) in [
        (11, "-XX:+UseSerialGC"),
        (17, "-XX:+UseZGC"),
        (17, "-XX:+UseShenandoahGC"),
        (21, "-XX:+UseParallelGC"),
        (25, "-XX:+UseZGC"),
    ] {
        let Some(java) = java(version) else { continue };
        let mut jvm = Jvm::starters(&java, &[collector, "-Xmx64m", "-Xcheck:jni"]);
        let mut output = jvm.command("pool", 30);
        output += &jvm.command("race", 1);
        let mut attachment = jvm.attach();
        let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
        agent.watch().unwrap();
        for _ in 0..5 {
            let owners = agent.owners().unwrap();
            assert_eq!(owner_of(&owners, "pool-1-thread-1").count, 30, "{collector}");
            let before = agent.figures().starts;
            until("starts", || {
                agent.poll();
                (agent.figures().starts > before + 5).then_some(())
            });
        }
        agent.stop().unwrap();
        output += &jvm.command("short", 3);
        assert_unharmed(&output, &jvm.errors());
    }
}

/// The founding case, its Java shape.
#[test]
fn quartz_job_is_named_with_its_cron_expression() {
    let jars = "/usr/share/java/quartz2.jar:/usr/share/java/slf4j-api.jar:/usr/share/java/slf4j-nop.jar";
    let sources = std::fs::read_dir(repository().join("tests/leakers/java/src/leakcase")).unwrap();
    let mut sources: Vec<_> = sources.map(|entry| entry.unwrap().path()).collect();
    sources.sort();
    let jar = jar("leakcase", &sources, jars, 17);
    let mut command = Command::new("java");
    command.arg("-cp").arg(format!("{}:{jars}", jar.display()));
    command.args(["leakcase.Main", "leak", "* * * * * ?"]);
    let jvm = Jvm::run(command);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let owners = agent.owners().unwrap();
    let scheduler = owner_of(&owners, "JobScheduler_QuartzSchedulerThread");
    let [schedule] = &scheduler.schedules[..] else { panic!("{scheduler:#?}") };
    assert_eq!((schedule.kind.as_str(), schedule.what.as_str()), ("quartz", "hourly_report"));
    assert_eq!(text(schedule.expression.as_ref()), Some("* * * * * ?"));
    agent.watch().unwrap();
    let spawns = until("a birth", || Some(agent.poll()).filter(|spawns| !spawns.is_empty()));
    let at = creator(&spawns[0]);
    assert_eq!((at.class.as_str(), at.method.as_str()), ("leakcase.Deadline$FreshPool", "arm"));
    assert_eq!(text(at.origin.as_ref()), jar.to_str());
    let owners = agent.owners().unwrap();
    let leaked = owner_of(&owners, "pool-1-thread-1");
    assert_eq!(leaked.pool.as_ref().unwrap().core, Some(1));
    let sites = agent.sites().unwrap();
    assert!(sites.iter().any(|site| site.at.class.as_str() == "leakcase.Deadline$FreshPool"
        && site.at.method.as_str() == "arm"
        && site.makes.as_str() == "java.util.concurrent.Executors.newScheduledThreadPool"));
}

/// The founding case in Ruby: interpreted, so that only JRuby knows the frames.
#[test]
fn jruby_frames_are_told() {
    let folder = repository().join("tests/leakers");
    let jars = "/usr/share/java/quartz2.jar";
    let sources = std::fs::read_dir(folder.join("java/src/leakcase")).unwrap();
    let mut sources: Vec<_> = sources.map(|entry| entry.unwrap().path()).collect();
    sources.sort();
    let mut command = Command::new("jruby");
    command.arg(folder.join("jruby/app_req.rb")).args(["leak_ruby", "* * * * * ?"]);
    command.env("LEAKCASE_JAR", jar("leakcase", &sources, jars, 17));
    let jvm = Jvm::run(command);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    agent.watch().unwrap();
    let guard = until("a birth", || {
        let spawns = agent.poll();
        let frames: Vec<_> =
            spawns.iter().flat_map(|spawn| &spawn.frames).filter_map(ruby::demangle).collect();
        frames.into_iter().find(|frame| frame.method == "guard")
    });
    assert!(guard.file.ends_with("/jruby/app.rb"), "{guard:?}");
    let source = std::fs::read_to_string(folder.join("jruby/app.rb")).unwrap();
    let schedules = source.lines().position(|line| line.contains("own.schedule")).unwrap() as u32 + 1;
    assert_eq!(guard.line, Some(schedules));
}

/// What is embedded is what javac makes of the source beside it.
#[test]
fn java_bridge_class_is_its_source_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("agent/bridge");
    let out = tempfile::tempdir().unwrap();
    let mut javac = Command::new("javac");
    javac.args(["--release", "8", "-g:none", "-Xlint:-options", "-d"]).arg(out.path());
    assert!(javac.arg(folder.join("flatfoot/Bridge.java")).status().unwrap().success());
    let made = std::fs::read(out.path().join("flatfoot/Bridge.class")).unwrap();
    assert_eq!(made, std::fs::read(folder.join("flatfoot/Bridge.class")).unwrap());
}
