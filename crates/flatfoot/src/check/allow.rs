//! What may grow: a file of rules, one a line.
//!
//! ```text
//! # comments; a # begins one after a blank
//! thread http-*                    # any number more
//! thread pool-*-thread-1 <= 3      # at most three more, over all rounds
//! descriptor socket <= 5
//! child sh
//! memory native-heap <= 10MiB/round
//! ```
//!
//! A `*` stands for anything, also for the `*` of a pattern.

use std::path::Path;

use anyhow::Result;

use super::document::Rule;
use super::failed;

/// Longer files are no allow-lists.
const LIMIT: u64 = 1 << 20;

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Any,
    Total(f64),
    EachRound(f64),
}

/// An entry.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    rule: Rule,
    pattern: String,
    bound: Bound,
    /// `leaks.allow:3`.
    at: String,
    /// As it was written.
    text: String,
    used: bool,
}

/// All entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowances(Vec<Entry>);

/// What the list says of some growth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing.
    Nothing,
    /// It is allowed, by this entry.
    Allowed(String),
    /// It is more than this entry allows.
    Less(String),
}

impl Allowances {
    /// Reads a file. An error names the line, and says what would be right.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        use std::io::Read as _;
        let name = model::Text::from_bytes(path.as_os_str().as_encoded_bytes()).to_string();
        let open = std::fs::File::open(path).and_then(|file| {
            let mut text = String::new();
            file.take(LIMIT + 1).read_to_string(&mut text)?;
            Ok(text)
        });
        let text = open.map_err(|error| {
            failed(format!("{name}: {error}"), "--allow names a file of rules, one a line")
        })?;
        if text.len() as u64 > LIMIT {
            return Err(failed(
                format!("{name}: longer than {LIMIT} bytes"),
                "--allow names a file of rules, one a line",
            ));
        }
        Self::parse(&text, &name)
    }

    fn parse(text: &str, name: &str) -> Result<Self> {
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = without_comment(line).trim();
            if line.is_empty() {
                continue;
            }
            let at = format!("{name}:{}", number + 1);
            let entry = entry(line, &at).map_err(|(what, hint)| failed(format!("{at}: {what}"), hint))?;
            entries.push(entry);
        }
        Ok(Self(entries))
    }

    /// What it says of growth: how much in all, and the most in a round.
    pub(super) fn of(&mut self, rule: Rule, subject: &str, total: f64, most: f64) -> Said {
        let mut said = Said::Nothing;
        for entry in self.0.iter_mut().filter(|entry| entry.rule == rule && fits(&entry.pattern, subject)) {
            entry.used = true;
            let enough = match entry.bound {
                Bound::Any => true,
                Bound::Total(bound) => total <= bound,
                Bound::EachRound(bound) => most <= bound,
            };
            let by = format!("{} ({})", entry.at, entry.text);
            if enough {
                return Said::Allowed(by);
            }
            said = Said::Less(by);
        }
        said
    }

    /// Entries that nothing needed.
    pub(super) fn unused(&self) -> Vec<String> {
        self.0
            .iter()
            .filter(|entry| !entry.used)
            .map(|entry| format!("{} ({})", entry.at, entry.text))
            .collect()
    }
}

/// Names may have a # in them (`GC Thread#1`): a comment begins at the line's start or after a blank.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = c;
    }
    line
}

fn entry(line: &str, at: &str) -> Result<Entry, (String, &'static str)> {
    const KINDS: &str = "a line begins with thread, descriptor, child or memory: thread http-* <= 20";
    const PATTERN: &str =
        "name what may grow, * for any: thread http-*, descriptor socket, memory native-heap";
    const BOUND: &str = "a bound is a number, for memory with B, KiB, MiB or GiB, and may end in /round: <= 3, <= 10MiB/round";
    let shown = model::Text::from(line).to_string();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rule = Rule::ALL.into_iter().find(|rule| rule.word() == word || rule.plural() == word);
    let rule = rule.ok_or_else(|| (format!("no rule {:?}", model::Text::from(word).to_string()), KINDS))?;
    let (pattern, bound) = match rest.rsplit_once("<=") {
        None => (rest, Bound::Any),
        Some((pattern, text)) => {
            let text = text.trim();
            let (amount, each) =
                text.strip_suffix("/round").map_or((text, false), |amount| (amount.trim(), true));
            let amount = number(amount, rule == Rule::Memory)
                .ok_or_else(|| (format!("no bound {:?}", model::Text::from(text).to_string()), BOUND))?;
            (pattern, if each { Bound::EachRound(amount) } else { Bound::Total(amount) })
        }
    };
    let pattern = pattern.trim();
    if pattern.is_empty() {
        return Err((format!("{word} of what?"), PATTERN));
    }
    Ok(Entry { rule, pattern: pattern.to_owned(), bound, at: at.to_owned(), text: shown, used: false })
}

