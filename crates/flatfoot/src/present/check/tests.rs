use model::Frame;

use super::*;
use crate::check::document::{Allowed, Failed, Process};

fn document() -> Document {
    let server = Process { pid: model::Pid(4711), name: "server".into() };
    Document {
        verdict: Verdict::Leak,
        exit_code: 23,
        process: Some(server.clone()),
        watched: "server[4711], over 5 rounds of ./smoke.sh, after 2 of warm-up".to_owned(),
        rounds_asked: 5,
        rounds_done: 5,
        took_s: 31.0,
        findings: vec![Leak {
            rule: Rule::Thread,
            kind: model::FindingKind::ThreadLeak,
            process: server.clone(),
            subject: "pool-*-thread-1".into(),
            summary: "12 more pool-*-thread-1 after each round".to_owned(),
            per_round: vec![12.0; 5],
            total: 60.0,
            bytes: false,
            allowed_less: Some("leaks.allow:3 (thread pool-* <= 3)".to_owned()),
            created_by: vec![CreatedBy {
                source: "agent".into(),
                births: 60,
                of: 60,
                frames: vec![
                    Frame { symbol: "java.lang.Thread.start".into(), role: "jdk".into(), ..Frame::default() },
                    Frame {
                        symbol: "app.PoolFactory.make".into(),
                        file: Some("PoolFactory.java".into()),
                        line: Some(33),
                        role: "application".into(),
                        ..Frame::default()
                    },
                ],
                ..CreatedBy::default()
            }],
            survivors: Vec::new(),
        }],
        allowed: vec![Allowed {
            summary: "3 more http-* after each round".into(),
            by: "leaks.allow:1 (thread http-*)".into(),
        }],
        unused_allowances: vec!["leaks.allow:4 (child sh)".into()],
        table: vec![
            Row {
                rule: Rule::Descriptor,
                process: server.clone(),
                subject: "socket".into(),
                values: [4.0, 5.0, 4.0, 4.0, 5.0, 4.0].map(Some).to_vec(),
                bytes: false,
                leaks: false,
            },
            Row {
                rule: Rule::Thread,
                process: server,
                subject: "pool-*-thread-1".into(),
                values: [0.0, 12.0, 24.0, 36.0, 48.0, 60.0].map(Some).to_vec(),
                bytes: false,
                leaks: true,
            },
        ],
        not_judged: vec!["the Java heap of server[4711]: too few collections".into()],
        ..Document::default()
    }
}

#[test]
fn a_leak() {
    insta::assert_snapshot!(text(&document(), Term::default()));
}

#[test]
fn a_failure_and_a_leak_are_both_said() {
    let mut both = document();
    both.verdict = Verdict::Failed;
    both.failure = Some(Failed {
        what: "the work failed in round 4: it ended with status 3".into(),
        exit_code: 3,
        last_lines: vec!["\u{1b}[31mpanic".into()],
    });
    let said = text(&both, Term::default());
    assert!(said.starts_with("FAIL the work failed in round 4: it ended with status 3\n  \\u{1b}[31mpanic\nFAIL thread leak: 12 more"), "{said}");
}

#[test]
fn a_pass_says_what_was_judged() {
    let mut pass = document();
    pass.verdict = Verdict::Pass;
    pass.findings.clear();
    pass.rules_not_judged = vec![Rule::Memory];
    let said = text(&pass, Term::default());
    assert!(said.starts_with("PASS no leak of threads, descriptors and children\n"), "{said}");
}

#[test]
fn a_junit_report_counts_its_cases() {
    insta::assert_snapshot!(junit::report(&document()));
}

#[test]
fn annotations_name_the_creator() {
    insta::assert_snapshot!(github::annotations(&document()));
}
