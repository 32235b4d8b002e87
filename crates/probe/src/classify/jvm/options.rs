//! What a JVM's options say about its reservations. Its counters have them all; its command line only those that are not
//! in the environment (JAVA_TOOL_OPTIONS) or in argument files.

use model::{JvmCounters, Text};

use super::{GIB, MIB};

/// Sizes of reservations, as told or by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// -Xmx or -XX:MaxHeapSize; `None` when the JVM chose (a quarter of the memory it sees).
    pub(super) heap: Option<u64>,
    /// -XX:CompressedClassSpaceSize.
    pub(super) class_space: u64,
    /// -XX:ReservedCodeCacheSize.
    pub(super) code_cache: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { heap: None, class_space: GIB, code_cache: 240 * MIB }
    }
}

impl Options {
    /// As the JVM itself has them.
    pub(super) fn of_jvm(jvm: &JvmCounters) -> Self {
        let program = std::iter::once("java").chain(jvm.options.as_str().split_ascii_whitespace());
        let told = Self::parse(&program.map(Text::from).collect::<Vec<_>>());
        let class_space = jvm.class_space.and_then(|space| space.limit).map(|limit| limit.0);
        Self { class_space: class_space.filter(|bytes| *bytes > 0).unwrap_or(told.class_space), ..told }
    }

    /// Of several options of one kind the last counts. What follows the main class or -jar's file is the program's.
    pub(super) fn parse(line: &[Text]) -> Self {
        let mut options = Self::default();
        let mut code_cache = None;
        let mut tiered = true;
        let mut words = line.iter().skip(1).map(Text::as_str);
        while let Some(word) = words.next() {
            if let Some(size) = word.strip_prefix("-Xmx").or_else(|| word.strip_prefix("-XX:MaxHeapSize=")) {
                options.heap = bytes(size).or(options.heap);
            } else if let Some(size) = word.strip_prefix("-XX:CompressedClassSpaceSize=") {
                options.class_space = bytes(size).unwrap_or(options.class_space);
            } else if let Some(size) = word.strip_prefix("-XX:ReservedCodeCacheSize=") {
                code_cache = bytes(size).or(code_cache);
            } else if word == "-XX:-TieredCompilation" {
                tiered = false;
            } else if matches!(
                word,
                "-cp"
                    | "-classpath"
                    | "--class-path"
                    | "-p"
                    | "--module-path"
                    | "--add-modules"
                    | "--upgrade-module-path"
                    | "--add-opens"
                    | "--add-exports"
                    | "--add-reads"
                    | "--patch-module"
                    | "--limit-modules"
            ) {
                words.next();
            } else if word == "-jar" || word == "-m" || word == "--module" || !word.starts_with(['-', '@']) {
                break;
            }
        }
        options.code_cache = code_cache.unwrap_or(if tiered { 240 * MIB } else { 48 * MIB });
        options
    }
}

/// `512m`, `4G`, `1048576`.
fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1 << 10),
        (at, 'm' | 'M') => (&text[..at], MIB),
        (at, 'g' | 'G') => (&text[..at], GIB),
        (at, 't' | 'T') => (&text[..at], 1 << 40),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Options {
        Options::parse(&line.split(' ').map(Text::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_the_jvm_says_itself() {
        let limit = Some(model::Bytes(64 * MIB));
        let jvm = JvmCounters {
            options: "-XX:+UseG1GC -Xmx3g -Xss2048k".into(),
            class_space: Some(model::JvmSpace { limit, ..model::JvmSpace::default() }),
            ..JvmCounters::default()
        };
        let options = Options { heap: Some(3 * GIB), class_space: 64 * MIB, code_cache: 240 * MIB };
        assert_eq!(Options::of_jvm(&jvm), options);
    }

    #[test]
    fn sizes_on_the_command_line() {
        let options = parse("java -Xmx512m -cp /x -XX:CompressedClassSpaceSize=256M -Xmx2G Main -Xmx9g");
        assert_eq!(options, Options { heap: Some(2 * GIB), class_space: 256 * MIB, code_cache: 240 * MIB });
        assert_eq!(parse("java -XX:MaxHeapSize=1048576 -jar a.jar -Xmx9g").heap, Some(MIB));
        assert_eq!(parse("java -XX:-TieredCompilation Main").code_cache, 48 * MIB);
        assert_eq!(
            parse("java -XX:-TieredCompilation -XX:ReservedCodeCacheSize=64m Main").code_cache,
            64 * MIB
        );
        for wrong in ["-Xmx", "-Xmxm", "-Xmx0", "-Xmx-1g", "-Xmx99999999999999g", "-Xmxé"] {
            assert_eq!(parse(&format!("java {wrong} Main")), Options::default(), "{wrong}");
        }
        assert_eq!(Options::parse(&[]), Options::default());
    }
}
