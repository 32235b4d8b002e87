//! The report as one HTML file: well formed whatever it is told, with nothing that runs or is loaded, the same figures as
//! the JSON has, and without what is private.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use serde_json::Value;

use crate::support::flatfoot::collect;
use crate::support::{Flatfoot, Leaker, month, wait_until};

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
        "b",
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
    // It is its owner's alone, and another time it is not written over.
    let mode = std::fs::metadata(&page).expect("the report").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = flatfoot.run(&["report", &case, "-o", &page.display().to_string(), "--no-redact"]);
    assert!(again.status == 5 && again.stderr.contains("hint: remove it"), "{again:#?}");
    assert_eq!(read(&page), document);
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
    // Markdown is for tickets, too, and JSON says the same to machines.
    let markdown = flatfoot.run(&["report", &case, "--md"]).stdout;
    let (_, json) = flatfoot.json(&["report", &case]);
    let (_, plain) = flatfoot.json(&["report", &case, "--no-redact"]);
    for secret in private {
        assert!(!markdown.contains(secret) && !json.to_string().contains(secret), "{secret}: {markdown}");
    }
    assert!(markdown.contains("Taken out: ") && markdown.contains("names of hosts: 1"), "{markdown}");
    assert_eq!(json["redacted"]["different"]["names of hosts"], 1, "{json:#}");
    assert_eq!((&json["host"]["name"], &plain["host"]["name"]), (&"host".into(), &said["host"]["name"]));
    assert_eq!((plain["redacted"].is_null(), &json["findings"][0]["id"]), (true, &finding["id"]));
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

    // Nobody is there to be asked, and nothing is written.
    let other = folder.path().join("other.html");
    let args = ["report", &pid, "--store", &store, "--access", "agent", "-o", &other.display().to_string()];
    let run = flatfoot.run(&args);
    assert!(run.status == 2 && run.stderr.contains("a record can't be asked"), "{run:#?}");
    assert!(!other.exists(), "no empty file is left");

    let run = flatfoot.run(&["report", &pid, "--store", &store]);
    assert!(run.status == 2 && run.stderr.contains("--html"), "a format is asked for: {run:#?}");
}

/// The numbers that a chart has in its table: the rows below a caption.
#[track_caller]
fn rows_of<'a>(document: &'a str, caption: &str) -> Vec<Vec<&'a str>> {
    let at = document.find(&format!("<caption>{caption}</caption>")).unwrap_or_else(|| panic!("{caption}"));
    let body = document[at..].split("<tbody>").nth(1).and_then(|s| s.split("</tbody>").next()).expect("rows");
    let cells = |row: &'a str| {
        row.split("</t").filter_map(|cell| Some(cell.rsplit_once('>')?.1)).filter(|c| !c.trim().is_empty())
    };
    body.split("</tr>").map(|row| cells(row).collect()).filter(|row: &Vec<&str>| !row.is_empty()).collect()
}

#[test]
fn threads_that_ended_are_on_the_charts() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("h.flatfoot").display().to_string();
    let mut program = Leaker::start("python/ends.py", &["100", "5"]);
    wait_until("births", 60.0, || program.tasks_named("pool-") >= 40);
    let args = ["record", "--store", &store, "--interval", "200ms", "--for", "6s"];
    let mut recording = flatfoot.command(&args).spawn().expect("it starts");
    // Ends are seen once the threads were listed, which is when their number changes.
    wait_until("a tick", 60.0, || flatfoot.run(&["top", "--store", &store, "--at", "now"]).status == 0);
    let listed = program.tasks_named("pool-") + 15;
    wait_until("more births", 60.0, || program.tasks_named("pool-") >= listed);
    for what in ["helper", "helper", "pool", "helper"] {
        writeln!(program.stdin(), "{what}").expect("it is told");
        program.line("ended", 30.0);
    }
    assert_eq!(collect(&mut recording).status, 0);
    let pid = program.arg();
    let run = flatfoot.run(&["report", &pid, "--store", &store, "--since", "1h", "--html"]);
    assert_eq!(run.status, 0, "{run:#?}");
    let text = assert_self_contained(&run.stdout);
    for part in [
        "when watching began, 4 ended, 1 of them of this pattern. Before that only those are known that lived on.",
        "Pale: the 1 that have ended.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(run.stdout.contains("class=\"dots pale\"") && run.stdout.contains("class=\"since\""));

    // A watch sees the same; here nobody ends.
    let run = flatfoot.run(&["report", &pid, "--for", "2s", "--html"]);
    let text = assert_self_contained(&run.stdout);
    assert!(text.contains("None has ended since "), "{text}");
}

