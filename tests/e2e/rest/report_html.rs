//! The report as one HTML file: well formed whatever it is told, with nothing that runs or is loaded, the same figures as
//! the JSON has, and without what is private.

use std::os::unix::process::CommandExt as _;
use std::path::Path;

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, wait_until};

/// Large enough for any finding with its charts, small enough for any ticket.
const LARGEST: usize = 300 * 1024;
/// Elements of HTML that have no end.
const VOID: [&str; 2] = ["meta", "!DOCTYPE"];

/// An element as it begins.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

/// The document's elements and its text; panics where a tag is not closed, or closed twice, or an attribute not quoted.
#[track_caller]
fn parsed(document: &str) -> (Vec<Element>, String) {
    let (mut elements, mut text, mut open) = (Vec::new(), String::new(), Vec::new());
    let mut rest = document;
    while let Some(at) = rest.find('<') {
        if open.last().is_none_or(|name| name != "style") {
            text.push_str(&rest[..at]);
        }
        let end = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed is what was opened last: {tag}");
            continue;
        }
        let empty = tag.ends_with('/');
        let element = element(tag.trim_end_matches('/'));
        if !empty && !VOID.contains(&element.name.as_str()) {
            open.push(element.name.clone());
        }
        elements.push(element);
    }
    assert_eq!((open, rest.trim()), (Vec::new(), ""), "all is closed");
    (elements, text)
}

#[track_caller]
fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    while let Some((attribute, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a quoted value");
        let attribute = attribute.trim();
        assert!(attribute.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{tag}");
        attributes.push((attribute.to_owned(), value.to_owned()));
        rest = after;
    }
    assert!(rest.trim().is_empty() || name == "!DOCTYPE", "nothing but attributes: {tag}");
    Element { name: name.to_owned(), attributes }
}

/// What holds for each report.
#[track_caller]
fn assert_self_contained(document: &str) -> String {
    assert!(document.len() < LARGEST, "{}", document.len());
    assert_eq!(document.chars().find(|c| c.is_control() && *c != '\n'), None);
    let (elements, text) = parsed(document);
    let known = [
        "!DOCTYPE",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "footer",
        "nav",
        "section",
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "span",
        "div",
        "code",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "a",
        "figure",
        "figcaption",
        "svg",
        "g",
        "desc",
        "path",
        "rect",
        "text",
        "details",
        "summary",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ];
    for element in &elements {
        assert!(known.contains(&element.name.as_str()), "{}", element.name);
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && name != "src" && name != "style", "{name}={value}");
            assert!(name != "href" || value.starts_with('#'), "{value}");
            assert!(name == "xmlns" || !value.contains("://"), "{name}={value}");
        }
    }
    let policy = elements.iter().flat_map(|e| &e.attributes).find(|(_, v)| v.starts_with("default-src"));
    assert_eq!(
        policy.map(|(_, value)| value.as_str()),
        Some("default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:")
    );
    let style =
        document.split("<style>").nth(1).and_then(|s| s.split("</style>").next()).expect("a style sheet");
    assert!(!style.contains("url(") && !style.contains("@import"), "nothing is loaded by it");
    // Each chart has a name and a description of its own.
    let ids: Vec<&str> = elements
        .iter()
        .flat_map(|e| e.attributes.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.as_str()))
        .collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "an id is given once");
    for svg in elements.iter().filter(|e| e.name == "svg") {
        let by = svg.attributes.iter().find(|(name, _)| name == "aria-labelledby").expect("a label");
        assert!(by.1.split(' ').all(|id| ids.contains(&id)), "{}", by.1);
    }
    text
}

#[track_caller]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a report in UTF-8")
}

