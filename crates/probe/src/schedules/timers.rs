//! systemd's timer units (systemd.timer(5)): which are there, which are enabled, when they fire.

use std::collections::{BTreeMap, BTreeSet};

use model::{ScheduleEntry, ScheduleWhen, Text};
use rustix::io::Errno;

use super::rooted::{Links, Rooted};
use super::{Found, MOST_BYTES, MOST_FILES};

/// Where units lie, the one that wins first. /lib is /usr/lib on most; a name counts once.
const DIRS: [&str; 8] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/transient",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// Adds the enabled timers. Enabled is what timers.target (or another target) wants, and what has no
/// `[Install]` section, as then another unit starts it.
pub(super) fn read(root: &Rooted, found: &mut Found) {
    let mut units: BTreeMap<String, &str> = BTreeMap::new();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for dir in DIRS {
        for name in found.listed(dir, root.list(dir.as_bytes(), MOST_FILES)) {
            if has_suffix(&name, ".timer") {
                units.entry(name).or_insert(dir);
            } else if name.ends_with(".target.wants") || name.ends_with(".target.requires") {
                let wants = format!("{dir}/{name}");
                let names = found.listed(&wants, root.list(wants.as_bytes(), MOST_FILES));
                wanted.extend(names.into_iter().filter(|n| has_suffix(n, ".timer")));
            }
        }
    }
    let instances: Vec<String> = wanted.iter().filter(|n| !units.contains_key(*n)).cloned().collect();
    for instance in instances {
        let template = instance.find('@').map(|at| format!("{}@.timer", &instance[..at]));
        if let Some(dir) = template.and_then(|t| units.get(&t).copied()) {
            units.insert(instance, dir);
        }
    }
    for (name, dir) in &units {
        // A template is no timer by itself.
        if !name.contains("@.") {
            timer(root, name, dir, &units, wanted.contains(name), found);
        }
        if found.is_full() {
            return;
        }
    }
}

fn timer(
    root: &Rooted,
    name: &str,
    dir: &str,
    units: &BTreeMap<String, &str>,
    is_wanted: bool,
    found: &mut Found,
) {
    let template = name.find('@').map(|at| format!("{}@.timer", &name[..at]));
    let own = root.stat(format!("{dir}/{name}").as_bytes(), Links::Within).is_ok();
    let file = match &template {
        Some(template) if !own && units.contains_key(template) => template.as_str(),
        _ => name,
    };
    let path = format!("{dir}/{file}");
    let mut unit = Unit::default();
    match root.read(path.as_bytes(), Links::Within, MOST_BYTES) {
        // Masked: an empty file, or a link to /dev/null, which is none to read or not even there.
        Ok(bytes) if bytes.is_empty() => return,
        Err(Errno::INVAL | Errno::NOENT) => return,
        Ok(bytes) => unit.read(&bytes),
        Err(error) => return found.failed(&path, error),
    }
    for (_, path) in drop_ins(root, name, found) {
        match root.read(path.as_bytes(), Links::Within, MOST_BYTES) {
            Ok(bytes) => unit.read(&bytes),
            Err(error) => found.failed(&path, error),
        }
    }
    if !is_wanted && unit.has_install {
        return;
    }
    let starts = if unit.starts.is_empty() { name.replace(".timer", ".service") } else { unit.starts };
    for when in unit.when {
        found.add(ScheduleEntry { source: name.into(), when, what: starts.as_str().into() });
    }
}

/// `apt-daily.timer.d/*.conf` by file name; of two with one name that of the directory that wins.
fn drop_ins(root: &Rooted, name: &str, found: &mut Found) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for dir in DIRS {
        let dir = format!("{dir}/{name}.d");
        for file in found.listed(&dir, root.list(dir.as_bytes(), MOST_FILES)) {
            if has_suffix(&file, ".conf") {
                let path = format!("{dir}/{file}");
                all.entry(file).or_insert(path);
            }
        }
    }
    all
}

