//! What leaks inside a JVM, from its counters and histograms: leaks are named, and what collections take back is not.

use detect::heap::Census;
use detect::rules::{JvmPoint, Point, Subject, judge};
use model::{
    AccessLevel, BufferPool, ClassCount, ClassLoaderStats, Confidence, Finding, FindingKind, HostReading,
    ProcessReading, ProcessRef,
};

const MIB: f64 = 1024.0 * 1024.0;

fn judged(history: &[Point], censuses: &[Census]) -> (Vec<Finding>, Vec<String>) {
    let (host, reading, process) = (HostReading::default(), ProcessReading::default(), ProcessRef::default());
    let judgement = judge(&Subject {
        process: &process,
        identity: "test",
        host: &host,
        reading: &reading,
        now_boot_s: 1_000.0,
        memory: None,
        groups: &[],
        history,
        first_threads: None,
        censuses,
        level: AccessLevel::Attach,
    });
    let of_jvm = |finding: &Finding| {
        matches!(
            finding.kind,
            FindingKind::JavaHeapLeak | FindingKind::MetaspaceLeak | FindingKind::DirectBufferLeak
        )
    };
    (judgement.findings.into_iter().filter(of_jvm).collect(), judgement.not_judged)
}

/// A look each 1.2 seconds; the live bytes after a collection of the old generation every third of them.
fn history(live: impl Fn(usize) -> f64) -> Vec<Point> {
    (0..60_usize)
        .map(|at| Point {
            at_boot_s: 900.0 + 1.2 * at as f64,
            jvm: Some(JvmPoint {
                major: (at / 3) as u64,
                collections: at as u64,
                // Between two collections the figure stays what it was.
                live: Some(live(at / 3 * 3)),
                live_limit: Some(512.0 * MIB),
            }),
            ..Point::default()
        })
        .collect()
}

fn censuses(classes: &[(&str, u64, u64)]) -> Vec<Census> {
    (0..4_u64)
        .map(|at| Census {
            at_boot_s: 900.0 + 20.0 * at as f64,
            collections: Some(5 * at),
            classes: classes
                .iter()
                .map(|(class, size, step)| ClassCount {
                    class: (*class).into(),
                    instances: 100 + step * at,
                    bytes: (100 + step * at) * size,
                })
                .collect(),
            ..Census::default()
        })
        .collect()
}

#[test]
fn a_live_set_that_rises_is_a_leak_and_classes_make_it_likely() {
    let rising = history(|at| (50.0 + at as f64) * MIB);
    let (found, _) = judged(&rising, &[]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind, found[0].confidence), (FindingKind::JavaHeapLeak, Confidence::Possible));
    assert_eq!(found[0].subject.as_str(), "old generation");
    let rate = found[0].rate_per_s.unwrap();
    assert!((rate / MIB - 1.0 / 1.2).abs() < 0.05, "{rate}");

    let (found, _) = judged(&rising, &censuses(&[("leak.Session", 32, 1_000), ("byte[]", 1_040, 1_000)]));
    assert_eq!((found[0].subject.as_str(), found[0].confidence), ("leak.Session", Confidence::Likely));
}

#[test]
fn a_saw_and_a_full_cache_are_silent() {
    // Before each collection the old generation holds garbage; after it always the same.
    let (found, _) = judged(&history(|at| (200.0 + (at % 2) as f64) * MIB), &[]);
    assert_eq!(found, []);
    let (found, _) = judged(&history(|at| (50.0 + at.min(15) as f64 * 10.0) * MIB), &[]);
    assert_eq!(found, [], "a cache that has filled");
}

#[test]
fn a_jvm_that_warms_up_is_not_judged_by_its_live_set() {
    let mut rising = history(|at| (50.0 + at as f64) * MIB);
    rising.truncate(40);
    assert_eq!(judged(&rising, &[]).0, []);
}

#[test]
fn garbage_between_collections_is_not_judged() {
    let rising: Vec<Point> = (0..60)
        .map(|at| Point {
            at_boot_s: 900.0 + f64::from(at),
            jvm: Some(JvmPoint { live: Some(f64::from(at) * MIB), ..JvmPoint::default() }),
            ..Point::default()
        })
        .collect();
    assert_eq!(judged(&rising, &[]).0, []);
    let mut looks = censuses(&[("app.Request", 64, 5_000)]);
    for look in &mut looks {
        look.collections = Some(3);
    }
    let (found, not_judged) = judged(&[], &looks);
    assert_eq!(found, []);
    assert!(not_judged[0].contains("no collection ran"), "{not_judged:?}");
}

#[test]
fn loaders_that_stay_are_a_metaspace_leak() {
    let mut looks = censuses(&[("leak.Plugin", 16, 40)]);
    for (at, look) in looks.iter_mut().enumerate() {
        let at = at as u64;
        look.loaders = vec![
            ClassLoaderStats {
                loader: "leak.RedeployLoader".into(),
                loaders: 3 + at,
                classes: 90 + 30 * at,
                bytes: 1 << 20,
            },
            ClassLoaderStats {
                loader: "jdk.internal.reflect.DelegatingClassLoader".into(),
                loaders: 5 * at,
                classes: at,
                bytes: 9,
            },
        ];
    }
    let (found, _) = judged(&[], &looks);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].kind, found[0].subject.as_str()),
        (FindingKind::MetaspaceLeak, "leak.RedeployLoader")
    );
    // One of them was let go: a redeployment that works.
    looks[3].loaders[0].loaders = 2;
    assert!(judged(&[], &looks).0.iter().all(|finding| finding.kind != FindingKind::MetaspaceLeak));
}

#[test]
fn direct_buffers_are_named_with_what_holds_them() {
    let mut looks = censuses(&[
        ("java.nio.DirectByteBuffer", 64, 20),
        ("jdk.internal.ref.Cleaner", 40, 20),
        ("leak.Frame", 24, 20),
    ]);
    for (at, look) in looks.iter_mut().enumerate() {
        let count = 100 + 20 * at as u64;
        look.buffers =
            vec![BufferPool { kind: "direct".into(), count, bytes: count << 20, ..BufferPool::default() }];
    }
    let (found, _) = judged(&[], &looks);
    assert_eq!((found.len(), found[0].kind), (1, FindingKind::DirectBufferLeak));
    assert_eq!(found[0].count, 160 << 20);
    assert!(found[0].evidence[1].claim.starts_with("leak.Frame: 160 instances"), "{:?}", found[0].evidence);
}
