use std::os::unix::fs::symlink;

use super::*;

const NO_MEMORY: &str = "#\n# There is insufficient memory for the Java Runtime Environment to continue.\n\
                         # Native memory allocation (mmap) failed to map 65536 bytes.\n";
const CRASH: &str = "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n\
                     #  SIGSEGV (0xb) at pc=0x7f2a, pid=9, tid=10\n#\n";

/// `pid/root` with files in it, as /proc has it; `cwd` is a link beside it.
fn process(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    std::fs::create_dir_all(dir.path().join("root/srv/app")).unwrap();
    symlink("root/srv/app", dir.path().join("cwd")).unwrap();
    dir
}

fn texts(args: &[&str]) -> Vec<Text> {
    args.iter().map(|a| Text::from(*a)).collect()
}

fn found(dir: &tempfile::TempDir, cwd: &Path, args: &[&str]) -> Vec<(String, String)> {
    let remains = of_process(&dir.path().join("root"), cwd, &texts(args)).into_value().unwrap();
    assert!(remains.iter().all(|r| r.when.is_some_and(|w| w > 1.6e9)));
    let mut found: Vec<_> =
        remains.iter().map(|r| (r.source.as_str().to_owned(), r.what.as_str().to_owned())).collect();
    found.sort();
    found
}

fn rows(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(s, w)| ((*s).to_owned(), (*w).to_owned())).collect()
}

const DIED: &str = "There is insufficient memory for the Java Runtime Environment to continue. Native memory allocation \
                    (mmap) failed to map 65536 bytes.";

#[test]
fn logs_dumps_and_cores() {
    let dir = process(&[
        ("srv/app/hs_err_pid4711.log", NO_MEMORY),
        ("srv/app/hs_err_pid4711.log.bak", NO_MEMORY),
        ("srv/app/hs_err_pid12.log", "not such a log"),
        ("srv/app/java_pid77.hprof", "JAVA PROFILE 1.0.2"),
        ("srv/app/core.99", "x"),
        ("srv/app/corporate", "x"),
        ("tmp/hs_err_pid9.log", CRASH),
    ]);
    let expected = rows(&[
        ("/srv/app/core.99", "a core file (pid 99), 0.0 MiB"),
        ("/srv/app/hs_err_pid4711.log", &format!("a JVM (pid 4711) died: {DIED}")),
        ("/srv/app/java_pid77.hprof", "a Java heap dump (pid 77), 0.0 MiB"),
        ("/tmp/hs_err_pid9.log", "a JVM (pid 9) died: SIGSEGV (0xb) at pc=0x7f2a"),
    ]);
    // By what the link says, and through the link itself, which says it otherwise here than in /proc.
    assert_eq!(found(&dir, Path::new("/srv/app"), &["/usr/bin/java", "-jar", "x.jar"]), expected);
    let by_link = found(&dir, &dir.path().join("cwd"), &["/usr/bin/java"]);
    assert_eq!(by_link.iter().map(|f| &f.1).collect::<Vec<_>>().len(), expected.len());
    // A place that is looked at twice gives each file once.
    assert_eq!(found(&dir, Path::new("/tmp"), &["java"]).len(), 1);
    // A program that is no JVM leaves nothing in /tmp.
    assert_eq!(found(&dir, Path::new("/srv/app"), &["nginx"]).len(), 3);
}

#[test]
fn where_the_command_line_says() {
    let dir = process(&[
        ("var/log/jvm-31.err", CRASH),
        ("var/log/jvm-x.err", CRASH),
        ("var/log/fixed.err", NO_MEMORY),
        ("srv/app/logs/err7", CRASH),
        ("dumps/java_pid5.hprof.1", "x"),
        ("dumps/other", "x"),
    ]);
    let cwd = Path::new("/srv/app");
    let of = |option: &str| found(&dir, cwd, &["java", option]).into_iter().map(|f| f.0).collect::<Vec<_>>();
    assert_eq!(of("-XX:ErrorFile=/var/log/jvm-%p.err"), ["/var/log/jvm-31.err"]);
    assert_eq!(of("-XX:ErrorFile=/var/log/fixed.err"), ["/var/log/fixed.err"]);
    assert_eq!(of("-XX:ErrorFile=logs/err%p"), ["/srv/app/logs/err7"]);
    assert_eq!(of("-XX:ErrorFile=/none/%p"), [""; 0]);
    assert_eq!(of("-XX:HeapDumpPath=/dumps"), ["/dumps/java_pid5.hprof.1"]);
    assert_eq!(of("-XX:HeapDumpPath=/dumps/java_pid5.hprof.1"), ["/dumps/java_pid5.hprof.1"]);
}

#[test]
fn hostile_files() {
    let dir = process(&[("tmp/real.log", NO_MEMORY)]);
    std::fs::write(dir.path().join("outside"), NO_MEMORY).unwrap();
    let tmp = dir.path().join("root/tmp");
    symlink("real.log", tmp.join("hs_err_pid1.log")).unwrap();
    symlink(dir.path().join("outside"), tmp.join("hs_err_pid2.log")).unwrap();
    std::fs::create_dir(tmp.join("hs_err_pid3.log")).unwrap();
    let pipe = tmp.join("hs_err_pid4.log");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    std::fs::write(tmp.join("hs_err_pid5.log"), vec![b'#'; 1 << 20]).unwrap();
    assert_eq!(found(&dir, Path::new("/srv/app"), &["java", "-XX:ErrorFile=/tmp/hs_err_pid2.log"]), []);
    for i in 0..300 {
        std::fs::write(tmp.join(format!("hs_err_pid{}.log", 1000 + i)), CRASH).unwrap();
    }
    assert_eq!(found(&dir, Path::new("/srv/app"), &["java"]).len(), MOST_MARKS);
}

#[test]
fn absences_are_typed() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(of_process(&dir.path().join("root"), Path::new("/"), &[]), Reading::Gone);
    assert_eq!(absence(Errno::ACCESS), Reading::Denied(Need::PtraceAccess));
    // A working directory that was deleted: /proc says so in its name.
    let dir = process(&[]);
    assert_eq!(found(&dir, Path::new("/srv/app (deleted)"), &["java"]), []);
}

#[test]
fn a_real_process() {
    let own = of_process(Path::new("/proc/self/root"), Path::new("/proc/self/cwd"), &texts(&["java"]));
    assert!(matches!(own, Reading::Value(_)), "{own:?}");
}
