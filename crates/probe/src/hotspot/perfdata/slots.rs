//! Which counter is which field of [`JvmCounters`].
//!
//! ```text
//! java.threads.live                         sun.gc.collector.1.invocations     sun.gc.generation.0.space.2.used
//! java.property.java.vm.version             sun.gc.metaspace.capacity          sun.rt.safepointTime
//! ```
//!
//! Times are in ticks of `sun.os.hrt.frequency`. Metaspace's "maximum" is what is reserved for now; its limit is an option.

use model::{Bytes, Collector, HeapGeneration, JvmCounters, JvmSpace, JvmThreads, Text};

use super::entries::{Entry, Prologue, Value};

/// More collectors, generations or spaces than any JVM has.
const MOST: usize = 8;

/// A number's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Ticks,
    Live,
    Daemon,
    Peak,
    Started,
    /// Added up: those from the archive are counted apart.
    Loaded,
    Unloaded,
    Safepoints,
    SafepointTicks,
    Collections(usize),
    CollectorTicks(usize),
    Capacity(usize),
    Limit(usize),
    /// Added up over the spaces of a generation.
    Used(usize),
    Metaspace(Part),
    ClassSpace(Part),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Used,
    Committed,
    Limit,
}

/// Where the numbers are, and what doesn't change.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    places: Vec<(usize, Slot)>,
    ticks_per_s: f64,
    metaspace_limit: Option<Bytes>,
    fixed: JvmCounters,
}

impl Plan {
    /// Finds them all in a file.
    pub(super) fn new(prologue: &Prologue, bytes: &[u8]) -> Self {
        let mut plan = Self {
            places: Vec::new(),
            ticks_per_s: 1e9,
            metaspace_limit: None,
            fixed: JvmCounters::default(),
        };
        let mut options = [Text::default(), Text::default()];
        let mut numbers = Indices::default();
        for Entry { name, value } in prologue.entries(bytes) {
            match value {
                Value::Number(place) if name == b"sun.os.hrt.frequency" => {
                    if let Some(frequency @ 1..) = prologue.number(bytes, place) {
                        plan.ticks_per_s = frequency as f64;
                    }
                }
                Value::Number(place) => {
                    if let Some(slot) = slot(name, &mut numbers) {
                        plan.places.push((place, slot));
                    }
                }
                Value::Text(text) => plan.text(name, text, &mut numbers, &mut options),
            }
        }
        // Collectors and generations come in any order, and some numbers are left out.
        numbers.sort(&mut plan);
        let [arguments, flags] = options;
        let space = if arguments.is_empty() || flags.is_empty() { "" } else { " " };
        let options = format!("{}{space}{}", flags.as_str(), arguments.as_str());
        let given = options.split(' ').filter_map(|word| word.strip_prefix("-XX:MaxMetaspaceSize="));
        plan.metaspace_limit = given.rev().find_map(size).map(Bytes);
        plan.fixed.options = options.into();
        plan
    }

    fn text(&mut self, name: &[u8], text: &[u8], numbers: &mut Indices, options: &mut [Text; 2]) {
        match name {
            b"java.property.java.vm.version" => self.fixed.version = Text::from_bytes(text),
            b"java.property.java.vm.name" => self.fixed.vm_name = Text::from_bytes(text),
            b"sun.rt.javaCommand" => self.fixed.command = Text::from_bytes(text),
            b"java.rt.vmArgs" => options[0] = Text::from_bytes(text),
            b"java.rt.vmFlags" => options[1] = Text::from_bytes(text),
            b"sun.rt.jvmCapabilities" => self.fixed.can_attach = text.first().map(|first| *first == b'1'),
            _ => {
                if let Some((number, b"name")) = numbered(name, b"sun.gc.collector.") {
                    let at = index(&mut numbers.collectors, number);
                    numbers.name(at, text, true);
                } else if let Some((number, b"name")) = numbered(name, b"sun.gc.generation.") {
                    let at = index(&mut numbers.generations, number);
                    numbers.name(at, text, false);
                }
            }
        }
    }

