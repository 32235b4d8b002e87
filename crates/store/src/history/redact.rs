//! Takes out of what is given away what says more of its owner than of the leak: names of the host, of people and of
//! their directories, and the arguments of commands.
//!
//! What stays is what the judgement needs: names of programs, threads, classes and libraries, units, sizes and times.

use model::{BootId, Event, EventKind, Incarnation, Look, Text};
use serde_json::Value;

/// What `meta` says of it.
pub(crate) const REDACTED: &str = "host name, arguments of commands, JVM properties, user ids other than root's, home \
                                   directories, container ids, texts of marks";

/// Fields of a look that are command lines.
const COMMANDS: [&str; 2] = ["command", "what"];
/// Fields that are lists of options.
const OPTIONS: [&str; 2] = ["options", "flags"];

/// A program's own name, and that there was more.
fn command(text: &str) -> String {
    let mut words = text.split_whitespace();
    let program = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if words.next().is_some() { format!("{program} …") } else { program.to_owned() }
}

/// Options that set the JVM's own memory, threads and collectors; none that may hold a path or a secret.
fn options(text: &str) -> String {
    let is_own = |word: &&str| word.starts_with("-X") && !word.contains('/');
    text.split_whitespace().filter(is_own).collect::<Vec<_>>().join(" ")
}

/// Home directories and temporary folders that are called after people.
fn paths(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let found = ["/home/", "/Users/", "/root/", "hsperfdata_", "/run/user/"]
            .iter()
            .filter_map(|mark| rest.find(mark).map(|at| (at, *mark)))
            .min();
        let Some((at, mark)) = found else { break };
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        out.push_str(mark);
        let after = after.get(mark.len()..).unwrap_or_default();
        if mark == "/root/" {
            rest = after;
            continue;
        }
        out.push('-');
        let end = after.find(['/', ' ', ':', ';', '"', '\'']).unwrap_or(after.len());
        rest = after.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// An id that tells two apart, and not which they are.
fn pseudonym(text: &str) -> String {
    format!("container-{:08x}", super::frame::hash(text.as_bytes()) as u32)
}

pub(super) fn incarnation(incarnation: &Incarnation) -> Incarnation {
    let mut redacted = incarnation.clone();
    let identity = &mut redacted.identity;
    identity.command = command(identity.command.as_str()).into();
    identity.container = identity.container.as_ref().map(|id| pseudonym(id.as_str()).into());
    identity.unit = identity.unit.as_ref().map(|unit| paths(unit.as_str()).into());
    redacted.uid = if redacted.uid == 0 { 0 } else { 65_534 };
    redacted
}

pub(super) fn event(event: &Event) -> Event {
    let what = match &event.what {
        EventKind::ProcessSeen(seen) => EventKind::ProcessSeen(Box::new(incarnation(seen))),
        EventKind::ProcessRenamed(seen) => EventKind::ProcessRenamed(Box::new(incarnation(seen))),
        EventKind::Mark { .. } => EventKind::Mark { text: "(redacted)".into() },
        other => other.clone(),
    };
    Event { what, ..event.clone() }
}

/// A look without them; `None` when it cannot be put together again, which is then left out.
pub(super) fn look(look: &Look) -> Option<Look> {
    let mut plain = look.clone();
    let host = plain.host.name.as_str().to_owned();
    plain.host.name = "host".into();
    // A boot id is a number too large for a JSON value.
    let boot = std::mem::take(&mut plain.host.boot);
    let boots: Vec<BootId> =
        plain.processes.iter_mut().map(|process| std::mem::take(&mut process.key.boot)).collect();
    let mut value = serde_json::to_value(&plain).ok()?;
    walk(&mut value, "", &host);
    let mut redacted: Look = serde_json::from_value(value).ok()?;
    redacted.host.boot = boot;
    for (process, boot) in redacted.processes.iter_mut().zip(boots) {
        process.key.boot = boot;
    }
    Some(redacted)
}

fn walk(value: &mut Value, field: &str, host: &str) {
    match value {
        Value::String(text) => {
            let plain = if field == "cmdline" || COMMANDS.contains(&field) {
                command(text)
            } else if OPTIONS.contains(&field) {
                options(text)
            } else {
                paths(text)
            };
            *text = if host.len() > 2 { plain.replace(host, "host") } else { plain };
        }
        Value::Array(list) => {
            if field == "cmdline" && list.len() > 1 {
                list.truncate(1);
                list.push(Value::String("…".to_owned()));
            }
            for value in list {
                walk(value, field, host);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                // A reading's value is of the field that the reading is of.
                let field = if name == "value" { field } else { name.as_str() };
                walk(value, field, host);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(super) fn about(text: &Text) -> Text {
    command(text.as_str()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_texts() {
        assert_eq!(command("/usr/bin/java -Dpassword=x Main"), "java …");
        assert_eq!(command("/sbin/init"), "init");
        assert_eq!(options("-Xmx512m -Dkey=secret -XX:+UseG1GC -Xlog:gc:/home/a/b"), "-Xmx512m -XX:+UseG1GC");
        assert_eq!(paths("/home/ann/lib.so (deleted)"), "/home/-/lib.so (deleted)");
        assert_eq!(paths("/home/ann:/home/bob/x"), "/home/-:/home/-/x");
        assert_eq!(paths("/tmp/hsperfdata_ann/12"), "/tmp/hsperfdata_-/12");
        assert_eq!(paths("/usr/lib/x.so"), "/usr/lib/x.so");
        assert_ne!(pseudonym("a"), pseudonym("b"));
    }
}
