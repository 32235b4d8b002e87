//! Who made the threads of a JVM.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::served::only;
use crate::support::leaker::built;
use crate::support::{Flatfoot, need, root};

/// Twelve requests of one byte, answered by one byte.
const WORK: &str = r"for i in 1 2 3 4 5 6 7 8 9 10 11 12; do exec 3<>/dev/tcp/127.0.0.1/PORT || exit 1; printf x >&3; read -r -n1 -u3 -t30 answer || exit 1; exec 3>&-; done";

/// Checks a server with this habit.
#[track_caller]
fn checked(habit: &str, jvm: &str, options: &[&str]) -> (i32, Value, String) {
    // Free now; a JVM that finds it taken ends, and says so.
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("a port")
        .port()
        .to_string();
    let work = format!("bash -c '{}'", WORK.replace("PORT", &port));
    let server = root().join("tests/leakers/run-java.sh").display().to_string();
    let flatfoot = Flatfoot::new();
    let mut args =
        vec!["check", "--json", "--linger", "1s", "--rounds", "5", "--ready-port", &port, "--work", &work];
    args.extend(options);
    args.extend(["--", &server, "serve", &port, habit]);
    let mut command = flatfoot.command(&args);
    command.env("LEAKERS", built()).env("JOPTS", format!("-Xms64m -Xmx512m {jvm}"));
    let run = crate::support::flatfoot::collect(&mut command.spawn().expect("flatfoot"));
    (run.status, run.json(), run.stderr)
}

/// The line of a source that holds a mark.
fn line(file: &str, mark: &str) -> u64 {
    let text = std::fs::read_to_string(root().join("tests/leakers").join(file)).expect("a source");
    let at = text.lines().position(|line| line.contains(mark)).expect("the mark");
    at as u64 + 1
}

#[test]
fn a_java_server_with_the_line_that_makes_its_threads() {
    need!("java", "bash", "/usr/share/java/quartz2.jar");
    let (code, said, _) = checked("fresh-pool", "", &["--access", "agent"]);
    assert_eq!(code, 23, "{said:#}");
    let leak = only(&said);
    assert_eq!(leak["subject"], "pool-*-thread-1", "{leak:#}");
    assert_eq!(leak["per_round"], json!([12.0, 12.0, 12.0, 12.0, 12.0]), "{leak:#}");
    let by = &leak["created_by"][0];
    assert_eq!(
        (&by["source"], &by["births"], &by["of"]),
        (&json!("agent"), &json!(60), &json!(60)),
        "{by:#}"
    );
    let frames = by["frames"].as_array().expect("frames");
    let creator = frames.iter().find(|frame| frame["role"] != "jdk").expect("a frame of its own");
    assert_eq!(creator["symbol"], "leakcase.Server$PoolFactory.make", "{by:#}");
    assert_eq!(creator["line"], line("java/src/leakcase/Server.java", "// birth: fresh-pool"), "{by:#}");
    assert_eq!(said["impact"]["level"], "agent", "{said:#}");
    assert!(said["impact"]["done"].to_string().contains("hook removed"), "{said:#}");
}

#[test]
fn a_healthy_java_server_passes() {
    need!("java", "bash", "/usr/share/java/quartz2.jar");
    let (code, said, _) = checked("shared-pool", "", &["--access", "agent"]);
    assert_eq!((code, &said["findings"]), (0, &json!([])), "{said:#}");
    assert!(said["not_judged"].to_string().contains("the Java heap of java"), "{said:#}");
}

#[test]
fn a_java_that_refuses_is_checked_without() {
    need!("java", "bash", "/usr/share/java/quartz2.jar");
    let (code, said, _) = checked("fresh-pool", "-XX:+DisableAttachMechanism", &["--access", "agent"]);
    assert_eq!(code, 23, "{said:#}");
    assert_eq!(only(&said)["created_by"], json!([]), "{said:#}");
    assert!(said["not_judged"].to_string().contains("who creates the threads of java"), "{said:#}");
    assert_eq!(said["impact"]["level"], "read", "{said:#}");
}

#[test]
fn the_agent_is_of_no_use_elsewhere() {
    let served = crate::served::Served::new();
    let (code, said) = served.json(&["--access", "agent", "--rounds", "3"], &["none"]);
    assert_eq!(code, 0, "{said:#}");
    assert!(said["not_judged"].to_string().contains("of no use here"), "{said:#}");
}
