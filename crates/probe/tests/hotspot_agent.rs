//! The agent in real JVMs: what it tells of programs whose answers are known, and that it leaves them unharmed.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are tests; what is skipped is said

mod agent_jvm;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use agent_jvm::{Jvm, attach, jar, java, line, repository, starters, until};
use model::{JavaFrame, Pid, SpawnStack, Text, ThreadOwner};
use probe::Clock;
use probe::hotspot::agent::{Agent, Refusal, ruby};
use probe::hotspot::attach::Patience;

fn text(text: Option<&Text>) -> Option<&str> {
    text.map(Text::as_str)
}

/// `Starters$FreshPool.arm:20`
fn short(frame: &JavaFrame) -> String {
    format!("{}.{}:{}", frame.class, frame.method, frame.line.unwrap_or(0))
}

/// The first frame that is not the JDK's.
fn creator(spawn: &SpawnStack) -> &JavaFrame {
    spawn.frames.iter().find(|frame| !frame.of_jdk).unwrap()
}

fn owner_of<'a>(owners: &'a [ThreadOwner], name: &str) -> &'a ThreadOwner {
    let is_example = |owner: &&ThreadOwner| owner.examples.iter().any(|example| example.as_str() == name);
    owners.iter().find(is_example).unwrap_or_else(|| panic!("{name}: {owners:#?}"))
}

fn link<'a>(owner: &'a ThreadOwner, role: &str) -> Vec<&'a str> {
    owner.links.iter().filter(|link| link.role.as_str() == role).map(|link| link.class.as_str()).collect()
}

