//! `Thread.print` (HotSpot: VM_PrintThreads, JavaThread::print_on). Never asked for with `-l`: that walks the heap.
//!
//! ```text
//! Full thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode):
//!
//! Threads class SMR info:
//! _java_thread_list=0x00007f5954002e80, length=24, elements={
//! 0x00007f5994026c30, 0x00007f5994131480
//! }
//!
//! "pool-1-thread-1" #21 daemon prio=5 os_prio=0 cpu=1.59ms elapsed=1.41s tid=0x00007f5994274490 nid=0x3bcb waiting on condition  [0x00007f5975cfe000]
//!    java.lang.Thread.State: TIMED_WAITING (parking)
//!         at jdk.internal.misc.Unsafe.park(java.base@17.0.9/Native Method)
//!         - parking to wait for  <0x00000000fffe8388> (a java.util.concurrent.locks.…$ConditionObject)
//!         at Inside.main(Inside.java:91)
//!
//! "VM Thread" os_prio=0 cpu=0.85ms elapsed=1.48s tid=0x00007f5994116280 nid=0x3bb6 runnable
//! ```
//!
//! JDK 8 has neither the list, nor cpu and elapsed, nor modules; from JDK 19 on the kernel's id stands in brackets behind
//! the number, and nid is decimal. A name is printed as it is: with quotes and newlines, and with what looks like other
//! threads. The list tells: only what has the address of a thread in it is one, and each once. On JDK 8 nothing
//! tells; there a blank line ends a name.

use std::collections::HashSet;

use model::{JavaFrame, JavaThread, Pid, Text};

use super::plain_class;
use crate::proc::scan;

/// The most frames of one thread; the JVM itself stops at 1,024.
const DEEPEST: usize = 2048;

const JDK_PACKAGES: [&str; 6] = ["java.", "javax.", "jdk.", "sun.", "com.sun.", "oracle.jrockit."];

/// The threads, in the order of the dump; those of the JVM itself (collector, compiler's helpers) have no number.
#[must_use]
pub fn parse(text: &str) -> Vec<JavaThread> {
    let mut parser = Parser { listed: listed(text), threads: Vec::new(), open: false };
    parser.run(text);
    parser.threads
}

/// Addresses of all Java threads; `None` before JDK 10.
fn listed(text: &str) -> Option<HashSet<u64>> {
    // Before the first thread: a name cannot bring a list of its own.
    let head = text.get(..text.find("\n\"").unwrap_or(text.len()))?;
    let (_, list) = head.split_once("elements={")?;
    let (list, _) = list.split_once('}')?;
    Some(list.split(',').filter_map(|one| address(one.trim())).collect())
}

fn address(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x")?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    scan::hex(digits.get(..end)?.as_bytes())
}

struct Parser {
    /// Those that have not come yet.
    listed: Option<HashSet<u64>>,
    threads: Vec<JavaThread>,
    /// Do lines belong to the last thread?
    open: bool,
}

impl Parser {
    fn run(&mut self, text: &str) {
        // Where a name began whose end has not come yet, and the line after it.
        let mut begun: Option<(usize, usize)> = None;
        let mut at = 0;
        let mut after_blank = true;
        loop {
            let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else {
                // A name without an end: the list promised a thread that didn't come. From there on the look of a line counts.
                match begun.take() {
                    Some((start, next)) if self.listed.take().is_some() => {
                        self.header_at(text, start, start);
                        at = next;
                        continue;
                    }
                    _ => return,
                }
            };
            let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let line = rest.get(..length).unwrap_or_default().trim_end_matches(['\n', '\r']);
            let next = at + length;
            // Without a list to check against a name ends, at the latest, where a thread may begin.
            if self.listed.is_none() && after_blank && line.starts_with('"') {
                begun = None;
            }
            after_blank = line.is_empty();
            if let Some((start, _)) = begun {
                if self.header_at(text, start, at) {
                    begun = None;
                }
            } else if line.starts_with('"') {
                self.open = false;
                if !self.header_at(text, at, at) {
                    begun = Some((at, next));
                }
            } else if self.open {
                self.body(line);
            }
            at = next;
        }
    }

    /// Does the line at `at` end the header that began at `start`? Then its thread is added.
    fn header_at(&mut self, text: &str, start: usize, at: usize) -> bool {
        let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let Some(quote) = line.rfind('"').filter(|quote| at + quote > start) else { return false };
        let tail = line.get(quote + 1..).unwrap_or_default();
        let Some(header) = Header::parse(tail) else { return false };
        if let Some(listed) = &mut self.listed {
            let is_known = match header.number {
                Some(_) => listed.remove(&header.address),
                // Those of the JVM itself come last.
                None => listed.is_empty(),
            };
            if !is_known {
                return false;
            }
        }
        let name = text.get(start + 1..at + quote).unwrap_or_default();
        self.threads.push(JavaThread {
            name: name.into(),
            number: header.number,
            native_id: header.native_id.map(Pid),
            daemon: header.daemon,
            state: header.state.into(),
            elapsed_s: header.elapsed_s,
            stack: Vec::new(),
        });
        self.open = true;
        true
    }