/// The sizes of a column of a table, in KiB.
fn sizes(rows: &[Vec<&str>], column: usize) -> Vec<f64> {
    let size = |row: &Vec<&str>| {
        let (number, unit) = row[column].split_once(' ').expect("a size");
        let scale = match unit {
            "KiB" => 1.0,
            "MiB" => 1_024.0,
            _ => 1_048_576.0,
        };
        number.replace(',', "").parse::<f64>().expect("a number") * scale
    };
    rows.iter().map(size).collect()
}

#[test]
fn a_watch_has_the_classes_of_memory_over_time() {
    let flatfoot = Flatfoot::new();
    let program = Leaker::start("leak", &["threads-detached", "50", "0", "pool-#-thread-1"]);
    wait_until("births", 60.0, || program.tasks_named("pool-") >= 20);
    let run = flatfoot.run(&["report", &program.arg(), "--for", "2s", "--html"]);
    assert_eq!(run.status, 0, "{run:#?}");
    let text = assert_self_contained(&run.stdout);
    assert!(text.contains("Most of the growth is thread stack: "), "{text}");
    let stacks = sizes(&rows_of(&run.stdout, "memory by class over time, committed"), 1);
    assert!(stacks.len() >= 3 && stacks.is_sorted() && stacks[0] < stacks[stacks.len() - 1], "{stacks:?}");
    assert!(run.stdout.contains("<figcaption>Memory of the host over time</figcaption>"));
}

#[test]
fn a_month_is_drawn_in_full_and_stays_small() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("month.flatfoot");
    let (leaked, ended) = month::write(&store, 30, 40);
    let store = store.display().to_string();
    let pid = month::PID.to_string();
    let run = flatfoot.run(&["report", &store, &pid, "--html"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let text = assert_self_contained(&run.stdout);
    assert!(run.stdout.len() < 150 * 1_024, "{}", run.stdout.len());
    let count = leaked.to_string();
    let count = format!("{},{}", &count[..1], &count[1..]);
    assert!(text.contains(&format!("{count} × pool-*-thread-1, one every 600 s")), "{text}");
    let ends = format!("when watching began, {ended} ended, 0 of them of this pattern.");
    assert!(text.contains(&ends), "{ends}: {text}");
    // Six rows in the hour, each with a sixth of them.
    let raster = rows_of(&run.stdout, "births by minute of the hour");
    assert!(raster.len() == 6 && raster[1] == [":12", "720"], "{raster:?}");
    let rows = rows_of(&run.stdout, "memory by class over time, committed");
    let stacks = sizes(&rows, 1);
    // 2,040 KiB for each of 20 and for all that were leaked; the last look at the classes may be a few earlier.
    let all = (20 + leaked) as f64 * 2_040.0;
    assert!(stacks.is_sorted() && (stacks[stacks.len() - 1] / all - 1.0).abs() < 0.01, "{stacks:?} {all}");
    assert!(text.contains("Most of the growth is thread stack: "), "{text}");
    let committed = sizes(&rows_of(&run.stdout, "memory of the host over time"), 1);
    assert!(committed.is_sorted() && committed[0] < committed[committed.len() - 1], "{committed:?}");
    // And the whole host.
    let whole = flatfoot.run(&["report", &store, "--html"]).stdout;
    let text = assert_self_contained(&whole);
    assert!(text.contains("pool-*-thread-1") && whole.len() < 150 * 1_024, "{}", whole.len());
}

#[test]
fn a_case_file_of_one_shows_it_and_a_host_who_has_most() {
    let flatfoot = Flatfoot::new();
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("one.flatfoot").display().to_string();
    let program = Leaker::start("healthy", &["fixed-pool", "3"]);
    assert_eq!(flatfoot.run(&["save", &program.arg(), "-o", &case]).status, 0);
    let run = flatfoot.run(&["report", &case, "--html"]);
    let text = assert_self_contained(&run.stdout);
    assert!(text.contains("Nothing suspicious in ") && text.contains("Memory by class"), "{text}");

    let run = flatfoot.run(&["report", "--html"]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert_self_contained(&run.stdout);
    let at = run.stdout.find("Those with most private writable memory").expect("a table");
    assert!(run.stdout[at..].contains("<th scope=\"row\">"), "processes are named");
}