    /// From the first to behind the last of the numbers.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        let first = self.places.iter().map(|(place, _)| *place).min().unwrap_or(0);
        let last = self.places.iter().map(|(place, _)| place + 8).max().unwrap_or(0);
        first..last.max(first)
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// What doesn't change, with room for what does.
    pub(super) fn fixed(&self) -> &JvmCounters {
        &self.fixed
    }

    /// Puts the numbers in their fields. `number` gives the one at a place.
    pub(super) fn fill(&self, into: &mut JvmCounters, number: impl Fn(usize) -> Option<u64>) {
        for generation in &mut into.generations {
            generation.space.used = Bytes::ZERO;
        }
        (into.classes_loaded, into.classes_unloaded) = (None, None);
        let (mut threads, mut has_threads) = (JvmThreads::default(), false);
        let (mut metaspace, mut class_space) = (JvmSpace::default(), JvmSpace::default());
        let (mut safepoints, mut safepoint_s) = (None, 0.0);
        let seconds = |ticks: u64| ticks as f64 / self.ticks_per_s;
        let sum = |slot: &mut Option<u64>, more: u64| *slot = Some(slot.unwrap_or(0).saturating_add(more));
        for (place, slot) in &self.places {
            let Some(value) = number(*place) else { continue };
            match *slot {
                Slot::Ticks => into.uptime_s = Some(seconds(value)),
                Slot::Live => (threads.live, has_threads) = (value, true),
                Slot::Daemon => threads.daemon = value,
                Slot::Peak => threads.peak = value,
                Slot::Started => threads.started = value,
                Slot::Loaded => sum(&mut into.classes_loaded, value),
                Slot::Unloaded => sum(&mut into.classes_unloaded, value),
                Slot::Safepoints => safepoints = Some(value),
                Slot::SafepointTicks => safepoint_s = seconds(value),
                Slot::Collections(at) => {
                    if let Some(collector) = into.collectors.get_mut(at) {
                        collector.collections = value;
                    }
                }
                Slot::CollectorTicks(at) => {
                    if let Some(collector) = into.collectors.get_mut(at) {
                        collector.seconds = seconds(value);
                    }
                }
                Slot::Capacity(at) | Slot::Limit(at) | Slot::Used(at) => {
                    let Some(generation) = into.generations.get_mut(at) else { continue };
                    match slot {
                        Slot::Capacity(_) => generation.space.committed = Bytes(value),
                        Slot::Used(_) => generation.space.used += Bytes(value),
                        _ => generation.space.limit = limit(value),
                    }
                }
                Slot::Metaspace(part) => put(&mut metaspace, part, value),
                Slot::ClassSpace(part) => put(&mut class_space, part, value),
            }
        }
        into.threads = has_threads.then_some(threads);
        into.safepoints = safepoints.map(|count| (count, safepoint_s));
        // Nothing committed: it was not counted yet, as there was no collection.
        metaspace.limit = self.metaspace_limit;
        into.metaspace = (metaspace.committed > Bytes::ZERO).then_some(metaspace);
        into.class_space = (class_space.committed > Bytes::ZERO).then_some(class_space);
    }
}

fn put(space: &mut JvmSpace, part: Part, value: u64) {
    match part {
        Part::Used => space.used = Bytes(value),
        Part::Committed => space.committed = Bytes(value),
        Part::Limit => space.limit = limit(value),
    }
}

