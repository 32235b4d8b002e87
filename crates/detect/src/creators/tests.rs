use model::{CreationSite, FoundSchedule, JarIdentity, JavaBirth, OwnerLink, Pid, Thread};

use super::*;

fn frame(class: &str, method: &str, line: u32, origin: Option<&str>) -> JavaFrame {
    JavaFrame {
        class: class.into(),
        method: method.into(),
        line: Some(line),
        origin: origin.map(Into::into),
        of_jdk: origin.is_none(),
        ..JavaFrame::default()
    }
}

const JOBS: &str = "/srv/jobs-1.7.2.jar";
const QUARTZ: &str = "/srv/quartz-2.1.6.jar";

fn case() -> (ThreadGroup, Vec<Thread>, JvmInside) {
    let threads: Vec<Thread> = (1..=10_u32)
        .map(|n| {
            // As much of it as the kernel keeps.
            let name = format!("pool-{n}-thread-1");
            Thread { tid: Pid(100 + n), name: name[..name.len().min(15)].into(), ..Thread::default() }
        })
        .collect();
    let group = ThreadGroup {
        pattern: "pool-*-thread-1".into(),
        shape: PoolShape::OneThreadPools,
        members: threads.iter().map(|thread| thread.tid).collect(),
        births: (1..=10).map(|n| 60.0 * f64::from(n)).collect(),
        ..ThreadGroup::default()
    };
    let jar = |path: &str, name: &str, version: &str| JarIdentity {
        path: path.into(),
        name: name.into(),
        version: Some(version.into()),
        group: None,
    };
    let link = |class: &str, role: &str, application: bool| OwnerLink {
        role: role.into(),
        path: "holder.task".into(),
        class: class.into(),
        origin: application.then(|| JOBS.into()),
        application,
    };
    let inside = JvmInside {
        jars: vec![jar(JOBS, "polyglot-jobs", "1.7.2"), jar(QUARTZ, "quartz", "2.1.6")],
        spawns: vec![SpawnStack {
            source: "agent".into(),
            frames: vec![
                frame("java.lang.Thread", "start0", 0, None),
                frame("java.util.concurrent.Executors", "newSingleThreadScheduledExecutor", 10, None),
                frame("org.jobs.TimeoutListener", "started", 43, Some(JOBS)),
                frame("org.quartz.core.JobRunShell", "run", 223, Some(QUARTZ)),
            ],
            births: vec![JavaBirth {
                name: "pool-10-thread-1".into(),
                starter: "Worker-1".into(),
                at_boot_s: 600.0,
                ..JavaBirth::default()
            }],
            count: 1,
            ..SpawnStack::default()
        }],
        owners: vec![ThreadOwner {
            examples: vec!["pool-3-thread-1".into()],
            count: 10,
            links: vec![
                link("java.util.concurrent.ThreadPoolExecutor$Worker", "worker", false),
                link("org.jobs.TimeoutListener$$Lambda", "task", true),
            ],
            schedules: vec![FoundSchedule {
                kind: "quartz".into(),
                what: "hourly_report".into(),
                expression: Some("0 * * * * ?".into()),
                period_s: None,
            }],
            ..ThreadOwner::default()
        }],
        sites: vec![
            CreationSite {
                at: frame("org.other.Mailer", "send", 7, Some("/srv/oauth-1.0.jar")),
                makes: "java.util.concurrent.Executors.newFixedThreadPool".into(),
            },
            CreationSite {
                at: frame("org.jobs.TimeoutListener", "started", 43, Some(JOBS)),
                makes: "java.util.concurrent.Executors.newSingleThreadScheduledExecutor".into(),
            },
            CreationSite {
                at: frame("org.jobs.Retry", "later", 9, Some(JOBS)),
                makes: "java.util.concurrent.Executors.newSingleThreadExecutor".into(),
            },
            CreationSite {
                at: frame("org.jobs.Clock", "tick", 3, Some(JOBS)),
                makes: "java.util.Timer.<init>".into(),
            },
        ],
        ..JvmInside::default()
    };
    (group, threads, inside)
}

fn sources(found: &Creators) -> Vec<(&str, &str)> {
    found
        .created_by
        .iter()
        .map(|by| (by.source.as_str(), creator(&by.frames).map_or("", |f| f.symbol.as_str())))
        .collect()
}

#[test]
fn what_was_seen_comes_first_then_owners_then_suspects() {
    let (group, threads, inside) = case();
    let found = of_group(&group, &threads, &inside, "app.jar");
    assert_eq!(
        sources(&found),
        [
            ("agent", "org.jobs.TimeoutListener.started"),
            ("owner", "org.jobs.TimeoutListener$$Lambda"),
            ("site", "org.jobs.Retry.later"),
            ("site", "org.other.Mailer.send"),
        ]
    );
    assert_eq!((found.births_seen, found.created_by[0].births, found.created_by[0].of), (1, 1, 1));
    assert_eq!(creator(&found.created_by[0].frames).unwrap().origin.as_deref(), Some("polyglot-jobs 1.7.2"));
    assert_eq!((found.created_by[1].births, found.created_by[1].of), (10, 10));
    let libraries: Vec<_> = found.libraries.iter().map(|l| (l.name.as_str(), l.births, l.of)).collect();
    assert_eq!(libraries, [("polyglot-jobs 1.7.2", 1, 1), ("quartz 2.1.6", 1, 1), ("oauth-1.0.jar", 0, 1)]);
    assert_eq!(found.schedules[0].what.as_str(), "hourly_report");
}

#[test]
fn births_of_others_are_no_witnesses() {
    let (group, threads, mut inside) = case();
    inside.spawns[0].births[0].name = "pool-11-thread-1".into();
    let found = of_group(&group, &threads, &inside, "app.jar");
    assert_eq!(found.births_seen, 0);
    // Not seen at a birth: the method is a suspect again, and the likeliest one.
    assert_eq!(sources(&found)[1], ("site", "org.jobs.TimeoutListener.started"));
    assert!(found.libraries.is_empty());
}

#[test]
fn a_start_that_failed_is_no_birth() {
    let (group, threads, mut inside) = case();
    inside.spawns[0].births[0].failed = true;
    assert_eq!(of_group(&group, &threads, &inside, "").births_seen, 0);
}

#[test]
fn a_timer_pattern_suspects_timers_only() {
    let (mut group, threads, inside) = case();
    group.pattern = "Timer-*".into();
    let found =
        of_group(&group, &threads, &JvmInside { spawns: Vec::new(), owners: Vec::new(), ..inside }, "");
    assert_eq!(sources(&found), [("site", "org.jobs.Clock.tick")]);
}
