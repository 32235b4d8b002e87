//! What died before: marks that an earlier instance left.

use crate::support::{Flatfoot, Leaker, need};

const LOG: &str = "\
#
# There is insufficient memory for the Java Runtime Environment to continue.
# Native memory allocation (mmap) failed to map 67108864 bytes. Error detail: committing reserved memory.
# Possible reasons:
#   The system is out of physical RAM or swap space
#
";

#[test]
fn a_crash_log_in_the_jvms_folder_is_reported() {
    need!("java");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("hs_err_pid4711.log"), LOG).expect("a crash log");
    std::fs::write(folder.path().join("hs_err_pid1.log"), "no crash log at all\n").expect("another file");
    let program = Leaker::with("run-java.sh", &["fixed-pool", "2"], |command| {
        command.current_dir(folder.path());
    });
    let flatfoot = Flatfoot::new();
    let (code, diagnosis) = flatfoot.diagnose(&program.arg());
    assert_eq!(code, 0, "what died is no finding about what lives: {diagnosis:#}");
    let died = diagnosis["died_before"].as_array().expect("what died");
    let logs: Vec<_> = died.iter().filter(|d| d["source"].to_string().contains("hs_err_pid")).collect();
    assert_eq!(logs.len(), 1, "{died:#?}");
    assert!(logs[0]["source"].to_string().contains("hs_err_pid4711.log"));
    assert!(logs[0]["what"].to_string().contains("insufficient memory"), "{logs:#?}");
    assert!(logs[0]["when"].is_string(), "the file's time: {logs:#?}");
    let text = flatfoot.run(&["diagnose", &program.arg()]).stdout;
    assert!(text.contains("DIED BEFORE") && text.contains("hs_err_pid4711.log"), "{text}");
}