/// `512m`.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = crate::proc::scan::leading_number(text.as_bytes())?;
    let shift = match unit {
        b"" => 0,
        b"k" | b"K" => 10,
        b"m" | b"M" => 20,
        b"g" | b"G" => 30,
        b"t" | b"T" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// "No limit" is the largest number that the JVM has.
fn limit(value: u64) -> Option<Bytes> {
    (value < i64::MAX as u64).then_some(Bytes(value))
}

fn slot(name: &[u8], numbers: &mut Indices) -> Option<Slot> {
    Some(match name {
        b"sun.os.hrt.ticks" => Slot::Ticks,
        b"java.threads.live" => Slot::Live,
        b"java.threads.daemon" => Slot::Daemon,
        b"java.threads.livePeak" => Slot::Peak,
        b"java.threads.started" => Slot::Started,
        b"java.cls.loadedClasses" | b"java.cls.sharedLoadedClasses" => Slot::Loaded,
        b"java.cls.unloadedClasses" | b"java.cls.sharedUnloadedClasses" => Slot::Unloaded,
        b"sun.rt.safepoints" => Slot::Safepoints,
        b"sun.rt.safepointTime" => Slot::SafepointTicks,
        b"sun.gc.metaspace.used" => Slot::Metaspace(Part::Used),
        b"sun.gc.metaspace.capacity" => Slot::Metaspace(Part::Committed),
        b"sun.gc.compressedclassspace.used" => Slot::ClassSpace(Part::Used),
        b"sun.gc.compressedclassspace.capacity" => Slot::ClassSpace(Part::Committed),
        b"sun.gc.compressedclassspace.maxCapacity" => Slot::ClassSpace(Part::Limit),
        _ => {
            if let Some((number, rest)) = numbered(name, b"sun.gc.collector.") {
                return match rest {
                    b"invocations" => Some(Slot::Collections(index(&mut numbers.collectors, number))),
                    b"time" => Some(Slot::CollectorTicks(index(&mut numbers.collectors, number))),
                    _ => None,
                };
            }
            let (number, rest) = numbered(name, b"sun.gc.generation.")?;
            return match rest {
                b"capacity" => Some(Slot::Capacity(index(&mut numbers.generations, number))),
                b"maxCapacity" => Some(Slot::Limit(index(&mut numbers.generations, number))),
                _ => match numbered(rest, b"space.") {
                    Some((_, b"used")) => Some(Slot::Used(index(&mut numbers.generations, number))),
                    _ => None,
                },
            };
        }
    })
}

/// `sun.gc.collector.1.time` is 1 and `time`.
fn numbered<'a>(name: &'a [u8], head: &[u8]) -> Option<(usize, &'a [u8])> {
    let (number, rest) = crate::proc::scan::leading_number(name.strip_prefix(head)?)?;
    let number = usize::try_from(number).ok().filter(|number| *number < MOST)?;
    Some((number, rest.strip_prefix(b".")?))
}

/// Collectors and generations as they were met: their numbers in the file, and their names.
#[derive(Default)]
struct Indices {
    collectors: Vec<(usize, Text)>,
    generations: Vec<(usize, Text)>,
}

impl Indices {
    fn name(&mut self, at: usize, name: &[u8], of_collector: bool) {
        let list = if of_collector { &mut self.collectors } else { &mut self.generations };
        if let Some((_, slot)) = list.get_mut(at) {
            *slot = Text::from_bytes(name);
        }
    }

    /// Puts them in the order of their numbers, and gives the plan room for them.
    fn sort(self, plan: &mut Plan) {
        let rank = |list: &[(usize, Text)], at: usize| {
            let own = list.get(at).map_or(0, |(number, _)| *number);
            list.iter().filter(|(number, _)| *number < own).count()
        };
        for (_, slot) in &mut plan.places {
            match slot {
                Slot::Collections(at) | Slot::CollectorTicks(at) => *at = rank(&self.collectors, *at),
                Slot::Capacity(at) | Slot::Limit(at) | Slot::Used(at) => *at = rank(&self.generations, *at),
                _ => {}
            }
        }
        let in_order = |mut list: Vec<(usize, Text)>| {
            list.sort_unstable_by_key(|(number, _)| *number);
            list.into_iter().map(|(_, name)| name)
        };
        let collector = |name| Collector { name, ..Collector::default() };
        plan.fixed.collectors = in_order(self.collectors).map(collector).collect();
        let last = self.generations.len().saturating_sub(1);
        plan.fixed.generations = in_order(self.generations)
            .enumerate()
            // Long-lived objects end in the last one: the only one, where there are no generations.
            .map(|(at, name)| HeapGeneration { name, tenured: at == last, ..HeapGeneration::default() })
            .collect();
    }
}

