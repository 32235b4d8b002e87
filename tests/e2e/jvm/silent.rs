//! Healthy JVMs: --access agent is no reason to go in.

use crate::support::{Flatfoot, Leaker, need};

const EACH_SECOND: &str = "* * * * * ?";

fn mapped(leaker: &Leaker) -> String {
    std::fs::read_to_string(format!("/proc/{}/maps", leaker.pid())).expect("its maps")
}

#[test]
fn the_repairs_in_java_are_silent_and_not_entered() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leakers = Leaker::start_all([
        ("run-java.sh", &["fixed", EACH_SECOND]),
        ("run-java.sh", &["shutdown", EACH_SECOND]),
    ]);
    for leaker in &leakers {
        crate::support::wait_until("some firings", 60.0, || leaker.tasks() > 20);
        let (code, said) = Flatfoot::new().json(&["diagnose", &leaker.arg(), "--access", "agent"]);
        assert_eq!(code, 0, "{said:#}");
        assert_eq!(said["impact"]["level"], "read", "{said:#}");
        assert!(said["not_judged"].to_string().contains("no thread leak to ask a JVM about"), "{said:#}");
        assert!(!mapped(leaker).contains("flatfoot"), "nothing was loaded");
        assert!(!leaker.has_thread("Attach Listener"), "nothing was signalled");
    }
}

#[test]
fn virtual_threads_of_java_are_no_leak() {
    let java = crate::support::root().join("target/tools/jdk-21/bin/java");
    need!("java", "/usr/share/java/quartz2.jar");
    if !java.exists() {
        eprintln!("skipped: no JDK 21; scripts/install-test-deps.sh brings one");
        return;
    }
    let leaker = Leaker::with("run-java.sh", &["virtual-threads", "20"], |command| {
        command.env("JAVA", &java);
    });
    std::thread::sleep(std::time::Duration::from_secs(5));
    let (code, said) = Flatfoot::new().diagnose(&leaker.arg());
    assert_eq!(code, 0, "{said:#}");
}