/// What -Xcheck:jni, the JDK's log and a dying JVM would print.
fn assert_unharmed(output: &str, errors: &str) {
    for word in ["WARNING in native", "FATAL", "SIGSEGV", "Re-registering", "Exception", "local refs"] {
        assert!(!output.contains(word) && !errors.contains(word), "{word}:\n{output}\n{errors}");
    }
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

const CHILD: &str = "FLATFOOT_TEST_WATCHES";

/// Not a test: what `jvm_outlives_a_killed_flatfoot` starts, to be killed.
#[test]
fn child_that_watches() {
    let Ok(pid) = std::env::var(CHILD) else { return };
    let mut attachment = attach(Pid(pid.parse().unwrap()));
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    agent.set_lease(1.0);
    agent.watch().unwrap();
    println!("\nwatching");
    Clock::sleep(600.0);
}

fn outlives_a_killed_flatfoot(version: u32) {
    let Some(java) = java(version) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child_that_watches", "--nocapture"]).env(CHILD, jvm.pid().to_string());
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let said = std::io::BufRead::lines(output).map(Result::unwrap).find(|line| line == "watching");
    assert!(said.is_some(), "the child failed");
    child.kill().unwrap();
    child.wait().unwrap();
    let maps = jvm.maps();
    let ring = maps.lines().find(|line| line.ends_with("/ring (deleted)")).expect("hooked");
    let left = ring[ring.find('/').unwrap()..].trim_end_matches("/ring (deleted)").to_owned();
    assert!(Path::new(&left).is_dir(), "{left}");
    // The lease is a second; a thread start after that removes the hook.
    let mut output = String::new();
    until("the hook is gone", || {
        output += &jvm.command("short", 1);
        (!jvm.maps().contains("/ring")).then_some(())
    });
    output += &jvm.command("short", 5);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    assert!(!Path::new(&left).exists(), "{left} was left");
    agent.watch().unwrap();
    output += &jvm.command("thread", 1);
    assert_eq!(agent.poll()[0].count, 1);
    assert_eq!(agent.stop().unwrap().starts, 1);
    let libraries =
        jvm.maps().lines().filter(|line| line.contains("/agent-") && line.contains(" r-xp ")).count();
    assert_eq!(libraries, 1, "the library that was mapped is used again");
    assert_unharmed(&output, &jvm.errors());
}

#[test]
fn jvm_17_outlives_a_killed_flatfoot() {
    outlives_a_killed_flatfoot(17);
}

#[test]
fn jvm_25_outlives_a_killed_flatfoot() {
    outlives_a_killed_flatfoot(25);
}

/// A second flatfoot finds the hook of one that was killed, before its lease is over.
#[test]
fn jvm_second_load_takes_over() {
    let Some(java) = java(17) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut attachment = jvm.attach();
    let mut first = Agent::load(&mut attachment, Patience::default()).unwrap();
    first.watch().unwrap();
    jvm.command("thread", 1);
    // As if it were killed: nothing of it runs any more.
    std::mem::forget(first);
    drop(attachment);
    let mut attachment = jvm.attach();
    let mut second = Agent::load(&mut attachment, Patience::default()).unwrap();
    assert!(!jvm.maps().contains("/ring"), "the old ring is gone");
    second.watch().unwrap();
    let output = jvm.command("pool", 1);
    let spawns = second.poll();
    assert_eq!((spawns.len(), second.figures().starts), (1, 1));
    assert_eq!(creator(&spawns[0]).class.as_str(), "Starters$FreshPool");
    drop(second);
    assert!(!jvm.maps().contains("/ring"), "dropping stops");
    assert_unharmed(&output, &jvm.errors());
}

/// Polling renews the lease; without it the hook ends, is said to have ended, and can begin anew.
#[test]
fn jvm_lease_is_renewed_by_polling() {
    let Some(java) = java(17) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    agent.set_lease(2.0);
    agent.watch().unwrap();
    let began = Clock::monotonic();
    while Clock::monotonic() - began < 3.0 {
        agent.poll();
        Clock::sleep(0.1);
    }
    let mut output = jvm.command("pool", 1);
    assert_eq!((agent.poll().len(), agent.figures().expired), (1, false));
    Clock::sleep(2.2);
    output += &jvm.command("pool", 1);
    assert_eq!((agent.poll().len(), agent.figures().expired), (1, true), "what was recorded stays");
    assert!(!jvm.maps().contains("/ring"));
    agent.watch().unwrap();
    output += &jvm.command("pool", 2);
    assert_eq!((agent.poll()[0].count, agent.figures().expired), (2, false));
    agent.stop().unwrap();
    assert_unharmed(&output, &jvm.errors());
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

#[test]
fn jvm_that_loads_no_agents_is_told_apart() {
    for version in [17, 21] {
        let Some(java) = java(version) else { continue };
        let jvm = Jvm::starters(&java, &["-XX:-EnableDynamicAgentLoading"]);
        let mut attachment = jvm.attach();
        let refusal = Agent::load(&mut attachment, Patience::default()).unwrap_err();
        assert_eq!(refusal, Refusal::NotAllowed);
        assert!(refusal.leaves_jfr() && !jvm.maps().contains(".flatfoot-"));
    }
}

/// In a mount namespace of its own, after mounts of its own; Debian's java and a copy of the program, as the mounts hide
/// what lies in /tmp.
struct Elsewhere {
    work: tempfile::TempDir,
}

impl Elsewhere {
    fn new() -> Self {
        let work = tempfile::tempdir_in("/var/tmp").unwrap();
        std::fs::create_dir(work.path().join("empty")).unwrap();
        std::fs::copy(starters(), work.path().join("starters.jar")).unwrap();
        Self { work }
    }

    fn start(&self, mounts: &str, directory: &str) -> Jvm {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c"]).arg(format!("{mounts} && cd \"$0\" && exec \"$@\""));
        command.arg(directory).arg("/usr/bin/java").arg("-cp").arg(self.work.path().join("starters.jar"));
        command.arg("Starters");
        Jvm::run(command)
    }

    fn empty(&self) -> String {
        self.work.path().join("empty").to_str().unwrap().to_owned()
    }
}

