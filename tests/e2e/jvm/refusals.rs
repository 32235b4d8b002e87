//! JVMs that must not be attached to, or can't be: the finding stands, the reason is said, and the target runs on.

use serde_json::Value;

use super::contained::Contained;
use crate::support::{Flatfoot, Leaker, flatfoot, need, wait_until};

/// A leaking JVM with options of its own, and what is said when it is to be asked.
#[track_caller]
fn asked(options: &str) -> (Leaker, Value) {
    let leaker = Leaker::with("run-java.sh", &["new-thread", "300"], |command| {
        command.env("JOPTS", options);
    });
    wait_until("births", 90.0, || leaker.tasks_named("Thread-") >= 12);
    let (code, said) = Flatfoot::new().json(&["diagnose", &leaker.arg(), "--access", "agent", "--no-save"]);
    assert_eq!(code, 1, "{said:#}");
    let before = leaker.tasks_named("Thread-");
    wait_until("it still leaks", 30.0, || leaker.tasks_named("Thread-") > before);
    (leaker, said)
}

fn not_judged(said: &Value) -> String {
    said["not_judged"].to_string()
}

#[test]
fn a_java_that_forbids_attaching() {
    need!("java", "/usr/share/java/quartz2.jar");
    let (leaker, said) = asked("-XX:+DisableAttachMechanism");
    assert_eq!(said["findings"][0]["confidence"], "likely");
    assert!(not_judged(&said).contains("attaching is switched off in it"), "{said:#}");
    assert_eq!(said["impact"]["level"], "read");
    assert!(!leaker.has_thread("Attach Listener"));
}

/// With -Xrs SIGQUIT would end it; but such a JVM listens from its start, and needs no signal.
#[test]
fn a_java_that_a_signal_would_end() {
    need!("java", "/usr/share/java/quartz2.jar");
    let (_, said) = asked("-Xrs");
    assert_eq!(said["findings"][0]["confidence"], "confirmed", "{said:#}");
    assert!(said["impact"]["done"].to_string().contains("was up already"), "{said:#}");
}

#[test]
fn a_java_that_takes_no_agent_is_asked_by_its_flight_recorder() {
    need!("java", "/usr/share/java/quartz2.jar");
    let (_, said) = asked("-XX:-EnableDynamicAgentLoading");
    let by = &said["findings"][0]["created_by"][0];
    assert_eq!(by["source"], "jfr", "{said:#}");
    let text = by["frames"].to_string();
    assert!(text.contains("leakcase.Threads.plain"), "{said:#}");
    assert_eq!(said["findings"][0]["confidence"], "confirmed");
    assert_eq!(said["impact"]["level"], "attach");
}

#[test]
fn a_native_program_has_no_inside_to_ask() {
    let leaker = Leaker::start("leak", &["threads-unjoined", "100", "0", "pool-#-thread-1"]);
    leaker.wait_for_tasks(20, 30.0);
    let (code, said) = Flatfoot::new().json(&["diagnose", &leaker.arg(), "--access", "agent", "--no-save"]);
    assert_eq!(code, 1);
    assert!(not_judged(&said).contains("it is no HotSpot JVM"), "{said:#}");
    let heap = Flatfoot::new().run(&["heap", &leaker.arg()]);
    assert_eq!(heap.status, 5);
    assert!(heap.stderr.contains("hint:"), "{heap:#?}");
}

/// Ctrl-C while a birth is waited for: the hook and its ring are gone from the target, and what is known is judged.
#[test]
fn ctrl_c_takes_the_agents_hook_out_of_a_java() {
    need!("java", "/usr/share/java/quartz2.jar");
    // No birth comes after these, so there is something to wait for.
    let leaker = Leaker::start("run-java.sh", &["new-thread", "300", "14"]);
    wait_until("births", 90.0, || leaker.tasks_named("Thread-") == 14);
    let runs = Flatfoot::new();
    let mut child = runs
        .command(&["diagnose", &leaker.arg(), "--access", "agent", "--for", "60s", "--no-save"])
        .spawn()
        .expect("flatfoot starts");
    let maps = || std::fs::read_to_string(format!("/proc/{}/maps", leaker.pid())).expect("its maps");
    let is_watched = || maps().lines().any(|line| line.contains(".flatfoot-") && line.contains("/ring"));
    wait_until("the agent watches", 30.0, is_watched);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    let run = flatfoot::collect(&mut child);
    assert!(!is_watched(), "the ring is still mapped: {run:#?}");
    assert!(run.stdout.contains("THREAD LEAK"), "{run:#?}");
    assert!(run.stdout.contains("hook removed"), "{run:#?}");
    assert!(run.status == 1 || run.status == 3, "{run:#?}");
}

