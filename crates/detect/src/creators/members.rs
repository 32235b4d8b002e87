//! Which Java threads belong to a group of kernel threads. The kernel keeps 15 bytes of a name; the JVM knows all of it.

use std::collections::HashMap;

use model::{JavaBirth, Thread, ThreadGroup};

/// Bytes of a name that the kernel keeps.
const KERNEL_NAME: usize = 15;
/// A thread's birth in the kernel and the moment at which the JVM was asked to start it are that close, in seconds:
/// a clock tick, and what a loaded machine needs to get from one to the other.
const CLOSE_S: f64 = 0.5;

/// The threads of a group, by the names that the kernel has of them, with their births.
pub(super) struct Members<'a> {
    births_by_name: HashMap<&'a str, Vec<f64>>,
    count: usize,
}

impl<'a> Members<'a> {
    pub(super) fn of(group: &ThreadGroup, threads: &'a [Thread]) -> Self {
        let mut by_name: HashMap<&str, Vec<f64>> = HashMap::new();
        for (tid, birth) in group.members.iter().zip(&group.births) {
            if let Ok(at) = threads.binary_search_by_key(tid, |thread| thread.tid) {
                by_name.entry(threads[at].name.as_str()).or_default().push(*birth);
            }
        }
        Self { births_by_name: by_name, count: group.members.len() }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Is a thread that was seen to be started one of them? Its name must be there, and where several have that name, one
    /// of them must have been born then.
    pub(super) fn has_born(&self, birth: &JavaBirth) -> bool {
        let close = |at: &f64| (at - birth.at_boot_s).abs() <= CLOSE_S;
        if self.are_unnamed() {
            return !birth.failed && self.births_by_name.values().flatten().any(close);
        }
        !birth.failed
            && names(birth.name.as_str()).any(|name| {
                self.births_by_name
                    .get(name.as_str())
                    .is_some_and(|births| births.len() == 1 || births.iter().any(close))
            })
    }

    /// Do they all have one name, as with JVMs that tell the kernel none (JDK 8)?
    fn are_unnamed(&self) -> bool {
        self.count > 1 && self.births_by_name.len() == 1
    }

    /// Is there a thread of this name?
    pub(super) fn has_name(&self, name: &str) -> bool {
        names(name).any(|name| self.births_by_name.contains_key(name.as_str()))
    }
}

/// Is this a name of the pattern (`pool-*-thread-1`, a star for digits)? Also when the pattern was made of names that the
/// kernel had cut.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    matches(pattern.as_bytes(), name.as_bytes())
        || names(name).any(|cut| matches(pattern.as_bytes(), cut.as_bytes()))
}

/// The same for a name as the kernel tells it: whole, cut at its end, or (JDK 23 and later) in its middle.
#[must_use]
pub fn fits_cut(pattern: &str, name: &str) -> bool {
    let ends = name.split_once("..").filter(|(head, tail)| head.len() == 7 && tail.len() == 6);
    let in_middle = |(head, tail): (&str, &str)| {
        let backwards = |text: &str| text.bytes().rev().collect::<Vec<u8>>();
        begins(pattern.as_bytes(), head.as_bytes()) && begins(&backwards(pattern), &backwards(tail))
    };
    matches(pattern.as_bytes(), name.as_bytes())
        || (name.len() == KERNEL_NAME
            && (begins(pattern.as_bytes(), name.as_bytes()) || ends.is_some_and(in_middle)))
}

/// Does a name of the pattern begin so?
fn begins(pattern: &[u8], head: &[u8]) -> bool {
    match (pattern.split_first(), head.split_first()) {
        (_, None) => true,
        (Some((b'*', rest)), Some((first, others))) if first.is_ascii_hexdigit() => {
            let digits = others.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            (0..=digits).any(|at| begins(rest, &others[at..]))
        }
        (Some((wanted, rest)), Some((first, others))) => wanted == first && begins(rest, others),
        _ => false,
    }
}

