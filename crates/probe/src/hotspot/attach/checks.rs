//! What must hold before the first signal: each is a way in which attaching could harm a process.

use model::{AddressSpace, Reading, Status, Text};

use super::{Refusal, TargetView, options};
use crate::hotspot::perfdata::{Counters, maps_library};
use crate::proc::{space, stat};
use crate::sys::dents::Listing;
use crate::sys::file;
use crate::{Absence, ProcRoot, SpaceDepth, budget::Pace};

/// Bit of SIGQUIT in SigCgt and SigBlk.
const QUIT: u64 = 1 << (libc::SIGQUIT - 1);

/// HotSpot, by the library that it maps? Gives its mappings.
pub(super) fn is_hotspot(target: &TargetView) -> Result<AddressSpace, Refusal> {
    let space = match space::read(target.proc_dir(), SpaceDepth::Maps, &[], &Pace::here()) {
        Reading::Value(space) => space,
        Reading::Denied(need) => {
            return Err(Refusal::Denied { what: format!("/proc/{}/maps", target.pid()), need });
        }
        Reading::Malformed(why) => return Err(Refusal::Protocol(why)),
        _ => return Err(Refusal::Gone),
    };
    // OpenJ9 has a libjvm.so, too.
    if maps_library(&space, |file| file.starts_with("libj9vm")) {
        return Err(Refusal::OpenJ9);
    }
    if maps_library(&space, |file| file == "libjvm.so") { Ok(space) } else { Err(Refusal::NotAJvm) }
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

/// Has it started, and does it let anybody attach? By its own counters; without them, by its options.
pub(super) fn is_attach_allowed(target: &TargetView, space: &AddressSpace) -> Result<Vec<Text>, Refusal> {
    const OPTION: &str = "DisableAttachMechanism";
    match Counters::of_mapped(target.proc_dir(), space) {
        Ok(Some(counters)) => {
            let options: Vec<Text> = counters.last().options.as_str().split(' ').map(Text::from).collect();
            match counters.last().can_attach {
                Some(false) => Err(Refusal::AttachDisabled(format!("-XX:+{OPTION}, as its counters say"))),
                _ => Ok(options),
            }
        }
        Err(Absence::Unsupported) => Err(Refusal::StillStarting),
        Err(Absence::Gone) => Err(Refusal::Gone),
        // None there, or none that makes sense: it may be attached to all the same.
        Ok(None) | Err(_) => {
            let options = options::given(target.proc_dir());
            match options::last_switch(&options, OPTION) {
                Some(true) => Err(Refusal::AttachDisabled(format!("-XX:+{OPTION}"))),
                _ => Ok(options),
            }
        }
    }
}

/// Does it take the signal as a request? Each process that doesn't catch it dies of it.
pub(super) fn takes_signal(status: &Status, options: &[Text]) -> Result<(), Refusal> {
    if status.signals_caught & QUIT == 0 {
        let reduced = options.iter().any(|option| option.as_str() == "-Xrs")
            || options::last_switch(options, "ReduceSignalUsage") == Some(true);
        return Err(Refusal::SignalNotCaught { reduced });
    }
    Ok(())
}

/// HotSpot's VM thread alone lets SIGQUIT through; it is one of the first. Of more threads than these nothing is said.
pub(super) fn blocked_by_all(target: &TargetView) -> bool {
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

/// `SigBlk:  0000000000000004`.
fn mask(status: &[u8], name: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(status, name)? + name.len();
    let line = status.get(at..)?.split(|byte| *byte == b'\n').next()?;
    crate::proc::scan::hex(line.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_signals() {
        let status = b"Name:\tx\nSigBlk:\t0000000000000004\nSigIgn:\t0000000000000000\n";
        assert_eq!(mask(status, b"\nSigBlk:"), Some(4));
        assert_eq!(mask(status, b"\nSigIgn:"), Some(0));
        assert_eq!(mask(status, b"\nSigCgt:"), None);
        assert_eq!(mask(b"\nSigBlk:", b"\nSigBlk:"), None);
    }
}
