//! A report of a live JVM: who starts its threads is in it when that was asked for, and how to ask when it was not.

use crate::source::line;
use crate::support::{Flatfoot, Leaker, need, wait_until};

/// Enough births for a finding.
const BIRTHS: usize = 12;

#[test]
fn a_report_of_a_java_has_the_stacks_that_start_its_threads() {
    need!("java", "/usr/share/java/quartz2.jar");
    let leaker = Leaker::start("run-java.sh", &["new-thread", "300"]);
    wait_until("births", 90.0, || leaker.tasks_named("Thread-") >= BIRTHS);
    let maps = || std::fs::read_to_string(format!("/proc/{}/maps", leaker.pid())).expect("its maps");
    let flatfoot = Flatfoot::new();

    // By default it is read, and nothing else; the report says what would tell more.
    let run = flatfoot.run(&["report", &leaker.arg(), "--html"]);
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(!run.stdout.contains("Stacks at the births"), "nobody was asked");
    assert!(
        run.stdout.contains(&format!("flatfoot report {} --access agent", leaker.pid())),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("nothing was loaded, signalled or stopped"), "{}", run.stdout);
    assert!(!maps().contains("flatfoot") && !leaker.has_thread("Attach Listener"), "it was left alone");

    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("case.html");
    let args = ["report", &leaker.arg(), "--access", "agent", "-o", &page.display().to_string()];
    let run = flatfoot.run(&args);
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{run:#?}");
    assert!(run.stderr.contains("Will load"), "it says before what it does: {run:#?}");
    let document = std::fs::read_to_string(&page).expect("a report");
    let at = line("java/src/leakcase/Threads.java", "// birth: new-thread");
    let creator = format!("leakcase.Threads.plain:{at}");
    let icicle = document.split("<figcaption>Stacks at the births</figcaption>").nth(1).expect("an icicle");
    let icicle = icicle.split("</svg>").next().expect("a chart");
    assert!(icicle.contains(&format!("<title>{creator}, leakcase 1.4.0: ")), "{icicle}");
    assert!(document.contains(&format!("java[{}] leakcase.Main", leaker.pid())), "it has its name");
    assert!(document.contains("hook removed"), "what was done is said");
    assert!(!document.contains("--access agent -o"), "what was asked is not asked for");
    assert!(!maps().contains("/ring"), "the hook is gone");

    // The same in words.
    let run = flatfoot.run(&["report", &leaker.arg(), "--access", "agent", "--md"]);
    let stack = run.stdout.split("```").nth(1).unwrap_or_else(|| panic!("a stack: {run:#?}"));
    assert!(stack.lines().any(|l| l.contains(&creator) && l.contains("leakcase 1.4.0")), "{stack}");
    assert!(run.stdout.contains("hook removed"), "{run:#?}");
}
