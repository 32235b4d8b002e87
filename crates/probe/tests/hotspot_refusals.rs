//! Processes that must not be attached to, or cannot be: each is refused with the cause, and runs on unharmed.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod java_vm;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use java_vm::{Jvm, is_root, jdks, key, proc};
use model::{Pid, ProcessKey, Ticks};
use probe::Clock;
use probe::hotspot::attach::{Attachment, Patience, Refusal, preview};
use probe::sys::credentials::User;

const NOBODY: User = User { uid: 65_534, gid: 65_534 };

fn system() -> &'static Path {
    Path::new("java")
}

/// Refused alike by the preview and by attaching.
#[track_caller]
fn refused(jvm: &Jvm, expected: impl Fn(&Refusal) -> bool) -> Refusal {
    let (before, refusal) = (jvm.preview().unwrap_err(), jvm.attach().unwrap_err());
    assert!(expected(&refusal), "{refusal:?}");
    assert!(expected(&before), "{before:?}");
    assert!(!refusal.hint().is_empty());
    refusal
}

/// Removed when the test is over.
struct Planted(PathBuf);

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A program that SIGQUIT would end; killed when the test is over.
struct Sleeper(std::process::Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn jvm_that_refuses_is_not_signalled() {
    for (version, java) in jdks() {
        for options in
            [&["-XX:+DisableAttachMechanism"][..], &["-XX:+DisableAttachMechanism", "-XX:-UsePerfData"]]
        {
            let mut jvm = Jvm::start(&java, options);
            // A JVM that was killed leaves its socket, and its pid comes again.
            let _ = fs::remove_file(jvm.tmp_file(".java_pid"));
            refused(&jvm, |refusal| matches!(refusal, Refusal::AttachDisabled(_)));
            jvm.is_unharmed();
            assert!(!jvm.tmp_file(".java_pid").exists(), "{version}");
        }
    }
}

#[test]
fn jvm_with_reduced_signals_is_asked_only_where_it_listens() {
    for (version, java) in jdks() {
        let mut jvm = Jvm::start(&java, &["-Xrs"]);
        // It listens from its start.
        let mut attachment = jvm.attach().unwrap();
        assert!(!attachment.was_cold(), "{version}");
        attachment.jcmd("VM.uptime", &Patience::default()).unwrap();
        drop(attachment);
        fs::remove_file(jvm.tmp_file(".java_pid")).unwrap();
        refused(&jvm, |refusal| *refusal == Refusal::SignalNotCaught { reduced: true });
        jvm.is_unharmed();
    }
}

#[test]
fn jvm_that_is_stopped_is_left_alone() {
    let mut jvm = Jvm::start(system(), &[]);
    jvm.stop();
    refused(&jvm, |refusal| matches!(refusal, Refusal::Stopped(_)));
    jvm.signal("-CONT");
    jvm.is_unharmed();
    assert!(jvm.attach().unwrap().was_cold());
}

#[test]
fn jvm_that_stops_answering_times_out_or_is_given_up() {
    let mut jvm = Jvm::start(system(), &[]);
    let mut attachment = jvm.attach().unwrap();
    jvm.stop();
    let short = Patience { command_s: 0.3, ..Patience::default() };
    let refusal = attachment.jcmd("VM.uptime", &short).unwrap_err();
    assert!(matches!(refusal, Refusal::TimedOut { .. }), "{refusal:?}");
    let flag = AtomicBool::new(false);
    let patient = Patience { command_s: 600.0, cancel: Some(&flag), ..Patience::default() };
    let refusal = std::thread::scope(|scope| {
        scope.spawn(|| {
            Clock::sleep(0.2);
            flag.store(true, Ordering::Relaxed);
        });
        attachment.jcmd("VM.uptime", &patient).unwrap_err()
    });
    assert_eq!(refusal, Refusal::Cancelled);
    jvm.signal("-CONT");
    attachment.jcmd("VM.uptime", &Patience::default()).unwrap();
    let few = Patience { most_bytes: 100, ..Patience::default() };
    let refusal = attachment.jcmd("Thread.print", &few).unwrap_err();
    assert_eq!(refusal, Refusal::Protocol("the answer to jcmd has more than 100 bytes".to_owned()));
    attachment.jcmd("VM.uptime", &Patience::default()).unwrap();
    jvm.is_unharmed();
}

#[test]
fn jvm_is_attached_to_by_one_at_a_time() {
    let mut jvm = Jvm::start(system(), &[]);
    let first = jvm.attach().unwrap();
    assert_eq!(jvm.attach().unwrap_err(), Refusal::Busy("another flatfoot".to_owned()));
    drop(first);
    jvm.attach().unwrap();
    jvm.is_unharmed();
}

#[test]
fn jvm_that_ended_or_is_another_one_is_gone() {
    let jvm = Jvm::start(system(), &[]);
    let born = jvm.key();
    let other = ProcessKey { start: Ticks(born.start.0 + 1), ..born };
    assert_eq!(Attachment::open(&proc(), &other, &Patience::default()).unwrap_err(), Refusal::Gone);
    let mut attachment = jvm.attach().unwrap();
    drop(jvm);
    assert_eq!(attachment.jcmd("VM.uptime", &Patience::default()).unwrap_err(), Refusal::Gone);
    drop(attachment);
    assert_eq!(preview(&proc(), &born).unwrap_err(), Refusal::Gone);
}

#[test]
fn jvm_look_alike_gets_no_signal() {
    let dir = tempfile::tempdir().unwrap();
    let java = dir.path().join("java");
    fs::copy("/bin/sleep", &java).unwrap();
    let mut child = Sleeper(Command::new(&java).arg("600").stdout(Stdio::null()).spawn().unwrap());
    let pid = Pid(child.0.id());
    while fs::read_link(format!("/proc/{pid}/exe")).unwrap() != java {
        std::thread::yield_now();
    }
    let socket = Planted(Path::new("/tmp").join(format!(".java_pid{pid}")));
    let listener = UnixListener::bind(&socket.0).unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(preview(&proc(), &key(pid)).unwrap_err(), Refusal::NotAJvm);
    let refusal = Attachment::open(&proc(), &key(pid), &Patience::default()).unwrap_err();
    assert_eq!(refusal, Refusal::NotAJvm);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody connected");
    assert!(child.0.try_wait().unwrap().is_none(), "SIGQUIT would have ended it");
}

/// A program that doesn't catch SIGQUIT, with libraries of these names.
fn with_libraries(names: &[&str]) -> (tempfile::TempDir, Sleeper) {
    let dir = tempfile::tempdir().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps.split_whitespace().find(|word| word.contains("/libgcc_s.so")).unwrap();
    let copies: Vec<_> = names.iter().map(|name| dir.path().join(name).display().to_string()).collect();
    for copy in &copies {
        fs::copy(library, copy).unwrap();
    }
    let mut command = Command::new("sleep");
    let child = command.arg("600").env("LD_PRELOAD", copies.join(" ")).stdout(Stdio::null()).spawn().unwrap();
    let child = Sleeper(child);
    let maps = format!("/proc/{}/maps", child.0.id());
    let is_loaded =
        || fs::read_to_string(&maps).is_ok_and(|maps| names.iter().all(|name| maps.contains(name)));
    while !is_loaded() {
        std::thread::yield_now();
    }
    (dir, child)
}

#[test]
fn jvm_of_another_kind_gets_no_signal() {
    let cases = [
        (&["libjvm.so", "libj9vm29.so"][..], Refusal::OpenJ9),
        (&["libjvm.so"], Refusal::SignalNotCaught { reduced: false }),
        (&["libjvm.so.1"], Refusal::NotAJvm),
    ];
    for (names, expected) in cases {
        let (_dir, mut child) = with_libraries(names);
        let born = key(Pid(child.0.id()));
        assert_eq!(preview(&proc(), &born).unwrap_err(), expected);
        assert_eq!(Attachment::open(&proc(), &born, &Patience::default()).unwrap_err(), expected);
        assert!(child.0.try_wait().unwrap().is_none(), "SIGQUIT would have ended it");
    }
}

#[test]
fn jvm_socket_of_an_earlier_process_does_not_count() {
    let mut jvm = Jvm::start(system(), &[]);
    let socket = Planted(jvm.tmp_file(".java_pid"));
    drop(UnixListener::bind(&socket.0).unwrap());
    // Nobody listens: that shows only when it is tried.
    assert!(jvm.attach().unwrap().was_cold());
    jvm.is_unharmed();
    drop(jvm);
    // A JVM ends without removing its socket when it is killed; this one has its pid, and dies of SIGQUIT.
    let (_dir, child) = with_libraries(&["libjvm.so"]);
    let socket = Planted(Path::new("/tmp").join(format!(".java_pid{}", child.0.id())));
    drop(UnixListener::bind(&socket.0).unwrap());
    let years_ago = Command::new("touch").args(["-h", "-d", "2001-01-01"]).arg(&socket.0).status().unwrap();
    assert!(years_ago.success());
    let born = key(Pid(child.0.id()));
    let expected = Refusal::SignalNotCaught { reduced: false };
    assert_eq!(preview(&proc(), &born).unwrap_err(), expected);
    assert_eq!(Attachment::open(&proc(), &born, &Patience::default()).unwrap_err(), expected);
}

#[test]
fn jvm_socket_of_somebody_else_is_not_talked_to() {
    let mut jvm = Jvm::start(system(), &[]);
    let socket = Planted(jvm.tmp_file(".java_pid"));
    let listener = UnixListener::bind(&socket.0).unwrap();
    let refusal = jvm.attach().unwrap_err();
    let what = format!("is served by process {} of user {}", std::process::id(), User::current().uid);
    assert_eq!(refusal, Refusal::Planted { path: format!("/proc/{0}/root/tmp/.java_pid{0}", jvm.pid), what });
    let (mut stream, _) = listener.accept().unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert_eq!(said, b"", "not a word");
    if is_root() {
        std::os::unix::fs::chown(&socket.0, Some(NOBODY.uid), None).unwrap();
        refused(
            &jvm,
            |refusal| matches!(refusal, Refusal::Planted { what, .. } if what.starts_with("belongs to")),
        );
    }
    jvm.is_unharmed();
}

#[test]
fn jvm_links_in_tmp_are_not_followed() {
    let mut jvm = Jvm::start(system(), &[]);
    let dir = tempfile::tempdir().unwrap();
    let precious = dir.path().join("precious");
    fs::write(&precious, "keep").unwrap();
    for prefix in [".java_pid", ".attach_pid"] {
        let link = Planted(jvm.tmp_file(prefix));
        symlink(&precious, &link.0).unwrap();
        let refusal = jvm.attach().unwrap_err();
        assert!(matches!(refusal, Refusal::Planted { .. }), "{prefix}: {refusal:?}");
        assert!(fs::symlink_metadata(&link.0).unwrap().is_symlink(), "{prefix}: left alone");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "keep");
    }
    jvm.is_unharmed();
    assert!(jvm.attach().unwrap().was_cold());
}

