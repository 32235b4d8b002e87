//! Who a process is: read once, when it is first seen, and again when it became another program.
//!
//! ```text
//! getty@1.service          is kept as getty@.service: the next one would be getty@2.service
//! app@blue.service         keeps its instance, which is a name
//! ```

use model::{BootId, Column, Identity, Incarnation, Pid, ProcessKey, Text, Ticks};
use rustix::io::Errno;

use super::record::Sample;
use crate::PidDir;
use crate::proc::{cgroup, status};
use crate::sys::file;

/// The most that is kept of a command line.
const COMMAND: usize = 4096;

/// What times count from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base {
    pub(super) boot: BootId,
    pub(super) booted_unix_s: f64,
    pub(super) ticks_per_second: u64,
}

/// Reads who it is. What cannot be read stays empty: the process may have ended meanwhile.
pub(super) fn read(dir: &PidDir, sample: &Sample, base: &Base, buffer: &mut Vec<u8>) -> Incarnation {
    let start = Ticks(sample.start);
    let uid = dir.read(c"status", buffer, status::LIMIT).ok().and_then(|()| status::user_and_threads(buffer));
    let (unit, container) = match file::read_at(dir, c"cgroup", buffer, 64 * 1024) {
        Ok(_) => cgroup::unit_and_container(buffer),
        Err(_) => (None, None),
    };
    let command = match file::read_at(dir, c"cmdline", buffer, COMMAND) {
        Ok(_) => command(buffer),
        Err(_) => Text::default(),
    };
    Incarnation {
        key: ProcessKey { boot: base.boot, pid: dir.pid(), start },
        name: sample.name.text(),
        started_unix_s: base.booted_unix_s + start.seconds(base.ticks_per_second),
        identity: Identity { unit: unit.map(without_number), container, command },
        uid: uid.map_or(0, |(uid, _)| uid),
        parent: Pid(sample.parent),
        denied: denied(dir),
    }
}

/// The columns that the kernel refuses to tell of it.
fn denied(dir: &PidDir) -> Vec<Column> {
    let refused = |name| matches!(file::open(dir, name), Err(Errno::ACCESS | Errno::PERM));
    let mut columns = Vec::new();
    if refused(c"io") {
        columns.extend([Column::ReadBytes, Column::WrittenBytes]);
    }
    if refused(c"smaps_rollup") {
        columns.extend([Column::Mappings, Column::Anonymous, Column::Pss]);
    }
    columns
}

/// Arguments apart by blanks, without the padding at the end, at most so many bytes.
fn command(bytes: &[u8]) -> Text {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let spaced: Vec<u8> = bytes[..end].iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    let text = Text::from_bytes(&spaced);
    let mut whole = text.as_str();
    if whole.len() > COMMAND {
        // Bytes that are no text take four each.
        let cut = (0..=COMMAND).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
        whole = &whole[..cut];
        return Text::from(whole);
    }
    text
}

fn without_number(unit: Text) -> Text {
    let name = unit.as_str();
    let Some((template, rest)) = name.split_once('@') else { return unit };
    match rest.rsplit_once('.') {
        Some((instance, kind)) if !instance.is_empty() && instance.bytes().all(|b| b.is_ascii_digit()) => {
            Text::from(format!("{template}@.{kind}"))
        }
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_instance_that_is_a_number_is_left_out() {
        for (unit, kept) in [
            ("getty@1.service", "getty@.service"),
            ("app@blue.service", "app@blue.service"),
            ("user@1000.service", "user@.service"),
            ("nginx.service", "nginx.service"),
            ("x@.service", "x@.service"),
            ("x@1", "x@1"),
        ] {
            assert_eq!(without_number(unit.into()).as_str(), kept);
        }
    }

    #[test]
    fn command_lines_are_bounded_text() {
        assert_eq!(command(b"java\0-jar\0a.jar\0\0\0").as_str(), "java -jar a.jar");
        assert_eq!(command(b"").as_str(), "");
        assert!(command(&[0xff; COMMAND]).as_str().len() <= COMMAND);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5000), unit in ".{0,30}") {
            prop_assert!(command(&bytes).as_str().len() <= COMMAND);
            let _ = without_number(Text::from(unit));
        }
    }
}
