//! The whole host: the leaker is found among everybody, its healthy twin is not.

use super::findings::{has_periods, of_pid};
use crate::support::{Flatfoot, Leaker, wait_until};

#[test]
fn the_leaker_is_found_and_named() {
    let leaker = Leaker::start("leak", &["threads-unjoined", "200", "0", "pool-#-thread-1"]);
    let nameless = Leaker::start("cpp-threads", &["200"]);
    let mut renewed = Leaker::start("healthy", &["renew", "5000", "200", "job"]);
    let breathes = Leaker::start("healthy", &["elastic", "40"]);
    renewed.line("steady", 60.0);
    wait_until("births", 60.0, || leaker.tasks() > 16 && nameless.tasks() > 16);

    let flatfoot = Flatfoot::new();
    let before = leaker.tasks_named("pool-") as u64;
    let (status, said) = flatfoot.json(&["diagnose"]);
    let after = leaker.tasks_named("pool-") as u64;
    assert_eq!(status, 1, "{said:#}");
    let found = of_pid(&said, leaker.pid());
    assert_eq!(found.len(), 1, "{said:#}");
    let found = found[0];
    assert_eq!((&found["kind"], &found["subject"]), (&"thread-leak".into(), &"pool-*-thread-1".into()));
    assert!(
        (before..=after).contains(&found["count"].as_u64().expect("a count")),
        "{before}, {after}: {found:#}"
    );
    has_periods(found, &[0.2]);
    // A look at everybody leaves the mappings out; those of a finding are read then.
    let each = found["reserved_bytes"].as_u64().expect("stacks") / found["count"].as_u64().expect("a count");
    assert_eq!(each, 8 << 20, "{found:#}");
    assert!(found["risk"].as_str().is_some_and(|r| r.starts_with("not memory: ")), "{found:#}");

    assert_eq!(of_pid(&said, nameless.pid()).len(), 1, "{said:#}");
    assert_eq!(of_pid(&said, renewed.pid()).len(), 0, "{said:#}");
    assert_eq!(of_pid(&said, breathes.pid()).len(), 0, "{said:#}");
    assert!(said["looked_at"]["processes"].as_u64() > Some(4), "{:#}", said["looked_at"]);
}

#[test]
fn people_read_who_it_is_and_what_to_run() {
    let leaker = Leaker::start("leak", &["threads-unjoined", "200", "0", "pool-#-thread-1"]);
    leaker.wait_for_tasks(16, 60.0);
    let run = Flatfoot::new().run(&["diagnose"]);
    assert_eq!(run.status, 1, "{run:#?}");
    let lines = run.lines();
    let head = format!("THREAD LEAK  leak[{}]   ", leaker.pid());
    let at = lines.iter().position(|l| l.starts_with(&head)).unwrap_or_else(|| panic!("{}", run.stdout));
    assert!(lines[at].contains(" × pool-*-thread-1, one every 0.20 s"), "{}", lines[at]);
    let rest = lines[at + 1..].iter().take_while(|l| !l.starts_with("THREAD LEAK"));
    let about: Vec<_> = rest.collect();
    assert!(about.iter().any(|l| l.starts_with("RISK")), "{about:#?}");
    let save = format!("flatfoot save {}", leaker.pid());
    assert!(about.iter().any(|l| l.starts_with("NOW") && l.contains(&save)), "{about:#?}");
    let why = format!("flatfoot diagnose {}", leaker.pid());
    assert!(about.iter().any(|l| l.starts_with("WHY") && l.contains(&why)), "{about:#?}");
}