#[test]
fn jvm_trigger_that_was_left_behind_is_removed_and_a_new_one_is_waited_for() {
    let mut jvm = Jvm::start(system(), &[]);
    let trigger = Planted(jvm.tmp_file(".attach_pid"));
    fs::write(&trigger.0, "").unwrap();
    let short = Patience { attach_s: 0.3, ..Patience::default() };
    let refusal = jvm.attach_with(&short).unwrap_err();
    assert!(matches!(refusal, Refusal::Busy(_)), "{refusal:?}");
    assert!(trigger.0.exists(), "another tool's");
    // That of a flatfoot that was killed: at once, as one that lives would hold the lock.
    fs::write(&trigger.0, "flatfoot\n").unwrap();
    assert!(jvm.attach().unwrap().was_cold());
    // Of one that was killed after its signal: the JVM listens.
    fs::write(&trigger.0, "flatfoot\n").unwrap();
    assert!(!jvm.attach().unwrap().was_cold());
    assert!(!trigger.0.exists());
    jvm.is_unharmed();
    drop(jvm);
    let mut jvm = Jvm::start(system(), &[]);
    let trigger = Planted(jvm.tmp_file(".attach_pid"));
    fs::write(&trigger.0, "").unwrap();
    let hour_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs_f64(Clock::wall() - 3600.0);
    fs::File::options().write(true).open(&trigger.0).unwrap().set_modified(hour_ago).unwrap();
    assert!(jvm.attach().unwrap().was_cold());
    assert!(!trigger.0.exists());
    jvm.is_unharmed();
}