/// Stars stand for one digit (or hexadecimal digit) or more.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), Some((first, others))) if first.is_ascii_hexdigit() => {
            let digits = others.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            (0..=digits).any(|at| matches(rest, &others[at..]))
        }
        (Some((wanted, rest)), Some((first, others))) => wanted == first && matches(rest, others),
        _ => false,
    }
}

/// What the kernel may have of a thread's name: its beginning, or, from JDK 23 on, both of its ends.
fn names(whole: &str) -> impl Iterator<Item = String> {
    let cut = |limit: usize| {
        let mut at = limit.min(whole.len());
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        whole[..at].to_owned()
    };
    let ends = (whole.len() > KERNEL_NAME && whole.is_ascii())
        .then(|| format!("{}..{}", &whole[..7], &whole[whole.len() - 6..]));
    std::iter::once(cut(KERNEL_NAME)).chain(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Pid;

    #[test]
    fn cut_names_are_found_again() {
        let thread = |tid, name: &str| Thread { tid: Pid(tid), name: name.into(), ..Thread::default() };
        let threads =
            [thread(4, "main"), thread(7, "pool-1350-threa"), thread(9, "same"), thread(10, "same")];
        let group = ThreadGroup {
            members: vec![Pid(7), Pid(9), Pid(10)],
            births: vec![60.0, 120.0, 180.0],
            ..ThreadGroup::default()
        };
        let members = Members::of(&group, &threads);
        let birth =
            |name: &str, at_boot_s| JavaBirth { name: name.into(), at_boot_s, ..JavaBirth::default() };
        assert!(members.has_born(&birth("pool-1350-thread-1", 60.0)));
        assert!(!members.has_born(&birth("pool-1351-thread-1", 60.0)));
        assert!(members.has_born(&birth("same", 120.1)));
        assert!(!members.has_born(&birth("same", 150.0)));
        assert!(!members.has_born(&birth("main", 60.0)));
        assert!(members.has_name("pool-1350-thread-1") && !members.has_name("main"));
        assert_eq!(members.count(), 3);
    }

    #[test]
    fn names_that_the_kernel_cut_fit_their_pattern() {
        let fits = |name: &str| fits_cut("pool-*-thread-1", name);
        for name in
            ["pool-1-thread-1", "pool-1350-threa", "pool-13-thread-", "pool-123456789-", "pool-13..read-1"]
        {
            assert!(fits(name), "{name}");
        }
        for name in [
            "pool-1-thread-2",
            "pool-1350-thre",
            "pool-x-thread-1",
            "pool",
            "http-13..read-1",
            "pool-13..read-2",
        ] {
            assert!(!fits(name), "{name}");
        }
    }

    #[test]
    fn without_names_the_time_tells() {
        let threads: Vec<Thread> =
            (1..=3).map(|n| Thread { tid: Pid(n), name: "java".into(), ..Thread::default() }).collect();
        let group = ThreadGroup {
            members: vec![Pid(1), Pid(2), Pid(3)],
            births: vec![60.0, 120.0, 180.0],
            ..ThreadGroup::default()
        };
        let members = Members::of(&group, &threads);
        let birth =
            |at_boot_s| JavaBirth { name: "pool-9-thread-1".into(), at_boot_s, ..JavaBirth::default() };
        assert!(members.has_born(&birth(119.9)) && !members.has_born(&birth(150.0)));
    }

    #[test]
    fn patterns_are_recognised() {
        assert!(fits("pool-*-thread-1", "pool-1350-thread-1"));
        assert!(fits("pool-*-thread-*", "pool-1350-thread-12"));
        assert!(!fits("pool-*-thread-1", "pool-1350-thread-2"));
        assert!(!fits("pool-*-thread-1", "pool--thread-1"));
        assert!(fits("scheduler-*-thr", "scheduler-1-thread-9"));
        assert!(fits("main", "main") && !fits("main", "main2"));
    }

    #[test]
    fn a_name_is_never_cut_within_a_character() {
        assert_eq!(names("ääääääääää").collect::<Vec<_>>(), ["äääääää"]);
        assert_eq!(names("pool-1350-thread-1").collect::<Vec<_>>(), ["pool-1350-threa", "pool-13..read-1"]);
    }
}
