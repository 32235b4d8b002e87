//! Is the founding case fixed? Its two cures leave nothing to see in /proc: one starts a thread that ends at once, the
//! other starts none at all.

use serde_json::Value;

use crate::support::{Flatfoot, Leaker, need, wait_until};

const EACH_SECOND: &str = "* * * * * ?";

#[track_caller]
fn case_of_the_leak(flatfoot: &Flatfoot) -> String {
    let leaker = Leaker::start("run-java.sh", &["leak", EACH_SECOND]);
    wait_until("births", 90.0, || leaker.tasks_named("pool-") >= 12);
    let (code, said) = flatfoot.diagnose(&leaker.arg());
    assert_eq!(code, 1, "{said:#}");
    said["saved"]["path"].as_str().expect("a case").to_owned()
}

#[test]
fn jvm_cures_are_told_by_firings() {
    need!("java", "/usr/share/java/quartz2.jar");
    let flatfoot = Flatfoot::new();
    let case = case_of_the_leak(&flatfoot);
    let asked = |mode: &str, more: &[&str]| -> (i32, Value) {
        let cured = Leaker::start("run-java.sh", &[mode, EACH_SECOND]);
        let pid = cured.arg();
        let mut args = vec!["compare", "--finding", &case, &pid];
        args.extend(more);
        flatfoot.json(&args)
    };
    let (code, said) = asked("shutdown", &["--for", "12s"]);
    assert_eq!((code, &said["answer"]), (0, &Value::from("fixed")), "{said:#}");
    assert_eq!(said["survivors"], 0, "{said:#}");
    assert!(said["firings"].as_u64() >= Some(3), "{said:#}");

    // Nobody starts a thread: by reading alone nothing tells that the job ran at all.
    let (code, said) = asked("fixed", &["--for", "3s"]);
    assert_eq!((code, &said["answer"]), (3, &Value::from("not_proven")), "{said:#}");
    assert_eq!(said["impact"]["level"], "read", "{said:#}");

    let (code, said) = asked("fixed", &["--access", "agent", "--for", "6s"]);
    assert_eq!((code, &said["answer"]), (0, &Value::from("fixed")), "{said:#}");
    assert_eq!(
        (&said["counted_by"], &said["impact"]["level"]),
        (&"schedule".into(), &"agent".into()),
        "{said:#}"
    );
    assert!(said["why"].as_str().is_some_and(|why| why.contains("hourly_report")), "{said:#}");
}
