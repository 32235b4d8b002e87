//! Small recordings made by hand, whole and hostile; real ones are in tests/jvm_jfr.rs.

use model::{JavaFrame, SpawnStack};
use proptest::prelude::*;

use super::bytes::{Broken, Cursor, Word};
use super::starts::Starts;

/// Seven bits a byte.
fn number(value: i64) -> Vec<u8> {
    let mut rest = value as u64;
    let mut out = Vec::new();
    for _ in 0..8 {
        if rest < 0x80 {
            out.push(rest as u8);
            return out;
        }
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

fn numbers(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| number(*value)).collect()
}

fn text(value: &str) -> Vec<u8> {
    [&[3][..], &number(value.len() as i64), value.as_bytes()].concat()
}

/// An event with its size, which is always written in four bytes.
fn event(kind: i64, content: &[u8]) -> Vec<u8> {
    let rest = [number(kind), content.to_vec()].concat();
    let size = rest.len() as u32 + 4;
    let size = [size | 0x80, size >> 7 | 0x80, size >> 14 | 0x80, size >> 21 & 0x7f].map(|byte| byte as u8);
    [&size[..], &rest].concat()
}

/// `(number, name, [(field, class, pooled, array)])`
type Described<'a> = (i64, &'a str, &'a [(&'a str, i64, bool, bool)]);

const TYPES: [Described<'_>; 14] = [
    (1, "long", &[]),
    (2, "int", &[]),
    (3, "boolean", &[]),
    (4, "java.lang.String", &[]),
    (10, "java.lang.Thread", &[("javaName", 4, false, false), ("javaThreadId", 1, false, false)]),
    (11, "jdk.types.StackTrace", &[("truncated", 3, false, false), ("frames", 12, false, true)]),
    (12, "jdk.types.StackFrame", &[("method", 13, true, false), ("lineNumber", 2, false, false)]),
    (13, "jdk.types.Method", &[("type", 14, true, false), ("name", 15, true, false)]),
    (
        14,
        "java.lang.Class",
        &[("classLoader", 16, true, false), ("name", 15, true, false), ("package", 17, true, false)],
    ),
    (15, "jdk.types.Symbol", &[("string", 4, false, false)]),
    (16, "jdk.types.ClassLoader", &[("name", 15, true, false)]),
    (17, "jdk.types.Package", &[("module", 18, true, false)]),
    (18, "jdk.types.Module", &[("name", 15, true, false)]),
    (
        20,
        "jdk.ThreadStart",
        &[
            ("startTime", 1, false, false),
            ("stackTrace", 11, true, false),
            ("thread", 10, true, false),
            ("parentThread", 10, true, false),
        ],
    ),
];

