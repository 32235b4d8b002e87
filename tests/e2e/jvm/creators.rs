//! Each kind of thread leak with the class, method and line that starts the threads, and the jar.

use serde_json::Value;

use super::contained::Contained;
use super::source::line;
use crate::support::{Flatfoot, Leaker, need, shell, wait_until};

const EACH_SECOND: &str = "* * * * * ?";
/// Enough births for a finding.
const BIRTHS: usize = 12;

/// Waits for births, and asks the JVM for their creator.
#[track_caller]
fn diagnosed(leaker: &Leaker, head: &str) -> Value {
    wait_until("births", 90.0, || leaker.tasks_named(head) >= BIRTHS);
    let (code, said) = Flatfoot::new().json(&["diagnose", &leaker.arg(), "--access", "agent", "--no-save"]);
    assert_eq!(code, 1, "{said:#}");
    assert_eq!(said["findings"].as_array().map(Vec::len), Some(1), "{said:#}");
    assert_eq!(said["impact"]["level"], "agent", "{said:#}");
    assert_eq!(said["impact"]["longest_pause_s"], 0.0, "the agent stops nothing: {said:#}");
    said["findings"][0].clone()
}

/// The first frame that is neither the JDK's nor a runtime's.
fn creator(by: &Value) -> Value {
    let frames = by["frames"].as_array().cloned().unwrap_or_default();
    frames.into_iter().find(|frame| frame["role"] != "jdk" && frame["role"] != "runtime").unwrap_or_default()
}

#[track_caller]
fn is_confirmed(finding: &Value, pattern: &str, symbol: &str, at: u64) {
    assert_eq!(finding["kind"], "thread-leak", "{finding:#}");
    assert_eq!(finding["subject"], pattern, "{finding:#}");
    assert_eq!(finding["confidence"], "confirmed", "{finding:#}");
    let by = &finding["created_by"][0];
    assert_eq!(by["source"], "agent", "{finding:#}");
    assert!(by["births"].as_u64() >= Some(1) && by["births"] == by["of"], "{by:#}");
    let creator = creator(by);
    assert_eq!(creator["symbol"], symbol, "{by:#}");
    assert_eq!(creator["line"], at, "{by:#}");
    assert_eq!(creator["origin"], "leakcase 1.4.0", "{by:#}");
    assert_eq!(creator["role"], "application", "{by:#}");
}

#[test]
fn the_founding_java_case_names_creator_job_and_owners() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::start("run-java.sh", &["leak", EACH_SECOND]);
    let finding = diagnosed(&leaker, "pool-");
    let at = line("java/src/leakcase/Deadline.java", "// birth: leak");
    is_confirmed(&finding, "pool-*-thread-1", "leakcase.Deadline$FreshPool.arm", at);
    let by = finding["created_by"][0]["thread"].as_str().expect("the thread that starts them");
    assert!(by.starts_with("JobScheduler_Worker-"), "{by}");
    let job = &finding["schedules"][0];
    assert_eq!(job["what"], "hourly_report", "{finding:#}");
    assert_eq!(job["expression"], EACH_SECOND);
    assert_eq!(job["in_process"], true);
    // By its name it should fire each hour: that it never shuts its pools down is not all.
    assert_eq!(finding["faults"].as_array().map(Vec::len), Some(2), "{finding:#}");
    assert!(
        finding["faults"][1].as_str().is_some_and(|fault| fault.contains("24 threads a day")),
        "{finding:#}"
    );
    let quartz = &finding["libraries"].as_array().expect("libraries")[1];
    assert_eq!(quartz["name"], "quartz 2.3.2", "{finding:#}");
    assert_eq!(quartz["births"], quartz["of"]);
    let owner = finding["created_by"].as_array().into_iter().flatten().find(|by| by["source"] == "owner");
    assert!(owner.is_some_and(|owner| owner["births"].as_u64() >= Some(BIRTHS as u64)), "{finding:#}");
    owners_check(&finding);
}

/// The check that the evidence names is run, and shows what it says.
#[track_caller]
fn owners_check(finding: &Value) {
    let evidence = finding["evidence"].as_array().expect("evidence");
    let pools = evidence
        .iter()
        .find(|item| item["reproduce"].as_str().is_some_and(|command| command.contains("--owners")))
        .unwrap_or_else(|| panic!("no evidence of the pools: {evidence:#?}"));
    let claim = pools["claim"].as_str().expect("a claim");
    assert!(claim.contains("pools of one") && claim.ends_with("none shut down"), "{claim}");
    let printed = shell::text(pools["reproduce"].as_str().expect("a command"));
    assert!(printed.contains("java.util.concurrent.ScheduledThreadPoolExecutor of 1 or more"), "{printed}");
    assert!(printed.contains("none shut down"), "{printed}");
}