#[test]
fn jvm_with_noexec_tmp_gets_the_agent_elsewhere() {
    let elsewhere = Elsewhere::new();
    let mut jvm = elsewhere.start("mount -t tmpfs -o noexec none /tmp", &elsewhere.empty());
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    assert!(jvm.maps().contains(&format!("{}/.flatfoot-", elsewhere.empty())), "{}", jvm.maps());
    agent.watch().unwrap();
    jvm.command("pool", 1);
    assert_eq!(agent.poll().len(), 1);
    agent.stop().unwrap();
    assert_eq!(std::fs::read_dir(elsewhere.empty()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn jvm_with_no_place_for_the_agent_is_refused() {
    let mounts = "mount -t tmpfs -o noexec none /tmp && mount -t tmpfs -o noexec none /dev/shm \
        && mount --bind /var/tmp /var/tmp && mount -o remount,ro,bind /var/tmp";
    let jvm = Elsewhere::new().start(mounts, "/tmp");
    let mut attachment = jvm.attach();
    let refusal = Agent::load(&mut attachment, Patience::default()).unwrap_err();
    let Refusal::NoPlace(reasons) = &refusal else { panic!("{refusal}") };
    assert_eq!(reasons, "/tmp is noexec, /dev/shm is noexec, /var/tmp is read-only");
}

#[test]
fn jvm_with_a_full_tmp_gets_the_agent_elsewhere() {
    let elsewhere = Elsewhere::new();
    // Room for its hsperfdata, and not for a ring.
    let jvm = elsewhere.start("mount -t tmpfs -o size=512k none /tmp", &elsewhere.empty());
    let mut attachment = jvm.attach();
    let agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    assert!(jvm.maps().contains(&format!("{}/.flatfoot-", elsewhere.empty())));
    drop(agent);
    let tmp = std::fs::read_dir(format!("/proc/{}/root/tmp", jvm.pid())).unwrap();
    let left: Vec<_> = tmp.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("flatfoot")), "{left:?}");
}

/// What a killed flatfoot left is removed; what only looks like it is not, and no link is followed.
#[test]
fn jvm_planted_leftovers_are_left_alone() {
    let Some(java) = java(17) else { return };
    let work = tempfile::tempdir().unwrap();
    let victim = tempfile::tempdir().unwrap();
    std::fs::write(victim.path().join("ring"), "precious").unwrap();
    let path = |end: &str| work.path().join(format!(".flatfoot-00000000000000{end}"));
    let make = |end: &str, mode: u32, files: &[&str]| {
        std::fs::create_dir(path(end)).unwrap();
        for file in files {
            std::fs::write(path(end).join(file), "").unwrap();
        }
        std::fs::set_permissions(path(end), PermissionsExt::from_mode(mode)).unwrap();
    };
    std::os::unix::fs::symlink(victim.path(), path("aa")).unwrap();
    make("bb", 0o755, &["ring"]);
    make("cc", 0o700, &["ring", "keep"]);
    make("dd", 0o700, &["ring"]);
    make("ee", 0o700, &["ring", "report", "agent-0123456789abcdef.so"]);
    std::os::unix::fs::symlink(victim.path().join("ring"), path("ee").join("agent-0000000000000000.so"))
        .unwrap();
    make("xx", 0o700, &["ring"]);
    // Another flatfoot, alive.
    let held = std::fs::File::open(path("dd")).unwrap();
    held.lock().unwrap();
    let mut command = Command::new(java);
    command.arg("-cp").arg(starters()).arg("Starters").current_dir(work.path());
    let jvm = Jvm::run(command);
    let mut attachment = jvm.attach();
    drop(Agent::load(&mut attachment, Patience::default()).unwrap());
    assert_eq!(std::fs::read_to_string(victim.path().join("ring")).unwrap(), "precious");
    assert!(path("aa").is_symlink() && path("bb").join("ring").exists() && path("dd").join("ring").exists());
    assert!(!path("cc").join("ring").exists() && path("cc").join("keep").exists());
    assert!(!path("ee").exists(), "all of it was ours");
    assert!(path("xx").join("ring").exists(), "no name of ours");
}

/// Whatever somebody writes into the ring: the target goes on, and so does flatfoot.
#[test]
fn jvm_and_flatfoot_survive_a_hostile_ring() {
    let Some(java) = java(17) else { return };
    let mut jvm = Jvm::starters(&java, &["-Xcheck:jni"]);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let mut output = String::new();
    let mut random = 1_u64;
    for round in 0..20 {
        agent.watch().unwrap();
        output += &jvm.command("pool", 1);
        let own = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
        let mut rings = own.filter(|fd| {
            std::fs::read_link(fd).is_ok_and(|path| path.to_string_lossy().ends_with("/ring (deleted)"))
        });
        let ring = std::fs::File::options().write(true).open(rings.next().unwrap()).unwrap();
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as u8
        })
        .take(1 << 20)
        .collect();
        // All of it, or all behind the magic word, or the records alone.
        let from = [0, 8, 20_480][round % 3];
        std::os::unix::fs::FileExt::write_all_at(&ring, &noise[from..], from as u64).unwrap();
        output += &jvm.command("pool", 1);
        agent.poll();
        agent.unwatch().unwrap();
    }
    output += &jvm.command("short", 5);
    assert!(!jvm.maps().contains("/ring"));
    assert_unharmed(&output, &jvm.errors());
}

