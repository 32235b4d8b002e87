use proptest::prelude::*;

use super::*;

const DUMPS: [(&str, &str); 4] = [
    ("11", include_str!("../fixtures/11.thread_dump.txt")),
    ("17", include_str!("../fixtures/17.thread_dump.txt")),
    ("21", include_str!("../fixtures/21.thread_dump.txt")),
    ("25", include_str!("../fixtures/25.thread_dump.txt")),
];

/// As JDK 8 prints it.
const EIGHT: &str = "2026-11-23 10:29:07
Full thread dump OpenJDK 64-Bit Server VM (25.392-b08 mixed mode):

\"pool-1-thread-1\" #9 prio=5 os_prio=0 tid=0x00007f5994274490 nid=0x3bcb waiting on condition [0x00007f5975cfe000]
   java.lang.Thread.State: TIMED_WAITING (parking)
\tat sun.misc.Unsafe.park(Native Method)
\t- parking to wait for  <0x00000000d67b3a38> (a java.util.concurrent.SynchronousQueue$TransferStack)
\tat a.b.Jobs$$Lambda$1/791452441.run(Unknown Source)
\tat a.b.Jobs.run(Jobs.java:12)

\"GC task thread#0 (ParallelGC)\" os_prio=0 tid=0x00007f5994021000 nid=0x3bb1 runnable 

\"VM Periodic Task Thread\" os_prio=0 tid=0x00007f59940f1000 nid=0x3bb9 waiting on condition 

JNI global references: 310
";

/// The thread that tries hardest to be two.
const LIAR: &str = "a\n\n\"fake\" #99 prio=5 os_prio=0 tid=0x1 nid=0x2 runnable\n   java.lang.Thread.State: \
    RUNNABLE\n\tat A.b(C.java:1)\n";

fn called<'a>(threads: &'a [JavaThread], name: &str) -> &'a JavaThread {
    threads.iter().find(|thread| thread.name.as_str() == name).unwrap_or_else(|| panic!("no {name:?}"))
}

#[test]
fn dumps_of_all_versions() {
    for (version, dump) in DUMPS {
        let threads = parse(dump);
        let java: Vec<_> = threads.iter().filter(|thread| thread.number.is_some()).collect();
        let length = dump.split_once("length=").unwrap().1.split(',').next().unwrap();
        assert_eq!(java.len().to_string(), length, "{version}: as many as the JVM's own list has");
        for name in ["plain", "with \"quotes\" and #7 daemon", "two\nlines", LIAR, "grüße", ""] {
            let thread = called(&threads, name);
            assert!(thread.daemon, "{version}: {name:?}");
            assert_eq!(thread.state.as_str(), "TIMED_WAITING (sleeping)", "{version}: {name:?}");
            let methods: Vec<_> = thread.stack.iter().map(|frame| frame.method.as_str()).collect();
            assert!(
                methods.ends_with(&["sleeps", "run", "run"])
                    || methods.ends_with(&["sleeps", "run", "runWith", "run"]),
                "{version}: {name:?}: {methods:?}"
            );
        }
        assert!(!called(&threads, "not a daemon").daemon);
        assert!(threads.iter().all(|thread| thread.name.as_str() != "fake"), "{version}");
        assert_eq!(called(&threads, "blocked").state.as_str(), "BLOCKED (on object monitor)");
        assert_eq!(called(&threads, "pool-2-thread-1").state.as_str(), "TIMED_WAITING (parking)");
        let vm = called(&threads, "VM Thread");
        assert_eq!((vm.number, vm.state.as_str(), vm.stack.len()), (None, "runnable", 0), "{version}");
        assert!(vm.native_id.is_some() && vm.elapsed_s.is_some(), "{version}");
        let plain = called(&threads, "plain");
        let frame = plain.stack.iter().find(|frame| frame.method.as_str() == "sleeps").unwrap();
        let expected = JavaFrame {
            class: "Inside".into(),
            method: "sleeps".into(),
            file: Some("Inside.java".into()),
            line: Some(27),
            origin: None,
            of_jdk: false,
        };
        assert_eq!(*frame, expected, "{version}");
        let top = plain.stack.first().unwrap();
        assert!(top.of_jdk && top.file.is_none() && top.line.is_none(), "{version}: {top:?}");
        assert!(plain.stack.iter().any(|frame| frame.class.as_str() == "Inside$$Lambda"), "{version}");
    }
}

#[test]
fn ids_and_times() {
    let threads = parse(DUMPS[1].1);
    let main = called(&threads, "main");
    assert_eq!(
        (main.number, main.native_id, main.daemon, main.elapsed_s),
        (Some(1), Some(Pid(0x3bb0)), false, Some(1.5))
    );
    let threads = parse(DUMPS[3].1);
    let main = called(&threads, "main");
    assert_eq!((main.number, main.native_id, main.elapsed_s), (Some(3), Some(Pid(15399)), Some(1.5)));
}

