//! `GC.class_histogram -all`: how many objects of each class there are, unreachable ones included. Without `-all` the JVM
//! collects all garbage first.
//!
//! ```text
//!  num     #instances         #bytes  class name (module)
//! -------------------------------------------------------
//!    1:           816         980336  [I (java.base@11.0.13)
//!    2:          1000          32000  Inside$Counted
//! Total         16906        1784872
//! ```

use std::collections::HashMap;

use model::{ClassCount, Text};

use super::plain_class;
use crate::proc::scan;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Largest first; classes of one name from several loaders are one.
    pub classes: Vec<ClassCount>,
    /// Objects and bytes of all, as the JVM adds them up; `None` when its answer was cut off.
    pub total: Option<(u64, u64)>,
}

impl Histogram {
    /// Objects of a class.
    #[must_use]
    pub fn instances(&self, class: &str) -> u64 {
        self.classes.iter().find(|one| one.class.as_str() == class).map_or(0, |one| one.instances)
    }
}

/// Reads it; lines that are no classes are left out.
#[must_use]
pub fn parse(text: &str) -> Histogram {
    let mut found: HashMap<String, (u64, u64)> = HashMap::new();
    let mut total = None;
    for line in text.lines() {
        if let Some((name, instances, bytes)) = class(line) {
            let (count, size) = found.entry(name).or_default();
            *count = count.saturating_add(instances);
            *size = size.saturating_add(bytes);
        } else if let Some(rest) = line.strip_prefix("Total ") {
            let mut words = rest.split_whitespace().map(|word| scan::number(word.as_bytes()));
            if let (Some(Some(instances)), Some(Some(bytes)), None) =
                (words.next(), words.next(), words.next())
            {
                total = Some((instances, bytes));
            }
        }
    }
    let count = |(class, (instances, bytes)): (String, (u64, u64))| ClassCount {
        class: class.into(),
        instances,
        bytes,
    };
    let mut classes: Vec<_> = found.into_iter().map(count).collect();
    classes.sort_unstable_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.class.cmp(&b.class)));
    Histogram { classes, total }
}

fn class(line: &str) -> Option<(String, u64, u64)> {
    let (rank, rest) = line.split_once(':')?;
    scan::number(rank.trim().as_bytes())?;
    let (instances, rest) = word(rest)?;
    let (bytes, name) = word(rest)?;
    let name = name.trim();
    // ` (java.base@17.0.9)`: the module, of a class or of an array's elements.
    let name = name.rsplit_once(" (").filter(|(_, end)| end.ends_with(')')).map_or(name, |(name, _)| name);
    if name.is_empty() {
        return None;
    }
    Some((readable(name), scan::number(instances.as_bytes())?, scan::number(bytes.as_bytes())?))
}

fn word(text: &str) -> Option<(&str, &str)> {
    text.trim_start().split_once(' ')
}

/// `[[I` is `int[][]`, `[Ljava.lang.Object;` is `java.lang.Object[]`.
fn readable(name: &str) -> String {
    let element = name.trim_start_matches('[');
    let dimensions = name.len() - element.len();
    if dimensions == 0 {
        return plain_class(name).to_owned();
    }
    let element = match element {
        "Z" => "boolean",
        "B" => "byte",
        "C" => "char",
        "S" => "short",
        "I" => "int",
        "J" => "long",
        "F" => "float",
        "D" => "double",
        _ => plain_class(element.strip_prefix('L').and_then(|one| one.strip_suffix(';')).unwrap_or(element)),
    };
    // A class has at most 255 dimensions.
    format!("{element}{}", "[]".repeat(dimensions.min(255)))
}

/// Objects of which each holds one direct buffer's memory, whatever views there are of it.
#[must_use]
pub fn direct_buffers(histogram: &Histogram) -> u64 {
    histogram.instances("java.nio.DirectByteBuffer$Deallocator")
}

/// The names that stand for an object each mapped file has, by the JDK's version.
#[must_use]
pub fn mapped_buffers(histogram: &Histogram) -> u64 {
    let unmapper = |name: &Text| {
        let name = name.as_str();
        name.starts_with("sun.nio.ch.FileChannelImpl$") && name.ends_with("Unmapper")
    };
    histogram.classes.iter().filter(|one| unmapper(&one.class)).map(|one| one.instances).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWERS: [(&str, &str); 5] = [
        ("8", include_str!("fixtures/8.histogram.txt")),
        ("11", include_str!("fixtures/11.histogram.txt")),
        ("17", include_str!("fixtures/17.histogram.txt")),
        ("21", include_str!("fixtures/21.histogram.txt")),
        ("25", include_str!("fixtures/25.histogram.txt")),
    ];

    #[test]
    fn answers_of_all_versions() {
        for (version, answer) in ANSWERS {
            let histogram = parse(answer);
            assert_eq!(histogram.instances("Inside$Counted"), 1003, "{version}: of four loaders");
            assert_eq!(
                histogram.instances("java.util.concurrent.ScheduledThreadPoolExecutor"),
                3,
                "{version}"
            );
            assert_eq!(direct_buffers(&histogram), 3, "{version}");
            assert!(
                histogram.instances("byte[]") > 1000 && histogram.instances("java.lang.Object[]") > 100,
                "{version}"
            );
            let sum =
                histogram.classes.iter().fold((0, 0), |(n, size), one| (n + one.instances, size + one.bytes));
            assert_eq!(histogram.total, Some(sum), "{version}");
            assert!(histogram.classes.is_sorted_by(|a, b| a.bytes >= b.bytes), "{version}");
        }
    }

    #[test]
    fn names_are_readable() {
        for (name, expected) in [
            ("[I", "int[]"),
            ("[[J", "long[][]"),
            ("[Ljava.lang.Object;", "java.lang.Object[]"),
            ("[La.B$$Lambda/0x01;", "a.B$$Lambda[]"),
            ("a.B$$Lambda$12/0x0000000800c03000", "a.B$$Lambda"),
            ("<constantPoolKlass>", "<constantPoolKlass>"),
        ] {
            assert_eq!(readable(name), expected);
        }
        let line = "  12:   7   168  odd (name) (m@1)\n  13:  1  16  x\n  14: 1 16 \n 15: a 1 x\n";
        let classes = parse(line).classes;
        let names: Vec<_> = classes.iter().map(|one| one.class.as_str()).collect();
        assert_eq!(names, ["odd (name)", "x"]);
        assert_eq!(parse("Total 1\n"), Histogram::default());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "( {0,3}[0-9]{1,22}: |[0-9]{1,22} |\\[{0,4}|L|;|\\PC|\n|Total ){0,40}") {
            let _ = parse(&text);
        }
    }
}
