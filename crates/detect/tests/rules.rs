//! What the thread rule says of processes whose every birth is known.

use detect::groups::{GroupInput, group};
use detect::rules::{Judgement, Subject, judge};
use model::{
    AccessLevel, Confidence, FindingKind, HostReading, JavaBirth, JvmInside, Pid, ProcessReading, ProcessRef,
    Reading, SpawnStack, Stat, Text, Thread, Ticks,
};

const NOW_S: f64 = 10_000.0;

/// A process that was started some seconds ago, and its living threads: (name, age in seconds).
struct Case {
    age_s: f64,
    threads: Vec<(String, f64)>,
    first: Option<(f64, Vec<(String, f64)>)>,
    /// Whole names and ages of threads of which a JVM told who started them.
    seen: Vec<(String, f64)>,
}

impl Case {
    fn new(age_s: f64, threads: impl IntoIterator<Item = (String, f64)>) -> Self {
        Self { age_s, threads: threads.into_iter().collect(), first: None, seen: Vec::new() }
    }

    fn judge(&self) -> Judgement {
        let main = thread(1, "server", self.age_s);
        let threads: Vec<Thread> = std::iter::once(main).chain(numbered(&self.threads)).collect();
        let name = Text::from("server");
        let host = HostReading { ticks_per_second: 100, booted_unix_s: 1.7e9, ..HostReading::default() };
        let groups = group(&GroupInput {
            pid: Pid(1),
            threads: &threads,
            stacks: &[],
            process_name: &name,
            ticks_per_second: 100,
            booted_unix_s: host.booted_unix_s,
            utc_offset_s: 0,
            process_start_s: NOW_S - self.age_s,
            now_boot_s: NOW_S,
        });
        let reading = ProcessReading {
            stat: Stat { name, start: ticks(self.age_s), ..Stat::default() },
            threads: Reading::Value(threads),
            inside: Reading::Value(self.inside()),
            ..ProcessReading::default()
        };
        let before =
            self.first.as_ref().map(|(ago, threads)| (NOW_S - ago, numbered(threads).collect::<Vec<_>>()));
        judge(&Subject {
            process: &ProcessRef::default(),
            identity: "test",
            host: &host,
            reading: &reading,
            now_boot_s: NOW_S,
            memory: None,
            groups: &groups,
            history: &[],
            first_threads: before.as_ref().map(|(at, threads)| (*at, threads.as_slice())),
            censuses: &[],
            level: AccessLevel::Read,
        })
    }

    fn inside(&self) -> JvmInside {
        let birth = |(name, age_s): &(String, f64)| JavaBirth {
            name: name.as_str().into(),
            at_boot_s: NOW_S - age_s,
            ..JavaBirth::default()
        };
        let births: Vec<JavaBirth> = self.seen.iter().map(birth).collect();
        let stack = SpawnStack { count: births.len() as u64, births, ..SpawnStack::default() };
        JvmInside { spawns: vec![stack], ..JvmInside::default() }
    }

    fn confidence(&self) -> Option<Confidence> {
        let found = self.judge().findings;
        assert!(found.iter().all(|f| f.kind == FindingKind::ThreadLeak));
        found.first().map(|f| f.confidence)
    }
}

fn ticks(age_s: f64) -> Ticks {
    Ticks(((NOW_S - age_s) * 100.0).round() as u64)
}

fn thread(tid: u32, name: &str, age_s: f64) -> Thread {
    let cut: String = name.chars().take(15).collect();
    Thread { tid: Pid(tid), name: cut.into(), state: 'S', start: ticks(age_s), ..Thread::default() }
}

/// Thread ids go by birth, so that a thread keeps its id from look to look.
fn numbered(threads: &[(String, f64)]) -> impl Iterator<Item = Thread> {
    threads.iter().map(|(name, age)| thread((1e6 - age * 10.0) as u32, name, *age))
}

/// Births each `period_s`, the oldest `oldest_s` ago, named `pool-N-thread-1` from `first` on.
fn pools(first: u32, oldest_s: f64, period_s: f64) -> Vec<(String, f64)> {
    let births = (oldest_s / period_s) as u32;
    (0..births)
        .map(|n| (format!("pool-{}-thread-1", first + n), oldest_s - f64::from(n) * period_s))
        .collect()
}

fn unnamed(oldest_s: f64, period_s: f64) -> Vec<(String, f64)> {
    pools(1, oldest_s, period_s).into_iter().map(|(_, age)| ("server".to_owned(), age)).collect()
}