    fn body(&mut self, line: &str) {
        let Some(thread) = self.threads.last_mut() else { return };
        let line = line.trim_start();
        if let Some(state) = line.strip_prefix("java.lang.Thread.State: ") {
            thread.state = state.trim_end().into();
        } else if let Some(frame) = line.strip_prefix("at ").and_then(frame)
            && thread.stack.len() < DEEPEST
        {
            thread.stack.push(frame);
        }
    }
}

/// What follows the name.
struct Header<'a> {
    number: Option<u64>,
    native_id: Option<u32>,
    daemon: bool,
    elapsed_s: Option<f64>,
    address: u64,
    state: &'a str,
}

impl<'a> Header<'a> {
    /// ` #21 [15366] daemon prio=5 os_prio=0 cpu=1.59ms elapsed=1.41s tid=0x7f… nid=15366 waiting on condition  [0x7f…]`.
    fn parse(tail: &'a str) -> Option<Self> {
        let mut header =
            Header { number: None, native_id: None, daemon: false, elapsed_s: None, address: 0, state: "" };
        let mut rest = tail.strip_prefix(' ')?;
        let mut has_address = false;
        loop {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            if let Some(number) = word.strip_prefix('#') {
                header.number = Some(number.parse().ok()?);
            } else if let Some(id) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
                header.native_id = Some(id.parse().ok()?);
            } else if word == "daemon" {
                header.daemon = true;
            } else if let Some(elapsed) = word.strip_prefix("elapsed=") {
                header.elapsed_s = elapsed.strip_suffix('s').and_then(|s| s.parse().ok());
            } else if let Some(tid) = word.strip_prefix("tid=") {
                header.address = address(tid)?;
                has_address = true;
            } else if let Some(nid) = word.strip_prefix("nid=") {
                let number = match nid.strip_prefix("0x") {
                    Some(_) => address(nid).and_then(|nid| u32::try_from(nid).ok()),
                    None => nid.parse().ok(),
                };
                header.native_id = header.native_id.or(number);
                // Its last word but for the state, and where the stack is.
                let state = after.rsplit_once('[').map_or(after, |(state, _)| state);
                header.state = state.trim();
                return has_address.then_some(header);
            } else if !word.contains('=') {
                return None;
            }
            if after.is_empty() {
                return None;
            }
            rest = after;
        }
    }
}

/// `java.io.FileInputStream.read(java.base@17.0.9/Unknown Source)`, without `at `.
pub(crate) fn frame(text: &str) -> Option<JavaFrame> {
    let inside = text.trim_end().strip_suffix(')')?;
    let (called, place) = inside.rsplit_once('(')?;
    let (class, method) = called.rsplit_once('.')?;
    let (module, place) = of_module(place);
    let (file, line) = match place {
        "Native Method" | "Unknown Source" | "Redefined" => (None, None),
        _ => match place.rsplit_once(':') {
            Some((file, line)) => (Some(file), line.parse().ok()),
            None => (Some(place), None),
        },
    };
    Some(JavaFrame {
        class: plain_class(class).into(),
        method: method.into(),
        file: file.map(Text::from),
        line,
        origin: None,
        of_jdk: is_of_jdk(class, module),
    })
}

/// Splits `java.base@17.0.9/Thread.java:833`. Some languages give a path as the file, `/srv/app.rb:7`: what stands before
/// its slash is no module.
fn of_module(place: &str) -> (Option<&str>, &str) {
    let Some((module, rest)) = place.split_once('/') else { return (None, place) };
    let is_java = || {
        let file = rest.split(':').next().unwrap_or_default();
        [".java", ".kt", ".scala", ".groovy"].iter().any(|end| file.ends_with(end))
    };
    let is_module = module.contains('@')
        || matches!(rest, "Native Method" | "Unknown Source" | "Redefined")
        || (!module.is_empty() && !rest.contains('/') && is_java());
    if is_module { (Some(module), rest) } else { (None, place) }
}

/// By its module; before JDK 9, and for code without one, by its package.
fn is_of_jdk(class: &str, module: Option<&str>) -> bool {
    if let Some(module) = module {
        return module.starts_with("java.") || module.starts_with("jdk.");
    }
    JDK_PACKAGES.iter().any(|package| class.starts_with(package))
}

#[cfg(test)]
mod tests;
