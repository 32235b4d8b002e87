//! How the agent gets into real JVMs, and where it is refused: users, containers, file systems and what others have put there.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are tests; what is skipped is said

mod agent_jvm;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use agent_jvm::{Jvm, attach, creator, java, line, owner_of, starters};
use probe::hotspot::agent::{Agent, Refusal};
use probe::hotspot::attach::Patience;

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
