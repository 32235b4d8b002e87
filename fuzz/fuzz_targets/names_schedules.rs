//! What others named and wrote: thread names folded to patterns, cron lines, OnCalendar words.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let names: Vec<&str> = text.lines().take(200).collect();
    let groups = detect::names::fold(&names);
    let members: usize = groups.iter().map(|group| group.members.len()).sum();
    assert_eq!(members, names.len(), "each name is in one group");
    for calendar in [detect::schedule::parse_cron(text), detect::schedule::parse_calendar(text)].into_iter().flatten() {
        let _ = calendar.firings(19_000).take(100).count();
    }
});