#[test]
fn jvm_of_another_user_is_denied() {
    if !is_root() {
        return;
    }
    let mut jvm = Jvm::start(system(), &[]);
    let born = jvm.key();
    let refusal = NOBODY
        .act(|| {
            assert!(matches!(preview(&proc(), &born), Err(Refusal::Denied { .. })));
            Attachment::open(&proc(), &born, &Patience::default()).unwrap_err()
        })
        .unwrap();
    assert!(matches!(refusal, Refusal::Denied { .. }), "{refusal:?}");
    jvm.is_unharmed();
    assert!(!jvm.tmp_file(".java_pid").exists());
}

/// A cgroup of the test's own; its processes go back to the root group when it is removed.
struct Group(PathBuf);

impl Group {
    /// A group in one of these hierarchies that has such a file: v1 has one for each controller, v2 one for all, alone or
    /// beside v1.
    fn new(hierarchies: &[&str], file: &str) -> Option<Self> {
        for hierarchy in hierarchies {
            let parent = Path::new("/sys/fs/cgroup").join(hierarchy);
            let group = Self(parent.join(format!("flatfoot-{}", std::process::id())));
            if parent.join("cgroup.procs").exists()
                && fs::create_dir(&group.0).is_ok()
                && group.0.join(file).exists()
            {
                return Some(group);
            }
        }
        eprintln!("skipped: no cgroup hierarchy of {hierarchies:?} with {file} to write to");
        None
    }