#[test]
fn a_ruby_job_is_named_by_its_ruby_method_and_file_jruby() {
    need!("java", "jruby", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::start("run-jruby.sh", &["leak_ruby", EACH_SECOND]);
    let finding = diagnosed(&leaker, "pool-");
    let creator = creator(&finding["created_by"][0]);
    assert!(creator["symbol"].as_str().is_some_and(|name| name.ends_with("guard")), "{finding:#}");
    assert!(creator["file"].as_str().is_some_and(|file| file.ends_with("/jruby/app.rb")), "{creator:#}");
    assert_eq!(creator["line"], line("jruby/app.rb", "# birth: leak_ruby"), "{creator:#}");
    assert_eq!(creator["role"], "application");
    assert_eq!(finding["confidence"], "confirmed");
    assert_eq!(finding["schedules"][0]["what"], "hourly_report");
}

/// Until it is hot there is no Java frame of its own, only the interpreter's; JRuby itself knows where it is.
#[test]
fn an_interpreted_ruby_job_is_named_by_its_method_and_file_jruby() {
    need!("java", "jruby", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::with("run-jruby.sh", &["leak_ruby", EACH_SECOND], |command| {
        command.env("APP", "app_req.rb");
    });
    let finding = diagnosed(&leaker, "pool-");
    let stack = finding["created_by"][0]["frames"].to_string();
    assert!(!stack.contains("RUBY$method$guard"), "it is compiled already: {finding:#}");
    let creator = creator(&finding["created_by"][0]);
    assert!(creator["symbol"].as_str().is_some_and(|name| name.ends_with("guard")), "{finding:#}");
    assert!(creator["file"].as_str().is_some_and(|file| file.ends_with("/jruby/app.rb")), "{creator:#}");
}

/// Modes of leakcase.Threads with the pattern of their threads and the method that starts them.
#[track_caller]
fn a_mode(mode: &str, head: &str, pattern: &str, method: &str) {
    let leaker = Leaker::start("run-java.sh", &[mode, "500"]);
    let finding = diagnosed(&leaker, head);
    let at = line("java/src/leakcase/Threads.java", &format!("// birth: {mode}"));
    is_confirmed(&finding, pattern, &format!("leakcase.Threads.{method}"), at);
}

#[test]
fn java_timers() {
    need!("java", "/usr/share/java/quartz2.jar");
    a_mode("timer", "Timer-", "Timer-*", "timer");
}

#[test]
fn java_threads_without_a_pool() {
    need!("java", "/usr/share/java/quartz2.jar");
    a_mode("new-thread", "Thread-", "Thread-*", "plain");
}

#[test]
fn java_cached_pools_for_each_request() {
    need!("java", "/usr/share/java/quartz2.jar");
    a_mode("cached-pool", "pool-", "pool-*-thread-1", "cachedPool");
}

#[test]
fn java_fork_join_pools() {
    need!("java", "/usr/share/java/quartz2.jar");
    a_mode("forkjoin-pool", "ForkJoinPool", "ForkJoinPool-*-worker-1", "forkJoinPool");
}

#[test]
fn java_threads_of_a_factory_with_names_of_its_own() {
    need!("java", "/usr/share/java/quartz2.jar");
    a_mode("custom-factory", "report-worker", "report-worker-*", "customFactory");
}

#[test]
fn a_java_in_a_container_is_entered_as_its_user() {
    need!("java", "/usr/share/java/quartz2.jar", "unshare", "setpriv");
    let Some(contained) = Contained::start() else { return };
    let (code, said) = Flatfoot::new().json(&["diagnose", &contained.pid, "--access", "agent", "--no-save"]);
    assert_eq!(code, 1, "{said:#}");
    let at = line("java/src/leakcase/Threads.java", "// birth: new-thread");
    is_confirmed(&said["findings"][0], "Thread-*", "leakcase.Threads.plain", at);
    assert_eq!(contained.left(), [""; 0], "nothing is left in its /tmp");
}

#[test]
fn a_case_file_says_what_the_jvm_said() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::start("run-java.sh", &["new-thread", "300"]);
    wait_until("births", 90.0, || leaker.tasks_named("Thread-") >= BIRTHS);
    let flatfoot = Flatfoot::new();
    let (_, live) = flatfoot.json(&["diagnose", &leaker.arg(), "--access", "agent"]);
    drop(leaker);
    let case = live["saved"]["path"].as_str().unwrap_or_else(|| panic!("no case file: {live:#}")).to_owned();
    let (code, stored) = flatfoot.json(&["diagnose", &case]);
    assert_eq!(code, 1);
    assert_eq!(stored["findings"][0]["created_by"], live["findings"][0]["created_by"]);
    let owners = flatfoot.run(&["threads", &case, "--owners"]);
    assert!(owners.stdout.contains("leakcase.Threads$Poller"), "{owners:#?}");
}

/// The pools that nobody shuts down, told from one that the program still has.
#[test]
fn java_pools_that_only_their_own_workers_hold() {
    need!("java", "/usr/share/java/quartz2.jar");
    let flatfoot = Flatfoot::new();
    let walk = ["--access", "agent", "--heap-walk", "--pause-budget", "20s"];
    let leaker = Leaker::start("run-java.sh", &["leak", EACH_SECOND]);
    wait_until("births", 90.0, || leaker.tasks_named("pool-") >= BIRTHS);
    let (_, said) = flatfoot.json(&[&["diagnose", &leaker.arg(), "--no-save"][..], &walk].concat());
    let evidence = said["findings"][0]["evidence"].as_array().cloned().unwrap_or_default();
    let pools =
        evidence.iter().find(|item| item["claim"].to_string().contains("pools of one")).expect("pools");
    let claim = pools["claim"].as_str().expect("a sentence");
    assert!(claim.ends_with("none shut down, held by nothing but their own workers"), "{claim}");
    let check = pools["reproduce"].as_str().expect("a command");
    assert!(check.ends_with("--owners --access agent --heap-walk"), "{check}");
    assert!(said["impact"]["longest_pause_s"].as_f64() > Some(0.0), "{said:#}");
    drop(leaker);
    let healthy = Leaker::start("run-java.sh", &["fixed-pool", "6"]);
    let (_, said) = flatfoot.json(&[&["threads", &healthy.arg(), "--owners"][..], &walk].concat());
    let owners = said["owners"].as_array().cloned().unwrap_or_default();
    let pool = owners.iter().map(|owner| &owner["pool"]).find(|pool| pool["core"] == 6).expect("the pool");
    assert_eq!((&pool["pools"], &pool["shut_down"]), (&Value::from(1), &Value::from(0)), "{pool:#}");
}
