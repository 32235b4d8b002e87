//! When is growth of memory a leak? Nothing about memory is exact: allocators keep what is freed, collectors wait, caches
//! fill. So the rule is the careful one of [`detect::growth`], with a round as its unit of time: the figure must rise in
//! both halves, leave its own scatter behind, rise most of the time, not slow down, and not be a single step. That takes
//! five rounds after the baseline.

use std::collections::BTreeMap;

use detect::growth::{Growth, two_window};
use model::{Bytes, MemoryClass, MemoryMap, show};

/// Rounds that the rule needs.
pub(super) const LEAST_ROUNDS: usize = 5;

/// What is judged, as in allow-lists: a figure of a process.
pub(super) type Subject = &'static str;

/// The live part of a Java heap.
pub(super) const JAVA_HEAP: Subject = "java-heap";
/// How many mappings there are, stacks and guards left out.
pub(super) const MAPPINGS: Subject = "mappings";
/// Address space.
pub(super) const RESERVED: Subject = "reserved";

/// Touched bytes of a process by what they are for, and its mappings. Stacks are the threads' affair; a Java heap is
/// judged by what is alive in it, and compiled code grows while a program warms up.
pub(super) fn figures(map: &MemoryMap) -> BTreeMap<Subject, f64> {
    // A class that is not there is nothing; one whose pages could not be counted is not known.
    let touched = |classes: &[MemoryClass]| {
        let there = map.classes.iter().filter(|(class, _)| classes.contains(class));
        there.map(|(_, amounts)| amounts.touched.map(|bytes| bytes.0 as f64)).sum::<Option<f64>>()
    };
    let groups: [(Subject, &[MemoryClass]); 5] = [
        ("native-heap", &[MemoryClass::MainHeap, MemoryClass::MallocArena, MemoryClass::Anonymous]),
        ("metaspace", &[MemoryClass::Metaspace]),
        ("files", &[MemoryClass::FilePrivate, MemoryClass::FileShared, MemoryClass::FileDeleted]),
        ("shared-memory", &[MemoryClass::SharedMemory, MemoryClass::Memfd]),
        ("unexplained", &[MemoryClass::Unexplained]),
    ];
    let mut figures: BTreeMap<Subject, f64> =
        groups.iter().filter_map(|(subject, classes)| Some((*subject, touched(classes)?))).collect();
    let others = |class: &MemoryClass| !matches!(class, MemoryClass::ThreadStack | MemoryClass::Guard);
    let sum = |figure: fn(&model::Amounts) -> u64| {
        map.classes.iter().filter(|(class, _)| others(class)).map(|(_, amounts)| figure(amounts)).sum::<u64>()
    };
    figures.insert(MAPPINGS, sum(|amounts| amounts.maps) as f64);
    figures.insert(RESERVED, sum(|amounts| amounts.reserved.0) as f64);
    figures
}

/// Is it counted, and not in bytes?
pub(super) fn is_count(subject: Subject) -> bool {
    subject == MAPPINGS
}

/// Judges figures at the baseline and after each round. `runtime`: a virtual machine, which takes memory for itself while it
/// gets faster.
pub(super) fn judge(subject: Subject, values: &[f64], runtime: bool) -> Growth {
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().map(|(round, value)| (round as f64, *value)).collect();
    two_window(&points, least_rise(subject, values.first().copied().unwrap_or(0.0), runtime))
}

/// The smallest rise that counts.
fn least_rise(subject: Subject, base: f64, runtime: bool) -> f64 {
    const KIB: f64 = 1024.0;
    match subject {
        MAPPINGS => (0.01 * base).max(8.0),
        RESERVED => (0.02 * base).max(16.0 * KIB * KIB),
        _ if runtime => (0.02 * base).max(4.0 * KIB * KIB),
        _ => (0.01 * base).max(128.0 * KIB),
    }
}

/// `768 KiB more native-heap after each round`: the typical round.
pub(super) fn words(subject: Subject, rate: f64) -> String {
    if is_count(subject) {
        format!("some {} more mappings after each round", show::count(rate.round().max(0.0) as u64))
    } else {
        format!("some {} more {subject} after each round", show::bytes(Bytes(rate.max(0.0) as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: f64 = 1024.0;

    fn grows(values: &[f64]) -> bool {
        matches!(judge("native-heap", values, false), Growth::Growing { .. })
    }

    #[test]
    fn steady_growth_is_a_leak_from_five_rounds_on() {
        let leak: Vec<f64> = (0..=5).map(|round| 4e6 + f64::from(round) * 768.0 * KIB).collect();
        assert!(grows(&leak));
        assert!(!grows(&leak[..5]), "four rounds");
        assert!(matches!(judge("native-heap", &leak[..5], false), Growth::Rises { .. }));
        assert_eq!(
            judge("native-heap", &leak, true),
            Growth::Flat,
            "no more than a runtime takes for itself"
        );
    }

    #[test]
    fn caches_steps_and_noise_are_none() {
        let mib = |values: &[f64]| values.iter().map(|value| 4e6 + value * KIB * KIB).collect::<Vec<_>>();
        assert!(!grows(&mib(&[0.0, 8.0, 12.0, 12.0, 12.0, 12.0])), "a cache that is full");
        assert!(!grows(&mib(&[0.0, 0.0, 0.0, 16.0, 16.0, 16.0])), "one step");
        assert!(!grows(&mib(&[0.0, 1.0, 0.2, 1.2, 0.1, 0.9])), "comes and goes");
        assert!(!grows(&mib(&[0.0, 0.01, 0.02, 0.03, 0.04, 0.05])), "a page or two");
    }

    #[test]
    fn sentences() {
        assert_eq!(words("native-heap", 786_432.0), "some 768 KiB more native-heap after each round");
        assert_eq!(words(MAPPINGS, 12.0), "some 12 more mappings after each round");
    }
}
