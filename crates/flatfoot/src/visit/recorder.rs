//! Java's flight recorder: births with their stacks, where the JVM takes no agent.

use probe::Clock;
use probe::hotspot::attach::{Attachment, Refusal};
use probe::hotspot::jfr::Recording;

use super::{Plan, Told, patience};
use crate::interrupt;
use crate::present::progress::Countdown;

/// A dump costs the target some milliseconds, so it is not asked for all the time.
const BETWEEN_DUMPS_S: f64 = 3.0;

/// Waits for births, and reads them from a recording, one that ran already or one of our own.
pub(super) fn ask(plan: &Plan<'_>, attachment: &mut Attachment, told: &mut Told) -> Result<(), Refusal> {
    let from = Clock::boot();
    let began = Clock::monotonic();
    let mut recording = Recording::start(plan.root, attachment, &patience())?;
    let mut longest = Clock::monotonic() - began;
    told.impact.done.push(if recording.was_running() {
        "a flight recording that ran already was read".to_owned()
    } else {
        "a flight recording was started and stopped (four threads of it and some 33 MB stay until a restart)"
            .to_owned()
    });
    let at_most = plan.waits.iter().map(|wait| wait.at_most_s).fold(0.0, f64::max);
    let progress =
        Countdown::start_with(at_most, "waiting for a birth  {bar:30}  {pos} of {len} s, Ctrl-C ends it");
    let began = Clock::monotonic();
    let mut next = plan.waits.iter().filter_map(|wait| wait.expected_s).fold(at_most, f64::min) + 1.0;
    loop {
        let elapsed = Clock::monotonic() - began;
        progress.at(elapsed);
        let ended = elapsed >= at_most || !interrupt::sleep(0.1_f64.min(at_most - elapsed));
        if ended || elapsed >= next {
            next = elapsed + BETWEEN_DUMPS_S;
            let asked = Clock::monotonic();
            told.inside.spawns = recording.spawns()?;
            longest = longest.max(Clock::monotonic() - asked);
            if ended || plan.waits.iter().all(|wait| wait.is_over(&told.inside.spawns)) {
                break;
            }
        }
    }
    told.inside.watched = Some((from, Clock::boot()));
    // What a command took is no pause, but none was longer.
    told.impact.longest_pause_s = told.impact.longest_pause_s.max(longest);
    recording.stop()
}