/// `3`, `10MiB`.
fn number(text: &str, bytes: bool) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (amount, unit) = text.split_at(digits);
    let amount: f64 = amount.parse().ok()?;
    let factor = match unit.trim() {
        "" => 1.0,
        "B" if bytes => 1.0,
        "KiB" | "K" if bytes => 1024.0,
        "MiB" | "M" if bytes => 1_048_576.0,
        "GiB" | "G" if bytes => 1_073_741_824.0,
        _ => return None,
    };
    Some(amount * factor)
}

/// A star stands for anything. Time is bounded by both lengths multiplied.
fn fits(pattern: &str, subject: &str) -> bool {
    let (pattern, subject) = (pattern.as_bytes(), subject.as_bytes());
    let (mut p, mut s) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while s < subject.len() {
        // A star of ours first: the subject has stars of its own.
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, s));
            p += 1;
        } else if pattern.get(p) == subject.get(s) {
            p += 1;
            s += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            s = from + 1;
        } else {
            return false;
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(text: &str) -> Allowances {
        Allowances::parse(text, "leaks.allow").unwrap()
    }

    fn error(text: &str) -> (String, String) {
        let error = Allowances::parse(text, "leaks.allow").unwrap_err();
        let failure = error.downcast::<crate::failure::Failure>().unwrap();
        (failure.message, failure.hint.unwrap())
    }

    #[test]
    fn what_a_list_allows() {
        let mut list = list(
            "# ours\n\nthread http-*  # elastic\nthread pool-*-thread-1 <= 3\nmemory native-heap <= 10MiB/round\nthreads GC Thread#*\n",
        );
        assert!(matches!(list.of(Rule::Thread, "http-nio-8080-exec-*", 500.0, 100.0), Said::Allowed(_)));
        assert_eq!(
            list.of(Rule::Thread, "pool-*-thread-1", 3.0, 1.0),
            Said::Allowed("leaks.allow:4 (thread pool-*-thread-1 <= 3)".to_owned())
        );
        assert!(matches!(list.of(Rule::Thread, "pool-*-thread-1", 4.0, 1.0), Said::Less(_)));
        assert_eq!(list.of(Rule::Descriptor, "http-*", 1.0, 1.0), Said::Nothing);
        assert!(matches!(list.of(Rule::Memory, "native-heap", 1e9, 10_485_760.0), Said::Allowed(_)));
        assert!(matches!(list.of(Rule::Memory, "native-heap", 1e9, 10_485_761.0), Said::Less(_)));
        assert_eq!(list.unused(), ["leaks.allow:6 (threads GC Thread#*)"]);
        assert!(matches!(list.of(Rule::Thread, "GC Thread#*", 1.0, 1.0), Said::Allowed(_)));
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(error("thread x\nthraed y").0, "leaks.allow:2: no rule \"thraed\"");
        assert!(error("thread x\nthraed y").1.contains("thread, descriptor, child or memory"));
        assert_eq!(error("thread").0, "leaks.allow:1: thread of what?");
        assert_eq!(error("thread  <= 3").0, "leaks.allow:1: thread of what?");
        assert_eq!(error("\nthread x <= many").0, "leaks.allow:2: no bound \"many\"");
        assert_eq!(error("thread x <= 3MiB").0, "leaks.allow:1: no bound \"3MiB\"");
        assert_eq!(error("memory x <= -3").0, "leaks.allow:1: no bound \"-3\"");
        assert!(error("th\u{1b}[31m x").0.contains("\\u"), "no controls reach a terminal");
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_an_error(text in any::<String>()) {
            let _ = Allowances::parse(&text, "x");
        }

        #[test]
        fn stars_stand_for_anything(subject in "[a-z*-]{0,20}", cut in 0_usize..20) {
            let cut = cut.min(subject.len());
            let (head, tail) = subject.split_at(cut);
            let starred = format!("{head}*{tail}");
            prop_assert!(fits(&subject, &subject));
            prop_assert!(fits(&starred, &subject));
            prop_assert!(fits("*", &subject));
            let unlike = format!("{head}!{tail}");
            prop_assert!(!fits(&unlike, &subject));
        }
    }
}