    fn set(&self, file: &str, value: &dyn ToString) {
        fs::write(self.0.join(file), value.to_string()).unwrap();
    }

    fn get(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap().trim().to_owned()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for (file, value) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
            if self.0.join(file).exists() {
                let _ = fs::write(self.0.join(file), value);
            }
        }
        for pid in fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = fs::write(self.0.parent().unwrap().join("cgroup.procs"), pid);
        }
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn jvm_at_its_pids_limit_is_left_alone() {
    if !is_root() {
        return;
    }
    for (version, java) in jdks() {
        let Some(group) = Group::new(&["pids", "unified", ""], "pids.max") else { return };
        let mut jvm = Jvm::start(&java, &[]);
        group.set("cgroup.procs", &jvm.pid);
        let current: u64 = group.get("pids.current").parse().unwrap();
        group.set("pids.max", &current);
        let refusal = refused(&jvm, |refusal| matches!(refusal, Refusal::NoHeadroom { .. }));
        let what = format!("pids.max of {}", group.0.display());
        assert_eq!(refusal, Refusal::NoHeadroom { what, current, limit: current }, "{version}");
        jvm.is_unharmed();
        assert!(!jvm.tmp_file(".java_pid").exists(), "{version}");
        group.set("pids.max", &(current + 20));
        assert!(jvm.attach().unwrap().was_cold(), "{version}");
        // Once it listens no thread is needed.
        group.set("pids.max", &1);
        jvm.attach().unwrap().jcmd("VM.uptime", &Patience::default()).unwrap();
        jvm.is_unharmed();
    }
}

#[test]
fn jvm_in_a_frozen_group_is_left_alone() {
    if !is_root() {
        return;
    }
    for (hierarchies, file, frozen, thawed) in [
        (&["freezer"][..], "freezer.state", "FROZEN", "THAWED"),
        (&["unified", ""], "cgroup.freeze", "1", "0"),
    ] {
        let Some(group) = Group::new(hierarchies, file) else { continue };
        let mut jvm = Jvm::start(system(), &[]);
        group.set("cgroup.procs", &jvm.pid);
        group.set(file, &frozen);
        while !matches!(jvm.preview(), Err(Refusal::Stopped(_))) {
            // To freeze takes its time.
            std::thread::yield_now();
        }
        let refusal = refused(&jvm, |refusal| matches!(refusal, Refusal::Stopped(_)));
        assert_eq!(refusal, Refusal::Stopped(format!("its cgroup {} is frozen", group.0.display())));
        group.set(file, &thawed);
        jvm.is_unharmed();
    }
}