#[test]
fn a_report_says_what_the_json_says_and_keeps_what_is_private() {
    // Called as an interpreter is, it is labelled by its first argument.
    let program = Leaker::with(
        "leak",
        &["threads-unjoined", "250", "0", "pool-#-thread-1", "--key=S3cretCustomer"],
        |c| {
            c.arg0("python3");
        },
    );
    wait_until("births", 60.0, || program.tasks() >= 41);
    program.freeze();
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("Case-Of-Ann.flatfoot").display().to_string();
    assert_eq!(flatfoot.run(&["save", &program.arg(), "-o", &case]).status, 0);
    let (_, said) = flatfoot.diagnose(&case);
    let finding = &said["findings"][0];
    let count = finding["count"].as_u64().expect("a finding");

    let page = folder.path().join("case.html");
    let run = flatfoot.run(&["report", &case, "-o", &page.display().to_string()]);
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{run:#?}");
    let document = read(&page);
    let text = assert_self_contained(&document);
    let subject = finding["subject"].as_str().expect("a subject");
    assert!(text.contains(&format!("{count} × {subject}, one every 0.25 s")), "{text}");
    for part in [
        "THREAD LEAK",
        "Evidence",
        "check: ",
        "Threads over time",
        "Births by second of the minute",
        "Limits",
        "Risk",
        "Now",
        "Not judged",
        "Impact",
        "Redacted",
        "@media print",
        "prefers-color-scheme:dark",
    ] {
        assert!(document.contains(part), "{part}");
    }
    let commands: Vec<&str> = finding["evidence"]
        .as_array()
        .expect("evidence")
        .iter()
        .filter_map(|e| e["reproduce"].as_str())
        .collect();
    assert!(!commands.is_empty());
    let first = commands[0].replace('\'', "&#39;");
    assert!(document.contains(&format!("<code>{first}</code>")), "{first} is there to be copied");

    let host = said["host"]["name"].as_str().expect("a host").to_owned();
    let private = ["S3cretCustomer", "threads-unjoined", "Case-Of-Ann", "leakers/"];
    for secret in private {
        assert!(!document.contains(secret), "{secret}");
    }
    let is_named = |text: &str| text.contains(&format!("flatfoot on {host}"));
    assert!(!is_named(&text) && (host.len() < 5 || !document.contains(&host)), "{host}");
    let whole = flatfoot.run(&["report", &case, "--html", "--no-redact"]).stdout;
    assert_self_contained(&whole);
    assert!(is_named(&whole) && whole.contains("Case-Of-Ann"), "all of it is there when it is asked for");
    assert!(whole.contains("] threads-unjoined"), "the label is an argument");
    assert!(document.contains("] argument-1"), "which reads as another");
    // Markdown is for tickets, too.
    let markdown = flatfoot.run(&["report", &case, "--md"]).stdout;
    assert!(markdown.contains("--no-redact") && !markdown.contains("Case-Of-Ann"), "{markdown}");
}

#[test]
fn names_stay_text() {
    let flatfoot = Flatfoot::new();
    for name in ["<script>#", "'\"><b id=x>#", "\u{1b}[2J\u{202e}#\n", "&lt;#]]>-->"] {
        let program = Leaker::start("leak", &["threads-unjoined", "100", "0", name]);
        program.wait_for_tasks(41, 60.0);
        let run = flatfoot.run(&["report", "--html", "--no-redact", &program.arg()]);
        assert_eq!(run.status, 0, "{run:#?}");
        let text = assert_self_contained(&run.stdout);
        assert!(text.contains("THREAD LEAK"), "{name:?}: {text}");
    }
    for kind in ["newline", "escape", "utf8", "paren", "backslash", "html", "empty"] {
        let program = Leaker::start("shape", &["hostile", kind]);
        let run = flatfoot.run(&["report", "--html", "--no-redact", &program.arg()]);
        assert_eq!(run.status, 0, "{kind}: {run:#?}");
        let text = assert_self_contained(&run.stdout);
        assert!(text.contains("Nothing suspicious in "), "{kind}: {text}");
    }
}

#[test]
fn what_was_recorded_has_its_past() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot").display().to_string();
    let program = Leaker::start("leak", &["threads-detached", "250", "0", "pool-#-thread-1"]);
    wait_until("births", 60.0, || program.tasks_named("pool-") >= 8);
    let run = flatfoot.run(&["record", "--store", &store, "--interval", "500ms", "--for", "6s"]);
    assert_eq!(run.status, 0, "{run:#?}");
    let pid = program.arg();
    drop(program);
    let (_, said) = flatfoot.json(&["report", &pid, "--store", &store, "--since", "1h"]);
    let count = &said["findings"][0]["count"];
    assert_ne!(*count, Value::Null, "{said:#}");
    let page = folder.path().join("past.HTM").display().to_string();
    let run = flatfoot.run(&["report", &pid, "--store", &store, "--since", "1h", "-o", &page]);
    assert_eq!(run.status, 0, "{run:#?}");
    let document = read(Path::new(&page));
    let text = assert_self_contained(&document);
    assert!(text.contains(&format!("{count} × pool-*-thread-1")), "{text}");
    for chart in ["Resident memory over time", "Threads over time", "Threads over time: pool-*-thread-1"] {
        assert!(document.contains(&format!("<figcaption>{chart}</figcaption>")), "{chart}");
    }
    assert!(text.contains("read from"), "the impact is none: {text}");

    let run = flatfoot.run(&["report", &pid, "--store", &store]);
    assert!(run.status == 2 && run.stderr.contains("--html"), "a format is asked for: {run:#?}");
}