#[test]
fn one_thread_pools_since_the_start_are_a_likely_leak() {
    let case = Case::new(100.0, pools(1, 90.0, 5.0));
    assert_eq!(case.confidence(), Some(Confidence::Likely));
    let finding = &case.judge().findings[0];
    assert_eq!((finding.subject.as_str(), finding.count), ("pool-*-thread-1", 18));
    assert!(finding.none_ended);
    assert!((finding.cadence[0].period_s - 5.0).abs() < 0.01);
}

#[test]
fn pools_whose_lowest_numbers_others_took_are_judged_by_their_reach() {
    // 200 pools of others came first, but there was no time for this schedule to have made them.
    assert_eq!(Case::new(5_000.0, pools(201, 4_990.0, 60.0)).confidence(), Some(Confidence::Likely));
}

#[test]
fn threads_without_names_are_told_by_their_reach() {
    assert_eq!(Case::new(100.0, unnamed(98.0, 2.0)).confidence(), Some(Confidence::Likely));
    assert_eq!(Case::new(1_000.0, unnamed(60.0, 2.0)).confidence(), Some(Confidence::Possible));
}

#[test]
fn workers_that_are_replaced_by_age_are_not_accused() {
    // Born each second, dead at 60 seconds: numbers 1 to 240 are gone.
    let case = Case::new(300.0, pools(241, 60.0, 1.0));
    let said = case.judge();
    assert_eq!(said.findings, []);
    assert!(said.not_judged[0].contains("lowest numbers are gone"), "{:?}", said.not_judged);
    assert!(said.look_again_in_s.is_some());
}

#[test]
fn a_second_look_decides() {
    let mut renewed = Case::new(300.0, unnamed(60.0, 1.0));
    renewed.first = Some((4.0, unnamed(64.0, 1.0).into_iter().filter(|(_, age)| *age > 4.0).collect()));
    assert_eq!(renewed.confidence(), None, "four born, four ended");
    let mut leak = Case::new(300.0, unnamed(60.0, 1.0));
    leak.first = Some((4.0, unnamed(60.0, 1.0).into_iter().filter(|(_, age)| *age > 4.0).collect()));
    assert!(leak.confidence() >= Some(Confidence::Possible), "three born, none ended");
}

#[test]
fn births_that_stopped_are_no_leak() {
    let stopped = pools(1, 90.0, 1.0).into_iter().filter(|(_, age)| *age > 40.0);
    assert_eq!(Case::new(100.0, stopped).confidence(), None);
}

#[test]
fn a_pool_that_grew_to_its_size_at_once_is_no_leak() {
    let burst = (0..64).map(|n| (format!("worker-{n}"), 99.0 - f64::from(n) * 0.01));
    assert_eq!(Case::new(100.0, burst).confidence(), None);
}

#[test]
fn few_workers_of_one_pool_are_only_possible() {
    let workers = (0..20u32).map(|n| (format!("worker-{}", n + 1), 100.0 - f64::from(n) * 5.0));
    assert_eq!(Case::new(102.0, workers).confidence(), Some(Confidence::Possible));
}

#[test]
fn fewer_than_eight_are_not_judged() {
    assert_eq!(Case::new(40.0, pools(1, 35.0, 5.0)).confidence(), None);
    assert_eq!(Case::new(45.0, pools(1, 40.0, 5.0)).confidence(), Some(Confidence::Likely));
}

/// Executors that a collection finalizes take their threads along: who makes them was seen, and still they end.
#[test]
fn a_birth_that_was_seen_confirms_only_what_has_never_ended() {
    let pools = |numbers: std::ops::RangeInclusive<u32>| {
        let last = *numbers.end();
        numbers.map(move |n| (format!("pool-{n}-thread-1"), f64::from(last - n) + 0.5)).collect::<Vec<_>>()
    };
    let mut all = Case::new(61.0, pools(1..=60));
    assert_eq!(all.confidence(), Some(Confidence::Likely));
    all.seen = vec![("pool-60-thread-1".to_owned(), 0.5)];
    assert_eq!(all.confidence(), Some(Confidence::Confirmed));
    all.seen = vec![("pool-61-thread-1".to_owned(), 0.5)];
    assert_eq!(all.confidence(), Some(Confidence::Likely), "a birth of others");

    // Those before 41 have ended; while it was watched, none did.
    let mut rest = Case::new(61.0, pools(41..=60));
    rest.first = Some((8.0, pools(41..=52).into_iter().map(|(name, age)| (name, age + 8.0)).collect()));
    rest.seen = vec![("pool-60-thread-1".to_owned(), 0.5)];
    let found = rest.judge().findings;
    assert_eq!(found.len(), 1);
    assert!(found[0].confidence < Confidence::Confirmed, "{found:#?}");
}
