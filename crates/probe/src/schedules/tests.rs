use std::os::unix::fs::{PermissionsExt as _, symlink};

use model::ScheduleWhen;

use super::*;

/// A tree of files; `path → content`.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    dir
}

fn link(dir: &tempfile::TempDir, to: &str, from: &str) {
    let from = dir.path().join(from);
    std::fs::create_dir_all(from.parent().unwrap()).unwrap();
    symlink(to, from).unwrap();
}

fn shown(dir: &tempfile::TempDir) -> Vec<String> {
    let entries = read(dir.path()).into_value().unwrap();
    entries
        .iter()
        .map(|e| {
            let when = match &e.when {
                ScheduleWhen::Cron(when) => format!("cron {when}"),
                ScheduleWhen::Calendar(when) => format!("calendar {when}"),
                ScheduleWhen::Quartz(when) => format!("quartz {when}"),
                ScheduleWhen::EverySeconds(seconds) => format!("every {seconds}"),
            };
            format!("{} | {when} | {}", e.source, e.what)
        })
        .collect()
}

#[test]
fn crontabs_and_what_run_parts_runs() {
    let dir = tree(&[
        ("etc/crontab", "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"),
        ("etc/cron.hourly/reports", "#!/bin/sh\n"),
        ("etc/cron.hourly/not-executable", "#!/bin/sh\n"),
        ("etc/cron.hourly/with.dot", "#!/bin/sh\n"),
        ("etc/cron.d/php", "# php\n\n09,39 * * * * root /usr/lib/php/sessionclean\n"),
        ("etc/cron.d/php.dpkg-old", "* * * * * root old\n"),
        ("etc/cron.d/.placeholder", "* * * * * root hidden\n"),
        ("var/spool/cron/crontabs/alice", "*/1 * * * * /home/alice/poll\n"),
        ("var/spool/cron/bob", "@hourly ./bob\n"),
    ]);
    for name in ["reports", "with.dot"] {
        let path = dir.path().join("etc/cron.hourly").join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(
        shown(&dir),
        [
            "/etc/crontab:2 | cron 17 * * * * | /etc/cron.hourly/reports",
            "/etc/crontab:2 | cron 17 * * * * | cd / && run-parts --report /etc/cron.hourly",
            "/etc/cron.d/php:3 | cron 09,39 * * * * | /usr/lib/php/sessionclean",
            "/var/spool/cron/crontabs/alice:1 | cron */1 * * * * | /home/alice/poll",
            "/var/spool/cron/bob:1 | cron @hourly | ./bob",
        ]
    );
}

#[test]
fn enabled_timers() {
    let lib = "usr/lib/systemd/system";
    let install = "[Install]\nWantedBy=timers.target\n";
    let dir = tree(&[
        (&format!("{lib}/apt.timer"), &format!("[Timer]\nOnCalendar=*-*-* 6,18:00\n{install}")),
        (&format!("{lib}/off.timer"), &format!("[Timer]\nOnCalendar=hourly\n{install}")),
        (
            &format!("{lib}/static.timer"),
            "[Timer]\nOnBootSec=15min\nOnUnitActiveSec=1d\nUnit=clean.service\n",
        ),
        (&format!("{lib}/masked.timer"), "[Timer]\nOnCalendar=hourly\n"),
        (&format!("{lib}/masked2.timer"), "[Timer]\nOnCalendar=hourly\n"),
        (&format!("{lib}/tuned.timer"), "[Timer]\nOnCalendar=hourly\n"),
        (&format!("{lib}/once.timer"), "[Timer]\nOnBootSec=15min\n"),
        (&format!("{lib}/dump@.timer"), &format!("[Timer]\nOnCalendar=weekly\n{install}")),
        ("etc/systemd/system/masked2.timer", ""),
        ("etc/systemd/system/tuned.timer.d/10-minute.conf", "[Timer]\nOnCalendar=\nOnCalendar=minutely\n"),
        ("run/systemd/transient/run-u7.timer", "[Timer]\nOnUnitInactiveSec=30s\n"),
    ]);
    // Merged /usr: each unit is seen twice and counts once.
    link(&dir, "usr/lib", "lib");
    link(&dir, "/lib/systemd/system/apt.timer", "etc/systemd/system/timers.target.wants/apt.timer");
    link(
        &dir,
        "/lib/systemd/system/dump@.timer",
        "etc/systemd/system/multi-user.target.wants/dump@main.timer",
    );
    link(&dir, "/dev/null", "etc/systemd/system/masked.timer");
    assert_eq!(
        shown(&dir),
        [
            "apt.timer | calendar *-*-* 6,18:00 | apt.service",
            "dump@main.timer | calendar weekly | dump@main.service",
            "run-u7.timer | every 30 | run-u7.service",
            "static.timer | every 86400 | clean.service",
            "tuned.timer | calendar minutely | tuned.service",
        ]
    );
}

#[test]
fn hostile_trees() {
    let dir = tree(&[("secret", "* * * * * root secret\n"), ("root/etc/cron.d/ok", "* * * * * root ok\n")]);
    let root = dir.path().join("root");
    symlink("../secret", root.join("etc/crontab")).unwrap();
    symlink(dir.path().join("secret"), root.join("etc/cron.d/linked")).unwrap();
    let pipe = root.join("etc/cron.d/pipe");
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::fs::write(root.join("etc/cron.d/many"), "* * * * * root x\n".repeat(5000)).unwrap();
    std::fs::write(root.join("etc/cron.d/zz-huge"), vec![b'x'; 3 << 20]).unwrap();
    let entries = read(&root).into_value().unwrap();
    assert_eq!(entries.len(), MOST_ENTRIES);
    assert!(entries.iter().all(|e| e.what.as_str() != "secret"));
    // Five more lines than are kept: the newest of nothing, the first of many.
    assert!(entries.iter().filter(|e| e.what.as_str() == "x").count() >= MOST_ENTRIES - 1);
}

#[test]
fn absences_are_typed() {
    let dir = tree(&[]);
    assert_eq!(read(dir.path()), Reading::Value(Vec::new()));
    assert_eq!(read(&dir.path().join("none")), Reading::Gone);

    let mut found = Found::default();
    found.failed("/var/spool/cron/crontabs", Errno::ACCESS);
    found.failed("/etc/crontab", Errno::NOENT);
    assert_eq!(found.survey.denied, [Text::from("/var/spool/cron/crontabs")]);

    // Root is refused nothing.
    if !rustix::process::geteuid().is_root() {
        let dir = tree(&[("var/spool/cron/crontabs/alice", "* * * * * x\n")]);
        let spool = dir.path().join("var/spool/cron/crontabs");
        std::fs::set_permissions(&spool, std::fs::Permissions::from_mode(0o0)).unwrap();
        assert_eq!(read(dir.path()), Reading::Denied(Need::ReadAnyFile));
        std::fs::set_permissions(&spool, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn the_real_machine_is_read_without_failing() {
    let entries = read(Path::new("/"));
    assert!(matches!(entries, Reading::Value(_) | Reading::Denied(_)), "{entries:?}");
}