/// As a container's: own pids, own /tmp, another user.
fn contained(java: &str, mount_tmp: &str, options: &str) -> Jvm {
    let script = format!(
        "mount --bind {} /mnt && mount -t tmpfs {mount_tmp} none /tmp && \
         exec setpriv --reuid 65534 --regid 65534 --clear-groups {java} -Xmx64m {options} -cp /mnt Inside",
        java_vm::classes().display()
    );
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "sh", "-c", &script]);
    let mut jvm = Jvm::spawn(command);
    jvm.expect("ready");
    let children = format!("/proc/{0}/task/{0}/children", jvm.pid);
    jvm.pid = Pid(fs::read_to_string(children).unwrap().trim().parse().unwrap());
    jvm
}

#[test]
fn jvm_in_a_container_is_attached_to_as_its_user() {
    if !is_root() {
        return;
    }
    let mut jvm = contained("java", "-o mode=1777", "");
    let mut attachment = jvm.attach().unwrap();
    assert!(attachment.was_cold());
    assert_eq!((attachment.target().inner_pid(), attachment.target().user()), (1, NOBODY));
    let dump = attachment.jcmd("Thread.print", &Patience::default()).unwrap();
    assert!(dump.contains("\"pool-3-thread-1\""), "{dump}");
    let inside = PathBuf::from(format!("/proc/{}/root/tmp", jvm.pid));
    let names: Vec<_> = fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(fs::symlink_metadata(inside.join(".java_pid1")).unwrap().file_type().is_socket());
    assert!(!names.iter().any(|name| name == ".attach_pid1"), "{names:?}");
    assert_eq!(User::current().uid, 0, "only one thread became another user");
    let counters = probe::Prober::new(proc())
        .process(jvm.pid, &probe::Parts { jvm: true, ..probe::Parts::default() })
        .unwrap();
    assert_eq!(counters.jvm.value().unwrap().command.as_str(), "Inside");
    jvm.is_unharmed();
}

#[test]
fn jvm_whose_tmp_takes_no_file_is_not_signalled() {
    if !is_root() {
        return;
    }
    // Nobody but root may create there; and there is no room for another file.
    for options in ["-o mode=0755", "-o mode=1777,nr_inodes=1"] {
        let mut jvm = contained("java", options, "-XX:-UsePerfData");
        let refusal = jvm.attach().unwrap_err();
        assert!(matches!(refusal, Refusal::TmpNotWritable(_)), "{options}: {refusal:?}");
        jvm.is_unharmed();
    }
}

#[test]
fn jvm_at_its_users_limit_is_left_alone() {
    if !is_root() {
        return;
    }
    let mut jvm = contained("java", "-o mode=1777", "");
    let pid = jvm.pid.to_string();
    let limit = |tasks: &str| {
        // As its user: of another's it would need CAP_SYS_RESOURCE.
        let mut prlimit = Command::new("setpriv");
        prlimit.args([
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            "prlimit",
            "--pid",
            &pid,
            tasks,
        ]);
        let prlimit = prlimit.status();
        assert!(prlimit.unwrap().success());
    };
    limit("--nproc=5:");
    let refusal = refused(&jvm, |refusal| matches!(refusal, Refusal::NoHeadroom { .. }));
    let Refusal::NoHeadroom { what, limit: most, .. } = refusal else { unreachable!() };
    assert_eq!((what.as_str(), most), ("RLIMIT_NPROC of user 65534", 5));
    jvm.is_unharmed();
    limit("--nproc=10000:");
    limit("--as=20000000000:");
    assert!(jvm.attach().unwrap().was_cold());
    jvm.is_unharmed();
}
