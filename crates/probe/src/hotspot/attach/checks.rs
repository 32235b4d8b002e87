//! What must hold before the first signal: each is a way in which attaching could harm a process.

use model::{AddressSpace, Status, Text};

use super::{Refusal, TargetView};
use crate::proc::{cmdline, space, stat};
use crate::sys::dents::Listing;
use crate::sys::file;
use crate::{ProcRoot, SpaceDepth, budget::Pace};

/// Bit of SIGQUIT in SigCgt and SigBlk.
const QUIT: u64 = 1 << (libc::SIGQUIT - 1);

/// HotSpot, by the library that it maps? Says how many mappings there are.
pub(super) fn is_hotspot(target: &TargetView) -> Result<u64, Refusal> {
    let reading = space::read(target.proc_dir(), SpaceDepth::Maps, &[], &Pace::here());
    let space: AddressSpace = match reading {
        model::Reading::Value(space) => space,
        model::Reading::Denied(need) => {
            return Err(Refusal::Denied { what: format!("/proc/{}/maps", target.pid()), need });
        }
        model::Reading::Malformed(why) => return Err(Refusal::Protocol(why)),
        _ => return Err(Refusal::Gone),
    };
    let file_is = |name: &Text, wanted: fn(&str) -> bool| {
        let path = name.as_str();
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        path.rsplit_once('/').is_some_and(|(_, file)| wanted(file))
    };
    // OpenJ9 has a libjvm.so, too.
    if space.names.iter().any(|name| file_is(name, |file| file.starts_with("libj9vm"))) {
        return Err(Refusal::OpenJ9);
    }
    if !space.names.iter().any(|name| file_is(name, |file| file == "libjvm.so")) {
        return Err(Refusal::NotAJvm);
    }
    Ok(space.mappings.len() as u64)
}

/// Is it going on at all? A stopped one would find the signal when it goes on, with no trigger beside it.
pub(super) fn is_running(root: &ProcRoot, target: &TargetView) -> Result<(), Refusal> {
    let mut space = [0_u8; stat::RECORD];
    let record = file::read_record(target.proc_dir(), c"stat", &mut space).ok().flatten();
    let (state, _) = record.and_then(|record| stat::parse_start(record).ok()).ok_or(Refusal::Gone)?;
    match state {
        'T' => Err(Refusal::Stopped("by a signal (SIGSTOP, Ctrl-Z)".to_owned())),
        't' => Err(Refusal::Stopped("by a debugger".to_owned())),
        _ => match super::frozen::by(root, target) {
            Some(group) => Err(Refusal::Stopped(format!("its cgroup {group} is frozen"))),
            None => Ok(()),
        },
    }
}

/// Was it told not to let anybody attach? The option given last counts.
pub(super) fn is_attach_allowed(options: &[Text]) -> Result<(), Refusal> {
    match last_switch(options, "DisableAttachMechanism") {
        Some(true) => Err(Refusal::AttachDisabled("-XX:+DisableAttachMechanism".to_owned())),
        _ => Ok(()),
    }
}

/// Does it take the signal as a request? Each process that doesn't catch it dies of it.
pub(super) fn takes_signal(target: &TargetView, status: &Status, options: &[Text]) -> Result<(), Refusal> {
    if status.signals_caught & QUIT == 0 {
        let reduced = options.iter().any(|option| option.as_str() == "-Xrs")
            || last_switch(options, "ReduceSignalUsage") == Some(true);
        return Err(Refusal::SignalNotCaught { reduced });
    }
    if blocked_by_all(target) { Err(Refusal::SignalBlocked) } else { Ok(()) }
}

/// HotSpot's VM thread alone lets SIGQUIT through; it is one of the first. Of more threads than these nothing is said.
fn blocked_by_all(target: &TargetView) -> bool {
    const FEW: usize = 256;
    let dir = target.proc_dir();
    let (mut numbers, mut buffer) = (Vec::new(), Vec::new());
    let listed =
        dir.open_dir(c"task").is_ok_and(|tasks| Listing::default().numbers(tasks, &mut numbers).is_ok());
    if !listed || numbers.len() > FEW {
        return false;
    }
    numbers.iter().all(|tid| {
        let thread = dir.thread(model::Pid(*tid));
        let read = thread.is_ok_and(|thread| thread.read(c"status", &mut buffer, 1 << 20).is_ok());
        read && mask(&buffer, b"\nSigBlk:").is_some_and(|blocked| blocked & QUIT != 0)
    })
}

/// `SigBlk:	0000000000000004`.
fn mask(status: &[u8], name: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(status, name)? + name.len();
    let line = status.get(at..)?.split(|byte| *byte == b'\n').next()?;
    crate::proc::scan::hex(line.trim_ascii())
}

/// The command line, for what it says of options.
pub(super) fn command_line(target: &TargetView) -> Vec<Text> {
    let mut buffer = Vec::new();
    let mut words = cmdline::read(target.proc_dir(), &mut buffer).into_value().unwrap_or_default();
    // What follows the main class is the program's own.
    words.truncate(4096);
    words
}

/// `-XX:+NAME` or `-XX:-NAME`, the last one.
fn last_switch(options: &[Text], name: &str) -> Option<bool> {
    options.iter().rev().find_map(|option| {
        let switch = option.as_str().strip_prefix("-XX:")?;
        if switch.strip_prefix('+') == Some(name) {
            return Some(true);
        }
        (switch.strip_prefix('-') == Some(name)).then_some(false)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_option_counts() {
        let options = |words: &[&str]| words.iter().map(|word| Text::from(*word)).collect::<Vec<_>>();
        let (on, off) = ("-XX:+DisableAttachMechanism", "-XX:-DisableAttachMechanism");
        assert!(is_attach_allowed(&options(&["java", "-jar", "x"])).is_ok());
        assert!(is_attach_allowed(&options(&["java", on, off])).is_ok());
        assert!(is_attach_allowed(&options(&["java", off, on])).is_err());
        assert!(is_attach_allowed(&options(&["java", "-XX:+DisableAttachMechanismX"])).is_ok());
    }

    #[test]
    fn masks_of_signals() {
        let status = b"Name:\tx\nSigBlk:\t0000000000000004\nSigIgn:\t0000000000000000\n";
        assert_eq!(mask(status, b"\nSigBlk:"), Some(4));
        assert_eq!(mask(status, b"\nSigIgn:"), Some(0));
        assert_eq!(mask(status, b"\nSigCgt:"), None);
        assert_eq!(mask(b"\nSigBlk:", b"\nSigBlk:"), None);
    }
}