/// kill -9 at whatever stage: the JVM runs on, and the next run finds its way and leaves nothing behind.
#[test]
fn a_flatfoot_that_is_killed_at_any_stage_harms_no_java() {
    need!("java", "/usr/share/java/quartz2.jar", "unshare", "setpriv");
    let Some(contained) = Contained::start() else { return };
    let runs = Flatfoot::new();
    let args = ["diagnose", &contained.pid, "--access", "agent", "--no-save"];
    // The whole of it takes some 40 ms until births are waited for: each stage is met by some.
    for delay_ms in (2..90).step_by(4) {
        let mut child = runs.command(&args).spawn().expect("flatfoot starts");
        std::thread::sleep(std::time::Duration::from_millis(delay_ms));
        let _ = child.kill();
        let _ = child.wait();
    }
    let before = contained.tasks();
    wait_until("it still leaks", 30.0, || contained.tasks() > before);
    let (code, said) = runs.json(&args);
    assert_eq!(code, 1, "{said:#}");
    assert_eq!(said["findings"][0]["confidence"], "confirmed", "{said:#}");
    assert_eq!(contained.left(), [""; 0], "what the killed ones left is gone");
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", contained.pid)).expect("its maps");
    assert!(!maps.contains("/ring"), "no ring is mapped");
}

/// Holds one thread of a process until it is dropped, as a debugger would.
struct Held(std::process::Child);

impl Held {
    fn thread(tid: u32) -> Self {
        const SCRIPT: &str = "import ctypes, sys\n\
            libc = ctypes.CDLL(None, use_errno=True)\n\
            seize, interrupt = 0x4206, 0x4207\n\
            for request in (seize, interrupt):\n\
            \x20   assert libc.ptrace(request, int(sys.argv[1]), None, None) == 0, ctypes.get_errno()\n\
            print('held', flush=True)\n\
            sys.stdin.read()\n";
        let mut child = std::process::Command::new("python3")
            .args(["-c", SCRIPT, &tid.to_string()])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("its output");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("a line");
        assert_eq!(line.trim(), "held");
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// It was signalled and has not answered: no answer is no proof that nothing was done to it.
#[test]
fn a_java_that_does_not_answer_the_signal() {
    need!("java", "/usr/share/java/quartz2.jar", "python3");
    let leaker = Leaker::start("run-java.sh", &["new-thread", "300"]);
    wait_until("births", 90.0, || leaker.tasks_named("Thread-") >= 12);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", leaker.pid())).expect("its threads");
    let dispatcher = tasks.flatten().find(|task| {
        std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "Signal Dispatch")
    });
    let tid =
        dispatcher.and_then(|task| task.file_name().to_str()?.parse().ok()).expect("who waits for signals");
    let held = Held::thread(tid);
    let (code, said) = Flatfoot::new().json(&["diagnose", &leaker.arg(), "--access", "attach", "--no-save"]);
    assert_eq!(code, 1, "{said:#}");
    assert_eq!(said["impact"]["level"], "attach", "{said:#}");
    let done = said["impact"]["done"].to_string();
    assert!(done.contains("asked by SIGQUIT to start its attach listener, which it may still do"), "{done}");
    assert!(said["impact"]["attached_s"].as_f64() >= Some(4.0), "{said:#}");
    assert!(not_judged(&said).contains("the inside of java"), "{said:#}");
    drop(held);
    let before = leaker.tasks_named("Thread-");
    wait_until("it still leaks", 30.0, || leaker.tasks_named("Thread-") > before);
}
