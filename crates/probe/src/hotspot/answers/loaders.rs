//! `VM.classloader_stats` (JDK 9 and later, and late builds of 8): every class loader with what it loaded. Classes are unloaded with their loader
//! only, so many loaders of one class tell of a leak of metaspace.
//!
//! ```text
//! ClassLoader         Parent              CLD*               Classes   ChunkSz   BlockSz  Type
//! 0x0000000100000c10  0x0000000100051880  0x00007f59942123b0       1       640       146  Inside$Loader
//! 0x0000000000000000  0x0000000000000000  0x00007f599408f130     747    716800    635224  <boot class loader>
//!                                                                  1       384       211   + hidden classes
//! Total = 6                                                      764    722688    638957
//! ```

use std::collections::HashMap;

use model::ClassLoaderStats;

use super::plain_class;
use crate::proc::scan;

/// The loaders by class, those that hold most metaspace first.
#[must_use]
pub fn parse(text: &str) -> Vec<ClassLoaderStats> {
    let mut found: HashMap<String, (u64, u64, u64)> = HashMap::new();
    let mut last = None;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let is_loader = line.starts_with("0x");
        if is_loader {
            words.nth(2);
        } else if !line.starts_with(' ') {
            last = None;
            continue;
        }
        let mut number = || words.next().and_then(|word| scan::number(word.as_bytes()));
        let (Some(classes), Some(chunks), Some(_)) = (number(), number(), number()) else { continue };
        if is_loader {
            let class: Vec<_> = words.collect();
            last = Some(plain_class(&class.join(" ")).to_owned());
        }
        // A line of hidden (or anonymous) classes belongs to the loader above it.
        let Some(class) = &last else { continue };
        let (loaders, all, bytes) = found.entry(class.clone()).or_default();
        *loaders += u64::from(is_loader);
        *all = all.saturating_add(classes);
        *bytes = bytes.saturating_add(chunks);
    }
    let mut stats: Vec<_> = found
        .into_iter()
        .map(|(loader, (loaders, classes, bytes))| ClassLoaderStats {
            loader: loader.into(),
            loaders,
            classes,
            bytes,
        })
        .collect();
    stats.sort_unstable_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.loader.cmp(&b.loader)));
    stats
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWERS: [(&str, &str); 5] = [
        ("8", include_str!("fixtures/8.loaders.txt")),
        ("11", include_str!("fixtures/11.loaders.txt")),
        ("17", include_str!("fixtures/17.loaders.txt")),
        ("21", include_str!("fixtures/21.loaders.txt")),
        ("25", include_str!("fixtures/25.loaders.txt")),
    ];

    #[test]
    fn answers_of_all_versions() {
        for (version, answer) in ANSWERS {
            let stats = parse(answer);
            let own = stats.iter().find(|one| one.loader.as_str() == "Inside$Loader").unwrap();
            assert_eq!((own.loaders, own.classes), (3, 3), "{version}");
            assert!(stats[0].loader.as_str() == "<boot class loader>" && stats[0].loaders == 1, "{version}");
            let total = answer.lines().find_map(|line| line.strip_prefix("Total = ")).unwrap();
            let total: Vec<u64> = total.split_whitespace().map(|word| word.parse().unwrap()).collect();
            let sum = |of: fn(&ClassLoaderStats) -> u64| stats.iter().map(of).sum::<u64>();
            assert_eq!(
                [sum(|one| one.loaders), sum(|one| one.classes), sum(|one| one.bytes)],
                total[..3],
                "{version}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(0x0 | {1,3}|[0-9]{1,22} |<boot>|Total = |\\PC|\n){0,40}") {
            let _ = parse(&text);
        }
    }
}
