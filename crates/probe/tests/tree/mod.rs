//! A small /proc and cgroup tree, written to a temporary directory: one process (4711) of two threads, its child
//! (4720), a thread of the kernel (2), and the files of the host.

use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

/// Fields 4 to 52 of a stat file. Births: 88411 ticks and later; 2 threads; 100 pages resident.
fn stat_tail(parent: u32, start: u64, flags: u64) -> String {
    format!(
        "{parent} 4711 4711 0 -1 {flags} 21 0 3 0 143 31 0 0 20 0 2 0 {start} 409600 100 \
         18446744073709551615 1 2 3 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 4 5 6 7 8 9 10 0\n"
    )
}

/// A record of /proc/PID/stat.
pub(crate) fn stat(pid: u32, name: &str, state: char, parent: u32, start: u64, flags: u64) -> String {
    format!("{pid} ({name}) {state} {}", stat_tail(parent, start, flags))
}

/// A /proc/PID/status.
pub(crate) const STATUS: &str = "Name:\tjava\nTracerPid:\t0\nUid:\t1000\t1001\t1001\t1001\nGid:\t100\t101\t101\t101\n\
    NSpid:\t4711\t1\nVmPeak:\t     400 kB\nVmHWM:\t     300 kB\nRssAnon:\t     100 kB\nThreads:\t2\n\
    SigCgt:\t0000000000000004\nCapEff:\t0000000000000000\n";

/// The files that are read whole or not at all, below the tree's root; cut short, none of them may give a number.
pub(crate) const STRICT: [&str; 12] = [
    "proc/4711/stat",
    "proc/4711/statm",
    "proc/4711/status",
    "proc/4711/limits",
    "proc/4711/task/4712/stat",
    "proc/meminfo",
    "proc/loadavg",
    "proc/sys/kernel/threads-max",
    "proc/sys/vm/overcommit_memory",
    "proc/pressure/memory",
    "sys/fs/cgroup/app.slice/web.service/pids.max",
    "sys/fs/cgroup/app.slice/memory.max",
];

/// Files that may be shorter without being wrong (a line less is a mount or a counter less).
pub(crate) const LISTS: [&str; 4] =
    ["proc/4711/cgroup", "proc/self/mountinfo", "proc/vmstat", "sys/fs/cgroup/app.slice/memory.events"];

/// Writes the tree.
pub(crate) fn build() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, content: &str| put(dir.path(), path, content);
    write("proc/4711/stat", &stat(4711, "a) R 1\n", 'S', 1, 88_411, 0));
    write("proc/4711/statm", "100 50 30 5 0 60 0\n");
    write("proc/4711/status", STATUS);
    write("proc/4711/cmdline", "java\0-jar\0app.jar\0");
    write("proc/4711/cgroup", "7:pids:/old\n0::/app.slice/web.service\n");
    write(
        "proc/4711/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n\
         Max stack size            8388608              unlimited            bytes     \n\
         Max processes             4000                 4000                 processes \n\
         Max open files            1024                 4096                 files     \n\
         Max address space         unlimited            unlimited            bytes     \n",
    );
    write("proc/4711/task/4711/stat", &stat(4711, "java", 'S', 1, 88_411, 0));
    // One of them has got another parent since.
    write("proc/4711/task/4711/children", "2 4720 ");
    write("proc/4711/task/4711/syscall", "202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd00001000 0x7f00\n");
    write("proc/4711/task/4712/stat", &stat(4712, "pool-1-thread-1", 'R', 1, 88_500, 0));
    write("proc/4711/task/4712/children", "");
    write("proc/4711/task/4712/syscall", "running\n");
    for (number, target) in [("0", "/dev/null"), ("3", "socket:[7]"), ("4", "socket:[8]"), ("5", "/srv")] {
        link(dir.path(), &format!("proc/4711/fd/{number}"), target);
        let flags = if number == "5" { "0200000" } else { "02" };
        write(&format!("proc/4711/fdinfo/{number}"), &format!("pos:\t0\nflags:\t{flags}\nmnt_id:\t1\n"));
    }
    link(dir.path(), "proc/4711/exe", "/usr/bin/java");
    link(dir.path(), "proc/4711/cwd", "/srv");
    write("proc/4720/stat", &stat(4720, "helper", 'Z', 4711, 90_000, 0));
    write("proc/4720/status", STATUS);
    write("proc/2/stat", &stat(2, "kthreadd", 'S', 0, 1, 0x0020_0000));

    write(
        "proc/self/mountinfo",
        "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
         31 23 0:27 / /sys/fs/v1/pids rw - cgroup cgroup rw,pids\n",
    );
    for (name, content) in [
        ("app.slice/web.service/pids.max", "4915\n"),
        ("app.slice/web.service/pids.current", "17\n"),
        ("app.slice/web.service/memory.max", "max\n"),
        ("app.slice/memory.max", "1073741824\n"),
        ("app.slice/memory.high", "805306368\n"),
        ("app.slice/memory.current", "4096\n"),
        ("app.slice/memory.events", "low 0\nhigh 7\nmax 3\noom 2\noom_kill 1\n"),
    ] {
        write(&format!("sys/fs/cgroup/{name}"), content);
    }
    write("sys/fs/v1/pids/old/pids.max", "max\n");
    write("sys/fs/v1/pids/old/pids.current", "18\n");

    write(
        "proc/meminfo",
        "MemTotal:  12 kB\nMemFree:  1 kB\nMemAvailable:  2 kB\nSwapTotal:  6 kB\nSwapFree:  7 kB\nAnonPages:  8 kB\n\
         Shmem:  9 kB\nSlab:  10 kB\nKernelStack:  11 kB\nPageTables:  13 kB\nCommitLimit:  14 kB\nCommitted_AS:  15 kB\n",
    );
    write("proc/vmstat", "pswpin 2\npswpout 3\npgmajfault 4\noom_kill 5\n");
    write("proc/loadavg", "0.00 0.01 0.05 1/213 25034\n");
    for name in ["cpu", "io", "memory"] {
        let line = "avg10=0.00 avg60=1.50 avg300=0.00 total=1";
        write(&format!("proc/pressure/{name}"), &format!("some {line}\nfull {line}\n"));
    }
    write("proc/sys/kernel/threads-max", "192730\n");
    write("proc/sys/kernel/pid_max", "4194304\n");
    write("proc/sys/kernel/hostname", "stage-1\n");
    write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
    write("proc/sys/kernel/random/boot_id", "0b5d3c1e-8d2f-4c57-9a43-7e1f0c2b6d98\n");
    write("proc/sys/vm/overcommit_memory", "2\n");
    write("proc/sys/vm/max_map_count", "65530\n");
    write("sys/devices/system/cpu/online", "0-3\n");
    dir
}

/// Writes a file with its directories.
pub(crate) fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn link(root: &Path, path: &str, target: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}