/// Names of units are case-sensitive, unlike what is usual for the endings of files' names.
fn has_suffix(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some()
}

/// What matters of a timer unit.
///
/// ```text
/// [Timer]
/// OnCalendar=*-*-* 6,18:00
/// OnUnitActiveSec=1h 30min
/// Unit=report.service
/// [Install]
/// WantedBy=timers.target
/// ```
#[derive(Debug, Default)]
struct Unit {
    when: Vec<ScheduleWhen>,
    starts: String,
    has_install: bool,
}

impl Unit {
    /// Adds a file's settings to those already read. OnBootSec, OnStartupSec and OnActiveSec fire once: they
    /// are no rhythm and make no entry.
    fn read(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).replace("\\\n", " ");
        let mut section = "";
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = name;
                self.has_install |= name == "Install";
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            if section == "Timer" {
                self.set(key.trim(), value.trim());
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            "OnCalendar" | "OnUnitActiveSec" | "OnUnitInactiveSec" | "OnBootSec" | "OnStartupSec"
            | "OnActiveSec"
                if value.is_empty() =>
            {
                // An empty setting takes back all of them.
                self.when.clear();
            }
            "OnCalendar" => {
                let value: String = value.chars().take(super::crontab::MOST_TEXT).collect();
                self.when.push(ScheduleWhen::Calendar(Text::from(value)));
            }
            "OnUnitActiveSec" | "OnUnitInactiveSec" => {
                self.when.extend(seconds(value).map(ScheduleWhen::EverySeconds));
            }
            "Unit" => value.clone_into(&mut self.starts),
            _ => {}
        }
    }
}

/// `1h 30min`, `90`, `2.5d` in seconds (systemd.time(7)); `None` for less than half a second and for
/// nonsense.
fn seconds(span: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut rest = span.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "us" | "usec" | "µs" | "μs" => 1e-6,
            "ms" | "msec" => 1e-3,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => 604_800.0,
            "M" | "month" | "months" => 2_629_800.0,
            "y" | "year" | "years" => 31_557_600.0,
            _ => return None,
        };
        total += number * unit;
        rest = rest[letters..].trim_start();
    }
    let whole = total.round();
    (1.0..=1e12).contains(&whole).then_some(whole as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans() {
        for (span, expected) in [
            ("1d", Some(86_400)),
            ("1h 30min", Some(5400)),
            ("1h30min", Some(5400)),
            ("90", Some(90)),
            ("2.5m", Some(150)),
            ("1M", Some(2_629_800)),
            ("1w 2d", Some(777_600)),
            ("500ms", Some(1)),
            ("100ms", None),
            ("", None),
            ("soon", None),
            ("1 fortnight", None),
            ("infinity", None),
            ("99999999999999999999y", None),
        ] {
            assert_eq!(seconds(span), expected, "{span}");
        }
    }

    #[test]
    fn settings_accumulate_and_are_taken_back() {
        let mut unit = Unit::default();
        unit.read(b"[Unit]\nOnCalendar=never\n[Timer]\n# OnCalendar=no\nOnBootSec=15min\nOnCalendar=daily\nOnCalendar = *:0/5\n");
        assert_eq!(
            unit.when,
            [ScheduleWhen::Calendar("daily".into()), ScheduleWhen::Calendar("*:0/5".into())]
        );
        assert!(!unit.has_install);
        unit.read(b"[Timer]\nOnCalendar=\nOnUnitActiveSec=\\\n 1h\nUnit=x.service\n[Install]\n");
        assert_eq!(unit.when, [ScheduleWhen::EverySeconds(3600)]);
        assert_eq!((unit.starts.as_str(), unit.has_install), ("x.service", true));
    }

    proptest! {
        #[test]
        fn any_bytes_parse(bytes in prop::collection::vec(any::<u8>(), 0..300), span in "[0-9.a-zA-Zµ ]{0,20}") {
            Unit::default().read(&bytes);
            let _ = seconds(&span);
        }
    }
}
