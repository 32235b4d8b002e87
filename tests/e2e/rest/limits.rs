//! The limits a leak runs into: named, with the right value, and when they are reached.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, need, wait_until};

/// A pids cgroup of our own, below the mounted hierarchy (v1 or v2); removed at the end.
struct PidsGroup {
    dir: PathBuf,
}

impl PidsGroup {
    /// `None`, aloud, when the hierarchy cannot be written.
    fn with_max(max: u64) -> Option<Self> {
        let name = format!("flatfoot-e2e-{}-{max}", std::process::id());
        for root in ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"] {
            let group = Self { dir: Path::new(root).join(&name) };
            if std::fs::create_dir(&group.dir).is_ok()
                && std::fs::write(group.dir.join("pids.max"), max.to_string()).is_ok()
            {
                return Some(group);
            }
        }
        eprintln!("NOT TESTED: no pids cgroup can be made here (root and a writable hierarchy are needed)");
        None
    }

    fn add(&self, program: &Leaker) {
        std::fs::write(self.dir.join("cgroup.procs"), program.arg()).expect("moving the program");
    }
}

impl Drop for PidsGroup {
    fn drop(&mut self) {
        // The program's death takes a moment to reach its group.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.dir).is_ok() || !self.dir.exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

fn limit<'a>(finding: &'a Value, name: &str) -> &'a Value {
    let limits = finding["limits"].as_array().expect("limits");
    limits.iter().find(|l| l["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn a_pids_cgroup_is_the_nearest_limit_with_its_eta() {
    let Some(group) = PidsGroup::with_max(200) else { return };
    let program = Leaker::start("leak", &["threads-unjoined", "100", "0", "pool-#-thread-1"]);
    group.add(&program);
    program.wait_for_tasks(60, 60.0);
    let flatfoot = Flatfoot::new();
    let before = program.tasks() as u64;
    let (_, diagnosis) = flatfoot.diagnose(&program.arg());
    let after = program.tasks() as u64;
    let finding = &diagnosis["findings"][0];
    assert_eq!(finding["kind"], "thread-leak", "{diagnosis:#}");
    let nearest = &finding["limits"][0];
    assert_eq!(
        (&nearest["name"], &nearest["value"]),
        (&Value::from("pids.max"), &Value::from(200)),
        "{finding:#}"
    );
    assert!(
        nearest["scope"]
            .as_str()
            .is_some_and(|s| s.ends_with(group.dir.file_name().and_then(|n| n.to_str()).unwrap_or("?")))
    );
    let current = nearest["current"].as_u64().expect("how many");
    assert!((before..=after).contains(&current), "{before} ≤ {current} ≤ {after}");
    let eta = nearest["eta_s"].as_f64().expect("an ETA");
    let right = (200.0 - current as f64) * 0.1;
    assert!((eta / right - 1.0).abs() < 0.2, "{eta} s instead of {right} s");
    assert!(finding["risk"].as_str().is_some_and(|r| r.contains("pids.max 200")), "{}", finding["risk"]);
    let shown = crate::support::shell::number(nearest["reproduce"].as_str().expect("a command"));
    assert_eq!(shown, 200.0);
    // And it is right: there it ends.
    wait_until("the leak meets the limit", 60.0, || program.tasks() >= 199);
    drop(program);
}

#[test]
fn resource_limits_are_shown_with_their_values() {
    need!("setpriv", "bash");
    // As another user: root's processes are not held to the number of processes.
    let script = "set -e; ulimit -n 321; ulimit -v 9000000; ulimit -u 5000; exec \"$0\" \"$@\"";
    let leaker = crate::support::leaker::built().join("leak");
    let copy = tempfile::Builder::new().prefix("flatfoot-e2e-").tempdir_in("/tmp").expect("a folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(copy.path(), open).expect("its mode");
    let program = copy.path().join("leak");
    std::fs::copy(&leaker, &program).expect("a copy");
    let mut command = if rustix::process::getuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", "bash"]);
        command
    } else {
        Command::new("bash")
    };
    command.args(["-c", script]).arg(&program).args(["threads-unjoined", "100", "0", "pool-#-thread-1"]);
    let program = Leaker::of(command);
    program.wait_for_tasks(40, 60.0);
    let (_, diagnosis) = Flatfoot::new().diagnose(&program.arg());
    let finding = &diagnosis["findings"][0];
    assert_eq!(finding["kind"], "thread-leak", "{diagnosis:#}");
    assert_eq!(limit(finding, "RLIMIT_NOFILE")["value"], 321, "{finding:#}");
    assert_eq!(limit(finding, "RLIMIT_NPROC")["value"], 5000, "{finding:#}");
    let space = limit(finding, "RLIMIT_AS");
    assert_eq!(space["value"], 9_000_000_u64 * 1024, "{finding:#}");
    // 8,196 KiB for each thread: the address space ends it first, and the ETA says when.
    assert_eq!(finding["limits"][0]["name"], "RLIMIT_AS", "{:#}", finding["limits"]);
    let left = space["value"].as_f64().unwrap_or(0.0) - space["current"].as_f64().unwrap_or(0.0);
    let right = left / (8_196.0 * 1024.0) * 0.1;
    let eta = space["eta_s"].as_f64().expect("an ETA");
    assert!((eta / right - 1.0).abs() < 0.2, "{eta} s instead of {right} s");
    for name in ["RLIMIT_NPROC", "threads-max", "max_map_count"] {
        assert!(limit(finding, name)["eta_s"].as_f64() > Some(eta), "{name} comes later");
    }
}