#[test]
fn jvm_of_another_user_gets_files_of_its_own() {
    const NOBODY: u32 = 65_534;
    let Some(java) = java(17) else { return };
    // Both the jar and java must be readable for anybody.
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let jar = dir.path().join("starters.jar");
    std::fs::copy(starters(), &jar).unwrap();
    std::os::unix::fs::chown(&jar, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new(java);
    command.arg("-cp").arg(&jar).arg("Starters").uid(NOBODY).gid(NOBODY).current_dir(dir.path());
    let mut jvm = Jvm::run(command);
    jvm.command("pool", 2);
    let mut attachment = jvm.attach();
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    let owners = agent.owners().unwrap();
    assert_eq!(owner_of(&owners, "pool-1-thread-1").count, 2);
    agent.watch().unwrap();
    jvm.command("pool", 1);
    assert_eq!(agent.poll().len(), 1);
}

/// As in a container: its own pids, mounts and /tmp, and a user of its own.
#[test]
fn jvm_in_a_container_gets_the_agent() {
    let elsewhere = Elsewhere::new();
    let jar = elsewhere.work.path().join("starters.jar");
    let nobody = Some(65_534);
    for path in [elsewhere.work.path(), &jar] {
        std::os::unix::fs::chown(path, nobody, nobody).unwrap();
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c"]);
    command.arg("mount -t tmpfs -o mode=1777 none /tmp && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"");
    command.args(["sh", "/usr/bin/java", "-cp"]).arg(&jar).arg("Starters").current_dir(elsewhere.work.path());
    let mut jvm = Jvm::run(command);
    jvm.command("pool", 2);
    let pid = jvm.child_pid().unwrap();
    let mut attachment = attach(pid);
    assert_eq!(attachment.target().inner_pid(), 1);
    let mut agent = Agent::load(&mut attachment, Patience::default()).unwrap();
    assert_eq!(owner_of(&agent.owners().unwrap(), "pool-1-thread-1").count, 2);
    agent.watch().unwrap();
    jvm.command("pool", 1);
    assert_eq!(creator(&agent.poll()[0]).line, Some(line("arm")));
    agent.stop().unwrap();
    let tmp = std::fs::read_dir(format!("/proc/{pid}/root/tmp")).unwrap();
    assert!(tmp.into_iter().all(|entry| !entry.unwrap().file_name().to_string_lossy().contains("flatfoot")));
}

/// One file for every libc: a program of musl's loads it.
#[test]
fn agent_loads_under_musl() {
    let dir = tempfile::tempdir().unwrap();
    let (library, source) = (dir.path().join("agent.so"), dir.path().join("load.c"));
    std::fs::write(&library, probe::hotspot::agent::embedded()).unwrap();
    let text = "#include <dlfcn.h>\n#include <stdio.h>\nint main(int n, char **words) { \
        void *lib = dlopen(words[1], RTLD_LAZY); if (!lib) { puts(dlerror()); return 1; } \
        return dlsym(lib, \"Agent_OnAttach\") ? 0 : 2; }";
    std::fs::write(&source, text).unwrap();
    for compiler in ["musl-gcc", "gcc"] {
        let program = dir.path().join(compiler);
        let mut compile = Command::new(compiler);
        compile.arg("-o").arg(&program).arg(&source).arg("-ldl");
        assert!(compile.status().expect("scripts/install-test-deps.sh").success());
        let output = Command::new(&program).arg(&library).output().unwrap();
        assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stdout));
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