fn index(list: &mut Vec<(usize, Text)>, number: usize) -> usize {
    match list.iter().position(|(known, _)| *known == number) {
        Some(at) => at,
        None => {
            list.push((number, Text::default()));
            list.len() - 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hotspot::perfdata::entries::tests::file;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> JvmCounters {
        let prologue = Prologue::parse(bytes).unwrap();
        let plan = Plan::new(&prologue, bytes);
        let mut counters = plan.fixed().clone();
        // Twice: what is added up must not be added to what was there.
        plan.fill(&mut counters, |place| prologue.number(bytes, place));
        plan.fill(&mut counters, |place| prologue.number(bytes, place));
        counters
    }

    #[test]
    fn a_jvm_with_gaps_in_its_numbers() {
        let numbers = [
            ("sun.os.hrt.frequency", 1000),
            ("java.threads.live", 26),
            ("java.threads.daemon", 25),
            ("java.threads.livePeak", 27),
            ("java.threads.started", 28),
            ("java.cls.loadedClasses", 500),
            ("java.cls.sharedLoadedClasses", 6),
            ("sun.rt.safepoints", 3),
            ("sun.rt.safepointTime", 250),
            ("sun.gc.collector.2.invocations", 9),
            ("sun.gc.collector.2.time", 500),
            ("sun.gc.collector.0.invocations", 4),
            ("sun.gc.collector.9.invocations", 99),
            ("sun.gc.generation.1.capacity", 1 << 20),
            ("sun.gc.generation.1.maxCapacity", i64::MAX as u64),
            ("sun.gc.generation.1.space.0.used", 77),
            ("sun.gc.generation.0.space.0.used", 10),
            ("sun.gc.generation.0.space.2.used", 5),
            ("sun.gc.generation.0.maxCapacity", 1 << 21),
            ("sun.gc.metaspace.used", 100),
            ("sun.gc.metaspace.capacity", 200),
            ("sun.gc.compressedclassspace.capacity", 0),
            ("sun.os.hrt.ticks", 1500),
        ];
        let texts = [
            ("sun.gc.collector.0.name", "minor"),
            ("sun.gc.collector.2.name", "major"),
            ("sun.gc.generation.1.name", "old"),
            ("sun.gc.generation.0.name", "young"),
            ("java.property.java.vm.version", "25+1"),
            ("java.rt.vmArgs", "-XX:MaxMetaspaceSize=2m -Xmx64m"),
            ("sun.rt.jvmCapabilities", "0100"),
        ];
        let counters = read(&file(true, &numbers, &texts));
        let collector =
            |name: &str, collections, seconds| Collector { name: name.into(), collections, seconds };
        let space = |used, committed, limit: Option<u64>| JvmSpace {
            used: Bytes(used),
            committed: Bytes(committed),
            limit: limit.map(Bytes),
        };
        let generation = |name: &str, space, tenured| HeapGeneration { name: name.into(), space, tenured };
        let expected = JvmCounters {
            version: "25+1".into(),
            options: "-XX:MaxMetaspaceSize=2m -Xmx64m".into(),
            can_attach: Some(false),
            uptime_s: Some(1.5),
            collectors: vec![collector("minor", 4, 0.0), collector("major", 9, 0.5)],
            generations: vec![
                generation("young", space(15, 0, Some(1 << 21)), false),
                generation("old", space(77, 1 << 20, None), true),
            ],
            metaspace: Some(space(100, 200, Some(2 << 20))),
            class_space: None,
            threads: Some(JvmThreads { live: 26, daemon: 25, peak: 27, started: 28 }),
            classes_loaded: Some(506),
            classes_unloaded: None,
            safepoints: Some((3, 0.25)),
            ..JvmCounters::default()
        };
        assert_eq!(counters, expected);
    }

    #[test]
    fn what_a_jvm_lacks_is_absent() {
        assert_eq!(read(&file(true, &[("x", 1)], &[])), JvmCounters::default());
        assert_eq!(size("10"), Some(10));
        assert_eq!(size("1g"), Some(1 << 30));
        assert_eq!((size("x"), size("1x"), size("18446744073709551615k")), (None, None, None));
    }

    proptest! {
        #[test]
        fn arbitrary_names_never_panic(name in "sun.gc.(generation|collector)[.0-9a-z]{0,30}", value in any::<u64>()) {
            let _ = read(&file(true, &[(&name, value)], &[(&name, "x")]));
        }
    }
}
