//! Annotations of GitHub Actions (docs.github.com: workflow commands):
//!
//! ```text
//! ::error title=thread leak::12 more pool-*-thread-1 after each round
//! ```

use std::fmt::Write as _;

use crate::check::document::{Document, Verdict};

/// One for each finding and failure; none when all is well.
pub(crate) fn annotations(document: &Document) -> String {
    let mut out = String::new();
    if let Some(failure) = &document.failure {
        let mut text = failure.what.clone();
        for line in &failure.last_lines {
            let _ = write!(text, "\n{line}");
        }
        let _ = writeln!(out, "::error title={}::{}", property("flatfoot check"), message(&text));
    }
    for leak in &document.findings {
        let mut text = super::sentence(document, leak);
        for line in super::details(leak) {
            let _ = write!(text, "\n{line}");
        }
        let title = format!("{} leak", leak.rule.word());
        let _ = writeln!(out, "::error title={}::{}", property(&title), message(&text));
    }
    if document.verdict == Verdict::Pass {
        for entry in &document.unused_allowances {
            let text = format!("{entry}: nothing like it grew");
            let _ = writeln!(out, "::notice title={}::{}", property("unused allowance"), message(&text));
        }
    }
    out
}

/// As @actions/core has it.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same, and what ends a property.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(message("100 %\n::error::x"), "100 %25%0A::error::x");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }

    proptest! {
        #[test]
        fn an_annotation_is_one_line(text in any::<String>()) {
            prop_assert!(!message(&text).contains(['\n', '\r']));
            prop_assert!(!property(&text).contains([':', ',', '\n', '\r']));
        }
    }
}
