//! The commands with which a sceptic checks a claim, together with the number each prints.
//!
//! A command is offered only when the number it will print, worked out here from the same readings, is the number
//! claimed; otherwise a coarser one is used. The end-to-end tests run every one of them.

use model::{AddressSpace, Bytes, Perms, Pid, Text, Thread};

/// A command and the number it prints.
pub(super) type Check = (String, u64);

/// Counts threads by name: `ps -L -o comm= -p PID | grep -cE '^pool-[0-9]+-'`.
///
/// `None` when the pattern has no fixed beginning, or when the expression also fits threads of other groups.
#[must_use]
pub(super) fn thread_name_check(pid: Pid, pattern: &Text, members: u64, threads: &[Thread]) -> Option<Check> {
    let pattern = pattern.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ' | ':' | '/' | '#' | '@');
    let (head, starred) = match pattern.split_once('*') {
        Some((head, _)) => (head, true),
        None => (pattern, false),
    };
    if head.is_empty() || head.len() > 15 || !head.chars().all(plain) {
        return None;
    }
    let fits = |name: &str| match name.strip_prefix(head) {
        Some(rest) if starred => rest.starts_with(|c: char| c.is_ascii_digit()),
        Some(rest) => rest.is_empty(),
        None => false,
    };
    let printed = threads.iter().filter(|t| fits(t.name.as_str())).count() as u64;
    let expression = if starred { format!("^{head}[0-9]") } else { format!("^{head}$") };
    (printed == members).then(|| (format!("ps -L -o comm= -p {pid} | grep -c '{expression}'"), printed))
}

/// Counts private writable mappings of one size: `pmap PID | grep -c ' 2024K rw---'`.
#[must_use]
pub(super) fn size_check(pid: Pid, size: Bytes, space: &AddressSpace) -> Check {
    let private_writable = Perms(Perms::READ | Perms::WRITE);
    let printed =
        space.mappings.iter().filter(|m| m.size() == size && m.perms == private_writable).count() as u64;
    (format!("pmap {pid} | grep -c ' {}K rw---'", size.0 / 1024), printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Thread> {
        names.iter().map(|n| Thread { name: Text::from(*n), ..Thread::default() }).collect()
    }

    #[test]
    fn counts_a_pattern_by_its_beginning() {
        let threads = named(&["pool-1-thread-1", "pool-12-thread-", "main"]);
        let (command, printed) = thread_name_check(Pid(7), &"pool-*-thread-1".into(), 2, &threads).unwrap();
        assert_eq!(command, "ps -L -o comm= -p 7 | grep -c '^pool-[0-9]'");
        assert_eq!(printed, 2);
    }

    #[test]
    fn offers_nothing_that_would_print_another_number() {
        let threads = named(&["pool-1-thread-1", "pool-1-thread-2"]);
        assert_eq!(thread_name_check(Pid(7), &"pool-*-thread-1".into(), 1, &threads), None);
        assert_eq!(thread_name_check(Pid(7), &"*-x".into(), 0, &threads), None);
        assert_eq!(thread_name_check(Pid(7), &"a'; rm -rf *".into(), 0, &threads), None);
    }
}
