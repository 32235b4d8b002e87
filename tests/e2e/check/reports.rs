//! Reports: JUnit, annotations, JSON; and names that try to break out of them.

use std::process::Command;

use serde_json::Value;

use crate::served::Served;
use crate::support::flatfoot::collect;
use crate::support::need;

/// At most 15 bytes, as the kernel keeps of a thread's name.
const NASTY: [&str; 3] = ["]]>&<\"'::error", "a\u{1b}[31m\nb\u{7}%0A", "</failure>"];

/// What an XML parser makes of a report: attributes of the suite, and each case with its marks.
#[track_caller]
fn parsed(path: &std::path::Path) -> Value {
    let program = "\
import json, sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
suites = root.findall('testsuite')
assert root.tag == 'testsuites' and len(suites) == 1, root.tag
allowed = {'testcase', 'system-out'}
assert all(child.tag in allowed for child in suites[0]), [child.tag for child in suites[0]]
cases = {case.get('name'): [[mark.tag, mark.get('message'), mark.get('type'), mark.text] for mark in case]
         for case in suites[0].findall('testcase')}
print(json.dumps({'suite': suites[0].attrib, 'all': root.attrib, 'cases': cases}))";
    let output = Command::new("python3").arg("-c").arg(program).arg(path).output().expect("python3");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        std::fs::read_to_string(path).unwrap_or_default()
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn junit_has_a_case_for_each_rule() {
    need!("python3");
    let served = Served::new();
    let file = served.file("leaks.xml");
    let path = file.display().to_string();
    let run = served.check(&["--junit", &path, "--rounds", "3"], &["thread"]);
    assert_eq!(run.status, 23, "{run:#?}");
    let report = parsed(&file);
    let suite = &report["suite"];
    assert_eq!(
        (&suite["tests"], &suite["failures"], &suite["errors"], &suite["skipped"]),
        (&"5".into(), &"1".into(), &"0".into(), &"1".into()),
        "{report:#}"
    );
    let cases = &report["cases"];
    assert_eq!(cases["threads"][0][0], "failure", "{report:#}");
    assert_eq!(cases["threads"][0][1], "12 more pool-*-thread-1 after each round");
    assert_eq!(cases["threads"][0][2], "thread-leak");
    assert_eq!(cases["memory"][0][0], "skipped", "{report:#}");
    assert_eq!(cases["descriptors"], serde_json::json!([]), "{report:#}");
    let run = served_again(&served, &["--junit", &path, "--work", "exit 4"]);
    assert_eq!(run.status, 4);
    assert_eq!(parsed(&file)["cases"]["command"][0][0], "error");
}

fn served_again(served: &Served, options: &[&str]) -> crate::support::Run {
    served.check(options, &["none"])
}

#[test]
fn names_cannot_break_out_of_a_report() {
    need!("python3");
    for name in NASTY {
        let served = Served::new();
        let file = served.file("leaks.xml");
        let options = ["--junit", &file.display().to_string(), "--github", "--rounds", "3"];
        let run = served.check(&options, &["thread", name]);
        assert_eq!(run.status, 23, "{run:#?}");
        let text = &run.stdout;
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        let annotations: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
        assert_eq!(annotations.len(), 1, "{text}");
        assert!(annotations[0].starts_with("::error title=thread leak::12 more "), "{text}");
        assert!(!annotations[0].contains("%0A") || annotations[0].contains("%250A"), "{text}");
        let report = parsed(&file);
        let message = report["cases"]["threads"][0][1].as_str().expect("a message");
        assert!(message.starts_with("12 more "), "{report:#}");
        if name == NASTY[0] {
            assert_eq!(message, format!("12 more {name} after each round"));
        }
    }
}

#[test]
fn annotations_come_by_themselves_on_github() {
    let served = Served::new();
    let mut command = served.command(&["--rounds", "3"], &["fd"]);
    let run = collect(&mut command.env("GITHUB_ACTIONS", "true").spawn().expect("flatfoot"));
    assert_eq!(run.status, 23, "{run:#?}");
    let line = "::error title=descriptor leak::12 more file descriptors after each round";
    assert!(run.lines().contains(&line), "{run:#?}");
    let run = served.check(&["--rounds", "3"], &["fd"]);
    assert!(!run.stdout.contains("::error"), "{run:#?}");
}

#[test]
fn the_document_fits_its_schema() {
    let served = Served::new();
    let schema = served.flatfoot.run(&["schema", "check"]).json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for mode in [vec!["thread"], vec!["child"], vec!["die", "3", "30"], vec!["none"]] {
        let (_, said) = served.json(&["--rounds", "3"], &mode);
        let errors: Vec<String> =
            validator.iter_errors(&said).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{said:#}");
        assert_eq!(said["schema"], "flatfoot.check/1");
        assert!(said["impact"].is_object());
    }
    let whole = served.flatfoot.run(&["check", "--json", "--", "true"]).json();
    assert!(validator.is_valid(&whole), "{whole:#}");
    let mut wrong = whole;
    wrong["exit_code"] = Value::from("none");
    assert!(!validator.is_valid(&wrong), "so it can fail");
}