#[test]
fn a_dump_of_jdk_8() {
    let threads = parse(EIGHT);
    let names: Vec<_> = threads.iter().map(|thread| thread.name.as_str()).collect();
    assert_eq!(names, ["pool-1-thread-1", "GC task thread#0 (ParallelGC)", "VM Periodic Task Thread"]);
    let worker = &threads[0];
    assert_eq!((worker.number, worker.native_id, worker.elapsed_s), (Some(9), Some(Pid(0x3bcb)), None));
    let frames: Vec<_> = worker.stack.iter().map(|frame| (frame.class.as_str(), frame.of_jdk)).collect();
    assert_eq!(frames, [("sun.misc.Unsafe", true), ("a.b.Jobs$$Lambda", false), ("a.b.Jobs", false)]);
    assert_eq!(threads[2].state.as_str(), "waiting on condition");
}

#[test]
fn a_real_dump_of_jdk_8() {
    let threads = parse(include_str!("../fixtures/8.thread_dump.txt"));
    for name in
        ["plain", "with \"quotes\" and #7 daemon", "two\nlines", "grüße", "", "main", "pool-3-thread-1"]
    {
        let thread = called(&threads, name);
        assert!(
            thread.number.is_some() && thread.native_id.is_some() && thread.stack.len() > 2,
            "{thread:?}"
        );
    }
    let frame = &called(&threads, "pool-1-thread-1").stack[1];
    assert_eq!((frame.class.as_str(), frame.line), ("java.util.concurrent.locks.LockSupport", Some(215)));
    assert!(frame.of_jdk);
    assert_eq!(called(&threads, "VM Periodic Task Thread").state.as_str(), "waiting on condition");
}

#[test]
fn a_list_that_promises_too_much_hides_nobody() {
    let dump = DUMPS[1].1.replacen("elements={\n", "elements={\n0x0000000000000007, ", 1);
    let expected = parse(DUMPS[1].1).len();
    // What the liar brings is taken for threads then; nothing is lost.
    assert!(parse(&dump).len() >= expected);
}

#[test]
fn a_dump_that_is_cut_off_gives_what_is_there() {
    let dump = DUMPS[1].1;
    let whole = parse(dump);
    let cut = dump.find("\"plain\"").unwrap() + 40;
    let part = parse(&dump[..cut]);
    assert!(!part.is_empty());
    assert_eq!(part[..], whole[..part.len()]);
}

#[test]
fn frames_with_odd_places() {
    let text =
        |frame: &JavaFrame| format!("{}|{}|{:?}|{:?}", frame.class, frame.method, frame.file, frame.line);
    let shown = |line| frame(line).map(|frame| text(&frame));
    assert_eq!(shown("a.B.<init>(B.java:7)").unwrap(), "a.B|<init>|Some(Text(\"B.java\"))|Some(7)");
    assert_eq!(
        shown("app.rb.RUBY$method$x$0(/srv/app.rb:7)").unwrap(),
        "app.rb|RUBY$method$x$0|Some(Text(\"/srv/app.rb\"))|Some(7)"
    );
    assert_eq!(shown("a.B.c(B.java)").unwrap(), "a.B|c|Some(Text(\"B.java\"))|None");
    for wrong in ["", "a", "a()", "a.b", "a.b(", ")"] {
        assert_eq!(frame(wrong), None, "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "(\\PC|\n|\"| #[0-9]{1,3}| tid=0x[0-9a-f]{1,17}| nid=0x3| daemon|at a.b\\(c:1\\)|elements=\\{|\\}){0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn damaged_dumps_never_panic(which in 0_usize..4, from in any::<prop::sample::Index>(), length in 0_usize..300) {
        let dump = DUMPS[which].1;
        let from = from.index(dump.len());
        let damaged: String = dump.char_indices().filter(|(at, _)| !(from..from + length).contains(at)).map(|(_, c)| c).collect();
        let _ = parse(&damaged);
    }

    #[test]
    fn any_name_comes_back(name in "[a\" #\n0-9\\[\\]=x]{0,40}") {
        let dump = format!(
            "Threads class SMR info:\n_java_thread_list=0x1, length=2, elements={{\n0x0000000000000a00, 0x0000000000000b00\n}}\n\n\
            \"{name}\" #7 daemon prio=5 os_prio=0 tid=0x0000000000000a00 nid=0x1 runnable  [0x0]\n   java.lang.Thread.State: RUNNABLE\n\n\
            \"other\" #8 prio=5 os_prio=0 tid=0x0000000000000b00 nid=0x2 runnable  [0x0]\n   java.lang.Thread.State: RUNNABLE\n"
        );
        let threads = parse(&dump);
        let names: Vec<_> = threads.iter().map(|thread| thread.name.as_str()).collect();
        prop_assert_eq!(names, [name.as_str(), "other"]);
    }
}
