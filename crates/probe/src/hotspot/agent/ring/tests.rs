use super::super::layout::{ON, PLATFORM};
use super::*;
use proptest::prelude::*;

/// A ring as the agent writes it.
struct Written(Vec<u8>);

impl Written {
    fn new() -> Self {
        let mut bytes = vec![0; RECORDS];
        bytes[..8].copy_from_slice(&MAGIC.to_ne_bytes());
        Self(bytes)
    }

    fn word(&mut self, at: usize, value: u64) -> &mut Self {
        self.0[at..at + 8].copy_from_slice(&value.to_ne_bytes());
        self
    }

    fn record(&mut self, kind: u32, parts: &[&[u8]]) -> &mut Self {
        let payload = parts.concat();
        let length = (payload.len() + 15) & !7;
        self.0.extend_from_slice(&(length as u32).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(&payload);
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        self
    }

    fn method(&mut self, key: u64, flags: u32, words: [&str; 4]) -> &mut Self {
        let words: Vec<Vec<u8>> = words.iter().map(|word| string(word)).collect();
        let mut parts: Vec<&[u8]> = vec![];
        let (key, flags) = (key.to_ne_bytes(), flags.to_ne_bytes());
        parts.extend([&key[..], &flags[..]]);
        parts.extend(words.iter().map(Vec::as_slice));
        self.record(METHOD, &parts)
    }

    fn birth(&mut self, slot: u32, flags: u32, time: u64, id: u64, name: &str) -> &mut Self {
        let numbers = [slot.to_ne_bytes(), flags.to_ne_bytes()];
        let longs = [time.to_ne_bytes(), id.to_ne_bytes()];
        self.record(BIRTH, &[numbers.as_flattened(), longs.as_flattened(), &string(name), &string("main")])
    }
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_ne_bytes()[..], text.as_bytes()].concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

fn small() -> Written {
    let mut ring = Written::new();
    ring.word(H_STARTS, 3).word(H_FAILED, 1).word(H_NS, 9_000).word(H_STATE, ON);
    ring.word(HEADER + 7 * 16, 3).word(HEADER + 7 * 16 + 8, 1);
    ring.method(1, PLATFORM, ["Ljava/lang/Thread;", "start0", "Thread.java", ""]);
    ring.method(2, 0, ["Lapp/Jobs;", "run", "Jobs.java", "file:/srv/app.jar"]);
    ring.method(3, 0, ["Lorg/jruby/ir/Interpreter;", "interpret", "Interpreter.java", "file:/srv/jruby.jar"]);
    let frame = |key: u64, line: u32| [&key.to_ne_bytes()[..], &numbers(&[line, 0])].concat();
    ring.record(STACK, &[&numbers(&[7, 0, 3]), &frame(1, u32::MAX), &frame(3, 9), &frame(2, 43)]);
    ring.record(RUBY, &[&numbers(&[7, 0, 12]), &string("guard"), &string("app.rb")]);
    ring.birth(7, FAILED, 2_000_000_000, 31, "pool-2-thread-1").birth(
        7,
        0,
        1_000_000_000,
        30,
        "pool-1-thread-1",
    );
    ring
}

#[test]
fn a_ring_becomes_spawn_stacks() {
    let ring = parse(&small().0);
    assert_eq!((ring.starts, ring.failed, ring.hook_ns, ring.state), (3, 1, 9_000, ON));
    let [spawn] = &ring.spawns[..] else { panic!("{ring:?}") };
    assert_eq!((spawn.count, spawn.failed, spawn.cut), (3, 1, false));
    let names: Vec<_> = spawn.births.iter().map(|birth| (birth.name.as_str(), birth.failed)).collect();
    assert_eq!(names, [("pool-1-thread-1", false), ("pool-2-thread-1", true)], "oldest first");
    let frames: Vec<String> = spawn
        .frames
        .iter()
        .map(|frame| format!("{}.{}:{:?}", frame.class, frame.method, frame.line))
        .collect();
    let expected = [
        "java.lang.Thread.start0:None",
        "ruby.guard:Some(12)",
        "org.jruby.ir.Interpreter.interpret:Some(9)",
        "app.Jobs.run:Some(43)",
    ];
    assert_eq!(frames, expected);
    assert!(spawn.frames[0].of_jdk && !spawn.frames[3].of_jdk);
    assert_eq!(spawn.frames[3].origin.as_ref().map(Text::as_str), Some("/srv/app.jar"));
}

#[test]
fn a_ring_cut_anywhere_is_read_as_far_as_it_goes() {
    let whole = small().0;
    for length in 0..whole.len() {
        let ring = parse(&whole[..length]);
        assert!(ring.spawns.len() <= 1);
    }
    let mut other = whole;
    other[0] ^= 1;
    assert_eq!(parse(&other), Ring::default());
}

#[test]
fn counts_that_lie_allocate_nothing() {
    let mut ring = Written::new();
    ring.record(STACK, &[&numbers(&[1, 0, u32::MAX])]).record(BIRTH, &[&numbers(&[u32::MAX, 0])]);
    ring.record(STACK, &[&numbers(&[SLOTS as u32, 0, 0])]);
    assert_eq!(parse(&ring.0).spawns, []);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = parse(&bytes);
        let mut ring = Written::new();
        ring.0.extend_from_slice(&bytes);
        let _ = parse(&ring.0);
    }

    #[test]
    fn arbitrary_payloads_never_panic(
        records in prop::collection::vec((0_u32..6, prop::collection::vec(any::<u8>(), 0..64)), 0..32),
    ) {
        let mut ring = Written::new();
        for (kind, payload) in &records {
            ring.record(*kind, &[payload]);
        }
        let found = parse(&ring.0);
        prop_assert!(found.spawns.len() <= records.len());
    }

    #[test]
    fn a_damaged_ring_never_panics(at in 0_usize..1000, value in any::<u8>()) {
        let mut bytes = small().0;
        let at = RECORDS + at % (bytes.len() - RECORDS);
        bytes[at] = value;
        let _ = parse(&bytes);
    }
}