fn metadata(types: &[Described<'_>]) -> Vec<u8> {
    let mut strings: Vec<String> = Vec::new();
    let mut word = |text: &str| {
        let found = strings.iter().position(|known| known == text);
        let index = found.unwrap_or_else(|| {
            strings.push(text.to_owned());
            strings.len() - 1
        });
        number(index as i64)
    };
    let mut element = |name: &str, attributes: &[(&str, String)], children: &[Vec<u8>]| {
        let mut out = word(name);
        out.extend(number(attributes.len() as i64));
        for (key, value) in attributes {
            out.extend(word(key));
            out.extend(word(value));
        }
        out.extend(number(children.len() as i64));
        out.extend(children.concat());
        out
    };
    let mut classes = Vec::new();
    for (id, name, fields) in types {
        let mut inside = Vec::new();
        for (name, class, pooled, array) in *fields {
            let mut attributes = vec![("name", (*name).to_owned()), ("class", class.to_string())];
            attributes.extend(pooled.then(|| ("constantPool", "true".to_owned())));
            attributes.extend(array.then(|| ("dimension", "1".to_owned())));
            // Annotations are inside, and say nothing here.
            let annotation = element("annotation", &[("class", "7".to_owned())], &[]);
            inside.push(element("field", &attributes, &[annotation]));
        }
        classes.push(element("class", &[("id", id.to_string()), ("name", (*name).to_owned())], &inside));
    }
    let all = element("metadata", &[], &classes);
    let region = element("region", &[("locale", "en_US".to_owned())], &[]);
    let root = element("root", &[], &[all, region]);
    let mut out = numbers(&[0, 0, 1, strings.len() as i64]);
    out.extend(strings.iter().flat_map(|string| text(string)));
    event(0, &[out, root].concat())
}

/// A type, and its constants by their numbers.
type Constants = (i64, Vec<(i64, Vec<u8>)>);

fn pools(pools: &[Constants]) -> Vec<u8> {
    let mut out = [numbers(&[0, 0, 0]), vec![0], number(pools.len() as i64)].concat();
    for (class, constants) in pools {
        out.extend(numbers(&[*class, constants.len() as i64]));
        for (index, value) in constants {
            out.extend(number(*index));
            out.extend(value);
        }
    }
    event(1, &out)
}

fn chunk(types: &[Described<'_>], events: &[Vec<u8>]) -> Vec<u8> {
    let metadata = metadata(types);
    let size = 68 + metadata.len() + events.iter().map(Vec::len).sum::<usize>();
    let mut out = b"FLR\0\0\x02\0\x01".to_vec();
    // Size, constant pool, metadata, start in ns, duration, start in ticks, ticks a second.
    for value in [size as i64, 0, 68, 5_000_000_000, 0, 1000, 100] {
        out.extend(value.to_be_bytes());
    }
    out.extend([0, 0, 0, 1]);
    out.extend(metadata);
    out.extend(events.concat());
    out
}

/// Two stacks, three starts: at ticks 1100 and 1200 by `main`, 1250 by nobody.
fn whole() -> Vec<u8> {
    let symbol = |index: i64, value: &str| (index, text(value));
    let constants = pools(&[
        (
            15,
            vec![
                symbol(1, "leakcase/Threads"),
                symbol(2, "plain"),
                symbol(3, "java/util/Timer"),
                symbol(4, "<init>"),
                symbol(5, "java.base"),
                symbol(6, "app"),
                symbol(7, "bootstrap"),
            ],
        ),
        (16, vec![(1, number(6)), (2, number(7))]),
        (18, vec![(1, number(5))]),
        (17, vec![(1, number(1))]),
        (14, vec![(1, numbers(&[1, 1, 0])), (2, numbers(&[2, 3, 1]))]),
        (13, vec![(1, numbers(&[1, 2])), (2, numbers(&[2, 4]))]),
        (
            11,
            vec![
                (1, [&[0][..], &numbers(&[2, 2, 0, 1, 37])].concat()),
                (2, [&[1][..], &numbers(&[1, 1, 55])].concat()),
            ],
        ),
    ]);
    let threads = pools(&[(
        10,
        vec![
            (1, [text("main"), number(1)].concat()),
            (2, [text("Timer-0"), number(20)].concat()),
            (3, [text("Timer-1"), number(21)].concat()),
        ],
    )]);
    let other = event(99, &[1, 2, 3]);
    let starts = [[1100, 1, 2, 1], [1200, 1, 3, 1], [1250, 2, 3, 0]].map(|start| event(20, &numbers(&start)));
    // Constants come before and behind what they are needed for.
    chunk(&TYPES, &[vec![constants], vec![other], starts.to_vec(), vec![threads]].concat())
}

fn read(file: &[u8]) -> Result<Vec<SpawnStack>, Broken> {
    let mut starts = Starts::default();
    starts.add(file, |wall| wall - 4.0).map(|()| starts.stacks())
}

#[test]
fn stacks_with_their_births() {
    let stacks = read(&whole()).unwrap();
    let frame = |class: &str, method: &str, line, of_jdk| JavaFrame {
        class: class.into(),
        method: method.into(),
        line,
        of_jdk,
        ..JavaFrame::default()
    };
    let [first, second] = stacks.as_slice() else { panic!("{stacks:#?}") };
    let timer = frame("java.util.Timer", "<init>", None, true);
    assert_eq!(first.frames, [timer, frame("leakcase.Threads", "plain", Some(37), false)]);
    assert_eq!((first.source.as_str(), first.count, first.failed, first.cut), ("jfr", 2, 0, false));
    let births: Vec<_> =
        first.births.iter().map(|b| (b.name.as_str(), b.java_id, b.starter.as_str(), b.at_boot_s)).collect();
    // Unix time 5 s at tick 1000, a hundredth of a second each.
    assert_eq!(births, [("Timer-0", 20, "main", 2.0), ("Timer-1", 21, "main", 3.0)]);
    assert_eq!(second.frames, [frame("leakcase.Threads", "plain", Some(55), false)]);
    assert!(second.cut);
    assert_eq!((second.births[0].starter.as_str(), second.births[0].at_boot_s), ("", 3.5));
}

#[test]
fn files_that_overlap_count_once() {
    let mut starts = Starts::default();
    starts.add(&whole(), |wall| wall).unwrap();
    starts.add(&[whole(), whole()].concat(), |wall| wall).unwrap();
    assert_eq!(starts.stacks().iter().map(|stack| stack.count).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(starts.left_out(), 0);
}

#[test]
fn a_chunk_that_makes_no_sense_hides_no_other() {
    let mut bad = whole();
    // The string table's count.
    bad[68 + 9] = 0xff;
    let mut starts = Starts::default();
    assert!(starts.add(&[bad, whole()].concat(), |wall| wall).is_err());
    assert_eq!(starts.stacks().len(), 2);
}

#[test]
fn empty_foreign_and_cut_files() {
    assert_eq!(read(b""), Ok(Vec::new()));
    assert!(read(b"PK\x03\x04").is_err());
    assert_eq!(read(&chunk(&TYPES[..4], &[])), Ok(Vec::new()), "no such event in it");
    let whole = whole();
    for length in 1..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    let mut raw = whole;
    raw[67] = 0;
    assert!(read(&raw).unwrap_err().0.contains("numbers"));
}

#[test]
fn hostile_recordings_end_soon() {
    let with = |events: &[Vec<u8>]| read(&chunk(&TYPES, events));
    // Events of no size, of a negative one and of one that is too large.
    for size in [0, 1, -1, i64::MAX, 1 << 20] {
        assert!(with(&[numbers(&[size, 20]), vec![0; 20]]).is_err(), "{size}");
    }
    // A billion constants, frames, bytes of a string.
    let huge = 1 << 40;
    assert!(with(&[event(1, &[numbers(&[0, 0, 0]), vec![0], number(huge)].concat())]).is_err());
    assert!(with(&[pools(&[(11, vec![(1, [vec![0], number(huge)].concat())])])]).is_err());
    assert!(with(&[pools(&[(15, vec![(1, [vec![3], number(huge)].concat())])])]).is_err());
    assert!(with(&[pools(&[(77, vec![(1, vec![0; 9])])])]).is_err(), "a type that nobody described");
    // A type that has itself inside, one that is itself in the pool, and one without anything in it, a million times.
    let itself: [Described<'_>; 3] = [
        (20, "jdk.ThreadStart", &[("a", 21, false, false)]),
        (21, "A", &[("a", 21, false, false)]),
        TYPES[0],
    ];
    assert!(read(&chunk(&itself, &[event(20, &[])])).is_err());
    let pooled = [pools(&[(10, vec![])]), pools(&[(11, vec![])]), event(20, &numbers(&[1, 1, 1, 1]))];
    assert_eq!(with(&pooled).unwrap()[0].frames, []);
    let wide: Vec<(&str, i64, bool, bool)> = (0..1000).map(|_| ("a", 22, false, false)).collect();
    let wider: Vec<(&str, i64, bool, bool)> = (0..1000).map(|_| ("a", 21, false, false)).collect();
    let widest: Vec<(&str, i64, bool, bool)> = (0..1000).map(|_| ("a", 23, false, false)).collect();
    let types = [(20, "jdk.ThreadStart", &widest[..]), (23, "C", &wider), (21, "A", &wide), (22, "B", &[])];
    assert!(read(&chunk(&types, &[event(20, &[])])).is_err());
    // Metadata that go down without end.
    let deep: Vec<u8> = [numbers(&[0, 0, 1, 1]), text("a"), numbers(&[0, 0, 1]).repeat(10_000)].concat();
    let mut file = chunk(&[], &[]);
    file.truncate(68);
    file.extend(event(0, &deep));
    let size = (file.len() as i64).to_be_bytes();
    file[8..16].copy_from_slice(&size);
    assert!(read(&file).is_err());
}

#[test]
fn numbers_and_words() {
    for value in [0, 1, 127, 128, 300, i64::MAX, -1, i64::MIN] {
        assert_eq!(Cursor::new(&number(value)).number(), Ok(value));
    }
    let word = |bytes: &[u8]| Cursor::new(bytes).word().unwrap();
    assert_eq!(word(&[0]), Word::Nothing);
    assert_eq!(word(&[1]), Word::Text("".into()));
    assert_eq!(word(&[2, 0x81, 1]), Word::Pooled(129));
    assert_eq!(word(&[3, 2, 0xc3, 0xa9]), Word::Text("é".into()));
    assert_eq!(word(&[4, 2, 0xe9, 1, b'a']), Word::Text("éa".into()));
    assert_eq!(word(&[5, 1, 0xe9]), Word::Text("é".into()));
    assert!(Cursor::new(&[6, 0]).word().is_err());
    assert!(Cursor::new(&[5, 2, 0]).word().is_err());
}

proptest! {
    #[test]
    fn damaged_recordings_never_panic(changes in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6)) {
        let mut file = whole();
        for (at, value) in changes {
            let at = usize::from(at) % file.len();
            file[at] = value;
        }
        let _ = read(&file);
    }

    #[test]
    fn arbitrary_events_never_panic(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&content);
        let _ = read(&chunk(&TYPES, &[event(1, &content), event(20, &content), content.clone()]));
    }
}
