//! A JUnit report, as Jenkins, GitLab and others read it (the schema of Jenkins' xUnit plugin): a testcase for each rule, and
//! one for the command itself.
//!
//! ```text
//! <testsuites><testsuite name="flatfoot check" tests="5" failures="1" errors="0" skipped="1" time="12.300">
//!   <testcase name="threads" classname="flatfoot.check" time="0.000"><failure message="…" type="thread-leak">…</failure></testcase>
//! ```

use std::fmt::Write as _;

use crate::check::document::{Document, Rule, Verdict};

/// The report.
pub(crate) fn report(document: &Document) -> String {
    let skipped = |rule: &Rule| {
        document.rules_not_judged.contains(rule) && !document.findings.iter().any(|leak| leak.rule == *rule)
    };
    let failures =
        Rule::ALL.iter().filter(|rule| document.findings.iter().any(|leak| leak.rule == **rule)).count();
    let skips = Rule::ALL.iter().filter(|rule| skipped(rule)).count();
    let error = error(document);
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{}\"",
        Rule::ALL.len() + 1,
        usize::from(error.is_some())
    );
    let time = format!("time=\"{:.3}\"", document.took_s);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"flatfoot check\" {counts} {time}>\n\
         \x20 <testsuite name=\"flatfoot check\" {counts} skipped=\"{skips}\" {time}>\n"
    );
    case(&mut out, "command", &error.map(|text| vec![("error", "command", text)]).unwrap_or_default());
    for rule in Rule::ALL {
        let leaks = document.findings.iter().filter(|leak| leak.rule == rule);
        let mut marks: Vec<(&str, &str, String)> = leaks
            .map(|leak| {
                let mut lines = vec![super::sentence(document, leak)];
                lines.extend(super::details(leak));
                ("failure", leak.kind.id(), lines.join("\n"))
            })
            .collect();
        if skipped(&rule) {
            marks.push(("skipped", "", "not judged: see the report".to_owned()));
        }
        case(&mut out, rule.plural(), &marks);
    }
    let mut said = String::new();
    let _ = writeln!(said, "watched: {}", document.watched);
    let lists = [
        ("not judged", &document.not_judged),
        ("note", &document.notes),
        ("unused", &document.unused_allowances),
    ];
    for (head, lines) in lists {
        for line in lines {
            let _ = writeln!(said, "{head}: {line}");
        }
    }
    let _ = write!(out, "    <system-out>{}</system-out>\n  </testsuite>\n</testsuites>\n", escape(&said));
    out
}

/// What failed that is no leak.
fn error(document: &Document) -> Option<String> {
    if document.verdict == Verdict::Interrupted {
        return Some("ended by a signal".to_owned());
    }
    let failure = document.failure.as_ref()?;
    let lines = failure.last_lines.iter().map(ToString::to_string);
    Some(std::iter::once(failure.what.clone()).chain(lines).collect::<Vec<_>>().join("\n"))
}

fn case(out: &mut String, name: &str, marks: &[(&str, &str, String)]) {
    let _ = write!(out, "    <testcase name=\"{name}\" classname=\"flatfoot.check\" time=\"0.000\">");
    for (element, kind, text) in marks {
        let first = text.lines().next().unwrap_or_default();
        let _ = match *element {
            "skipped" => write!(out, "<skipped message=\"{}\"/>", escape(first)),
            element => write!(
                out,
                "<{element} message=\"{}\" type=\"{kind}\">{}</{element}>",
                escape(first),
                escape(text)
            ),
        };
    }
    out.push_str("</testcase>\n");
}

/// For attributes and text; what XML 1.0 cannot hold, escaped or not, is left out as U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c < ' ' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_end_an_element_is_escaped() {
        assert_eq!(escape("a ]]> <b> & \"c\""), "a ]]&gt; &lt;b&gt; &amp; &quot;c&quot;");
        assert_eq!(escape("\u{1b}[31m\0\n"), "\u{fffd}[31m\u{fffd}&#10;");
    }

    proptest! {
        #[test]
        fn nothing_of_a_text_is_markup(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"']));
            prop_assert!(!escaped.chars().any(|c| c < ' '));
        }
    }
}
