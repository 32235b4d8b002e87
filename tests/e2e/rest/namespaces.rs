//! A target in namespaces of its own, as in a container: found by its pid out here, and judged as any other.

use std::process::Command;

use crate::support::{Flatfoot, Leaker, need, wait_for};

#[test]
fn a_leak_in_a_pid_namespace_of_another_user() {
    need!("unshare", "setpriv");
    if !rustix::process::getuid().is_root() {
        eprintln!("NOT TESTED: only root can make a pid namespace without a user namespace");
        return;
    }
    let folder = tempfile::Builder::new().prefix("flatfoot-e2e-").tempdir_in("/tmp").expect("a folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("its mode");
    let copy = folder.path().join("leak");
    std::fs::copy(crate::support::leaker::built().join("leak"), &copy).expect("a copy");
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--mount-proc", "--fork", "--kill-child", "--"])
        .args(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"])
        .arg(&copy)
        .args(["threads-unjoined", "100", "0", "pool-#-thread-1"]);
    let outside = Leaker::of(command);
    assert!(outside.ready.contains("pid=1 "), "it is the first of its namespace: {}", outside.ready);
    let pid = wait_for("the leaker's pid out here", 10.0, || {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", outside.pid())).ok()?;
        children.split_ascii_whitespace().next()?.parse::<u32>().ok()
    });
    let tasks = || std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count) as u64;
    wait_for("40 threads", 60.0, || (tasks() > 40).then_some(()));

    let flatfoot = Flatfoot::new();
    let before = tasks();
    let (_, diagnosis) = flatfoot.diagnose(&pid.to_string());
    let after = tasks();
    let finding = &diagnosis["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["process"]["pid"]),
        (&"thread-leak".into(), &pid.into()),
        "{diagnosis:#}"
    );
    let count = finding["count"].as_u64().expect("a count");
    assert!((before - 1..=after - 1).contains(&count), "{before} - 1 ≤ {count} ≤ {after} - 1");
    let period = finding["cadence"][0]["period_s"].as_f64().expect("a period");
    assert!((period / 0.1 - 1.0).abs() < 0.02, "{period}");
    assert!(
        finding["reserved_bytes"].as_u64() >= Some(count * (8 << 20)),
        "its stacks were found: {finding:#}"
    );

    // The same, looked at from within: there its pid is 1.
    let mut inside = Command::new("nsenter");
    inside
        .args(["--target", &pid.to_string(), "--pid", "--mount", "--"])
        .arg(env!("CARGO_BIN_EXE_flatfoot"))
        .args(["diagnose", "1", "--json", "--no-save"]);
    let output = inside.output().expect("nsenter");
    let diagnosis: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(diagnosis["findings"][0]["kind"], "thread-leak", "{diagnosis:#}");
    assert_eq!(diagnosis["findings"][0]["process"]["pid"], 1);
}
